package ssohttp

import (
	"strings"
	"testing"
)

// TestStyle holds the style on the page to the hash in the policy: html/template
// might change it, and browsers would then drop it.
func TestStyle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.browser().request("GET", appSite+"/sso/nobody/login", "", nil)
	_, rest, _ := strings.Cut(p.body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	if csp := p.Header.Get("Content-Security-Policy"); style == "" || !strings.Contains(csp, hashSource(style)) {
		t.Errorf("the policy %q does not allow the style %q", csp, style)
	}
}

// TestRendered gives each refusal its own number, though the page is kept.
func TestRendered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var before page
	for i := range 3 {
		p := w.browser().request("GET", appSite+"/sso/nobody/login", "", nil)
		f := w.refuses(p, 404, CodeConnection, 0)
		if strings.Contains(p.body, placeholder) || i > 0 && (p.body == before.body || len(p.body) != len(before.body)) {
			t.Errorf("%s: %s", f.Reference, p.body)
		}
		before = p
	}
	b := w.browser()
	b.header.Set("Accept-Language", "ru")
	if p := b.request("GET", appSite+"/sso/nobody/login", "", nil); !strings.Contains(p.body, texts["ru"]["refused"]) {
		t.Errorf("in Russian: %s", p.body)
	}
}
