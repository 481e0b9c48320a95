package sso_test

import (
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/xmlenc"
	"github.com/ssoconn/sso/ssotest"
)

// encrypt puts the encrypted form of an element in its place. Without a content
// encryption it is the usual one, of a plaintext whose prefixes are declared around it.
func encrypt(t *testing.T, path, wrapper, content string, key sso.KeyPair) func(*etree.Element) {
	return func(response *etree.Element) {
		e := response.FindElement(path)
		if e == nil {
			t.Fatalf("no %s", path)
		}
		plain := e
		if content == "" {
			plain = e.Copy() // out of its document it has no declarations to take along
		}
		enc, err := xmlenc.Encrypt(plain, wrapper, key.Certificate, xmlenc.EncryptOptions{Content: content})
		if err != nil {
			t.Fatal(err)
		}
		parent, at := e.Parent(), e.Index()
		parent.RemoveChildAt(at)
		parent.InsertChildAt(at, enc)
	}
}

// TestEncryptedParts has the NameID or an attribute encrypted, in CBC too, since
// a signature covers the ciphertext.
func TestEncryptedParts(t *testing.T) {
	t.Parallel()
	ours, other := vectorKey(t, "sp-encryption"), vectorKey(t, "sp-next")
	for _, k := range []struct {
		name, path, wrapper, content string
		key                          sso.KeyPair
		keys                         []sso.KeyPair
		want                         sso.Reason
	}{
		{"NameID", "//NameID", "EncryptedID", "aes256-gcm", ours, []sso.KeyPair{ours}, ""},
		{"NameID of a prefix declared above", "//NameID", "EncryptedID", "", ours, []sso.KeyPair{ours}, ""},
		{"NameID in CBC", "//NameID", "EncryptedID", "aes128-cbc", ours, []sso.KeyPair{ours}, ""},
		{"NameID to the next key", "//NameID", "EncryptedID", "aes256-gcm", other, []sso.KeyPair{ours, other}, ""},
		{"NameID to another key", "//NameID", "EncryptedID", "aes256-gcm", other, []sso.KeyPair{ours}, sso.ReasonDecryption},
		{"NameID without a key of ours", "//NameID", "EncryptedID", "aes256-gcm", ours, nil, sso.ReasonEncrypted},
		{"attribute", "//Attribute[@Name='groups']", "EncryptedAttribute", "aes256-gcm", ours, []sso.KeyPair{ours}, ""},
		{"attribute of a prefix declared above", "//Attribute[@Name='groups']", "EncryptedAttribute", "", ours, []sso.KeyPair{ours}, ""},
		{"attribute in CBC", "//Attribute[@Name='groups']", "EncryptedAttribute", "aes128-cbc", ours, []sso.KeyPair{ours}, ""},
		{"attribute to another key", "//Attribute[@Name='groups']", "EncryptedAttribute", "aes256-gcm", other, []sso.KeyPair{ours}, sso.ReasonDecryption},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := testIdP()
			conn := idp.Connection(sso.ServiceProvider{DecryptionKeys: k.keys})
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: encrypt(t, k.path, k.wrapper, k.content, k.key)})
			if err != nil {
				t.Fatal(err)
			}
			o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}
			a, err := conn.VerifyResponse(t.Context(), form, o)
			if diff := cmp.Diff(k.want, reasonOf(err)); diff != "" {
				t.Fatalf("reason (-want +got):\n%s%v", diff, err)
			}
			if r := conn.InspectResponse(t.Context(), form, o); r.OK() != (err == nil) {
				t.Errorf("the report says\n%s", r)
			}
			if err != nil {
				return
			}
			if a.Subject.Value != "alice@example.com" {
				t.Errorf("the subject is %q", a.Subject.Value)
			}
			if diff := cmp.Diff([]string{"Sales", "Support"}, a.Attributes.Values("groups")); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAttributeShapes reads the shapes that values come in, and tells them
// apart: nothing, empty, nil, base64, a NameID, XML.
func TestAttributeShapes(t *testing.T) {
	t.Parallel()
	const schema = `xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
	for _, k := range []struct {
		name, values string
		want         sso.Attribute
	}{
		{"without values", ``, sso.Attribute{Values: []string{}}},
		{"empty", `<saml:AttributeValue/>`, sso.Attribute{Values: []string{""}}},
		{"nil", `<saml:AttributeValue ` + schema + ` xsi:nil="true"/>`, sso.Attribute{Values: []string{""}}},
		{"typed", `<saml:AttributeValue ` + schema + ` xsi:type="xs:string">a</saml:AttributeValue><saml:AttributeValue ` + schema + ` xsi:type="xs:integer">7</saml:AttributeValue>`, sso.Attribute{Values: []string{"a", "7"}}},
		{"base64", `<saml:AttributeValue ` + schema + ` xsi:type="xs:base64Binary">AAEC/w==</saml:AttributeValue>`, sso.Attribute{Values: []string{"AAEC/w=="}}},
		{"white space is kept", "<saml:AttributeValue> a\n </saml:AttributeValue>", sso.Attribute{Values: []string{" a\n "}}},
		{"a NameID", `<saml:AttributeValue><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="idp" SPNameQualifier="sp">x</saml:NameID></saml:AttributeValue>`,
			sso.Attribute{Values: []string{"x"}, NameIDs: []sso.NameID{{Value: "x", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", NameQualifier: "idp", SPNameQualifier: "sp"}}}},
		{"XML", `<saml:AttributeValue><a>1</a>2</saml:AttributeValue>`, sso.Attribute{Values: []string{"<a>1</a>2"}}},
		{"a forged assertion as XML", `<saml:AttributeValue><saml:Assertion ID="_f"><saml:Subject><saml:NameID>root</saml:NameID></saml:Subject></saml:Assertion></saml:AttributeValue>`,
			sso.Attribute{Values: []string{`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_f"><saml:Subject><saml:NameID>root</saml:NameID></saml:Subject></saml:Assertion>`}}},
		{"a forged assertion as text", `<saml:AttributeValue>&lt;saml:Assertion/&gt;</saml:AttributeValue>`, sso.Attribute{Values: []string{"<saml:Assertion/>"}}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := testIdP()
			conn := idp.Connection(sso.ServiceProvider{})
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(response *etree.Element) {
				doc := etree.NewDocument()
				if err := doc.ReadFromString(`<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="shape">` + k.values + `</saml:Attribute>`); err != nil {
					t.Fatal(err)
				}
				response.FindElement("//AttributeStatement").AddChild(doc.Root())
			}})
			if err != nil {
				t.Fatal(err)
			}
			a, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if err != nil {
				t.Fatal(err)
			}
			k.want.Name = "shape"
			got := a.Attributes[len(a.Attributes)-1]
			if diff := cmp.Diff(k.want, got); diff != "" {
				t.Errorf("attribute (-want +got):\n%s", diff)
			}
			if a.Subject.Value != "alice@example.com" || a.Attributes.Values("nothing") != nil {
				t.Errorf("got %+v", a)
			}
		})
	}
}
