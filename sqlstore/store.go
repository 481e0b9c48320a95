package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssoconn/sso"
)

// A Dialect is the kind of database.
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// DefaultTimeout bounds a call where Store.Timeout is zero.
const DefaultTimeout = 2 * time.Second

// A Store keeps connections, request state, replay memory and invitations in
// one database. Any number of goroutines and processes may use one database at
// once. Make one with Open or New.
//
// Errors other than the sentinels of package sso mean that the database could
// not answer. Whether a write took place is open then: refuse, and let the
// person start again.
type Store struct {
	// Now is the clock that expiry is judged by. Nil means time.Now. Set it
	// before the first call.
	Now func() time.Time
	// Timeout bounds each call, whatever is wrong with the database. Zero means
	// DefaultTimeout. Below zero only the caller's context bounds it: then a
	// database that hangs holds the sign-in for as long as the visitor waits.
	Timeout time.Duration

	dialect Dialect
	// pools holds a pool for each mode, the same one but for SQLite opened by
	// Open. What a quick write committed survives the process and may be lost
	// with the power; a durable one survives both, and so does all that was
	// committed before it.
	pools [3]*sql.DB
	// turn is held by who writes to SQLite, which takes one writer at a time:
	// waiting here is in order, waiting in SQLite is by chance.
	turn     chan struct{}
	prepared sync.Map // preparation to *sql.Stmt, on SQLite
	writes   atomic.Uint64
}

var (
	_ sso.ReplayCache     = (*Store)(nil)
	_ sso.InvitationStore = (*Store)(nil)
)

// New makes a Store on a pool that the application opened with a driver of its
// choice, and brings the tables up to date. The tables' names begin with sso_.
// ErrNewerSchema if a newer version of this package has been there.
//
// On SQLite let the pool have journal_mode WAL and a busy_timeout well below
// Timeout, and know that everything is as durable as its synchronous setting
// makes it: below FULL, a power cut may forget that an assertion was used. On
// PostgreSQL the isolation level must be READ COMMITTED, the default.
func New(ctx context.Context, db *sql.DB, d Dialect) (*Store, error) {
	return start(ctx, d, [3]*sql.DB{db, db, db})
}

func start(ctx context.Context, d Dialect, pools [3]*sql.DB) (*Store, error) {
	s := &Store{dialect: d, pools: pools}
	s.writes.Store(rand.Uint64()) // not every process clears at its first write
	switch d {
	case SQLite:
		s.turn = make(chan struct{}, 1)
	case PostgreSQL:
	default:
		return nil, fmt.Errorf("sqlstore: unknown dialect %q: use SQLite or PostgreSQL", d)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, fmt.Errorf("sqlstore: migrations: %w", err)
	}
	return s, nil
}

// Close closes the pools.
func (s *Store) Close() error {
	return errors.Join(s.pools[reading].Close(), s.pools[quick].Close(), s.pools[durable].Close())
}

// Ping says whether the database answers, for a health check.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.row(ctx, "ping", reading, both("SELECT 1"), nil, &one)
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// A statement is one statement in both dialects.
type statement struct{ sqlite, postgres string }

// both makes a statement of SQL that differs in its placeholders only.
func both(query string) statement {
	return statement{sqlite: query, postgres: strings.ReplaceAll(query, "?", "$")}
}

func (q statement) in(d Dialect) string {
	if d == PostgreSQL {
		return q.postgres
	}
	return q.sqlite
}
