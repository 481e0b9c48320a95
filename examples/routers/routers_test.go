package routers

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssohttp"
	"github.com/ssoconn/sso/ssotest"
)

// TestRouters signs somebody in through each, refuses a wrong answer, and cuts
// a slow body off: a router's or a session library's wrapper around the
// response may hide the deadline.
func TestRouters(t *testing.T) {
	t.Parallel()
	sessions := scs.New()
	sessions.Cookie.Secure = false // loopback
	for name, mount := range map[string]func(ssohttp.Config, http.Handler) (http.Handler, error){
		"net/http": NetHTTP,
		"chi":      Chi,
		"scs": func(c ssohttp.Config, _ http.Handler) (http.Handler, error) {
			return SCS(c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.URL.Path+" "+sessions.GetString(r.Context(), "user"))
			}), sessions)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(nil)
			base := "http://" + server.Listener.Addr().String()
			var conn *sso.Connection
			refused := make(chan ssohttp.Code, 10)
			config := ssohttp.Config{
				BaseURL: base + "/sso", State: memstore.NewState(0, nil), Replay: memstore.NewReplay(0, nil), Timeout: 3 * time.Second,
				Provisioner: &sso.Provisioner{Users: memstore.NewUsers(), Groups: sso.AdmitAll, CreateOnLogin: true},
				Connections: func(_ context.Context, id string) (*sso.Connection, error) {
					if id != "acme" {
						return nil, sso.ErrNotFound
					}
					return conn, nil
				},
				SignedIn: func(w http.ResponseWriter, _ *http.Request, l *ssohttp.Login) error {
					http.SetCookie(w, &http.Cookie{Name: "user", Value: l.Outcome.User.ID, Path: "/"})
					return nil
				},
				Refused: func(_ *http.Request, f ssohttp.Refusal) { refused <- f.Code },
			}
			app, err := mount(config, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				user := ""
				if c, err := r.Cookie("user"); err == nil {
					user = c.Value
				}
				_, _ = io.WriteString(w, r.URL.Path+" "+user)
			}))
			if err != nil {
				t.Fatal(err)
			}
			h, err := ssohttp.New(config)
			if err != nil {
				t.Fatal(err)
			}
			idp := ssotest.NewIdP(ssotest.Config{})
			conn = idp.Connection(h.ServiceProvider("acme"))
			conn.ID = "acme"
			conn.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, time.Now(), "root", "")
			if err := conn.Enable(); err != nil {
				t.Fatal(err)
			}
			server.Config.Handler = app
			server.Start()
			defer server.Close()

			signIn := func(o ssotest.Options) (int, string) {
				jar, err := cookiejar.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				res, err := idp.SignIn(&http.Client{Jar: jar}, base+"/sso/acme/login?to=/deals", ssotest.Login{Email: "ann@example.com"}, o)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.StatusCode, string(body)
			}
			if status, body := signIn(ssotest.Options{}); status != 200 || !strings.HasPrefix(body, "/deals ") || len(body) <= len("/deals ") {
				t.Errorf("got %d %q", status, body)
			}
			if status, _ := signIn(ssotest.Options{Misbehave: "wrong-audience"}); status != 403 || <-refused != ssohttp.CodeResponse {
				t.Errorf("got %d", status)
			}
			pr, pw := io.Pipe()
			defer func() { _ = pw.Close() }()
			go func() { _, _ = io.WriteString(pw, "SAMLResponse=PA") }()
			res, err := http.Post(base+"/sso/acme/acs", "application/x-www-form-urlencoded", pr)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestTimeout {
				t.Errorf("a slow body: got %s", res.Status)
			}
		})
	}
}

// TestCrossOriginProtection lets the IdP's POST through, by the pattern in
// docs/http.md, and nobody else's.
func TestCrossOriginProtection(t *testing.T) {
	t.Parallel()
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	p := http.NewCrossOriginProtection()
	p.AddInsecureBypassPattern("POST /sso/{id}/acs")
	for path, want := range map[string]int{"/sso/acme/acs": http.StatusTeapot, "/deals": http.StatusForbidden} {
		r := httptest.NewRequest("POST", "https://crm.example.com"+path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		rec := httptest.NewRecorder()
		p.Handler(reached).ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: got %d, want %d", path, rec.Code, want)
		}
	}
}

// TestDocs holds docs/http.md to the files of this directory.
func TestDocs(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nethttp.go", "chi.go", "scs.go"} {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, shown, ok := strings.Cut(string(code), "\n)\n\n")
		if !ok || !strings.Contains(string(doc), "```go\n"+shown+"```\n") {
			t.Errorf("docs/http.md does not show %s as it is", name)
		}
	}
}
