package redisstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/redisstore"
	"github.com/ssoconn/sso/ssotest"
)

func key() string { return rand.Text() }

// open gives the store a prefix of its own, if the test gives none: the server
// is shared.
func open(t testing.TB, url string, o redisstore.Options) *redisstore.Store {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = "sso-test:" + key() + ":"
	}
	s, err := redisstore.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// client speaks to the server directly.
func client(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s := open(t, testserver.Redis(t), redisstore.Options{Timeout: 20 * time.Second})
	t.Run("replay", func(t *testing.T) {
		ssotest.TestReplayCache(t, func(*testing.T) sso.ReplayCache { return s })
	})
	t.Run("state", func(t *testing.T) {
		ssotest.TestStateStore(t, func(*testing.T) ssotest.StateStore { return s })
	})
}

// TestApart keeps prefixes, and state and replay, apart.
func TestApart(t *testing.T) {
	t.Parallel()
	ctx, soon := context.Background(), time.Now().Add(time.Minute)
	url, prefix := testserver.Redis(t), "sso-test:"+key()
	a, b := open(t, url, redisstore.Options{Prefix: prefix + "a:"}), open(t, url, redisstore.Options{Prefix: prefix + "b:"})
	if err := a.Put(ctx, "k", []byte("v"), soon); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(ctx, "k"); err != sso.ErrNotFound {
		t.Errorf("another prefix sees the key: %v", err)
	}
	if fresh, err := a.Remember(ctx, "k", soon); err != nil || !fresh {
		t.Errorf("a state's key was taken for a used assertion: %v, %v", fresh, err)
	}
	if fresh, err := b.Remember(ctx, "k", soon); err != nil || !fresh {
		t.Errorf("another prefix's assertion was taken for ours: %v, %v", fresh, err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url, prefix := testserver.Redis(t), "sso-test:"+key()+":"
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // not Redis's clock
	s := open(t, url, redisstore.Options{Prefix: prefix, Now: func() time.Time { return now }})
	c := client(t, url)
	only := func() (name string, lives time.Duration) {
		t.Helper()
		names, err := c.Keys(ctx, prefix+"*").Result()
		if err != nil || len(names) != 1 {
			t.Fatalf("keys %v, %v, want one", names, err)
		}
		if lives, err = c.PTTL(ctx, names[0]).Result(); err != nil {
			t.Fatal(err)
		}
		return names[0], lives
	}
	within := func(what string, got, most time.Duration) {
		t.Helper()
		if got > most+time.Second || got < most-20*time.Second {
			t.Errorf("%s lives for %v, want %v", what, got, most)
		}
	}
	if err := s.Put(ctx, "k", []byte("v"), now.Add(15*time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, lives := only()
	within("a state", lives, 15*time.Minute)
	if _, err := s.Take(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remember(ctx, "k", now.Add(5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	name, lives := only()
	within("a replay", lives, 5*time.Minute+sso.MaxClockSkew)
	if err := c.Del(ctx, name).Err(); err != nil {
		t.Fatal(err)
	}
	// A time in the past, by a clock that is behind: gone at once, or after the
	// minutes kept for clocks, and never for ever.
	if err := s.Put(ctx, "late", []byte("v"), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	if _, err := s.Get(ctx, "late"); err != sso.ErrNotFound {
		t.Errorf("a state put too late: %v, want ErrNotFound", err)
	}
	if _, err := s.Remember(ctx, "late", now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, lives = only()
	within("a replay remembered too late", lives, sso.MaxClockSkew)
}

// TestNothingToRedeem reads all that Redis holds as its thief would.
func TestNothingToRedeem(t *testing.T) {
	t.Parallel()
	ctx, soon := context.Background(), time.Now().Add(time.Minute)
	url, prefix := testserver.Redis(t), "sso-test:"+key()+":"
	s := open(t, url, redisstore.Options{Prefix: prefix})
	state, value, replay := "handle-"+key(), "value-"+key(), "assertion-"+key()
	if err := s.Put(ctx, state, []byte(value), soon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remember(ctx, replay, soon); err != nil {
		t.Fatal(err)
	}
	c := client(t, url)
	names, err := c.Keys(ctx, prefix+"*").Result()
	if err != nil || len(names) != 2 {
		t.Fatalf("keys %v, %v, want two", names, err)
	}
	all := strings.Join(names, " ")
	for _, name := range names {
		v, err := c.Get(ctx, name).Result()
		if err != nil {
			t.Fatal(err)
		}
		all += " " + v
	}
	for _, secret := range []string{state, value, replay} {
		if strings.Contains(all, secret) {
			t.Errorf("Redis holds %q in the clear", secret)
		}
	}
	// What somebody else wrote over it is no value.
	i := slices.IndexFunc(names, func(n string) bool { return strings.Contains(n, "state:") })
	if err := c.Set(ctx, names[i], value, time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Take(ctx, state); err == nil || errors.Is(err, sso.ErrNotFound) || v != nil {
		t.Errorf("a value that was written over: %q, %v", v, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, url, want string }{
		{"another scheme", "http://:hunter2@redis/0", "invalid URL scheme"},
		{"a bad port", "redis://:hunter2@redis:port/0", "invalid port"},
		{"a bad database", "redis://:hunter2@redis/first", "invalid database number"},
		{"nobody there", "redis://:hunter2@127.0.0.1:1/0", "connection refused"},
	} {
		s, err := redisstore.Open(context.Background(), c.url, redisstore.Options{})
		if s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got the error %v, want one with %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", c.name, err)
		}
	}
}

func TestNewRefusesClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		client redis.UniversalClient
		want   string
	}{
		{"nil", nil, "nil"},
		{"one server", redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, MaxRetries: -1}), ""},
		{"no deadlines", redis.NewClient(&redis.Options{MaxRetries: -1}), "ContextTimeoutEnabled"},
		{"retries", redis.NewClient(&redis.Options{ContextTimeoutEnabled: true}), "MaxRetries"},
		{"a cluster", redis.NewClusterClient(&redis.ClusterOptions{ContextTimeoutEnabled: true}), ""},
		{"a cluster, no deadlines", redis.NewClusterClient(&redis.ClusterOptions{}), "ContextTimeoutEnabled"},
		{"a ring", redis.NewRing(&redis.RingOptions{ContextTimeoutEnabled: true, MaxRetries: -1}), ""},
		{"a ring, no deadlines", redis.NewRing(&redis.RingOptions{MaxRetries: -1}), "ContextTimeoutEnabled"},
	} {
		s, err := redisstore.New(c.client, redisstore.Options{})
		switch {
		case c.want == "" && (err != nil || s == nil):
			t.Errorf("%s: %v, want a store", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || s != nil):
			t.Errorf("%s: the error is %v, want one with %q", c.name, err, c.want)
		}
		if c.client != nil {
			_ = c.client.Close()
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := testserver.NewRedis(t)
	s := open(t, server.URL(), redisstore.Options{})
	c := client(t, server.URL())
	for _, set := range []struct{ limit, policy, want string }{
		{"0", "noeviction", ""},
		{"0", "allkeys-lru", ""}, // without a limit nothing is dropped
		{"50mb", "noeviction", ""},
		{"50mb", "allkeys-lru", "allkeys-lru"},
		{"50mb", "volatile-ttl", "volatile-ttl"},
	} {
		if err := errors.Join(c.ConfigSet(ctx, "maxmemory", set.limit).Err(), c.ConfigSet(ctx, "maxmemory-policy", set.policy).Err()); err != nil {
			t.Fatal(err)
		}
		err := s.Check(ctx)
		if set.want == "" && err != nil || set.want != "" && (err == nil || !strings.Contains(err.Error(), set.want)) {
			t.Errorf("maxmemory %s, policy %s: %v, want %q", set.limit, set.policy, err, set.want)
		}
		if o, err := redisstore.Open(ctx, server.URL(), redisstore.Options{}); (err == nil) != (set.want == "") {
			t.Errorf("maxmemory %s, policy %s: Open: %v", set.limit, set.policy, err)
		} else if err == nil {
			_ = o.Close()
		}
	}
}
