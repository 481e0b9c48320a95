package memstore

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/ssoconn/sso"
)

// Connections keeps connections with a version each, so that of two
// administrators who save at once the second is told.
type Connections struct {
	mu   sync.Mutex
	rows map[string]connection // guarded by mu
	last int64                 // version given, guarded by mu
}

type connection struct {
	text    []byte // JSON, so that nobody shares memory with the store
	version int64
}

// NewConnections returns an empty store.
func NewConnections() *Connections { return &Connections{rows: map[string]connection{}} }

// Connection returns a connection and its version, or sso.ErrNotFound. Private
// keys are not kept: the application puts them in.
func (s *Connections) Connection(ctx context.Context, id string) (*sso.Connection, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	row, ok := s.rows[id]
	s.mu.Unlock()
	if !ok {
		return nil, 0, sso.ErrNotFound
	}
	var c sso.Connection
	if err := json.Unmarshal(row.text, &c); err != nil {
		return nil, 0, err
	}
	return &c, row.version, nil
}

// SaveConnection stores c if its version is still the given one, zero for a new
// connection, and returns the next version; otherwise sso.ErrConflict.
func (s *Connections) SaveConnection(ctx context.Context, c *sso.Connection, version int64) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows[c.ID].version != version {
		return 0, sso.ErrConflict
	}
	// No version comes twice, so that nobody saves over a connection that was
	// deleted and made anew since they looked.
	s.last++
	s.rows[c.ID] = connection{text: text, version: s.last}
	return s.last, nil
}

// DeleteConnection removes a connection. Removing what is not there is no error.
func (s *Connections) DeleteConnection(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
	return nil
}

// Connections returns all, by ID.
func (s *Connections) Connections(ctx context.Context) ([]*sso.Connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	ids := make([]string, 0, len(s.rows))
	for id := range s.rows {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	slices.SortFunc(ids, strings.Compare)
	var out []*sso.Connection
	for _, id := range ids {
		c, _, err := s.Connection(ctx, id)
		if errors.Is(err, sso.ErrNotFound) {
			// Deleted since the list was made.
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}
