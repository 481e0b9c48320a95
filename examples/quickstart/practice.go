package main

import (
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

func main() {
	once := flag.Bool("once", false, "play the browser, print each step, and end")
	addr := flag.String("addr", "127.0.0.1:8080", "address of the application; with -once a free one")
	idpAddr := flag.String("idp", "127.0.0.1:8081", "address of the practice IdP; with -once a free one")
	flag.Parse()
	if *once {
		*addr, *idpAddr = "127.0.0.1:0", "127.0.0.1:0"
	}
	if err := run(*once, *addr, *idpAddr, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run serves the application and the practice IdP until it is interrupted, or
// until one sign-in is done.
func run(once bool, addr, idpAddr string, out io.Writer) error {
	appURL, appListener, err := listen(addr)
	if err != nil {
		return err
	}
	defer appListener.Close()
	idpURL, idpListener, err := listen(idpAddr)
	if err != nil {
		return err
	}
	defer idpListener.Close()

	// The two sides learn of each other what two administrators would paste.
	sp := sso.ServiceProvider{EntityID: appURL + "/saml/metadata", ACSURL: appURL + "/saml/acs"}
	idp := ssotest.NewIdP(ssotest.Config{
		BaseURL:      idpURL,
		Applications: []ssotest.Application{{Name: "Quickstart", EntityID: sp.EntityID, ACSURL: sp.ACSURL}},
	})
	a := &app{conn: &sso.Connection{ID: "quickstart", SP: sp, IdP: idp.IdentityProvider()}}
	if err := a.conn.Validate(); err != nil {
		return err
	}

	failed := make(chan error, 2)
	serve := func(l net.Listener, h http.Handler) {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		failed <- server.Serve(l)
	}
	go serve(appListener, a.routes())
	go serve(idpListener, idp.Handler())
	fmt.Fprintf(out, "application:  %s/\npractice IdP: %s/\n", appURL, idpURL)
	if once {
		return signIn(appURL, out)
	}
	fmt.Fprintln(out, "Open the application in a browser. Ctrl-C ends both.")
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	select {
	case err := <-failed:
		return err
	case <-interrupted:
		return nil
	}
}

func listen(addr string) (base string, l net.Listener, err error) {
	l, err = net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	return "http://" + l.Addr().String(), l, nil
}

// signIn is a browser with somebody in front of it.
func signIn(appURL string, out io.Writer) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second}

	// 1. The link on the application's page leads to the IdP's login page.
	at, login, err := read(browser.Get(appURL + "/login"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "1. GET  %s/login\n        leads to the login page at %s://%s%s\n", appURL, at.Scheme, at.Host, at.Path)

	// 2. A person is chosen there; the answer is a page that posts to the ACS.
	action, form := formOf(login)
	target, err := at.Parse(action)
	if err != nil {
		return err
	}
	form.Set("person", "ann@example.com")
	at, answer, err := read(browser.PostForm(target.String(), form))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "2. POST %s\n        as %s\n", at, form.Get("person"))

	// 3. The browser posts the answer, the application verifies it.
	action, form = formOf(answer)
	if form.Get("SAMLResponse") == "" {
		return errors.New("the practice IdP sent no SAMLResponse")
	}
	at, hello, err := read(browser.PostForm(action, form))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "3. POST %s\n        with a SAMLResponse of %d bytes; it was verified and led to %s\n", action, len(form.Get("SAMLResponse")), at)

	greeting := regexp.MustCompile(`<h1>(.*)</h1><p>(.*)</p>`).FindStringSubmatch(hello)
	if greeting == nil || greeting[1] != "Hello, Ann Lee" {
		return fmt.Errorf("the application did not greet Ann Lee but said %q", hello)
	}
	fmt.Fprintf(out, "4. %s: %s\n", html.UnescapeString(greeting[1]), html.UnescapeString(greeting[2]))
	return nil
}

// read returns where a page came from and what it says.
func read(res *http.Response, err error) (*url.URL, string, error) {
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", res.Request.URL.Host, res.Status, body)
	}
	return res.Request.URL, string(body), err
}

var (
	formTag  = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	inputTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// formOf is the form of a page: where it is posted, and its hidden fields.
func formOf(page string) (action string, fields url.Values) {
	fields = url.Values{}
	if m := formTag.FindStringSubmatch(page); m != nil {
		action = html.UnescapeString(m[1])
	}
	for _, m := range inputTag.FindAllStringSubmatch(page, -1) {
		fields.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return action, fields
}
