package main

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"github.com/ssoconn/sso"
)

// invitationLife is how long an invitation link works.
const invitationLife = 7 * 24 * time.Hour

type invitationData struct {
	Connections []*sso.Connection
	Chosen      string // a connection's ID
	Email       string
	Groups      []choice
	Errors      errorsAt
	Link        string // the new link: shown once, for only its hash is kept
}

func (a *app) showInvitation(w http.ResponseWriter, r *http.Request, me *user) {
	a.invitationPage(w, r, me, http.StatusOK, invitationData{}, nil)
}

func (a *app) invitationPage(w http.ResponseWriter, r *http.Request, me *user, status int, d invitationData, on []string) {
	all, err := a.accountConnections(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	for _, c := range all {
		if c.Ready() {
			d.Connections = append(d.Connections, c)
		}
	}
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	d.Groups = choices(groups, on)
	a.render(w, r, status, "invitation", "invitation", d)
}

// invite makes an invitation link: whoever opens it and is known to the
// connection's IdP becomes a user, with the connection's default role.
func (a *app) invite(w http.ResponseWriter, r *http.Request, me *user) {
	form, ok := a.form(w, r, maxSmallForm)
	if !ok {
		return
	}
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	d := invitationData{Chosen: form.Get("connection"), Email: form.Get("email"), Errors: errorsAt{}}
	on := chosen(form["groups"], groups)
	c, _, err := a.accountConnection(r.Context(), me.Account, d.Chosen)
	lang := language(r)
	switch {
	case err != nil && err != sso.ErrNotFound:
		a.failed(w, r, err)
		return
	case err != nil || !c.Ready():
		d.Errors.add("connection", texts[lang]["wrong_connection"])
	}
	if d.Email != "" && !looksLikeEmail(d.Email) {
		d.Errors.add("email", texts[lang]["wrong_email"])
	}
	if len(d.Errors) > 0 {
		a.invitationPage(w, r, me, http.StatusUnprocessableEntity, d, on)
		return
	}
	inv := sso.Invitation{
		Code: rand.Text(), ConnectionID: c.ID, Email: sso.NormalizeEmail(d.Email), Groups: on,
		MaxUses: 1, Expires: time.Now().Add(invitationLife),
	}
	if err := a.db.sso.PutInvitation(r.Context(), inv); err != nil {
		a.failed(w, r, err)
		return
	}
	d.Link = a.baseURL + "/sso/" + url.PathEscape(c.ID) + "/invite?code=" + inv.Code
	a.invitationPage(w, r, me, http.StatusOK, d, on)
}
