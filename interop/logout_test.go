package interop

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// TestPysaml2Logout logs out both ways with pysaml2's IdP, by redirect.
func TestPysaml2Logout(t *testing.T) {
	const rsa256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	signed := pysaml2Variant{signAssertion: true, signRequests: true, signAlg: rsa256, digestAlg: xmlenc + "sha256"}
	login := func(t *testing.T, conn *sso.Connection) *sso.Assertion {
		t.Helper()
		req, err := conn.NewAuthnRequest(sso.RequestOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, fields := form(t, send(t, req, false))
		a, err := conn.VerifyResponse(context.Background(), fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	leadsTo := func(t *testing.T, address string) sso.LogoutInput {
		t.Helper()
		resp, body := fetch(t, address)
		to := resp.Header.Get("Location")
		if !strings.HasPrefix(to, sloURL) {
			t.Fatalf("the IdP answered %s to %q:\n%s", resp.Status, to, tail(body))
		}
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		return sso.LogoutInput{RawQuery: u.RawQuery}
	}
	t.Run("started here", func(t *testing.T) {
		record(t, "pysaml2", pysaml2Version(), "logout started here", "logs out")
		conn := startPysaml2(t, signed)
		a := login(t, conn)
		req, err := conn.NewLogoutRequest(sso.LogoutSession{Subject: a.Subject, SessionIndexes: []string{a.SessionIndex}}, sso.LogoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		to, err := req.RedirectURL("state")
		if err != nil {
			t.Fatal(err)
		}
		in := leadsTo(t, to)
		if err := conn.VerifyLogoutResponse(context.Background(), in, req.ID, sso.LogoutOptions{}); err != nil {
			t.Error(err)
		}
		if err := conn.VerifyLogoutResponse(context.Background(), in, "_another", sso.LogoutOptions{}); err == nil {
			t.Error("the answer was taken for that to another request")
		}
	})
	t.Run("started at the IdP", func(t *testing.T) {
		record(t, "pysaml2", pysaml2Version(), "logout started there", "logs out")
		conn := startPysaml2(t, signed)
		a := login(t, conn)
		base := strings.TrimSuffix(conn.IdP.SSOURL, "/sso")
		in := leadsTo(t, base+"/start-logout?session="+url.QueryEscape(a.SessionIndex))
		var ended sso.LogoutSession
		answer, err := conn.HandleLogoutRequest(context.Background(), in, sso.LogoutOptions{Replay: onlyOnce{}, CurrentTime: time.Now()}, func(_ context.Context, s sso.LogoutSession) error {
			ended = s
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{a.SessionIndex}, ended.SessionIndexes); diff != "" || ended.Subject.Value != a.Subject.Value {
			t.Errorf("ended %+v (-want +got):\n%s", ended, diff)
		}
		to, err := answer.RedirectURL("")
		if err != nil {
			t.Fatal(err)
		}
		if resp, body := fetch(t, to); resp.StatusCode != http.StatusOK || !strings.Contains(body, "logged out") {
			t.Errorf("the IdP took our answer with %s:\n%s", resp.Status, tail(body))
		}
	})
}
