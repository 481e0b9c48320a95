package ssohttp

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/ssoconn/sso"
)

// A Page is what the templates "refused", "tested" and "repost" are executed
// with. The Content-Security-Policy of every page allows styles, images and
// fonts from our own origin, and no scripts but the ones in Script.
type Page struct {
	Lang  string            // "en" or "ru"
	Text  map[string]string // the words of our own pages in that language
	Title string

	// Of refused: a calm sentence, the refusal's code and number, and the
	// address of Landing.Default.
	Sentence, Code, Reference, Home string

	// Of tested: what came of it, and whether this is the tab that is to close.
	Run     *TestRun
	Closing bool

	// Of repost: the form's fields. It must be posted, by POST, to the address
	// that it came from (an empty action), with the three fields SAMLResponse,
	// RelayState and sso_again.
	SAMLResponse, RelayState string

	// Script is the script element of repost and tested: it submits the first
	// form, or closes the tab. A page without it works by hand.
	Script template.HTML
}

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

const (
	submitScript = `document.forms[0].submit()`
	closeScript  = `window.close()`
)

// policy is the Content-Security-Policy of our pages. A form of ours goes to
// our own address only, nobody may frame a page of ours, and what the texts of
// an IdP might smuggle in could not run.
var policy = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"style-src 'self' " + hashSource(pagesCSS) + "; img-src 'self'; font-src 'self'; " +
	"script-src " + hashSource(submitScript) + " " + hashSource(closeScript)

func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

type pages struct {
	templates map[string]*template.Template
	// rendered keeps our own page of refusal, for a flood of them: a text for
	// each language, sentence and code, all of which are few. Nil: the
	// application's template, which may say something else each time.
	rendered *sync.Map
}

// placeholder stands in a rendered page for the reference, of whose letters it
// is, so that it is escaped alike everywhere.
const placeholder = "REFERENCE-GOES-HERE"

// newPages takes the application's templates and our own for the rest, and
// executes each once, so that a mistake shows at the start.
func newPages(override *template.Template) (*pages, error) {
	own, err := template.New("").Parse(strings.Replace(pagesHTML, "STYLE", pagesCSS, 1))
	if err != nil {
		return nil, err
	}
	p := &pages{templates: map[string]*template.Template{}}
	if override == nil || override.Lookup("refused") == nil {
		p.rendered = new(sync.Map)
	}
	for _, name := range []string{"refused", "tested", "repost"} {
		t := own.Lookup(name)
		if override != nil && override.Lookup(name) != nil {
			t = override.Lookup(name)
		}
		p.templates[name] = t
		if err := t.Execute(io.Discard, &Page{Lang: "en", Text: texts["en"], Run: &TestRun{Report: &sso.Report{}}}); err != nil {
			return nil, fmt.Errorf("template %q: %w", name, err)
		}
	}
	return p, nil
}

// serve writes a page, whole or not at all.
func (p *pages) serve(w http.ResponseWriter, status int, name string, page *Page) {
	text := p.render(name, page)
	header := w.Header()
	pageHeader(header, policy)
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (p *pages) render(name string, page *Page) string {
	if name != "refused" || p.rendered == nil {
		return p.execute(name, page)
	}
	key := [3]string{page.Lang, page.Sentence, page.Code}
	text, ok := p.rendered.Load(key)
	if !ok {
		anybody := *page
		anybody.Reference = placeholder
		text = p.execute(name, &anybody)
		p.rendered.Store(key, text)
	}
	return strings.Replace(text.(string), placeholder, page.Reference, 1)
}

func (p *pages) execute(name string, page *Page) string {
	var b strings.Builder
	if err := p.templates[name].Execute(&b, page); err != nil {
		// The templates were tried in New; what is left is the application's.
		return template.HTMLEscapeString(page.Sentence + " " + page.Reference)
	}
	return b.String()
}

// pageHeader sets what every page of ours says of itself.
func pageHeader(header http.Header, csp string) {
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", csp)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// again has the browser post the same form once more, from our own page.
func (h *Handlers) again(w http.ResponseWriter, r *http.Request, form *acsForm) *failure {
	lang := h.language(r)
	h.pages.serve(w, http.StatusOK, "repost", &Page{Lang: lang, Text: texts[lang], Title: texts[lang]["moment"],
		SAMLResponse: form.response, RelayState: form.relayState, Script: scriptElement(submitScript)})
	return nil
}

func (h *Handlers) showRun(w http.ResponseWriter, r *http.Request, run *TestRun, closing bool) {
	lang := h.language(r)
	p := &Page{Lang: lang, Text: texts[lang], Run: run, Closing: closing}
	title := "failed"
	switch {
	case run.Status == StatusUnknown:
		title = "unknown"
	case run.Status == StatusRunning:
		title = "running"
	case run.Passed:
		title = "passed"
	}
	p.Title = p.Text[title]
	if closing {
		p.Script = scriptElement(closeScript)
	}
	h.pages.serve(w, http.StatusOK, "tested", p)
}

func scriptElement(s string) template.HTML {
	return template.HTML("<script>" + s + "</script>")
}

// language is that of the visitor, as far as the pages speak it.
func (h *Handlers) language(r *http.Request) string {
	if h.config.Language != nil {
		if l := h.config.Language(r); texts[l] != nil {
			return l
		}
	}
	best, bestQ := "en", 0.0
	header := r.Header.Get("Accept-Language")
	for range 20 { // people speak few languages; a header of thousands is not read to the end
		var item string
		item, header, _ = strings.Cut(header, ",")
		tag, parameters, _ := strings.Cut(strings.TrimSpace(item), ";")
		tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if texts[tag] != nil && q > bestQ {
			best, bestQ = tag, q
		}
		if header == "" {
			break
		}
	}
	return best
}
