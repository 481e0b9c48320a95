package redisstore_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/redisstore"
	"github.com/ssoconn/sso/ssotest"
)

// prefix keeps the keys of a test apart from all others on a shared server.
func prefix(t testing.TB) string {
	return "sso-test:" + t.Name() + ":" + strconv.FormatInt(time.Now().UnixNano(), 36) + ":"
}

func open(t testing.TB, url string, o redisstore.Options) *redisstore.Store {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = prefix(t)
	}
	s, err := redisstore.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	url := testserver.Redis(t)
	t.Run("replay", func(t *testing.T) {
		t.Parallel()
		ssotest.TestReplayCache(t, func(t *testing.T) sso.ReplayCache { return open(t, url, redisstore.Options{}) })
	})
	t.Run("state", func(t *testing.T) {
		t.Parallel()
		ssotest.TestStateStore(t, func(t *testing.T) ssotest.StateStore { return open(t, url, redisstore.Options{}) })
	})
}

// TestApart keeps prefixes, and state and replay, apart.
func TestApart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := testserver.Redis(t)
	a, b := open(t, url, redisstore.Options{Prefix: prefix(t) + "a:"}), open(t, url, redisstore.Options{Prefix: prefix(t) + "b:"})
	soon := time.Now().Add(time.Minute)
	if err := a.Put(ctx, "k", []byte("v"), soon); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(ctx, "k"); !errors.Is(err, sso.ErrNotFound) {
		t.Errorf("another prefix sees the key: %v", err)
	}
	if fresh, err := a.Remember(ctx, "k", soon); err != nil || !fresh {
		t.Errorf("a state's key was taken for a used assertion: %v, %v", fresh, err)
	}
}

const (
	children = 6
	keys     = 40
)

func TestMain(m *testing.M) {
	if _, ok := testserver.Child(); !ok {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	s, err := redisstore.Open(ctx, os.Getenv("REDIS_URL"), redisstore.Options{Prefix: os.Getenv("REDIS_PREFIX"), Timeout: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	testserver.WaitForGo()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range keys {
				key := strconv.Itoa(i)
				if _, err := s.Take(ctx, key); err == nil {
					say("took " + key)
				}
				if fresh, err := s.Remember(ctx, key, time.Now().Add(time.Minute)); err == nil && fresh {
					say("fresh " + key)
				}
			}
		})
	}
	wg.Wait()
}

// say writes a line to standard output in one piece.
func say(s string) { _, _ = os.Stdout.WriteString(s + "\n") }

// TestProcessesRace has real processes race for the same keys, some of which
// are killed: no key has two winners.
func TestProcessesRace(t *testing.T) {
	t.Parallel()
	url, pre := testserver.Redis(t), prefix(t)
	s := open(t, url, redisstore.Options{Prefix: pre})
	for i := range keys {
		if err := s.Put(context.Background(), strconv.Itoa(i), []byte("v"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	f := testserver.NewFleet(t, children, "REDIS_URL="+url, "REDIS_PREFIX="+pre)
	f.Go()
	wins := map[string]int{}
	n := 0
	for line := range f.Lines() {
		wins[line.Text]++
		if n++; n == keys/2 {
			f.Kill(0)
			f.Kill(1)
		}
	}
	if n < keys {
		t.Errorf("%d keys were won, there are %d", n, 2*keys)
	}
	for key, winners := range wins {
		if winners != 1 {
			t.Errorf("%s: %d winners", key, winners)
		}
	}
	for i := range keys {
		if fresh, err := s.Remember(context.Background(), strconv.Itoa(i), time.Now().Add(time.Minute)); err != nil || fresh {
			t.Errorf("key %d was forgotten: %v, %v", i, fresh, err)
		}
	}
}

// TestDown: with the server away each call ends in an error, soon; when it is
// back all is well.
func TestDown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := testserver.NewRedis(t)
	proxy := testserver.NewProxy(t, server.Addr())
	s := open(t, "redis://"+proxy.Addr(), redisstore.Options{Timeout: 300 * time.Millisecond})
	soon := time.Now().Add(time.Minute)
	calls := map[string]func(key string) error{
		"Put":      func(key string) error { return s.Put(ctx, key, []byte("v"), soon) },
		"Get":      func(key string) error { _, err := s.Get(ctx, key); return err },
		"Take":     func(key string) error { _, err := s.Take(ctx, key); return err },
		"Remember": func(key string) error { _, err := s.Remember(ctx, key, soon); return err },
	}
	for name, fault := range map[string]func(){"cut": proxy.Cut, "mute": proxy.Mute, "stopped": server.Stop} {
		fault()
		for call, f := range calls {
			begin := time.Now()
			if err := f("k"); err == nil || errors.Is(err, sso.ErrNotFound) {
				t.Errorf("%s: %s gave %v", name, call, err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: %s took %s", name, call, took)
			}
		}
		if name == "stopped" {
			server.Start()
		}
		proxy.Resume()
		var err error
		for range 50 {
			if err = s.Put(ctx, "k2", []byte("v"), soon); err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("%s: not back: %v", name, err)
		}
	}
}

func BenchmarkStore(b *testing.B) {
	ctx := context.Background()
	s := open(b, testserver.Redis(b), redisstore.Options{})
	soon := time.Now().Add(time.Minute)
	value := make([]byte, 300)
	i := 0
	for name, f := range map[string]func(key string) error{
		"Put":      func(key string) error { return s.Put(ctx, key, value, soon) },
		"Take":     func(key string) error { _, _ = s.Take(ctx, key); return nil },
		"Remember": func(key string) error { _, err := s.Remember(ctx, key, soon); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				i++
				if err := f(strconv.Itoa(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
