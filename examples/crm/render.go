package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// templates are the pages, each with the layout around it.
type templates struct {
	shared *template.Template
	pages  map[string]*template.Template
}

func parseTemplates() (*templates, error) {
	shared, err := template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	t := &templates{pages: map[string]*template.Template{}}
	if t.shared, err = shared.Clone(); err != nil {
		return nil, err
	}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		page, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if t.pages[name], err = page.ParseFS(templateFiles, f); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// page is what every template is executed with.
type page struct {
	Lang    string
	Title   string // a text's name
	Path    string // to come back to after a change of language
	User    *user  // nil: nobody is signed in
	Account string
	Flash   string // what was just done
	Data    any
}

// With is the page with other data, for a part of it.
func (p *page) With(data any) *page {
	part := *p
	part.Data = data
	return &part
}

// T is a text in the page's language. Arguments fill its verbs.
func (p *page) T(name string, args ...any) (string, error) {
	s, ok := texts[p.Lang][name]
	if !ok {
		return "", fmt.Errorf("no text %q in %q", name, p.Lang)
	}
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s, nil
}

// render writes a page, whole or not at all.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	p := &page{Lang: language(r), Title: title, Path: "/", User: a.currentUser(r), Account: "Acme", Data: data}
	if r.Method == http.MethodGet {
		p.Path = r.URL.RequestURI()
	} else if status != http.StatusNotFound {
		p.Path = r.URL.Path
	}
	p.Flash = a.sessions.PopString(r.Context(), sessionFlash)
	var b bytes.Buffer
	if err := a.templates.pages[name].ExecuteTemplate(&b, "layout", p); err != nil {
		a.log.Error("a page", "name", name, "error", err)
		http.Error(w, texts[p.Lang]["internal"], http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// renderPart writes one template of the shared ones, for a script.
func (a *app) renderPart(w http.ResponseWriter, r *http.Request, name string, data any) {
	var b bytes.Buffer
	if err := a.templates.shared.ExecuteTemplate(&b, name, &page{Lang: language(r), Data: data}); err != nil {
		a.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// problem is a page that says what is wrong.
func (a *app) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	a.render(w, r, status, "problem", "problem", text)
}

// failed is for what is nobody's fault here: a store that is down, most likely.
func (a *app) failed(w http.ResponseWriter, r *http.Request, err error) {
	a.log.Error("request failed", "path", r.URL.Path, "error", err)
	a.problem(w, r, http.StatusInternalServerError, "internal")
}

const sessionFlash = "flash"

// done goes on to a page that says, once, what was done: a text's name.
func (a *app) done(w http.ResponseWriter, r *http.Request, to, text string) {
	a.sessions.Put(r.Context(), sessionFlash, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
}
