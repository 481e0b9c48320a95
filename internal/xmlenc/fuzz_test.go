package xmlenc

import (
	"crypto"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/xmltree"
)

// FuzzDecrypt changes messages that are sealed (GCM, and OAEP or implicit
// rejection). The fuzzer has no session key of its own, so what decrypts can
// only be what was encrypted; and whatever fails after a private key was used
// fails with the one error.
func FuzzDecrypt(f *testing.F) {
	key, cert := pair(f, "sp-encryption")
	counted := &counter{Decrypter: key}
	var plain [][]string
	for wrapper, text := range map[string]string{"EncryptedAssertion": assertionXML, "EncryptedID": nameIDXML, "EncryptedAttribute": attributeXML} {
		plain = append(plain, dump(parse(f, text), nil))
		for _, o := range []EncryptOptions{
			{},
			{Content: "aes128-gcm", Place: Beside, Also: []Recipient{{"a", cert}}},
			{Place: Referenced, KeyTransport: "rsa-oaep", Digest: crypto.SHA256, MGF: crypto.SHA512, Label: []byte("label")},
			{KeyTransport: "rsa-1_5"},
		} {
			f.Add([]byte(mustEncrypt(f, text, wrapper, cert, o)), o.KeyTransport == "rsa-1_5")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, rsa15 bool) {
		root, err := xmltree.Parse(data, xmltree.Limits{})
		if err != nil {
			return
		}
		var encs []*etree.Element
		var walk func(*etree.Element)
		walk = func(e *etree.Element) {
			if strings.HasPrefix(e.Tag, "Encrypted") && len(encs) < 2 {
				encs = append(encs, e)
			}
			for _, c := range e.ChildElements() {
				walk(c)
			}
		}
		walk(root)
		before := serialize(root)
		for _, enc := range encs {
			counted.n.Store(0)
			e, err := DecryptElement(enc, []crypto.Decrypter{counted}, Options{AllowRSA15: rsa15})
			if after := serialize(root); after != before {
				t.Fatalf("the tree changed (-before +after):\n%s", cmp.Diff(before, after))
			}
			if err == nil {
				got := dump(e, nil)
				if !slices.ContainsFunc(plain, func(want []string) bool { return slices.Equal(want, got) }) {
					t.Fatalf("decrypted to what nobody encrypted:\n%s", serialize(e))
				}
				continue
			}
			var xe *Error
			if e != nil || !errors.As(err, &xe) {
				t.Fatalf("element %v with error %v", e, err)
			}
			switch n := counted.n.Load(); {
			case n > maxKeys:
				t.Errorf("the private key was used %d times", n)
			case xe.Kind == KindDecrypt:
				if diff := cmp.Diff(errDecrypt(), xe); diff != "" {
					t.Errorf("not the one error (-want +got):\n%s", diff)
				}
			case xe.Kind != KindRefused || n != 0:
				t.Errorf("error %#v after %d uses of the private key", xe, n)
			}
		}
	})
}

// FuzzCBC decrypts any bytes with any key: no length and no padding may panic,
// and what comes out is shorter than what went in.
func FuzzCBC(f *testing.F) {
	c := contentNamed("aes128-cbc")
	sealed, err := c.seal(make([]byte, 16), []byte(nameIDXML))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(make([]byte, 16), sealed)
	f.Add(make([]byte, 16), []byte{})
	f.Fuzz(func(t *testing.T, key, ciphertext []byte) {
		plain, sound := c.open(append(key, make([]byte, 16)...)[:16], ciphertext, make([]byte, len(ciphertext)))
		if len(plain) > max(len(ciphertext)-17, 0) || sound == 1 && len(ciphertext)-16-len(plain) > 16 {
			t.Errorf("%d bytes out of %d, sound %d", len(plain), len(ciphertext), sound)
		}
		if sound == 1 && len(ciphertext)%16 != 0 {
			t.Error("a partial block is sound")
		}
	})
}
