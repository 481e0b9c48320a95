package main

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/ssoconn/sso"
)

type connectionsData struct {
	Rows   []connectionRow
	Name   string // as typed for a new one
	Errors errorsAt
}

// connectionRow is a connection in the list.
type connectionRow struct {
	*sso.Connection
	State  string   // a text's name
	Expiry []string // what its certificates come to
}

func (a *app) showConnections(w http.ResponseWriter, r *http.Request, me *user) {
	a.connectionsPage(w, r, me, http.StatusOK, connectionsData{})
}

func (a *app) connectionsPage(w http.ResponseWriter, r *http.Request, me *user, status int, d connectionsData) {
	all, err := a.accountConnections(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	for _, c := range all {
		d.Rows = append(d.Rows, connectionRow{Connection: c, State: state(c), Expiry: expiry(language(r), c, time.Now())})
	}
	a.render(w, r, status, "connections", "sso", d)
}

// state is what the list says of a connection.
func state(c *sso.Connection) string {
	switch {
	case c.Ready():
		return "state_on"
	case c.LastTest == nil:
		return "state_untested"
	case !c.LastTest.Passed:
		return "state_failed"
	case len(c.ChangedSinceTest()) > 0:
		return "state_changed"
	}
	return "state_off"
}

func (a *app) createConnection(w http.ResponseWriter, r *http.Request, me *user) {
	form, ok := a.form(w, r, maxSmallForm)
	if !ok {
		return
	}
	name := form.Get("name")
	if problem := nameProblem(name); problem != "" {
		wrong := errorsAt{}
		wrong.add("name", texts[language(r)][problem])
		a.connectionsPage(w, r, me, http.StatusUnprocessableEntity, connectionsData{Name: name, Errors: wrong})
		return
	}
	id := strings.ToLower(rand.Text()[:12])
	c := &sso.Connection{ID: id, Name: strings.TrimSpace(name), SP: a.sso.ServiceProvider(id), DefaultRole: roleSales}
	if _, err := a.db.exec(r.Context(), a.db.pool, `INSERT INTO crm_connections (id, account_id) VALUES (?1, ?2)`, id, me.Account); err != nil {
		a.failed(w, r, err)
		return
	}
	if _, err := a.db.sso.SaveConnection(r.Context(), c, 0); err != nil {
		a.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/settings/sso/"+id, http.StatusSeeOther)
}

func (a *app) deleteConnection(w http.ResponseWriter, r *http.Request, me *user) {
	c, _, ok := a.pathConnection(w, r, me)
	if !ok {
		return
	}
	if err := a.db.sso.DeleteConnection(r.Context(), c.ID); err != nil {
		a.failed(w, r, err)
		return
	}
	if _, err := a.db.exec(r.Context(), a.db.pool, `DELETE FROM crm_connections WHERE id = ?1 AND account_id = ?2`, c.ID, me.Account); err != nil {
		a.failed(w, r, err)
		return
	}
	a.done(w, r, "/settings/sso", "deleted")
}

// pathConnection is the connection of the address, of this account.
func (a *app) pathConnection(w http.ResponseWriter, r *http.Request, me *user) (*sso.Connection, int64, bool) {
	c, version, err := a.accountConnection(r.Context(), me.Account, r.PathValue("id"))
	if err == sso.ErrNotFound {
		a.problem(w, r, http.StatusNotFound, "not_found")
		return nil, 0, false
	}
	if err != nil {
		a.failed(w, r, err)
		return nil, 0, false
	}
	return c, version, true
}
