package ssohttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ssoconn/sso"
)

// ACS takes the IdP's answer: POST. The cheap checks come first, so that what
// is no answer to a request of this browser costs neither a look at a store nor
// a look at its XML.
func (h *Handlers) ACS() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure {
		if r.Method == http.MethodGet && r.URL.Query().Has(fieldResponse) {
			w.Header().Set("Allow", http.MethodPost)
			return fail(CodeBinding, errors.New("the identity provider answered by HTTP-Redirect: set its binding for answers to HTTP-POST (authentik: Service Provider Binding, Post)"))
		}
		if f := method(w, r, http.MethodPost); f != nil {
			return f
		}
		form, failed := h.readForm(w, r)
		if failed == nil {
			failed = h.answer(w, r, &form)
		}
		if failed != nil {
			failed.response = failed.code != CodeNotAdmitted
		}
		return failed
	})
}

// answer is what follows on a form that may be an answer.
func (h *Handlers) answer(w http.ResponseWriter, r *http.Request, form *acsForm) *failure {
	ours := handleShaped(form.relayState)
	browser := h.browser(r)
	if ours && browser == "" {
		if !form.again {
			// A cookie with SameSite=Lax stays away from a POST that another
			// site began, and one with None where a browser decides so. Our
			// own page posts the same again, once.
			return h.again(w, r, form)
		}
		return fail(CodeNoCookie, errors.New("the browser brought no cookie: it blocks them, or the sign-in began in another browser, or under another host name"))
	}
	now := h.config.Now()
	if ours {
		if err := checkHandle(form.relayState, browser, now, h.config.Lifetime); err != nil {
			return fail(handleCode(err), err)
		}
	}
	if failed := h.inside.enter(r.Context()); failed != nil {
		return failed
	}
	defer h.inside.leave()
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
	defer cancel()
	c, failed := h.connection(ctx, r)
	if failed != nil {
		return failed
	}
	return h.enter(ctx, w, r, c, form, ours, browser, now).of(c)
}

// enter takes the record of the sign-in and does what it is for.
func (h *Handlers) enter(ctx context.Context, w http.ResponseWriter, r *http.Request, c *sso.Connection, form *acsForm, ours bool, browser string, now time.Time) *failure {
	var rec *record
	var failed *failure
	if ours {
		rec, failed = h.claim(ctx, c, form.relayState, browser, now)
	} else {
		rec, failed = h.unsolicited(c, form.relayState)
	}
	if failed != nil {
		return failed
	}
	if rec.Flow == sso.FlowTest {
		return h.finishTest(ctx, w, r, c, rec, form.response)
	}
	return h.finish(ctx, w, r, c, rec, form)
}

func handleCode(err error) Code {
	switch {
	case errors.Is(err, errHandleExpired):
		return CodeStateExpired
	case errors.Is(err, errHandleBrowser):
		return CodeOtherBrowser
	}
	return CodeStateUnknown
}

// claim takes the record of a sign-in, which ends it: whatever the answer is
// worth, there will be no second one to this request.
func (h *Handlers) claim(ctx context.Context, c *sso.Connection, handle, browser string, now time.Time) (*record, *failure) {
	rec, err := h.takeRecord(ctx, handle)
	switch {
	case errors.Is(err, sso.ErrNotFound):
		// The handle is one that this browser was given, not long ago.
		return nil, fail(CodeStateUsed, errors.New("an answer to this sign-in came before, or the store has lost its record"))
	case err != nil:
		return nil, fail(CodeStore, err)
	case rec.Browser != bound(browser):
		// Login CSRF: somebody has this browser post the answer to a sign-in
		// of their own, so that its person works in their account.
		return nil, fail(CodeOtherBrowser, errHandleBrowser)
	case rec.Connection != c.ID:
		return nil, fail(CodeStateMismatch, fmt.Errorf("the sign-in began with the connection %q", rec.Connection))
	case now.Unix() >= rec.Expires:
		return nil, fail(CodeStateExpired, errHandleExpired)
	case rec.Flow != sso.FlowTest && !c.Enabled:
		return nil, fail(CodeOff, errors.New("the connection is not on"))
	}
	return rec, nil
}

// unsolicited stands in for the record of a sign-in that began at the IdP. It
// lands on the fixed page: the RelayState is the IdP's to choose, or anybody's.
func (h *Handlers) unsolicited(c *sso.Connection, relayState string) (*record, *failure) {
	switch {
	case !c.Enabled:
		return nil, fail(CodeOff, errors.New("the connection is not on"))
	case c.AllowIdPInitiated:
		return &record{Connection: c.ID, Flow: sso.FlowLogin, Landing: h.home()}, nil
	case relayState != "":
		return nil, fail(CodeStateUnknown, errHandleShape)
	}
	return nil, fail(CodeUnsolicited, errors.New("an answer without RelayState: the sign-in began at the identity provider, which the connection does not allow, or the identity provider drops RelayState"))
}

// finish verifies the answer and lets the person in, or not.
func (h *Handlers) finish(ctx context.Context, w http.ResponseWriter, r *http.Request, c *sso.Connection, rec *record, form *acsForm) *failure {
	a, failed := h.verify(ctx, c, rec, form)
	if failed != nil {
		return failed
	}
	h.observe(ctx, sso.Event{Kind: sso.EventResponseAccepted, ConnectionID: c.ID, Flow: rec.Flow})
	outcome, err := h.config.Provisioner.SignIn(ctx, c, a, rec.Flow, rec.Invitation)
	if failed := provisioned(outcome, err); failed != nil {
		return failed
	}
	login := Login{Connection: c, Flow: rec.Flow, Outcome: outcome, Assertion: a, Landing: rec.Landing}
	if err := h.config.SignedIn(w, r, &login); err != nil {
		return fail(CodeSession, err)
	}
	redirect(w, login.Landing)
	return nil
}

func (h *Handlers) verify(ctx context.Context, c *sso.Connection, rec *record, form *acsForm) (*sso.Assertion, *failure) {
	// The record is taken, so the person would have to start again: wait.
	if failed := h.verifying.wait(ctx); failed != nil {
		return nil, failed
	}
	defer h.verifying.leave()
	o := sso.VerifyOptions{RequestID: rec.RequestID, AllowIdPInitiated: rec.RequestID == "", Replay: h.config.Replay, CurrentTime: h.config.Now()}
	var a *sso.Assertion
	var err error
	if form.artifact != "" {
		a, err = c.VerifyArtifact(ctx, h.config.Client, form.artifact, o)
	} else {
		a, err = c.VerifyResponse(ctx, form.response, o)
	}
	if err == nil {
		return a, nil
	}
	var verify *sso.VerifyError
	switch {
	case !errors.As(err, &verify):
		return nil, fail(CodeConfig, err)
	case verify.Reason == sso.ReasonStore:
		return nil, fail(CodeStore, err)
	case verify.Reason == sso.ReasonStatus:
		return nil, fail(CodeIdP, err)
	}
	return nil, fail(CodeResponse, err)
}

// provisioned sorts what a Provisioner says. Nobody enters without an Outcome
// that lets them.
func provisioned(o *sso.Outcome, err error) *failure {
	var refused *sso.RefusedError
	var field *sso.FieldError
	switch {
	case errors.As(err, &refused) && refused.Code == sso.RefusedOff:
		return fail(CodeOff, err)
	case refused != nil:
		return fail(CodeNotAdmitted, err)
	case errors.As(err, &field):
		return fail(CodeConfig, err)
	case err != nil:
		return fail(CodeStore, err)
	case o == nil || o.Action == sso.ActionRefuse || o.User == nil || !o.Written:
		return fail(CodeConfig, errors.New("Config.Provisioner returned neither an error nor an outcome that admits"))
	}
	return nil
}
