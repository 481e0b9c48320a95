package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
)

// Real processes race for the same keys in one database; some are killed, the
// server is killed. However it goes, no key has two winners, and what had a
// winner is never to be had again.

const (
	processes  = 6
	goroutines = 8
	raceKeys   = 20
	raceUses   = 3 // of each invitation, which 48 people want
)

func TestMain(m *testing.M) {
	if n, ok := testserver.Child(); ok {
		dsn, run := os.Getenv("SSO_TEST_DSN"), os.Getenv("SSO_TEST_RUN")
		switch run {
		case "":
			openOnce(dsn)
		case "full":
			fillDisk(dsn)
		default:
			race(n, dsn, run)
		}
		return
	}
	os.Exit(m.Run())
}

func stateKey(run string, i int) string  { return fmt.Sprint("state ", run, i) }
func replayKey(run string, i int) string { return fmt.Sprint("replay ", run, i) }
func inviteKey(run string, i int) string { return fmt.Sprint("invite ", run, i) }
func person(child, g int) string         { return fmt.Sprintf("person-%d-%d", child, g) }

// race is one process. It writes a line for each win and for each error, right
// after it, and goes on until each key has been decided.
func race(child int, dsn, run string) {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, dsn)
	if err != nil {
		say("error", "open", 0, err)
		return
	}
	defer s.Close()
	testserver.WaitForGo()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range raceKeys {
				decide("take", i, func() (bool, error) {
					_, err := s.Take(ctx, stateKey(run, i))
					return err == nil, known(err, sso.ErrNotFound)
				})
				decide("fresh", i, func() (bool, error) {
					return s.Remember(ctx, replayKey(run, i), time.Now().Add(time.Hour))
				})
				decide("redeem "+person(child, g), i, func() (bool, error) {
					err := s.RedeemInvitation(ctx, inviteKey(run, i), person(child, g), time.Now())
					return err == nil, known(err, sso.ErrInvitationSpent)
				})
			}
		})
	}
	wg.Wait()
	say("done", "", 0, nil)
}

func decide(what string, i int, f func() (bool, error)) {
	for {
		began := time.Now()
		won, err := f()
		if took := time.Since(began); took > sqlstore.DefaultTimeout+8*time.Second {
			say("slow", what, i, fmt.Errorf("%v", took))
		}
		switch {
		case err != nil:
			say("error", what, i, err)
			time.Sleep(10*time.Millisecond + rand.N(20*time.Millisecond))
			continue
		case won:
			say("win", what, i, nil)
		}
		return
	}
}

func known(err, is error) error {
	if errors.Is(err, is) {
		return nil
	}
	return err
}

var sayMu sync.Mutex

func say(event, what string, i int, err error) {
	sayMu.Lock()
	defer sayMu.Unlock()
	line := fmt.Sprintf("%s|%s|%d|%v", event, what, i, err)
	fmt.Println(strings.ReplaceAll(line, "\n", " "))
}

// An outcome is what came of a race, key by key.
type outcome struct {
	wins   map[string]int // by "take 3", "fresh 3", "redeem 3"
	people map[string]bool
	errors map[string]int // by the same
	texts  []string
	killed map[int]bool
}

// run lets a fleet race over keys that it has put into s, and calls between for
// each line that comes.
func runRace(t *testing.T, s *sqlstore.Store, dsn, run string, between func(f *testserver.Fleet, o *outcome, lines int)) *outcome {
	t.Helper()
	ctx := context.Background()
	for i := range raceKeys {
		if err := s.Put(ctx, stateKey(run, i), []byte("v"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := s.PutInvitation(ctx, sso.Invitation{Code: inviteKey(run, i), ConnectionID: "c", MaxUses: raceUses}); err != nil {
			t.Fatal(err)
		}
	}
	f := testserver.NewFleet(t, processes, "SSO_TEST_DSN="+dsn, "SSO_TEST_RUN="+run)
	f.Go()
	o := &outcome{wins: map[string]int{}, people: map[string]bool{}, errors: map[string]int{}, killed: map[int]bool{}}
	done := map[int]bool{}
	lines := 0
	for line := range f.Lines() {
		part := strings.SplitN(line.Text, "|", 4)
		if len(part) != 4 {
			t.Fatalf("process %d wrote %q", line.Child, line.Text)
		}
		kind, who, _ := strings.Cut(part[1], " ")
		key := kind + " " + part[2]
		switch part[0] {
		case "win":
			o.wins[key]++
			if who != "" {
				o.people[who+" "+part[2]] = true
			}
		case "error":
			o.errors[key]++
			o.texts = append(o.texts, line.Text)
		case "slow":
			t.Errorf("process %d: %s of key %s took %s: longer than the deadline", line.Child, part[1], part[2], part[3])
		case "done":
			done[line.Child] = true
		}
		lines++
		if between != nil {
			between(f, o, lines)
		}
	}
	for child := range processes {
		if !done[child] && !o.killed[child] {
			t.Errorf("process %d ended in the middle", child)
		}
	}
	return o
}

// check looks at the database after the race. unheard is how many wins may have
// gone unheard, with the processes that were killed; where a call ended in an
// error, that call may have won as well.
func (o *outcome) check(t *testing.T, s *sqlstore.Store, run string, unheard int) {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	for i := range raceKeys {
		for _, kind := range []string{"take", "fresh"} {
			key := fmt.Sprint(kind, " ", i)
			switch n := o.wins[key]; {
			case n > 1:
				t.Errorf("%s has %d winners", key, n)
			case n == 0 && o.errors[key] == 0:
				unheard--
			}
		}
		if _, err := s.Take(ctx, stateKey(run, i)); err != sso.ErrNotFound {
			t.Errorf("state %d can be taken again: %v", i, err)
		}
		if fresh, err := s.Remember(ctx, replayKey(run, i), now.Add(time.Hour)); fresh || err != nil {
			t.Errorf("replay %d was forgotten: fresh is %v, %v", i, fresh, err)
		}
		unheard -= o.checkInvitation(t, s, run, i)
	}
	if unheard < 0 {
		t.Errorf("%d more wins were never heard of than were under way in the killed processes", -unheard)
	}
}

// checkInvitation returns how many redeemed it without being heard.
func (o *outcome) checkInvitation(t *testing.T, s *sqlstore.Store, run string, i int) (unheard int) {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	uses, counted := 0, 0
	for child := range processes {
		for g := range goroutines {
			who := person(child, g)
			inv, redeemed, err := s.Invitation(ctx, inviteKey(run, i), who, now)
			if err != nil {
				t.Fatalf("invitation %d is lost: %v", i, err)
			}
			uses = inv.Uses
			heard := o.people[fmt.Sprint(who, " ", i)]
			if redeemed {
				counted++
			}
			if heard && !redeemed {
				t.Errorf("invitation %d: %s was let in and is not counted", i, who)
			}
			if redeemed && !heard {
				unheard++
				if !o.killed[child] {
					t.Errorf("invitation %d: the use by %s, who was not let in, is lost", i, who)
				}
			}
		}
	}
	if uses != raceUses || counted != raceUses {
		t.Errorf("invitation %d: %d uses counted, %d people redeemed it, want %d and %d", i, uses, counted, raceUses, raceUses)
	}
	return unheard
}

var raced = []struct {
	name string
	dsn  func(t testing.TB) string
}{{"sqlite", sqliteFile}, {"postgres", testserver.Postgres}}

func TestProcessesRace(t *testing.T) {
	t.Parallel()
	for _, d := range raced {
		t.Run(d.name, func(t *testing.T) {
			dsn, run := d.dsn(t), key()
			s := open(t, dsn)
			s.Timeout = 20 * time.Second
			o := runRace(t, s, dsn, run, nil)
			for _, text := range o.texts {
				// A busy SQLite may refuse, within the deadline; then the
				// sign-in is refused. PostgreSQL has no reason to.
				if d.name != "sqlite" || !strings.Contains(text, "context deadline exceeded") {
					t.Errorf("an error with nothing wrong: %s", text)
				}
			}
			o.check(t, s, run, 0)
		})
	}
}

func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	for _, d := range raced {
		t.Run(d.name, func(t *testing.T) {
			dsn, run := d.dsn(t), key()
			s := open(t, dsn)
			s.Timeout = 20 * time.Second
			const kills = 3
			o := runRace(t, s, dsn, run, func(f *testserver.Fleet, o *outcome, lines int) {
				if victim := lines / 15; lines%15 == 0 && victim <= kills {
					f.Kill(victim)
					o.killed[victim] = true
				}
			})
			if len(o.killed) != kills {
				t.Fatalf("killed %d processes, want %d: the race was over too soon", len(o.killed), kills)
			}
			o.check(t, s, run, kills*goroutines)
		})
	}
}

// openOnce is one process of TestProcessesMigrate.
func openOnce(dsn string) {
	testserver.WaitForGo()
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, dsn)
	if err == nil {
		err = s.Put(ctx, key(), []byte("v"), time.Now().Add(time.Minute))
	}
	fmt.Println("opened:", err)
}

// TestProcessesMigrate starts several processes at once on an empty database.
func TestProcessesMigrate(t *testing.T) {
	t.Parallel()
	for _, d := range raced {
		t.Run(d.name, func(t *testing.T) {
			for range 3 {
				opened := 0
				f := testserver.NewFleet(t, processes, "SSO_TEST_DSN="+d.dsn(t))
				f.Go()
				for line := range f.Lines() {
					if line.Text != "opened: <nil>" {
						t.Errorf("process %d: %s", line.Child, line.Text)
					}
					opened++
				}
				if opened != processes {
					t.Errorf("%d of %d processes came through", opened, processes)
				}
			}
		})
	}
}

// TestKilledServer kills PostgreSQL in the middle and starts it again.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := testserver.NewPostgres(t)
	dsn, run := server.NewDatabase(), key()
	s := open(t, dsn)
	s.Timeout = 20 * time.Second
	var restarted sync.WaitGroup
	o := runRace(t, s, dsn, run, func(f *testserver.Fleet, o *outcome, lines int) {
		if lines == 30 {
			server.Kill()
			restarted.Go(func() {
				time.Sleep(500 * time.Millisecond)
				server.Start()
			})
		}
	})
	restarted.Wait()
	if len(o.texts) == 0 {
		t.Fatal("no call failed while the server was down: nothing was tested")
	}
	o.check(t, s, run, 0)
}
