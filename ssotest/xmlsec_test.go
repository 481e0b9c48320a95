package ssotest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testtool"
)

// TestSignaturesHoldElsewhere has xmlsec1 judge what the IdP signs. It knows
// nothing of our canonical form, which signing and verifying share.
func TestSignaturesHoldElsewhere(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	for name, o := range variations() {
		if strings.Contains(name, "pss") {
			continue // Debian's xmlsec1 1.2 does not know the MGF1 methods
		}
		for _, element := range []Signed{SignAssertion, SignResponse} {
			o := o
			o.Sign = element
			t.Run(name+"/"+string(element), func(t *testing.T) {
				t.Parallel()
				key := keyFor(o)
				idp := NewIdP(Config{Key: fixedKey(t, key), Now: fixedNow})
				document, err := idp.Document(RequestTo(idp.Connection(sso.ServiceProvider{}), requestID), ann, o)
				if err != nil {
					t.Fatal(err)
				}
				verdict := func(document string) error {
					_, err := testtool.Run("", xmlsec, "--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
						"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
						"--pubkey-cert-pem", filepath.Join("..", "testdata", "keys", key+".crt.pem"), testtool.File(t, "response.xml", document))
					return err
				}
				if err := verdict(string(document)); err != nil {
					t.Error(err)
				}
				if err := verdict(strings.Replace(string(document), "Password", "Passw0rd", 1)); err == nil {
					t.Error("xmlsec1 takes the document with one letter changed")
				}
			})
		}
	}
}
