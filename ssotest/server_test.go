package ssotest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// served is a practice IdP on loopback with one application.
func served(t *testing.T, c Config) (*IdP, *sso.Connection, *http.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	c.BaseURL = "http://" + server.Listener.Addr().String()
	c.Key = fixedKey(t, "idp")
	idp := NewIdP(c)
	conn := idp.Connection(sso.ServiceProvider{})
	if c.Applications == nil {
		idp.SetApplications(Application{Name: "CRM", EntityID: conn.SP.EntityID, ACSURL: conn.SP.ACSURL})
	}
	server.Config.Handler = idp.Handler()
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return idp, conn, &http.Client{Jar: jar}
}

type visit struct {
	status int
	header http.Header
	body   string
	fields url.Values
}

func visited(t *testing.T, res *http.Response, err error) visit {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return visit{res.StatusCode, res.Header, html.UnescapeString(string(body)), inputs(string(body))}
}

func redirectTo(t *testing.T, c *sso.Connection, o sso.RequestOptions) (*sso.AuthnRequest, string) {
	t.Helper()
	req, err := c.NewAuthnRequest(o)
	if err != nil {
		t.Fatal(err)
	}
	address, err := req.RedirectURL("the-state")
	if err != nil {
		t.Fatal(err)
	}
	return req, address
}

func TestHandlerSignsIn(t *testing.T) {
	t.Parallel()
	for _, binding := range []string{"redirect", "post"} {
		for _, profile := range []Profile{Plain, Okta, Google} {
			t.Run(binding+string(profile), func(t *testing.T) {
				t.Parallel()
				_, c, client := served(t, Config{Profile: profile})
				req, address := redirectTo(t, c, sso.RequestOptions{})
				var page visit
				if binding == "redirect" {
					res, err := client.Get(address)
					page = visited(t, res, err)
				} else {
					form, err := req.PostForm("the-state")
					if err != nil {
						t.Fatal(err)
					}
					res, err := client.PostForm(c.IdP.SSOURL, inputs(string(form)))
					page = visited(t, res, err)
				}
				if page.status != http.StatusOK || !strings.Contains(page.body, "Sign in to CRM") || !strings.Contains(page.body, "Борис Петров") {
					t.Fatalf("got %d:\n%s", page.status, page.body)
				}
				page.fields.Set("person", "boris@example.com")
				res, err := client.PostForm(c.IdP.SSOURL, page.fields)
				answer := visited(t, res, err)
				if !strings.Contains(answer.body, `action="`+c.SP.ACSURL+`"`) {
					t.Errorf("the answer does not go to the ACS:\n%s", answer.body)
				}
				if got := answer.fields.Get("RelayState"); got != "the-state" {
					t.Errorf("RelayState: got %q", got)
				}
				a, err := c.VerifyResponse(t.Context(), answer.fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Profile(a); got.Name != "Борис Петров" || got.Email != "boris@example.com" {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

// TestHandlerErrors shows what real IdPs show, each beside the same request
// with nothing wrong.
func TestHandlerErrors(t *testing.T) {
	t.Parallel()
	idp, c, client := served(t, Config{})
	other := *c
	other.SP.EntityID += "/"
	moved := *c
	moved.SP.ACSURL += "/"
	_, good := redirectTo(t, c, sso.RequestOptions{})
	_, unknown := redirectTo(t, &other, sso.RequestOptions{})
	_, mismatch := redirectTo(t, &moved, sso.RequestOptions{})
	for name, k := range map[string]struct {
		address string
		status  int
		says    string
	}{
		"good":            {good, http.StatusOK, "Who are you?"},
		"unknown SP":      {unknown, http.StatusForbidden, `no application has that Audience URI (SP Entity ID). Configured are "` + c.SP.EntityID + `"`},
		"ACS mismatch":    {mismatch, http.StatusForbidden, `The Single Sign-On URL of CRM is "` + c.SP.ACSURL + `"`},
		"no request":      {c.IdP.SSOURL, http.StatusBadRequest, "There is no SAMLRequest"},
		"bad base64":      {c.IdP.SSOURL + "?SAMLRequest=***", http.StatusBadRequest, "cannot be read"},
		"not deflated":    {c.IdP.SSOURL + "?SAMLRequest=PHg%2B", http.StatusBadRequest, "cannot be read"},
		"unknown address": {c.IdP.SSOURL + "/x", http.StatusNotFound, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := client.Get(k.address)
			got := visited(t, res, err)
			if got.status != k.status || !strings.Contains(got.body, k.says) {
				t.Errorf("got %d, want %d with %q:\n%s", got.status, k.status, k.says, got.body)
			}
		})
	}
	if len(idp.Applications()) != 1 {
		t.Error("a request changed the applications")
	}
}

func choose(t *testing.T, c *sso.Connection, client *http.Client, address string, set ...string) visit {
	t.Helper()
	res, err := client.Get(address)
	page := visited(t, res, err)
	for i := 0; i < len(set); i += 2 {
		page.fields.Set(set[i], set[i+1])
	}
	res, err = client.PostForm(c.IdP.SSOURL, page.fields)
	return visited(t, res, err)
}

func TestHandlerPeople(t *testing.T) {
	t.Parallel()
	idp, c, client := served(t, Config{})
	apps := idp.Applications()
	apps[0].Assigned = []string{"ann@example.com"}
	idp.SetApplications(apps...)
	req, address := redirectTo(t, c, sso.RequestOptions{})
	verify := func(v visit) (*sso.Assertion, error) {
		return c.VerifyResponse(t.Context(), v.fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
	}
	reason := func(err error) sso.Reason {
		if e, ok := err.(*sso.VerifyError); ok {
			return e.Reason
		}
		return ""
	}
	if _, err := verify(choose(t, c, client, address, "person", "ann@example.com")); err != nil {
		t.Errorf("assigned: %v", err)
	}
	if got := choose(t, c, client, address, "person", "boris@example.com"); got.status != http.StatusForbidden || !strings.Contains(got.body, "not assigned") {
		t.Errorf("not assigned: got %d:\n%s", got.status, got.body)
	}
	if got := choose(t, c, client, address, "person", "nobody@example.com"); got.status != http.StatusForbidden {
		t.Errorf("nobody: got %d", got.status)
	}
	if _, err := verify(choose(t, c, client, address, "person", "")); reason(err) != sso.ReasonStatus {
		t.Errorf("cancelled: got %v, want a refusal for status", err)
	}
	if _, err := verify(choose(t, c, client, address, "person", "ann@example.com", "misbehave", "wrong-audience")); reason(err) != sso.ReasonAudience {
		t.Errorf("misbehaved: got %v, want a refusal for audience", err)
	}
	if got := choose(t, c, client, address, "person", "ann@example.com", "misbehave", "x"); got.status != http.StatusInternalServerError {
		t.Errorf("unknown misbehaviour: got %d", got.status)
	}
	idp.SetPeople(Person{FirstName: "Ann", LastName: "Lee-Park", Email: "ann@example.com"})
	a, err := verify(choose(t, c, client, address, "person", "ann@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Profile(a).Name; got != "Ann Lee-Park" {
		t.Errorf("after a change of name: got %q", got)
	}
}

func TestHandlerPassive(t *testing.T) {
	t.Parallel()
	_, c, client := served(t, Config{})
	req, address := redirectTo(t, c, sso.RequestOptions{IsPassive: true})
	res, err := client.Get(address)
	page := visited(t, res, err)
	_, err = c.VerifyResponse(t.Context(), page.fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
	if err == nil || !strings.Contains(err.Error(), "NoPassive") {
		t.Errorf("got %v, want NoPassive", err)
	}
}

func TestHandlerStartsByItself(t *testing.T) {
	t.Parallel()
	_, c, client := served(t, Config{})
	base := strings.TrimSuffix(c.IdP.SSOURL, "/sso")
	res, err := client.Get(base + "/")
	portal := visited(t, res, err)
	if portal.status != http.StatusOK || !strings.Contains(portal.body, c.IdP.SSOURL) {
		t.Fatalf("got %d:\n%s", portal.status, portal.body)
	}
	res, err = client.PostForm(base+"/start", url.Values{"application": {c.SP.EntityID}, "person": {"ann@example.com"}})
	answer := visited(t, res, err)
	a, err := c.VerifyResponse(t.Context(), answer.fields.Get("SAMLResponse"), sso.VerifyOptions{AllowIdPInitiated: true, Replay: &memory{}})
	if err != nil || a.InResponseTo != "" {
		t.Errorf("got %+v, %v", a, err)
	}
	res, err = client.PostForm(base+"/start", url.Values{"application": {"https://other.example.com"}, "person": {"ann@example.com"}})
	if got := visited(t, res, err); got.status != http.StatusForbidden {
		t.Errorf("unknown application: got %d", got.status)
	}
}

func TestHandlerHeaders(t *testing.T) {
	t.Parallel()
	_, c, client := served(t, Config{})
	_, address := redirectTo(t, c, sso.RequestOptions{})
	res, err := client.Get(address)
	got := visited(t, res, err)
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "script-src 'sha256-", "style-src 'sha256-"} {
		if !strings.Contains(policy, want) {
			t.Errorf("Content-Security-Policy %q lacks %q", policy, want)
		}
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Error("the login page may be kept")
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	idp, c, client := served(t, Config{Profile: Okta})
	idp.SetApplications(Application{
		EntityID: c.SP.EntityID, ACSURL: c.SP.ACSURL,
		Statements:     []Statement{{"displayName", `user.firstName + " " + user.lastName`}, {"mail", "user.email"}},
		GroupAttribute: "groups",
	})
	req, address := redirectTo(t, c, sso.RequestOptions{})
	a, err := c.VerifyResponse(t.Context(), choose(t, c, client, address, "person", "ann@example.com").fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, attribute := range a.Attributes {
		got[attribute.Name] = attribute.Values
	}
	want := map[string][]string{"displayName": {"Ann Lee"}, "mail": {"ann@example.com"}, "groups": {"Sales", "Everyone"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	person := Person{FirstName: "Ann", LastName: "Lee", Email: "ann@example.com"}
	for expression, want := range map[string]string{
		"user.email":                            "ann@example.com",
		" user.firstName+user.lastName ":        "AnnLee",
		`user.firstName + " " + user.lastName`:  "Ann Lee",
		`'a + b' + "c"`:                         "a + bc",
		`user.displayName`:                      "Ann Lee",
		`"` + `"`:                               "",
		`user.lastName + ', ' + user.firstName`: "Lee, Ann",
	} {
		got, err := evaluate(expression, person)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", expression, got, err, want)
		}
	}
	for _, expression := range []string{"", "user.", "user.email +", "+ user.email", `"open`, "user.email user.email", "user.password"} {
		if got, err := evaluate(expression, person); err == nil {
			t.Errorf("%q: got %q, want an error", expression, got)
		}
	}
}
