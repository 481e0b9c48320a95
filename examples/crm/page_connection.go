package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssohttp"
)

// maxConnectionForm bounds the form with an uploaded file, in bytes.
const maxConnectionForm = 8 << 20

type connectionData struct {
	Conn        *sso.Connection // as it is stored
	MetadataURL string
	Form        connectionForm
	Roles       []string
	Groups      []choice
	Errors      errorsAt
	Conflict    bool         // somebody else saved meanwhile
	Changed     []difference // and what
	Recognised  *recognised
	Warnings    []string
	Why         string // it cannot be on, or a sentence of none
	Run         *testRun
}

func (a *app) showConnection(w http.ResponseWriter, r *http.Request, me *user) {
	c, _, ok := a.pathConnection(w, r, me)
	if !ok {
		return
	}
	d := connectionData{Conn: c, Form: formOf(c)}
	if run := r.URL.Query().Get("run"); run != "" {
		d.Run = a.testRun(r, c, run)
	}
	if r.URL.Query().Has("part") { // for the script: what came of the test, alone
		a.renderPart(w, r, "check", d.Run)
		return
	}
	a.connectionPage(w, r, me, http.StatusOK, d)
}

func (a *app) connectionPage(w http.ResponseWriter, r *http.Request, me *user, status int, d connectionData) {
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	lang := language(r)
	d.Roles, d.Groups = roles, choices(groups, d.Form.Groups)
	d.MetadataURL = a.baseURL + "/sso/" + url.PathEscape(d.Conn.ID) + "/metadata"
	d.Warnings = expiry(lang, d.Conn, time.Now())
	d.Why = whyOff(lang, d.Conn)
	if d.Form.Certificate != "" {
		d.Recognised = recogniseCertificates(lang, d.Form.Certificate)
	}
	a.render(w, r, status, "connection", "connection", d)
}

func (a *app) saveConnection(w http.ResponseWriter, r *http.Request, me *user) {
	form, ok := a.form(w, r, maxConnectionForm)
	if !ok {
		return
	}
	stored, version, ok := a.pathConnection(w, r, me)
	if !ok {
		return
	}
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	d := connectionData{Conn: stored, Form: readConnectionForm(form, groups)}
	next := *stored
	d.Errors = d.Form.apply(&next, uploadedText(r, "metadata"), language(r), func(address string) (*sso.IdPMetadata, error) {
		// An address in our own network is fetched only where the application
		// itself is for trying things out on one machine.
		refresher := sso.Refresher{AllowPrivate: strings.HasPrefix(a.baseURL, "http:")}
		return refresher.Fetch(r.Context(), address)
	})
	if len(d.Errors) > 0 {
		a.connectionPage(w, r, me, http.StatusUnprocessableEntity, d)
		return
	}
	if d.Form.Version != versionOf(stored) {
		a.conflict(w, r, me, d)
		return
	}
	// The switch follows the settings: changed ones were not tested, so the
	// library refuses to have them on.
	next.Disable()
	if d.Form.Enabled {
		_ = next.Enable() // the page says why, see whyOff
	}
	_, err = a.db.sso.SaveConnection(r.Context(), &next, version)
	switch {
	case errors.Is(err, sso.ErrConflict):
		if d.Conn, _, ok = a.pathConnection(w, r, me); ok {
			a.conflict(w, r, me, d)
		}
	case err != nil:
		a.failed(w, r, err)
	case form.Get("action") == "test":
		a.startTest(w, r, &next)
	case d.Form.Enabled && !next.Enabled && stored.Enabled:
		a.done(w, r, "/settings/sso/"+next.ID, "switched_off")
	case d.Form.Enabled && !next.Enabled:
		a.done(w, r, "/settings/sso/"+next.ID, "saved_off")
	default:
		a.done(w, r, "/settings/sso/"+next.ID, "saved")
	}
}

// conflict tells of what somebody else saved meanwhile. Nothing that was typed
// is lost, and saving again is a decision.
func (a *app) conflict(w http.ResponseWriter, r *http.Request, me *user, d connectionData) {
	d.Conflict, d.Changed = true, differences(d.Conn, d.Form, language(r))
	d.Form.Version = versionOf(d.Conn)
	a.connectionPage(w, r, me, http.StatusConflict, d)
}

// startTest answers "Save and test the connection": the script opens the test
// in a tab of its own; without the script there is a page with a link.
func (a *app) startTest(w http.ResponseWriter, r *http.Request, c *sso.Connection) {
	run := rand.Text()
	test := "/sso/" + url.PathEscape(c.ID) + "/test?run=" + run
	page := "/settings/sso/" + url.PathEscape(c.ID) + "?run=" + run
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"test": test, "page": page})
		return
	}
	a.render(w, r, http.StatusOK, "testing", "test", map[string]string{"Test": test, "Page": page})
}

// testRun is what came of a test, for a person.
type testRun struct {
	ssohttp.TestRun
	Failed, Warned []sso.Check
	Page, Test     string
}

// testRun asks the library's handler, which knows whose test it was.
func (a *app) testRun(r *http.Request, c *sso.Connection, run string) *testRun {
	query := "?run=" + url.QueryEscape(run)
	t := &testRun{Page: "/settings/sso/" + url.PathEscape(c.ID) + query, Test: "/sso/" + url.PathEscape(c.ID) + "/test" + query}
	answer := &recorder{header: http.Header{}}
	ask := r.Clone(r.Context())
	ask.Header.Set("Accept", "application/json")
	a.sso.TestResult().ServeHTTP(answer, ask)
	if err := json.Unmarshal([]byte(answer.body.String()), &t.TestRun); err != nil {
		t.Status = ssohttp.StatusUnknown
	}
	if t.Report != nil {
		for _, k := range t.Report.Checks {
			k.Hint = checkText(language(r), k)
			switch k.Status {
			case sso.CheckFailed:
				t.Failed = append(t.Failed, k)
			case sso.CheckWarning:
				if k.Want == "groups" {
					continue // no rule of this application needs those of the IdP
				}
				t.Warned = append(t.Warned, k)
			}
		}
	}
	return t
}

// recorder is a http.ResponseWriter that keeps the body.
type recorder struct {
	header http.Header
	body   strings.Builder
}

// Header is the answer's header.
func (r *recorder) Header() http.Header { return r.header }

// Write keeps b.
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// WriteHeader drops the status: the body says enough.
func (r *recorder) WriteHeader(int) {}

// uploadedText is the content of an uploaded file, "" without one.
func uploadedText(r *http.Request, name string) string {
	f, _, err := r.FormFile(name)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	return string(text)
}
