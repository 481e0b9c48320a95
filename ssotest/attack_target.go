package ssotest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
	"time"

	"github.com/ssoconn/sso"
)

// errNoAnswer is a handler that broke off, as it does when it panics.
var errNoAnswer = errors.New("the handler broke off")

// ConnectionTarget verifies answers with the connection alone, at the time that
// now says. It has a replay memory of its own.
func ConnectionTarget(c *sso.Connection, now func() time.Time) Target {
	replay := &attackMemory{seen: map[string]bool{}}
	return func() (Request, Answer, error) {
		id := randomID()
		return RequestTo(c, id), func(samlResponse string) (string, error) {
			a, err := c.VerifyResponse(context.Background(), samlResponse, sso.VerifyOptions{RequestID: id, Replay: replay, CurrentTime: now()})
			if err != nil {
				return "", err
			}
			return a.Subject.Value, nil
		}, nil
	}
}

// attackMemory is a replay memory for as long as the attacks go on.
type attackMemory struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (m *attackMemory) Remember(_ context.Context, key string, _ time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := !m.seen[key]
	m.seen[key] = true
	return fresh, nil
}

// HandlerTarget drives an application over HTTP as a browser would, one browser
// for each sign-in: it goes to loginURL, is sent to this IdP, and posts the
// answer where the application asked for it. Then who asks the application, with
// that browser, who is signed in: a NameID or e-mail address, "" for nobody.
//
// The client's transport and time limit are used; its cookies are not. Nil means
// http.DefaultClient.
func (p *IdP) HandlerTarget(client *http.Client, loginURL string, who func(*http.Client) (string, error)) Target {
	if client == nil {
		client = http.DefaultClient
	}
	return func() (Request, Answer, error) {
		left := &heldCookies{}
		if err := left.reset(nil); err != nil {
			return Request{}, nil, err
		}
		browser := *client
		browser.Jar = left
		req, err := p.request(&browser, loginURL)
		if err != nil {
			return Request{}, nil, err
		}
		return req, func(samlResponse string) (string, error) {
			// Each answer is posted by the browser that left, without what
			// an earlier answer made of it.
			back := &heldCookies{}
			if err := back.reset(left); err != nil {
				return "", err
			}
			browser := *client
			browser.Jar = back
			return post(&browser, req, samlResponse, who)
		}, nil
	}
}

func post(browser *http.Client, req Request, samlResponse string, who func(*http.Client) (string, error)) (string, error) {
	form := url.Values{"SAMLResponse": {samlResponse}}
	if req.RelayState != "" {
		form.Set("RelayState", req.RelayState)
	}
	res, err := browser.PostForm(req.ACSURL, form)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	_ = res.Body.Close()
	name, err := who(browser)
	if err == nil && name == "" {
		err = fmt.Errorf("the application answered %s", res.Status)
	}
	return name, err
}

// heldCookies is a cookie jar that can be made anew as it was.
type heldCookies struct {
	http.CookieJar
	set []struct {
		from    *url.URL
		cookies []*http.Cookie
	}
}

func (h *heldCookies) SetCookies(from *url.URL, cookies []*http.Cookie) {
	h.set = append(h.set, struct {
		from    *url.URL
		cookies []*http.Cookie
	}{from, cookies})
	h.CookieJar.SetCookies(from, cookies)
}

// reset fills an empty jar with what other was given.
func (h *heldCookies) reset(other *heldCookies) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	h.CookieJar = jar
	if other != nil {
		for _, s := range other.set {
			h.SetCookies(s.from, s.cookies)
		}
	}
	return nil
}
