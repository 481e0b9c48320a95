package sso_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/xmlenc"
	"github.com/ssoconn/sso/ssotest"
)

// ids puts so many elements with an ID each into Extensions, and one more with
// the ID of the last one where twice says so.
func ids(n int, twice bool) func(*etree.Element) {
	return func(response *etree.Element) {
		extensions := etree.NewElement("samlp:Extensions")
		for i := range n {
			extensions.CreateElement("x").CreateAttr("Id", fmt.Sprintf("_x%d", i))
		}
		if twice {
			extensions.CreateElement("x").CreateAttr("xml:id", fmt.Sprintf("_x%d", n-1))
		}
		response.InsertChildAt(response.SelectElement("Status").Index(), extensions)
	}
}

// TestIDs has a few IDs and many, each once and one twice: the memory for them
// changes its form on the way.
func TestIDs(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 13, 14, 15, 16, 17, 18, 40} {
		for _, twice := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", n, twice), func(t *testing.T) {
				t.Parallel()
				conn := testIdP().Connection(sso.ServiceProvider{})
				form, err := testIdP().Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: ids(n, twice)})
				if err != nil {
					t.Fatal(err)
				}
				_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
				if !twice {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var refusal *sso.VerifyError
				if !errors.As(err, &refusal) || refusal.Reason != sso.ReasonMessage || !strings.Contains(refusal.Got, "twice") {
					t.Errorf("got %v, want a refusal of an ID that is there twice", err)
				}
			})
		}
	}
}

// TestIDsOfDecrypted: the Signature of a decrypted assertion may have the Id of
// the Response's, and no other that is taken.
func TestIDsOfDecrypted(t *testing.T) {
	t.Parallel()
	key := vectorKey(t, "sp-encryption")
	for _, k := range []struct {
		name         string
		inner, outer func(response, assertion *etree.Element) string // Ids of the two Signatures
		taken        bool
	}{
		{"the same", func(_, _ *etree.Element) string { return "_s" }, func(_, _ *etree.Element) string { return "_s" }, false},
		{"two", func(_, _ *etree.Element) string { return "_s1" }, func(_, _ *etree.Element) string { return "_s2" }, false},
		{"the Response's", func(r, _ *etree.Element) string { return r.SelectAttrValue("ID", "") }, nil, true},
		{"the assertion's", func(_, a *etree.Element) string { return a.SelectAttrValue("ID", "") }, nil, true},
		{"the outer one the assertion's", nil, func(_, a *etree.Element) string { return a.SelectAttrValue("ID", "") }, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := testIdP()
			conn := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{key}})
			// The signatures are made whole, and given an Id afterwards: it is
			// not part of what they sign.
			document, err := idp.Document(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Sign: ssotest.SignAssertion, AfterSigning: func(response *etree.Element) {
				assertion := response.FindElement("./Assertion")
				if k.inner != nil {
					assertion.SelectElement("Signature").CreateAttr("Id", k.inner(response, assertion))
				}
				enc, err := xmlenc.Encrypt(assertion, "EncryptedAssertion", key.Certificate, xmlenc.EncryptOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if k.outer != nil {
					// A second message lends the Response's signature: the ID is
					// what is looked at before any signature is.
					outer := assertion.SelectElement("Signature").Copy()
					outer.CreateAttr("Id", k.outer(response, assertion))
					response.InsertChildAt(1, outer)
				}
				at := assertion.Index()
				response.RemoveChildAt(at)
				response.InsertChildAt(at, enc)
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.VerifyResponse(t.Context(), base64.StdEncoding.EncodeToString(document), sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			var refusal *sso.VerifyError
			twice := errors.As(err, &refusal) && strings.Contains(refusal.Got, "twice")
			switch {
			case k.taken && k.outer == nil && !twice:
				t.Errorf("got %v, want a refusal of an ID that is there twice", err)
			case !k.taken && twice:
				t.Errorf("got %v", err)
			case !k.taken && k.outer == nil && err != nil:
				t.Error(err)
			}
		})
	}
}

// TestPlaces: what signature wrapping is made of is refused wherever it stands, and
// nothing for its looks alone.
func TestPlaces(t *testing.T) {
	t.Parallel()
	extensions := func(r *etree.Element) *etree.Element {
		e := etree.NewElement("samlp:Extensions")
		r.InsertChildAt(r.SelectElement("Status").Index(), e)
		return e
	}
	twice := func(name, value string) func(*etree.Element) {
		return func(r *etree.Element) {
			e := extensions(r)
			e.CreateAttr("xmlns:x", "urn:x")
			e.CreateElement("x").CreateAttr(name, value)
			e.CreateElement("x").CreateAttr(name, value)
		}
	}
	element := func(tag, namespace string) func(*etree.Element) {
		return func(r *etree.Element) {
			prefix, _, _ := strings.Cut(tag, ":")
			extensions(r).CreateElement(tag).CreateAttr("xmlns:"+prefix, namespace)
		}
	}
	id := func(s string) func(*etree.Element) {
		return func(r *etree.Element) { r.SelectElement("Assertion").CreateAttr("ID", s) }
	}
	const assertion, protocol = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
	for _, k := range []struct {
		name          string
		sign          ssotest.Signed
		before, after func(r *etree.Element) // it is signed
		want          sso.Reason
	}{
		{name: "nothing"},
		{name: "Extensions of a signed Response", sign: ssotest.SignResponse, before: element("x:x", "urn:x")},
		{name: "two elements in one language", before: twice("xml:lang", "en")},
		{name: "two attributes id of somebody else", before: twice("x:id", "_x")},
		{name: "two attributes xml:id", before: twice("xml:id", "_x"), want: sso.ReasonMessage},
		{name: "two attributes id", before: twice("id", "_x"), want: sso.ReasonMessage},
		{name: "an Assertion in Extensions", before: element("saml:Assertion", assertion), want: sso.ReasonMessage},
		{name: "an EncryptedAssertion in Extensions", before: element("saml:EncryptedAssertion", assertion), want: sso.ReasonMessage},
		{name: "an EncryptedAssertion of somebody else", before: element("saml:EncryptedAssertion", "urn:x")},
		{name: "a Response in Extensions", before: element("samlp:Response", protocol), want: sso.ReasonMessage},
		{name: "a Response of somebody else", before: element("x:Response", "urn:x")},
		{name: "two Signatures of one Id, nothing encrypted", sign: ssotest.SignBoth, after: func(r *etree.Element) {
			r.SelectElement("Signature").CreateAttr("Id", "_s")
			r.FindElement("./Assertion/Signature").CreateAttr("Id", "_s")
		}, want: sso.ReasonMessage},
		{name: "every kind of character in an ID", before: id("azAZ09_-.:~+/=\u0080\u00FF")},
		{name: "the longest ID", before: id(strings.Repeat("a", 1024))},
		{name: "a longer ID", sign: ssotest.SignNothing, before: id(strings.Repeat("a", 1025)), want: sso.ReasonAssertion},
		{name: "an ID with the last character of ASCII", sign: ssotest.SignNothing, before: id("a\u007F"), want: sso.ReasonAssertion},
		{name: "an ID that is fine, unsigned", sign: ssotest.SignNothing, before: id("a"), want: sso.ReasonUnsigned},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := testIdP()
			conn := idp.Connection(sso.ServiceProvider{})
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Sign: k.sign, BeforeSigning: k.before, AfterSigning: k.after})
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if diff := cmp.Diff(k.want, reasonOf(err)); diff != "" {
				t.Errorf("reason (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

// TestCertificateDates has the pinned certificate before, in and after its days.
func TestCertificateDates(t *testing.T) {
	t.Parallel()
	from, till := vectorKey(t, "idp").Certificate.NotBefore, vectorKey(t, "idp").Certificate.NotAfter
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	const month = 30 * 24 * time.Hour
	for _, k := range []struct {
		name    string
		now     time.Time
		refuse  bool
		reason  sso.Reason
		warning string
	}{
		{"before", from.Add(-time.Second), false, "", "is valid from " + day(from) + " only"},
		{"before, refused", from.Add(-time.Second), true, sso.ReasonCertificate, ""},
		{"the first second", from, true, "", ""},
		{"a month left", till.Add(-month), true, "", ""},
		{"less than a month left", till.Add(-month + time.Second), true, "", "expires on " + day(till)},
		{"the last second", till, true, "", "expires on " + day(till)},
		{"after", till.Add(time.Second), false, "", "expired on " + day(till)},
		{"after, refused", till.Add(time.Second), true, sso.ReasonCertificate, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			pair := vectorKey(t, "idp")
			idp := ssotest.NewIdP(ssotest.Config{Key: &pair, Now: func() time.Time { return k.now }})
			conn := idp.Connection(sso.ServiceProvider{})
			conn.RefuseExpiredCertificates = k.refuse
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			a, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: k.now})
			if k.reason != "" {
				var refusal *sso.VerifyError
				if !errors.As(err, &refusal) || refusal.Reason != k.reason {
					t.Errorf("got %v, want %s", err, k.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if warned := strings.Join(a.Warnings, "\n"); k.warning == "" && warned != "" || !strings.Contains(warned, k.warning) {
				t.Errorf("warnings %q, want %q", warned, k.warning)
			}
			// The administrator's report has it too.
			for _, c := range conn.InspectResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: k.now}).Checks {
				if c.Name == "certificate" && ((c.Status == sso.CheckWarning) != (k.warning != "") || !strings.Contains(c.Got, k.warning)) {
					t.Errorf("the report says %s %q, want %q", c.Status, c.Got, k.warning)
				}
			}
		})
	}
}

// TestStatusMessage reads the words of a refusal where the schema has them, and
// where samlp writes them.
func TestStatusMessage(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		change func(m *etree.Element)
		want   string
	}{
		{"text", func(m *etree.Element) { m.SetText("Доступ закрыт") }, "Доступ закрыт"},
		{"attribute", func(m *etree.Element) { m.SetText(""); m.CreateAttr("Value", "closed") }, "closed"},
		{"both", func(m *etree.Element) { m.SetText("text"); m.CreateAttr("Value", "closed") }, "text"},
		{"neither", func(m *etree.Element) { m.SetText("") }, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			conn := testIdP().Connection(sso.ServiceProvider{})
			form, err := testIdP().Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Status: "RequestDenied", BeforeSigning: func(r *etree.Element) {
				k.change(r.FindElement("./Status/StatusMessage"))
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			var status *sso.StatusError
			if !errors.As(err, &status) || status.Message != k.want {
				t.Errorf("got %v, want the message %q", err, k.want)
			}
		})
	}
}

// TestAttributesGet: the first value, and nothing where there is none.
func TestAttributesGet(t *testing.T) {
	t.Parallel()
	as := sso.Attributes{{Name: "one", Values: []string{"1"}}, {Name: "two", Values: []string{"1", "2"}}, {Name: "none"}, {Name: "empty", Values: []string{}}}
	got := map[string]string{}
	for _, name := range []string{"one", "two", "none", "empty", "missing", "One"} {
		got[name] = as.Get(name)
	}
	if diff := cmp.Diff(map[string]string{"one": "1", "two": "1", "none": "", "empty": "", "missing": "", "One": ""}, got); diff != "" {
		t.Errorf("first values (-want +got):\n%s", diff)
	}
	if as.Values("missing") != nil || as.Values("empty") == nil {
		t.Error("an attribute without values is not told from one that is missing")
	}
}

// TestMessageLimits: the limit is one of decoded bytes, and of the form value.
func TestMessageLimits(t *testing.T) {
	t.Parallel()
	conn := testIdP().Connection(sso.ServiceProvider{})
	genuine, err := testIdP().Document(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill := func(n int) string {
		return base64.StdEncoding.EncodeToString([]byte(string(genuine) + strings.Repeat(" ", n-len(genuine))))
	}
	for _, k := range []struct {
		name, form string
		want       sso.Reason
	}{
		{"at the limit", fill(sso.MaxResponseSize), ""},
		{"one byte more", fill(sso.MaxResponseSize + 1), sso.ReasonTooLarge},
		{"at the limit, broken into lines", broken(fill(sso.MaxResponseSize)), ""},
		{"blanks and no end", strings.Repeat(" ", 4<<20), sso.ReasonTooLarge},
	} {
		_, err := conn.VerifyResponse(t.Context(), k.form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
		var refusal *sso.VerifyError
		if k.want == "" && err != nil || k.want != "" && (!errors.As(err, &refusal) || refusal.Reason != k.want) {
			t.Errorf("%s: got %v, want %q", k.name, err, k.want)
		}
	}
}

// broken breaks base64 into lines of 76, as RFC 2045 has them.
func broken(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}

// TestClockOfItsOwn: without CurrentTime it is now.
func TestClockOfItsOwn(t *testing.T) {
	t.Parallel()
	idp := ssotest.NewIdP(ssotest.Config{})
	conn := idp.Connection(sso.ServiceProvider{})
	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1"}); err != nil {
		t.Error(err)
	}
	if _, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: time.Now().Add(time.Hour)}); err == nil {
		t.Error("an hour later it is still accepted")
	}
}

// TestUnknownElementInAttribute: an Attribute holds AttributeValues only.
func TestUnknownElementInAttribute(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]sso.Reason{"saml:AttributeValue": "", "saml:Value": sso.ReasonAttributes, "AttributeValue": sso.ReasonAttributes} {
		conn := testIdP().Connection(sso.ServiceProvider{})
		form, err := testIdP().Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(r *etree.Element) {
			r.FindElement("//Attribute").CreateElement(name).SetText("x")
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
		var refusal *sso.VerifyError
		if want == "" && err != nil || want != "" && (!errors.As(err, &refusal) || refusal.Reason != want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
