package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

//go:embed migrations
var migrations embed.FS

// ErrNewerSchema is what New and Open return for a database whose tables a newer
// version of this package made. Nothing in it was touched.
var ErrNewerSchema = errors.New("the database is newer than the program")

const (
	// migrateTime bounds the whole of it, the wait for another process included.
	migrateTime = time.Minute
	// migrateLock is PostgreSQL's advisory lock: "sso" and a one.
	migrateLock = 0x73736f01
)

var (
	hasSchema = statement{
		sqlite:   `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'sso_schema'`,
		postgres: `SELECT count(*) FROM (SELECT to_regclass('sso_schema') AS found) AS t WHERE found IS NOT NULL`,
	}
	getSchema  = both(`SELECT coalesce(max(version), 0) FROM sso_schema`)
	makeSchema = both(`CREATE TABLE IF NOT EXISTS sso_schema (version bigint NOT NULL PRIMARY KEY, applied bigint NOT NULL)`)
	putSchema  = both(`INSERT INTO sso_schema (version, applied) VALUES (?1, ?2)`)
)

// steps are the migrations of one dialect, in order: 0001.sql brings version 1.
func steps(d Dialect) ([]string, error) {
	dir := path.Join("migrations", string(d))
	files, err := fs.ReadDir(migrations, dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for i, f := range files {
		if want := fmt.Sprintf("%04d.sql", i+1); f.Name() != want {
			return nil, fmt.Errorf("found %s, want %s", f.Name(), want)
		}
		text, err := migrations.ReadFile(path.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	return out, nil
}

// migrate brings the tables to the version of this package, in one transaction:
// all of it or none. Where they are at it already, as on every start but the
// first after an upgrade, it only reads, so the account that serves sign-ins
// need not be allowed to make tables.
func (s *Store) migrate(ctx context.Context) error {
	all, err := steps(s.dialect)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, migrateTime)
	defer cancel()
	return s.wait(ctx, durable, func(ctx context.Context, db *sql.DB) error {
		version, err := s.version(ctx, db)
		if err != nil || version == len(all) {
			return err
		}
		if version > len(all) {
			return newer(version, len(all))
		}
		return s.begin(ctx, db, func(ctx context.Context, q querier) error { return s.apply(ctx, q, all) })
	})
}

// apply runs what is missing. Only one process does: SQLite's transaction has
// the write lock, PostgreSQL's takes a lock that ends with it, however it ends.
// Whoever had the lock before may have done it all.
func (s *Store) apply(ctx context.Context, q querier, all []string) error {
	if s.dialect == PostgreSQL {
		if _, err := q.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrateLock)); err != nil {
			return err
		}
	}
	// Not hasSchema: PostgreSQL remembers within a transaction that a table is
	// not there, even when whoever had the lock before has made it meanwhile.
	if _, err := q.ExecContext(ctx, makeSchema.in(s.dialect)); err != nil {
		return err
	}
	var version int
	if err := one(ctx, q, getSchema.in(s.dialect), nil, &version); err != nil {
		return err
	}
	if version > len(all) {
		return newer(version, len(all))
	}
	for i := version; i < len(all); i++ {
		if _, err := q.ExecContext(ctx, all[i]); err != nil {
			return fmt.Errorf("version %d: %w", i+1, err)
		}
		if _, err := q.ExecContext(ctx, putSchema.in(s.dialect), i+1, time.Now().UnixMilli()); err != nil {
			return fmt.Errorf("version %d: %w", i+1, err)
		}
	}
	return nil
}

// version is that of the tables in the database, zero if there are none.
func (s *Store) version(ctx context.Context, q querier) (int, error) {
	var found, version int
	if err := one(ctx, q, hasSchema.in(s.dialect), nil, &found); err != nil || found == 0 {
		return 0, err
	}
	err := one(ctx, q, getSchema.in(s.dialect), nil, &version)
	return version, err
}

func newer(has, knows int) error {
	return fmt.Errorf("%w: its tables are at version %d, and this program knows version %d: run the newer program, or restore the backup made before the upgrade", ErrNewerSchema, has, knows)
}
