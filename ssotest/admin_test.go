package ssotest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// TestAdmin sets an application up as an administrator would and signs in.
func TestAdmin(t *testing.T) {
	t.Parallel()
	idp, c, client := served(t, Config{Admin: true, Applications: []Application{}})
	base := strings.TrimSuffix(c.IdP.SSOURL, "/sso")
	post := func(path string, form url.Values) visit {
		t.Helper()
		res, err := client.PostForm(base+path, form)
		return visited(t, res, err)
	}
	page := post("/admin/applications", nil)
	if page.status != http.StatusOK || !strings.Contains(page.body, c.IdP.SSOURL) || !strings.Contains(page.body, "-----BEGIN CERTIFICATE-----") {
		t.Fatalf("got %d:\n%s", page.status, page.body)
	}
	settings := url.Values{
		"name": {"CRM"}, "acsURL": {" " + c.SP.ACSURL}, "entityID": {c.SP.EntityID + " "},
		"statementName": {"displayName", "email", ""}, "statementValue": {`user.firstName + " " + user.lastName`, "user.email", ""},
		"groupAttribute": {"groups"}, "assigned": {"ann@example.com"},
	}
	if got := post("/admin/applications/0", settings); got.status != http.StatusOK {
		t.Fatalf("got %d:\n%s", got.status, got.body)
	}
	want := []Application{{
		Name: "CRM", EntityID: c.SP.EntityID, ACSURL: c.SP.ACSURL, GroupAttribute: "groups", Assigned: []string{"ann@example.com"},
		Statements: []Statement{{"displayName", `user.firstName + " " + user.lastName`}, {"email", "user.email"}},
	}}
	if diff := cmp.Diff(want, idp.Applications(), cmp.Comparer(func(a, b Options) bool { return true })); diff != "" {
		t.Errorf("applications (-want +got):\n%s", diff)
	}
	post("/admin/people", url.Values{
		"first": {"Ann", "X", ""}, "last": {"Lee-Park", "Y", ""}, "email": {"ann@example.com", "", ""}, "groups": {" Sales ,, Managers", "", ""},
	})
	if diff := cmp.Diff([]Person{{FirstName: "Ann", LastName: "Lee-Park", Email: "ann@example.com", Groups: []string{"Sales", "Managers"}}}, idp.People()); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	req, address := redirectTo(t, c, sso.RequestOptions{})
	a, err := c.VerifyResponse(t.Context(), choose(t, c, client, address, "person", "ann@example.com").fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Profile(a); got.Name != "Ann Lee-Park" || len(got.Groups) != 2 {
		t.Errorf("got %+v", got)
	}

	// One setting at a time is wrong; nothing of it is kept.
	before := idp.Applications()
	for name, k := range map[string]struct{ field, value, says string }{
		"no entity ID":    {"entityID", "", "Audience URI (SP Entity ID) is empty"},
		"relative ACS":    {"acsURL", "/saml/acs", "Single Sign-On URL must be"},
		"script ACS":      {"acsURL", "javascript:alert(1)", "Single Sign-On URL must be"},
		"bad expression":  {"statementValue", "user.shoeSize", `unknown term "user.shoeSize"`},
		"nameless":        {"statementName", "", "has no name"},
		"the good itself": {"name", "CRM", ""},
	} {
		form := url.Values{}
		for key, values := range settings {
			form[key] = append([]string{}, values...)
		}
		form[k.field][0] = k.value
		got := post("/admin/applications/0", form)
		if k.says == "" && got.status != http.StatusOK || k.says != "" && (got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, k.says)) {
			t.Errorf("%s: got %d, want %q:\n%s", name, got.status, k.says, got.body)
		}
	}
	if diff := cmp.Diff(before, idp.Applications(), cmp.Comparer(func(a, b Options) bool { return true })); diff != "" {
		t.Errorf("refused settings were kept (-want +got):\n%s", diff)
	}

	if got := post("/admin/people", url.Values{"email": {"a@example.com", "a@example.com"}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("one address twice: got %d", got.status)
	}
	if got := post("/admin/applications/7", settings); got.status != http.StatusNotFound {
		t.Errorf("no such application: got %d", got.status)
	}
	if post("/admin/applications/0", url.Values{"delete": {"yes"}}); len(idp.Applications()) != 0 {
		t.Error("the application was not deleted")
	}
}

// TestAdminStaysShut has another site's page post to the administration, and
// an IdP that was not told to have one.
func TestAdminStaysShut(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]struct {
		admin  bool
		site   string
		status int
	}{
		"same origin":     {true, "same-origin", http.StatusOK},
		"cross site":      {true, "cross-site", http.StatusForbidden},
		"same site":       {true, "same-site", http.StatusForbidden},
		"not switched on": {false, "same-origin", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c, client := served(t, Config{Admin: k.admin})
			req, err := http.NewRequest(http.MethodPost, strings.TrimSuffix(c.IdP.SSOURL, "/sso")+"/admin/applications", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Sec-Fetch-Site", k.site)
			res, err := client.Do(req)
			if got := visited(t, res, err); got.status != k.status {
				t.Errorf("got %d, want %d", got.status, k.status)
			}
		})
	}
}
