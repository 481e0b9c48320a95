package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"modernc.org/sqlite"

	"github.com/ssoconn/sso/sqlstore"
)

//go:embed schema.sql
var schema string

// database is the application's own tables, and the library's beside them in
// the same database: one pool serves both.
type database struct {
	pool    *sql.DB
	dialect sqlstore.Dialect
	sso     *sqlstore.Store
}

// openDatabase opens a SQLite file, which is made if it is not there, or a
// postgres:// URL.
func openDatabase(ctx context.Context, dsn string) (*database, error) {
	db := &database{dialect: sqlstore.SQLite}
	driver, source := "sqlite", ""
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		db.dialect, driver, source = sqlstore.PostgreSQL, "pgx", dsn
	} else {
		// It holds personal data: nobody else's to read, whatever the umask.
		f, err := os.OpenFile(dsn, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		source = dsn + "?" + url.Values{
			"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(1000)", "foreign_keys(1)"},
			"_txlock": {"immediate"}, // a transaction here always writes
		}.Encode()
	}
	var err error
	if db.pool, err = sql.Open(driver, source); err != nil {
		return nil, err
	}
	db.pool.SetMaxOpenConns(16)
	db.pool.SetMaxIdleConns(16)
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the database: %w", err), db.pool.Close())
	}
	return db, nil
}

func (db *database) migrate(ctx context.Context) error {
	for _, statement := range strings.Split(schema, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.pool.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	var err error
	db.sso, err = sqlstore.New(ctx, db.pool, db.dialect)
	return err
}

func (db *database) Close() error { return db.pool.Close() }

// q is a statement for the dialect. It is written with SQLite's placeholders.
func (db *database) q(statement string) string {
	if db.dialect == sqlstore.PostgreSQL {
		return strings.ReplaceAll(statement, "?", "$")
	}
	return statement
}

// locked is a SELECT that locks the rows it finds until the transaction ends.
// SQLite locks the whole database instead, see _txlock.
func (db *database) locked(statement string) string {
	if db.dialect == sqlstore.PostgreSQL {
		return db.q(statement) + " FOR UPDATE"
	}
	return statement
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (db *database) exec(ctx context.Context, tx querier, statement string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, db.q(statement), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// texts are the values of a query's one column.
func (db *database) texts(ctx context.Context, tx querier, statement string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, db.q(statement), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// tx runs f in a transaction.
func (db *database) tx(ctx context.Context, f func(tx querier) error) error {
	tx, err := db.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// isTaken says whether a write failed on a unique key.
func isTaken(err error) bool {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code()&0xff == 19
}
