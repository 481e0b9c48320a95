package xmlsig

import (
	"testing"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/xmltree"
)

// FuzzVerifyMutation: whatever is done to a signed document, each element that
// still verifies says what was signed, as its canonical bytes.
func FuzzVerifyMutation(f *testing.F) {
	_, cert := pair(f, "idp")
	_, ecCert := pair(f, "idp-p256")
	signed := map[string]bool{}
	for _, c := range []struct {
		key string
		o   SignOptions
	}{
		{"idp", SignOptions{}},
		{"idp", SignOptions{C14N: ExcC14NWithComments, InclusivePrefixes: []string{"xs", "#default"}, LineLength: 76}},
		{"idp", SignOptions{C14N: C14N10, KeyInfo: KeyInfoNone, Prefix: "#default"}},
		{"idp-p256", SignOptions{C14N: C14N11WithComments, KeyInfo: KeyInfoValue}},
		{"idp2", SignOptions{}}, // not pinned: for the fuzzer to cross with
	} {
		doc := signedDoc(f, c.key, c.o)
		f.Add([]byte(doc))
		if c.key != "idp2" {
			signed[signedBytes(f, find(f, parse(f, doc), "Assertion"))] = true
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		root, err := xmltree.Parse(doc, xmltree.Limits{})
		if err != nil {
			return
		}
		var walk func(*etree.Element)
		walk = func(e *etree.Element) {
			if _, err := Verify(e, pinned(cert, ecCert), Options{}); err == nil {
				if got := signedBytes(t, e); !signed[got] {
					t.Errorf("accepted, but nobody signed it:\n%s", got)
				}
			} else if kindOf(t, err) == "" {
				t.Error("a refusal without a kind")
			}
			for _, c := range e.ChildElements() {
				walk(c)
			}
		}
		walk(root)
	})
}
