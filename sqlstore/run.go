package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ssoconn/sso"
)

// A querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// A mode is what a statement does to the database, which says where it runs.
type mode int

const (
	reading mode = iota
	quick        // a write that is not waited for until it is on disk
	durable      // a write that is
)

// row runs one statement that returns at most one row, and puts that into dest.
// sso.ErrNotFound if there is none.
func (s *Store) row(ctx context.Context, what string, m mode, q statement, args []any, dest ...any) error {
	return s.run(ctx, what, m, func(ctx context.Context, db *sql.DB) error {
		if s.dialect == PostgreSQL {
			// pgx keeps what it has prepared, for each connection.
			return one(ctx, db, q.postgres, args, dest...)
		}
		st, err := s.prepare(ctx, db, q.sqlite)
		if err != nil {
			return err
		}
		rows, err := st.QueryContext(ctx, args...)
		return only(rows, err, dest)
	})
}

// A preparation is a statement prepared on a pool.
type preparation struct {
	db    *sql.DB
	query string
}

// prepare keeps what it prepares, of which there are a dozen: SQLite takes as
// long to understand a statement as to run it. The pool closes them in the end.
func (s *Store) prepare(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	key := preparation{db, query}
	if st, ok := s.prepared.Load(key); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, ok := s.prepared.LoadOrStore(key, st); ok {
		_ = st.Close()
		return first.(*sql.Stmt), nil
	}
	return st, nil
}

// one runs a statement and reads its one row.
func one(ctx context.Context, db querier, query string, args []any, dest ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	return only(rows, err, dest)
}

// only reads the answer to its very end. SQLite commits a write that returns a
// row when the end is reached, and PostgreSQL reports there how the commit went:
// to stop at the row would be to hand out a sign-in whose use was never stored.
func only(rows *sql.Rows, err error, dest []any) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		if found {
			return errors.New("more than one row")
		}
		found = true
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if !found {
		return sso.ErrNotFound
	}
	return nil
}

// tx runs f in one transaction that will write, and makes what it did durable.
func (s *Store) tx(ctx context.Context, what string, f func(context.Context, querier) error) error {
	return s.run(ctx, what, durable, func(ctx context.Context, db *sql.DB) error { return s.begin(ctx, db, f) })
}

func (s *Store) begin(ctx context.Context, db *sql.DB, f func(context.Context, querier) error) error {
	if s.dialect == SQLite {
		return immediate(ctx, db, f)
	}
	// A statement must see what was committed while it waited for a lock, so a
	// stricter level that somebody made the default will not do.
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback() // without a connection there is no transaction either
		return err
	}
	return tx.Commit()
}

// immediate runs f in a SQLite transaction that takes the write lock first: one
// that starts by reading is refused the lock when somebody else wrote since.
func immediate(ctx context.Context, db *sql.DB, f func(context.Context, querier) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	if busy(err) {
		return err
	}
	if err == nil {
		err = f(ctx, conn)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err == nil {
		return nil
	}
	// The connection goes back into the pool without a transaction, or not at
	// all. That a BEGIN was cancelled does not mean that it has not begun.
	if _, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); rollback != nil && !ended(conn) {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err
}

// ended says whether there was no transaction to roll back: SQLite ends one by
// itself after some errors.
func ended(conn *sql.Conn) bool {
	_, err := conn.ExecContext(context.Background(), "BEGIN")
	if err == nil {
		_, err = conn.ExecContext(context.Background(), "ROLLBACK")
	}
	return err == nil
}

// run does one thing within the deadline, names it in the error, waits for its
// turn to write, and tries again for as long as SQLite says that it is busy.
func (s *Store) run(ctx context.Context, what string, m mode, f func(context.Context, *sql.DB) error) error {
	limit := s.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err := s.wait(ctx, m, f)
	switch {
	case err == nil:
		return nil
	case err == sso.ErrNotFound, err == sso.ErrConflict, err == sso.ErrInvitationSpent:
		return err
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("sqlstore: %s: %w: %w", what, ctx.Err(), err)
	}
	return fmt.Errorf("sqlstore: %s: %w", what, err)
}

func (s *Store) wait(ctx context.Context, m mode, f func(context.Context, *sql.DB) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db := s.pools[m]
	if m != reading && s.turn != nil {
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	// SQLite's own busy_timeout cannot be interrupted, so the wait is here.
	// A statement that found the database busy has done nothing: trying it
	// again is safe, as after no other error.
	for pause := time.Millisecond; ; pause = min(2*pause, 16*time.Millisecond) {
		err := f(ctx, db)
		if !busy(err) {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// busy says whether another process holds the lock that was needed.
func busy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
