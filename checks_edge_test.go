package sso_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/ssotest"
)

// signResponse signs a finished Response with the key of the vectors' IdP.
func signResponse(t *testing.T, response *etree.Element) {
	t.Helper()
	k := vectorKey(t, "idp")
	if err := xmlsig.Sign(response, k.Private.(crypto.Signer), k.Certificate, "", 1); err != nil {
		t.Fatal(err)
	}
}

// withID gives the Signature of e an Id, or its KeyInfo the Id KeyInfo.
func withID(e *etree.Element, id string) {
	s := e.SelectElement("Signature")
	if id == "KeyInfo" {
		s = s.SelectElement("KeyInfo")
	}
	s.CreateAttr("Id", id)
}

// TestSharedIDsOfSignatures: an encrypted assertion and the Response around it
// are signed one by one, as documents of their own, so the two Signatures may
// have one Id, and are read. An Id that something else has they may not have.
func TestSharedIDsOfSignatures(t *testing.T) {
	t.Parallel()
	key, signer := vectorKey(t, "sp-encryption"), vectorKey(t, "idp")
	for _, k := range []struct{ name, inner, outer, twice string }{
		{"none", "", "", ""},
		{"that of a KeyInfo on both", "KeyInfo", "KeyInfo", "KeyInfo"},
		{"two", "_s1", "_s2", ""},
		{"the same", "_s", "_s", ""},
		{"the Response's inside", "_r", "", "_r"},
		{"the Response's inside, and another outside", "_r", "_s", "_r"},
		{"the assertion's inside", "_a", "", "_a"},
		{"the assertion's outside", "", "_a", "_a"},
		{"the assertion's on both", "_a", "_a", "_a"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := ssotest.NewIdP(ssotest.Config{Key: &signer, Now: func() time.Time { return noon }})
			conn := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{key}})
			document, err := idp.Document(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{
				Sign: ssotest.SignAssertion,
				BeforeSigning: func(response *etree.Element) {
					response.CreateAttr("ID", "_r")
					response.SelectElement("Assertion").CreateAttr("ID", "_a")
				},
				AfterSigning: func(response *etree.Element) {
					assertion := response.SelectElement("Assertion")
					if k.inner != "" {
						withID(assertion, k.inner)
					}
					encrypt(t, "./Assertion", "EncryptedAssertion", "aes256-gcm", key)(response)
					signResponse(t, response)
					if k.outer != "" {
						withID(response, k.outer)
					}
				}})
			if err != nil {
				t.Fatal(err)
			}
			a, err := conn.VerifyResponse(t.Context(), base64.StdEncoding.EncodeToString(document), sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if k.twice == "" {
				if err != nil || a.Subject.Value != alice.Email {
					t.Fatalf("got %+v, %v", a, err)
				}
				return
			}
			var refusal *sso.VerifyError
			if a != nil || !errors.As(err, &refusal) || refusal.Reason != sso.ReasonAssertion || !strings.Contains(refusal.Got, `"`+k.twice+`" twice`) {
				t.Errorf("got %v, want a refusal of the ID %s", err, k.twice)
			}
		})
	}
}

// TestInspectionOfTwoAssertions: where it is not known which assertion is meant,
// the report shows nothing of either.
func TestInspectionOfTwoAssertions(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	for _, n := range []int{1, 2} {
		form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{AfterSigning: func(response *etree.Element) {
			if n == 2 {
				other := response.SelectElement("Assertion").Copy()
				other.CreateAttr("ID", "_other")
				response.AddChild(other)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		r := conn.InspectResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
		for _, line := range r.Checks {
			switch line.Name {
			case "assertion", "assertion signature", "subject", "attributes", "audience":
				if (line.Status == sso.CheckSkipped) != (n == 2) {
					t.Errorf("%d assertions: %s %s", n, line.Name, line.Status)
				}
			}
		}
		if (len(r.Attributes) == 0) != (n == 2) {
			t.Errorf("%d assertions: attributes %q", n, r.Attributes)
		}
	}
}

// remembered notes until when an assertion is remembered.
type remembered struct{ until *time.Time }

func (r remembered) Remember(_ context.Context, _ string, until time.Time) (bool, error) {
	*r.until = until
	return true, nil
}

// TestHowLong: an assertion says it is good until the earlier of its two ends, and
// is remembered until it can no longer be accepted, no longer.
func TestHowLong(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	at := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return noon.Add(d).Format("2006-01-02T15:04:05Z")
	}
	const grace = 2*sso.DefaultClockSkew + time.Second
	for _, k := range []struct {
		name                     string
		conditions, confirmation time.Duration // 0: not there
		notOnOrAfter, remembered time.Duration
	}{
		{"conditions end first", 5 * time.Minute, 7 * time.Minute, 5 * time.Minute, 7*time.Minute + grace},
		{"confirmation ends first", 7 * time.Minute, 5 * time.Minute, 5 * time.Minute, 5*time.Minute + grace},
		{"both at once", 5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 5*time.Minute + grace},
		{"no end of the conditions", 0, 5 * time.Minute, 5 * time.Minute, 5*time.Minute + grace},
		{"as old as it may get", 0, 15 * time.Minute, 15 * time.Minute, 15*time.Minute + grace},
		{"for years", 0, 87600 * time.Hour, 87600 * time.Hour, 15*time.Minute + grace},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(response *etree.Element) {
				c := response.FindElement("//Conditions")
				c.RemoveAttr("NotOnOrAfter")
				if k.conditions != 0 {
					c.CreateAttr("NotOnOrAfter", at(k.conditions))
				}
				response.FindElement("//SubjectConfirmationData").CreateAttr("NotOnOrAfter", at(k.confirmation))
			}})
			if err != nil {
				t.Fatal(err)
			}
			var until time.Time
			a, err := conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon, Replay: remembered{&until}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(noon.Add(k.notOnOrAfter), a.NotOnOrAfter); diff != "" {
				t.Errorf("NotOnOrAfter (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(noon.Add(k.remembered), until); diff != "" {
				t.Errorf("remembered until (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFormValues: blanks and tabs mean nothing wherever they stand, and a value
// that is empty is told from one that is no base64.
func TestFormValues(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ name, form, got string }{
		{"as it is", form, ""},
		{"blank before", " " + form, ""},
		{"tab before", "\t" + form, ""},
		{"blank behind", form + " ", ""},
		{"blank and tab inside", form[:10] + " \t" + form[10:], ""},
		{"empty", "", "an empty SAMLResponse"},
		{"blank", " ", "an empty SAMLResponse"},
		{"no base64", "!", "something that is not base64"},
		{"one byte and no base64", "QQ==!", "something that is not base64"},
	} {
		a, err := conn.VerifyResponse(t.Context(), k.form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
		var refusal *sso.VerifyError
		switch {
		case k.got == "" && err != nil:
			t.Errorf("%s: %v", k.name, err)
		case k.got != "" && (a != nil || !errors.As(err, &refusal) || refusal.Reason != sso.ReasonEncoding || refusal.Got != k.got):
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

// TestWordsOfRefusals: of many audiences a refusal names a few and counts the rest,
// and the IdP's own refusal can be shown as an error by itself.
func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	for _, k := range []struct {
		audiences []string
		got       string
	}{
		{nil, "none"},
		{[]string{"a"}, `"a"`},
		{[]string{"a", "b", "c", "d", "e"}, `"a", "b", "c", "d", "e"`},
		{[]string{"a", "b", "c", "d", "e", "f"}, `"a", "b", "c", "d", "e" and 1 more`},
		{[]string{"a", "b", "c", "d", "e", "f", "g"}, `"a", "b", "c", "d", "e" and 2 more`},
	} {
		form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{BeforeSigning: func(response *etree.Element) {
			r := response.FindElement("//AudienceRestriction")
			ours := r.SelectElement("Audience")
			for _, a := range k.audiences {
				e := ours.Copy()
				e.SetText(a)
				r.AddChild(e)
			}
			r.RemoveChild(ours)
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
		var refusal *sso.VerifyError
		if !errors.As(err, &refusal) || refusal.Reason != sso.ReasonAudience || refusal.Got != k.got {
			t.Errorf("%d audiences: got %v, want %s", len(k.audiences), err, k.got)
		}
	}

	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Status: "RequestDenied"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.VerifyResponse(t.Context(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
	var status *sso.StatusError
	if !errors.As(err, &status) || !strings.HasPrefix(status.Error(), "the IdP answered ") || !strings.Contains(status.Error(), "RequestDenied") {
		t.Errorf("got %v", err)
	}
}
