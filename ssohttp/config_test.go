package ssohttp

import (
	"errors"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

var optionsZero ssotest.Options

func TestNew(t *testing.T) {
	t.Parallel()
	good := newWorld(t).config
	tests := []struct {
		name   string
		change func(*Config)
		fields []string
	}{
		{"control", func(*Config) {}, nil},
		{"loopback", func(c *Config) { c.BaseURL = "http://localhost:8080/sso" }, nil},
		{"zero", func(c *Config) { *c = Config{} }, []string{"BaseURL", "Connections", "State", "Replay", "Provisioner", "SignedIn", "Refused"}},
		{"relative", func(c *Config) { c.BaseURL = "/sso" }, []string{"BaseURL"}},
		{"query", func(c *Config) { c.BaseURL += "?x" }, []string{"BaseURL"}},
		{"http", func(c *Config) { c.BaseURL = "http://app.example.com" }, []string{"BaseURL"}},
		{"none over http", func(c *Config) { c.BaseURL, c.SameSiteNone = "http://localhost", true }, []string{"SameSiteNone"}},
		{"negative", func(c *Config) { c.MaxBody, c.Timeout, c.MaxConcurrent, c.Lifetime = -1, -1, -1, -1 }, []string{"Lifetime", "MaxBody", "Timeout", "MaxConcurrent"}},
		{"days", func(c *Config) { c.Lifetime = 48 * time.Hour }, []string{"Lifetime"}},
		{"landing elsewhere", func(c *Config) { c.Landing.Default = "https://evil.example" }, []string{"Landing.Default"}},
		{"origin with a path", func(c *Config) { c.Landing.Origins = []string{"https://a.example/x"} }, []string{"Landing.Origins"}},
		{"origin with a star", func(c *Config) { c.Landing.Origins = []string{"*"} }, []string{"Landing.Origins"}},
		{"template", func(c *Config) { c.Templates = template.Must(template.New("refused").Parse("{{.Nothing}}")) }, []string{"Templates"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.change(&c)
			h, err := New(c)
			var got []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range joined.Unwrap() {
					var field *sso.FieldError
					if !errors.As(e, &field) || field.Hint == "" {
						t.Errorf("got %v", e)
						continue
					}
					got = append(got, strings.TrimPrefix(field.Field, "Config."))
				}
			}
			if diff := cmp.Diff(tt.fields, got); diff != "" || (h == nil) != (err != nil) {
				t.Errorf("fields (-want +got), %v:\n%s", err, diff)
			}
		})
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for header, want := range map[string]string{
		"": "en", "ru": "ru", "ru-RU,ru;q=0.9,en;q=0.8": "ru", "en-GB,ru;q=0.5": "en", "de,ru;q=0.3": "ru", "de": "en", "en;q=0.1, ru;q=0.2": "ru", "ru;q=x": "en",
	} {
		b := w.browser()
		b.header.Set("Accept-Language", header)
		p := b.request("GET", appSite+"/sso/nobody/login", "", nil)
		if !strings.Contains(p.body, texts[want]["refused"]) || !strings.Contains(p.body, `lang="`+want+`"`) {
			t.Errorf("%q: want %s, got %s", header, want, p.body)
		}
	}
}

// TestTexts has every word in every language, and a sentence for every code.
func TestTexts(t *testing.T) {
	t.Parallel()
	for key := range texts["en"] {
		if texts["ru"][key] == "" {
			t.Errorf("no Russian for %q", key)
		}
	}
	if len(texts["en"]) != len(texts["ru"]) {
		t.Errorf("%d words in English, %d in Russian", len(texts["en"]), len(texts["ru"]))
	}
	for code, s := range sentences {
		if s[0] == "" || s[1] == "" {
			t.Errorf("%s: a sentence is empty", code)
		}
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) {
		c.Templates = template.Must(template.New("").Parse(`{{define "refused"}}<h1>Ours</h1>{{.Sentence}} {{.Reference}}{{end}}`))
		c.Language = func(*http.Request) string { return "ru" }
	})
	p := w.browser().request("GET", appSite+"/sso/nobody/login", "", nil)
	w.refuses(p, 404, CodeConnection, 0)
	if !strings.Contains(p.body, "<h1>Ours</h1>По этому адресу") {
		t.Errorf("got %s", p.body)
	}
	w.lands(w.browser().signIn(optionsZero), "/deals/7") // the built-in repost page
}

// TestAlone mounts one handler by itself, with the ID from elsewhere.
func TestAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.ConnectionID = func(r *http.Request) string { return r.Header.Get("X-Connection") } })
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "https://127.0.0.1/anywhere", nil)
	r.Header.Set("X-Connection", "acme")
	r.Header.Set("X-Forwarded-Host", "evil.example")
	rec := httptest.NewRecorder()
	h.Login().ServeHTTP(rec, r)
	if rec.Code != 303 || !strings.HasPrefix(rec.Header().Get("Location"), idpSite) {
		t.Errorf("got %d to %q", rec.Code, rec.Header().Get("Location"))
	}
	rec = httptest.NewRecorder()
	h.Metadata().ServeHTTP(rec, r)
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), appSite+"/sso/acme/acs") || strings.Contains(rec.Body.String(), "evil") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// TestPostBinding sends the request by a page where the IdP takes it so only.
func TestPostBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.conns["acme"]
	c.IdP.SSOPostURL = c.IdP.SSOURL
	c.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, w.now, "root", "")
	p := w.browser().request("GET", appSite+"/sso/acme/login", "", nil)
	if p.StatusCode != 200 || !strings.Contains(p.body, "SAMLRequest") || p.Header.Get("Content-Security-Policy") != sso.PostFormCSP || p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s %v %s", p.Status, p.Header, p.body)
	}
}
