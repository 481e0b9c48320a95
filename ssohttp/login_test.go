package ssohttp

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	req := b.login("/sso/acme/login?to=/deals/7")
	if len(req.RelayState) > 80 {
		t.Errorf("RelayState has %d bytes", len(req.RelayState))
	}
	first := b.request("POST", req.ACSURL, idpSite, w.respond(req, ssotest.Options{}))
	if first.StatusCode != http.StatusOK || len(w.logins)+len(w.refused) != 0 {
		t.Fatalf("without the cookie: got %s, %v %v", first.Status, w.logins, w.refused)
	}
	if diff := cmp.Diff("Put", w.store.reset()); diff != "" {
		t.Errorf("stores asked before our page posted (-want +got):\n%s", diff)
	}
	if csp := first.Header.Get("Content-Security-Policy"); !strings.Contains(csp, hashSource(submitScript)) || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	w.lands(b.repost(req.ACSURL, first), "/deals/7")
	if diff := cmp.Diff("Take Remember", w.store.reset()); diff != "" {
		t.Errorf("stores asked at the ACS (-want +got):\n%s", diff)
	}
	l := w.logins[0]
	if l.Outcome == nil || l.Outcome.User.Email != ann.Email || l.Assertion.Subject.Value != ann.Email || l.Flow != sso.FlowLogin || l.Connection.ID != "acme" {
		t.Errorf("the application got %+v", l)
	}
	at := start
	if diff := cmp.Diff([]sso.Event{
		{Kind: sso.EventRequestSent, Time: at, ConnectionID: "acme", Flow: sso.FlowLogin},
		{Kind: sso.EventResponseAccepted, Time: at, ConnectionID: "acme", Flow: sso.FlowLogin},
	}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestEvents tells the observer of refused Responses, and names no connection
// that may not exist, nor anything twice.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(ssotest.Options{Misbehave: "wrong-audience"})
	b.post(appSite+"/sso/made-up/acs", map[string][]string{"SAMLResponse": {"PA=="}})
	b.request("GET", appSite+"/sso/made-up/login", "", nil)
	w.config.Provisioner = &invitedOnly{err: &sso.RefusedError{Code: sso.RefusedGroups}}
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.app = h.Mount("/sso")
	b.signIn(ssotest.Options{})
	var got []string
	for _, e := range w.events {
		got = append(got, string(e.Kind)+" "+e.ConnectionID+" "+e.Reason)
		if (e.Kind == sso.EventResponseRefused) != (e.Reference != "") {
			t.Errorf("the event %+v", e)
		}
	}
	want := []string{
		"request_sent acme ", "response_refused acme audience", "response_refused  connection",
		"request_sent acme ", "response_accepted acme ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestSameSiteNone needs no page of ours in between.
func TestSameSiteNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.SameSiteNone = true })
	b := w.browser()
	req := b.login("/sso/acme/login")
	form := w.respond(req, ssotest.Options{})
	stranger := w.browser()
	w.refuses(stranger.post(req.ACSURL, form), 403, CodeNoCookie, 0)
	w.lands(b.request("POST", req.ACSURL, idpSite, form), "/")
}

// TestTabs signs in in two tabs at once, the second to start finishing first,
// and keeps to one cookie whatever happens.
func TestTabs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	one := b.login("/sso/acme/login?to=/one")
	two := b.login("/sso/beta/login?to=/two")
	for range 50 {
		b.login("/sso/acme/login")
	}
	if len(b.cookies) != 1 {
		t.Errorf("got %d cookies, want 1", len(b.cookies))
	}
	w.lands(b.post(two.ACSURL, w.respond(two, ssotest.Options{})), "/two")
	w.lands(b.post(one.ACSURL, w.respond(one, ssotest.Options{})), "/one")
}

// TestOneWinner posts one answer from 32 tabs of one browser at once.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	req := b.login("/sso/acme/login")
	form := w.respond(req, ssotest.Options{})
	form.Set(fieldAgain, "1")
	var wg sync.WaitGroup
	statuses := make([]int, 32)
	for i := range statuses {
		wg.Add(1)
		go func() {
			defer wg.Done()
			statuses[i] = b.request("POST", req.ACSURL, appSite, form).StatusCode
		}()
	}
	wg.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	if diff := cmp.Diff(map[int]int{303: 1, 403: 31}, count); diff != "" || len(w.logins) != 1 {
		t.Errorf("%d signed in; statuses (-want +got):\n%s", len(w.logins), diff)
	}
}

// TestMisbehaviours holds the whole way to refusing them all, each with what
// VerifyResponse refused it for in the operator's log.
func TestMisbehaviours(t *testing.T) {
	t.Parallel()
	all := ssotest.Misbehaviours()
	if len(all) < 20 {
		t.Fatalf("only %d misbehaviours", len(all))
	}
	for _, m := range all {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			before := 0
			if m == "replayed" {
				w.lands(b.signIn(ssotest.Options{Misbehave: m}), "/deals/7")
				before = 1
			}
			p := b.signIn(ssotest.Options{Misbehave: m})
			f := w.refused
			if p.StatusCode == 303 || len(w.logins) != before || len(f) != 1 {
				t.Fatalf("got %s, %d signed in, %v", p.Status, len(w.logins), f)
			}
			if got := reason(fail(f[0].Code, f[0].Err)); got != string(m.Reason()) && f[0].Code != CodeForm {
				t.Errorf("got the reason %q, want %q", got, m.Reason())
			}
			if err := safePage(p, f[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInvite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	invited := &invitedOnly{}
	w.config.Provisioner = invited
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.app = h.Mount("/sso")
	b := w.browser()
	w.refuses(b.request("GET", appSite+"/sso/acme/invite", appSite, nil), 400, CodeInvitation, 0)
	req := b.login("/sso/acme/invite?code=welcome&to=/hello")
	if strings.Contains(req.RelayState, "welcome") {
		t.Error("the invitation goes to the IdP")
	}
	w.lands(b.post(req.ACSURL, w.respond(req, ssotest.Options{})), "/hello")
	if invited.flow != sso.FlowInvite || invited.code != "welcome" {
		t.Errorf("the provisioner got %q %q", invited.flow, invited.code)
	}
}

func TestIdPInitiated(t *testing.T) {
	t.Parallel()
	for name, relay := range map[string]string{"none": "", "address": "https://evil.example/", "path": "/elsewhere"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) { c.Landing.Default = "/inbox" })
			form := func() (string, map[string][]string) {
				sp := w.conns["acme"].SP
				return sp.ACSURL, w.respond(ssotest.Request{Issuer: sp.EntityID, ACSURL: sp.ACSURL, RelayState: relay}, ssotest.Options{})
			}
			b := w.browser()
			acs, f := form()
			code := CodeUnsolicited
			if relay != "" {
				code = CodeStateUnknown
			}
			w.refuses(b.post(acs, f), 403, code, 0)
			w.conns["acme"].AllowIdPInitiated = true
			c := w.conns["acme"]
			c.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, w.now, "root", "")
			acs, f = form()
			w.lands(b.post(acs, f), "/inbox")
			w.refuses(b.post(acs, f), 403, CodeResponse, 1)
		})
	}
}
