package xmlsig

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/xmltree"
)

const keyDir = "../../testdata/keys"

// pair loads a key and its certificate.
func pair(t testing.TB, name string) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	k, err := x509.ParsePKCS8PrivateKey(pemBytes(t, name+".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(pemBytes(t, name+".crt.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return k.(crypto.Signer), c
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

func parse(t testing.TB, doc string) *etree.Element {
	t.Helper()
	root, err := xmltree.Parse([]byte(doc), xmltree.Limits{Bytes: 4 << 20})
	if err != nil {
		t.Fatalf("%v\n%.4000s", err, doc)
	}
	return root
}

// serialize writes a document that parses to the same tree.
func serialize(t testing.TB, root *etree.Element) string {
	t.Helper()
	doc := etree.NewDocumentWithRoot(root.Copy())
	doc.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true, CanonicalEndTags: true}
	s, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func canonical(t testing.TB, el *etree.Element, method string, prefixes ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Canonicalize(&b, el, method, prefixes); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// kindOf returns the Kind of a refusal, "" of nil, and fails on other errors.
func kindOf(t testing.TB, err error) Kind {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error of type %T: %v", err, err)
	}
	if e.Msg == "" {
		t.Fatal("empty message")
	}
	return e.Kind
}

func pinned(c ...*x509.Certificate) []*x509.Certificate { return c }

// find returns the first element of that local name, depth first.
func find(t testing.TB, e *etree.Element, tag string) *etree.Element {
	t.Helper()
	var walk func(*etree.Element) *etree.Element
	walk = func(e *etree.Element) *etree.Element {
		if e.Tag == tag {
			return e
		}
		for _, c := range e.ChildElements() {
			if f := walk(c); f != nil {
				return f
			}
		}
		return nil
	}
	f := walk(e)
	if f == nil {
		t.Fatalf("no %s", tag)
	}
	return f
}
