package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/sealed"
)

// A Put is not waited for until it is on disk: a power cut may lose it, and the
// person starts the sign-in again. Everything that decides single use is waited
// for, since a Take or a Remember that comes undone lets a response in twice.
//
// On PostgreSQL the statement itself says so, for its own transaction: a
// volatile function in FROM is called whether or not its result is used.
const atLeisure = `(SELECT set_config('synchronous_commit', 'off', true)) AS leisure`

var (
	putState = statement{
		sqlite: `INSERT INTO sso_states (id, body, expires) VALUES (?1, ?2, ?3)
			ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires = excluded.expires RETURNING 1`,
		postgres: `INSERT INTO sso_states (id, body, expires)
			SELECT $1::bytea, $2::bytea, $3::bigint FROM ` + atLeisure + `
			ON CONFLICT (id) DO UPDATE SET body = excluded.body, expires = excluded.expires RETURNING 1`,
	}
	getState  = both(`SELECT body FROM sso_states WHERE id = ?1 AND expires > ?2`)
	takeState = both(`DELETE FROM sso_states WHERE id = ?1 RETURNING body, expires`)
	// A replay counts as forgotten once it has expired, swept up or not.
	remember = both(`INSERT INTO sso_replays (id, expires) VALUES (?1, ?2)
		ON CONFLICT (id) DO UPDATE SET expires = excluded.expires WHERE sso_replays.expires <= ?3 RETURNING 1`)
)

// Put stores value under key until the given time, over what was there. The
// database sees neither: it holds a hash of the key, and the value encrypted
// with another. So the key must be a secret that cannot be guessed, with 128
// random bits or more.
func (s *Store) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	body, err := sealed.Seal("state", key, value)
	if err != nil {
		return err
	}
	var done int
	if err := s.row(ctx, "put", quick, putState, []any{sealed.Name("state", key), body, until.UnixMilli()}, &done); err != nil {
		return err
	}
	s.tidy(ctx)
	return nil
}

// Get returns the value under key, or sso.ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	var body []byte
	if err := s.row(ctx, "get", reading, getState, []any{sealed.Name("state", key), s.now().UnixMilli()}, &body); err != nil {
		return nil, err
	}
	return unseal(key, body)
}

// Take returns the value under key and removes it. Of any number of callers in
// any number of processes one gets it; all others get sso.ErrNotFound. It
// returns once that is on disk.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	var body []byte
	var until int64
	if err := s.row(ctx, "take", durable, takeState, []any{sealed.Name("state", key)}, &body, &until); err != nil {
		return nil, err
	}
	if s.now().UnixMilli() >= until {
		return nil, sso.ErrNotFound
	}
	return unseal(key, body)
}

func unseal(key string, body []byte) ([]byte, error) {
	value, err := sealed.Open("state", key, body)
	if err != nil {
		return nil, errors.New("sqlstore: state: " + err.Error())
	}
	return value, nil
}

// Remember returns true the first time that any process gives it key, and false
// until the given time from then on. It returns once that is on disk.
func (s *Store) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	// Rounded up: a memory must not end before its time.
	expires := until.Add(time.Millisecond - 1).UnixMilli()
	var done int
	err = s.row(ctx, "remember", durable, remember, []any{sealed.Name("replay", key), expires, s.now().UnixMilli()}, &done)
	if err == sso.ErrNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.tidy(ctx)
	return true, nil
}
