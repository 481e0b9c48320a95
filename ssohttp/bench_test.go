package ssohttp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ssoconn/sso/ssotest"
)

// BenchmarkLogin is a complete login but for the IdP's part: the redirect, the
// page of ours that posts again, and the ACS with the stores in memory.
func BenchmarkLogin(b *testing.B) {
	w := newWorld(&testing.T{})
	user := w.browser()
	req := user.login("/sso/acme/login")
	cookie := user.cookies["__Host-sso"]
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r := httptest.NewRequest("GET", appSite+"/sso/acme/login?to=/deals/7", nil)
		r.AddCookie(cookie)
		rec := httptest.NewRecorder()
		w.app.ServeHTTP(rec, r)
		b.StopTimer() // the IdP's part
		to, err := ssotest.ParseRequest(rec.Header().Get("Location"))
		if err != nil {
			b.Fatal(err)
		}
		answer, err := w.idp.Respond(to, ann, ssotest.Options{})
		if err != nil {
			b.Fatal(err)
		}
		body := url.Values{"SAMLResponse": {answer}, "RelayState": {to.RelayState}}.Encode()
		b.StartTimer()
		for _, again := range []string{"", "&sso_again=1"} {
			r = httptest.NewRequest("POST", req.ACSURL, strings.NewReader(body+again))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if again != "" {
				r.AddCookie(cookie)
			}
			rec = httptest.NewRecorder()
			w.app.ServeHTTP(rec, r)
		}
		if rec.Code != http.StatusSeeOther {
			b.Fatalf("got %d %v", rec.Code, w.refused)
		}
		w.logins = w.logins[:0]
		w.events = w.events[:0]
		w.store.reset()
	}
}

// BenchmarkGarbage is what one request of a flood costs.
func BenchmarkGarbage(b *testing.B) {
	w := newWorld(&testing.T{})
	answer := strings.Repeat("PHNhbWxwOlJlc3Bv", 450)
	for name, body := range map[string]string{
		"fields": "x=1&y=2", "base64": "SAMLResponse=!!!&RelayState=x",
		"state": url.Values{"SAMLResponse": {answer}, "RelayState": {strings.Repeat("A", handleLength)}, fieldAgain: {"1"}}.Encode(),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				r := httptest.NewRequest("POST", appSite+"/sso/acme/acs", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.AddCookie(&http.Cookie{Name: "__Host-sso", Value: strings.Repeat("A", browserLength)})
				rec := httptest.NewRecorder()
				w.app.ServeHTTP(rec, r)
				if rec.Code < 400 {
					b.Fatal(rec.Code)
				}
				w.refused = w.refused[:0]
				w.events = w.events[:0]
			}
		})
	}
}
