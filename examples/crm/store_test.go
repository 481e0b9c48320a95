package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/ssotest"
)

// eachDatabase runs a test on both kinds of database.
func eachDatabase(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, filepath.Join(t.TempDir(), "crm.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, testserver.Postgres(t))
	})
}

func TestUsers(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn string) {
		db, err := openDatabase(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := seed(t.Context(), db, true); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"c1", "c2"} {
			if _, err := db.exec(t.Context(), db.pool, `INSERT INTO crm_connections (id, account_id) VALUES (?1, ?2)`, id, seedAccount); err != nil {
				t.Fatal(err)
			}
		}
		ssotest.TestUserStore(t, func(*testing.T) sso.UserStore { return users{db} })
	})
}

// TestSessionsStayEnded lets a request that began before a logout end after it.
func TestSessionsStayEnded(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		db, err := openDatabase(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		s := sessionStore{db}
		until := time.Now().Add(time.Hour)
		for _, tt := range []struct {
			name string
			end  func() error
			want bool
		}{
			{"in use", func() error { return nil }, true},
			{"ended", func() error { return s.DeleteCtx(ctx, "ended") }, false},
		} {
			if err := errors.Join(s.CommitCtx(ctx, tt.name, []byte("before"), until), tt.end(), s.CommitCtx(ctx, tt.name, []byte("after"), until)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := s.FindCtx(ctx, tt.name); err != nil || got != tt.want {
				t.Errorf("%s: there is a session: %v, %v; want %v", tt.name, got, err, tt.want)
			}
		}
	})
}

// TestAccounts holds the user table to never showing another account's people.
func TestAccounts(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		db, err := openDatabase(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		s := users{db}
		for _, account := range []string{"a", "b"} {
			for _, statement := range []string{
				`INSERT INTO crm_accounts (id, name) VALUES (?1, ?1)`,
				`INSERT INTO crm_connections (id, account_id) VALUES ('conn-' || ?1, ?1)`,
			} {
				if _, err := db.exec(ctx, db.pool, statement, account); err != nil {
					t.Fatal(err)
				}
			}
		}
		made, err := s.CreateUser(ctx, "conn-a", sso.User{Email: "x@example.com", Name: "X", Subject: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			connection string
			want       int
		}{{"conn-a", 1}, {"conn-b", 0}} {
			found, err := s.UsersByEmail(ctx, c.connection, "x@example.com")
			if err != nil || len(found) != c.want {
				t.Errorf("%s: found %d users by e-mail (%v), want %d", c.connection, len(found), err, c.want)
			}
			_, err = s.UserBySubject(ctx, c.connection, "x")
			if (err == nil) != (c.want == 1) {
				t.Errorf("%s: by subject: %v", c.connection, err)
			}
			_, err = s.UpdateUser(ctx, c.connection, *made, *made)
			if (err == nil) != (c.want == 1) {
				t.Errorf("%s: an update: %v", c.connection, err)
			}
		}
		// The same address in another account is another person.
		if _, err := s.CreateUser(ctx, "conn-b", sso.User{Email: "x@example.com", Name: "X", Subject: "x"}); err != nil {
			t.Error(err)
		}
	})
}
