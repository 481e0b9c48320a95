package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
)

// calls are all of a Store's methods, each as a call that needs the database.
func calls(s *sqlstore.Store) map[string]func(context.Context) error {
	soon := time.Now().Add(time.Hour)
	return map[string]func(context.Context) error{
		"Ping":     s.Ping,
		"Put":      func(ctx context.Context) error { return s.Put(ctx, key(), []byte("v"), soon) },
		"Get":      func(ctx context.Context) error { _, err := s.Get(ctx, "k"); return err },
		"Take":     func(ctx context.Context) error { _, err := s.Take(ctx, "k"); return err },
		"Remember": func(ctx context.Context) error { _, err := s.Remember(ctx, key(), soon); return err },
		"Connection": func(ctx context.Context) error {
			_, _, err := s.Connection(ctx, "c")
			return err
		},
		"Connections": func(ctx context.Context) error { _, err := s.Connections(ctx); return err },
		"SaveConnection": func(ctx context.Context) error {
			_, err := s.SaveConnection(ctx, &sso.Connection{ID: key()}, 0)
			return err
		},
		"DeleteConnection": func(ctx context.Context) error { return s.DeleteConnection(ctx, "c") },
		"PutInvitation": func(ctx context.Context) error {
			return s.PutInvitation(ctx, sso.Invitation{Code: key(), ConnectionID: "d"})
		},
		"Invitation":        func(ctx context.Context) error { _, _, err := s.Invitation(ctx, "i", "alice", soon); return err },
		"RedeemInvitation":  func(ctx context.Context) error { return s.RedeemInvitation(ctx, "i", "alice", soon) },
		"ReleaseInvitation": func(ctx context.Context) error { return s.ReleaseInvitation(ctx, "i", "alice") },
		"DeleteInvitation":  func(ctx context.Context) error { return s.DeleteInvitation(ctx, "i") },
		"ClearExpired":      func(ctx context.Context) error { _, err := s.ClearExpired(ctx, 10); return err },
	}
}

// all runs every call at once and looks at how each ends.
func all(t *testing.T, s *sqlstore.Store, ctx context.Context, check func(name string, err error, took time.Duration)) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for name, call := range calls(s) {
		wg.Go(func() {
			began := time.Now()
			err := call(ctx)
			mu.Lock()
			defer mu.Unlock()
			check(name, err, time.Since(began))
		})
	}
	wg.Wait()
}

// works says that every call comes through: the control of each fault.
func works(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	all(t, s, context.Background(), func(name string, err error, _ time.Duration) {
		if err != nil && err != sso.ErrNotFound {
			t.Errorf("with nothing wrong: %s: %v", name, err)
		}
	})
}

// refuses says that every call ends in an error that is no answer, in time.
func refuses(t *testing.T, s *sqlstore.Store, ctx context.Context, within time.Duration, want string) {
	t.Helper()
	all(t, s, ctx, func(name string, err error, took time.Duration) {
		for _, answer := range []error{nil, sso.ErrNotFound, sso.ErrConflict, sso.ErrInvitationSpent} {
			if errors.Is(err, answer) {
				t.Errorf("%s: %v, which is an answer", name, err)
				return
			}
		}
		if !strings.HasPrefix(err.Error(), "sqlstore: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %q, want one of sqlstore's with %q", name, err, want)
		}
		if took > within {
			t.Errorf("%s took %v, want at most %v", name, took, within)
		}
	})
}

const slack = 2 * time.Second // a busy machine

func TestDoneContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		works(t, s)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		refuses(t, s, ctx, slack, context.Canceled.Error())
		works(t, s)
	})
}

func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	proxy := testserver.NewProxy(t, server.Addr())
	u, err := url.Parse(server.NewDatabase())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = proxy.Addr()
	s := open(t, u.String())
	s.Timeout = 500 * time.Millisecond
	works(t, s)

	proxy.Mute()
	refuses(t, s, context.Background(), s.Timeout+slack, "deadline exceeded")
	s.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	refuses(t, s, ctx, 300*time.Millisecond+slack, "deadline exceeded")
	cancel()
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	refuses(t, s, ctx, 300*time.Millisecond+slack, "canceled")
	s.Timeout = 20 * time.Second
	proxy.Resume()
	works(t, s)

	s.Timeout = 500 * time.Millisecond
	proxy.Cut()
	refuses(t, s, context.Background(), s.Timeout+slack, "")
	proxy.Resume()
	s.Timeout = 20 * time.Second
	works(t, s)

	server.Stop()
	s.Timeout = 500 * time.Millisecond
	refuses(t, s, context.Background(), s.Timeout+slack, "")
	if _, err := sqlstore.Open(context.Background(), server.URL()); err == nil || !strings.Contains(err.Error(), "connect") {
		t.Errorf("Open without a server: %v", err)
	}
	server.Start()
	s.Timeout = 20 * time.Second
	works(t, s)
}

// TestPostgresLockHeld has somebody else hold the rows.
func TestPostgresLockHeld(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dsn := testserver.Postgres(t)
	s := open(t, dsn)
	s.Timeout = 400 * time.Millisecond
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("LOCK TABLE sso_states, sso_replays, sso_invitations, sso_connections IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if fresh, err := s.Remember(ctx, "k", time.Now().Add(time.Hour)); fresh || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > s.Timeout+slack {
		t.Errorf("Remember: %v, %v after %v", fresh, err, time.Since(began))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	s.Timeout = 20 * time.Second
	works(t, s)
}

func TestSQLiteLockHeld(t *testing.T) {
	t.Parallel()
	path := sqliteFile(t)
	s := open(t, path)
	works(t, s)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"Timeout", "the caller's deadline", "the caller's cancellation"} {
		ctx, cancel := context.WithCancel(context.Background())
		s.Timeout = time.Minute
		want := "deadline exceeded"
		switch how {
		case "Timeout":
			s.Timeout = 300 * time.Millisecond
		case "the caller's deadline":
			ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
		default:
			time.AfterFunc(300*time.Millisecond, cancel)
			want = "canceled"
		}
		began := time.Now()
		fresh, err := s.Remember(ctx, "k", time.Now().Add(time.Hour))
		cancel()
		if took := time.Since(began); fresh || err == nil || !strings.Contains(err.Error(), want) || took > 300*time.Millisecond+slack {
			t.Errorf("%s: %v, %v after %v", how, fresh, err, took)
		}
		// Readers need not wait for the writer.
		if _, err := s.Get(context.Background(), "k"); err != sso.ErrNotFound {
			t.Errorf("Get beside a writer: %v", err)
		}
	}
	// Who waits gets the lock when it comes free.
	s.Timeout = 20 * time.Second
	time.AfterFunc(200*time.Millisecond, func() { _, _ = db.Exec("ROLLBACK") })
	if fresh, err := s.Remember(context.Background(), "k", time.Now().Add(time.Hour)); !fresh || err != nil {
		t.Errorf("after the lock was given back: %v, %v", fresh, err)
	}
}

// TestCancelledBegin cancels transactions as they begin: one may have begun
// although its caller was told otherwise, and must not stay.
func TestCancelledBegin(t *testing.T) {
	t.Parallel()
	s := open(t, ":memory:")
	bg := context.Background()
	for i := range 3000 {
		ctx, cancel := context.WithTimeout(bg, time.Duration(20+i%80)*time.Microsecond)
		_ = s.DeleteConnection(ctx, "c")
		cancel()
		if err := s.DeleteConnection(bg, "c"); err != nil {
			t.Fatalf("after %d transactions that were cancelled: %v", i+1, err)
		}
	}
}

// TestCancelledInTheMiddle cancels calls at all kinds of moments: whatever
// happens to them, the store goes on working and nothing is half done.
func TestCancelledInTheMiddle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		s.Timeout = 20 * time.Second
		bg, now := context.Background(), time.Now()
		const code = "for everybody"
		if err := s.PutInvitation(bg, sso.Invitation{Code: code, ConnectionID: "c"}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 50 {
					ctx, cancel := context.WithTimeout(bg, time.Duration(i*37)*time.Microsecond)
					_ = s.RedeemInvitation(ctx, code, fmt.Sprint(g, " ", i), now)
					_, _ = s.Remember(ctx, key(), now.Add(time.Hour))
					cancel()
				}
			})
		}
		wg.Wait()
		counted, uses := 0, 0
		for g := range 4 {
			for i := range 50 {
				inv, redeemed, err := s.Invitation(bg, code, fmt.Sprint(g, " ", i), now)
				if err != nil {
					t.Fatal(err)
				}
				uses = inv.Uses
				if redeemed {
					counted++
				}
			}
		}
		if uses != counted {
			t.Errorf("%d uses are counted and %d people redeemed: one was written without the other", uses, counted)
		}
		works(t, s)
	})
}
