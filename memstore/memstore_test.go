package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssotest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("replay", func(t *testing.T) {
		t.Parallel()
		ssotest.TestReplayCache(t, func(*testing.T) sso.ReplayCache { return memstore.NewReplay(0, nil) })
	})
	t.Run("state", func(t *testing.T) {
		t.Parallel()
		ssotest.TestStateStore(t, func(*testing.T) ssotest.StateStore { return memstore.NewState(0, nil) })
	})
	t.Run("invitations", func(t *testing.T) {
		t.Parallel()
		ssotest.TestInvitationStore(t, func(*testing.T) sso.InvitationStore { return memstore.NewInvitations() },
			func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error {
				return s.(*memstore.Invitations).PutInvitation(ctx, inv)
			})
	})
	t.Run("users", func(t *testing.T) {
		t.Parallel()
		ssotest.TestUserStore(t, func(*testing.T) sso.UserStore { return memstore.NewUsers() })
	})
	t.Run("users of accounts", func(t *testing.T) {
		t.Parallel()
		ssotest.TestUserStore(t, func(*testing.T) sso.UserStore {
			s := memstore.NewUsers()
			s.Account = func(connectionID string) string { return map[string]string{"c1": "acme", "c2": "acme"}[connectionID] }
			return s
		}, "c3")
	})
	t.Run("connections", func(t *testing.T) {
		t.Parallel()
		ssotest.TestConnectionStore(t, func(*testing.T) ssotest.ConnectionStore { return memstore.NewConnections() })
	})
}

// TestBounded fills a store: it refuses rather than forget, and has room again
// once entries expire.
func TestBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := memstore.NewReplay(10, func() time.Time { return now })
	for i := range 10 {
		if fresh, err := r.Remember(ctx, fmt.Sprint(i), now.Add(time.Minute)); !fresh || err != nil {
			t.Fatal(fresh, err)
		}
	}
	if fresh, err := r.Remember(ctx, "one more", now.Add(time.Minute)); fresh || !errors.Is(err, memstore.ErrFull) {
		t.Errorf("a full memory answered %v, %v", fresh, err)
	}
	for i := range 10 {
		if fresh, err := r.Remember(ctx, fmt.Sprint(i), now.Add(time.Minute)); fresh || err != nil {
			t.Errorf("key %d: %v, %v", i, fresh, err)
		}
	}
	now = now.Add(time.Minute)
	for i := range 10 {
		if fresh, err := r.Remember(ctx, fmt.Sprint("new", i), now.Add(time.Minute)); !fresh || err != nil {
			t.Errorf("after expiry, key %d: %v, %v", i, fresh, err)
		}
	}
}
