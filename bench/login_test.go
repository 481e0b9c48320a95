package bench

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crewjam/saml/samlsp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/sqlstore"
	"github.com/ssoconn/sso/ssohttp"
	"github.com/ssoconn/sso/ssotest"
)

// visit is one sign-in under way, as a browser sees it.
type visit struct {
	redirect string
	cookies  []*http.Cookie
	form     url.Values
	took     time.Duration
}

// site is an application that signs people in.
type site struct {
	handler    http.Handler
	login, acs string
	reposts    bool // the answer is posted twice: see the state of ssohttp
	done       func() int64
	connection *sso.Connection
	trips      func() int64 // calls to stores
	inStore    func() time.Duration
}

// counted counts and times what a store is asked.
type counted struct {
	ssohttp.StateStore
	sso.ReplayCache
	calls atomic.Int64
	spent atomic.Int64
}

func (c *counted) time(start time.Time) {
	c.calls.Add(1)
	c.spent.Add(int64(time.Since(start)))
}

func (c *counted) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	defer c.time(time.Now())
	return c.StateStore.Put(ctx, key, value, until)
}

func (c *counted) Take(ctx context.Context, key string) ([]byte, error) {
	defer c.time(time.Now())
	return c.StateStore.Take(ctx, key)
}

func (c *counted) Get(ctx context.Context, key string) ([]byte, error) {
	defer c.time(time.Now())
	return c.StateStore.Get(ctx, key)
}

func (c *counted) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	defer c.time(time.Now())
	return c.ReplayCache.Remember(ctx, key, until)
}

// newSite mounts ssohttp on the stores given.
func newSite(tb testing.TB, idp *ssotest.IdP, state ssohttp.StateStore, replay sso.ReplayCache) *site {
	tb.Helper()
	s := &site{login: "https://app.example.com/sso/test/login?to=/deals", acs: "https://app.example.com/sso/test/acs", reposts: true}
	store := &counted{StateStore: state, ReplayCache: replay}
	s.trips = store.calls.Load
	s.inStore = func() time.Duration { return time.Duration(store.spent.Load()) }
	users := memstore.NewUsers()
	var done atomic.Int64
	s.done = done.Load
	conn := new(sso.Connection)
	h, err := ssohttp.New(ssohttp.Config{
		BaseURL: "https://app.example.com/sso", State: store, Replay: store,
		Connections: func(_ context.Context, id string) (*sso.Connection, error) { return conn, nil },
		Provisioner: &sso.Provisioner{Users: users, Groups: sso.AdmitAll},
		SignedIn: func(w http.ResponseWriter, r *http.Request, l *ssohttp.Login) error {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
			done.Add(1)
			return nil
		},
		Refused: func(_ *http.Request, f ssohttp.Refusal) {},
	})
	if err != nil {
		tb.Fatal(err)
	}
	*conn = *idp.Connection(h.ServiceProvider("test"))
	conn.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, time.Now(), "bench", "")
	if err := conn.Enable(); err != nil {
		tb.Fatal(err)
	}
	users.Put(conn.ID, sso.User{Email: person.Email, Name: person.Name, Subject: person.Email})
	s.connection = conn
	mux := http.NewServeMux()
	mux.Handle("/sso/", h.Mount("/sso"))
	s.handler = mux
	return s
}

// newSamlsp is crewjam's middleware, with the cookies and sessions that it
// comes with.
func newSamlsp(tb testing.TB, idp *ssotest.IdP) *site {
	tb.Helper()
	s := &site{login: "https://app.example.com/deals", acs: "https://app.example.com/saml/acs"}
	s.connection = idp.Connection(sso.ServiceProvider{EntityID: "https://app.example.com/saml/metadata", ACSURL: s.acs})
	key := newKeyPair(tb)
	m, err := samlsp.New(samlsp.Options{URL: mustURL("https://app.example.com"), EntityID: s.connection.SP.EntityID, Key: key.signer, Certificate: key.cert,
		IDPMetadata: newPeer(tb, s.connection.IdP).IDPMetadata})
	if err != nil {
		tb.Fatal(err)
	}
	var done atomic.Int64
	s.done = done.Load
	m.OnError = func(w http.ResponseWriter, r *http.Request, err error) { http.Error(w, "no", http.StatusForbidden) }
	mux := http.NewServeMux()
	mux.Handle("/saml/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &status{ResponseWriter: w}
		m.ServeHTTP(rec, r)
		if rec.code == http.StatusFound {
			done.Add(1)
		}
	}))
	mux.Handle("/deals", m.RequireAccount(http.NotFoundHandler()))
	s.handler = mux
	return s
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

var person = ssotest.Login{Email: "alice.liddell@example.com", FirstName: "Alice", LastName: "Liddell", Name: "Alice Liddell",
	Groups: []string{"Sales", "Support", "Everyone", "Berlin", "Managers"}}

// start is the redirect to the IdP.
func (s *site) start() (*visit, error) {
	v := &visit{}
	begin := time.Now()
	r := httptest.NewRequest(http.MethodGet, s.login, nil)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	v.took = time.Since(begin)
	res := w.Result()
	v.redirect, v.cookies = res.Header.Get("Location"), res.Cookies()
	if v.redirect == "" {
		return nil, fmt.Errorf("login answered %s", res.Status)
	}
	return v, nil
}

// answer has the IdP sign its answer, ahead of time.
func (s *site) answer(idp *ssotest.IdP, v *visit) error {
	req, err := ssotest.ParseRequest(v.redirect)
	if err != nil {
		return err
	}
	form, err := idp.Respond(req, person, ssotest.Options{Lifetime: time.Hour})
	if err != nil {
		return err
	}
	v.form = url.Values{"SAMLResponse": {form}, "RelayState": {req.RelayState}}
	return nil
}

// finish posts the answer as the browser does: where the cookie is Lax, first
// without it, and then again from our own page.
func (s *site) finish(v *visit) error {
	begin := time.Now()
	defer func() { v.took += time.Since(begin) }()
	if s.reposts {
		if code := s.post(v.form, nil); code != http.StatusOK {
			return fmt.Errorf("the first post answered %d", code)
		}
		v.form.Set("sso_again", "1")
	}
	if code := s.post(v.form, v.cookies); code != http.StatusSeeOther && code != http.StatusFound {
		return fmt.Errorf("the post answered %d", code)
	}
	return nil
}

func (s *site) post(form url.Values, cookies []*http.Cookie) int {
	r := httptest.NewRequest(http.MethodPost, s.acs, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if len(cookies) > 0 {
		r.Header.Set("Origin", "https://app.example.com")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// each runs f for every visit on as many goroutines as there are processors
// times four, and returns the first error.
func each(visits []*visit, f func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, 1)
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(visits) {
					return
				}
				if err := f(i); err != nil {
					select {
					case errs <- err:
					default:
					}
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// drive makes n complete sign-ins and reports on them. The IdP's part is not
// measured.
func (s *site) drive(b *testing.B, idp *ssotest.IdP, n int) {
	visits := make([]*visit, n)
	trips, inStore := int64(0), time.Duration(0)
	if s.trips != nil {
		trips, inStore = s.trips(), s.inStore()
	}
	was := s.done()
	wall, used := time.Duration(0), time.Duration(0)
	phase := func(f func(i int) error) {
		begin, spent := time.Now(), cpu()
		if err := each(visits, f); err != nil {
			b.Fatal(err)
		}
		wall, used = wall+time.Since(begin), used+cpu()-spent
	}
	phase(func(i int) (err error) { visits[i], err = s.start(); return err })
	if err := each(visits, func(i int) error { return s.answer(idp, visits[i]) }); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	phase(func(i int) error { return s.finish(visits[i]) })
	if got := s.done() - was; got != int64(n) {
		b.Fatalf("%d sign-ins of %d", got, n)
	}
	slices.SortFunc(visits, func(a, b *visit) int { return cmp.Compare(a.took, b.took) })
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(n)/wall.Seconds(), "logins/s")
	b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/login")
	b.ReportMetric(float64(visits[n/2].took.Microseconds()), "p50-µs")
	b.ReportMetric(float64(visits[n*99/100].took.Microseconds()), "p99-µs")
	if s.trips != nil {
		b.ReportMetric(float64(s.trips()-trips)/float64(n), "trips/login")
		b.ReportMetric(100*float64(s.inStore()-inStore)/float64(4*runtime.GOMAXPROCS(0))/float64(wall), "%store")
	}
}

// BenchmarkLogin is complete sign-ins, redirect and answer, with each store,
// beside crewjam's samlsp.
func BenchmarkLogin(b *testing.B) {
	idp := ssotest.NewIdP(ssotest.Config{EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso"})
	sites := []struct {
		name string
		open func(b *testing.B) *site
	}{
		{"memory", func(b *testing.B) *site {
			return newSite(b, idp, memstore.NewState(0, nil), memstore.NewReplay(0, nil))
		}},
		{"sqlite", func(b *testing.B) *site { return sqlSite(b, idp, filepath.Join(b.TempDir(), "bench.db")) }},
		{"postgres", func(b *testing.B) *site { return sqlSite(b, idp, testserver.Postgres(b)) }},
		{"redis", func(b *testing.B) *site { return redisSite(b, idp) }},
		{"samlsp", func(b *testing.B) *site { return newSamlsp(b, idp) }},
	}
	for _, c := range sites {
		b.Run(c.name, func(b *testing.B) {
			s := c.open(b)
			b.ResetTimer()
			s.drive(b, idp, max(200, min(b.N, 20000)))
		})
	}
}

func sqlSite(b *testing.B, idp *ssotest.IdP, dsn string) *site {
	store, err := sqlstore.Open(context.Background(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return newSite(b, idp, store, store)
}

// BenchmarkLoginUnderGarbage offers 100 honest answers a second, and then the
// same among nine times as many posts of garbage, of every kind that costs
// something. It reports how many of the honest ones are let in within a second
// each, and how long they take. saturated is the harsher question: with no
// pause between posts, how much of the honest rate is left when nine of ten are
// garbage.
func BenchmarkLoginUnderGarbage(b *testing.B) {
	idp := ssotest.NewIdP(ssotest.Config{EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso"})
	s := newSite(b, idp, memstore.NewState(0, nil), memstore.NewReplay(0, nil))
	garbage := s.garbage(b, idp)
	n := max(100, min(b.N, 1000))
	flood := func(i int) {
		for g := range 9 {
			s.post(garbage[(i+g)%len(garbage)], nil)
		}
	}
	alone, _, _ := s.offered(b, idp, n, func(int) {})
	kept, p50, p99 := s.offered(b, idp, n, flood)
	fast := s.saturated(b, idp, n, func(int) {})
	slow := s.saturated(b, idp, n, flood)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*float64(kept)/float64(alone), "%kept")
	b.ReportMetric(float64(p50.Microseconds()), "p50-µs")
	b.ReportMetric(float64(p99.Microseconds()), "p99-µs")
	b.ReportMetric(100*fast.Seconds()/slow.Seconds(), "%kept-saturated")
}

// ready prepares n answers that are yet to be posted.
func (s *site) ready(b *testing.B, idp *ssotest.IdP, n int) []*visit {
	visits := make([]*visit, n)
	if err := each(visits, func(i int) (err error) {
		if visits[i], err = s.start(); err != nil {
			return err
		}
		return s.answer(idp, visits[i])
	}); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	return visits
}

// offered posts an answer every 10 ms, each in its own goroutine as a server
// does, and counts those that were let in within a second.
func (s *site) offered(b *testing.B, idp *ssotest.IdP, n int, besides func(i int)) (in int, p50, p99 time.Duration) {
	visits := s.ready(b, idp, n)
	var wg sync.WaitGroup
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i, v := range visits {
		<-tick.C
		v.took = time.Hour // until it is let in
		wg.Go(func() { besides(i) })
		wg.Go(func() {
			begin := time.Now()
			if err := s.finish(v); err == nil {
				v.took = time.Since(begin)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(visits, func(a, b *visit) int { return cmp.Compare(a.took, b.took) })
	for _, v := range visits {
		if v.took < time.Second {
			in++
		}
	}
	return in, visits[n/2].took, visits[n*99/100].took
}

func (s *site) saturated(b *testing.B, idp *ssotest.IdP, n int, besides func(i int)) time.Duration {
	visits := s.ready(b, idp, n)
	begin := time.Now()
	if err := each(visits, func(i int) error { besides(i); return s.finish(visits[i]) }); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// garbage is what a flood is made of: rubbish, truncated and unsolicited
// Responses, handles that are not ours, hostile documents.
func (s *site) garbage(tb testing.TB, idp *ssotest.IdP) []url.Values {
	tb.Helper()
	v, err := s.start()
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.answer(idp, v); err != nil {
		tb.Fatal(err)
	}
	response, relay := v.form.Get("SAMLResponse"), v.form.Get("RelayState")
	return []url.Values{
		{}, {"SAMLResponse": {"rubbish"}, "RelayState": {relay}}, {"SAMLResponse": {response[:len(response)/2]}, "RelayState": {relay}},
		{"SAMLResponse": {response}}, {"SAMLResponse": {response}, "RelayState": {"https://evil.example/"}},
		{"SAMLResponse": {response}, "RelayState": {relay}, "sso_again": {"1"}},
		{"SAMLResponse": {strings.Repeat("A", 100<<10)}, "RelayState": {relay}, "sso_again": {"1"}},
		{"SAMLResponse": {response, response}, "RelayState": {relay}}, {"SAMLResponse": {strings.Repeat("!", 10<<10)}, "RelayState": {strings.Repeat("x", 81)}},
		{"SAMLResponse": {template.HTMLEscapeString("<script>")}, "RelayState": {relay}},
	}
}
