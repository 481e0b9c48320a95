package ssotest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// The conformance tests hold other people's stores to the contracts. Each takes
// a function that returns a store to use: a fresh one, or one on a database
// that others use as well, as all keys are random. A failure is in a subtest
// whose name is the rule that was broken. Run them with -race.

// StateStore is the contract of a store for sign-ins under way, as ssohttp
// consumes it: values under secret keys, taken once.
type StateStore interface {
	Put(ctx context.Context, key string, value []byte, until time.Time) error
	Get(ctx context.Context, key string) ([]byte, error)
	Take(ctx context.Context, key string) ([]byte, error)
}

// racers is how many goroutines race for one key.
const racers = 32

// rule runs one rule as a subtest; its name is what a failure shows.
func rule(t *testing.T, text string, f func(t *testing.T, ctx context.Context)) {
	t.Helper()
	t.Run(text, func(t *testing.T) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		f(t, ctx)
	})
}

func want(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got the error %v, want %v", got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// race runs f in many goroutines at once and returns in how many it won.
func race(t *testing.T, f func() (won bool, err error)) int {
	t.Helper()
	var wins atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range racers {
		wg.Go(func() {
			<-start
			won, err := f()
			if err != nil {
				t.Errorf("an error in the race: %v", err)
			}
			if won {
				wins.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(wins.Load())
}

// TestReplayCache tests an sso.ReplayCache.
func TestReplayCache(t *testing.T, open func(t *testing.T) sso.ReplayCache) {
	t.Helper()
	r := replayRules{open}
	r.keys(t)
	r.time(t)
}

type replayRules struct {
	open func(t *testing.T) sso.ReplayCache
}

// soon is a time that no test lives to see.
func soon() time.Time { return time.Now().Add(10 * time.Minute) }

func (r replayRules) keys(t *testing.T) {
	t.Helper()
	rule(t, "a key is fresh once", func(t *testing.T, ctx context.Context) {
		cache, key := r.open(t), randomID()
		for i, want := range []bool{true, false, false} {
			fresh, err := cache.Remember(ctx, key, soon())
			must(t, err)
			if fresh != want {
				t.Errorf("call %d: fresh is %v, want %v", i+1, fresh, want)
			}
		}
	})
	rule(t, "keys do not disturb each other", func(t *testing.T, ctx context.Context) {
		cache, key := r.open(t), randomID()
		for _, k := range []string{key, key + "x", "x" + key, key + "%", key + "_"} {
			fresh, err := cache.Remember(ctx, k, soon())
			must(t, err)
			if !fresh {
				t.Errorf("%q was taken for another key", k)
			}
		}
	})
	rule(t, "long and odd keys are kept apart", func(t *testing.T, ctx context.Context) {
		cache, key := r.open(t), randomID()
		long := strings.Repeat("k", 500)
		for _, k := range []string{key + "a", key + "A", key + "á", key + "a ", key + "'", key + `\`, key + long, key + long + "x"} {
			for _, want := range []bool{true, false} {
				fresh, err := cache.Remember(ctx, k, soon())
				must(t, err)
				if fresh != want {
					t.Errorf("%.60q: fresh is %v, want %v", k, fresh, want)
				}
			}
		}
	})
	rule(t, "of many callers at once one is told that a key is fresh", func(t *testing.T, ctx context.Context) {
		cache := r.open(t)
		for range 5 {
			key := randomID()
			if n := race(t, func() (bool, error) { return cache.Remember(ctx, key, soon()) }); n != 1 {
				t.Errorf("%d callers were told that the key is fresh", n)
			}
		}
	})
}

func (r replayRules) time(t *testing.T) {
	t.Helper()
	rule(t, "a key is not forgotten before its time", func(t *testing.T, ctx context.Context) {
		cache, key := r.open(t), randomID()
		_, err := cache.Remember(ctx, key, time.Now().Add(2*time.Second))
		must(t, err)
		for range 20 {
			_, err := cache.Remember(ctx, randomID(), time.Now().Add(time.Millisecond))
			must(t, err)
		}
		fresh, err := cache.Remember(ctx, key, soon())
		must(t, err)
		if fresh {
			t.Error("the key was forgotten")
		}
	})
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		if fresh, err := r.open(t).Remember(done, randomID(), soon()); err == nil || fresh {
			t.Errorf("got %v, %v", fresh, err)
		}
	})
}

// TestStateStore tests a StateStore.
func TestStateStore(t *testing.T, open func(t *testing.T) StateStore) {
	t.Helper()
	r := stateRules{open}
	r.values(t)
	r.replacing(t)
	r.taking(t)
}

type stateRules struct {
	open func(t *testing.T) StateStore
}

var stateValue = []byte("value \x00\xff with every kind of byte")

func (r stateRules) values(t *testing.T) {
	t.Helper()
	rule(t, "what was put is got, again and again, and taken once", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		must(t, s.Put(ctx, key, stateValue, soon()))
		for range 2 {
			got, err := s.Get(ctx, key)
			must(t, err)
			if !bytes.Equal(got, stateValue) {
				t.Errorf("got %q, want %q", got, stateValue)
			}
		}
		got, err := s.Take(ctx, key)
		must(t, err)
		if !bytes.Equal(got, stateValue) {
			t.Errorf("took %q, want %q", got, stateValue)
		}
		_, err = s.Take(ctx, key)
		want(t, err, sso.ErrNotFound)
		_, err = s.Get(ctx, key)
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "a key that was never put is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		_, err := s.Get(ctx, randomID())
		want(t, err, sso.ErrNotFound)
		_, err = s.Take(ctx, randomID())
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "a second Put replaces the value", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		must(t, s.Put(ctx, key, []byte("old"), soon()))
		must(t, s.Put(ctx, key, stateValue, soon()))
		got, err := s.Take(ctx, key)
		must(t, err)
		if !bytes.Equal(got, stateValue) {
			t.Errorf("took %q, want %q", got, stateValue)
		}
	})
	rule(t, "a value may be empty, and may be long", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		for _, value := range [][]byte{{}, bytes.Repeat([]byte{0, 1, 0xfe, 0xff}, 32<<10)} {
			key := randomID()
			must(t, s.Put(ctx, key, value, soon()))
			got, err := s.Take(ctx, key)
			must(t, err)
			if !bytes.Equal(got, value) {
				t.Errorf("took %d bytes, want the %d that were put", len(got), len(value))
			}
		}
	})
}

func (r stateRules) replacing(t *testing.T) {
	t.Helper()
	rule(t, "nobody shares memory with the store", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		mine := bytes.Clone(stateValue)
		must(t, s.Put(ctx, key, mine, soon()))
		mine[0] = 'X'
		for range 2 {
			got, err := s.Get(ctx, key)
			must(t, err)
			if !bytes.Equal(got, stateValue) {
				t.Fatalf("got %q, want %q", got, stateValue)
			}
			got[0] = 'Y'
		}
	})
	rule(t, "a second Put replaces the time as well", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		must(t, s.Put(ctx, key, stateValue, time.Now().Add(50*time.Millisecond)))
		must(t, s.Put(ctx, key, stateValue, soon()))
		time.Sleep(120 * time.Millisecond)
		_, err := s.Take(ctx, key)
		must(t, err)
	})
	rule(t, "what was taken can be put again", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		for range 2 {
			must(t, s.Put(ctx, key, stateValue, soon()))
			_, err := s.Take(ctx, key)
			must(t, err)
		}
	})
	rule(t, "what has expired is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s, key, other := r.open(t), randomID(), randomID()
		must(t, s.Put(ctx, key, stateValue, time.Now().Add(50*time.Millisecond)))
		must(t, s.Put(ctx, other, stateValue, time.Now().Add(50*time.Millisecond)))
		time.Sleep(120 * time.Millisecond)
		_, err := s.Get(ctx, key)
		want(t, err, sso.ErrNotFound)
		_, err = s.Take(ctx, other)
		want(t, err, sso.ErrNotFound)
	})
}

func (r stateRules) taking(t *testing.T) {
	t.Helper()
	rule(t, "of many takers at once one gets the value", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		for range 5 {
			key := randomID()
			must(t, s.Put(ctx, key, stateValue, soon()))
			n := race(t, func() (bool, error) {
				_, err := s.Take(ctx, key)
				if errors.Is(err, sso.ErrNotFound) {
					return false, nil
				}
				return err == nil, err
			})
			if n != 1 {
				t.Errorf("%d takers got the value", n)
			}
		}
	})
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		s, key := r.open(t), randomID()
		must(t, s.Put(ctx, key, stateValue, soon()))
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Put(done, randomID(), stateValue, soon()); err == nil {
			t.Error("Put gave no error")
		}
		if _, err := s.Take(done, key); err == nil || errors.Is(err, sso.ErrNotFound) {
			t.Errorf("Take gave %v", err)
		}
		if _, err := s.Get(done, key); err == nil || errors.Is(err, sso.ErrNotFound) {
			t.Errorf("Get gave %v", err)
		}
	})
}
