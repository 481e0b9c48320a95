package ssohttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssoconn/sso"
)

// Login sends the browser to the IdP: GET. The query may have "to", the landing
// address, and "login_hint", the user name to fill in there.
func (h *Handlers) Login() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure { return h.start(w, r, sso.FlowLogin) })
}

// Invite is Login for somebody who is to become a user: the query has "code",
// the invitation's. The code is used up only when the sign-in succeeds.
func (h *Handlers) Invite() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure { return h.start(w, r, sso.FlowInvite) })
}

// maxCode is the longest invitation code and maxHint the longest login hint, in
// bytes: both are kept or sent on.
const (
	maxCode = 512
	maxHint = 320
)

// start begins a round trip: it keeps the record and sends the browser off.
func (h *Handlers) start(w http.ResponseWriter, r *http.Request, flow sso.Flow) *failure {
	if f := method(w, r, http.MethodGet); f != nil {
		return f
	}
	if f := navigated(w, r); f != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
	defer cancel()
	c, failed := h.connection(ctx, r)
	if failed != nil {
		return failed
	}
	return h.begin(ctx, w, r, c, flow).of(c)
}

func (h *Handlers) begin(ctx context.Context, w http.ResponseWriter, r *http.Request, c *sso.Connection, flow sso.Flow) *failure {
	query := r.URL.Query()
	rec := record{Connection: c.ID, Flow: flow}
	if failed := h.fillRecord(r, c, query, &rec); failed != nil {
		return failed
	}
	if err := h.reachable(c); err != nil {
		return fail(CodeConfig, err)
	}
	now := h.config.Now()
	o := sso.RequestOptions{CurrentTime: now}
	if hint := query.Get("login_hint"); len(hint) <= maxHint {
		o.LoginHint = hint
	}
	req, err := c.NewAuthnRequest(o)
	if err != nil {
		return fail(CodeConfig, err)
	}
	browser := h.giveBrowser(w, r)
	rec.RequestID, rec.Browser, rec.Expires = req.ID, bound(browser), now.Add(h.config.Lifetime).Unix()
	handle := newHandle(browser, now)
	if err := h.putRecord(ctx, handle, &rec); err != nil {
		return fail(CodeStore, err)
	}
	if flow == sso.FlowTest {
		if err := h.putRun(ctx, &rec, &TestRun{Status: StatusRunning}); err != nil {
			return fail(CodeStore, err)
		}
	}
	return h.send(ctx, w, c, req, handle, flow)
}

// fillRecord puts in what the flow needs, or says why it may not begin.
func (h *Handlers) fillRecord(r *http.Request, c *sso.Connection, query url.Values, rec *record) *failure {
	if rec.Flow == sso.FlowTest {
		by, ok := h.administrator(r, c)
		if !ok {
			return fail(CodeAdministrator, errors.New("a test by somebody who may not administer the connection"))
		}
		rec.By, rec.Run, rec.Settings = by, query.Get("run"), settings(c)
		if !runName(rec.Run) {
			return fail(CodeForm, errors.New(`the query has no "run" of 1 to 64 letters, digits, - and _`))
		}
		return nil
	}
	if !c.Ready() {
		return fail(CodeOff, errors.New("the connection is not on, or its settings were changed since the last test that passed"))
	}
	rec.Landing, _ = h.config.Landing.Resolve(query.Get("to"))
	if rec.Flow == sso.FlowInvite {
		rec.Invitation = query.Get("code")
		if rec.Invitation == "" || len(rec.Invitation) > maxCode {
			return fail(CodeInvitation, errors.New(`the query has no "code" of an invitation`))
		}
	}
	return nil
}

// navigated refuses what no person asked for: a page that a browser fetches
// ahead, and requests of scripts, which cannot follow to the IdP anyway. Each
// would leave a record behind.
//
// Specification: Fetch Metadata Request Headers (W3C).
func navigated(w http.ResponseWriter, r *http.Request) *failure {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v := strings.ToLower(r.Header.Get(name))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "preview") || strings.Contains(v, "prerender") {
			return fail(CodeBackground, fmt.Errorf("the browser fetched the page ahead (%s)", name))
		}
	}
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	if mode != "" && mode != "navigate" || dest != "" && dest != "document" {
		w.Header().Set("Vary", "Sec-Fetch-Mode, Sec-Fetch-Dest")
		return fail(CodeBackground, fmt.Errorf("a request in mode %.20q for %.20q is not a person's click", mode, dest))
	}
	return nil
}

// reachable says whether the answer can come back to a page that has our
// cookie: an ACS under another name than ours never would.
func (h *Handlers) reachable(c *sso.Connection) error {
	if u, err := url.Parse(c.SP.ACSURL); err == nil && originOf(u) == h.origin {
		return nil
	}
	return &sso.FieldError{Field: "SP.ACSURL", Problem: fmt.Sprintf("%.200q is not under %q, where these handlers are", c.SP.ACSURL, h.origin),
		Hint: "set it by Handlers.ServiceProvider, and in the identity provider too"}
}

// send sends the browser off, by the binding that the IdP takes.
func (h *Handlers) send(ctx context.Context, w http.ResponseWriter, c *sso.Connection, req *sso.AuthnRequest, handle string, flow sso.Flow) *failure {
	header := w.Header()
	if c.IdP.SSOPostURL != "" && c.IdP.SSOPostURL == c.IdP.SSOURL {
		page, err := req.PostForm(handle)
		if err != nil {
			return fail(CodeConfig, err)
		}
		pageHeader(header, sso.PostFormCSP)
		_, _ = w.Write(page)
	} else {
		to, err := req.RedirectURL(handle)
		if err != nil {
			return fail(CodeConfig, err)
		}
		redirect(w, to)
	}
	h.observe(ctx, sso.Event{Kind: sso.EventRequestSent, ConnectionID: c.ID, Flow: flow})
	return nil
}

// redirect sends the browser on by GET. The address is ours, made or checked.
func redirect(w http.ResponseWriter, to string) {
	header := w.Header()
	header.Set("Location", to)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}
