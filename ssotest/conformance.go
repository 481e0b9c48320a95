package ssotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// The conformance tests hold other people's stores to the contracts. Each takes
// a function that returns a store to use: a fresh one, or one on a database
// that others use as well, as all keys are random. A failure prints the rule
// that was broken.

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
	soon := func() time.Time { return time.Now().Add(time.Minute) }
	rule(t, "a key is fresh once", func(t *testing.T, ctx context.Context) {
		cache, key := open(t), randomID()
		for i, want := range []bool{true, false, false} {
			fresh, err := cache.Remember(ctx, key, soon())
			must(t, err)
			if fresh != want {
				t.Errorf("call %d: fresh is %v, want %v", i+1, fresh, want)
			}
		}
	})
	rule(t, "keys do not disturb each other", func(t *testing.T, ctx context.Context) {
		cache, key := open(t), randomID()
		for _, k := range []string{key, key + "x", "x" + key, key + "%", key + "_"} {
			fresh, err := cache.Remember(ctx, k, soon())
			must(t, err)
			if !fresh {
				t.Errorf("%q was taken for another key", k)
			}
		}
	})
	rule(t, "of many callers at once one is told that a key is fresh", func(t *testing.T, ctx context.Context) {
		cache := open(t)
		for range 5 {
			key := randomID()
			if n := race(t, func() (bool, error) { return cache.Remember(ctx, key, soon()) }); n != 1 {
				t.Errorf("%d callers were told that the key is fresh", n)
			}
		}
	})
	rule(t, "a key is not forgotten before its time", func(t *testing.T, ctx context.Context) {
		cache, key := open(t), randomID()
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
		if fresh, err := open(t).Remember(done, randomID(), soon()); err == nil || fresh {
			t.Errorf("got %v, %v", fresh, err)
		}
	})
}

// TestStateStore tests a StateStore.
func TestStateStore(t *testing.T, open func(t *testing.T) StateStore) {
	t.Helper()
	soon := func() time.Time { return time.Now().Add(time.Minute) }
	value := []byte("value \x00\xff with every kind of byte")
	rule(t, "what was put is got, again and again, and taken once", func(t *testing.T, ctx context.Context) {
		s, key := open(t), randomID()
		must(t, s.Put(ctx, key, value, soon()))
		for range 2 {
			got, err := s.Get(ctx, key)
			must(t, err)
			if !bytes.Equal(got, value) {
				t.Errorf("got %q, want %q", got, value)
			}
		}
		got, err := s.Take(ctx, key)
		must(t, err)
		if !bytes.Equal(got, value) {
			t.Errorf("took %q, want %q", got, value)
		}
		_, err = s.Take(ctx, key)
		want(t, err, sso.ErrNotFound)
		_, err = s.Get(ctx, key)
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "a key that was never put is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s := open(t)
		_, err := s.Get(ctx, randomID())
		want(t, err, sso.ErrNotFound)
		_, err = s.Take(ctx, randomID())
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "a second Put replaces the value", func(t *testing.T, ctx context.Context) {
		s, key := open(t), randomID()
		must(t, s.Put(ctx, key, []byte("old"), soon()))
		must(t, s.Put(ctx, key, value, soon()))
		got, err := s.Take(ctx, key)
		must(t, err)
		if !bytes.Equal(got, value) {
			t.Errorf("took %q, want %q", got, value)
		}
	})
	rule(t, "what has expired is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s, key, other := open(t), randomID(), randomID()
		must(t, s.Put(ctx, key, value, time.Now().Add(50*time.Millisecond)))
		must(t, s.Put(ctx, other, value, time.Now().Add(50*time.Millisecond)))
		time.Sleep(120 * time.Millisecond)
		_, err := s.Get(ctx, key)
		want(t, err, sso.ErrNotFound)
		_, err = s.Take(ctx, other)
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "of many takers at once one gets the value", func(t *testing.T, ctx context.Context) {
		s := open(t)
		for range 5 {
			key := randomID()
			must(t, s.Put(ctx, key, value, soon()))
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
		s, key := open(t), randomID()
		must(t, s.Put(ctx, key, value, soon()))
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Put(done, randomID(), value, soon()); err == nil {
			t.Error("Put gave no error")
		}
		if _, err := s.Take(done, key); err == nil || errors.Is(err, sso.ErrNotFound) {
			t.Errorf("Take gave %v", err)
		}
	})
}

// TestInvitationStore tests an sso.InvitationStore. put stores an invitation in
// the store that open returned last.
func TestInvitationStore(t *testing.T, open func(t *testing.T) sso.InvitationStore, put func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	fresh := func(t *testing.T, ctx context.Context, uses int) (sso.InvitationStore, string) {
		t.Helper()
		s := open(t)
		inv := sso.Invitation{Code: randomID(), ConnectionID: "c1", Email: "a@example.com", Domains: []string{"example.com"},
			Role: "Manager", Groups: []string{"Sales", "Поддержка"}, MaxUses: uses, Expires: now.Add(24 * time.Hour)}
		must(t, put(ctx, s, inv))
		return s, inv.Code
	}
	uses := func(t *testing.T, ctx context.Context, s sso.InvitationStore, code string) int {
		t.Helper()
		inv, _, err := s.Invitation(ctx, code, "", now)
		must(t, err)
		return inv.Uses
	}
	rule(t, "an invitation comes back as it was put", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 3)
		inv, redeemed, err := s.Invitation(ctx, code, "alice", now)
		must(t, err)
		got := fmt.Sprintf("%v %v %v %v %v %v %v %v %v", inv.Code == code, inv.ConnectionID, inv.Email, inv.Domains, inv.Role, inv.Groups, inv.MaxUses, inv.Uses, inv.Expires.Equal(now.Add(24*time.Hour)))
		if want := "true c1 a@example.com [example.com] Manager [Sales Поддержка] 3 0 true"; got != want || redeemed {
			t.Errorf("got  %s, redeemed %v\nwant %s, redeemed false", got, redeemed, want)
		}
	})
	rule(t, "an unknown code is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s, _ := fresh(t, ctx, 1)
		_, _, err := s.Invitation(ctx, randomID(), "alice", now)
		want(t, err, sso.ErrNotFound)
		want(t, s.RedeemInvitation(ctx, randomID(), "alice", now), sso.ErrNotFound)
	})
	rule(t, "an invitation for one person is spent after one", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 1)
		must(t, s.RedeemInvitation(ctx, code, "alice", now))
		want(t, s.RedeemInvitation(ctx, code, "bob", now), sso.ErrInvitationSpent)
		if n := uses(t, ctx, s, code); n != 1 {
			t.Errorf("counted %d uses, want 1", n)
		}
	})
	rule(t, "the same person may redeem again within InvitationGrace, uncounted, and not later", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 1)
		must(t, s.RedeemInvitation(ctx, code, "alice", now))
		must(t, s.RedeemInvitation(ctx, code, "alice", now.Add(sso.InvitationGrace-time.Second)))
		if n := uses(t, ctx, s, code); n != 1 {
			t.Errorf("counted %d uses, want 1", n)
		}
		if _, redeemed, err := s.Invitation(ctx, code, "alice", now.Add(sso.InvitationGrace-time.Second)); err != nil || !redeemed {
			t.Errorf("within the time: redeemed is %v, %v", redeemed, err)
		}
		if _, redeemed, err := s.Invitation(ctx, code, "alice", now.Add(sso.InvitationGrace)); err != nil || redeemed {
			t.Errorf("after the time: redeemed is %v, %v", redeemed, err)
		}
		want(t, s.RedeemInvitation(ctx, code, "alice", now.Add(sso.InvitationGrace)), sso.ErrInvitationSpent)
	})
	rule(t, "a released use can be had by somebody else", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 1)
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.RedeemInvitation(ctx, code, "alice", now))
		must(t, s.ReleaseInvitation(ctx, code, "bob"))
		want(t, s.RedeemInvitation(ctx, code, "bob", now), sso.ErrInvitationSpent)
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.RedeemInvitation(ctx, code, "bob", now))
		want(t, s.RedeemInvitation(ctx, code, "carol", now), sso.ErrInvitationSpent)
	})
	rule(t, "an invitation is spent at the instant of its end", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 0)
		must(t, s.RedeemInvitation(ctx, code, "alice", now.Add(24*time.Hour-time.Second)))
		want(t, s.RedeemInvitation(ctx, code, "bob", now.Add(24*time.Hour)), sso.ErrInvitationSpent)
	})
	rule(t, "zero MaxUses is any number", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 0)
		for i := range 5 {
			must(t, s.RedeemInvitation(ctx, code, fmt.Sprint("person ", i), now))
		}
		if n := uses(t, ctx, s, code); n != 5 {
			t.Errorf("counted %d uses, want 5", n)
		}
	})
	rule(t, "of many people at once as many redeem as there are uses", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 3)
		var person atomic.Int32
		n := race(t, func() (bool, error) {
			err := s.RedeemInvitation(ctx, code, fmt.Sprint("person ", person.Add(1)), now)
			if errors.Is(err, sso.ErrInvitationSpent) {
				return false, nil
			}
			return err == nil, err
		})
		if counted := uses(t, ctx, s, code); n != 3 || counted != 3 {
			t.Errorf("%d people redeemed and %d uses were counted, want 3 and 3", n, counted)
		}
	})
	rule(t, "one person who comes many times at once is counted once", func(t *testing.T, ctx context.Context) {
		s, code := fresh(t, ctx, 1)
		if n := race(t, func() (bool, error) {
			err := s.RedeemInvitation(ctx, code, "alice", now)
			return err == nil, err
		}); n != racers || uses(t, ctx, s, code) != 1 {
			t.Errorf("%d of %d calls succeeded, %d uses were counted", n, racers, uses(t, ctx, s, code))
		}
	})
}
