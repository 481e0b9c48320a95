package interop

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// TestPysaml2Logout logs out both ways with pysaml2's IdP, by redirect.
func TestPysaml2Logout(t *testing.T) {
	const rsa256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	testLogout(t, "pysaml2", pysaml2Version(), func(t *testing.T) *sso.Connection {
		return startPysaml2(t, pysaml2Variant{signAssertion: true, signRequests: true, signAlg: rsa256, digestAlg: xmlenc + "sha256"})
	})
}

// TestSamlifyLogout does the same with samlify.
func TestSamlifyLogout(t *testing.T) {
	testLogout(t, "samlify (npm)", npmVersion(t, "samlify"), func(t *testing.T) *sso.Connection {
		return startNPM(t, "samlify", npmVariant{signRequests: true})
	})
}

// TestSamlpLogout does the same with samlp.
func TestSamlpLogout(t *testing.T) {
	testLogout(t, "samlp (npm)", npmVersion(t, "samlp"), func(t *testing.T) *sso.Connection {
		return startNPM(t, "samlp", npmVariant{signAssertion: true, signRequests: true})
	})
}

func testLogout(t *testing.T, name, version string, begin func(t *testing.T) *sso.Connection) {
	t.Helper()
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
		record(t, name, version, "logout started here", "logs out")
		conn := begin(t)
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
		record(t, name, version, "logout started there", "logs out")
		conn := begin(t)
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
		// RelayState goes back with the answer.
		query, err := url.ParseQuery(in.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		to, err := answer.RedirectURL(query.Get("RelayState"))
		if err != nil {
			t.Fatal(err)
		}
		if resp, body := fetch(t, to); resp.StatusCode != http.StatusOK {
			t.Errorf("the IdP took our answer with %s:\n%s", resp.Status, tail(body))
		}
	})
}

// sloAddress finds the address with a logout message for us in a page, such as
// that of an image or a frame.
var sloAddress = regexp.MustCompile(regexp.QuoteMeta(sloURL) + `\?[^"'\s<>]+`)

// TestLemonldapLogout logs out both ways with LemonLDAP::NG, by redirect.
func TestLemonldapLogout(t *testing.T) {
	login := func(t *testing.T, l *lemonldap) (*visitor, *sso.Assertion) {
		t.Helper()
		req, err := l.conn.NewAuthnRequest(sso.RequestOptions{})
		if err != nil {
			t.Fatal(err)
		}
		v := l.visitor(t)
		page, _ := v.send(req, false)
		_, fields := form(t, page)
		a, err := l.conn.VerifyResponse(context.Background(), fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
		if err != nil {
			t.Fatal(err)
		}
		return v, a
	}
	input := func(t *testing.T, page, leaves string) sso.LogoutInput {
		t.Helper()
		if leaves == "" {
			leaves = html.UnescapeString(sloAddress.FindString(page))
		}
		u, err := url.Parse(leaves)
		if err != nil || u.RawQuery == "" {
			t.Fatalf("nothing leads to us (%v):\n%s", err, tail(page))
		}
		return sso.LogoutInput{RawQuery: u.RawQuery}
	}
	t.Run("started here", func(t *testing.T) {
		t.Parallel()
		record(t, "LemonLDAP::NG", lemonldapVersion(), "logout started here", "logs out")
		l := startLemonldap(t, lemonldapVariant{signRequests: true})
		v, a := login(t, l)
		req, err := l.conn.NewLogoutRequest(sso.LogoutSession{Subject: a.Subject, SessionIndexes: []string{a.SessionIndex}}, sso.LogoutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		to, err := req.RedirectURL("state")
		if err != nil {
			t.Fatal(err)
		}
		page, leaves := v.open("GET", to, nil)
		in := input(t, page, leaves)
		if err := l.conn.VerifyLogoutResponse(context.Background(), in, req.ID, sso.LogoutOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("started there", func(t *testing.T) {
		t.Parallel()
		record(t, "LemonLDAP::NG", lemonldapVersion(), "logout started there", "logs out")
		l := startLemonldap(t, lemonldapVariant{signRequests: true})
		v, a := login(t, l)
		page, leaves := v.open("GET", l.base+"/?logout=1", nil)
		in := input(t, page, leaves)
		var ended sso.LogoutSession
		answer, err := l.conn.HandleLogoutRequest(context.Background(), in, sso.LogoutOptions{Replay: onlyOnce{}}, func(_ context.Context, s sso.LogoutSession) error {
			ended = s
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if ended.Subject.Value != a.Subject.Value {
			t.Errorf("ended %+v, want that of %+v", ended, a.Subject)
		}
		to, err := answer.RedirectURL("")
		if err != nil {
			t.Fatal(err)
		}
		if resp, body := fetch(t, to); resp.StatusCode >= 400 {
			t.Errorf("the IdP took our answer with %s:\n%s", resp.Status, tail(body))
		}
	})
}
