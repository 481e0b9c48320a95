package main

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ssoconn/sso/ssohttp"
)

const languageCookie = "crm_lang"

// language is the visitor's: what they chose, else what the browser asks for.
func language(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && texts[c.Value] != nil {
		return c.Value
	}
	best, bestQ := "en", 0.0
	for i, item := range strings.SplitN(r.Header.Get("Accept-Language"), ",", 20) {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(item), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		q := 1.0 - float64(i)/1000
		if v, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if texts[tag] != nil && q > bestQ {
			best, bestQ = tag, q
		}
	}
	return best
}

// setLanguage keeps the choice and goes back to where it was made.
func (a *app) setLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxSmallForm)
	if lang := r.PostFormValue("lang"); texts[lang] != nil {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: a.sessions.Cookie.Secure})
	}
	to, _ := ssohttp.Landing{}.Resolve(r.PostFormValue("to")) // never to another site
	http.Redirect(w, r, to, http.StatusSeeOther)
}
