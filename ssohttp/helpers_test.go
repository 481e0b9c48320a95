package ssohttp

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssotest"
)

const (
	appSite = "https://app.example.com"
	idpSite = "https://idp.example.net"
)

var (
	start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ann   = ssotest.Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"}
)

// calls counts what is asked of a store, and can fail or hang.
type calls struct {
	mu     sync.Mutex
	log    []string
	err    error
	hang   bool
	state  *memstore.State
	replay *memstore.Replay
}

func (s *calls) call(ctx context.Context, name string) error {
	s.mu.Lock()
	s.log = append(s.log, name)
	err, hang := s.err, s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (s *calls) reset() (log string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log = strings.Join(s.log, " ")
	s.log = nil
	return log
}

func (s *calls) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	if err := s.call(ctx, "Put"); err != nil {
		return err
	}
	return s.state.Put(ctx, key, value, until)
}

func (s *calls) Get(ctx context.Context, key string) ([]byte, error) {
	if err := s.call(ctx, "Get"); err != nil {
		return nil, err
	}
	return s.state.Get(ctx, key)
}

func (s *calls) Take(ctx context.Context, key string) ([]byte, error) {
	if err := s.call(ctx, "Take"); err != nil {
		return nil, err
	}
	return s.state.Take(ctx, key)
}

func (s *calls) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	if err := s.call(ctx, "Remember"); err != nil {
		return false, err
	}
	return s.replay.Remember(ctx, key, until)
}

// world is an application with handlers, an IdP, and a clock for all.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	idp     *ssotest.IdP
	conns   map[string]*sso.Connection
	store   *calls
	users   *memstore.Users
	config  Config
	app     http.Handler
	refused []Refusal
	logins  []Login
	saved   []sso.TestRecord
	events  []sso.Event
}

// newWorld has two connections to one IdP, "acme" and "beta", both on.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, now: start, conns: map[string]*sso.Connection{}, users: memstore.NewUsers()}
	w.store = &calls{state: memstore.NewState(0, w.clock), replay: memstore.NewReplay(0, w.clock)}
	w.idp = ssotest.NewIdP(ssotest.Config{BaseURL: idpSite, Now: w.clock})
	w.config = Config{
		BaseURL: appSite + "/sso", State: w.store, Replay: w.store, Now: w.clock, Timeout: time.Minute,
		Provisioner: &sso.Provisioner{Users: w.users, Groups: sso.AdmitAll, CreateOnLogin: true, Now: w.clock},
		Connections: func(_ context.Context, id string) (*sso.Connection, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if c := w.conns[id]; c != nil {
				own := *c
				return &own, nil
			}
			return nil, sso.ErrNotFound
		},
		SignedIn: func(_ http.ResponseWriter, _ *http.Request, l *Login) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.logins = append(w.logins, *l)
			return nil
		},
		Refused: func(_ *http.Request, f Refusal) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.refused = append(w.refused, f)
		},
		Administrator: func(r *http.Request, _ *sso.Connection) (string, bool) {
			return "root", r.Header.Get("X-Admin") != "" || cookieOf(r, "admin") != ""
		},
		SaveTest: func(_ context.Context, c *sso.Connection) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.saved = append(w.saved, *c.LastTest)
			return nil
		},
		Observer: sso.ObserverFunc(func(_ context.Context, e sso.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}),
	}
	for _, f := range change {
		f(&w.config)
	}
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.app = h.Mount("/sso")
	for _, id := range []string{"acme", "beta"} {
		c := w.idp.Connection(h.ServiceProvider(id))
		c.ID = id
		c.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, w.now, "root", "")
		if err := c.Enable(); err != nil {
			t.Fatal(err)
		}
		w.conns[id] = c
	}
	return w
}

func cookieOf(r *http.Request, name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// browser is as much of a browser as matters here: cookies that know SameSite,
// which net/http/cookiejar ignores.
type browser struct {
	w       *world
	cookies map[string]*http.Cookie
	header  http.Header
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]*http.Cookie{}, header: http.Header{}}
}

// page is what a browser shows.
type page struct {
	*http.Response
	body string
}

// request sends one request to the application. from is the site whose page
// began it, "" for the person's own typing.
func (b *browser) request(method, address, from string, form url.Values) page {
	b.w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, address, body)
	for name, values := range b.header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	crossSite := from != "" && from != appSite
	for _, c := range b.cookies {
		// Lax: on a cross-site request only with a top-level GET.
		if crossSite && (c.SameSite == http.SameSiteStrictMode || c.SameSite != http.SameSiteNoneMode && method != http.MethodGet) {
			continue
		}
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return b.w.serve(b, r)
}

func (w *world) serve(b *browser, r *http.Request) page {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.app.ServeHTTP(rec, r)
	res := rec.Result()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if b != nil {
		for _, c := range res.Cookies() {
			b.keep(c)
		}
	}
	return page{res, string(text)}
}

// keep takes a cookie as a browser on https does.
func (b *browser) keep(c *http.Cookie) {
	if strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != "") {
		b.w.t.Errorf("a browser refuses the cookie %s", c)
		return
	}
	if c.SameSite == http.SameSiteNoneMode && !c.Secure {
		b.w.t.Errorf("a browser refuses the cookie %s", c)
		return
	}
	b.cookies[c.Name] = c
}

// login starts a sign-in and returns what the IdP gets.
func (b *browser) login(path string) ssotest.Request {
	b.w.t.Helper()
	p := b.request("GET", appSite+path, appSite, nil)
	if p.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("%s: got %s %v", path, p.Status, b.w.refused)
	}
	req, err := ssotest.ParseRequest(p.Header.Get("Location"))
	if err != nil {
		b.w.t.Fatal(err)
	}
	return req
}

func (w *world) respond(req ssotest.Request, o ssotest.Options) url.Values {
	w.t.Helper()
	answer, err := w.idp.Respond(req, ann, o)
	if err != nil {
		w.t.Fatal(err)
	}
	form := url.Values{"SAMLResponse": {answer}}
	if req.RelayState != "" {
		form.Set("RelayState", req.RelayState)
	}
	return form
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// repost submits the form of our own page.
func (b *browser) repost(address string, p page) page {
	b.w.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.body, -1) {
		form.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	if len(form) == 0 {
		b.w.t.Fatalf("no form to post: %s %s", p.Status, p.body)
	}
	return b.request("POST", address, appSite, form)
}

// post posts an answer as the IdP's page does, and our page's once more if it
// comes to that.
func (b *browser) post(address string, form url.Values) page {
	b.w.t.Helper()
	p := b.request("POST", address, idpSite, form)
	if p.StatusCode == http.StatusOK && strings.Contains(p.body, `name="sso_again"`) {
		p = b.repost(address, p)
	}
	return p
}

// signIn is a whole sign-in at acme.
func (b *browser) signIn(o ssotest.Options) page {
	b.w.t.Helper()
	req := b.login("/sso/acme/login?to=/deals/7")
	return b.post(req.ACSURL, b.w.respond(req, o))
}

// lands asserts that somebody was signed in.
func (w *world) lands(p page, at string) {
	w.t.Helper()
	if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != at {
		w.t.Fatalf("got %s to %q, want 303 to %q; refused: %v", p.Status, p.Header.Get("Location"), at, w.refused)
	}
}

// refuses asserts that the last answer is a safe refusal with that code, and
// that the operator learned of it, and returns what they learned.
func (w *world) refuses(p page, status int, code Code, logins int) Refusal {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.logins) != logins {
		w.t.Fatalf("%d signed in, want %d", len(w.logins), logins)
	}
	if len(w.refused) == 0 {
		w.t.Fatalf("got %s and no refusal, want %d %s\n%s", p.Status, status, code, p.body)
	}
	f := w.refused[len(w.refused)-1]
	if p.StatusCode != status || f.Code != code || f.Status != status || f.Err == nil {
		w.t.Errorf("got %s, refusal %v (%d), want %d %s", p.Status, f, f.Status, status, code)
	}
	if err := safePage(p, f); err != nil {
		w.t.Error(err)
	}
	return f
}

// safePage checks what every page of ours must be.
func safePage(p page, f Refusal) error {
	var errs []error
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := p.Header.Get(name); got != want {
			errs = append(errs, fmt.Errorf("%s: got %q, want %q", name, got, want))
		}
	}
	csp := p.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
			errs = append(errs, fmt.Errorf("Content-Security-Policy %q lacks %s", csp, want))
		}
	}
	if !strings.Contains(p.body, f.Reference) || f.Reference == "" {
		errs = append(errs, fmt.Errorf("the page lacks the reference %q", f.Reference))
	}
	if strings.Contains(p.body, f.Err.Error()) {
		errs = append(errs, fmt.Errorf("the page tells the visitor %q", f.Err))
	}
	if p.Header.Get("Location") != "" || p.Header.Get("Refresh") != "" || strings.Contains(p.body, "<script") {
		errs = append(errs, errors.New("the page goes on by itself"))
	}
	return errors.Join(errs...)
}

// newSlowBody is a body that begins and then does not go on.
func newSlowBody() (body io.Reader, stop func()) {
	pr, pw := io.Pipe()
	go func() { _, _ = pw.Write([]byte("SAMLResponse=PA")) }()
	return pr, func() { _ = pw.Close() }
}
