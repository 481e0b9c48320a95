package xmlsig

import (
	"crypto/x509"
	"testing"

	dsig "github.com/russellhaering/goxmldsig"
)

const assertionDoc = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0">
  <saml:Issuer>https://idp.example.com/</saml:Issuer>
  <saml:Assertion ID="_a1" Version="2.0" IssueInstant="2026-03-01T09:00:00Z">
    <saml:Issuer>https://idp.example.com/</saml:Issuer>
    <saml:Subject><saml:NameID>anna@example.com</saml:NameID></saml:Subject>
    <saml:AttributeStatement>
      <saml:Attribute Name="name"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">Анна &amp; &lt;Co&gt; "x"</saml:AttributeValue></saml:Attribute>
    </saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>`

func TestSignVerify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, method, uri string }{
		{"idp", "", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"},
		{"idp", "rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"},
		{"idp", "rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"},
		{"idp", "rsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"},
		{"idp-p256", "", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
		{"idp-p256", "ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
		{"idp-p384", "ecdsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"},
		{"idp-p521", "ecdsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"},
		{"idp-p521", "ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
	} {
		t.Run(c.key+" "+c.method, func(t *testing.T) {
			t.Parallel()
			key, cert := pair(t, c.key)
			root := parse(t, assertionDoc)
			el := find(t, root, "Assertion")
			if err := Sign(el, key, cert, c.method, 2); err != nil {
				t.Fatal(err)
			}
			doc := serialize(t, root)
			got, err := Verify(find(t, parse(t, doc), "Assertion"), pinned(cert), Options{})
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if got.SignatureMethod != c.uri {
				t.Errorf("method: got %s, want %s", got.SignatureMethod, c.uri)
			}
			el = find(t, parse(t, doc), "Assertion")
			find(t, el, "NameID").SetText("eve@example.com")
			_, err = Verify(el, pinned(cert), Options{})
			if k := kindOf(t, err); k != KindDigest {
				t.Errorf("changed: got %v, want %s", err, KindDigest)
			}
		})
	}
}

// goxmldsig's verifier agrees with ours. It is asked in what it is right about:
// not ECDSA, whose values it takes for ASN.1, nor wrapped base64, nor a form
// that it cannot apply below the root.
func TestGoxmldsigVerifies(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"rsa-sha256", "rsa-sha384", "rsa-sha512"} {
		for _, form := range []string{ExcC14N, C14N11} {
			key, cert := pair(t, "idp")
			root := parse(t, response(2))
			if err := SignWith(root, key, cert, SignOptions{Method: method, C14N: form}, 2); err != nil {
				t.Fatal(err)
			}
			root = parse(t, serialize(t, root))
			ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
			if _, err := ctx.Validate(root.Copy()); err != nil {
				t.Errorf("%s, %s: goxmldsig: %v", method, form, err)
			}
			if _, err := Verify(root, pinned(cert), Options{}); err != nil {
				t.Errorf("%s, %s: %v", method, form, err)
			}
			find(t, root, "NameID").SetText("eve@example.com")
			if _, err := ctx.Validate(root.Copy()); err == nil {
				t.Errorf("%s, %s: goxmldsig accepts a changed document: the test proves nothing", method, form)
			}
		}
	}
}
