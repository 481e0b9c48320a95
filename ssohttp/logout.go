package ssohttp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/ssoconn/sso"
)

// maxLogoutBody is the largest form that Logout reads, in bytes.
const maxLogoutBody = 256 << 10

// logoutRecord is what the server keeps of a logout that it began.
type logoutRecord struct {
	RequestID  string `json:"request"`
	Connection string `json:"connection"`
	Landing    string `json:"landing"`
}

func logoutKey(handle string) string { return "logout:" + handle }

// StartLogout sends the browser to the IdP, to end the person's sessions there
// and at the other service providers. The application has ended its own session
// before. The browser comes back to Logout and from there to landing.
//
// The error is a *sso.FieldError if the connection has no single logout or no
// signing key, else the store's; nothing was written then.
func (h *Handlers) StartLogout(w http.ResponseWriter, r *http.Request, c *sso.Connection, s sso.LogoutSession, landing string) error {
	now := h.config.Now()
	m, err := c.NewLogoutRequest(s, sso.LogoutOptions{CurrentTime: now})
	if err != nil {
		return err
	}
	landing, _ = h.config.Landing.Resolve(landing)
	value, err := json.Marshal(logoutRecord{RequestID: m.ID, Connection: c.ID, Landing: landing})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
	defer cancel()
	handle := rand.Text()
	to, err := m.RedirectURL(handle)
	if err != nil {
		return err
	}
	if err := h.config.State.Put(ctx, logoutKey(handle), value, now.Add(h.config.Lifetime)); err != nil {
		return err
	}
	redirect(w, to)
	return nil
}

// Logout takes logout messages of the IdP, at SP.SLOURL: its requests, upon
// which Config.EndSessions is called and the answer sent, and its answers to
// StartLogout. GET for the HTTP-Redirect binding, POST for HTTP-POST.
func (h *Handlers) Logout() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure {
		if f := method(w, r, http.MethodGet, http.MethodPost); f != nil {
			return f
		}
		in, fields, failed := logoutInput(w, r)
		if failed != nil {
			return failed
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
		switch {
		case h.config.EndSessions == nil:
			failed = fail(CodeForm, errors.New("there is no single logout: Config.EndSessions is nil"))
		case fields.Has("SAMLRequest"):
			failed = h.logoutRequest(ctx, w, c, in, fields)
		case fields.Has(fieldResponse):
			failed = h.logoutResponse(ctx, w, c, in, fields)
		default:
			failed = fail(CodeForm, errors.New("neither SAMLRequest nor SAMLResponse"))
		}
		return failed.of(c)
	})
}

// logoutInput reads a message as far as the binding goes.
func logoutInput(w http.ResponseWriter, r *http.Request) (in sso.LogoutInput, fields url.Values, failed *failure) {
	if r.Method == http.MethodGet {
		return sso.LogoutInput{RawQuery: r.URL.RawQuery}, r.URL.Query(), nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogoutBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return in, nil, fail(CodeTooLarge, err)
	case err != nil:
		return in, nil, fail(CodeSlow, err)
	}
	fields, err = url.ParseQuery(string(body))
	if err != nil {
		return in, nil, fail(CodeForm, errors.New("the form does not parse"))
	}
	for name, values := range fields {
		if len(values) > 1 {
			return in, nil, fail(CodeForm, errors.New("the field "+name[:min(len(name), 40)]+" is there twice"))
		}
	}
	return sso.LogoutInput{Form: fields}, fields, nil
}

func (h *Handlers) logoutRequest(ctx context.Context, w http.ResponseWriter, c *sso.Connection, in sso.LogoutInput, fields url.Values) *failure {
	now := h.config.Now()
	answer, err := c.HandleLogoutRequest(ctx, in, sso.LogoutOptions{Replay: h.config.Replay, CurrentTime: now}, func(ctx context.Context, s sso.LogoutSession) error {
		return h.config.EndSessions(ctx, c, s)
	})
	if err != nil {
		return logoutFailure(err)
	}
	h.observe(ctx, sso.Event{Kind: sso.EventLogout, ConnectionID: c.ID})
	to, err := answer.RedirectURL(fields.Get(fieldRelayState))
	if err != nil {
		return fail(CodeForm, err)
	}
	redirect(w, to)
	return nil
}

func (h *Handlers) logoutResponse(ctx context.Context, w http.ResponseWriter, c *sso.Connection, in sso.LogoutInput, fields url.Values) *failure {
	value, err := h.config.State.Take(ctx, logoutKey(fields.Get(fieldRelayState)))
	switch {
	case errors.Is(err, sso.ErrNotFound):
		return fail(CodeStateUnknown, errors.New("no logout of ours has this RelayState, or it was answered before"))
	case err != nil:
		return fail(CodeStore, err)
	}
	var rec logoutRecord
	if err := json.Unmarshal(value, &rec); err != nil {
		return fail(CodeStore, err)
	}
	if rec.Connection != c.ID {
		return fail(CodeStateMismatch, errors.New("the logout began with another connection"))
	}
	if err := c.VerifyLogoutResponse(ctx, in, rec.RequestID, sso.LogoutOptions{CurrentTime: h.config.Now()}); err != nil {
		return logoutFailure(err)
	}
	redirect(w, rec.Landing)
	return nil
}

func logoutFailure(err error) *failure {
	var verify *sso.VerifyError
	switch {
	case !errors.As(err, &verify):
		return fail(CodeConfig, err)
	case verify.Reason == sso.ReasonStore:
		return fail(CodeStore, err)
	case verify.Reason == sso.ReasonStatus:
		return fail(CodeIdP, err)
	}
	return fail(CodeResponse, err)
}

// Artifact takes the answer of an IdP that sends an artifact in its place: GET,
// with SAMLart and RelayState. The browser's cookie travels with it, since it is
// a navigation. The IdP is asked at IdP.ArtifactURL, with Config.Client.
func (h *Handlers) Artifact() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure {
		if f := method(w, r, http.MethodGet); f != nil {
			return f
		}
		q, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil || len(q["SAMLart"]) != 1 || len(q[fieldRelayState]) > 1 || len(q.Get("SAMLart")) > 100 {
			return fail(CodeForm, errors.New("SAMLart is missing, repeated or malformed"))
		}
		form := &acsForm{artifact: q.Get("SAMLart"), relayState: q.Get(fieldRelayState), again: true}
		return h.answer(w, r, form)
	})
}
