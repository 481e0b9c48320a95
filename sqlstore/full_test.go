//go:build unix

package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
)

const everybody = "an invitation for everybody"

// consistent says that an invitation's uses and the people who redeemed it are
// the same in number, and that those who were let in are among them.
func consistent(t *testing.T, s *sqlstore.Store, people []string, in map[string]bool) {
	t.Helper()
	uses, counted := 0, 0
	for _, who := range people {
		inv, redeemed, err := s.Invitation(context.Background(), everybody, who, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		uses = inv.Uses
		if redeemed {
			counted++
		}
		if in[who] && !redeemed {
			t.Errorf("%s was let in and is not counted", who)
		}
	}
	if uses != counted {
		t.Errorf("%d uses are counted and %d people redeemed: one was written without the other", uses, counted)
	}
}

// TestFull lets a database grow to its limit.
func TestFull(t *testing.T) {
	t.Parallel()
	for _, path := range []string{sqliteFile(t), "sqlite::memory:"} {
		ctx, soon := context.Background(), time.Now().Add(time.Hour)
		s := open(t, path+"?_pragma=max_page_count(40)")
		if err := s.PutInvitation(ctx, sso.Invitation{Code: everybody, ConnectionID: "c"}); err != nil {
			t.Fatal(err)
		}
		in := map[string]bool{}
		var states, people []string
		full := 0
		for i := 0; full < 20 && i < 5000; i++ {
			k, who := key(), fmt.Sprint("person ", i)
			people = append(people, who)
			for what, err := range map[string]error{
				"put":    s.Put(ctx, k, make([]byte, 300), soon),
				"redeem": s.RedeemInvitation(ctx, everybody, who, time.Now()),
			} {
				switch {
				case err == nil && what == "put":
					states = append(states, k)
				case err == nil:
					in[who] = true
				case strings.Contains(err.Error(), "full"):
					full++
				default:
					t.Fatalf("%s on a full database: %v", what, err)
				}
			}
		}
		if full < 20 || len(in) == 0 || len(states) == 0 {
			t.Fatalf("%d calls failed, %d states, %d people: the database never filled up", full, len(states), len(in))
		}
		if fresh, err := s.Remember(ctx, key(), soon); fresh && err != nil {
			t.Errorf("Remember: fresh although %v", err)
		}
		consistent(t, s, people, in)
		for _, k := range states {
			if _, err := s.Take(ctx, k); err != nil {
				t.Fatalf("what was put before: %v", err)
			}
		}
		// That made room.
		works(t, s)
	}
}

// TestDiskFull has the system refuse to write, at whatever point SQLite is at.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := sqliteFile(t)
	s := open(t, path)
	s.Timeout = 20 * time.Second
	ctx := context.Background()
	if err := s.PutInvitation(ctx, sso.Invitation{Code: everybody, ConnectionID: "c"}); err != nil {
		t.Fatal(err)
	}
	f := testserver.NewFleet(t, 1, "SSO_TEST_DSN="+path, "SSO_TEST_RUN=full")
	f.Go()
	in := map[string]bool{}
	var fresh, people []string
	failed := 0
	for line := range f.Lines() {
		kind, rest, _ := strings.Cut(line.Text, "|")
		switch kind {
		case "fresh":
			fresh = append(fresh, rest)
		case "person":
			people = append(people, rest)
		case "in":
			in[rest] = true
		case "failed":
			failed++
		default:
			t.Fatalf("the process wrote %q", line.Text)
		}
	}
	if failed < 20 || len(in) == 0 || len(fresh) == 0 {
		t.Fatalf("%d calls failed, %d fresh, %d people: the disk never filled up", failed, len(fresh), len(in))
	}
	for _, k := range fresh {
		if again, err := s.Remember(ctx, k, time.Now().Add(time.Hour)); again || err != nil {
			t.Errorf("what was remembered before the disk was full: fresh is %v, %v", again, err)
		}
	}
	consistent(t, s, people, in)
	works(t, s)
}

// fillDisk is the process of TestDiskFull. No file of its grows beyond a limit
// that the system sets.
func fillDisk(dsn string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 400 << 10, Max: 400 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println("setrlimit:", err)
		return
	}
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, dsn)
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	testserver.WaitForGo()
	for i, failed := 0, 0; failed < 30 && i < 5000; i++ {
		k, who := key(), fmt.Sprint("person ", i)
		fmt.Println("person|" + who)
		if err := s.RedeemInvitation(ctx, everybody, who, time.Now()); err == nil {
			fmt.Println("in|" + who)
		} else {
			failed++
			fmt.Println("failed|" + who)
		}
		fresh, err := s.Remember(ctx, k, time.Now().Add(time.Hour))
		switch {
		case err == nil && fresh:
			fmt.Println("fresh|" + k)
		case errors.Is(err, context.DeadlineExceeded):
			fmt.Println("hang|" + k)
		default:
			failed++
			fmt.Println("failed|" + k)
		}
	}
}
