package ssohttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// admin is a browser in which an administrator is signed in.
func (w *world) admin() *browser {
	b := w.browser()
	b.cookies["admin"] = &http.Cookie{Name: "admin", Value: "1", SameSite: http.SameSiteLaxMode}
	return b
}

// result asks for the result of a run as a settings page does.
func (b *browser) result(run string) TestRun {
	b.w.t.Helper()
	r := httptest.NewRequest("GET", appSite+"/sso/acme/test/result?run="+run, nil)
	r.Header.Set("Accept", "application/json")
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	p := b.w.serve(b, r)
	var out TestRun
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		b.w.t.Fatalf("%s: %v: %s", p.Status, err, p.body)
	}
	return out
}

func TestTestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.conns["acme"].Disable() // a test is what comes before
	b := w.admin()
	if got := b.result("r1"); got.Status != StatusUnknown {
		t.Errorf("before: got %q", got.Status)
	}
	req := b.login("/sso/acme/test?run=r1")
	if got := b.result("r1"); got.Status != StatusRunning || got.Passed {
		t.Errorf("at the IdP: got %+v", got)
	}
	p := b.post(req.ACSURL, w.respond(req, ssotest.Options{}))
	if p.StatusCode != http.StatusOK || !strings.Contains(p.body, closeScript) || !strings.Contains(p.body, "The test passed") {
		t.Fatalf("got %s\n%s\n%v", p.Status, p.body, w.refused)
	}
	got := b.result("r1")
	if got.Status != StatusDone || !got.Passed || got.Report == nil || !got.Report.OK() || got.Outcome == nil || got.Outcome.Written || !strings.Contains(got.Summary, "would create Ann Lee") {
		t.Errorf("got %+v", got)
	}
	if len(w.logins) != 0 {
		t.Error("the test opened a session")
	}
	if len(w.saved) != 1 || !w.saved[0].Passed || w.saved[0].By != "root" {
		t.Errorf("saved %+v", w.saved)
	}
	if other := w.admin(); other.result("r1").Status != StatusUnknown {
		t.Error("another browser sees the result")
	}
	if p := b.request("GET", appSite+"/sso/acme/test/result?run=r1", appSite, nil); !strings.Contains(p.body, "The test passed") || strings.Contains(p.body, "<script") {
		t.Errorf("the page for people: %s", p.body)
	}
	w.refuses(b.post(req.ACSURL, w.respond(req, ssotest.Options{})), 403, CodeStateUsed, 0)
}

// TestTestFails shows every kind of failure whole, and records it.
func TestTestFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		o      ssotest.Options
		reason sso.Reason
	}{
		{"audience", ssotest.Options{Misbehave: "wrong-audience"}, sso.ReasonAudience},
		{"refused by the IdP", ssotest.Options{Status: "AuthnFailed"}, sso.ReasonStatus},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.admin()
			req := b.login("/sso/acme/test?run=r1")
			p := b.post(req.ACSURL, w.respond(req, tt.o))
			got := b.result("r1")
			if got.Status != StatusDone || got.Passed || got.Report == nil || got.Outcome != nil || firstReason(got.Report) != string(tt.reason) {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(p.body, "something to mend") || !strings.Contains(p.body, "→") {
				t.Errorf("the page: %s", p.body)
			}
			if len(w.saved) != 1 || w.saved[0].Passed || w.saved[0].Reason != tt.reason {
				t.Errorf("saved %+v", w.saved)
			}
		})
	}
}

// TestTestNotSaved does not call a test passed whose record is lost: the
// connection could not be switched on.
func TestTestNotSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.SaveTest = func(context.Context, *sso.Connection) error { return errors.New("disk full") }
	})
	b := w.admin()
	req := b.login("/sso/acme/test?run=r1")
	b.post(req.ACSURL, w.respond(req, ssotest.Options{}))
	if got := b.result("r1"); got.Passed || !strings.Contains(got.Problem, "disk full") || !got.Report.OK() {
		t.Errorf("got %+v", got)
	}
}

// TestTestChanged records no test for settings that it did not run with.
func TestTestChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	req := b.login("/sso/acme/test?run=r1")
	w.conns["acme"].IdP.SSOURL = "https://idp.example.net/elsewhere"
	b.post(req.ACSURL, w.respond(req, ssotest.Options{}))
	if got := b.result("r1"); got.Passed || !strings.Contains(got.Problem, "changed while") || len(w.saved) != 0 {
		t.Errorf("got %+v, saved %v", got, w.saved)
	}
}

// TestTestBounded keeps a test by somebody in very many groups within bounds.
func TestTestBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	req := b.login("/sso/acme/test?run=r1")
	many := ann
	for i := range 10_000 {
		many.Attributes = append(many.Attributes, sso.Attribute{Name: "https://example.com/attributes/number/" + strconv.Itoa(i), Values: []string{"x"}})
	}
	answer, err := w.idp.Respond(req, many, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.post(req.ACSURL, map[string][]string{"SAMLResponse": {answer}, "RelayState": {req.RelayState}})
	got := b.result("r1")
	if got.Status != StatusDone || !got.Passed || got.Report.Attributes != nil || got.Problem == "" {
		t.Errorf("got status %q, passed %v, problem %q, %d attributes; refused %v", got.Status, got.Passed, got.Problem, len(got.Report.Attributes), w.refused)
	}
}

// TestNoAdministrator has no tests at all where nobody says who may.
func TestNoAdministrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Administrator = nil })
	w.refuses(w.admin().request("GET", appSite+"/sso/acme/test?run=1", appSite, nil), 403, CodeAdministrator, 0)
}

// TestTestVouchesFor records as whom a test signed in only if that person may
// enter: EnableRequired rests on it.
func TestTestVouchesFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		groups []string
		want   bool
	}{{"a member of an admitted group", []string{"Sales"}, true}, {"somebody whom the policy keeps out", nil, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) { c.Provisioner.(*sso.Provisioner).Groups = nil })
			w.conns["acme"].AllowedGroups = []string{"Sales"}
			u := w.users.Put("acme", sso.User{Email: ann.Email, Groups: tt.groups})
			b := w.admin()
			req := b.login("/sso/acme/test?run=r1")
			b.post(req.ACSURL, w.respond(req, ssotest.Options{}))
			want := ""
			if tt.want {
				want = u.ID
			}
			if len(w.saved) != 1 || !w.saved[0].Passed || w.saved[0].UserID != want {
				t.Errorf("saved %+v, want the user %q", w.saved, want)
			}
		})
	}
}
