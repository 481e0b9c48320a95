package redisstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/sealed"
)

// DefaultTimeout bounds a call where Options.Timeout is zero.
const DefaultTimeout = 2 * time.Second

// keepReplays is how much longer than asked a replay is remembered. Redis counts
// the time down by its own clock, from a span that ours gave: where ours is
// ahead, the span is too short for the machines whose clock is not.
const keepReplays = sso.MaxClockSkew

// Options say how a Store uses its Redis.
type Options struct {
	// Prefix begins every key, so that one Redis can serve several
	// applications. Empty means "sso:".
	Prefix string
	// Timeout bounds each call, whatever is wrong with Redis. Zero means
	// DefaultTimeout. Below zero only the caller's context bounds it: then a
	// Redis that hangs holds the sign-in for as long as the visitor waits.
	Timeout time.Duration
	// Now is the clock from which the span until an expiry is counted. Nil means
	// time.Now.
	Now func() time.Time
}

// A Store keeps request state and replay memory in Redis. Any number of
// goroutines and processes may use one Redis at once. Make one with Open or New.
//
// An error other than sso.ErrNotFound means that Redis could not answer. Whether
// a write took place is open then: refuse, and let the person start again.
type Store struct {
	client  redis.UniversalClient
	options Options
}

var _ sso.ReplayCache = (*Store)(nil)

// Open connects to the Redis at a URL, redis://user:password@host:6379/0 or
// rediss:// for TLS, and runs Check.
func Open(ctx context.Context, address string, o Options) (*Store, error) {
	c, err := redis.ParseURL(address)
	if err != nil {
		// The text of a *url.Error repeats the URL, with the password in it.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("redisstore: the address: %w", err)
	}
	c.ContextTimeoutEnabled, c.MaxRetries = true, -1
	s, err := New(redis.NewClient(c), o)
	if err != nil {
		return nil, err
	}
	if err := s.Check(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// New makes a Store on a client that the application made, for a cluster or for
// Sentinel. It contacts nobody: call Check when the application starts.
//
// The client needs ContextTimeoutEnabled, without which no deadline reaches the
// network, and MaxRetries -1: a retry after a lost answer finds what the first
// try did, and takes an honest sign-in for a replay.
func New(client redis.UniversalClient, o Options) (*Store, error) {
	deadlines, retries := true, 0
	switch c := client.(type) {
	case nil:
		return nil, errors.New("redisstore: the client is nil")
	case *redis.Client:
		deadlines, retries = c.Options().ContextTimeoutEnabled, c.Options().MaxRetries
	case *redis.ClusterClient:
		deadlines, retries = c.Options().ContextTimeoutEnabled, c.Options().MaxRetries
	case *redis.Ring:
		deadlines, retries = c.Options().ContextTimeoutEnabled, c.Options().MaxRetries
	}
	if !deadlines {
		return nil, errors.New("redisstore: the client ignores deadlines: set ContextTimeoutEnabled in its options")
	}
	if retries > 0 {
		return nil, fmt.Errorf("redisstore: the client tries %d times again, which takes honest sign-ins for replays: set MaxRetries to -1 in its options", retries)
	}
	if o.Prefix == "" {
		o.Prefix = "sso:"
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{client: client, options: o}, nil
}

// Close closes the client.
func (s *Store) Close() error { return s.client.Close() }

// Ping says whether Redis answers, for a health check.
func (s *Store) Ping(ctx context.Context) error {
	return s.run(ctx, "ping", func(ctx context.Context) error { return s.client.Ping(ctx).Err() })
}

// Put stores value under key until the given time, over what was there. Redis
// sees neither: it holds a hash of the key, and the value encrypted with
// another. So the key must be a secret that cannot be guessed, with 128 random
// bits or more.
func (s *Store) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	body, err := sealed.Seal("state", key, value)
	if err != nil {
		return err
	}
	return s.run(ctx, "put", func(ctx context.Context) error {
		return s.client.Set(ctx, s.name("state", key), body, s.span(until)).Err()
	})
}

// Get returns the value under key, or sso.ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return s.read(ctx, "get", key, s.client.Get)
}

// Take returns the value under key and removes it. Of any number of callers in
// any number of processes one gets it; all others get sso.ErrNotFound.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	return s.read(ctx, "take", key, s.client.GetDel)
}

func (s *Store) read(ctx context.Context, what, key string, command func(context.Context, string) *redis.StringCmd) ([]byte, error) {
	var body []byte
	err := s.run(ctx, what, func(ctx context.Context) (err error) {
		body, err = command(ctx, s.name("state", key)).Bytes()
		return err
	})
	if err != nil {
		return nil, err
	}
	value, err := sealed.Open("state", key, body)
	if err != nil {
		return nil, fmt.Errorf("redisstore: %s: %w", what, err)
	}
	return value, nil
}

// Remember returns true the first time that any process gives it key, and false
// from then on until the given time and some minutes more.
func (s *Store) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	err = s.run(ctx, "remember", func(ctx context.Context) (err error) {
		fresh, err = s.client.SetNX(ctx, s.name("replay", key), "", s.span(until)+keepReplays).Result()
		return err
	})
	return fresh && err == nil, err
}

// name is the key that Redis sees.
func (s *Store) name(kind, key string) string {
	return s.options.Prefix + kind + ":" + hex.EncodeToString(sealed.Name(kind, key))
}

// span is how long from now until then: never zero, which would be for ever.
func (s *Store) span(until time.Time) time.Duration {
	return max(until.Sub(s.options.Now()), time.Millisecond)
}

// run does one thing within the deadline and names it in the error.
func (s *Store) run(ctx context.Context, what string, f func(context.Context) error) error {
	if s.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.Timeout)
		defer cancel()
	}
	err := ctx.Err()
	if err == nil {
		err = f(ctx)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return sso.ErrNotFound
	case errors.Is(err, os.ErrDeadlineExceeded):
		// The context's deadline is the connection's too, which may be faster.
		return fmt.Errorf("redisstore: %s: %w: %w", what, context.DeadlineExceeded, err)
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("redisstore: %s: %w: %w", what, ctx.Err(), err)
	}
	return fmt.Errorf("redisstore: %s: %w", what, err)
}
