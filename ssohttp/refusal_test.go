package ssohttp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// invitedOnly is a Provisioner that notes what it is asked.
type invitedOnly struct {
	flow sso.Flow
	code string
	err  error
}

func (p *invitedOnly) SignIn(_ context.Context, c *sso.Connection, _ *sso.Assertion, flow sso.Flow, code string) (*sso.Outcome, error) {
	p.flow, p.code = flow, code
	return &sso.Outcome{ConnectionID: c.ID, Flow: flow, Action: sso.ActionCreate, User: &sso.User{ID: "1"}, Written: true}, p.err
}

func (p *invitedOnly) Preview(ctx context.Context, c *sso.Connection, a *sso.Assertion, flow sso.Flow, code string) (*sso.Outcome, error) {
	return p.SignIn(ctx, c, a, flow, code)
}

// TestBadInput posts one thing that is wrong, and beside it the same that is
// right.
func TestBadInput(t *testing.T) {
	t.Parallel()
	acs := appSite + "/sso/acme/acs"
	const urlencoded = "application/x-www-form-urlencoded"
	type input struct {
		method, address, contentType string
		form                         url.Values
		body                         string // in place of form
	}
	tests := []struct {
		name   string
		change func(w *world, b *browser, in *input)
		status int
		code   Code
		says   string // in the operator's reason
		header string // "Name: value"
	}{
		{"control", nil, 303, "", "", ""},
		{"put", func(_ *world, _ *browser, in *input) { in.method = "PUT" }, 405, CodeMethod, "POST", "Allow: POST"},
		{"get", func(_ *world, _ *browser, in *input) { in.method = "GET" }, 405, CodeMethod, "POST", "Allow: POST"},
		{"redirect binding", func(_ *world, _ *browser, in *input) {
			in.method, in.address = "GET", in.address+"?"+in.form.Encode()
		}, 405, CodeBinding, "HTTP-POST", "Allow: POST"},
		{"no content type", func(_ *world, _ *browser, in *input) { in.contentType = "" }, 415, CodeContentType, urlencoded, ""},
		{"json", func(_ *world, _ *browser, in *input) { in.contentType = "application/json" }, 415, CodeContentType, "json", ""},
		{"multipart", func(_ *world, _ *browser, in *input) { in.contentType = "multipart/form-data; boundary=x" }, 415, CodeContentType, "multipart", ""},
		{"charset is fine", func(_ *world, _ *browser, in *input) { in.contentType += "; charset=UTF-8" }, 303, "", "", ""},
		{"empty", func(_ *world, _ *browser, in *input) { in.form = nil }, 400, CodeForm, "SAMLResponse is missing", ""},
		{"no response", func(_ *world, _ *browser, in *input) { in.form.Del("SAMLResponse") }, 400, CodeForm, "SAMLResponse is missing", ""},
		{"two responses", func(_ *world, _ *browser, in *input) { in.form.Add("SAMLResponse", "PA==") }, 400, CodeForm, "SAMLResponse comes twice", ""},
		{"two states", func(_ *world, _ *browser, in *input) { in.form.Add("RelayState", "x") }, 400, CodeForm, "RelayState comes twice", ""},
		{"two states, one in disguise", func(_ *world, _ *browser, in *input) { in.body = in.form.Encode() + "&Relay%53tate=x" }, 400, CodeForm, "RelayState comes twice", ""},
		{"other fields are fine", func(_ *world, _ *browser, in *input) { in.form.Add("x", "1"); in.form.Add("x", "2") }, 303, "", "", ""},
		{"broken escape", func(_ *world, _ *browser, in *input) { in.body = "SAMLResponse=%zz" }, 400, CodeForm, "escaped", ""},
		{"not base64", func(_ *world, _ *browser, in *input) { in.form.Set("SAMLResponse", "PHhtbD4<script>") }, 400, CodeForm, "base64", ""},
		{"not XML", func(_ *world, _ *browser, in *input) { in.form.Set("SAMLResponse", "aGVsbG8=") }, 400, CodeForm, "XML", ""},
		{"not SAML", func(_ *world, _ *browser, in *input) { in.form.Set("SAMLResponse", "PGEvPg==") }, 403, CodeResponse, "message", ""},
		{"too large", func(_ *world, _ *browser, in *input) { in.form.Set("x", strings.Repeat("y", 4<<20)) }, 413, CodeTooLarge, "4194304", ""},
		{"nearly too large", func(_ *world, _ *browser, in *input) { in.form.Set("x", strings.Repeat("y", 3<<20)) }, 303, "", "", ""},
		{"unknown connection", func(_ *world, _ *browser, in *input) { in.address = appSite + "/sso/nobody/acs" }, 404, CodeConnection, "not found", ""},
		{"connection off", func(w *world, _ *browser, _ *input) { w.conns["acme"].Disable() }, 403, CodeOff, "not on", ""},
		{"other connection", func(_ *world, _ *browser, in *input) { in.address = appSite + "/sso/beta/acs" }, 403, CodeStateMismatch, "acme", ""},
		{"no state", func(_ *world, _ *browser, in *input) { in.form.Del("RelayState") }, 403, CodeUnsolicited, "without RelayState", ""},
		{"foreign state", func(_ *world, _ *browser, in *input) { in.form.Set("RelayState", "/deals") }, 403, CodeStateUnknown, "not one of ours", ""},
		{"long state", func(_ *world, _ *browser, in *input) { in.form.Set("RelayState", strings.Repeat("A", 81)) }, 403, CodeStateUnknown, "not one of ours", ""},
		{"made-up state", func(_ *world, _ *browser, in *input) { in.form.Set("RelayState", strings.Repeat("A", handleLength)) }, 403, CodeOtherBrowser, "made up", ""},
		{"expired state", func(w *world, _ *browser, _ *input) { w.pass(15 * time.Minute) }, 403, CodeStateExpired, "too long", ""},
		{"nearly expired state", func(w *world, b *browser, in *input) {
			w.pass(14*time.Minute + 58*time.Second)
			req := b.login("/sso/acme/login")
			w.pass(14*time.Minute + 59*time.Second)
			in.form = w.respond(req, ssotest.Options{})
		}, 303, "", "", ""},
		{"used state", func(_ *world, b *browser, in *input) { b.post(in.address, in.form) }, 403, CodeStateUsed, "came before", ""},
		{"no cookie", func(_ *world, b *browser, _ *input) { clear(b.cookies) }, 403, CodeNoCookie, "no cookie", ""},
		{"other browser", func(w *world, b *browser, _ *input) {
			other := w.browser()
			other.login("/sso/acme/login")
			b.cookies = other.cookies
		}, 403, CodeOtherBrowser, "another browser", ""},
		{"malformed cookie", func(_ *world, b *browser, _ *input) { b.cookies["__Host-sso"].Value = "x" }, 403, CodeNoCookie, "no cookie", ""},
		{"store down", func(w *world, _ *browser, _ *input) { w.store.err = errors.New("connection refused") }, 503, CodeStore, "connection refused", "Retry-After: 2"},
		{"store slow", func(w *world, _ *browser, _ *input) { w.store.hang = true }, 503, CodeStore, "deadline", "Retry-After: 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) {
				c.Timeout = time.Minute
				if tt.name == "store slow" {
					c.Timeout = time.Second
				}
			})
			b := w.browser()
			req := b.login("/sso/acme/login")
			in := input{method: "POST", address: acs, contentType: urlencoded, form: w.respond(req, ssotest.Options{})}
			if tt.change != nil {
				tt.change(w, b, &in)
			}
			logins := len(w.logins)
			body := in.body
			if body == "" {
				body = in.form.Encode()
			}
			if in.method == "GET" {
				body = ""
			}
			send := func(body string) page {
				r := httptest.NewRequest(in.method, in.address, strings.NewReader(body))
				if in.contentType != "" {
					r.Header.Set("Content-Type", in.contentType)
				}
				for _, c := range b.cookies {
					r.AddCookie(c)
				}
				return w.serve(b, r)
			}
			began := time.Now()
			p := send(body)
			if strings.Contains(p.body, fieldAgain) {
				p = send(body + "&" + fieldAgain + "=1")
			}
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("took %v", d)
			}
			if tt.code == "" {
				w.lands(p, "/")
				return
			}
			f := w.refuses(p, tt.status, tt.code, logins)
			if !strings.Contains(f.Err.Error(), tt.says) {
				t.Errorf("the operator gets %q, want %q in it", f.Err, tt.says)
			}
			if name, value, _ := strings.Cut(tt.header, ": "); p.Header.Get(name) != value {
				t.Errorf("%s: got %q, want %q", name, p.Header.Get(name), value)
			}
		})
	}
}

// TestStart refuses at the beginning of a sign-in.
func TestStart(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path string
		header             http.Header
		change             func(*world)
		status             int
		code               Code
	}{
		{"control", "GET", "/sso/acme/login", nil, nil, 303, ""},
		{"by a browser", "GET", "/sso/acme/login", http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, nil, 303, ""},
		{"post", "POST", "/sso/acme/login", nil, nil, 405, CodeMethod},
		{"head", "HEAD", "/sso/acme/login", nil, nil, 405, CodeMethod},
		{"unknown", "GET", "/sso/nobody/login", nil, nil, 404, CodeConnection},
		{"off", "GET", "/sso/acme/login", nil, func(w *world) { w.conns["acme"].Disable() }, 403, CodeOff},
		{"changed since its test", "GET", "/sso/acme/login", nil, func(w *world) { w.conns["acme"].IdP.SSOURL += "x" }, 403, CodeOff},
		{"ahead of time", "GET", "/sso/acme/login", http.Header{"Sec-Purpose": {"prefetch;prerender"}}, nil, 403, CodeBackground},
		{"ahead of time, Firefox", "GET", "/sso/acme/login", http.Header{"X-Moz": {"prefetch"}}, nil, 403, CodeBackground},
		{"by a script", "GET", "/sso/acme/login", http.Header{"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}, nil, 403, CodeBackground},
		{"as an image", "GET", "/sso/acme/login", http.Header{"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}, nil, 403, CodeBackground},
		{"in a frame", "GET", "/sso/acme/login", http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}, nil, 403, CodeBackground},
		{"store down", "GET", "/sso/acme/login", nil, func(w *world) { w.store.err = errors.New("down") }, 503, CodeStore},
		{"ACS elsewhere", "GET", "/sso/acme/test?run=1", http.Header{"X-Admin": {"1"}}, func(w *world) { w.conns["acme"].SP.ACSURL = "https://other.example.com/acs" }, 500, CodeConfig},
		{"test", "GET", "/sso/acme/test?run=1", http.Header{"X-Admin": {"1"}}, nil, 303, ""},
		{"test by anybody", "GET", "/sso/acme/test?run=1", nil, nil, 403, CodeAdministrator},
		{"test without a run", "GET", "/sso/acme/test", http.Header{"X-Admin": {"1"}}, nil, 400, CodeForm},
		{"result for anybody", "GET", "/sso/acme/test/result?run=1", nil, nil, 403, CodeAdministrator},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.change != nil {
				tt.change(w)
			}
			r := httptest.NewRequest(tt.method, appSite+tt.path, nil)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			p := w.serve(nil, r)
			if tt.code != "" {
				w.refuses(p, tt.status, tt.code, 0)
				if log := w.store.reset(); log != "" && tt.code != CodeStore {
					t.Errorf("the stores were asked to %s", log)
				}
				if len(p.Cookies()) != 0 && tt.code != CodeStore {
					t.Errorf("the browser was given %v", p.Cookies())
				}
				return
			}
			if p.StatusCode != tt.status || !strings.HasPrefix(p.Header.Get("Location"), idpSite) {
				t.Errorf("got %s to %q", p.Status, p.Header.Get("Location"))
			}
		})
	}
}

// TestProvisionerRefuses gives each way not to be let in its status, and the
// visitor their sentence.
func TestProvisionerRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		err      error
		status   int
		code     Code
		sentence string
	}{
		{"no user", &sso.RefusedError{Code: sso.RefusedNoUser, Detail: "not a user yet"}, 403, CodeNotAdmitted, "invitation link"},
		{"groups", &sso.RefusedError{Code: sso.RefusedGroups, Detail: "in none of Sales"}, 403, CodeNotAdmitted, "groups"},
		{"ambiguous", &sso.RefusedError{Code: sso.RefusedAmbiguous, Detail: "2 users"}, 403, CodeNotAdmitted, "could not be matched"},
		{"off", &sso.RefusedError{Code: sso.RefusedOff, Detail: "switched off meanwhile"}, 403, CodeOff, "switched off"},
		{"store", errors.New("disk full"), 503, CodeStore, "not available"},
		{"configuration", &sso.FieldError{Field: "Provisioner.Users", Problem: "is nil"}, 500, CodeConfig, "set up"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) { c.Provisioner = &invitedOnly{err: tt.err} })
			p := w.browser().signIn(ssotest.Options{})
			f := w.refuses(p, tt.status, tt.code, 0)
			if !errors.Is(f.Err, tt.err) || !strings.Contains(p.body, tt.sentence) {
				t.Errorf("the operator gets %v, the visitor\n%s", f.Err, p.body)
			}
		})
	}
}

func TestSessionFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.SignedIn = func(http.ResponseWriter, *http.Request, *Login) error { return errors.New("session store full") }
	})
	w.refuses(w.browser().signIn(ssotest.Options{}), 500, CodeSession, 0)
}

// TestIdPRefuses tells an IdP's own refusal from an answer that does not hold.
func TestIdPRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.refuses(w.browser().signIn(ssotest.Options{Status: "AuthnFailed"}), 403, CodeIdP, 0)
	if !strings.Contains(f.Err.Error(), "AuthnFailed") {
		t.Errorf("the operator gets %v", f.Err)
	}
}

// TestSlowBody sends the form byte by byte, as some attacks do.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	server := httptest.NewServer(w.app)
	defer server.Close()
	pr, pw := newSlowBody()
	defer pw()
	began := time.Now()
	res, err := http.Post(server.URL+"/sso/acme/acs", "application/x-www-form-urlencoded", pr) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, _ = b.ReadFrom(res.Body)
	_ = res.Body.Close()
	w.refuses(page{res, b.String()}, 408, CodeSlow, 0)
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("answered after %v", d)
	}
}

// TestBusy fills every place: what has nothing to lose is told to come again
// and can.
func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.MaxConcurrent = 1 })
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.app = h.Mount("/sso")
	b := w.browser()
	req := b.login("/sso/acme/login")
	form := w.respond(req, ssotest.Options{})
	for range cap(h.inside) {
		h.inside <- struct{}{}
	}
	p := b.post(req.ACSURL, form)
	w.refuses(p, 503, CodeBusy, 0)
	if p.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range cap(h.inside) {
		<-h.inside
	}
	h.large <- struct{}{}
	large := url.Values{"x": {strings.Repeat("y", smallBody)}, "SAMLResponse": form["SAMLResponse"], "RelayState": form["RelayState"]}
	w.refuses(b.post(req.ACSURL, large), 503, CodeBusy, 0)
	<-h.large
	w.lands(b.post(req.ACSURL, form), "/")
}

// TestGarbage has nothing read that is no answer to this browser's request, so
// that a flood of it leaves the stores and the verification to the others.
func TestGarbage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	req := b.login("/sso/acme/login")
	good := w.respond(req, ssotest.Options{})
	w.store.reset()
	stranger := w.browser()
	stranger.login("/sso/acme/login")
	w.store.reset()
	for _, form := range []url.Values{
		{},
		{"SAMLResponse": {"!"}, "RelayState": good["RelayState"]},
		{"SAMLResponse": {strings.Repeat("A", 1000)}},
		{"SAMLResponse": good["SAMLResponse"], "RelayState": {strings.Repeat("x", handleLength)}},
		good, // but from a stranger
	} {
		if p := stranger.post(req.ACSURL, form); p.StatusCode < 400 || len(w.logins) != 0 {
			t.Errorf("got %s", p.Status)
		}
	}
	if log := w.store.reset(); log != "" {
		t.Errorf("the stores were asked to %s", log)
	}
	w.lands(b.post(req.ACSURL, good), "/")
}
