package ssotest

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ssoconn/sso"
)

// adminRoutes serves the administration page: applications and people, in the
// words that IdPs use for them. Pages of other origins cannot post to it.
func (s *server) adminRoutes(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, guard.Handler(h)) }
	handle("GET /admin/{$}", s.adminHome)
	handle("POST /admin/people", s.savePeople)
	handle("POST /admin/applications", s.createApplication)
	handle("GET /admin/applications/{n}", s.showApplication)
	handle("POST /admin/applications/{n}", s.saveApplication)
}

func (s *server) adminHome(w http.ResponseWriter, _ *http.Request) {
	s.adminPage(w, http.StatusOK, s.idp.People(), "")
}

func (s *server) adminPage(w http.ResponseWriter, status int, people []Person, problem string) {
	s.page(w, status, "admin", map[string]any{
		"Apps": s.idp.Applications(), "People": append(slices.Clone(people), Person{}, Person{}), "Problem": problem,
	})
}

// savePeople takes the whole table. A row without an e-mail address is left
// out.
func (s *server) savePeople(w http.ResponseWriter, r *http.Request) {
	form, ok := s.adminForm(w, r)
	if !ok {
		return
	}
	var people []Person
	for i, email := range form["email"] {
		p := Person{Email: strings.TrimSpace(email), FirstName: at(form["first"], i), LastName: at(form["last"], i), Groups: list(at(form["groups"], i))}
		if p.Email == "" {
			continue
		}
		if slices.ContainsFunc(people, func(other Person) bool { return other.Email == p.Email }) {
			s.adminPage(w, http.StatusUnprocessableEntity, append(people, p), fmt.Sprintf("Two people have the address %q.", p.Email))
			return
		}
		people = append(people, p)
	}
	s.idp.SetPeople(people...)
	http.Redirect(w, r, "/admin/", http.StatusSeeOther)
}

func (s *server) createApplication(w http.ResponseWriter, r *http.Request) {
	p := s.idp
	p.mu.Lock()
	// Not nil: like Okta, a new application is sent no attribute until there
	// are statements, and nobody is assigned to it.
	p.apps = append(p.apps, Application{Name: "New application", Statements: []Statement{}, Assigned: []string{}})
	n := len(p.apps) - 1
	p.mu.Unlock()
	http.Redirect(w, r, "/admin/applications/"+strconv.Itoa(n), http.StatusSeeOther)
}

func (s *server) showApplication(w http.ResponseWriter, r *http.Request) {
	if app, ok := s.numbered(w, r); ok {
		s.applicationPage(w, http.StatusOK, r, app, "")
	}
}

// numbered is the application of the address.
func (s *server) numbered(w http.ResponseWriter, r *http.Request) (Application, bool) {
	n, err := strconv.Atoi(r.PathValue("n"))
	apps := s.idp.Applications()
	if err != nil || n < 0 || n >= len(apps) {
		s.fail(w, http.StatusNotFound, "There is no such application.", "It may have been deleted.")
		return Application{}, false
	}
	return apps[n], true
}

// assignment is one line of the assignments.
type assignment struct {
	Person
	Assigned bool
}

func (s *server) applicationPage(w http.ResponseWriter, status int, r *http.Request, app Application, problem string) {
	var lines []assignment
	for _, p := range s.idp.People() {
		lines = append(lines, assignment{p, slices.Contains(app.Assigned, p.Email)})
	}
	s.page(w, status, "application", map[string]any{
		"App": app, "Action": r.URL.Path, "Problem": problem, "People": lines,
		"Statements": append(slices.Clone(app.Statements), Statement{}, Statement{}),
		"Usual":      app.Statements == nil, "Everyone": app.Assigned == nil,
		"IdP": s.idp.IdentityProvider(), "Certificate": certificateText(s.idp.IdentityProvider()),
	})
}

func certificateText(idp sso.IdentityProvider) string {
	var b strings.Builder
	for _, c := range idp.Certificates {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}

func (s *server) saveApplication(w http.ResponseWriter, r *http.Request) {
	before, ok := s.numbered(w, r)
	if !ok {
		return
	}
	form, ok := s.adminForm(w, r)
	if !ok {
		return
	}
	if form.Has("delete") {
		s.replace(before, nil)
		http.Redirect(w, r, "/admin/", http.StatusSeeOther)
		return
	}
	app := formApplication(form, before)
	if problem := s.faultOf(app, before); problem != "" {
		s.applicationPage(w, http.StatusUnprocessableEntity, r, app, problem)
		return
	}
	if !s.replace(before, &app) {
		s.fail(w, http.StatusConflict, "The application was changed meanwhile.", "Go back, load the page again, and repeat your change.")
		return
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
}

// formApplication is the application as it was typed.
func formApplication(form url.Values, before Application) Application {
	app := Application{
		Name: strings.TrimSpace(form.Get("name")), EntityID: strings.TrimSpace(form.Get("entityID")), ACSURL: strings.TrimSpace(form.Get("acsURL")),
		GroupAttribute: strings.TrimSpace(form.Get("groupAttribute")), SLOURL: before.SLOURL, Options: before.Options,
	}
	if !form.Has("usual") {
		app.Statements = []Statement{}
		for i, name := range form["statementName"] {
			st := Statement{strings.TrimSpace(name), strings.TrimSpace(at(form["statementValue"], i))}
			if st != (Statement{}) {
				app.Statements = append(app.Statements, st)
			}
		}
	}
	if !form.Has("everyone") {
		app.Assigned = append([]string{}, form["assigned"]...)
	}
	return app
}

// faultOf says what is wrong with the settings, "" for nothing.
func (s *server) faultOf(app, before Application) string {
	u, err := url.Parse(app.ACSURL)
	switch {
	case app.EntityID == "":
		return "Audience URI (SP Entity ID) is empty."
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "Single Sign-On URL must be an absolute address that begins with https://, or http:// on this machine."
	}
	if other, known := s.idp.application(app.EntityID); known && app.EntityID != before.EntityID {
		return fmt.Sprintf("%s has this Audience URI (SP Entity ID) already.", other.title())
	}
	for _, st := range app.Statements {
		if st.Name == "" {
			return fmt.Sprintf("The attribute statement %q has no name.", st.Expression)
		}
		if _, err := evaluate(st.Expression, Person{}); err != nil {
			return strings.TrimPrefix(err.Error(), "ssotest: ") + "."
		}
	}
	return ""
}

// replace puts another application in the place of one, or none. It fails if
// that one is not there as it was.
func (s *server) replace(before Application, with *Application) bool {
	p := s.idp
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.apps, func(a Application) bool {
		return a.EntityID == before.EntityID && a.ACSURL == before.ACSURL && a.Name == before.Name
	})
	if i < 0 {
		return false
	}
	if with == nil {
		p.apps = slices.Delete(p.apps, i, i+1)
	} else {
		p.apps[i] = with.clone()
	}
	return true
}

func (s *server) adminForm(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, http.StatusBadRequest, "The form cannot be read.", "Go back and try again.")
		return nil, false
	}
	return r.PostForm, true
}

func at(values []string, i int) string {
	if i < len(values) {
		return strings.TrimSpace(values[i])
	}
	return ""
}

// list splits names at commas.
func list(s string) []string {
	var names []string
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// joined is the opposite of list.
func joined(names []string) string { return strings.Join(names, ", ") }
