package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/ssoconn/sso"
)

func (a *app) groups(ctx context.Context, account string) ([]string, error) {
	return a.db.texts(ctx, a.db.pool, `SELECT name FROM crm_groups WHERE account_id = ?1 ORDER BY name`, account)
}

func (a *app) showUsers(w http.ResponseWriter, r *http.Request, me *user) {
	all, err := users{a.db}.all(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	a.render(w, r, http.StatusOK, "users", "users", all)
}

type userData struct {
	Edited *user
	Roles  []string
	Groups []choice
	Errors errorsAt
	Self   bool
}

// choice is a checkbox.
type choice struct {
	Name string
	On   bool
}

func choices(offered, on []string) []choice {
	var out []choice
	for _, name := range offered {
		out = append(out, choice{name, len(chosen(on, []string{name})) == 1})
	}
	return out
}

// accountUser is the user of the address, of this account.
func (a *app) accountUser(w http.ResponseWriter, r *http.Request, me *user) *user {
	u, err := users{a.db}.byID(r.Context(), r.PathValue("id"))
	if errors.Is(err, sso.ErrNoUser) || err == nil && u.Account != me.Account {
		a.problem(w, r, http.StatusNotFound, "not_found")
		return nil
	}
	if err != nil {
		a.failed(w, r, err)
		return nil
	}
	return u
}

func (a *app) showUser(w http.ResponseWriter, r *http.Request, me *user) {
	if u := a.accountUser(w, r, me); u != nil {
		a.userPage(w, r, me, http.StatusOK, u, nil)
	}
}

func (a *app) userPage(w http.ResponseWriter, r *http.Request, me *user, status int, u *user, wrong errorsAt) {
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	a.render(w, r, status, "user", "user", userData{Edited: u, Roles: roles, Groups: choices(groups, u.Groups), Errors: wrong, Self: u.ID == me.ID})
}

func (a *app) saveUser(w http.ResponseWriter, r *http.Request, me *user) {
	form, ok := a.form(w, r, maxSmallForm)
	if !ok {
		return
	}
	u := a.accountUser(w, r, me)
	if u == nil {
		return
	}
	groups, err := a.groups(r.Context(), me.Account)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	lang, wrong := language(r), errorsAt{}
	u.Name = form.Get("name")
	u.Groups = chosen(form["groups"], groups)
	if problem := nameProblem(u.Name); problem != "" {
		wrong.add("name", texts[lang][problem])
	}
	if role := form.Get("role"); u.ID != me.ID { // or nobody might be left to undo it
		if u.Role = role; len(chosen([]string{role}, roles)) == 0 {
			wrong.add("role", texts[lang]["wrong_role"])
		}
		u.Disabled = form.Has("disabled")
	}
	if len(wrong) > 0 {
		a.userPage(w, r, me, http.StatusUnprocessableEntity, u, wrong)
		return
	}
	if err := (users{a.db}).save(r.Context(), u); err != nil {
		a.failed(w, r, err)
		return
	}
	a.done(w, r, "/settings/users", "saved")
}
