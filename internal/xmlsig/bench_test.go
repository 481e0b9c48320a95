package xmlsig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// response is a Response as common identity providers write it, 5.4 KB with
// five groups once signed.
func response(groups int) string {
	var b strings.Builder
	b.WriteString(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r8f2c1d0e9b7a6543210fedcba98765432" Version="2.0" IssueInstant="2026-03-01T09:00:00.000Z" Destination="https://app.example.com/saml/acme/acs" InResponseTo="_q0123456789abcdef0123456789abcdef">
<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">http://www.idp.example.com/exk1a2b3c4d5e6f7g8h9</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_a1b2c3d4e5f60718293a4b5c6d7e8f901" Version="2.0" IssueInstant="2026-03-01T09:00:00.000Z">
<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">http://www.idp.example.com/exk1a2b3c4d5e6f7g8h9</saml:Issuer>
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">anna.petrova@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_q0123456789abcdef0123456789abcdef" NotOnOrAfter="2026-03-01T09:05:00.000Z" Recipient="https://app.example.com/saml/acme/acs"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="2026-03-01T08:55:00.000Z" NotOnOrAfter="2026-03-01T09:05:00.000Z"><saml:AudienceRestriction><saml:Audience>https://app.example.com/saml/acme</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="2026-03-01T08:59:58.000Z" SessionIndex="_q0123456789abcdef0123456789abcdef"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement>
`)
	value := func(v string) {
		b.WriteString(`<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">` + v + `</saml:AttributeValue>`)
	}
	for _, a := range [][2]string{{"email", "anna.petrova@example.com"}, {"firstName", "Анна"}, {"lastName", "Петрова"}} {
		b.WriteString(`<saml:Attribute Name="` + a[0] + `" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">`)
		value(a[1])
		b.WriteString("</saml:Attribute>\n")
	}
	b.WriteString(`<saml:Attribute Name="groups" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">`)
	for i := range groups {
		value(fmt.Sprintf("department-%05d", i))
	}
	b.WriteString("</saml:Attribute>\n</saml:AttributeStatement></saml:Assertion></samlp:Response>")
	return b.String()
}

// signed returns a parsed document whose assertion is signed, and its text.
func signed(tb testing.TB, groups int, o SignOptions) (*etree.Element, string, *x509.Certificate) {
	tb.Helper()
	key, cert := pair(tb, "idp")
	root := parse(tb, response(groups))
	if err := SignWith(find(tb, root, "Assertion"), key, cert, o, 2); err != nil {
		tb.Fatal(err)
	}
	doc := serialize(tb, root)
	return find(tb, parse(tb, doc), "Assertion"), doc, cert
}

func BenchmarkFloor(b *testing.B) {
	_, doc, cert := signed(b, 5, SignOptions{})
	key, _ := pair(b, "idp")
	sum := sha256.Sum256([]byte(doc))
	value, err := key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	data := []byte(doc)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		sum := sha256.Sum256(data)
		if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, groups := range []int{5, 800, 10_000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			el, doc, cert := signed(b, groups, SignOptions{})
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Verify(el, pinned(cert), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanonicalize(b *testing.B) {
	for _, m := range []string{ExcC14N, C14N10} {
		b.Run(m[strings.LastIndexByte(m, '/')+1:], func(b *testing.B) {
			el, doc, _ := signed(b, 5, SignOptions{})
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Canonicalize(io.Discard, el, m, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
