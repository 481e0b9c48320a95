package xmlenc

import (
	"crypto"
	"strings"
	"testing"
)

// TestRareParts has what few senders write: the size of the RSA key beside its
// method, an attribute on the wrapper, one session key wrapped twice.
func TestRareParts(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{Also: []Recipient{{"b", cert}}})
	sized := strings.Replace(doc, `rsa-oaep-mgf1p">`, `rsa-oaep-mgf1p"><xenc:KeySize>2048</xenc:KeySize>`, 1)
	if sized == doc {
		t.Fatal("the fixture has no place for a KeySize")
	}
	named := strings.Replace(doc, "<saml:EncryptedAssertion ", `<saml:EncryptedAssertion Note="x" xmlns:n="urn:n" n:more="y" `, 1)
	if named == doc {
		t.Fatal("the fixture has no place for an attribute")
	}
	for name, text := range map[string]string{"as it is": doc, "KeySize": sized, "attributes on the wrapper": named} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantPlain(t, text, keys, Options{}, assertionXML)
		})
	}
	// Both wrapped keys hold one session key: the ciphertext is tried once, and
	// fails as any other.
	wantFailure(t, alter(t, doc, 2, flip(20, 1)), keys, Options{})
}
