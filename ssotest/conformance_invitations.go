package ssotest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// TestInvitationStore tests an sso.InvitationStore. put stores an invitation in
// the store that open returned last.
func TestInvitationStore(t *testing.T, open func(t *testing.T) sso.InvitationStore, put func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error) {
	t.Helper()
	r := invitationRules{open, put, time.Now().Truncate(time.Second)}
	r.keeping(t)
	r.counting(t)
	r.people(t)
	r.racing(t)
}

type invitationRules struct {
	open func(t *testing.T) sso.InvitationStore
	put  func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error
	now  time.Time
}

// fresh returns a store with an invitation, and its code.
func (r invitationRules) fresh(t *testing.T, ctx context.Context, uses int) (sso.InvitationStore, string) {
	t.Helper()
	s := r.open(t)
	inv := sso.Invitation{Code: randomID(), ConnectionID: "c1", Email: "a@example.com", Domains: []string{"example.com"},
		Role: "Manager", Groups: []string{"Sales", "Поддержка"}, MaxUses: uses, Expires: r.now.Add(24 * time.Hour)}
	must(t, r.put(ctx, s, inv))
	return s, inv.Code
}

func (r invitationRules) uses(t *testing.T, ctx context.Context, s sso.InvitationStore, code string) int {
	t.Helper()
	inv, _, err := s.Invitation(ctx, code, "", r.now)
	must(t, err)
	return inv.Uses
}

func (r invitationRules) keeping(t *testing.T) {
	t.Helper()
	rule(t, "an invitation comes back as it was put", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 3)
		inv, redeemed, err := s.Invitation(ctx, code, "alice", r.now)
		must(t, err)
		got := fmt.Sprintf("%v %v %v %v %v %v %v %v %v", inv.Code == code, inv.ConnectionID, inv.Email, inv.Domains, inv.Role, inv.Groups, inv.MaxUses, inv.Uses, inv.Expires.Equal(r.now.Add(24*time.Hour)))
		if want := "true c1 a@example.com [example.com] Manager [Sales Поддержка] 3 0 true"; got != want || redeemed {
			t.Errorf("got  %s, redeemed %v\nwant %s, redeemed false", got, redeemed, want)
		}
	})
	rule(t, "an unknown code is ErrNotFound", func(t *testing.T, ctx context.Context) {
		s, _ := r.fresh(t, ctx, 1)
		_, _, err := s.Invitation(ctx, randomID(), "alice", r.now)
		want(t, err, sso.ErrNotFound)
		want(t, s.RedeemInvitation(ctx, randomID(), "alice", r.now), sso.ErrNotFound)
	})
	rule(t, "an invitation for one person is spent after one", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now))
		want(t, s.RedeemInvitation(ctx, code, "bob", r.now), sso.ErrInvitationSpent)
		if n := r.uses(t, ctx, s, code); n != 1 {
			t.Errorf("counted %d uses, want 1", n)
		}
	})
	rule(t, "the same person may redeem again within InvitationGrace, uncounted, and not later", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now))
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now.Add(sso.InvitationGrace-time.Second)))
		if n := r.uses(t, ctx, s, code); n != 1 {
			t.Errorf("counted %d uses, want 1", n)
		}
		if _, redeemed, err := s.Invitation(ctx, code, "alice", r.now.Add(sso.InvitationGrace-time.Second)); err != nil || !redeemed {
			t.Errorf("within the time: redeemed is %v, %v", redeemed, err)
		}
		if _, redeemed, err := s.Invitation(ctx, code, "alice", r.now.Add(sso.InvitationGrace)); err != nil || redeemed {
			t.Errorf("after the time: redeemed is %v, %v", redeemed, err)
		}
		want(t, s.RedeemInvitation(ctx, code, "alice", r.now.Add(sso.InvitationGrace)), sso.ErrInvitationSpent)
	})
	rule(t, "a released use can be had by somebody else", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now))
		must(t, s.ReleaseInvitation(ctx, code, "bob"))
		want(t, s.RedeemInvitation(ctx, code, "bob", r.now), sso.ErrInvitationSpent)
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.ReleaseInvitation(ctx, code, "alice"))
		must(t, s.RedeemInvitation(ctx, code, "bob", r.now))
		want(t, s.RedeemInvitation(ctx, code, "carol", r.now), sso.ErrInvitationSpent)
	})
	rule(t, "an invitation is spent at the instant of its end", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 0)
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now.Add(24*time.Hour-time.Second)))
		want(t, s.RedeemInvitation(ctx, code, "bob", r.now.Add(24*time.Hour)), sso.ErrInvitationSpent)
	})
}

func (r invitationRules) counting(t *testing.T) {
	t.Helper()
	rule(t, "zero MaxUses is any number", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 0)
		for i := range 5 {
			must(t, s.RedeemInvitation(ctx, code, fmt.Sprint("person ", i), r.now))
		}
		if n := r.uses(t, ctx, s, code); n != 5 {
			t.Errorf("counted %d uses, want 5", n)
		}
	})
	rule(t, "of many people at once as many redeem as there are uses", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 3)
		var person atomic.Int32
		n := race(t, func() (bool, error) {
			err := s.RedeemInvitation(ctx, code, fmt.Sprint("person ", person.Add(1)), r.now)
			if errors.Is(err, sso.ErrInvitationSpent) {
				return false, nil
			}
			return err == nil, err
		})
		if counted := r.uses(t, ctx, s, code); n != 3 || counted != 3 {
			t.Errorf("%d people redeemed and %d uses were counted, want 3 and 3", n, counted)
		}
	})
	rule(t, "one person who comes many times at once is counted once", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		if n := race(t, func() (bool, error) {
			err := s.RedeemInvitation(ctx, code, "alice", r.now)
			return err == nil, err
		}); n != racers || r.uses(t, ctx, s, code) != 1 {
			t.Errorf("%d of %d calls succeeded, %d uses were counted", n, racers, r.uses(t, ctx, s, code))
		}
	})
	rule(t, "the same person may redeem again within InvitationGrace though the invitation has expired since", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 0)
		end := r.now.Add(24 * time.Hour)
		must(t, s.RedeemInvitation(ctx, code, "alice", end.Add(-time.Second)))
		must(t, s.RedeemInvitation(ctx, code, "alice", end.Add(time.Minute)))
		want(t, s.RedeemInvitation(ctx, code, "bob", end.Add(time.Minute)), sso.ErrInvitationSpent)
	})
}

func (r invitationRules) people(t *testing.T) {
	t.Helper()
	rule(t, "people are told apart exactly", func(t *testing.T, ctx context.Context) {
		people := []string{"alice", "Alice", "alice ", " alice", "álice", "аlice", `"q"!"s"!"alice"`, strings.Repeat("a", 1000), strings.Repeat("a", 1001), "%", "_"}
		s, code := r.fresh(t, ctx, len(people))
		for _, p := range people {
			must(t, s.RedeemInvitation(ctx, code, p, r.now))
		}
		if n := r.uses(t, ctx, s, code); n != len(people) {
			t.Errorf("counted %d uses, want %d", n, len(people))
		}
		for _, p := range people {
			if _, redeemed, err := s.Invitation(ctx, code, p, r.now); err != nil || !redeemed {
				t.Errorf("%.20q: redeemed is %v, %v", p, redeemed, err)
			}
		}
		if _, redeemed, err := s.Invitation(ctx, code, "ALICE", r.now); err != nil || redeemed {
			t.Errorf("somebody who did not redeem: redeemed is %v, %v", redeemed, err)
		}
	})
	rule(t, "invitations do not disturb each other", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		other := sso.Invitation{Code: code + "x", ConnectionID: "c1", MaxUses: 1}
		must(t, r.put(ctx, s, other))
		must(t, s.RedeemInvitation(ctx, code, "alice", r.now))
		if inv, redeemed, err := s.Invitation(ctx, other.Code, "alice", r.now); err != nil || redeemed || inv.Uses != 0 {
			t.Errorf("the other invitation: %+v, redeemed %v, %v", inv, redeemed, err)
		}
		must(t, s.ReleaseInvitation(ctx, other.Code, "alice"))
		if n := r.uses(t, ctx, s, code); n != 1 {
			t.Errorf("counted %d uses, want 1", n)
		}
	})
	rule(t, "the store keeps its own copy of an invitation", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		for range 2 {
			inv, _, err := s.Invitation(ctx, code, "", r.now)
			must(t, err)
			if inv.Groups[0] != "Sales" || inv.Domains[0] != "example.com" || inv.MaxUses != 1 {
				t.Fatalf("got %+v after somebody changed what they were given", inv)
			}
			inv.Groups[0], inv.Domains[0], inv.MaxUses = "Admins", "example.org", 0
		}
	})
}

func (r invitationRules) racing(t *testing.T) {
	t.Helper()
	rule(t, "uses and releases by many at once leave the right count", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 0)
		var person atomic.Int32
		race(t, func() (bool, error) {
			n := person.Add(1)
			name := fmt.Sprint("person ", n)
			if err := s.RedeemInvitation(ctx, code, name, r.now); err != nil {
				return false, err
			}
			if n%2 == 0 {
				return true, nil
			}
			return true, s.ReleaseInvitation(ctx, code, name)
		})
		if n := r.uses(t, ctx, s, code); n != racers/2 {
			t.Errorf("counted %d uses, want %d", n, racers/2)
		}
	})
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		s, code := r.fresh(t, ctx, 1)
		done, cancel := context.WithCancel(ctx)
		cancel()
		if _, _, err := s.Invitation(done, code, "alice", r.now); err == nil || errors.Is(err, sso.ErrNotFound) {
			t.Errorf("Invitation gave %v", err)
		}
		if err := s.RedeemInvitation(done, code, "alice", r.now); err == nil || errors.Is(err, sso.ErrInvitationSpent) {
			t.Errorf("RedeemInvitation gave %v", err)
		}
	})
}
