package memstore

import (
	"bytes"
	"container/heap"
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

// step is how many expired entries a write drops: more than it adds, so that
// they go, and few, so that no one write pays for all.
const step = 4

// table is a bounded map whose entries expire.
type table struct {
	capacity int
	now      func() time.Time

	mu      sync.Mutex
	entries map[string]*entry // guarded by mu
	queue   byTime            // the same entries, guarded by mu
}

type entry struct {
	key   string
	value []byte
	until time.Time
	at    int // in the queue
}

// byTime is a heap: the entry that expires first is on top.
type byTime []*entry

func (q byTime) Len() int           { return len(q) }
func (q byTime) Less(i, j int) bool { return q[i].until.Before(q[j].until) }
func (q byTime) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].at, q[j].at = i, j }
func (q *byTime) Push(x any)        { e := x.(*entry); e.at = len(*q); *q = append(*q, e) }

func (q *byTime) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}

func newTable(capacity int, now func() time.Time) *table {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	if now == nil {
		now = time.Now
	}
	return &table{capacity: capacity, now: now, entries: map[string]*entry{}}
}

// clear drops the entries that have expired, a step of them at most.
func (t *table) clear(now time.Time) {
	for range step {
		if len(t.queue) == 0 || now.Before(t.queue[0].until) {
			return
		}
		t.remove(t.queue[0])
	}
}

func (t *table) remove(e *entry) {
	heap.Remove(&t.queue, e.at)
	delete(t.entries, e.key)
}

// put stores the entry, unless the key is there, has not expired and is not to
// be replaced.
func (t *table) put(ctx context.Context, key string, value []byte, until time.Time, replace bool) (fresh bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.clear(now)
	if e, ok := t.entries[key]; ok {
		if !replace && now.Before(e.until) {
			return false, nil
		}
		e.value, e.until = bytes.Clone(value), until
		heap.Fix(&t.queue, e.at)
		return true, nil
	}
	// What has expired is on top and went first: if there is no room now, all
	// that is there is still needed.
	if len(t.entries) >= t.capacity {
		return false, ErrFull
	}
	e := &entry{key: key, value: bytes.Clone(value), until: until}
	t.entries[key] = e
	heap.Push(&t.queue, e)
	return true, nil
}

func (t *table) get(ctx context.Context, key string, take bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[key]
	if !ok || !t.now().Before(e.until) {
		return nil, sso.ErrNotFound
	}
	if take {
		t.remove(e)
		return e.value, nil
	}
	return bytes.Clone(e.value), nil
}

// Replay is an sso.ReplayCache in memory.
type Replay struct{ t *table }

var _ sso.ReplayCache = (*Replay)(nil)

// NewReplay returns a replay memory for at most capacity assertions at a time;
// zero means DefaultCapacity. An assertion takes some 230 bytes, for the few
// minutes that it is valid. A nil now means time.Now.
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
// DefaultCapacity. The sizes of the values are the caller's to limit. A nil now
// means time.Now.
func NewState(capacity int, now func() time.Time) *State { return &State{newTable(capacity, now)} }

// Put stores value under key until the given time, over what was there. ErrFull
// when there is no room.
func (s *State) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	_, err := s.t.put(ctx, key, value, until, true)
	return err
}

// Get returns the value, or sso.ErrNotFound.
func (s *State) Get(ctx context.Context, key string) ([]byte, error) { return s.t.get(ctx, key, false) }

// Take returns the value and removes it, to one caller only; all others get
// sso.ErrNotFound.
func (s *State) Take(ctx context.Context, key string) ([]byte, error) { return s.t.get(ctx, key, true) }
