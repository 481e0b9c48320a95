package xmlenc

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

const keyDir = "../../testdata/keys"

// pair loads a key and its certificate.
func pair(t testing.TB, name string) (crypto.Decrypter, *x509.Certificate) {
	t.Helper()
	k, err := x509.ParsePKCS8PrivateKey(pemBytes(t, name+".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(pemBytes(t, name+".crt.pem"))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := k.(crypto.Decrypter)
	if !ok {
		d = ecKey{k.(crypto.Signer)}
	}
	return d, c
}

// ecKey is what an application that knows no better may pass.
type ecKey struct{ crypto.Signer }

func (ecKey) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	panic("asked to decrypt with an EC key")
}

func pemBytes(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(keyDir, file))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := pem.Decode(data)
	if b == nil {
		t.Fatalf("%s: no PEM", file)
	}
	return b.Bytes
}

// counter counts the uses of a private key.
type counter struct {
	crypto.Decrypter
	n atomic.Int32
}

func (c *counter) Decrypt(r io.Reader, msg []byte, o crypto.DecrypterOpts) ([]byte, error) {
	c.n.Add(1)
	return c.Decrypter.Decrypt(r, msg, o)
}

func parse(t testing.TB, doc string) *etree.Element {
	t.Helper()
	root, err := xmltree.Parse([]byte(doc), xmltree.Limits{Bytes: 8 << 20})
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, doc)
	}
	return root
}

func serialize(e *etree.Element) string {
	var b bytes.Buffer
	e.WriteTo(&b, &etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true})
	return b.String()
}

const (
	assertionXML = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_a1" Version="2.0"><!-- one --><saml:Issuer>https://idp.example.com/</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">anna@example.com</saml:NameID></saml:Subject><saml:AttributeStatement><saml:Attribute Name="имя"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">Анна &amp; "Bob"&#13;</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>`
	nameIDXML    = `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">anna@example.com</saml:NameID>`
	attributeXML = `<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="mail"><saml:AttributeValue>anna@example.com</saml:AttributeValue></saml:Attribute>`
)

// response puts an encrypted element into a Response, the way messages come:
// as text, that is then read.
func response(enc string) string {
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1">` + enc + `</samlp:Response>`
}

// find returns the encrypted element of a document.
func find(t testing.TB, root *etree.Element) *etree.Element {
	t.Helper()
	var found *etree.Element
	var walk func(*etree.Element)
	walk = func(e *etree.Element) {
		if contentOf(e.Tag) != "" && found == nil {
			found = e
		}
		for _, c := range e.ChildElements() {
			walk(c)
		}
	}
	walk(root)
	if found == nil {
		t.Fatal("no encrypted element")
	}
	return found
}

func mustEncrypt(t testing.TB, plain, wrapper string, cert *x509.Certificate, o EncryptOptions) string {
	t.Helper()
	enc, err := Encrypt(parse(t, plain), wrapper, cert, o)
	if err != nil {
		t.Fatal(err)
	}
	return response(serialize(enc))
}

// decrypt reads a document, decrypts what is encrypted in it and checks that
// the tree is as it was, and that there is either an element or an *Error.
func decrypt(t testing.TB, doc string, keys []crypto.Decrypter, o Options) (*etree.Element, *Error) {
	t.Helper()
	root := parse(t, doc)
	before := serialize(root)
	enc := find(t, root)
	e, err := DecryptElement(enc, keys, o)
	if after := serialize(root); after != before {
		t.Fatalf("the tree changed (-before +after):\n%s", cmp.Diff(before, after))
	}
	if err == nil {
		if e == nil || e.Parent() != nil {
			t.Fatalf("no error, and element %v", e)
		}
		return e, nil
	}
	var xe *Error
	if e != nil || !errors.As(err, &xe) {
		t.Fatalf("element %v with error %v (%T), want none with an *Error", e, err, err)
	}
	return nil, xe
}

func wantPlain(t testing.TB, doc string, keys []crypto.Decrypter, o Options, want string) {
	t.Helper()
	e, err := decrypt(t, doc, keys, o)
	if err != nil {
		t.Fatalf("DecryptElement: %v\n%.600s", err, doc)
	}
	if diff := cmp.Diff(dump(parse(t, want), nil), dump(e, nil)); diff != "" {
		t.Fatalf("decrypted element (-want +got):\n%s", diff)
	}
}

// wantFailure wants the one error, in every field and in the text.
func wantFailure(t testing.TB, doc string, keys []crypto.Decrypter, o Options) {
	t.Helper()
	e, err := decrypt(t, doc, keys, o)
	if err == nil {
		t.Fatalf("DecryptElement returned %s, want an error\n%.600s", serialize(e), doc)
	}
	if diff := cmp.Diff(errDecrypt(), err); diff != "" {
		t.Fatalf("error is not the one error (-want +got):\n%s\n%.600s", diff, doc)
	}
	const text = "xmlenc: decrypt: got an encrypted element that does not decrypt, want one that was encrypted to one of our present keys and not changed since; give the IdP our present encryption certificate"
	if err.Error() != text {
		t.Fatalf("error text %q, want %q", err, text)
	}
}

func wantRefusal(t testing.TB, doc string, keys []crypto.Decrypter, o Options, got string) {
	t.Helper()
	counted := make([]crypto.Decrypter, len(keys))
	var counters []*counter
	for i, k := range keys {
		if k != nil {
			c := &counter{Decrypter: k}
			counted[i], counters = c, append(counters, c)
		}
	}
	e, err := decrypt(t, doc, counted, o)
	if err == nil {
		t.Fatalf("DecryptElement returned %s, want a refusal", serialize(e))
	}
	if err.Kind != KindRefused || !strings.Contains(err.Got, got) || err.Want == "" || err.Hint == "" {
		t.Errorf("error %#v, want kind %q with Got containing %q, and Want and Hint", err, KindRefused, got)
	}
	for _, c := range counters {
		if n := c.n.Load(); n != 0 {
			t.Errorf("a private key was used %d times before the refusal", n)
		}
	}
}

// dump writes an element as lines: names with their namespaces, attributes but
// the declarations, text and comments.
func dump(e *etree.Element, outer map[string]string) []string {
	scope := map[string]string{"xml": "http://www.w3.org/XML/1998/namespace"}
	for k, v := range outer {
		scope[k] = v
	}
	for _, a := range e.Attr {
		if prefix, ok := declared(a); ok {
			scope[prefix] = a.Value
		}
	}
	lines := []string{fmt.Sprintf("<{%s}%s", scope[e.Space], e.Tag)}
	var attrs []string
	for _, a := range e.Attr {
		if _, ok := declared(a); ok {
			continue
		}
		uri := ""
		if a.Space != "" {
			uri = scope[a.Space]
		}
		attrs = append(attrs, fmt.Sprintf("@{%s}%s=%q", uri, a.Key, a.Value))
	}
	slices.Sort(attrs)
	lines = append(lines, attrs...)
	for _, c := range e.Child {
		switch c := c.(type) {
		case *etree.Element:
			lines = append(lines, dump(c, scope)...)
		case *etree.CharData:
			lines = append(lines, fmt.Sprintf("%q", c.Data))
		case *etree.Comment:
			lines = append(lines, fmt.Sprintf("#%q", c.Data))
		}
	}
	return append(lines, ">")
}

// TestFixtures guards the fixtures against a typing error.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{assertionXML, nameIDXML, attributeXML} {
		if got := xmltree.Namespace(parse(t, doc)); got != samlxml.Assertion {
			t.Errorf("namespace %q, want %q", got, samlxml.Assertion)
		}
	}
}

type certificate = *x509.Certificate
