package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/ssoconn/sso/internal/testtool"
)

// The tests here have others judge our signatures: the standard library those
// of queries, xmlsec1 those of XML.

func TestRedirectSignatureByStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key    string
		method SignatureMethod
		hash   crypto.Hash
	}{
		{"sp-signing", RSASHA256, crypto.SHA256}, {"sp-signing", RSASHA384, crypto.SHA384}, {"sp-signing", RSASHA512, crypto.SHA512},
		{"sp-p256", ECDSASHA256, crypto.SHA256}, {"idp-p384", ECDSASHA384, crypto.SHA384}, {"idp-p521", ECDSASHA512, crypto.SHA512},
	} {
		c := goodConnection(t)
		c.SP.SigningKey, c.SignRequests, c.SignatureMethod = testKey(t, tt.key), true, tt.method
		address, err := makeRequest(t, c, RequestOptions{}).RedirectURL("a b/é")
		if err != nil {
			t.Fatal(err)
		}
		s := readRedirect(t, address)
		value, err := base64.StdEncoding.DecodeString(s.values["Signature"])
		if err != nil {
			t.Fatal(err)
		}
		h := tt.hash.New()
		h.Write([]byte(s.signed))
		switch k := c.SP.SigningKey.Certificate.PublicKey.(type) {
		case *rsa.PublicKey:
			if err := rsa.VerifyPKCS1v15(k, tt.hash, h.Sum(nil), value); err != nil {
				t.Errorf("%s: %v", tt.method, err)
			}
		case *ecdsa.PublicKey:
			n := (k.Curve.Params().BitSize + 7) / 8
			if len(value) != 2*n {
				t.Errorf("%s: %d bytes, want %d", tt.method, len(value), 2*n)
				continue
			}
			if !ecdsa.Verify(k, h.Sum(nil), new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:])) {
				t.Errorf("%s does not verify", tt.method)
			}
		}
	}
}

func TestSignaturesByXmlsec(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key    string
		method SignatureMethod
	}{{"sp-signing", RSASHA256}, {"sp-signing", RSASHA384}, {"sp-signing", RSASHA512}, {"sp-p256", ECDSASHA256}, {"idp-p384", ECDSASHA384}, {"idp-p521", ECDSASHA512}} {
		t.Run(tt.key+" "+string(tt.method), func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			c.SP.SigningKey, c.SignRequests, c.SignatureMethod = testKey(t, tt.key), true, tt.method
			o := RequestOptions{NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", ProviderName: "Café <&\"'>", AuthnContext: []string{"urn:x"}}
			page, err := makeRequest(t, c, o).PostForm("")
			if err != nil {
				t.Fatal(err)
			}
			metadata, err := c.MetadataWith(MetadataOptions{Sign: true, Attributes: []string{"é\"<"}, ServiceName: "Café"})
			if err != nil {
				t.Fatal(err)
			}
			xmlsec(t, readForm(t, page).xml, "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest", tt.key, true)
			xmlsec(t, readForm(t, page).xml, "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest", "idp-p256", false)
			xmlsec(t, metadata, "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor", tt.key, true)
		})
	}
}

func xmlsec(tb testing.TB, document []byte, element, cert string, want bool) {
	tb.Helper()
	path := testtool.Path(tb, "xmlsec1", "xmlsec1")
	_, err := testtool.Run("", path, "--verify", "--id-attr:ID", element, "--pubkey-cert-pem", filepath.Join("testdata", "keys", cert+".crt.pem"),
		testtool.File(tb, "signed.xml", string(document)))
	if (err == nil) != want {
		tb.Errorf("xmlsec1 with %s: %v\n%s", cert, err, document)
	}
}
