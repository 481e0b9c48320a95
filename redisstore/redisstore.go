package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ssoconn/sso"
)

// DefaultTimeout bounds each call if Options.Timeout is zero.
const DefaultTimeout = 2 * time.Second

// Options say how a Store uses its Redis.
type Options struct {
	// Prefix begins every key. Empty: "sso:".
	Prefix string
	// Timeout bounds each call, on top of its context: a Redis that hangs
	// refuses sign-ins, it does not hold them. Zero: DefaultTimeout.
	Timeout time.Duration
	// Now is the clock that turns a time into a time to live. Nil: time.Now.
	Now func() time.Time
}

// A Store keeps state and replay memory in one Redis. It may be used by many
// goroutines at once, and by any number of processes with the same prefix.
type Store struct {
	client  redis.UniversalClient
	options Options
}

var _ sso.ReplayCache = (*Store)(nil)

// New returns a Store on a client, which stays the caller's to close.
func New(client redis.UniversalClient, o Options) *Store {
	if o.Prefix == "" {
		o.Prefix = "sso:"
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{client: client, options: o}
}

// Open connects to a redis:// URL and asks whether the server answers.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redisstore: %w", err)
	}
	// A command that got no answer may have been carried out: sent again, a
	// Take would find nothing and a Remember would call a fresh key used. That
	// refuses an honest person once, so it is left to the caller to start again.
	options.MaxRetries = -1
	options.ContextTimeoutEnabled = true
	s := New(redis.NewClient(options), o)
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the client.
func (s *Store) Close() error { return s.client.Close() }

// Ping asks whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return wrap(s.client.Ping(ctx).Err())
}

// key is where a secret key is kept: kind keeps state and replay apart.
func (s *Store) key(kind, key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.options.Prefix + kind + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// ttl is how long from now to until, at least the millisecond that Redis can
// count: zero would mean for ever.
func (s *Store) ttl(until time.Time) time.Duration {
	return max(until.Sub(s.options.Now()), time.Millisecond)
}

// Put stores value under key until the given time, over what was there.
func (s *Store) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return wrap(s.client.Set(ctx, s.key("state", key), value, s.ttl(until)).Err())
}

// Get returns the value, or sso.ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	value, err := s.client.Get(ctx, s.key("state", key)).Bytes()
	return value, wrap(err)
}

// Take returns the value and removes it, to one caller only; all others get
// sso.ErrNotFound.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	value, err := s.client.GetDel(ctx, s.key("state", key)).Bytes()
	return value, wrap(err)
}

// Remember returns true the first time it is given key, among all processes.
func (s *Store) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	err = s.client.SetArgs(ctx, s.key("replay", key), 1, redis.SetArgs{Mode: "NX", TTL: s.ttl(until)}).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, wrap(err)
}

// wrap turns Redis's nil into sso.ErrNotFound and names the package in the rest.
func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return sso.ErrNotFound
	}
	return fmt.Errorf("redisstore: %w", err)
}
