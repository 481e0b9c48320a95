package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso/internal/testserver"
)

// bothDatabases runs a test on an empty database of each kind.
func bothDatabases(t *testing.T, f func(t *testing.T, dsn string, db *sql.DB)) {
	t.Helper()
	run := func(driver, dsn string) func(*testing.T) {
		return func(t *testing.T) {
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			f(t, dsn, db)
		}
	}
	t.Run("sqlite", func(t *testing.T) { run("sqlite", filepath.Join(t.TempDir(), "sso.db"))(t) })
	t.Run("postgres", func(t *testing.T) { run("pgx", testserver.Postgres(t))(t) })
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	bothDatabases(t, func(t *testing.T, dsn string, db *sql.DB) {
		s, err := Open(context.Background(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		again, err := Open(context.Background(), dsn)
		if err != nil {
			t.Fatalf("opening it again: %v", err)
		}
		again.Close()
		if _, err := db.Exec("INSERT INTO sso_schema (version, applied) VALUES (99, 0)"); err != nil {
			t.Fatal(err)
		}
		newer, err := Open(context.Background(), dsn)
		if newer != nil || !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("got %v, %v, want ErrNewerSchema that names the version", newer, err)
		}
	})
}

// TestFailedMigration breaks in the middle: nothing of it may stay.
func TestFailedMigration(t *testing.T) {
	t.Parallel()
	bothDatabases(t, func(t *testing.T, dsn string, db *sql.DB) {
		s, err := Open(context.Background(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all, err := steps(s.dialect)
		if err != nil {
			t.Fatal(err)
		}
		good := slices.Concat(all, []string{"CREATE TABLE sso_next (n bigint); CREATE TABLE sso_after (n bigint)"})
		bad := slices.Concat(all, []string{"CREATE TABLE sso_next (n bigint); CREATE TABLE sso_next (n bigint)"})
		ctx := context.Background()
		apply := func(steps []string) error {
			return s.begin(ctx, s.pools[durable], func(ctx context.Context, q querier) error { return s.apply(ctx, q, steps) })
		}
		if err := apply(bad); err == nil || !strings.Contains(err.Error(), "version 2") {
			t.Fatalf("a migration that cannot be gave %v", err)
		}
		if v, err := s.version(ctx, s.pools[durable]); err != nil || v != len(all) {
			t.Errorf("after the failure: version %d, %v, want %d", v, err, len(all))
		}
		// Were sso_next still there, this would fail.
		if err := apply(good); err != nil {
			t.Fatal(err)
		}
		if v, err := s.version(ctx, s.pools[durable]); err != nil || v != len(all)+1 {
			t.Errorf("version %d, %v, want %d", v, err, len(all)+1)
		}
	})
}

// TestOpenAgainOnlyReads has another session hold whatever a migration needs.
func TestOpenAgainOnlyReads(t *testing.T) {
	t.Parallel()
	bothDatabases(t, func(t *testing.T, dsn string, db *sql.DB) {
		ctx := context.Background()
		open := func() (*Store, error) {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return Open(ctx, dsn)
		}
		db.SetMaxOpenConns(1)
		hold, release := "BEGIN IMMEDIATE", "ROLLBACK"
		if strings.HasPrefix(dsn, "postgres") {
			hold, release = fmt.Sprintf("SELECT pg_advisory_lock(%d)", migrateLock), "SELECT pg_advisory_unlock_all()"
		}
		for _, step := range []struct {
			held bool
			want error
		}{{true, context.DeadlineExceeded}, {false, nil}, {true, nil}} {
			if step.held {
				if _, err := db.Exec(hold); err != nil {
					t.Fatal(err)
				}
			}
			s, err := open()
			if !errors.Is(err, step.want) {
				t.Errorf("with the lock held (%v): %v, want %v", step.held, err, step.want)
			}
			if err == nil {
				s.Close()
			}
			if step.held {
				if _, err := db.Exec(release); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestDialectsHaveTheSameSteps(t *testing.T) {
	t.Parallel()
	a, err := steps(SQLite)
	if err != nil {
		t.Fatal(err)
	}
	b, err := steps(PostgreSQL)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) == 0 || len(a) != len(b) {
		t.Errorf("%d steps for SQLite, %d for PostgreSQL", len(a), len(b))
	}
}

// TestAtLeisure makes sure that PostgreSQL hears of it, and for the one
// transaction only.
func TestAtLeisure(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, testserver.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.pools[quick].SetMaxOpenConns(1)
	for _, c := range []struct {
		name  string
		query statement
		args  []any
		want  string
	}{
		{"put", putState, []any{[]byte("a"), []byte("v"), 1 << 50}, "off"},
		{"put over it", putState, []any{[]byte("a"), []byte("w"), 1 << 50}, "off"},
		{"take", takeState, []any{[]byte("a")}, "on"},
		{"remember", remember, []any{[]byte("a"), 1 << 50, 0}, "on"},
	} {
		tx, err := s.pools[quick].BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, c.query.postgres, c.args...); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := tx.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit')").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s: synchronous_commit is %q in the transaction, want %q", c.name, got, c.want)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := s.pools[quick].QueryRowContext(ctx, "SELECT current_setting('synchronous_commit')").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != "on" {
			t.Errorf("%s: synchronous_commit stays %q", c.name, got)
		}
	}
}

// TestDurability asks SQLite itself how it writes.
func TestDurability(t *testing.T) {
	t.Parallel()
	const normal, full = 1, 2
	path := filepath.Join(t.TempDir(), "sso.db")
	for _, c := range []struct {
		name, dsn string
		want      [3]int // by mode; reads do not matter
	}{
		{"ours", path, [3]int{quick: normal, durable: full}},
		{"the caller's", path + "?_pragma=synchronous(normal)", [3]int{quick: normal, durable: normal}},
		{"the caller's, with =", path + "?_pragma=Synchronous=2", [3]int{quick: full, durable: full}},
	} {
		s, err := Open(context.Background(), c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []mode{quick, durable} {
			var got int
			if err := s.pools[m].QueryRow("PRAGMA synchronous").Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != c.want[m] {
				t.Errorf("%s: synchronous is %d in mode %d, want %d", c.name, got, m, c.want[m])
			}
		}
		if _, err := s.pools[reading].Exec("DELETE FROM sso_states"); err == nil {
			t.Error("the pool for reading writes")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
