package ssotest

import (
	"fmt"
	"slices"

	"github.com/ssoconn/sso"
)

// A Misbehaviour names one thing that an IdP, or somebody in its place, does
// wrong. The empty one is good behaviour. [Misbehaviours] lists them.
type Misbehaviour string

// Misbehaviours lists them all, each of which an application must refuse. Each
// is wrong in one single point: without it the same answer is accepted.
//
// Two want a second look. "unsolicited" is welcome where IdP-initiated sign-in
// is allowed. "replayed" is refused only from the second answer on, since its
// assertions all have one ID; SignIn signs in twice for it.
func Misbehaviours() []Misbehaviour {
	all := misbehaviours()
	names := make([]Misbehaviour, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}

// Description says in one sentence what is wrong, "" for an unknown name.
func (b Misbehaviour) Description() string {
	m, _ := b.find()
	return m.description
}

// Reason is what VerifyResponse refuses it for, "" for an unknown name.
func (b Misbehaviour) Reason() sso.Reason {
	m, _ := b.find()
	return m.reason
}

// misbehaviour is what a Misbehaviour does, and when.
type misbehaviour struct {
	name        Misbehaviour
	reason      sso.Reason
	description string

	request func(*message)       // before anything is built
	before  func(*message)       // before signing
	after   func(*message) error // after signing
	written func([]byte) []byte  // to the bytes
	posted  func(string) string  // to the form value
}

func (b *misbehaviour) hooks() hooks {
	return hooks{b.request, b.before, b.after, b.written, b.posted}
}

func (b Misbehaviour) find() (misbehaviour, error) {
	if b == "" {
		return misbehaviour{}, nil
	}
	all := misbehaviours()
	i := slices.IndexFunc(all, func(m misbehaviour) bool { return m.name == b })
	if i < 0 {
		return misbehaviour{}, fmt.Errorf("ssotest: unknown Misbehaviour %q", string(b))
	}
	return all[i], nil
}

func misbehaviours() []misbehaviour {
	return slices.Concat(addressed(), timed(), shaped(), subjects(), foreignKeys(), bentSignatures(), wrappedResponses(), wrappedAssertions(), written())
}
