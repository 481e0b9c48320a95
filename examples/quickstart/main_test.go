package main

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(true, "127.0.0.1:0", "127.0.0.1:0", &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if want := "Hello, Ann Lee: ann@example.com, in Sales, Everyone\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end in %q", &out, want)
	}
}

// newApp serves the application with an IdP that is not served.
func newApp(t *testing.T) (string, *ssotest.IdP) {
	t.Helper()
	a := &app{}
	server := httptest.NewServer(a.routes())
	t.Cleanup(server.Close)
	idp := ssotest.NewIdP(ssotest.Config{})
	a.conn = idp.Connection(sso.ServiceProvider{EntityID: server.URL + "/saml/metadata", ACSURL: server.URL + "/saml/acs"})
	return server.URL, idp
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

var ann = ssotest.Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"}

// TestMisbehaviours holds the application to refusing every one of them. There
// is no memory of used assertions here, so a replay is stopped by its request:
// an answer with an old assertion to a new request is an IdP's own doing.
func TestMisbehaviours(t *testing.T) {
	t.Parallel()
	for _, m := range append(ssotest.Misbehaviours(), "") {
		if m == "replayed" {
			continue
		}
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			url, idp := newApp(t)
			res, err := idp.SignIn(newBrowser(t), url+"/login", ann, ssotest.Options{Misbehave: m})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			want := http.StatusForbidden
			if m == "" {
				want = http.StatusOK
			}
			if res.StatusCode != want {
				t.Errorf("got %s, want %d", res.Status, want)
			}
		})
	}
}

// TestOtherBrowser posts an answer from a browser that did not ask for it, as
// somebody would who wants another person to work in his account.
func TestOtherBrowser(t *testing.T) {
	t.Parallel()
	url, idp := newApp(t)
	mine, theirs := newBrowser(t), newBrowser(t)
	post := func(client *http.Client) int {
		stop := *mine
		stop.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := stop.Get(url + "/login")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		req, err := ssotest.ParseRequest(res.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := idp.Respond(req, ann, ssotest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		form := map[string][]string{"SAMLResponse": {answer}, "RelayState": {req.RelayState}}
		res, err = client.PostForm(req.ACSURL, form)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := post(theirs); got != http.StatusForbidden {
		t.Errorf("the other browser got %d", got)
	}
	if got := post(mine); got != http.StatusOK {
		t.Errorf("the right browser got %d", got)
	}
}

// TestOnceFails has the browser meet an application that does not work: then
// -once must not end well.
func TestOnceFails(t *testing.T) {
	t.Parallel()
	a := &app{conn: ssotest.NewIdP(ssotest.Config{}).Connection(sso.ServiceProvider{})}
	a.conn.IdP.SSOURL = "" // nobody pasted it
	server := httptest.NewServer(a.routes())
	t.Cleanup(server.Close)
	if err := signIn(server.URL, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "IdP.SSOURL") {
		t.Errorf("got %v, want an error about IdP.SSOURL", err)
	}
}
