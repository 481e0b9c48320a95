package redisstore_test

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
	"github.com/ssoconn/sso/redisstore"
)

const slack = 2 * time.Second // a busy machine

// calls are all of a Store's methods that need Redis.
func calls(s *redisstore.Store) map[string]func(context.Context) error {
	soon := time.Now().Add(time.Hour)
	return map[string]func(context.Context) error{
		"Ping":     s.Ping,
		"Check":    s.Check,
		"Put":      func(ctx context.Context) error { return s.Put(ctx, key(), []byte("v"), soon) },
		"Get":      func(ctx context.Context) error { _, err := s.Get(ctx, "k"); return err },
		"Take":     func(ctx context.Context) error { _, err := s.Take(ctx, "k"); return err },
		"Remember": func(ctx context.Context) error { _, err := s.Remember(ctx, key(), soon); return err },
	}
}

func each(s *redisstore.Store, ctx context.Context, check func(name string, err error, took time.Duration)) {
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

// works says that every call comes through: the control of each fault. After a
// fault the client may need a moment to notice that its connections are gone.
func works(t *testing.T, s *redisstore.Store) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var failed []string
		each(s, context.Background(), func(name string, err error, _ time.Duration) {
			if err != nil && err != sso.ErrNotFound {
				failed = append(failed, name+": "+err.Error())
			}
		})
		if failed == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("with nothing wrong: %v", failed)
		}
	}
}

// refuses says that every call ends in an error that is no answer, in time.
func refuses(t *testing.T, s *redisstore.Store, ctx context.Context, within time.Duration, want string) {
	t.Helper()
	each(s, ctx, func(name string, err error, took time.Duration) {
		switch {
		case err == nil || errors.Is(err, sso.ErrNotFound):
			t.Errorf("%s: %v, which is an answer", name, err)
		case !strings.HasPrefix(err.Error(), "redisstore: ") || !strings.Contains(err.Error(), want):
			t.Errorf("%s: the error is %q, want one of redisstore's with %q", name, err, want)
		case took > within:
			t.Errorf("%s took %v, want at most %v", name, took, within)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	o := redisstore.Options{Timeout: limit}
	s := open(t, "redis://"+proxy.Addr(), o)
	works(t, s)

	done, cancel := context.WithCancel(context.Background())
	cancel()
	refuses(t, s, done, slack, "canceled")
	works(t, s)

	proxy.Mute()
	refuses(t, s, context.Background(), limit+slack, "deadline exceeded")
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	refuses(t, s, short, 100*time.Millisecond+slack, "deadline exceeded")
	cancel()
	proxy.Resume()
	works(t, s)

	proxy.Cut()
	refuses(t, s, context.Background(), limit+slack, "")
	proxy.Resume()
	works(t, s)

	server.Stop()
	refuses(t, s, context.Background(), limit+slack, "")
	server.Start()
	works(t, s)
}

// TestLostAnswer has Redis act and the answer get lost: nobody may enter.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	ctx, soon := context.Background(), time.Now().Add(time.Hour)
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	o := redisstore.Options{Timeout: 300 * time.Millisecond, Prefix: "lost:"}
	s, direct := open(t, "redis://"+proxy.Addr(), o), open(t, server.URL(), o)
	if err := s.Put(ctx, "k", []byte("v"), soon); err != nil {
		t.Fatal(err)
	}
	proxy.Mute()
	if v, err := s.Take(ctx, "k"); err == nil || errors.Is(err, sso.ErrNotFound) || v != nil {
		t.Errorf("Take: %q, %v", v, err)
	}
	if _, err := direct.Get(ctx, "k"); err != sso.ErrNotFound {
		t.Errorf("the request did not get through, so this tested nothing: %v", err)
	}
	proxy.Resume()
	works(t, s)
	if _, err := s.Take(ctx, "k"); err != sso.ErrNotFound {
		t.Errorf("taken again: %v", err)
	}
}

// TestFullMemory: what Redis has no room for is refused, and nothing is dropped
// to make room.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	ctx, soon := context.Background(), time.Now().Add(time.Hour)
	server := testserver.NewRedis(t)
	s := open(t, server.URL(), redisstore.Options{})
	c := client(t, server.URL())
	if err := c.ConfigSet(ctx, "maxmemory", "4mb").Err(); err != nil {
		t.Fatal(err)
	}
	var put, remembered []string
	var full error
	for i := 0; full == nil && i < 10000; i++ {
		k := key()
		if full = s.Put(ctx, k, make([]byte, 2000), soon); full == nil {
			put = append(put, k)
		}
		if fresh, err := s.Remember(ctx, k, soon); err == nil && fresh {
			remembered = append(remembered, k)
		} else if err == nil || fresh {
			t.Fatalf("Remember: %v, %v", fresh, err)
		}
	}
	if full == nil || !strings.Contains(full.Error(), "OOM") || len(put) == 0 {
		t.Fatalf("after %d states: %v, want OOM", len(put), full)
	}
	if err := c.ConfigSet(ctx, "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	for _, k := range put {
		if _, err := s.Take(ctx, k); err != nil {
			t.Fatalf("a state is gone: %v", err)
		}
	}
	for _, k := range remembered {
		if fresh, err := s.Remember(ctx, k, soon); fresh || err != nil {
			t.Fatalf("a replay was forgotten: %v, %v", fresh, err)
		}
	}
}

// Real processes race for the same keys; some are killed, Redis is killed.

const (
	processes  = 6
	goroutines = 8
	raceKeys   = 40
)

func TestMain(m *testing.M) {
	if _, ok := testserver.Child(); ok {
		race(os.Getenv("SSO_TEST_URL"), os.Getenv("SSO_TEST_RUN"))
		return
	}
	os.Exit(m.Run())
}

// race is one process. It writes a line for each win and for each error, right
// after it, and goes on until each key has been decided.
func race(url, run string) {
	ctx := context.Background()
	s, err := redisstore.Open(ctx, url, redisstore.Options{Prefix: run})
	if err != nil {
		say("error|open 0|%v", err)
		return
	}
	testserver.WaitForGo()
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range raceKeys {
				decide(fmt.Sprint("take ", i), func() (bool, error) {
					_, err := s.Take(ctx, fmt.Sprint(i))
					if err == sso.ErrNotFound {
						return false, nil
					}
					return err == nil, err
				})
				decide(fmt.Sprint("fresh ", i), func() (bool, error) {
					return s.Remember(ctx, fmt.Sprint(i), time.Now().Add(time.Hour))
				})
			}
		})
	}
	wg.Wait()
	say("done||")
}

func decide(what string, f func() (bool, error)) {
	for {
		began := time.Now()
		won, err := f()
		if took := time.Since(began); took > redisstore.DefaultTimeout+8*time.Second {
			say("slow|%s|%v", what, took)
		}
		switch {
		case err != nil:
			say("error|%s|%v", what, err)
			time.Sleep(10*time.Millisecond + rand.N(20*time.Millisecond))
			continue
		case won:
			say("win|%s|", what)
		}
		return
	}
}

var sayMu sync.Mutex

func say(format string, args ...any) {
	sayMu.Lock()
	defer sayMu.Unlock()
	fmt.Println(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// runRace lets a fleet race over new keys, calls between for each line that
// comes, and looks at who won what. killed is how many processes between kills:
// they may have won what they could not tell of.
func runRace(t *testing.T, url string, killed int, between func(f *testserver.Fleet, lines int)) (errs []string) {
	t.Helper()
	ctx, run := context.Background(), "sso-test:"+key()+":"
	s := open(t, url, redisstore.Options{Prefix: run, Timeout: 20 * time.Second})
	for i := range raceKeys {
		if err := s.Put(ctx, fmt.Sprint(i), []byte("v"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	f := testserver.NewFleet(t, processes, "SSO_TEST_URL="+url, "SSO_TEST_RUN="+run)
	f.Go()
	wins, failed, done, lines := map[string]int{}, map[string]int{}, 0, 0
	for line := range f.Lines() {
		part := strings.SplitN(line.Text, "|", 3)
		if len(part) != 3 {
			t.Fatalf("process %d wrote %q", line.Child, line.Text)
		}
		switch part[0] {
		case "win":
			wins[part[1]]++
		case "error":
			failed[part[1]]++
			errs = append(errs, line.Text)
		case "slow":
			t.Errorf("%s took %s: longer than the deadline", part[1], part[2])
		case "done":
			done++
		}
		lines++
		between(f, lines)
	}
	if done != processes-killed {
		t.Errorf("%d processes came to the end, want %d", done, processes-killed)
	}
	unheard := killed * goroutines
	for i := range raceKeys {
		for _, kind := range []string{"take", "fresh"} {
			k := fmt.Sprint(kind, " ", i)
			switch n := wins[k]; {
			case n > 1:
				t.Errorf("%s has %d winners", k, n)
			case n == 0 && failed[k] == 0:
				unheard--
			}
		}
		if _, err := s.Take(ctx, fmt.Sprint(i)); err != sso.ErrNotFound {
			t.Errorf("state %d can be taken again: %v", i, err)
		}
		if fresh, err := s.Remember(ctx, fmt.Sprint(i), time.Now().Add(time.Hour)); fresh || err != nil {
			t.Errorf("replay %d was forgotten: fresh is %v, %v", i, fresh, err)
		}
	}
	if unheard < 0 {
		t.Errorf("%d more wins were never heard of than were under way in the killed processes", -unheard)
	}
	return errs
}

func TestProcessesRace(t *testing.T) {
	t.Parallel()
	if errs := runRace(t, testserver.Redis(t), 0, func(*testserver.Fleet, int) {}); errs != nil {
		t.Errorf("errors with nothing wrong: %v", errs)
	}
}

func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	const kills = 3
	runRace(t, testserver.Redis(t), kills, func(f *testserver.Fleet, lines int) {
		if lines%10 == 0 && lines/10 <= kills {
			f.Kill(lines / 10)
		}
	})
}

// TestKilledServer kills Redis in the middle and starts it again: what it
// answered is in its file.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := testserver.NewRedis(t)
	var restarted sync.WaitGroup
	errs := runRace(t, server.URL(), 0, func(f *testserver.Fleet, lines int) {
		if lines == 20 {
			server.Kill()
			restarted.Go(func() {
				time.Sleep(300 * time.Millisecond)
				server.Start()
			})
		}
	})
	restarted.Wait()
	if errs == nil {
		t.Error("no call failed while the server was down: nothing was tested")
	}
}
