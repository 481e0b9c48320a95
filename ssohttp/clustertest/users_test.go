package clustertest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ssoconn/sso"
)

// tables are the application's own: its users, and a record of each entry.
const tables = `
CREATE TABLE IF NOT EXISTS app_users (id BIGSERIAL PRIMARY KEY, email TEXT UNIQUE, subject TEXT UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS app_entries (id BIGSERIAL PRIMARY KEY, assertion TEXT NOT NULL, user_id TEXT NOT NULL, process INT NOT NULL)`

// users is an sso.UserStore of one account over PostgreSQL.
type users struct{ db *sql.DB }

func (s users) one(ctx context.Context, where string, arg any) (*sso.User, error) {
	var id, body string
	err := s.db.QueryRowContext(ctx, "SELECT id, body FROM app_users WHERE "+where, arg).Scan(&id, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, sso.ErrNoUser
	}
	if err != nil {
		return nil, err
	}
	var u sso.User
	if err := json.Unmarshal([]byte(body), &u); err != nil {
		return nil, err
	}
	u.ID = id
	return &u, nil
}

func (s users) UserBySubject(ctx context.Context, _, subject string) (*sso.User, error) {
	return s.one(ctx, "subject = $1", subject)
}

func (s users) UsersByEmail(ctx context.Context, _, email string) ([]sso.User, error) {
	u, err := s.one(ctx, "email = $1", email)
	if errors.Is(err, sso.ErrNoUser) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []sso.User{*u}, nil
}

func row(u sso.User) (email, subject any, body string, err error) {
	id := u.ID
	u.ID = ""
	text, err := json.Marshal(u)
	u.ID = id
	if u.Email != "" {
		email = sso.NormalizeEmail(u.Email)
	}
	if u.Subject != "" {
		subject = u.Subject
	}
	return email, subject, string(text), err
}

// taken tells a unique index's refusal from any other error.
func taken(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return sso.ErrUserExists
	}
	return err
}

func (s users) CreateUser(ctx context.Context, _ string, u sso.User) (*sso.User, error) {
	email, subject, body, err := row(u)
	if err != nil {
		return nil, err
	}
	var id int64
	if err := s.db.QueryRowContext(ctx, "INSERT INTO app_users (email, subject, body) VALUES ($1, $2, $3) RETURNING id", email, subject, body).Scan(&id); err != nil {
		return nil, taken(err)
	}
	u.ID = strconv.FormatInt(id, 10)
	return &u, nil
}

func (s users) UpdateUser(ctx context.Context, _ string, old, new sso.User) (*sso.User, error) {
	_, _, was, err := row(old)
	if err != nil {
		return nil, err
	}
	email, subject, body, err := row(new)
	if err != nil {
		return nil, err
	}
	res, err := s.db.ExecContext(ctx, "UPDATE app_users SET email = $1, subject = $2, body = $3 WHERE id = $4 AND body = $5", email, subject, body, old.ID, was)
	if err != nil {
		return nil, taken(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return &new, err
	}
	if _, err := s.one(ctx, "id = $1", old.ID); err != nil {
		return nil, err
	}
	return nil, sso.ErrConflict
}
