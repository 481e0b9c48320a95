// Command quickstart signs people in by SAML: a login, an assertion consumer
// service (ACS) and a hello page. A practice identity provider runs beside it.
//
//	go run ./examples/quickstart         # then open the address in a browser
//	go run ./examples/quickstart -once   # plays the browser itself
package main

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"sync"

	"github.com/ssoconn/sso"
)

type app struct {
	conn     *sso.Connection
	requests sync.Map // [browser's cookie, RelayState] -> ID of the AuthnRequest
	sessions sync.Map // session's cookie -> sso.Profile
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.hello)
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("POST /saml/acs", a.acs)
	return mux
}

// login sends the browser to the identity provider and keeps what was asked.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	req, err := a.conn.NewAuthnRequest(sso.RequestOptions{})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	handle := rand.Text() // comes back with the answer, so that two tabs can sign in at once
	to, err := req.RedirectURL(handle)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	browser := cookie(r, "browser")
	if browser == "" {
		browser = setCookie(w, "browser")
	}
	a.requests.Store([2]string{browser, handle}, req.ID)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// acs takes the answer: once for each request, and only from the browser that
// was sent off with it.
func (a *app) acs(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
	id, ok := a.requests.LoadAndDelete([2]string{cookie(r, "browser"), r.PostFormValue("RelayState")})
	if !ok {
		http.Error(w, "This browser has no such sign-in under way. Start at /login.", http.StatusForbidden)
		return
	}
	assertion, err := a.conn.VerifyResponse(r.Context(), r.PostFormValue("SAMLResponse"), sso.VerifyOptions{RequestID: id.(string)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	a.sessions.Store(setCookie(w, "session"), a.conn.Profile(assertion))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) hello(w http.ResponseWriter, r *http.Request) {
	person, _ := a.sessions.Load(cookie(r, "session"))
	_ = page.Execute(w, person)
}

var page = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="en" style="font:1.1rem/1.5 system-ui;margin:4rem auto;max-width:32rem"><title>Quickstart</title>
{{with .}}<h1>Hello, {{.Name}}</h1><p>{{.Email}}, in {{range $i, $g := .Groups}}{{if $i}}, {{end}}{{$g}}{{end}}</p>
{{else}}<p><a href="/login">Log in with SSO</a></p>{{end}}`))

func cookie(r *http.Request, name string) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

// setCookie gives the browser a secret. SameSite=Lax keeps the cookie back when
// another site posts here. On loopback the identity provider is the same site,
// for a site leaves out the port; on the Internet it is not, and what ssohttp
// does then is needed. Over https a cookie is Secure, too.
func setCookie(w http.ResponseWriter, name string) string {
	value := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return value
}
