package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssohttp"
)

// newSSO wires the library to the application: everything that it asks of an
// application is here, but for the user table, which is in users.go.
func (a *app) newSSO() (*ssohttp.Handlers, error) {
	return ssohttp.New(ssohttp.Config{
		BaseURL:     a.baseURL + "/sso",
		Connections: a.connection,
		State:       a.db.sso,
		Replay:      a.db.sso,
		Provisioner: &sso.Provisioner{Users: users{a.db}, Invitations: a.db.sso},

		SignedIn:      a.signedIn,
		Refused:       func(r *http.Request, f ssohttp.Refusal) { a.log.Warn("sign-in refused", "refusal", f.String()) },
		Administrator: a.administers,
		SaveTest:      a.saveTest,
		Language:      language,
	})
}

// connection is for everybody who signs in, so the account does not matter yet.
func (a *app) connection(ctx context.Context, id string) (*sso.Connection, error) {
	c, _, err := a.db.sso.Connection(ctx, id)
	return c, err
}

// signedIn opens the application's session for somebody who came by SSO.
func (a *app) signedIn(_ http.ResponseWriter, r *http.Request, l *ssohttp.Login) error {
	return a.startSession(r.Context(), l.Outcome.User.ID)
}

// administers says whether the request comes from an administrator of the
// account whose connection it is.
func (a *app) administers(r *http.Request, c *sso.Connection) (by string, ok bool) {
	u := a.currentUser(r)
	if u == nil || !u.IsAdministrator() {
		return "", false
	}
	account, err := users{a.db}.account(r.Context(), a.db.pool, c.ID)
	if err != nil || account != u.Account {
		return "", false
	}
	return u.Name, true
}

// saveTest keeps the record of a test. It is about the settings as they were
// when it ran, and knows which those were, so an administrator who saved
// meanwhile loses nothing.
func (a *app) saveTest(ctx context.Context, tested *sso.Connection) error {
	for range 5 {
		c, version, err := a.db.sso.Connection(ctx, tested.ID)
		if err != nil {
			return err
		}
		c.LastTest = tested.LastTest
		if _, err := a.db.sso.SaveConnection(ctx, c, version); !errors.Is(err, sso.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("connection %q: %w", tested.ID, sso.ErrConflict)
}

// accountConnections are the connections of one account.
func (a *app) accountConnections(ctx context.Context, account string) ([]*sso.Connection, error) {
	ids, err := a.db.texts(ctx, a.db.pool, `SELECT id FROM crm_connections WHERE account_id = ?1 ORDER BY id`, account)
	if err != nil {
		return nil, err
	}
	var out []*sso.Connection
	for _, id := range ids {
		c, err := a.connection(ctx, id)
		if errors.Is(err, sso.ErrNotFound) {
			continue // being made or removed
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y *sso.Connection) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// accountConnection is a connection of this account and its version, or
// sso.ErrNotFound.
func (a *app) accountConnection(ctx context.Context, account, id string) (*sso.Connection, int64, error) {
	owner, err := users{a.db}.account(ctx, a.db.pool, id)
	if err != nil {
		return nil, 0, err
	}
	if owner != account {
		return nil, 0, sso.ErrNotFound
	}
	return a.db.sso.Connection(ctx, id)
}
