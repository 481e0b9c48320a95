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
