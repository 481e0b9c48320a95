package ssotest

import (
	"fmt"
	"slices"

	"github.com/ssoconn/sso"
)

// A Misbehaviour names one thing that an IdP, or somebody in its place, does
// wrong. The empty one is good behaviour.
type Misbehaviour string

// misbehaviour is what a Misbehaviour does, and when.
type misbehaviour struct {
	name        Misbehaviour
	description string
	reason      sso.Reason

	request func(*message)       // before anything is built
	before  func(*message)       // before signing
	after   func(*message) error // after signing
	written func([]byte) []byte  // on the bytes
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

func misbehaviours() []misbehaviour { return nil }
