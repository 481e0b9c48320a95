package ssotest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// ConnectionStore is the contract of a store for connections, each with a
// version, so that of two administrators who save at once the second is told.
type ConnectionStore interface {
	Connection(ctx context.Context, id string) (*sso.Connection, int64, error)
	SaveConnection(ctx context.Context, c *sso.Connection, version int64) (int64, error)
	Connections(ctx context.Context) ([]*sso.Connection, error)
	DeleteConnection(ctx context.Context, id string) error
}

// TestConnectionStore tests a ConnectionStore.
func TestConnectionStore(t *testing.T, open func(t *testing.T) ConnectionStore) {
	t.Helper()
	r := connectionRules{open, NewIdP(Config{})}
	r.keeping(t)
	r.versions(t)
	r.deleting(t)
}

type connectionRules struct {
	open func(t *testing.T) ConnectionStore
	idp  *IdP
}

func (r connectionRules) fresh() *sso.Connection {
	c := r.idp.Connection(sso.ServiceProvider{})
	c.ID, c.Name, c.AllowedGroups = randomID(), "Акме & Co", []string{"Sales"}
	c.RecordTest(nil, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "admin", "1")
	return c
}

func (r connectionRules) keeping(t *testing.T) {
	t.Helper()
	rule(t, "a connection comes back as it was saved", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		got, version, err := s.Connection(ctx, c.ID)
		must(t, err)
		if version != v {
			t.Errorf("got version %d, want %d", version, v)
		}
		if got, want := asJSON(t, got), asJSON(t, c); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		all, err := s.Connections(ctx)
		must(t, err)
		at := slices.IndexFunc(all, func(other *sso.Connection) bool { return other.ID == c.ID })
		if at < 0 {
			t.Fatal("the list lacks it")
		}
		if got, want := asJSON(t, all[at]), asJSON(t, c); got != want {
			t.Errorf("the list has\n%s\nwant\n%s", got, want)
		}
	})
	rule(t, "an unknown ID is ErrNotFound, and cannot be saved over", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		_, _, err := s.Connection(ctx, c.ID)
		want(t, err, sso.ErrNotFound)
		_, err = s.SaveConnection(ctx, c, 1)
		want(t, err, sso.ErrConflict)
		_, _, err = s.Connection(ctx, c.ID)
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "the store keeps its own copy of a connection", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		_, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		c.AllowedGroups[0], c.Enabled = "Everybody", true
		for range 2 {
			got, _, err := s.Connection(ctx, c.ID)
			must(t, err)
			if got.AllowedGroups[0] != "Sales" || got.Enabled {
				t.Fatalf("got the groups %v, enabled %v, after somebody changed what they have", got.AllowedGroups, got.Enabled)
			}
			got.AllowedGroups[0], got.Enabled = "Everybody", true
		}
	})
	rule(t, "of many who create one connection one wins", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		if n := race(t, func() (bool, error) {
			_, err := s.SaveConnection(ctx, c, 0)
			return one(sso.ErrConflict)(err)
		}); n != 1 {
			t.Errorf("%d creations won", n)
		}
	})
}

func (r connectionRules) versions(t *testing.T) {
	t.Helper()
	rule(t, "of two who save at once the second is told, and nothing is lost", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		first, second := *c, *c
		first.Name, second.Name = "first", "second"
		_, err = s.SaveConnection(ctx, &first, v)
		must(t, err)
		_, err = s.SaveConnection(ctx, &second, v)
		want(t, err, sso.ErrConflict)
		_, err = s.SaveConnection(ctx, &second, 0)
		want(t, err, sso.ErrConflict)
		got, _, err := s.Connection(ctx, c.ID)
		must(t, err)
		if got.Name != "first" {
			t.Errorf("the name is %q, want first", got.Name)
		}
	})
	rule(t, "of many who save one version one wins", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		if n := race(t, func() (bool, error) {
			_, err := s.SaveConnection(ctx, c, v)
			return one(sso.ErrConflict)(err)
		}); n != 1 {
			t.Errorf("%d saves won", n)
		}
	})
	rule(t, "what was deleted is ErrNotFound, and deleting it again no error", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		_, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		must(t, s.DeleteConnection(ctx, c.ID))
		must(t, s.DeleteConnection(ctx, c.ID))
		_, _, err = s.Connection(ctx, c.ID)
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "what was deleted cannot be saved over", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		must(t, s.DeleteConnection(ctx, c.ID))
		_, err = s.SaveConnection(ctx, c, v)
		want(t, err, sso.ErrConflict)
	})
}

func (r connectionRules) deleting(t *testing.T) {
	t.Helper()
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		s, c := r.open(t), r.fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		done, cancel := context.WithCancel(ctx)
		cancel()
		if _, _, err := s.Connection(done, c.ID); err == nil || errors.Is(err, sso.ErrNotFound) {
			t.Errorf("Connection gave %v", err)
		}
		if _, err := s.SaveConnection(done, c, v); err == nil || errors.Is(err, sso.ErrConflict) {
			t.Errorf("SaveConnection gave %v", err)
		}
		if _, err := s.Connections(done); err == nil {
			t.Error("Connections gave no error")
		}
		if err := s.DeleteConnection(done, c.ID); err == nil {
			t.Error("DeleteConnection gave no error")
		}
	})
}

func asJSON(t *testing.T, c *sso.Connection) string {
	t.Helper()
	text, err := json.Marshal(c)
	must(t, err)
	return string(text)
}
