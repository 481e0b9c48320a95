package sso_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// add parses XML, in which the prefix saml is that of assertions, into e.
func add(t *testing.T, e *etree.Element, fragment string) {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(`<x xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + fragment + `</x>`); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Root().ChildElements() {
		e.AddChild(c)
	}
}

// TestAssertion: every field holds what the IdP said, and nothing where it said
// nothing.
func TestAssertion(t *testing.T) {
	t.Parallel()
	signer := vectorKey(t, "idp")
	idp := ssotest.NewIdP(ssotest.Config{Key: &signer, Now: func() time.Time { return noon }})
	conn := idp.Connection(sso.ServiceProvider{})
	at := func(d time.Duration) string { return noon.Add(d).Format(time.RFC3339) }
	authn := func(instant, index, end, class string) string {
		return `<saml:AuthnStatement AuthnInstant="` + instant + `" SessionIndex="` + index + `" SessionNotOnOrAfter="` + end + `"><saml:AuthnContext>` + class + `</saml:AuthnContext></saml:AuthnStatement>`
	}
	const password, none = `<saml:AuthnContextClassRef>urn:password</saml:AuthnContextClassRef>`, `<saml:AuthnContextDeclRef>urn:decl</saml:AuthnContextDeclRef>`
	statements := func(s string) func(*testing.T, *etree.Element) {
		return func(t *testing.T, a *etree.Element) {
			a.RemoveChild(a.SelectElement("AuthnStatement"))
			add(t, a, s)
		}
	}
	const xsi = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="saml:Special"`
	for _, k := range []struct {
		name   string
		change func(t *testing.T, assertion *etree.Element)
		want   func(a *sso.Assertion)
	}{
		{"the usual", nil, nil},
		{"one statement", statements(authn(at(-time.Hour), "s1", at(time.Hour), password)), func(a *sso.Assertion) {
			a.AuthnInstant, a.SessionIndex, a.SessionNotOnOrAfter, a.AuthnContext = noon.Add(-time.Hour), "s1", noon.Add(time.Hour), "urn:password"
		}},
		{"no class", statements(authn(at(0), "s1", at(time.Hour), none)), func(a *sso.Assertion) {
			a.SessionIndex, a.SessionNotOnOrAfter, a.AuthnContext = "s1", noon.Add(time.Hour), ""
		}},
		{"two statements, the first session ends first", statements(authn(at(-time.Hour), "s1", at(time.Hour), password) + authn(at(-time.Minute), "s2", at(2*time.Hour), none)), func(a *sso.Assertion) {
			a.AuthnInstant, a.SessionIndex, a.SessionNotOnOrAfter, a.AuthnContext = noon.Add(-time.Hour), "s1", noon.Add(time.Hour), "urn:password"
		}},
		{"two statements, the second session ends first", statements(authn(at(-time.Hour), "s1", at(2*time.Hour), password) + authn(at(-time.Minute), "s2", at(time.Hour), none)), func(a *sso.Assertion) {
			a.AuthnInstant, a.SessionIndex, a.SessionNotOnOrAfter, a.AuthnContext = noon.Add(-time.Hour), "s1", noon.Add(time.Hour), "urn:password"
		}},
		{"statements of other kinds", func(t *testing.T, a *etree.Element) {
			add(t, a, strings.Repeat(`<saml:AuthzDecisionStatement Resource="urn:x" Decision="Permit"><saml:Action Namespace="urn:a">read</saml:Action></saml:AuthzDecisionStatement><saml:Statement`+xsi+`/>`, 2)+
				`<saml:AuthzDecisionStatement Resource="urn:x" Decision="Permit"/><saml:AuthzDecisionStatement Resource="urn:x" Decision="Permit"/><saml:Statement`+xsi+`/><saml:Statement`+xsi+`/>`)
		}, nil},
		{"a NameID with all there is", func(_ *testing.T, a *etree.Element) {
			n := a.FindElement("./Subject/NameID")
			n.SetText("x")
			n.CreateAttr("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
			n.CreateAttr("NameQualifier", "urn:idp")
			n.CreateAttr("SPNameQualifier", "urn:sp")
		}, func(a *sso.Assertion) {
			a.Subject = sso.NameID{Value: "x", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", NameQualifier: "urn:idp", SPNameQualifier: "urn:sp"}
		}},
		{"one attribute", func(t *testing.T, a *etree.Element) {
			s := a.SelectElement("AttributeStatement")
			s.Child = nil
			add(t, s, `<saml:Attribute Name="n"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>`)
		}, func(a *sso.Assertion) { a.Attributes = sso.Attributes{{Name: "n", Values: []string{"v"}}} }},
		{"two confirmations, the later end first", func(_ *testing.T, a *etree.Element) {
			a.SelectElement("Conditions").RemoveAttr("NotOnOrAfter")
			c := a.FindElement("./Subject/SubjectConfirmation")
			a.SelectElement("Subject").AddChild(c.Copy())
			c.SelectElement("SubjectConfirmationData").CreateAttr("NotOnOrAfter", at(7*time.Minute))
		}, func(a *sso.Assertion) { a.NotOnOrAfter = noon.Add(7 * time.Minute) }},
		{"the longest NameID", func(_ *testing.T, a *etree.Element) {
			a.FindElement("./Subject/NameID").SetText(strings.Repeat("x", 1024))
		}, func(a *sso.Assertion) { a.Subject.Value = strings.Repeat("x", 1024) }},
		{"an attribute with all there is", func(t *testing.T, a *etree.Element) {
			add(t, a.SelectElement("AttributeStatement"), `<saml:Attribute Name="n" NameFormat="urn:f" FriendlyName="fn"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>`)
		}, func(a *sso.Assertion) {
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "n", NameFormat: "urn:f", FriendlyName: "fn", Values: []string{"v"}})
		}},
		{"NameIDs that are none", func(t *testing.T, a *etree.Element) {
			add(t, a.SelectElement("AttributeStatement"), `<saml:Attribute Name="n"><saml:AttributeValue><saml:NameID>a<b/></saml:NameID></saml:AttributeValue></saml:Attribute>`)
		}, func(a *sso.Assertion) {
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "n", Values: []string{`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">a<b></b></saml:NameID>`}})
		}},
		{"XML with text that needs escapes", func(t *testing.T, a *etree.Element) {
			add(t, a.SelectElement("AttributeStatement"), `<saml:Attribute Name="n"><saml:AttributeValue>&lt;"&amp;'&#13;<b/>&gt;</saml:AttributeValue></saml:Attribute>`)
		}, func(a *sso.Assertion) {
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "n", Values: []string{`&lt;"&amp;'&#xD;<b></b>&gt;`}})
		}},
		{"no attributes", func(_ *testing.T, a *etree.Element) { a.RemoveChild(a.SelectElement("AttributeStatement")) },
			func(a *sso.Assertion) { a.Attributes = nil }},
	} {
		for _, solicited := range []bool{true, false} {
			name := k.name
			if !solicited {
				name += ", unasked"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var id string
				request, o := ssotest.RequestTo(conn, "_r1"), sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon, AllowIdPInitiated: true, Replay: remembered{new(time.Time)}}
				if !solicited {
					request.ID = ""
				}
				form, err := idp.Respond(request, alice, ssotest.Options{BeforeSigning: func(response *etree.Element) {
					a := response.SelectElement("Assertion")
					id = a.SelectAttrValue("ID", "")
					if k.change != nil {
						k.change(t, a)
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				got, err := conn.VerifyResponse(t.Context(), form, o)
				if err != nil {
					t.Fatal(err)
				}
				want := sso.Assertion{
					ID: id, Issuer: conn.IdP.EntityID,
					Subject: sso.NameID{Value: alice.Email, Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
					Attributes: sso.Attributes{{Name: "email", Values: []string{alice.Email}}, {Name: "firstName", Values: []string{"Alice"}},
						{Name: "lastName", Values: []string{"Liddell"}}, {Name: "groups", Values: alice.Groups}},
					SessionIndex: id, AuthnContext: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
					AuthnInstant: noon, NotOnOrAfter: noon.Add(5 * time.Minute), CertificateSHA256: sso.Fingerprint(signer.Certificate),
				}
				if solicited {
					want.InResponseTo = "_r1"
				}
				if k.want != nil {
					k.want(&want)
				}
				if diff := cmp.Diff(&want, got); diff != "" {
					t.Errorf("assertion (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestRefusalsInWords: a refusal says what was got, what was wanted, and what to do,
// in the words of the IdP's own console where it is known.
func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	signer, other := vectorKey(t, "idp"), vectorKey(t, "idp2")
	before := func(change func(response *etree.Element)) ssotest.Options {
		return ssotest.Options{BeforeSigning: change}
	}
	after := func(change func(response *etree.Element)) ssotest.Options {
		return ssotest.Options{AfterSigning: change}
	}
	set := func(path, name, value string) func(*etree.Element) {
		return func(r *etree.Element) { r.FindElement(path).CreateAttr(name, value) }
	}
	drop := func(path, name string) func(*etree.Element) {
		return func(r *etree.Element) { r.FindElement(path).RemoveAttr(name) }
	}
	const answer = "start the login again from our login page; the answer belongs to another request, another tab or another browser"
	const unasked = "an IdP-initiated answer names no request; some IdPs can leave InResponseTo out (Rippling: Disable InResponseTo field)"
	for _, k := range []struct {
		name         string
		o            ssotest.Options
		conn         func(*sso.Connection)
		verify       func(*sso.VerifyOptions)
		reason       sso.Reason
		got, want    string
		hint         string // the whole of it
		hintContains []string
	}{
		{name: "another request", verify: func(o *sso.VerifyOptions) { o.RequestID = "_r2" },
			reason: sso.ReasonInResponseTo, got: `"_r1"`, want: `"_r2"`, hint: answer},
		{name: "no request", verify: func(o *sso.VerifyOptions) { o.RequestID = "" },
			reason: sso.ReasonInResponseTo, got: `"_r1"`, want: "none", hint: unasked},
		{name: "another request in the confirmation", o: before(set("//SubjectConfirmationData", "InResponseTo", "_r3")),
			reason: sso.ReasonInResponseTo, got: `"_r3"`, want: `"_r1"`, hint: answer},
		{name: "no request in the confirmation", o: before(drop("//SubjectConfirmationData", "InResponseTo")),
			reason: sso.ReasonInResponseTo, got: "no InResponseTo in the confirmation", want: `"_r1"`, hint: answer},
		{name: "a request in the confirmation only", o: before(drop(".", "InResponseTo")),
			reason: sso.ReasonInResponseTo, got: "InResponseTo in the confirmation only", want: "in the Response too", hint: answer},
		{name: "too old", o: before(set(".", "IssueInstant", "2026-03-01T11:42:59Z")),
			reason: sso.ReasonIssueInstant, got: "2026-03-01T11:42:59Z", want: "not before 2026-03-01T11:43:00Z"},
		{name: "a condition's time", o: before(set("//Conditions", "NotBefore", "now")),
			reason: sso.ReasonConditions, got: `NotBefore "now"`, want: "a time in UTC"},
		{name: "the other condition's time", o: before(set("//Conditions", "NotOnOrAfter", "later")),
			reason: sso.ReasonConditions, got: `NotOnOrAfter "later"`, want: "a time in UTC"},
		{name: "no instant of the login", o: before(drop("//AuthnStatement", "AuthnInstant")),
			reason: sso.ReasonAuthn, got: "AuthnInstant none", want: "a time in UTC"},
		{name: "a bad instant of the login", o: before(set("//AuthnStatement", "AuthnInstant", "now")),
			reason: sso.ReasonAuthn, got: `AuthnInstant "now"`, want: "a time in UTC"},
		{name: "a bad end of the session", o: before(set("//AuthnStatement", "SessionNotOnOrAfter", "later")),
			reason: sso.ReasonAuthn, got: `SessionNotOnOrAfter "later"`, want: "a time in UTC"},
		{name: "an empty status", o: before(drop("//StatusCode", "Value")),
			reason: sso.ReasonStatus, got: "a StatusCode without a value", want: "one StatusCode"},
		{name: "no status code", o: before(func(r *etree.Element) { s := r.SelectElement("Status"); s.RemoveChild(s.SelectElement("StatusCode")) }),
			reason: sso.ReasonStatus, got: "no StatusCode", want: "one StatusCode"},
		{name: "a refusal without words", o: ssotest.Options{Status: "RequestDenied", BeforeSigning: func(r *etree.Element) {
			s := r.SelectElement("Status")
			s.RemoveChild(s.SelectElement("StatusMessage"))
		}}, reason: sso.ReasonStatus, got: "Responder/RequestDenied", want: "Success"},
		{name: "a refusal without a second code", o: ssotest.Options{Status: "RequestDenied", BeforeSigning: func(r *etree.Element) {
			s := r.SelectElement("Status")
			s.RemoveChild(s.SelectElement("StatusMessage"))
			c := s.SelectElement("StatusCode")
			c.RemoveChild(c.SelectElement("StatusCode"))
		}}, reason: sso.ReasonStatus, got: "Responder", want: "Success"},
		{name: "a status code of two lines", o: before(set("//StatusCode", "Value", "urn:x\ny")),
			reason: sso.ReasonStatus, got: `urn:x\ny`, want: "Success"},
		{name: "a longer NameID", o: before(func(r *etree.Element) { r.FindElement("//NameID").SetText(strings.Repeat("x", 1025)) }),
			reason: sso.ReasonSubject, got: "a NameID of 1025 bytes", want: "one NameID"},
		{name: "something else among the attributes", o: before(func(r *etree.Element) {
			r.FindElement("//AttributeStatement").CreateElement("saml:Other").CreateAttr("Name", "n")
		}), reason: sso.ReasonAttributes, got: `the element "saml:Other" among the attributes`, want: "Attribute"},
		{name: "two assertions", o: after(func(r *etree.Element) {
			a := r.SelectElement("Assertion").Copy()
			a.CreateAttr("ID", "_other")
			r.AddChild(a)
		}), reason: sso.ReasonAssertion, got: "2 assertions", want: "exactly one"},
		{name: "changed", o: after(func(r *etree.Element) { r.FindElement("//NameID").SetText("x") }),
			reason: sso.ReasonSignature, got: "Assertion: Assertion was changed after it was signed",
			hint: "the answer was changed after the identity provider signed it; if a proxy or plug-in touches it on the way, take it out"},
		{name: "another certificate", conn: func(c *sso.Connection) { c.IdP.Certificates = sso.Certificates{other.Certificate} },
			reason: sso.ReasonKey, got: "Assertion: no certificate of the connection matches (1 tried)", want: "1 pinned certificate to fit",
			hintContains: []string{sso.Fingerprint(signer.Certificate), sso.Fingerprint(other.Certificate)}},
		{name: "other certificates", conn: func(c *sso.Connection) {
			c.IdP.Certificates = sso.Certificates{other.Certificate, vectorKey(t, "idp-p256").Certificate}
		}, reason: sso.ReasonKey, got: "Assertion: no certificate of the connection matches (1 tried)", want: "2 pinned certificates to fit"},
		{name: "an algorithm", o: after(func(r *etree.Element) { r.FindElement("//SignatureMethod").CreateAttr("Algorithm", "urn:x") }),
			reason: sso.ReasonAlgorithm, got: `Assertion: signature method "urn:x" is not accepted`},
		{name: "encrypted, without a key of ours", o: after(encrypt(t, "./Assertion", "EncryptedAssertion", "aes256-gcm", vectorKey(t, "sp-encryption"))),
			reason: sso.ReasonEncrypted, got: "encrypted, and this connection has no decryption key"},
		{name: "encrypted, with a key that cannot decrypt", o: after(encrypt(t, "./Assertion", "EncryptedAssertion", "aes256-gcm", vectorKey(t, "sp-encryption"))),
			conn:   func(c *sso.Connection) { c.SP.DecryptionKeys = []sso.KeyPair{{Private: signsOnly{}}} },
			reason: sso.ReasonEncrypted, got: "encrypted, and this connection has no decryption key"},
		{name: "in the words of Okta", o: ssotest.Options{Sign: ssotest.SignNothing}, conn: func(c *sso.Connection) { c.IdP.SSOURL = "https://acme.okta.com/app/x/sso/saml" },
			reason: sso.ReasonUnsigned, got: "neither Response nor Assertion signed", want: "a signature on one of them", hintContains: []string{"Okta"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := ssotest.NewIdP(ssotest.Config{Key: &signer, Now: func() time.Time { return noon }})
			conn := idp.Connection(sso.ServiceProvider{})
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, k.o)
			if err != nil {
				t.Fatal(err)
			}
			o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon, AllowIdPInitiated: true, Replay: remembered{new(time.Time)}}
			if k.conn != nil {
				k.conn(conn)
			}
			if k.verify != nil {
				k.verify(&o)
			}
			a, err := conn.VerifyResponse(t.Context(), form, o)
			var got *sso.VerifyError
			if a != nil || !errors.As(err, &got) {
				t.Fatalf("got %v, %v, want a refusal", a, err)
			}
			want := sso.VerifyError{Reason: k.reason, Got: k.got, Want: k.want, Hint: k.hint, Err: got.Err}
			if k.hint == "" {
				want.Hint = got.Hint
			}
			if diff := cmp.Diff(want.Error(), got.Error()); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{string(want.Reason), want.Got, want.Want, want.Hint}, []string{string(got.Reason), got.Got, got.Want, got.Hint}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if got.Hint == "" {
				t.Error("no next step")
			}
			for _, part := range k.hintContains {
				if !strings.Contains(got.Hint, part) {
					t.Errorf("the hint %q lacks %q", got.Hint, part)
				}
			}
		})
	}
}

// signsOnly is a private key of which nothing is known but that it can sign.
type signsOnly struct{ crypto.Signer }

// TestAdvice: a report warns of what will be missed later, and of nothing else.
func TestAdvice(t *testing.T) {
	t.Parallel()
	signer := vectorKey(t, "idp")
	const link = `<saml:Attribute Name="http://schemas.microsoft.com/claims/groups.link"><saml:AttributeValue>https://graph.example.com/x</saml:AttributeValue></saml:Attribute>`
	for _, k := range []struct {
		name   string
		change func(t *testing.T, assertion *etree.Element)
		want   []string // name: what was got
	}{
		{"nothing", func(*testing.T, *etree.Element) {}, nil},
		{"transient", func(_ *testing.T, a *etree.Element) {
			a.FindElement("./Subject/NameID").CreateAttr("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
		}, []string{"name id: a transient NameID"}},
		{"no address", func(_ *testing.T, a *etree.Element) { a.FindElement("./Subject/NameID").SetText("u1") },
			[]string{`name id: the NameID "u1", which is no e-mail address`}},
		{"XML", func(t *testing.T, a *etree.Element) {
			add(t, a.SelectElement("AttributeStatement"), `<saml:Attribute Name="n"><saml:AttributeValue><b/></saml:AttributeValue></saml:Attribute>`)
		}, []string{`attributes: the attribute "n" holds XML, not text`}},
		{"no groups", func(_ *testing.T, a *etree.Element) {
			s := a.SelectElement("AttributeStatement")
			s.RemoveChild(s.FindElement("./Attribute[@Name='groups']"))
		}, []string{`profile: the attributes "email", "firstName", "lastName"`}},
		{"empty groups", func(_ *testing.T, a *etree.Element) {
			a.FindElement("./AttributeStatement/Attribute[@Name='groups']").Child = nil
		}, []string{"profile: a groups attribute without values"}},
		{"a link to groups", func(t *testing.T, a *etree.Element) {
			s := a.SelectElement("AttributeStatement")
			s.RemoveChild(s.FindElement("./Attribute[@Name='groups']"))
			add(t, s, link)
		}, []string{"profile: a link in place of the groups"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := ssotest.NewIdP(ssotest.Config{Key: &signer, Now: func() time.Time { return noon }})
			conn := idp.Connection(sso.ServiceProvider{})
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(r *etree.Element) { k.change(t, r.SelectElement("Assertion")) }})
			if err != nil {
				t.Fatal(err)
			}
			r := conn.InspectResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if !r.OK() {
				t.Errorf("refused:\n%s", r)
			}
			var got []string
			for _, c := range r.Checks {
				if c.Status == sso.CheckWarning {
					got = append(got, c.Name+": "+c.Got)
				}
			}
			if diff := cmp.Diff(k.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			// Advice is for reports. To verify is to say yes or no.
			if _, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInspectionStops: what an earlier failure makes meaningless is not done, and
// said to be not done.
func TestInspectionStops(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	form := func(change func(*etree.Element)) string {
		form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{AfterSigning: change})
		if err != nil {
			t.Fatal(err)
		}
		return form
	}
	for _, k := range []struct {
		name, form     string
		passed, failed []string // everything else is skipped
	}{
		{"no base64", "!", nil, []string{"encoding"}},
		{"no Response", form(func(r *etree.Element) { r.Tag = "LogoutResponse" }), []string{"encoding", "xml"}, []string{"message"}},
		{"no assertion", form(func(r *etree.Element) { r.RemoveChild(r.SelectElement("Assertion")) }),
			[]string{"encoding", "xml", "message", "version", "status", "response signature", "destination", "in response to"}, []string{"one assertion", "signed"}},
	} {
		var passed, failed []string
		for _, c := range conn.InspectResponse(t.Context(), k.form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}).Checks {
			switch c.Status {
			case sso.CheckPassed:
				passed = append(passed, c.Name)
			case sso.CheckFailed:
				failed = append(failed, c.Name)
			}
		}
		if diff := cmp.Diff([][]string{k.passed, k.failed}, [][]string{passed, failed}); diff != "" {
			t.Errorf("%s: passed and failed (-want +got):\n%s", k.name, diff)
		}
	}
}
