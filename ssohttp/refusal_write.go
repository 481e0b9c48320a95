package ssohttp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ssoconn/sso"
)

// A failure is a refusal on its way out of a handler.
type failure struct {
	code Code
	err  error
	conn string // the connection, once it was found
	// response says that it was a Response that was refused, and not by a
	// Provisioner, which tells its own Observer.
	response bool
}

func fail(code Code, err error) *failure { return &failure{code: code, err: err} }

// of notes which connection a failure, if it is one, belongs to.
func (f *failure) of(c *sso.Connection) *failure {
	if f != nil {
		f.conn = c.ID
	}
	return f
}

var statuses = map[Code]int{
	CodeMethod: http.StatusMethodNotAllowed, CodeBinding: http.StatusMethodNotAllowed,
	CodeContentType: http.StatusUnsupportedMediaType, CodeForm: http.StatusBadRequest,
	CodeTooLarge: http.StatusRequestEntityTooLarge, CodeSlow: http.StatusRequestTimeout,
	CodeConnection: http.StatusNotFound, CodeInvitation: http.StatusBadRequest,
	CodeConfig: http.StatusInternalServerError, CodeSession: http.StatusInternalServerError,
	CodeStore: http.StatusServiceUnavailable, CodeBusy: http.StatusServiceUnavailable,
}

// status is that of a code: 403 for all that name no other.
func (c Code) status() int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return http.StatusForbidden
}

// handler makes a function that may fail a handler that answers failures.
func (h *Handlers) handler(serve func(http.ResponseWriter, *http.Request) *failure) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := serve(w, r); f != nil {
			h.refuse(w, r, f)
		}
	})
}

// refuse tells the operator all and the visitor little. It never sends the
// browser on: an IdP that still has its session would send it straight back
// (AD FS ends that with MSIS7042), and nobody would get to read why.
func (h *Handlers) refuse(w http.ResponseWriter, r *http.Request, f *failure) {
	refusal := Refusal{Code: f.code, Status: f.code.status(), Reference: reference(), ConnectionID: f.conn, Err: f.err}
	if id := h.config.ConnectionID(r); f.conn == "" {
		refusal.ConnectionID = id[:min(len(id), maxID)]
	}
	h.config.Refused(r, refusal)
	if f.response {
		// Events label counters, so they name no connection that may not exist.
		h.observe(r.Context(), sso.Event{Kind: sso.EventResponseRefused, ConnectionID: f.conn,
			Reason: reason(f), Reference: refusal.Reference, Detail: f.err.Error()})
	}
	if refusal.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	lang := h.language(r)
	p := &Page{Lang: lang, Text: texts[lang], Sentence: sentence(lang, f), Code: string(f.code), Reference: refusal.Reference, Home: h.home()}
	p.Title = p.Text["refused"]
	h.pages.serve(w, refusal.Status, "refused", p)
}

// reason is one of a fixed list, for counters.
func reason(f *failure) string {
	var verify *sso.VerifyError
	var refused *sso.RefusedError
	switch {
	case errors.As(f.err, &verify):
		return string(verify.Reason)
	case errors.As(f.err, &refused):
		return string(refused.Code)
	}
	return string(f.code)
}

// reference is a number that people can read to each other: 50 random bits.
func reference() string {
	s := rand.Text()
	return s[:5] + "-" + s[5:10]
}

// method refuses every method but these.
func method(w http.ResponseWriter, r *http.Request, allowed ...string) *failure {
	if slices.Contains(allowed, r.Method) {
		return nil
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return fail(CodeMethod, fmt.Errorf("the method is %.20q, want %s", r.Method, strings.Join(allowed, " or ")))
}

func (h *Handlers) observe(ctx context.Context, e sso.Event) {
	if h.config.Observer == nil {
		return
	}
	e.Time = h.config.Now()
	h.config.Observer.Observe(ctx, e)
}

func (h *Handlers) home() string {
	home, _ := h.config.Landing.Resolve("")
	return home
}
