package sso_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// TestXMLValueIsWhatWasSigned puts into a signed attribute value what exclusive
// canonical form leaves out. It must not come out of the assertion: nobody signed
// it. FuzzRearranged found the declaration.
func TestXMLValueIsWhatWasSigned(t *testing.T) {
	t.Parallel()
	const signed = `<x:a xmlns:x="urn:x"><x:b/>1 &lt; 2</x:a>&amp;`
	conn, response := signedWithValue(t, signed)
	for _, k := range []struct {
		name, old, new string
		refused        sso.Reason
	}{
		{"as signed", "", "", ""},
		{"a namespace that nothing uses", `<x:b`, `<x:b xmlns:y="urn:y"`, ""},
		{"a default namespace that nothing uses", `<x:b`, `<x:b xmlns="urn:y"`, ""},
		{"a comment in an element", `<x:b/>`, `<x:b/><!-- admin -->`, ""},
		{"a comment beside the elements", `</x:a>`, `</x:a><!-- admin -->`, ""},
		{"CDATA for a reference", `1 &lt; 2`, `1 <![CDATA[<]]> 2`, ""},
		{"the same with blanks in the tags", `<x:b/>`, `<x:b ></x:b >`, ""},
		{"text", `1 &lt; 2`, `1 &lt; 3`, sso.ReasonSignature},
		{"a namespace that something uses", `"urn:x"`, `"urn:y"`, sso.ReasonSignature},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(response, k.old) {
				t.Fatalf("no %q", k.old)
			}
			form := base64.StdEncoding.EncodeToString([]byte(strings.Replace(response, k.old, k.new, 1)))
			a, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if k.refused != "" {
				var ve *sso.VerifyError
				if !errors.As(err, &ve) || ve.Reason != k.refused {
					t.Fatalf("got %v, want a refusal for %s", err, k.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := []string{`<x:a xmlns:x="urn:x"><x:b></x:b>1 &lt; 2</x:a>&amp;`}
			if diff := cmp.Diff(want, a.Attributes.Values("shape")); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestXMLValueSwells: a value whose own canonical form would be many times what
// came is refused, though the assertion as a whole has one.
func TestXMLValueSwells(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		return strings.Repeat("-", 300<<10) + `<w xmlns:p="urn:` + strings.Repeat("x", 1000) + `">` + strings.Repeat("<p:a/>", n) + `</w>`
	}
	for _, k := range []struct {
		name string
		n    int
		want sso.Reason
	}{{"few", 900, ""}, {"many", 1300, sso.ReasonAttributes}} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			conn, response := signedWithValue(t, many(k.n))
			_, err := conn.VerifyResponse(t.Context(), base64.StdEncoding.EncodeToString([]byte(response)), sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			var ve *sso.VerifyError
			switch {
			case k.want == "" && err != nil:
				t.Error(err)
			case k.want != "" && (!errors.As(err, &ve) || ve.Reason != k.want):
				t.Errorf("got %v, want a refusal for %s", err, k.want)
			}
		})
	}
}

// signedWithValue makes a signed Response with an attribute "shape" of one value.
func signedWithValue(t *testing.T, value string) (*sso.Connection, string) {
	t.Helper()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(response *etree.Element) {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(`<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="shape"><saml:AttributeValue>` + value + `</saml:AttributeValue></saml:Attribute>`); err != nil {
			t.Fatal(err)
		}
		response.FindElement("//AttributeStatement").AddChild(doc.Root())
	}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(form)
	if err != nil {
		t.Fatal(err)
	}
	return conn, string(data)
}
