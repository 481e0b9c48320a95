package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// sessionStore keeps sessions in the database: an scs.CtxStore. A token is
// kept as its hash, so that who reads the table cannot take a session over.
type sessionStore struct{ db *database }

var _ scs.CtxStore = sessionStore{}

func newSessions(db *database, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = sessionStore{db}
	m.Lifetime, m.IdleTimeout = 12*time.Hour, 2*time.Hour
	m.Cookie.Name = "crm_session"
	m.Cookie.HttpOnly, m.Cookie.SameSite = true, http.SameSiteLaxMode
	m.Cookie.Persist = false
	if secure {
		m.Cookie.Name, m.Cookie.Secure = "__Host-crm_session", true
	}
	return m
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// FindCtx returns a session that has not expired.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	found, err := s.db.texts(ctx, s.db.pool, `SELECT body FROM crm_sessions WHERE id = ?1 AND expires > ?2 AND body <> ''`, hashed(token), time.Now().UnixMilli())
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	body, err := base64.RawStdEncoding.DecodeString(found[0])
	return body, err == nil, err
}

// CommitCtx stores a session, and clears those that expired. One that has ended
// stays ended: a request that was under way at the logout commits after it, and
// would bring the session back.
func (s sessionStore) CommitCtx(ctx context.Context, token string, body []byte, expires time.Time) error {
	if _, err := s.db.exec(ctx, s.db.pool, `DELETE FROM crm_sessions WHERE expires <= ?1`, time.Now().UnixMilli()); err != nil {
		return err
	}
	_, err := s.db.exec(ctx, s.db.pool, `INSERT INTO crm_sessions (id, body, expires) VALUES (?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires = excluded.expires WHERE crm_sessions.body <> ''`,
		hashed(token), base64.RawStdEncoding.EncodeToString(body), expires.UnixMilli())
	return err
}

// DeleteCtx ends a session. Its row stays, empty, until it expires.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.db.exec(ctx, s.db.pool, `UPDATE crm_sessions SET body = '' WHERE id = ?1`, hashed(token))
	return err
}

// Find, Commit and Delete are for scs.Store; with the three above they are not
// called.

// Find is FindCtx.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx.
func (s sessionStore) Commit(token string, b []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expires)
}

// Delete is DeleteCtx.
func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
