package ssohttp

import (
	"net/url"
	"strings"
	"testing"
)

var landings = []struct {
	to string
	ok bool
}{
	{"/", true}, {"/deals/7", true}, {"/deals?id=7&next=%2F%2Fx#top", true}, {"/a%20b", true}, {"/%D0%94", true}, {"/100%25", true},
	{"/search?q=a//b", true}, {"https://app2.example.com", true}, {"https://app2.example.com/x?y", true}, {"https://app2.example.com?y", true},
	{"", false}, {"deals", false}, {"//evil.example", false}, {"///evil.example", false}, {"/\\evil.example", false}, {"\\\\evil.example", false},
	{"/\t/evil.example", false}, {"/\n/evil.example", false}, {" //evil.example", false}, {"/ /evil.example", false}, {"/\x00/evil", false}, {"/\x7f", false},
	{"/%2f%2fevil.example", false}, {"/%2F/evil.example", false}, {"/%5cevil.example", false}, {"/%255cevil.example", false}, {"/%252f%252fevil", false},
	{"/%09/evil.example", false}, {"/%0d%0aSet-Cookie:x", false}, {"/a//b", false}, {"/.//evil.example", false}, {"/..//evil.example", false}, {"/a/%2e%2e/b", false}, {"/%zz", false},
	{"https://evil.example/", false}, {"https://app2.example.com.evil.example/", false}, {"https://app2.example.com@evil.example/", false},
	{"https://user@app2.example.com/", false}, {"https://app2.example.com:8443/", false}, {"https://app2.example.com\\@evil.example", false},
	{"https:app2.example.com", false}, {"http://app2.example.com/", false}, {"javascript:alert(1)", false}, {"data:text/html,x", false}, {"https://app2.example.com//x", false},
	{"/" + strings.Repeat("a", maxLanding), false}, {"/д", false},
}

func TestLanding(t *testing.T) {
	t.Parallel()
	l := Landing{Default: "/home", Origins: []string{"https://app2.example.com"}}
	for _, tt := range landings {
		got, ok := l.Resolve(tt.to)
		want := "/home"
		if tt.ok {
			want = tt.to
		}
		if got != want || ok != tt.ok {
			t.Errorf("%q: got %q %v, want %q %v", tt.to, got, ok, want, tt.ok)
		}
	}
	if got, _ := (Landing{}).Resolve("//x"); got != "/" {
		t.Errorf("zero: got %q", got)
	}
}

// TestLandingAtLogin holds the handlers to the policy.
func TestLandingAtLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Landing.Default = "/home" })
	b := w.browser()
	for to, want := range map[string]string{"/deals/7": "/deals/7", "//evil.example": "/home", "https://evil.example": "/home", "": "/home"} {
		req := b.login("/sso/acme/login?to=" + url.QueryEscape(to))
		w.lands(b.post(req.ACSURL, w.respond(req, optionsZero)), want)
	}
}

// browserHost is what a browser makes of an address on a page of ours: by the
// WHATWG's URL standard tabs and line ends go, blanks around go, and in a web
// address a backslash is a slash. It returns "" for our own origin.
func browserHost(s string) string {
	s = strings.Trim(s, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(s)
	if i := strings.IndexAny(s, ":/?#"); i > 0 && s[i] == ':' {
		if scheme := strings.ToLower(s[:i]); scheme != "https" {
			return scheme + ":"
		}
		s = "//" + strings.TrimLeft(s[i+1:], "/")
	}
	if !strings.HasPrefix(s, "//") {
		return ""
	}
	s = strings.TrimLeft(s, "/")
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "userinfo:" + s
	}
	return strings.ToLower(s)
}

// FuzzLanding holds what is allowed to our own origin and the allowed one, by
// Go's reading and by a browser's, however often a proxy unescapes it.
func FuzzLanding(f *testing.F) {
	for _, tt := range landings {
		f.Add(tt.to)
	}
	base, err := url.Parse(appSite + "/sso/acme/acs")
	if err != nil {
		f.Fatal(err)
	}
	l := Landing{Origins: []string{"https://app2.example.com"}}
	f.Fuzz(func(t *testing.T, to string) {
		got, ok := l.Resolve(to)
		if !ok {
			if got != "/" {
				t.Fatalf("%q: not allowed, and goes to %q", to, got)
			}
			return
		}
		u, err := base.Parse(got)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if o := originOf(u); o != appSite && o != "https://app2.example.com" {
			t.Fatalf("%q goes to %q", got, o)
		}
		if h := browserHost(got); h != "" && h != "app2.example.com" {
			t.Fatalf("%q goes to %q in a browser", got, h)
		}
		path := got
		if i := strings.IndexAny(path, "?#"); i >= 0 {
			path = path[:i]
		}
		for range 4 {
			next, err := url.PathUnescape(path)
			if err != nil {
				return
			}
			if h := browserHost(next); h != "" && h != "app2.example.com" {
				t.Fatalf("%q goes to %q once unescaped", got, h)
			}
			path = next
		}
	})
}
