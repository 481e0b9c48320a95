package sqlstore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
	"github.com/ssoconn/sso/ssotest"
)

// databases are where every test of behaviour runs.
var databases = []struct {
	name string
	dsn  func(t testing.TB) string
}{
	{"sqlite", sqliteFile},
	{"memory", func(testing.TB) string { return ":memory:" }},
	{"postgres", testserver.Postgres},
}

func sqliteFile(t testing.TB) string { return filepath.Join(t.TempDir(), "sso.db") }

func open(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := sqlstore.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// each runs a test on a new store in each kind of database.
func each(t *testing.T, f func(t *testing.T, s *sqlstore.Store)) {
	t.Helper()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			f(t, open(t, d.dsn(t)))
		})
	}
}

func key() string { return rand.Text() }

func TestConformance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		// 32 who write at once to a disk that others are using as well.
		s.Timeout = 20 * time.Second
		t.Run("replay", func(t *testing.T) {
			ssotest.TestReplayCache(t, func(*testing.T) sso.ReplayCache { return s })
		})
		t.Run("state", func(t *testing.T) {
			ssotest.TestStateStore(t, func(*testing.T) ssotest.StateStore { return s })
		})
		t.Run("invitations", func(t *testing.T) {
			ssotest.TestInvitationStore(t, func(*testing.T) sso.InvitationStore { return s },
				func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error {
					return s.(*sqlstore.Store).PutInvitation(ctx, inv)
				})
		})
		t.Run("connections", func(t *testing.T) {
			ssotest.TestConnectionStore(t, func(*testing.T) ssotest.ConnectionStore { return s })
		})
	})
}

// TestNew uses a pool that the application opened.
func TestNew(t *testing.T) {
	t.Parallel()
	for driver, dsn := range map[string]string{
		"sqlite": sqliteFile(t) + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(500)",
		"pgx":    testserver.Postgres(t),
	} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			if _, err := sqlstore.New(context.Background(), db, "oracle"); err == nil || !strings.Contains(err.Error(), `unknown dialect "oracle"`) {
				t.Errorf("an unknown dialect gave %v", err)
			}
			d := sqlstore.SQLite
			if driver == "pgx" {
				d = sqlstore.PostgreSQL
			}
			s, err := sqlstore.New(context.Background(), db, d)
			if err != nil {
				t.Fatal(err)
			}
			s.Timeout = 20 * time.Second
			ssotest.TestStateStore(t, func(*testing.T) ssotest.StateStore { return s })
			ssotest.TestReplayCache(t, func(*testing.T) sso.ReplayCache { return s })
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, dsn, want string }{
		{"nothing", "", "the DSN is empty"},
		{"another database", "mysql://root:hunter2@db/sso", "cannot open mysql:// databases"},
		{"no file", "sqlite:", "names no file"},
		{"a directory", t.TempDir(), "is a directory"},
		{"no directory", filepath.Join(t.TempDir(), "none", "sso.db"), "no such file"},
		{"bad settings", "sso.db?%zz", "the DSN's settings"},
		{"a bad PostgreSQL URL", "postgres://sso:hunter2@db:port/sso", "cannot parse"},
		{"a bad PostgreSQL setting", "postgres://sso:hunter2@db/sso?connect_timeout=soon", "invalid connect_timeout"},
		{"a SQLite URI", "file:sso.db", "without the scheme file"},
	} {
		s, err := sqlstore.Open(context.Background(), c.dsn)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got the error %v, want one with %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", c.name, err)
		}
		if s != nil {
			t.Errorf("%s: a store all the same", c.name)
			s.Close()
		}
	}
	// Not a database: the text is longer than a header of SQLite's.
	path := sqliteFile(t)
	if err := os.WriteFile(path, []byte(strings.Repeat("Something else. ", 64)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("a file of something else gave %v", err)
	}
}

func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	path := sqliteFile(t)
	s := open(t, "sqlite:"+path)
	if err := s.Put(context.Background(), key(), []byte("v"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(f), got)
		}
	}
	// What the caller sets stays set.
	other := sqliteFile(t)
	o := open(t, other+"?_pragma=journal_mode(delete)")
	if err := o.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(other + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("journal_mode from the DSN was not heeded: %v", err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		clock := now
		s.Now = func() time.Time { return clock }
		k := key()
		if err := s.Put(ctx, k, []byte("v"), now.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if fresh, err := s.Remember(ctx, k, now.Add(time.Second+time.Microsecond)); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		clock = now.Add(time.Second - time.Millisecond)
		if _, err := s.Get(ctx, k); err != nil {
			t.Errorf("a millisecond before its end: %v", err)
		}
		clock = now.Add(time.Second)
		if _, err := s.Get(ctx, k); err != sso.ErrNotFound {
			t.Errorf("at its end: %v, want ErrNotFound", err)
		}
		if _, err := s.Take(ctx, k); err != sso.ErrNotFound {
			t.Errorf("at its end: %v, want ErrNotFound", err)
		}
		clock = now
		if _, err := s.Get(ctx, k); err != sso.ErrNotFound {
			t.Errorf("an expired state that was taken is still there: %v", err)
		}
		// The replay's end is rounded up.
		clock = now.Add(time.Second)
		if fresh, err := s.Remember(ctx, k, now.Add(time.Hour)); err != nil || fresh {
			t.Errorf("within its last millisecond: fresh is %v, %v", fresh, err)
		}
		clock = now.Add(time.Second + time.Millisecond)
		if fresh, err := s.Remember(ctx, k, now.Add(time.Hour)); err != nil || !fresh {
			t.Errorf("after its end: fresh is %v, %v", fresh, err)
		}
		clock = now.Add(time.Hour - time.Millisecond)
		if fresh, err := s.Remember(ctx, k, now.Add(2*time.Hour)); err != nil || fresh {
			t.Errorf("before its second end: fresh is %v, %v", fresh, err)
		}
	})
}

func TestClearExpired(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		clock := now
		s.Now = func() time.Time { return clock }
		inv := sso.Invitation{Code: key(), ConnectionID: "c", Expires: now.Add(time.Minute)}
		if err := s.PutInvitation(ctx, inv); err != nil {
			t.Fatal(err)
		}
		if err := s.PutInvitation(ctx, sso.Invitation{Code: "never expires", ConnectionID: "c"}); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"alice", "bob"} {
			if err := s.RedeemInvitation(ctx, inv.Code, who, now); err != nil {
				t.Fatal(err)
			}
		}
		for range 30 {
			if err := s.Put(ctx, key(), []byte("v"), now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Remember(ctx, key(), now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Put(ctx, "lives on", []byte("v"), now.Add(90*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			limit int
			want  int
		}{
			{time.Minute, 100, 0}, // expired, and another clock may be behind
			{time.Minute + sso.MaxClockSkew - time.Millisecond, 100, 0},
			{time.Minute + sso.MaxClockSkew, 0, 0},
			{time.Minute + sso.MaxClockSkew, 25, 25},
			{time.Minute + sso.MaxClockSkew, 25, 25},
			{time.Minute + sso.MaxClockSkew, 25, 10},
			{time.Minute + sso.MaxClockSkew, 25, 0},
			{sso.InvitationGrace + sso.MaxClockSkew, 25, 2}, // the redemptions
			{time.Minute + 30*24*time.Hour, 25, 1},          // the invitation
			{time.Minute + 30*24*time.Hour, 25, 0},
		} {
			clock = now.Add(step.after)
			if got, err := s.ClearExpired(ctx, step.limit); err != nil || got != step.want {
				t.Errorf("after %v with limit %d: cleared %d, %v, want %d", step.after, step.limit, got, err, step.want)
			}
		}
		if _, err := s.Get(ctx, "lives on"); err != nil {
			t.Errorf("what has not expired: %v", err)
		}
		if _, _, err := s.Invitation(ctx, "never expires", "", clock); err != nil {
			t.Errorf("an invitation without an end: %v", err)
		}
	})
}

// TestTidy writes for long without anybody calling ClearExpired.
func TestTidy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := sqliteFile(t)
	s := open(t, path)
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return clock }
	for range 1500 {
		if err := s.Put(ctx, key(), []byte("v"), clock.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(2 * time.Second)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows int
	if err := db.QueryRow("SELECT count(*) FROM sso_states").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	// Eleven minutes' worth is 330; the sweep comes with every 256th write.
	if rows > 330+256+1 || rows < 330 {
		t.Errorf("after 1,500 states over 50 minutes there are %d rows, want about 330 and at most 587", rows)
	}
}

// TestNothingToRedeem reads all that the database holds as its thief would.
func TestNothingToRedeem(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := sqliteFile(t)
	s := open(t, path)
	soon := time.Now().Add(time.Hour)
	secrets := map[string]string{"state key": "handle-" + key(), "state value": "value-" + key(), "replay key": "assertion-" + key(),
		"invitation code": "code-" + key(), "subject": "alice-" + key() + "@example.com"}
	const open = "the-role-of-the-invitation"
	for _, err := range []error{
		s.Put(ctx, secrets["state key"], []byte(secrets["state value"]), soon),
		s.PutInvitation(ctx, sso.Invitation{Code: secrets["invitation code"], ConnectionID: "c", Role: open}),
		s.RedeemInvitation(ctx, secrets["invitation code"], secrets["subject"], time.Now()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Remember(ctx, secrets["replay key"], soon); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	if !strings.Contains(all.String(), open) {
		t.Fatal("what is stored in the clear is not found: this test finds nothing")
	}
	for what, secret := range secrets {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the files hold the %s in the clear", what)
		}
	}
}

// TestTampered changes a value in the database.
func TestTampered(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := sqliteFile(t)
	s := open(t, path)
	k := key()
	if err := s.Put(ctx, k, []byte("v"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE sso_states SET body = zeroblob(40)"); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(ctx, k); err == nil || errors.Is(err, sso.ErrNotFound) || v != nil {
		t.Errorf("Get gave %q, %v, want another error than ErrNotFound", v, err)
	}
	if v, err := s.Take(ctx, k); err == nil || errors.Is(err, sso.ErrNotFound) || v != nil {
		t.Errorf("Take gave %q, %v, want another error than ErrNotFound", v, err)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		c := ssotest.NewIdP(ssotest.Config{}).Connection(sso.ServiceProvider{})
		var want []string
		for _, id := range []string{"b", "B", "a", "ж", "a b"} {
			c.ID = id
			if _, err := s.SaveConnection(ctx, c, 0); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Connections(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			want = append(want, c.ID)
		}
		if diff := cmp.Diff([]string{"B", "a", "a b", "b", "ж"}, want); diff != "" {
			t.Errorf("the list is out of order (-want +got)\n%s", diff)
		}
		for _, id := range []string{"", "none", "a\x00b", "a\xff"} {
			if _, _, err := s.Connection(ctx, id); err != sso.ErrNotFound {
				t.Errorf("Connection(%q): %v, want ErrNotFound", id, err)
			}
			if err := s.DeleteConnection(ctx, id); err != nil {
				t.Errorf("DeleteConnection(%q): %v", id, err)
			}
		}
		for _, id := range []string{"", "a\x00b", "a\xff"} {
			c.ID = id
			if _, err := s.SaveConnection(ctx, c, 0); err == nil || errors.Is(err, sso.ErrConflict) {
				t.Errorf("SaveConnection(%q): %v, want a refusal", id, err)
			}
		}
		c.ID = "a"
		for _, version := range []int64{-1, 7} {
			if _, err := s.SaveConnection(ctx, c, version); err != sso.ErrConflict {
				t.Errorf("version %d: %v, want ErrConflict", version, err)
			}
		}
		c.ID = "gone"
		if _, err := s.SaveConnection(ctx, c, 1); err != sso.ErrConflict {
			t.Errorf("a connection deleted meanwhile: %v, want ErrConflict", err)
		}
	})
}

func TestDeleteConnectionTakesItsInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx, now := context.Background(), time.Now()
		c := ssotest.NewIdP(ssotest.Config{}).Connection(sso.ServiceProvider{})
		for _, id := range []string{"goes", "stays"} {
			c.ID = id
			if _, err := s.SaveConnection(ctx, c, 0); err != nil {
				t.Fatal(err)
			}
			if err := s.PutInvitation(ctx, sso.Invitation{Code: "to " + id, ConnectionID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DeleteConnection(ctx, "goes"); err != nil {
			t.Fatal(err)
		}
		if err := s.RedeemInvitation(ctx, "to goes", "alice", now); err != sso.ErrNotFound {
			t.Errorf("the deleted connection's invitation: %v, want ErrNotFound", err)
		}
		if err := s.RedeemInvitation(ctx, "to stays", "alice", now); err != nil {
			t.Errorf("the other connection's invitation: %v", err)
		}
	})
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *sqlstore.Store) {
		ctx, now := context.Background(), time.Now().UTC()
		inv := sso.Invitation{Code: key(), ConnectionID: "c", Role: "User", MaxUses: 2, Uses: 1}
		if err := s.PutInvitation(ctx, inv); err != nil {
			t.Fatal(err)
		}
		if err := s.RedeemInvitation(ctx, inv.Code, "alice", now); err != nil {
			t.Fatal(err)
		}
		// An administrator who saved the form from before must not give a use away.
		inv.Role = "Manager"
		if err := s.PutInvitation(ctx, inv); err != nil {
			t.Fatal(err)
		}
		got, redeemed, err := s.Invitation(ctx, inv.Code, "alice", now)
		if err != nil || !redeemed {
			t.Fatalf("redeemed is %v, %v", redeemed, err)
		}
		want := inv
		want.Uses = 2
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := s.RedeemInvitation(ctx, inv.Code, "bob", now); err != sso.ErrInvitationSpent {
			t.Errorf("a third use of two: %v, want ErrInvitationSpent", err)
		}
		if err := s.DeleteInvitation(ctx, inv.Code); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteInvitation(ctx, inv.Code); err != nil {
			t.Errorf("withdrawing it again: %v", err)
		}
		if err := s.RedeemInvitation(ctx, inv.Code, "alice", now); err != sso.ErrNotFound {
			t.Errorf("a withdrawn invitation: %v, want ErrNotFound", err)
		}
		if err := s.ReleaseInvitation(ctx, inv.Code, "alice"); err != nil {
			t.Errorf("releasing a withdrawn invitation: %v", err)
		}
		for _, bad := range []sso.Invitation{{ConnectionID: "c"}, {Code: "x", ConnectionID: "a\x00"}} {
			if err := s.PutInvitation(ctx, bad); err == nil {
				t.Errorf("PutInvitation(%+v) gave no error", bad)
			}
		}
	})
}
