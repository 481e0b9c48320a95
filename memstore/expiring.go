package memstore

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ssoconn/sso"
)

// ErrFull is returned when a store holds as many unexpired entries as it may.
var ErrFull = errors.New("memstore: full")

// DefaultCapacity is how many entries a store holds if it was not told.
const DefaultCapacity = 1 << 20

// table is a bounded map whose entries expire.
type table struct {
	capacity int
	now      func() time.Time

	mu      sync.Mutex
	entries map[string]entry // guarded by mu
	queue   []string         // keys in the order they were put, guarded by mu
}

type entry struct {
	value []byte
	until time.Time
}

func newTable(capacity int, now func() time.Time) *table {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	if now == nil {
		now = time.Now
	}
	return &table{capacity: capacity, now: now, entries: map[string]entry{}}
}

// clear drops expired entries, looking at a few with each call so that no one
// call pays for all. A key that lives on goes to the end of the queue.
func (t *table) clear(now time.Time, most int) {
	for i := 0; i < most && len(t.queue) > 0; i++ {
		key := t.queue[0]
		t.queue = t.queue[1:]
		e, ok := t.entries[key]
		switch {
		case !ok:
		case !now.Before(e.until):
			delete(t.entries, key)
		default:
			t.queue = append(t.queue, key)
		}
	}
}

// put stores the entry unless the key is there and has not expired.
func (t *table) put(ctx context.Context, key string, value []byte, until time.Time, replace bool) (fresh bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.clear(now, 4)
	old, had := t.entries[key]
	if had && now.Before(old.until) && !replace {
		return false, nil
	}
	if !had {
		if len(t.entries) >= t.capacity {
			t.clear(now, len(t.queue))
		}
		if len(t.entries) >= t.capacity {
			return false, ErrFull
		}
		t.queue = append(t.queue, key)
	}
	t.entries[key] = entry{value: bytes.Clone(value), until: until}
	return true, nil
}

func (t *table) get(ctx context.Context, key string, take bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[key]
	if ok && take {
		delete(t.entries, key)
	}
	if !ok || !t.now().Before(e.until) {
		return nil, sso.ErrNotFound
	}
	return bytes.Clone(e.value), nil
}

// Replay is an sso.ReplayCache in memory.
type Replay struct{ t *table }

var _ sso.ReplayCache = (*Replay)(nil)

// NewReplay returns a replay memory for at most capacity assertions at a time;
// zero means DefaultCapacity, some 150 bytes each when they are used up. A nil
// now means time.Now.
func NewReplay(capacity int, now func() time.Time) *Replay { return &Replay{newTable(capacity, now)} }

// Remember returns true the first time it is given key. ErrFull when it cannot
// remember more.
func (r *Replay) Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error) {
	return r.t.put(ctx, key, nil, until, false)
}

// State keeps short-lived values under secret keys: the state of a sign-in
// under way, the result of a test.
type State struct{ t *table }

// NewState returns a store for at most capacity values at a time; zero means
// DefaultCapacity. A nil now means time.Now.
func NewState(capacity int, now func() time.Time) *State { return &State{newTable(capacity, now)} }

// Put stores value under key until the given time, over what was there.
func (s *State) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	_, err := s.t.put(ctx, key, value, until, true)
	return err
}

// Get returns the value, or sso.ErrNotFound.
func (s *State) Get(ctx context.Context, key string) ([]byte, error) { return s.t.get(ctx, key, false) }

// Take returns the value and removes it, to one caller only; all others get
// sso.ErrNotFound.
func (s *State) Take(ctx context.Context, key string) ([]byte, error) { return s.t.get(ctx, key, true) }
