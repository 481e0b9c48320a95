package sso_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testIdP() *ssotest.IdP {
	return ssotest.NewIdP(ssotest.Config{Now: func() time.Time { return noon }})
}

var alice = ssotest.Login{Email: "alice@example.com", FirstName: "Alice", LastName: "Liddell", Groups: []string{"Sales", "Support"}}

func TestVerifyResponse(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	for _, signed := range []ssotest.Signed{ssotest.SignAssertion, ssotest.SignResponse, ssotest.SignBoth} {
		t.Run(string(signed), func(t *testing.T) {
			t.Parallel()
			form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Sign: signed})
			if err != nil {
				t.Fatal(err)
			}
			o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}
			a, err := conn.VerifyResponse(context.Background(), form, o)
			if err != nil {
				t.Fatal(err, conn.InspectResponse(context.Background(), form, o))
			}
			if diff := cmp.Diff("alice@example.com", a.Subject.Value); diff != "" {
				t.Errorf("subject (-want +got):\n%s", diff)
			}
			want := sso.Profile{Email: "alice@example.com", Name: "Alice Liddell", FirstName: "Alice", LastName: "Liddell",
				Groups: []string{"Sales", "Support"}, GroupsState: sso.GroupsPresent}
			if diff := cmp.Diff(want, conn.Profile(a)); diff != "" {
				t.Errorf("profile (-want +got):\n%s", diff)
			}
			r := conn.InspectResponse(context.Background(), form, o)
			if !r.OK() {
				t.Errorf("report is not OK:\n%s", r)
			}
		})
	}
}

// TestVerifyResponseTimes walks each bound: the last instant that is accepted
// and the first that is not.
func TestVerifyResponseTimes(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	// Issued at noon, valid from five minutes before to five minutes after.
	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{Lifetime: 5 * time.Minute, Early: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		now  time.Time
		skew time.Duration
		want sso.Reason
	}{
		{"at noon", noon, 0, ""},
		{"issued in the future, within the skew", noon.Add(-2 * time.Minute), 0, ""},
		{"issued in the future, beyond the skew", noon.Add(-2*time.Minute - 1), 0, sso.ReasonIssueInstant},
		{"just before the end and the skew", noon.Add(7*time.Minute - 1), 0, ""},
		{"at the end and the skew", noon.Add(7 * time.Minute), 0, sso.ReasonExpired},
		{"small skew, just before", noon.Add(5*time.Minute + time.Second - 1), time.Second, ""},
		{"small skew, at the end", noon.Add(5*time.Minute + time.Second), time.Second, sso.ReasonExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := *conn
			conn.ClockSkew = c.skew
			_, err := conn.VerifyResponse(context.Background(), form, sso.VerifyOptions{RequestID: "_r1", CurrentTime: c.now})
			if diff := cmp.Diff(c.want, reasonOf(err)); diff != "" {
				t.Errorf("reason (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func reasonOf(err error) sso.Reason {
	var ve *sso.VerifyError
	if errors.As(err, &ve) {
		return ve.Reason
	}
	if err != nil {
		return sso.Reason("other: " + err.Error())
	}
	return ""
}

func TestVerifyResponseRefusesUnusable(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	for _, c := range []struct {
		name   string
		change func(*sso.Connection, *sso.VerifyOptions)
		field  string
	}{
		{"no request", func(_ *sso.Connection, o *sso.VerifyOptions) { o.RequestID = "" }, "VerifyOptions.RequestID"},
		{"no replay memory", func(_ *sso.Connection, o *sso.VerifyOptions) { o.AllowIdPInitiated = true }, "VerifyOptions.Replay"},
		{"no entity ID", func(c *sso.Connection, _ *sso.VerifyOptions) { c.SP.EntityID = "" }, "SP.EntityID"},
		{"no ACS URL", func(c *sso.Connection, _ *sso.VerifyOptions) { c.SP.ACSURL = "" }, "SP.ACSURL"},
		{"no issuer", func(c *sso.Connection, _ *sso.VerifyOptions) { c.IdP.EntityID = "" }, "IdP.EntityID"},
		{"no certificate", func(c *sso.Connection, _ *sso.VerifyOptions) { c.IdP.Certificates = nil }, "IdP.Certificates"},
		{"a nil certificate", func(c *sso.Connection, _ *sso.VerifyOptions) { c.IdP.Certificates = sso.Certificates{nil} }, "IdP.Certificates[0]"},
		{"too much skew", func(c *sso.Connection, _ *sso.VerifyOptions) { c.ClockSkew = sso.MaxClockSkew + 1 }, "ClockSkew"},
		{"negative skew", func(c *sso.Connection, _ *sso.VerifyOptions) { c.ClockSkew = -1 }, "ClockSkew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := idp.Connection(sso.ServiceProvider{})
			o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}
			c.change(conn, &o)
			a, err := conn.VerifyResponse(context.Background(), "rubbish", o)
			var fe *sso.FieldError
			if a != nil || !errors.As(err, &fe) || fe.Field != c.field {
				t.Errorf("got %v, %v, want nil and a FieldError of %s", a, err, c.field)
			}
			if !strings.Contains(fe.Error(), c.field) || fe.Hint == "" {
				t.Errorf("the error %q does not say what to do", fe)
			}
		})
	}
	if _, err := (*sso.Connection)(nil).VerifyResponse(context.Background(), "", sso.VerifyOptions{}); err == nil {
		t.Error("a nil connection was used")
	}
	if r := (*sso.Connection)(nil).InspectResponse(context.Background(), "", sso.VerifyOptions{}); r.OK() {
		t.Error("a nil connection was inspected")
	}
}
