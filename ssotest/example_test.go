package ssotest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// A handler is tested by signing in as a browser would, well and badly.
func ExampleIdP_SignIn() {
	idp := ssotest.NewIdP(ssotest.Config{Profile: ssotest.Okta})
	app, browser := newApp(idp) // the application under test

	for _, misbehave := range []ssotest.Misbehaviour{"", "wrong-audience", "attacker-certificate"} {
		res, err := idp.SignIn(browser, app.URL+"/login", ssotest.Login{Email: "ann@example.com"}, ssotest.Options{Misbehave: misbehave})
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = res.Body.Close()
		fmt.Printf("%d %q\n", res.StatusCode, misbehave.Description())
	}
	// Output:
	// 200 ""
	// 403 "The assertion is meant for another service provider."
	// 403 "It is signed with another key, whose certificate comes with it."
}

// Thousands of forgeries are tried on a handler with one call. Each family of
// them has honest answers too, which must be let in.
func ExampleIdP_Attack() {
	idp := ssotest.NewIdP(ssotest.Config{})
	app, _ := newApp(idp) // the application under test
	whoIsIn := func(browser *http.Client) (string, error) {
		res, err := browser.Get(app.URL + "/me")
		if err != nil {
			return "", err
		}
		defer func() { _ = res.Body.Close() }()
		name, err := io.ReadAll(res.Body)
		return string(name), err
	}

	report, err := idp.Attack(idp.HandlerTarget(nil, app.URL+"/login", whoIsIn), ssotest.AttackOptions{
		Only: []string{"wrap-both", "text-comment", "signature-key", "audience"}, // leave it out to try all
	})
	if err == nil {
		err = report.Err()
	}
	fmt.Println(err) // print the report itself for a table
	// Output: <nil>
}

// Without an application, an answer goes straight to VerifyResponse.
func ExampleIdP_Respond() {
	idp := ssotest.NewIdP(ssotest.Config{})
	conn := idp.Connection(sso.ServiceProvider{})
	message, err := idp.Respond(ssotest.RequestTo(conn, "_request"), ssotest.Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"}, ssotest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	assertion, err := conn.VerifyResponse(context.Background(), message, sso.VerifyOptions{RequestID: "_request"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conn.Profile(assertion).Name)
	// Output: Ann Lee
}

// Every misbehaviour has a name, a sentence, and the reason it is refused for.
func ExampleMisbehaviours() {
	for _, m := range ssotest.Misbehaviours()[:3] {
		fmt.Printf("%s (%s): %s\n", m, m.Reason(), m.Description())
	}
	// Output:
	// wrong-audience (audience): The assertion is meant for another service provider.
	// no-audience (audience): The assertion names no audience.
	// second-audience (audience): A second audience restriction leaves us out.
}

// newApp is a small application with one request under way.
func newApp(idp *ssotest.IdP) (*httptest.Server, *http.Client) {
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	conn := idp.Connection(sso.ServiceProvider{EntityID: app.URL, ACSURL: app.URL + "/acs"})
	var requestID string
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		req, err := conn.NewAuthnRequest(sso.RequestOptions{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		requestID = req.ID
		to, err := req.RedirectURL("")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		a, err := conn.VerifyResponse(r.Context(), r.PostFormValue("SAMLResponse"), sso.VerifyOptions{RequestID: requestID})
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		// A real application keeps sessions, and this name to itself.
		http.SetCookie(w, &http.Cookie{Name: "me", Value: a.Subject.Value, Path: "/"})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if me, err := r.Cookie("me"); err == nil {
			_, _ = io.WriteString(w, me.Value)
		}
	})
	jar, _ := cookiejar.New(nil)
	return app, &http.Client{Jar: jar}
}
