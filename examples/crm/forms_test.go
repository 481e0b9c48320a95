package main

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// visitor is a browser without a screen.
type visitor struct {
	t    *testing.T
	http *http.Client
	base string
}

func newVisitor(t *testing.T, s *servers) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, base: s.appURL, http: &http.Client{Jar: jar}}
}

func (v *visitor) do(req *http.Request) (int, string) {
	v.t.Helper()
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) post(path string, fields url.Values, files ...string) (int, string) {
	v.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, values := range fields {
		for _, value := range values {
			if err := form.WriteField(name, value); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	for i := 0; i+1 < len(files); i += 2 {
		w, err := form.CreateFormFile(files[i], files[i]+".xml")
		if err != nil {
			v.t.Fatal(err)
		}
		_, _ = w.Write([]byte(files[i+1]))
	}
	if err := form.Close(); err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, v.base+path, &b)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	return v.do(req)
}

func (v *visitor) login(email string) {
	v.t.Helper()
	if status, body := v.post("/login/acme", url.Values{"email": {email}, "password": {demoPassword}}); status != http.StatusOK {
		v.t.Fatalf("login: %d\n%s", status, body)
	}
}

var versionInput = regexp.MustCompile(`name="version" value="([^"]*)"`)

// connection makes one that is filled in, and returns its path and form.
func (v *visitor) connection(s *servers) (path string, form url.Values) {
	v.t.Helper()
	res, err := v.http.PostForm(v.base+"/settings/sso", url.Values{"name": {"Okta"}})
	if err != nil {
		v.t.Fatal(err)
	}
	_ = res.Body.Close()
	path = res.Request.URL.Path
	idp := s.practice.idp.IdentityProvider()
	pem, err := idp.Certificates.MarshalText()
	if err != nil {
		v.t.Fatal(err)
	}
	form = url.Values{"name": {"Okta"}, "sso_url": {idp.SSOURL}, "issuer": {idp.EntityID}, "certificate": {string(pem)}, "role": {roleSales}, "groups": {"Sales"}}
	v.version(path, form)
	if status, body := v.post(path, form); status != http.StatusOK || !strings.Contains(body, texts["en"]["saved"]) {
		v.t.Fatalf("saving: %d\n%s", status, body)
	}
	v.version(path, form)
	return path, form
}

// version takes the form's hidden field from the page.
func (v *visitor) version(path string, form url.Values) {
	v.t.Helper()
	_, body := v.get(path)
	m := versionInput.FindStringSubmatch(body)
	if m == nil {
		v.t.Fatalf("no version in\n%s", body)
	}
	form.Set("version", m[1])
}

// switchOn stands in for a test that passed, and returns the connection's ID.
func (s *servers) switchOn(t *testing.T, path string) string {
	t.Helper()
	id := strings.TrimPrefix(path, "/settings/sso/")
	c, version, err := s.db.sso.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	c.RecordTest(&sso.Report{Checks: []sso.Check{{Name: "all", Status: sso.CheckPassed}}}, time.Now(), "the test", "")
	if err := c.Enable(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.sso.SaveConnection(t.Context(), c, version); err != nil {
		t.Fatal(err)
	}
	return id
}

func with(form url.Values, field, value string) url.Values {
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	out[field] = []string{value}
	return out
}

// shown is a value as a page holds it: escaped, and without the line ends that
// forms normalise.
func shown(body, value string) bool {
	return strings.Contains(html.UnescapeString(body), value)
}

// TestBadInput puts nothing, rubbish, a script and a megabyte into every field
// of every form: the page comes back with it and says what is wrong.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	admin := newVisitor(t, s)
	admin.login("olga@example.com")
	path, good := admin.connection(s)
	ann, err := users{s.db}.byEmail(t.Context(), seedAccount, "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ready, _ := admin.connection(s)
	on := s.switchOn(t, ready)
	person := url.Values{"name": {"Ann Lee"}, "role": {roleManager}, "groups": {"Sales"}}
	const script = `"><script>alert(1)</script>`
	bad := map[string]string{
		"nothing": "", "rubbish": "☃\u202e\x01 %00 ' OR 1=1 --", "script": script, "a megabyte": strings.Repeat("<&é", 1<<20/4),
	}
	for _, f := range []struct {
		path   string
		form   url.Values
		field  string
		except string // these are fine there, or cannot come back
		back   bool   // what was typed is on the page
	}{
		{path, good, "name", "script", true},
		{path, good, "sso_url", "", true},
		{path, good, "issuer", "", true},
		{path, good, "certificate", "", true},
		{path, good, "role", "", false},
		{"/settings/sso", url.Values{}, "name", "script", true},
		{"/settings/users/" + ann.ID, person, "name", "script", true},
		{"/settings/users/" + ann.ID, person, "role", "", false},
		{"/settings/invitations", url.Values{}, "connection", "", false},
		{"/settings/invitations", url.Values{"connection": {on}}, "email", "nothing", true},
		{"/login/acme", url.Values{"password": {"x"}}, "email", "", true},
		{"/login/acme", url.Values{"email": {"olga@example.com"}}, "password", "", false},
	} {
		for kind, value := range bad {
			if kind == f.except {
				continue
			}
			t.Run(fmt.Sprintf("%s of %s/%s", f.field, strings.Split(f.path, "/")[1], kind), func(t *testing.T) {
				v := *admin
				v.t = t
				status, body := v.post(f.path, with(f.form, f.field, value))
				if status != http.StatusUnprocessableEntity {
					t.Fatalf("got %d, want 422:\n%.3000s", status, body)
				}
				if f.back && !shown(body, value) {
					t.Error("what was typed did not come back")
				}
				if strings.Contains(body, "<script>alert") {
					t.Error("the script is on the page")
				}
				if !strings.Contains(body, `aria-invalid="true"`) {
					t.Errorf("no field is marked as wrong:\n%.3000s", body)
				}
			})
		}
	}
	t.Run("a script is a name like another", func(t *testing.T) {
		v := *admin
		v.t = t
		status, body := v.post(path, with(good, "name", script))
		if status != http.StatusOK || strings.Contains(body, script) || !shown(body, script) {
			t.Errorf("got %d:\n%s", status, body)
		}
	})
	t.Run("too much for any form", func(t *testing.T) {
		v := *admin
		v.t = t
		if status, _ := v.post(path, with(good, "name", strings.Repeat("x", maxConnectionForm))); status != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", status)
		}
	})
}

func TestMetadataFile(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	v := newVisitor(t, s)
	v.login("olga@example.com")
	path, form := v.connection(s)
	other := ssotest.NewIdP(ssotest.Config{Profile: ssotest.Okta})
	for name, text := range map[string]string{"rubbish": "rubbish", "script": "<script>alert(1)</script>", "a megabyte": strings.Repeat("x", 1<<20)} {
		status, body := v.post(path, form, "metadata", text)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `aria-describedby="metadata-errors metadata-hint" aria-invalid="true"`) {
			t.Errorf("%s: got %d:\n%.3000s", name, status, body)
		}
	}
	if status, body := v.post(path, form, "metadata", string(other.Metadata())); status != http.StatusOK || !shown(body, other.EntityID()) || !shown(body, other.IdentityProvider().SSOURL) {
		t.Errorf("got %d:\n%s", status, body)
	}
}

// TestMetadataAddress has the server read the metadata from an address.
func TestMetadataAddress(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	v := newVisitor(t, s)
	v.login("olga@example.com")
	path, form := v.connection(s)
	other := ssotest.NewIdP(ssotest.Config{Profile: ssotest.Okta})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metadata" {
			http.NotFound(w, r)
			return
		}
		w.Write(other.Metadata())
	}))
	defer srv.Close()
	for name, address := range map[string]string{"nothing there": srv.URL + "/nothing", "rubbish": "rubbish", "a file": "file:///etc/passwd", "script": "<script>alert(1)</script>", "a megabyte": strings.Repeat("x", 1<<20)} {
		status, body := v.post(path, with(form, "metadata_address", address))
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `aria-describedby="metadata_address-errors" aria-invalid="true"`) {
			t.Errorf("%s: got %d:\n%.3000s", name, status, body)
		}
	}
	if status, body := v.post(path, with(form, "metadata_address", srv.URL+"/metadata")); status != http.StatusOK || !shown(body, other.EntityID()) || !shown(body, other.IdentityProvider().SSOURL) {
		t.Errorf("got %d:\n%s", status, body)
	}
}

// TestTwoAdministrators has two of them edit one connection at once.
func TestTwoAdministrators(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn string) {
		s := startServers(t, dsn)
		v := newVisitor(t, s)
		v.login("olga@example.com")
		path, form := v.connection(s)
		if status, body := v.post(path, with(form, "name", "First")); status != http.StatusOK {
			t.Fatalf("the first: %d\n%s", status, body)
		}
		second := with(form, "sso_url", "https://second.example.com/sso")
		status, body := v.post(path, second)
		if status != http.StatusConflict {
			t.Fatalf("the second: got %d, want 409:\n%s", status, body)
		}
		for _, want := range []string{texts["en"]["conflict"], "https://second.example.com/sso", "<dd>First</dd>"} {
			if !strings.Contains(html.UnescapeString(body), want) {
				t.Errorf("the page lacks %q:\n%s", want, body)
			}
		}
		if _, body := v.get(path); shown(body, "second.example.com") {
			t.Error("the second was saved all the same")
		}
		if status, body := v.post(path, with(form, "name", "First")); status != http.StatusConflict || !shown(body, texts["en"]["conflict_same"]) {
			t.Errorf("the same values as the first: %d\n%s", status, body)
		}
		// With the version of that page it is a decision.
		second.Set("version", versionInput.FindStringSubmatch(body)[1])
		if status, body := v.post(path, second); status != http.StatusOK || !shown(body, "second.example.com") {
			t.Errorf("the second, again: %d\n%s", status, body)
		}
	})
}

// TestAccess: who may see the settings, and from where forms are taken.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	admin, manager, nobody := newVisitor(t, s), newVisitor(t, s), newVisitor(t, s)
	admin.login("olga@example.com")
	manager.login("ann@example.com")
	path, form := admin.connection(s)
	for _, page := range []string{"/settings/users", "/settings/sso", path, "/settings/invitations"} {
		if status, _ := admin.get(page); status != http.StatusOK {
			t.Errorf("%s for an administrator: %d", page, status)
		}
		if status, _ := manager.get(page); status != http.StatusForbidden {
			t.Errorf("%s for a manager: %d", page, status)
		}
		if _, body := nobody.get(page); !strings.Contains(body, "password") {
			t.Errorf("%s for nobody does not lead to the login page", page)
		}
	}
	if status, _ := manager.post(path, form); status != http.StatusForbidden {
		t.Errorf("a manager saved: %d", status)
	}
	if status, _ := manager.get("/sso/" + strings.TrimPrefix(path, "/settings/sso/") + "/test?run=x"); status != http.StatusForbidden {
		t.Errorf("a manager tested: %d", status)
	}
	for origin, want := range map[string]int{"same-origin": http.StatusOK, "cross-site": http.StatusForbidden} {
		req, err := http.NewRequest(http.MethodPost, admin.base+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", origin)
		if status, _ := admin.do(req); status != want {
			t.Errorf("a form from %s: %d, want %d", origin, status, want)
		}
	}
}

// TestOtherAccount: an administrator sees the connections of their own account
// and no others.
func TestOtherAccount(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	v := newVisitor(t, s)
	v.login("olga@example.com")
	path, form := v.connection(s)
	if _, err := s.db.exec(t.Context(), s.db.pool, `INSERT INTO crm_accounts (id, name) VALUES ('other', 'Other')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.exec(t.Context(), s.db.pool, `UPDATE crm_connections SET account_id = 'other'`); err != nil {
		t.Fatal(err)
	}
	if status, _ := v.get(path); status != http.StatusNotFound {
		t.Errorf("the page: %d", status)
	}
	if status, _ := v.post(path, form); status != http.StatusNotFound {
		t.Errorf("saving: %d", status)
	}
	if _, body := v.get("/settings/sso"); strings.Contains(body, path) {
		t.Error("it is in the list")
	}
	if status, _ := v.get("/sso/" + strings.TrimPrefix(path, "/settings/sso/") + "/test?run=x"); status != http.StatusForbidden {
		t.Errorf("testing it: %d", status)
	}
}

// TestTexts holds both languages to the same names.
func TestTexts(t *testing.T) {
	t.Parallel()
	for name, text := range texts["en"] {
		if strings.Count(texts["ru"][name], "%s") != strings.Count(text, "%s") || texts["ru"][name] == "" {
			t.Errorf("%q is %q in Russian", name, texts["ru"][name])
		}
	}
	if len(texts["en"]) != len(texts["ru"]) {
		t.Errorf("%d texts in English, %d in Russian", len(texts["en"]), len(texts["ru"]))
	}
}
