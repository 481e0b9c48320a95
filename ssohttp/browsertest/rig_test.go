package browsertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testtool"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssohttp"
	"github.com/ssoconn/sso/ssotest"
)

// rig is an application and an IdP on two sites, with a clock.
type rig struct {
	t           *testing.T
	app, idp    string // origins
	mu          sync.Mutex
	ahead       time.Duration
	posts       []bool // to the ACS: with the cookie?
	third       []bool // asked for by a page of the other site: with a cookie?
	logins      []ssohttp.Login
	refused     []ssohttp.Code
	answers     []url.Values // of the IdP
	conn        *sso.Connection
	sessions    sync.Map
	double, img bool // what the IdP's page does
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

func newRig(t *testing.T, change ...func(*ssohttp.Config)) *rig {
	t.Helper()
	r := &rig{t: t}
	appServer, idpServer := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	r.app = "https://app.localtest:" + port(appServer)
	r.idp = "https://idp.other:" + port(idpServer)
	idp := ssotest.NewIdP(ssotest.Config{BaseURL: r.idp, Now: r.now})
	config := ssohttp.Config{
		BaseURL: r.app + "/sso", State: memstore.NewState(0, r.now), Replay: memstore.NewReplay(0, r.now), Now: r.now,
		Provisioner: &sso.Provisioner{Users: memstore.NewUsers(), Groups: sso.AdmitAll, CreateOnLogin: true},
		Connections: func(context.Context, string) (*sso.Connection, error) { own := *r.conn; return &own, nil },
		SignedIn: func(w http.ResponseWriter, _ *http.Request, l *ssohttp.Login) error {
			r.mu.Lock()
			r.logins = append(r.logins, *l)
			r.mu.Unlock()
			id := rand.Text()
			r.sessions.Store(id, l.Outcome.User.Email)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
			return nil
		},
		Refused: func(_ *http.Request, f ssohttp.Refusal) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refused = append(r.refused, f.Code)
		},
		Administrator: func(*http.Request, *sso.Connection) (string, bool) { return "root", true },
		SaveTest:      func(context.Context, *sso.Connection) error { return nil },
	}
	for _, f := range change {
		f(&config)
	}
	h, err := ssohttp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	r.conn = idp.Connection(h.ServiceProvider("acme"))
	r.conn.ID = "acme"
	r.conn.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, time.Now(), "root", "")
	if err := r.conn.Enable(); err != nil {
		t.Fatal(err)
	}
	appServer.Config.Handler, idpServer.Config.Handler = r.application(h.Mount("/sso")), r.identityProvider(idp)
	appServer.StartTLS()
	idpServer.StartTLS()
	t.Cleanup(appServer.Close)
	t.Cleanup(idpServer.Close)
	return r
}

func port(s *httptest.Server) string {
	_, p, _ := strings.Cut(s.Listener.Addr().String(), ":")
	return p
}

// application is the product: a home page that says who is signed in, and the
// settings page of the connection.
func (r *rig) application(handlers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/sso/", func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			_, err := req.Cookie("__Host-sso")
			r.mu.Lock()
			r.posts = append(r.posts, err == nil)
			r.mu.Unlock()
		}
		handlers.ServeHTTP(w, req)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		who := "nobody"
		if c, err := req.Cookie("session"); err == nil {
			if email, ok := r.sessions.Load(c.Value); ok {
				who = email.(string)
			}
		}
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>app</title><p id="who">%s</p><a id="login" href="/sso/acme/login?to=/deals">Log in with SSO</a>`, template.HTMLEscapeString(who))
	})
	mux.HandleFunc("/settings", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<!DOCTYPE html><title>settings</title><button id="test">Test the connection</button><p id="result">untested</p><script>
document.getElementById("test").onclick = () => {
  const run = crypto.randomUUID()
  window.open("/sso/acme/test?run=" + run)
  const ask = async () => {
    const r = await (await fetch("/sso/acme/test/result?run=" + run, {headers: {Accept: "application/json"}})).json()
    document.getElementById("result").textContent = r.status + (r.status == "done" ? " " + r.passed + " " + (r.summary ?? "") : "")
    if (r.status != "done") setTimeout(ask, 100)
  }
  ask()
}</script>`))
	})
	mux.HandleFunc("/third/plant", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "third", Value: "1", Path: "/third/", Secure: true, SameSite: http.SameSiteNoneMode})
	})
	mux.HandleFunc("/third/image", func(_ http.ResponseWriter, req *http.Request) {
		_, err := req.Cookie("third")
		r.mu.Lock()
		defer r.mu.Unlock()
		r.third = append(r.third, err == nil)
	})
	return mux
}

var idpPage = template.Must(template.New("").Parse(`<!DOCTYPE html><title>idp</title><h1>idp</h1>
<form method="post" action="{{.ACS}}">
{{range $name, $values := .Form}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
<button id="go"{{if .Double}} onclick="const f = document.forms[0].cloneNode(true); f.target = 'other'; document.body.append(f); f.submit()"{{end}}>Sign in</button></form>
{{with .Image}}<img src="{{.}}">{{end}}`))

// identityProvider answers each request with a page that posts the answer at
// a click, and cuts the tie to the page that opened it.
func (r *rig) identityProvider(idp *ssotest.IdP) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		request, err := ssotest.ParseForm(req.URL.Query(), true)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := idp.Respond(request, ssotest.Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"}, ssotest.Options{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		form := url.Values{"SAMLResponse": {answer}, "RelayState": {request.RelayState}}
		r.mu.Lock()
		r.answers = append(r.answers, form)
		image := ""
		if r.img {
			image = r.app + "/third/image"
		}
		double := r.double
		r.mu.Unlock()
		_ = idpPage.Execute(w, map[string]any{"ACS": request.ACSURL, "Form": form, "Double": double, "Image": image})
	})
}

// chrome starts one Chromium for a test; every call of the function that it
// returns is another person's browser, all private windows.
func chrome(t *testing.T) func() context.Context {
	t.Helper()
	return windows(t, "", chromedp.WithNewBrowserContext())
}

// windows starts a Chromium with preferences, and opens windows of one kind.
func windows(t *testing.T, preferences string, kind ...chromedp.ContextOption) func() context.Context {
	t.Helper()
	path := testtool.Path(t, "chromium", "chromium")
	profile := t.TempDir()
	if preferences != "" {
		if err := os.Mkdir(filepath.Join(profile, "Default"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1"), chromedp.Flag("ignore-certificate-errors", true),
		chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(time.Minute), chromedp.WindowSize(900, 700),
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	first, cancelFirst := chromedp.NewContext(allocator)
	if err := chromedp.Do(first); err != nil {
		cancelFirst()
		cancelAllocator()
		t.Fatalf("starting chromium: %v", err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(first)
		cancelFirst()
		cancelAllocator()
	})
	return func() context.Context {
		t.Helper()
		tab, cancel := chromedp.NewContext(first, kind...)
		t.Cleanup(cancel)
		if err := chromedp.Do(tab); err != nil {
			t.Fatal(err)
		}
		ctx, cancelTime := context.WithTimeout(tab, time.Minute)
		t.Cleanup(cancelTime)
		return ctx
	}
}

// A step is one thing that a person or a test does in a browser.
type step = chromedp.Action[chromedp.Void]

// get runs what has a result.
func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// until waits until an expression is true, whatever page there is by then.
func until(expression string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			if ok, err := chromedp.Evaluate[bool](expression)(ctx, t); err == nil && ok {
				return chromedp.Void{}, nil
			}
			if _, err := chromedp.Sleep(50*time.Millisecond)(ctx, t); err != nil {
				return chromedp.Void{}, fmt.Errorf("waiting for %s: %w", expression, err)
			}
		}
	}
}

// soon runs a script that may take its own page away.
func soon(script string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[int](`setTimeout(() => {`+script+`}, 20), 1`)(ctx, t)
		return chromedp.Void{}, err
	}
}

func run(t *testing.T, ctx context.Context, actions ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		screenshot(ctx, t.Name()+"-failed")
		at, _ := chromedp.Run(ctx, chromedp.Location())
		body, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
		t.Fatalf("%v at %s:\n%s", err, at, body)
	}
}

// toIdP goes from the application's home page to the IdP's page.
func (r *rig) toIdP() step {
	return chromedp.Steps(chromedp.Navigate(r.app+"/"), chromedp.Click(chromedp.CSS("#login")), chromedp.WaitVisible(chromedp.CSS("#go")))
}

// submit answers at the IdP.
func submit() step { return chromedp.Click(chromedp.CSS("#go")) }

// signedIn waits for the page that a sign-in lands on, and checks who that is.
func (r *rig) signedIn(ctx context.Context, at string) {
	r.t.Helper()
	run(r.t, ctx, chromedp.WaitVisible(chromedp.CSS("#who")))
	who, where := get(r.t, ctx, chromedp.Text(chromedp.CSS("#who"))), get(r.t, ctx, chromedp.Location())
	if who != "ann@example.com" || where != r.app+at {
		r.t.Errorf("%s is signed in at %s, refused %v", who, where, r.refused)
	}
}

// refusedWith waits for the page of a refusal.
func (r *rig) refusedWith(ctx context.Context, code ssohttp.Code) {
	r.t.Helper()
	run(r.t, ctx, chromedp.WaitVisible(chromedp.CSS(".number")))
	body := get(r.t, ctx, chromedp.Text(chromedp.CSS("body")))
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(body, "("+string(code)+")") || len(r.refused) == 0 || r.refused[len(r.refused)-1] != code {
		r.t.Errorf("want %s, refused %v:\n%s", code, r.refused, body)
	}
}

// screenshot keeps a picture where SSO_SCREENSHOTS names a directory.
func screenshot(ctx context.Context, name string) {
	dir := os.Getenv("SSO_SCREENSHOTS")
	if dir == "" {
		return
	}
	if png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
		_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o600)
	}
}
