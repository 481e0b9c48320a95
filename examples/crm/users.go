package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/ssoconn/sso"
)

// user is a row of the user table. Its Subject is set only where a connection
// is looked at.
type user struct {
	sso.User
	Account  string
	Password string // a hash, "" for people who enter by SSO alone
}

func (u *user) IsAdministrator() bool { return u.Role == roleAdministrator }

// users is the application's user table as the library sees it: an
// sso.UserStore. It sees the users of the connection's own account and no
// others.
type users struct{ db *database }

var _ sso.UserStore = users{}

const userColumns = `u.id, u.account_id, u.email, u.name, u.role, u.password, u.disabled`

// one scans a user and adds the groups.
func (s users) one(ctx context.Context, tx querier, row *sql.Row) (*user, error) {
	u := &user{}
	err := row.Scan(&u.ID, &u.Account, &u.Email, &u.Name, &u.Role, &u.Password, &u.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, sso.ErrNoUser
	}
	if err != nil {
		return nil, err
	}
	u.Groups, err = s.db.texts(ctx, tx, `SELECT group_name FROM crm_user_groups WHERE user_id = ?1 ORDER BY group_name`, u.ID)
	slices.Sort(u.Groups) // not as the database's language sorts
	return u, err
}

// account is that of a connection.
func (s users) account(ctx context.Context, tx querier, connectionID string) (string, error) {
	if !isText(connectionID) {
		return "", sso.ErrNotFound
	}
	ids, err := s.db.texts(ctx, tx, `SELECT account_id FROM crm_connections WHERE id = ?1`, connectionID)
	if err == nil && len(ids) == 0 {
		err = sso.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// UserBySubject finds the user linked to a person at the IdP.
func (s users) UserBySubject(ctx context.Context, connectionID, subject string) (*sso.User, error) {
	if subject == "" || !isText(subject) {
		return nil, sso.ErrNoUser
	}
	// The account is asked for in the same statement, so that a row that ended
	// up in another account cannot be found.
	u, err := s.one(ctx, s.db.pool, s.db.pool.QueryRowContext(ctx, s.db.q(`SELECT `+userColumns+` FROM crm_users u
		JOIN crm_subjects s ON s.user_id = u.id JOIN crm_connections c ON c.id = s.connection_id AND c.account_id = u.account_id
		WHERE s.connection_id = ?1 AND s.subject = ?2`), connectionID, subject))
	if err != nil {
		return nil, err
	}
	u.Subject = subject
	return &u.User, nil
}

// UsersByEmail finds the account's users with that address, of which the table
// has one at most.
func (s users) UsersByEmail(ctx context.Context, connectionID, email string) ([]sso.User, error) {
	if !isText(email) {
		return nil, nil
	}
	account, err := s.account(ctx, s.db.pool, connectionID)
	if err != nil {
		return nil, err
	}
	u, err := s.byEmail(ctx, account, email)
	if errors.Is(err, sso.ErrNoUser) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if u.Subject, err = s.subject(ctx, s.db.pool, connectionID, u.ID); err != nil {
		return nil, err
	}
	return []sso.User{u.User}, nil
}

func (s users) subject(ctx context.Context, tx querier, connectionID, userID string) (string, error) {
	found, err := s.db.texts(ctx, tx, `SELECT subject FROM crm_subjects WHERE connection_id = ?1 AND user_id = ?2`, connectionID, userID)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// CreateUser adds a user of the connection's account.
func (s users) CreateUser(ctx context.Context, connectionID string, u sso.User) (*sso.User, error) {
	account, err := s.account(ctx, s.db.pool, connectionID)
	if err != nil {
		return nil, err
	}
	made := &user{User: u, Account: account}
	if err := s.create(ctx, made, connectionID); err != nil {
		return nil, err
	}
	return &made.User, nil
}

// create adds a user, and links them to a person at the IdP if they have a
// subject.
func (s users) create(ctx context.Context, u *user, connectionID string) error {
	u.ID = rand.Text()
	slices.Sort(u.Groups)
	err := s.db.tx(ctx, func(tx querier) error {
		if _, err := s.db.exec(ctx, tx, `INSERT INTO crm_users (id, account_id, email, email_key, name, role, password, disabled)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
			u.ID, u.Account, u.Email, sso.NormalizeEmail(u.Email), u.Name, u.Role, u.Password, number(u.Disabled)); err != nil {
			return err
		}
		if err := s.setGroups(ctx, tx, u.ID, u.Groups); err != nil {
			return err
		}
		return s.link(ctx, tx, connectionID, u.ID, u.Subject)
	})
	return existing(err)
}

// UpdateUser makes the user that still is as old into new.
func (s users) UpdateUser(ctx context.Context, connectionID string, old, new sso.User) (*sso.User, error) {
	new.ID = old.ID
	slices.Sort(new.Groups)
	err := s.db.tx(ctx, func(tx querier) error {
		account, err := s.account(ctx, tx, connectionID)
		if err != nil {
			return err
		}
		now, err := s.one(ctx, tx, tx.QueryRowContext(ctx, s.db.locked(`SELECT `+userColumns+` FROM crm_users u
			WHERE u.id = ?1 AND u.account_id = ?2`), old.ID, account))
		if err != nil {
			return err
		}
		if now.Subject, err = s.subject(ctx, tx, connectionID, old.ID); err != nil {
			return err
		}
		if !same(now.User, old) {
			return sso.ErrConflict
		}
		if err := s.write(ctx, tx, new); err != nil {
			return err
		}
		return s.link(ctx, tx, connectionID, new.ID, new.Subject)
	})
	if err := existing(err); err != nil {
		return nil, err
	}
	return &new, nil
}

func (s users) write(ctx context.Context, tx querier, u sso.User) error {
	if _, err := s.db.exec(ctx, tx, `UPDATE crm_users SET email = ?2, email_key = ?3, name = ?4, role = ?5, disabled = ?6 WHERE id = ?1`,
		u.ID, u.Email, sso.NormalizeEmail(u.Email), u.Name, u.Role, number(u.Disabled)); err != nil {
		return err
	}
	return s.setGroups(ctx, tx, u.ID, u.Groups)
}

func (s users) setGroups(ctx context.Context, tx querier, id string, groups []string) error {
	if _, err := s.db.exec(ctx, tx, `DELETE FROM crm_user_groups WHERE user_id = ?1`, id); err != nil {
		return err
	}
	for _, g := range slices.Compact(slices.Clone(groups)) {
		if _, err := s.db.exec(ctx, tx, `INSERT INTO crm_user_groups (user_id, group_name) VALUES (?1, ?2)`, id, g); err != nil {
			return err
		}
	}
	return nil
}

func (s users) link(ctx context.Context, tx querier, connectionID, userID, subject string) error {
	if connectionID == "" {
		return nil
	}
	if _, err := s.db.exec(ctx, tx, `DELETE FROM crm_subjects WHERE connection_id = ?1 AND user_id = ?2`, connectionID, userID); err != nil {
		return err
	}
	if subject == "" {
		return nil
	}
	_, err := s.db.exec(ctx, tx, `INSERT INTO crm_subjects (connection_id, subject, user_id) VALUES (?1, ?2, ?3)`, connectionID, subject, userID)
	return err
}

// byID, byEmail, all and save are for the application's own pages.

func (s users) byID(ctx context.Context, id string) (*user, error) {
	return s.one(ctx, s.db.pool, s.db.pool.QueryRowContext(ctx, s.db.q(`SELECT `+userColumns+` FROM crm_users u WHERE u.id = ?1`), id))
}

func (s users) byEmail(ctx context.Context, account, email string) (*user, error) {
	if !isText(email) {
		return nil, sso.ErrNoUser
	}
	return s.one(ctx, s.db.pool, s.db.pool.QueryRowContext(ctx, s.db.q(`SELECT `+userColumns+` FROM crm_users u
		WHERE u.account_id = ?1 AND u.email_key = ?2`), account, sso.NormalizeEmail(email)))
}

func (s users) all(ctx context.Context, account string) ([]*user, error) {
	ids, err := s.db.texts(ctx, s.db.pool, `SELECT id FROM crm_users WHERE account_id = ?1 ORDER BY name, id`, account)
	if err != nil {
		return nil, err
	}
	var out []*user
	for _, id := range ids {
		u, err := s.byID(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

func (s users) save(ctx context.Context, u *user) error {
	return existing(s.db.tx(ctx, func(tx querier) error { return s.write(ctx, tx, u.User) }))
}

func existing(err error) error {
	if isTaken(err) {
		return sso.ErrUserExists
	}
	return err
}

func same(a, b sso.User) bool {
	slices.Sort(a.Groups)
	groups := slices.Clone(b.Groups)
	slices.Sort(groups)
	return a.Email == b.Email && a.Name == b.Name && a.Role == b.Role && a.Subject == b.Subject &&
		a.Disabled == b.Disabled && slices.Equal(a.Groups, groups)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isText says whether a database can look for s: PostgreSQL answers what is no
// text with an error, which would read as an outage.
func isText(s string) bool {
	return utf8.ValidString(s) && !slices.Contains([]byte(s), 0)
}
