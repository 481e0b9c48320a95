package ssotest

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// SignIn does what a browser does in a sign-in: it gets loginURL, follows the
// application to the IdP, and posts the IdP's answer to the address that the
// application asked for. It returns the last response after all redirects; the
// caller closes its body.
//
// The client needs a cookie jar and must reach the application; the IdP need
// not be served anywhere. For the Misbehaviour "replayed" SignIn signs in twice
// and returns what came of the second time.
func (p *IdP) SignIn(client *http.Client, loginURL string, login Login, o Options) (*http.Response, error) {
	if client == nil || client.Jar == nil {
		return nil, errors.New("ssotest: sign-in: the client needs a cookie jar, as browsers have")
	}
	if o.Misbehave == "replayed" {
		first, err := p.signIn(client, loginURL, login, o)
		if err != nil {
			return nil, err
		}
		_ = first.Body.Close()
	}
	return p.signIn(client, loginURL, login, o)
}

func (p *IdP) signIn(client *http.Client, loginURL string, login Login, o Options) (*http.Response, error) {
	req, err := p.request(client, loginURL)
	if err != nil {
		return nil, err
	}
	answer, err := p.Respond(req, login, o)
	if err != nil {
		return nil, err
	}
	form := url.Values{"SAMLResponse": {answer}}
	if req.RelayState != "" {
		form.Set("RelayState", req.RelayState)
	}
	res, err := client.PostForm(req.ACSURL, form)
	if err != nil {
		return nil, fmt.Errorf("ssotest: sign-in: %w", err)
	}
	return res, nil
}

// request goes to loginURL and on, up to the request for this IdP.
func (p *IdP) request(client *http.Client, loginURL string) (Request, error) {
	stop := *client
	stop.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if p.isOurs(next.URL.String()) {
			return http.ErrUseLastResponse
		}
		if client.CheckRedirect != nil {
			return client.CheckRedirect(next, via)
		}
		if len(via) >= 10 {
			return errors.New("ten redirects and no end")
		}
		return nil
	}
	res, err := stop.Get(loginURL)
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: sign-in: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	req, err := p.requestIn(res)
	if err != nil {
		return Request{}, err
	}
	if req.ACSURL == "" {
		app, _ := p.application(req.Issuer)
		req.ACSURL = app.ACSURL
	}
	if req.ACSURL == "" {
		return Request{}, errors.New("ssotest: sign-in: the request names no ACS URL, and no application is registered under its issuer")
	}
	return req, nil
}

func (p *IdP) requestIn(res *http.Response) (Request, error) {
	if location := res.Header.Get("Location"); location != "" {
		return ParseRequest(location)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxRequest))
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: sign-in: %w", err)
	}
	form := inputs(string(body))
	if form.Get("SAMLRequest") == "" {
		return Request{}, fmt.Errorf("ssotest: sign-in: the application answered %s and sent nobody to %s", res.Status, p.config.SSOURL)
	}
	return ParseForm(form, false)
}

// isOurs says whether an address is that of this IdP, whatever its query.
func (p *IdP) isOurs(address string) bool {
	base, _, _ := strings.Cut(p.config.SSOURL, "?")
	got, _, _ := strings.Cut(address, "?")
	return got == base
}

var (
	inputTag  = regexp.MustCompile(`(?is)<input\b[^>]*>`)
	attribute = regexp.MustCompile(`(?is)\b(name|value)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// inputs are the fields of the forms on a page.
func inputs(page string) url.Values {
	fields := url.Values{}
	for _, tag := range inputTag.FindAllString(page, -1) {
		var name, value string
		for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
			text := html.UnescapeString(a[2] + a[3])
			if strings.EqualFold(a[1], "name") {
				name = text
			} else {
				value = text
			}
		}
		if name != "" {
			fields.Set(name, value)
		}
	}
	return fields
}
