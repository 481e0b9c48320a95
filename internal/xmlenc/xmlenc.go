package xmlenc

import (
	"crypto"
	"crypto/rsa"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// Options widen what is accepted. The zero value is strict.
type Options struct {
	// AllowRSA15 accepts RSA PKCS #1 v1.5 key transport.
	AllowRSA15 bool
	// AllowUnauthenticatedCBC accepts AES-CBC from anybody. It is a padding
	// oracle, and one for messages in GCM too.
	AllowUnauthenticatedCBC bool
	// CBCAuthenticated says that the caller has verified a signature over the
	// ciphertext, so that AES-CBC is safe to decrypt.
	CBCAuthenticated bool
	// Limits of the decrypted XML. Zero Bytes means as many as the ciphertext
	// has, which the limit of the document bounds.
	Limits xmltree.Limits
}

// Kind sorts the ways in which decryption fails.
type Kind string

const (
	// KindRefused: the message says what was refused, before any private key
	// was used.
	KindRefused Kind = "refused"
	// KindDecrypt: anything that went wrong after. All errors of this kind are
	// equal.
	KindDecrypt Kind = "decrypt"
)

// Error is a refusal.
type Error struct {
	Kind Kind
	Got  string
	Want string
	Hint string // the next step, for the administrator
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("xmlenc: " + string(e.Kind))
	for _, part := range [...]struct{ label, text string }{{": got ", e.Got}, {", want ", e.Want}, {"; ", e.Hint}} {
		if part.text != "" {
			b.WriteString(part.label + part.text)
		}
	}
	return b.String()
}

func refused(got, want, hint string) *Error {
	return &Error{Kind: KindRefused, Got: got, Want: want, Hint: hint}
}

// errDecrypt is the one error for all that goes wrong with key material. A
// second one, or one more word in this one, would be a padding oracle.
func errDecrypt() *Error {
	return &Error{
		Kind: KindDecrypt,
		Got:  "an encrypted element that does not decrypt",
		Want: "one that was encrypted to one of our present keys and not changed since",
		Hint: "give the IdP our present encryption certificate",
	}
}

// maxTrials bounds how often a private key is used for one element: an
// operation with RSA-2048 takes about a millisecond, and nobody has to sign in
// to make us do it. It is enough for two keys of ours and maxKeys recipients.
const maxTrials = 16

// DecryptElement decrypts an EncryptedAssertion, EncryptedID or
// EncryptedAttribute and returns the Assertion, NameID or Attribute in it, with
// no parent. It changes nothing in the tree of enc; the caller puts the result
// in the place of enc.
//
// Every RSA key of keys is tried, so that the next one can be published before
// the IdP uses it. A Decrypter must take *rsa.OAEPOptions (with Label and
// MGFHash, unless the IdP sends neither), and *rsa.PKCS1v15DecryptOptions with
// SessionKeyLen for AllowRSA15. The error is an *Error.
func DecryptElement(enc *etree.Element, keys []crypto.Decrypter, o Options) (*etree.Element, error) {
	m, refusal := read(enc, o)
	if refusal != nil {
		return nil, refusal
	}
	trials, refusal := m.trials(keys)
	if refusal != nil {
		return nil, refusal
	}
	// A success ends the loop, a failure never does: how long a failure takes
	// must not depend on which pair failed how.
	room := make([]byte, len(m.ciphertext))
	tried := make(map[string]bool, len(trials))
	for _, t := range trials {
		key := t.key.unwrap(t.private, m.content.keySize)
		if tried[string(key)] {
			// Only who made both wrapped keys can tell. Without this he could
			// have one large plaintext parsed many times.
			continue
		}
		tried[string(key)] = true
		plain, sound := m.content.open(key, m.ciphertext, room)
		if sound == 0 && m.content.gcm {
			continue
		}
		// CBC that is not sound is parsed like CBC that is.
		if e := m.parse(plain, o.Limits); e != nil && sound == 1 {
			return e, nil
		}
		if m.content.gcm {
			// The tag fits, so this was the session key, and another trial
			// would fail. Only who has the session key can see it by the time.
			break
		}
	}
	return nil, errDecrypt()
}

// A trial is a wrapped session key and one of our private keys.
type trial struct {
	key     *wrappedKey
	private crypto.Decrypter
}

// trials pairs the wrapped keys with the private keys of the same size. Which
// ones these are everyone can see.
func (m *message) trials(keys []crypto.Decrypter) ([]trial, *Error) {
	var ts []trial
	usable := 0
	for _, private := range keys {
		if private == nil {
			continue
		}
		public, ok := private.Public().(*rsa.PublicKey)
		if !ok {
			continue
		}
		usable++
		for i := range m.keys {
			// RFC 8017, 7.1.2: the ciphertext is as long as the modulus.
			if w := &m.keys[i]; len(w.value) == public.Size() {
				ts = append(ts, trial{w, private})
			}
		}
	}
	switch {
	case usable == 0:
		return nil, refused("no RSA key to decrypt with", "at least one", "give this connection an RSA decryption key, and the IdP its certificate")
	case len(ts) > maxTrials:
		return nil, refused(strconv.Itoa(len(ts))+" pairs of an encrypted key and a decryption key", "at most "+strconv.Itoa(maxTrials),
			"remove the decryption keys that are no longer in use")
	}
	return ts, nil
}

// parse reads the plaintext as the element that has to be in it, or returns
// nil. An encrypted element inside is not decrypted in turn: it is another
// element than expected.
func (m *message) parse(plain []byte, l xmltree.Limits) *etree.Element {
	if l.Bytes <= 0 {
		l.Bytes = max(len(plain), 1)
	}
	e, err := xmltree.ParseIn(m.data, plain, l)
	if err != nil {
		return nil
	}
	lift(e, m.enc)
	if e.Tag != m.expected || space(e, m.enc.Parent()) != samlxml.Assertion {
		return nil
	}
	return e
}

// lift gives e, which was parsed inside enc and will stand in its place, the
// declarations of enc that it would lose by that.
func lift(e, enc *etree.Element) {
	for _, a := range enc.Attr {
		prefix, ok := declared(a)
		if !ok {
			continue
		}
		if _, own := binding(e, prefix); own {
			continue
		}
		if bindingAbove(enc.Parent(), prefix) != a.Value {
			e.CreateAttr(a.FullKey(), a.Value)
		}
	}
}

// space is the namespace of e, once it is a child of parent.
func space(e, parent *etree.Element) string {
	if uri, ok := binding(e, e.Space); ok {
		return uri
	}
	return bindingAbove(parent, e.Space)
}

// bindingAbove returns what prefix means at e, "" for nothing.
func bindingAbove(e *etree.Element, prefix string) string {
	for ; e != nil; e = e.Parent() {
		if uri, ok := binding(e, prefix); ok {
			return uri
		}
	}
	return ""
}

// binding returns what prefix is bound to by e itself.
func binding(e *etree.Element, prefix string) (uri string, ok bool) {
	for _, a := range e.Attr {
		if p, ok := declared(a); ok && p == prefix {
			return a.Value, true
		}
	}
	return "", false
}

// declared tells whether an attribute is a namespace declaration, and of which
// prefix.
func declared(a etree.Attr) (prefix string, ok bool) {
	if a.Space == "xmlns" {
		return a.Key, true
	}
	return "", a.Space == "" && a.Key == "xmlns"
}
