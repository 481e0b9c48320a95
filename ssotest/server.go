package ssotest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ssoconn/sso"
)

// Handler serves the IdP to a browser: at the path of its SSOURL the login page
// for requests by HTTP-Redirect and HTTP-POST, at /metadata its metadata, and
// at / a portal that starts sign-ins without a request. With Config.Admin there
// is an administration page at /admin/.
//
// Only applications that were registered may ask, and only for an answer to
// their own address; signatures of requests are not looked at. Whoever can
// reach the handler can be anybody: keep it on loopback.
func (p *IdP) Handler() http.Handler {
	s := &server{idp: p, path: ssoPath(p.config.SSOURL)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+s.path, s.redirected)
	mux.HandleFunc("POST "+s.path, s.posted)
	mux.HandleFunc("GET /metadata", s.metadata)
	mux.HandleFunc("GET /{$}", s.portal)
	mux.HandleFunc("POST /start", s.start)
	if p.config.Admin {
		s.adminRoutes(mux)
	}
	return mux
}

// server is the IdP's web side.
type server struct {
	idp  *IdP
	path string
}

func ssoPath(ssoURL string) string {
	u, err := url.Parse(ssoURL)
	if err != nil || u.Path == "" || u.Path == "/" {
		return "/sso"
	}
	return u.EscapedPath()
}

// maxForm bounds what a browser may post.
const maxForm = 2 << 20

func (s *server) redirected(w http.ResponseWriter, r *http.Request) {
	s.ask(w, r, r.URL.Query(), true)
}

// posted takes a request by HTTP-POST, and the choice made on the login page,
// which carries the request on.
func (s *server) posted(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, http.StatusBadRequest, "This request cannot be read.", "Start the sign-in again from the application.")
		return
	}
	if !r.PostForm.Has("person") {
		s.ask(w, r, r.PostForm, false)
		return
	}
	req, app, ok := s.request(w, r.PostForm, r.PostForm.Get("binding") == "redirect")
	if ok {
		s.answer(w, r, req, app)
	}
}

// ask shows the login page.
func (s *server) ask(w http.ResponseWriter, r *http.Request, form url.Values, deflated bool) {
	if !form.Has("SAMLRequest") {
		s.fail(w, http.StatusBadRequest, "There is no SAMLRequest.", "This address takes requests of applications. Start at the application, or at the portal of this IdP.")
		return
	}
	req, app, ok := s.request(w, form, deflated)
	if !ok {
		return
	}
	if req.IsPassive {
		// Nobody is ever signed in here, so there is nobody to vouch for.
		o := app.Options
		o.Status = "NoPassive"
		s.send(w, req, Login{}, o)
		return
	}
	binding := "post"
	if deflated {
		binding = "redirect"
	}
	s.page(w, http.StatusOK, "login", map[string]any{
		"App": app, "People": s.idp.People(), "Action": r.URL.Path, "Binding": binding, "Misbehaviours": catalogue(),
		"SAMLRequest": form.Get("SAMLRequest"), "RelayState": req.RelayState, "ForceAuthn": req.ForceAuthn,
	})
}

// request reads the request and finds the application that sent it.
func (s *server) request(w http.ResponseWriter, form url.Values, deflated bool) (req Request, app Application, ok bool) {
	req, err := ParseForm(form, deflated)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "The SAMLRequest cannot be read.", err.Error())
		return req, app, false
	}
	app, known := s.idp.application(req.Issuer)
	if !known {
		s.fail(w, http.StatusForbidden, "This application is not configured.",
			fmt.Sprintf("The request comes from %q, and no application has that Audience URI (SP Entity ID). %s", req.Issuer, s.knownNames()))
		return req, app, false
	}
	if req.ACSURL != "" && req.ACSURL != app.ACSURL {
		s.fail(w, http.StatusForbidden, "The answer would go to an unknown address.",
			fmt.Sprintf("The request asks for an answer to %q. The Single Sign-On URL of %s is %q.", req.ACSURL, app.title(), app.ACSURL))
		return req, app, false
	}
	req.ACSURL = app.ACSURL
	return req, app, true
}

func (s *server) knownNames() string {
	var names []string
	for _, a := range s.idp.Applications() {
		names = append(names, fmt.Sprintf("%q", a.EntityID))
	}
	if len(names) == 0 {
		return "No application is configured yet."
	}
	return "Configured are " + strings.Join(names, ", ") + "."
}

// answer signs the chosen person in.
func (s *server) answer(w http.ResponseWriter, r *http.Request, req Request, app Application) {
	if r.PostForm.Get("person") == "" {
		o := app.Options
		o.Status = "AuthnFailed"
		s.send(w, req, Login{}, o)
		return
	}
	people := s.idp.People()
	i := slices.IndexFunc(people, func(p Person) bool { return p.Email == r.PostForm.Get("person") })
	if i < 0 {
		s.fail(w, http.StatusForbidden, "Nobody here has that address.", "Choose a person of this IdP.")
		return
	}
	if app.Assigned != nil && !slices.Contains(app.Assigned, people[i].Email) {
		s.fail(w, http.StatusForbidden, "You are not assigned to this application.",
			fmt.Sprintf("%s is not assigned to %s. An administrator of the IdP can change that.", people[i].Email, app.title()))
		return
	}
	login, err := app.login(people[i])
	if err != nil {
		s.fail(w, http.StatusInternalServerError, "The attribute statements of this application are wrong.", err.Error())
		return
	}
	o := app.Options
	o.Misbehave = cmp.Or(Misbehaviour(r.PostForm.Get("misbehave")), o.Misbehave)
	s.send(w, req, login, o)
}

// send shows the page that posts the answer to the application.
func (s *server) send(w http.ResponseWriter, req Request, login Login, o Options) {
	samlResponse, err := s.idp.Respond(req, login, o)
	if err != nil {
		s.fail(w, http.StatusInternalServerError, "The answer cannot be made.", err.Error())
		return
	}
	s.page(w, http.StatusOK, "answer", map[string]any{"ACSURL": req.ACSURL, "SAMLResponse": samlResponse, "RelayState": req.RelayState})
}

func (s *server) portal(w http.ResponseWriter, _ *http.Request) {
	s.page(w, http.StatusOK, "portal", map[string]any{
		"Apps": s.idp.Applications(), "People": s.idp.People(), "IdP": s.idp.IdentityProvider(), "Misbehaviours": catalogue(),
		"Admin": s.idp.config.Admin,
	})
}

// start signs in without a request.
func (s *server) start(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	app, known := s.idp.application(r.PostFormValue("application"))
	if !known {
		s.fail(w, http.StatusForbidden, "This application is not configured.", s.knownNames())
		return
	}
	s.answer(w, r, Request{Issuer: app.EntityID, ACSURL: app.ACSURL, RelayState: r.PostFormValue("RelayState")}, app)
}

func (s *server) metadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = w.Write(s.idp.Metadata())
}

func (p *IdP) application(entityID string) (Application, bool) {
	for _, a := range p.Applications() {
		if a.EntityID == entityID {
			return a, true
		}
	}
	return Application{}, false
}

func (a Application) title() string { return cmp.Or(a.Name, a.EntityID) }

type listed struct {
	Name        Misbehaviour
	Description string
	Reason      sso.Reason
}

func catalogue() []listed {
	var all []listed
	for _, m := range misbehaviours() {
		all = append(all, listed{m.name, m.description, m.reason})
	}
	return all
}

//go:embed pages.html
var pageSource string

//go:embed admin.html
var adminSource string

//go:embed page.css
var pageStyle string

const submitScript = "document.forms[0].submit()"

type pages struct {
	templates *template.Template
	policy    string // Content-Security-Policy
}

// parsedPages holds the templates. The style and the one script are allowed by
// their digests and nothing else is.
var parsedPages = sync.OnceValue(func() pages {
	t := template.Must(template.New("").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(pageStyle) },
		"submit": func() template.JS { return submitScript },
		"title":  Application.title,
		"joined": joined,
	}).Parse(pageSource + adminSource))
	digest := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return pages{t, "default-src 'none'; img-src data:; base-uri 'none'; frame-ancestors 'none'; style-src " + digest(pageStyle) + "; script-src " + digest(submitScript)}
})

func (s *server) page(w http.ResponseWriter, status int, name string, data any) {
	p := parsedPages()
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "ssotest: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (s *server) fail(w http.ResponseWriter, status int, what, why string) {
	s.page(w, status, "error", map[string]any{"Status": status, "What": what, "Why": why})
}
