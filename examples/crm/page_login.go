package main

import (
	"errors"
	"net/http"

	"github.com/ssoconn/sso"
)

// maxSmallForm bounds the forms of a few short fields, in bytes. One with more
// in it still comes back with what was typed.
const maxSmallForm = 4 << 20

type loginData struct {
	Account, Email string
	Wrong          bool
	Connections    []*sso.Connection // those that are on: a button each
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	if a.currentUser(r) == nil {
		http.Redirect(w, r, "/login/"+seedAccount, http.StatusSeeOther)
		return
	}
	a.render(w, r, http.StatusOK, "home", "deals", nil)
}

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	a.loginPage(w, r, http.StatusOK, loginData{})
}

func (a *app) loginPage(w http.ResponseWriter, r *http.Request, status int, d loginData) {
	d.Account = r.PathValue("account")
	if d.Account != seedAccount {
		a.problem(w, r, http.StatusNotFound, "not_found")
		return
	}
	all, err := a.accountConnections(r.Context(), d.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	for _, c := range all {
		if c.Ready() {
			d.Connections = append(d.Connections, c)
		}
	}
	a.render(w, r, status, "login", "login", d)
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	form, ok := a.form(w, r, maxSmallForm)
	if !ok {
		return
	}
	u, err := users{a.db}.byEmail(r.Context(), r.PathValue("account"), form.Get("email"))
	if errors.Is(err, sso.ErrNoUser) {
		u, err = &user{}, nil
	}
	if err != nil {
		a.failed(w, r, err)
		return
	}
	// One answer for all that is wrong: it does not tell who is a user here.
	if !checkPassword(u.Password, form.Get("password")) || u.Disabled {
		a.loginPage(w, r, http.StatusUnprocessableEntity, loginData{Email: form.Get("email"), Wrong: true})
		return
	}
	if err := a.startSession(r.Context(), u.ID); err != nil {
		a.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.Destroy(r.Context()); err != nil {
		a.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/login/"+seedAccount, http.StatusSeeOther)
}
