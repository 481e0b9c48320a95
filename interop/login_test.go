package interop

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// alice is who most of the IdPs sign in.
var alice = sso.Profile{Email: "alice@example.com", FirstName: "Алиса 🐇", LastName: "Лидделл", Name: "Алиса 🐇 Лидделл",
	Groups: []string{"Продажи", "Support", "R&D <core>"}, GroupsState: sso.GroupsPresent}

// A login is one line of the table in docs/interop.md.
type login struct {
	idp, version, variant string
	reason                sso.Reason // what it is refused for, empty if it is not
}

// record puts the login into the table, once it is known how it went.
func (l login) record(t *testing.T) {
	t.Helper()
	expected := "signs in"
	if l.reason != "" {
		expected = "refused: " + string(l.reason)
	}
	record(t, l.idp, l.version, l.variant, expected)
}

// verify verifies the answer on a page of the IdP. The assertion is nil if it
// was to be refused, and was.
func (l login) verify(t *testing.T, conn *sso.Connection, page string, o sso.VerifyOptions) *sso.Assertion {
	t.Helper()
	_, fields := form(t, page)
	message := fields.Get("SAMLResponse")
	a, err := conn.VerifyResponse(context.Background(), message, o)
	capture(l.idp, l.variant, conn, message, o)
	if l.reason != "" {
		var refused *sso.VerifyError
		if !errors.As(err, &refused) || refused.Reason != l.reason {
			t.Fatalf("got %v, want a refusal for %s", err, l.reason)
		}
		return nil
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, conn.InspectResponse(context.Background(), message, o))
	}
	return a
}

// begin has the IdP answer a request, or answer without one, at the address of
// its own that ends in /start. It returns the page with the answer.
func begin(t *testing.T, conn *sso.Connection, idpStarted, post bool) (page string, o sso.VerifyOptions) {
	t.Helper()
	if idpStarted {
		_, page = fetch(t, strings.TrimSuffix(conn.IdP.SSOURL, "/sso")+"/start")
		return page, sso.VerifyOptions{AllowIdPInitiated: true, Replay: onlyOnce{}}
	}
	req, err := conn.NewAuthnRequest(sso.RequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return send(t, req, post), sso.VerifyOptions{RequestID: req.ID}
}

// sameProfile compares what the assertion says of a person.
func sameProfile(t *testing.T, conn *sso.Connection, a *sso.Assertion, want sso.Profile) {
	t.Helper()
	if diff := cmp.Diff(want, conn.Profile(a)); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

// send takes a request to the IdP as a browser does and returns the page.
func send(t *testing.T, req *sso.AuthnRequest, post bool) string {
	t.Helper()
	var resp *http.Response
	if post {
		page, err := req.PostForm("handle")
		if err != nil {
			t.Fatal(err)
		}
		action, fields := form(t, string(page))
		if resp, err = browser.PostForm(action, fields); err != nil {
			t.Fatal(err)
		}
	} else {
		to, err := req.RedirectURL("handle")
		if err != nil {
			t.Fatal(err)
		}
		if resp, err = browser.Get(to); err != nil {
			t.Fatal(err)
		}
	}
	body := readBody(t, resp)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the IdP answered %s:\n%s", resp.Status, tail(body))
	}
	return body
}

// onlyOnce is a replay memory for a test that verifies one message once.
type onlyOnce struct{}

func (onlyOnce) Remember(context.Context, string, time.Time) (bool, error) { return true, nil }
