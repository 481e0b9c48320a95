package ssohttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ssoconn/sso"
)

// Handlers are the handlers of one application. They may be used by many
// goroutines at once.
type Handlers struct {
	config     Config
	origin     string // scheme and host of BaseURL
	secure     bool   // https
	cookieName string
	pages      *pages
	large      gate // bodies over smallBody
	inside     gate // from the first look at a store on
	verifying  gate
}

// The defaults of Config.
const (
	defaultLifetime      = 15 * time.Minute
	defaultMaxBody       = 4 << 20
	defaultTimeout       = 10 * time.Second
	defaultMaxConcurrent = 64
)

// maxLifetime bounds Config.Lifetime: a record is small, but there may be many.
const maxLifetime = 24 * time.Hour

// maxConcurrent bounds Config.MaxConcurrent.
const maxConcurrent = 1 << 16

// waiting is how many may wait for each that is being verified.
const waiting = 8

// New checks the configuration and makes the handlers. It starts nothing. The
// error is one or more joined *sso.FieldError.
func New(c Config) (*Handlers, error) {
	h := &Handlers{config: c}
	var errs []error
	need := func(ok bool, field, problem, hint string) {
		if !ok {
			errs = append(errs, &sso.FieldError{Field: "Config." + field, Problem: problem, Hint: hint})
		}
	}
	u, err := url.Parse(c.BaseURL)
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
	need(ok, "BaseURL", "is not an absolute web address", "set the public address of the handlers, as in https://crm.example.com/sso")
	if ok {
		h.origin, h.secure = originOf(u), u.Scheme == "https"
		need(h.secure || loopback(u.Hostname()), "BaseURL", "is http", "serve sign-ins over https; http is for loopback only")
	}
	need(c.Connections != nil, "Connections", "is nil", "set the function that finds a connection by its ID")
	need(c.State != nil, "State", "is nil", "set a StateStore, such as memstore's")
	need(c.Replay != nil, "Replay", "is nil", "set a ReplayCache, such as memstore's")
	need(c.Provisioner != nil, "Provisioner", "is nil", "set a *sso.Provisioner")
	need(c.SignedIn != nil, "SignedIn", "is nil", "set the function that opens a session")
	need(c.Refused != nil, "Refused", "is nil", "set the function that logs refusals")
	need(!c.SameSiteNone || h.secure, "SameSiteNone", "is set without https", "browsers refuse such a cookie; leave it off")
	need(c.Lifetime >= 0 && c.Lifetime <= maxLifetime, "Lifetime", "is "+c.Lifetime.String(), "set it between 0 and "+maxLifetime.String())
	need(c.MaxBody >= 0, "MaxBody", "is negative", "leave it zero for the default")
	need(c.Timeout >= 0, "Timeout", "is negative", "leave it zero for the default")
	need(c.MaxConcurrent >= 0 && c.MaxConcurrent <= maxConcurrent, "MaxConcurrent", fmt.Sprintf("is %d", c.MaxConcurrent), fmt.Sprintf("set it between 0 and %d", maxConcurrent))
	c.Landing.check(need)
	h.pages, err = newPages(c.Templates)
	need(err == nil, "Templates", "does not work: "+errText(err), "see Page for what a template is executed with")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.fill()
	return h, nil
}

// fill puts in the defaults.
func (h *Handlers) fill() {
	c := &h.config
	c.Landing.Origins = append([]string(nil), c.Landing.Origins...)
	if c.ConnectionID == nil {
		c.ConnectionID = func(r *http.Request) string { return r.PathValue("id") }
	}
	if c.Lifetime == 0 {
		c.Lifetime = defaultLifetime
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = defaultMaxConcurrent
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h.large = make(gate, c.MaxConcurrent)
	h.inside = make(gate, waiting*c.MaxConcurrent)
	h.verifying = make(gate, c.MaxConcurrent)
	// The prefix has browsers refuse the cookie from a subdomain, which could
	// plant its own there, and from anything but https.
	h.cookieName = "sso"
	if h.secure {
		h.cookieName = "__Host-sso"
	}
}

// Mount returns one handler for all of them, under prefix, such as "/sso": the
// path of BaseURL, unless a proxy in between rewrites paths.
func (h *Handlers) Mount(prefix string) http.Handler {
	mux := http.NewServeMux()
	at := strings.TrimSuffix(prefix, "/") + "/{id}/"
	byID := *h
	byID.config.ConnectionID = func(r *http.Request) string { return r.PathValue("id") }
	mux.Handle(at+"login", byID.Login())
	mux.Handle(at+"invite", byID.Invite())
	mux.Handle(at+"acs", byID.ACS())
	mux.Handle(at+"metadata", byID.Metadata())
	mux.Handle(at+"test", byID.Test())
	mux.Handle(at+"test/result", byID.TestResult())
	mux.Handle(at+"slo", byID.Logout())
	mux.Handle(at+"artifact", byID.Artifact())
	return mux
}

// ServiceProvider is our side of the connection of that ID, as Mount serves it
// under Config.BaseURL: what goes into Connection.SP, without keys.
func (h *Handlers) ServiceProvider(id string) sso.ServiceProvider {
	at := strings.TrimSuffix(h.config.BaseURL, "/") + "/" + url.PathEscape(id)
	sp := sso.ServiceProvider{EntityID: at + "/metadata", ACSURL: at + "/acs"}
	if h.config.EndSessions != nil {
		sp.SLOURL = at + "/slo"
	}
	return sp
}

// Metadata serves the connection's metadata for the IdP. It is no secret: the
// IdP's own administrator may fetch it.
func (h *Handlers) Metadata() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure {
		if f := method(w, r, http.MethodGet, http.MethodHead); f != nil {
			return f
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
		defer cancel()
		c, failed := h.connection(ctx, r)
		if failed != nil {
			return failed
		}
		xml, err := c.Metadata()
		if err != nil {
			return fail(CodeConfig, err)
		}
		header := w.Header()
		header.Set("Content-Type", "application/samlmetadata+xml")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-cache")
		_, _ = w.Write(xml)
		return nil
	})
}

// maxID is the longest connection ID that is looked up, in bytes.
const maxID = 200

// connection finds the connection that a request is for.
func (h *Handlers) connection(ctx context.Context, r *http.Request) (*sso.Connection, *failure) {
	id := h.config.ConnectionID(r)
	if id == "" || len(id) > maxID {
		return nil, fail(CodeConnection, sso.ErrNotFound)
	}
	c, err := h.config.Connections(ctx, id)
	switch {
	case errors.Is(err, sso.ErrNotFound), err == nil && c == nil:
		return nil, fail(CodeConnection, sso.ErrNotFound)
	case err != nil:
		return nil, fail(CodeStore, err)
	case c.ID != id:
		// State and users are kept by the connection's own ID.
		return nil, fail(CodeConfig, errors.New("Config.Connections returned a connection with another ID"))
	}
	return c, nil
}

func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || strings.HasPrefix(host, "127.")
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
