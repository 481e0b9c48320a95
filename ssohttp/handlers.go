package ssohttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ssoconn/sso"
)

// Handlers are the handlers of one application. They may be used by many
// goroutines at once.
type Handlers struct {
	config Config
}

// New checks the configuration and makes the handlers. It starts nothing. The
// error is one or more joined *sso.FieldError.
func New(c Config) (*Handlers, error) { return &Handlers{config: c}, nil }

// Login sends the browser to the IdP. The query may have "to", the landing
// address, and "login_hint". GET.
func (h *Handlers) Login() http.Handler { return h.todo() }

// Invite is Login for somebody who becomes a user: the query has "code", the
// invitation's.
func (h *Handlers) Invite() http.Handler { return h.todo() }

// Test starts a test of a connection that need not be on. The query has "run",
// which the settings page made up. Config.Administrator decides who may.
func (h *Handlers) Test() http.Handler { return h.todo() }

// TestResult shows what came of a test to the browser that ran it, as a TestRun
// in JSON where the request accepts application/json, else as a page.
func (h *Handlers) TestResult() http.Handler { return h.todo() }

// ACS takes the IdP's answer: POST.
func (h *Handlers) ACS() http.Handler { return h.todo() }

// Metadata serves the connection's metadata for the IdP.
func (h *Handlers) Metadata() http.Handler { return h.todo() }

// Mount returns one handler for all of them, under prefix, such as "/sso".
func (h *Handlers) Mount(prefix string) http.Handler { return h.todo() }

// ServiceProvider is our side of the connection of that ID, as Mount serves it
// under Config.BaseURL: what goes into Connection.SP, without keys.
func (h *Handlers) ServiceProvider(id string) sso.ServiceProvider {
	at := strings.TrimSuffix(h.config.BaseURL, "/") + "/" + url.PathEscape(id)
	return sso.ServiceProvider{EntityID: at + "/metadata", ACSURL: at + "/acs"}
}

// todo stands in until the handlers are written: it refuses everything.
func (h *Handlers) todo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not written yet", http.StatusNotImplemented)
	})
}
