package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"; modernc.org/sqlite is "sqlite"
)

// Connections to PostgreSQL that one Store opens at most. A sign-in holds one
// for a millisecond or two, and PostgreSQL has 100 for everybody.
const postgresConns = 16

// Open opens a database and brings its tables up to date. The dsn is one of
//
//	app.db, sqlite:app.db, sqlite:app.db?_pragma=…   a SQLite file
//	:memory:                                         SQLite, gone with the Store
//	postgres://user:password@host/database?…         PostgreSQL
//
// A SQLite file that is not there is made, readable by its owner alone.
// It is used with WAL and with synchronous FULL or, for request state, NORMAL;
// see the package comment. Another setting in the dsn takes the place of ours.
//
// ErrNewerSchema if a newer version of this package has been there.
func Open(ctx context.Context, dsn string) (*Store, error) {
	scheme, rest, ok := strings.Cut(dsn, ":")
	switch {
	case dsn == "":
		return nil, errors.New("sqlstore: the DSN is empty: give a file name or a postgres:// URL")
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, dsn)
	case scheme == "sqlite":
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"))
	case ok && strings.HasPrefix(rest, "//"):
		// What follows may be a password.
		return nil, fmt.Errorf("sqlstore: cannot open %s:// databases: use SQLite or PostgreSQL", scheme)
	}
	return openSQLite(ctx, dsn)
}

func openPostgres(ctx context.Context, dsn string) (*Store, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return open(ctx, PostgreSQL, [3]*sql.DB{db, db, db})
}

func openSQLite(ctx context.Context, dsn string) (*Store, error) {
	path, query, _ := strings.Cut(dsn, "?")
	settings, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: the DSN's settings: %w", err)
	}
	if path == "" {
		return nil, errors.New("sqlstore: the DSN names no file")
	}
	if path == ":memory:" {
		// Each connection would have a database of its own.
		db, err := pool(path, settings, 1)
		if err != nil {
			return nil, err
		}
		return open(ctx, SQLite, [3]*sql.DB{db, db, db})
	}
	if strings.HasPrefix(path, "file:") {
		return nil, errors.New("sqlstore: give the name of the file without the scheme file")
	}
	// It holds personal data: whatever the umask, it is nobody else's to read.
	// SQLite gives the files beside it the same mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	var pools [3]*sql.DB
	var err1, err2, err3 error
	pools[reading], err1 = pool(path, settings, 4, "query_only(1)")
	pools[quick], err2 = pool(path, settings, 1, "synchronous(NORMAL)")
	pools[durable], err3 = pool(path, settings, 1, "synchronous(FULL)")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return open(ctx, SQLite, pools)
}

// open closes the pools if the store does not come about.
func open(ctx context.Context, d Dialect, pools [3]*sql.DB) (*Store, error) {
	s, err := start(ctx, d, pools)
	if err != nil {
		for _, db := range pools {
			_ = db.Close()
		}
		return nil, err
	}
	return s, nil
}

// pool opens n connections with the caller's settings and, where those are
// silent, ours. Connections are kept: opening one costs more than using it.
func pool(path string, settings url.Values, n int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": settings["_pragma"]}
	for k, v := range settings {
		q[k] = v
	}
	for _, p := range append(pragmas, "journal_mode(WAL)", "busy_timeout(0)") {
		if !sets(settings, p) {
			q["_pragma"] = append(q["_pragma"][:len(q["_pragma"]):len(q["_pragma"])], p)
		}
	}
	db, err := sql.Open("sqlite", path+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// sets says whether the settings have this pragma already.
func sets(settings url.Values, pragma string) bool {
	name, _, _ := strings.Cut(pragma, "(")
	for _, p := range settings["_pragma"] {
		if had, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(p)), "("); strings.TrimSpace(strings.SplitN(had, "=", 2)[0]) == name {
			return true
		}
	}
	return false
}
