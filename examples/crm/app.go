package main

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssohttp"
)

//go:embed static
var static embed.FS

// app is the application.
type app struct {
	baseURL   string
	db        *database
	sessions  *scs.SessionManager
	sso       *ssohttp.Handlers
	templates *templates
	log       *slog.Logger
}

func newApp(db *database, baseURL string, secure bool, log *slog.Logger) (*app, error) {
	a := &app{baseURL: baseURL, db: db, sessions: newSessions(db, secure), log: log}
	var err error
	if a.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	a.sso, err = a.newSSO()
	return a, err
}

// handler is the whole application: one line a page.
func (a *app) handler() (http.Handler, error) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sso/", a.sso.Mount("/sso")) // login, invite, test, ACS, metadata
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login/{account}", a.showLogin)
	mux.HandleFunc("POST /login/{account}", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("POST /language", a.setLanguage)

	admin := func(pattern string, h func(http.ResponseWriter, *http.Request, *user)) {
		mux.HandleFunc(pattern, a.adminOnly(h))
	}
	admin("GET /settings/users", a.showUsers)
	admin("GET /settings/users/{id}", a.showUser)
	admin("POST /settings/users/{id}", a.saveUser)
	admin("GET /settings/invitations", a.showInvitation)
	admin("POST /settings/invitations", a.invite)
	admin("GET /settings/sso", a.showConnections)
	admin("POST /settings/sso", a.createConnection)
	admin("POST /settings/certificate", a.recognise)
	admin("GET /settings/sso/{id}", a.showConnection)
	admin("POST /settings/sso/{id}", a.saveConnection)
	admin("POST /settings/sso/{id}/delete", a.deleteConnection)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.problem(w, r, http.StatusNotFound, "not_found")
	})

	// The IdP's answer is a POST from another site. It has a protection of its
	// own, the sign-in's state, and is the one address that is let through.
	csrf := http.NewCrossOriginProtection()
	csrf.AddInsecureBypassPattern("POST /sso/{id}/acs")
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.problem(w, r, http.StatusForbidden, "cross_origin")
	}))
	outer := http.NewServeMux()
	outer.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(files))) // needs no session
	outer.Handle("/", a.sessions.LoadAndSave(csrf.Handler(mux)))
	return secureHeaders(outer), nil
}

// policy is the Content-Security-Policy of every page of the application:
// scripts and styles are files of ours.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy) // the library's pages set their own
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

const sessionUser = "user"

// startSession signs a user in. The session gets a new token, so that nobody
// who planted the old one is signed in with them.
func (a *app) startSession(ctx context.Context, userID string) error {
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, sessionUser, userID)
	return nil
}

// currentUser is who is signed in, nil for nobody. The row is read at each
// request, so that who is disabled is out at once.
func (a *app) currentUser(r *http.Request) *user {
	id := a.sessions.GetString(r.Context(), sessionUser)
	if id == "" {
		return nil
	}
	u, err := users{a.db}.byID(r.Context(), id)
	if err != nil || u.Disabled {
		if err != nil && !errors.Is(err, sso.ErrNoUser) {
			a.log.Error("the session's user", "error", err)
		}
		return nil
	}
	return u
}

func (a *app) adminOnly(h func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := a.currentUser(r)
		switch {
		case u == nil:
			http.Redirect(w, r, "/login/"+seedAccount, http.StatusSeeOther)
		case !u.IsAdministrator():
			a.problem(w, r, http.StatusForbidden, "admins_only")
		default:
			h(w, r, u)
		}
	}
}
