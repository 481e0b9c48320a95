package ssotest

import (
	"encoding/base64"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// application is a service provider that sends requests in one binding and
// remembers used assertions.
func application(t *testing.T, idp *IdP, post bool) (string, *http.Client) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c := idp.Connection(sso.ServiceProvider{EntityID: server.URL, ACSURL: server.URL + "/acs"})
	replay := &memory{}
	var requestID string
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		req, err := c.NewAuthnRequest(sso.RequestOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		requestID = req.ID
		if post {
			page, err := req.PostForm("state")
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(page)
			return
		}
		to, err := req.RedirectURL("state")
		if err != nil {
			t.Error(err)
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	mux.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("RelayState") != "state" {
			t.Errorf("RelayState: got %q", r.PostFormValue("RelayState"))
		}
		a, err := c.VerifyResponse(r.Context(), r.PostFormValue("SAMLResponse"), sso.VerifyOptions{RequestID: requestID, Replay: replay})
		if err != nil {
			w.Header().Set("Reason", string(err.(*sso.VerifyError).Reason))
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Person", a.Subject.Value)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, &http.Client{Jar: jar}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, post := range map[string]bool{"redirect": false, "post": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, profile := range Profiles() {
				idp := NewIdP(Config{Profile: profile})
				url, client := application(t, idp, post)
				res, err := idp.SignIn(client, url+"/start", ann, Options{})
				if got := visited(t, res, err); got.header.Get("Person") != ann.Email {
					t.Errorf("%s: got %d, refused for %s", profile, got.status, got.header.Get("Reason"))
				}
			}
		})
	}
}

func TestSignInReplays(t *testing.T) {
	t.Parallel()
	idp := NewIdP(Config{})
	url, client := application(t, idp, false)
	res, err := idp.SignIn(client, url+"/login", ann, Options{Misbehave: "replayed"})
	if got := visited(t, res, err); got.header.Get("Reason") != string(sso.ReasonReplay) {
		t.Errorf("got %d, refused for %q, want a refusal for replay", got.status, got.header.Get("Reason"))
	}
}

func TestSignInFails(t *testing.T) {
	t.Parallel()
	idp, other := NewIdP(Config{}), NewIdP(Config{Profile: Okta})
	url, client := application(t, idp, false)
	for name, k := range map[string]struct {
		idp    *IdP
		client *http.Client
		path   string
		want   string
	}{
		"no jar":     {idp, &http.Client{}, "/login", "cookie jar"},
		"no client":  {idp, nil, "/login", "cookie jar"},
		"no request": {idp, client, "/broken", "418"},
		"other IdP":  {other, &http.Client{Jar: client.Jar, Transport: offline{}}, "/login", "offline"},
		"good":       {idp, client, "/login", ""},
	} {
		res, err := k.idp.SignIn(k.client, url+k.path, ann, Options{})
		if res != nil {
			_ = res.Body.Close()
		}
		if (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: got %v, want %q", name, err, k.want)
		}
	}
}

// offline reaches this machine only.
type offline struct{}

func (offline) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() == "127.0.0.1" {
		return http.DefaultTransport.RoundTrip(r)
	}
	return nil, errOffline
}

type offlineError struct{}

func (offlineError) Error() string { return "offline" }

var errOffline = offlineError{}

func TestMetadata(t *testing.T) {
	t.Parallel()
	for _, profile := range Profiles() {
		idp := NewIdP(Config{Profile: profile, Key: fixedKey(t, "idp"), OldKey: fixedKey(t, "idp2"), SLOURL: "https://idp.example.com/slo"})
		got, err := sso.ParseIdPMetadata(idp.Metadata())
		if err != nil {
			t.Errorf("%s: %v", profile, err)
			continue
		}
		if diff := cmp.Diff(idp.IdentityProvider(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", profile, diff)
		}
	}
}

// TestParseRequestRefuses has what is no AuthnRequest refused.
func TestParseRequestRefuses(t *testing.T) {
	t.Parallel()
	const ns = `xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`
	const issuer = "<saml:Issuer>sp</saml:Issuer>"
	for name, k := range map[string]struct {
		xml string
		ok  bool
	}{
		"good":        {`<samlp:AuthnRequest ` + ns + ` ID="_a">` + issuer + `</samlp:AuthnRequest>`, true},
		"other root":  {`<samlp:LogoutRequest ` + ns + ` ID="_a">` + issuer + `</samlp:LogoutRequest>`, false},
		"no ID":       {`<samlp:AuthnRequest ` + ns + `>` + issuer + `</samlp:AuthnRequest>`, false},
		"no issuer":   {`<samlp:AuthnRequest ` + ns + ` ID="_a"></samlp:AuthnRequest>`, false},
		"two issuers": {`<samlp:AuthnRequest ` + ns + ` ID="_a">` + issuer + issuer + `</samlp:AuthnRequest>`, false},
		"doctype":     {`<!DOCTYPE x><samlp:AuthnRequest ` + ns + ` ID="_a">` + issuer + `</samlp:AuthnRequest>`, false},
	} {
		form := map[string][]string{"SAMLRequest": {encode(k.xml)}}
		if _, err := ParseForm(form, false); (err == nil) != k.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := ParseRequest("https://idp.example.com/sso"); err == nil {
		t.Error("an address without a request is no error")
	}
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
