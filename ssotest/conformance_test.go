package ssotest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssotest"
)

// The stores below are each wrong in one way. A conformance test that passes one
// of them is worth nothing.

type brokenReplay struct {
	*memstore.Replay
	mu        sync.Mutex
	forgetful map[string]bool
	remember  func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error)
}

func (r *brokenReplay) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	return r.remember(r, ctx, key, until)
}

type brokenState struct {
	*memstore.State
	put  func(s *memstore.State, ctx context.Context, key string, value []byte, until time.Time) error
	get  func(s *memstore.State, ctx context.Context, key string) ([]byte, error)
	take func(s *memstore.State, ctx context.Context, key string) ([]byte, error)
}

func (s *brokenState) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	if s.put != nil {
		return s.put(s.State, ctx, key, value, until)
	}
	return s.State.Put(ctx, key, value, until)
}

func (s *brokenState) Get(ctx context.Context, key string) ([]byte, error) {
	if s.get != nil {
		return s.get(s.State, ctx, key)
	}
	return s.State.Get(ctx, key)
}

func (s *brokenState) Take(ctx context.Context, key string) ([]byte, error) {
	if s.take != nil {
		return s.take(s.State, ctx, key)
	}
	return s.State.Take(ctx, key)
}

type brokenInvitations struct {
	*memstore.Invitations
	redeem  func(s *memstore.Invitations, ctx context.Context, code, subject string, now time.Time) error
	release func(s *memstore.Invitations, ctx context.Context, code, subject string) error
}

func (s *brokenInvitations) RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error {
	if s.redeem != nil {
		return s.redeem(s.Invitations, ctx, code, subject, now)
	}
	return s.Invitations.RedeemInvitation(ctx, code, subject, now)
}

func (s *brokenInvitations) ReleaseInvitation(ctx context.Context, code, subject string) error {
	if s.release != nil {
		return s.release(s.Invitations, ctx, code, subject)
	}
	return s.Invitations.ReleaseInvitation(ctx, code, subject)
}

type brokenUsers struct {
	*memstore.Users
	bySubject func(s *memstore.Users, ctx context.Context, id, subject string) (*sso.User, error)
	byEmail   func(s *memstore.Users, ctx context.Context, id, email string) ([]sso.User, error)
	create    func(s *memstore.Users, ctx context.Context, id string, u sso.User) (*sso.User, error)
	update    func(s *memstore.Users, ctx context.Context, id string, old, new sso.User) (*sso.User, error)
}

func (s *brokenUsers) UserBySubject(ctx context.Context, id, subject string) (*sso.User, error) {
	if s.bySubject != nil {
		return s.bySubject(s.Users, ctx, id, subject)
	}
	return s.Users.UserBySubject(ctx, id, subject)
}

func (s *brokenUsers) UsersByEmail(ctx context.Context, id, email string) ([]sso.User, error) {
	if s.byEmail != nil {
		return s.byEmail(s.Users, ctx, id, email)
	}
	return s.Users.UsersByEmail(ctx, id, email)
}

func (s *brokenUsers) CreateUser(ctx context.Context, id string, u sso.User) (*sso.User, error) {
	if s.create != nil {
		return s.create(s.Users, ctx, id, u)
	}
	return s.Users.CreateUser(ctx, id, u)
}

func (s *brokenUsers) UpdateUser(ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
	if s.update != nil {
		return s.update(s.Users, ctx, id, old, new)
	}
	return s.Users.UpdateUser(ctx, id, old, new)
}

type brokenConnections struct {
	ssotest.ConnectionStore
	inner *memstore.Connections
	save  func(s *memstore.Connections, ctx context.Context, c *sso.Connection, version int64) (int64, error)
}

func (s *brokenConnections) SaveConnection(ctx context.Context, c *sso.Connection, version int64) (int64, error) {
	return s.save(s.inner, ctx, c, version)
}

// broken is a store with one fault, and the rule that has to find it.
type broken struct {
	rule string
	run  func(t *testing.T)
}

func replay(remember func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error)) func(t *testing.T) {
	return func(t *testing.T) {
		ssotest.TestReplayCache(t, func(*testing.T) sso.ReplayCache {
			return &brokenReplay{Replay: memstore.NewReplay(0, nil), forgetful: map[string]bool{}, remember: remember}
		})
	}
}

func state(s brokenState) func(t *testing.T) {
	return func(t *testing.T) {
		ssotest.TestStateStore(t, func(*testing.T) ssotest.StateStore {
			out := s
			out.State = memstore.NewState(0, nil)
			return &out
		})
	}
}

func invitations(s brokenInvitations) func(t *testing.T) {
	return func(t *testing.T) {
		ssotest.TestInvitationStore(t, func(*testing.T) sso.InvitationStore {
			out := s
			out.Invitations = memstore.NewInvitations()
			return &out
		}, func(ctx context.Context, s sso.InvitationStore, inv sso.Invitation) error {
			return s.(*brokenInvitations).PutInvitation(ctx, inv)
		})
	}
}

func users(s brokenUsers) func(t *testing.T) {
	return func(t *testing.T) {
		ssotest.TestUserStore(t, func(*testing.T) sso.UserStore {
			out := s
			out.Users = memstore.NewUsers()
			out.Users.Account = func(id string) string { return map[string]string{"c3": "another"}[id] }
			return &out
		}, "c3")
	}
}

func connections(save func(s *memstore.Connections, ctx context.Context, c *sso.Connection, version int64) (int64, error)) func(t *testing.T) {
	return func(t *testing.T) {
		ssotest.TestConnectionStore(t, func(*testing.T) ssotest.ConnectionStore {
			inner := memstore.NewConnections()
			return &brokenConnections{inner, inner, save}
		})
	}
}

const pause = 2 * time.Millisecond

var brokenStores = map[string]broken{
	"replay: looks, then writes": {"of many callers at once one is told that a key is fresh", replay(func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error) {
		r.mu.Lock()
		known := r.forgetful[key]
		r.mu.Unlock()
		time.Sleep(pause)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.forgetful[key] = true
		return !known, ctx.Err()
	})},
	"replay: forgets others": {"a key is not forgotten before its time", replay(func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.forgetful) == 9 {
			clear(r.forgetful)
		}
		known := r.forgetful[key]
		r.forgetful[key] = true
		return !known, ctx.Err()
	})},
	"replay: keys without case": {"long and odd keys are kept apart", replay(func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error) {
		return r.Replay.Remember(ctx, strings.ToLower(key), until)
	})},
	"replay: cuts keys": {"long and odd keys are kept apart", replay(func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error) {
		return r.Replay.Remember(ctx, key[:min(len(key), 255)], until)
	})},
	"replay: goes on when nobody waits": {"a context that is done ends the call with an error", replay(func(r *brokenReplay, ctx context.Context, key string, until time.Time) (bool, error) {
		return r.Replay.Remember(context.WithoutCancel(ctx), key, until)
	})},
	"state: Take leaves the value": {"what was put is got, again and again, and taken once", state(brokenState{take: (*memstore.State).Get})},
	"state: Get takes the value":   {"what was put is got, again and again, and taken once", state(brokenState{get: (*memstore.State).Take})},
	"state: Take looks, then removes": {"of many takers at once one gets the value", state(brokenState{take: func(s *memstore.State, ctx context.Context, key string) ([]byte, error) {
		v, err := s.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		time.Sleep(pause)
		_, _ = s.Take(ctx, key)
		return v, nil
	}})},
	"state: never expires": {"what has expired is ErrNotFound", state(brokenState{put: func(s *memstore.State, ctx context.Context, key string, value []byte, until time.Time) error {
		return s.Put(ctx, key, value, until.Add(time.Hour))
	}})},
	"state: the first value stays": {"a second Put replaces the value", state(brokenState{put: func(s *memstore.State, ctx context.Context, key string, value []byte, until time.Time) error {
		if _, err := s.Get(ctx, key); err == nil {
			return nil
		}
		return s.Put(ctx, key, value, until)
	}})},
	"state: keeps text, not bytes": {"a value may be empty, and may be long", state(brokenState{put: func(s *memstore.State, ctx context.Context, key string, value []byte, until time.Time) error {
		return s.Put(ctx, key, []byte(strings.ToValidUTF8(string(value), "?")), until)
	}})},
	"invitations: counts the same person again": {"one person who comes many times at once is counted once", invitations(brokenInvitations{redeem: func(s *memstore.Invitations, ctx context.Context, code, subject string, now time.Time) error {
		return s.RedeemInvitation(ctx, code, "", now)
	}})},
	"invitations: the same person for ever": {"the same person may redeem again within InvitationGrace, uncounted, and not later", invitations(brokenInvitations{redeem: func(s *memstore.Invitations, ctx context.Context, code, subject string, now time.Time) error {
		return s.RedeemInvitation(ctx, code, subject, now.Add(-time.Minute))
	}})},
	"invitations: looks, then counts": {"of many people at once as many redeem as there are uses", invitations(brokenInvitations{redeem: func(s *memstore.Invitations, ctx context.Context, code, subject string, now time.Time) error {
		inv, redeemed, err := s.Invitation(ctx, code, subject, now)
		if err != nil || redeemed {
			return err
		}
		time.Sleep(pause)
		if inv.MaxUses > 0 && inv.Uses >= inv.MaxUses || !now.Before(inv.Expires) {
			return sso.ErrInvitationSpent
		}
		return nil
	}})},
	"invitations: releases nothing": {"a released use can be had by somebody else", invitations(brokenInvitations{release: func(*memstore.Invitations, context.Context, string, string) error { return nil }})},
	"invitations: an unlimited one": {"zero MaxUses is any number", invitations(brokenInvitations{redeem: func(s *memstore.Invitations, ctx context.Context, code, subject string, now time.Time) error {
		inv, redeemed, err := s.Invitation(ctx, code, subject, now)
		if err == nil && !redeemed && inv.Uses >= inv.MaxUses {
			return sso.ErrInvitationSpent
		}
		return s.RedeemInvitation(ctx, code, subject, now)
	}})},
	"users: addresses by every alphabet's case": {"e-mail addresses are compared in their NormalizeEmail form, and look-alikes stay apart", users(brokenUsers{create: func(s *memstore.Users, ctx context.Context, id string, u sso.User) (*sso.User, error) {
		for _, other := range s.All(id) {
			if strings.EqualFold(other.Email, u.Email) {
				return nil, sso.ErrUserExists
			}
		}
		return s.CreateUser(ctx, id, u)
	}})},
	"users: addresses in capitals are lost": {"e-mail addresses are compared in their NormalizeEmail form, and look-alikes stay apart", users(brokenUsers{byEmail: func(s *memstore.Users, ctx context.Context, id, email string) ([]sso.User, error) {
		found, err := s.UsersByEmail(ctx, id, email)
		if len(found) > 0 && found[0].Email != email {
			found = nil
		}
		return found, err
	}})},
	"users: ErrNoUser for an address": {"nobody is ErrNoUser by subject and an empty list by e-mail", users(brokenUsers{byEmail: func(s *memstore.Users, ctx context.Context, id, email string) ([]sso.User, error) {
		found, err := s.UsersByEmail(ctx, id, email)
		if err == nil && len(found) == 0 {
			err = sso.ErrNoUser
		}
		return found, err
	}})},
	"users: an empty subject finds somebody": {"nobody is ErrNoUser by subject and an empty list by e-mail", users(brokenUsers{bySubject: func(s *memstore.Users, ctx context.Context, id, subject string) (*sso.User, error) {
		for _, u := range s.All(id) {
			if u.Subject == subject && ctx.Err() == nil {
				return &u, nil
			}
		}
		return s.UserBySubject(ctx, id, subject)
	}})},
	"users: subjects without case": {"subjects are compared exactly", users(brokenUsers{bySubject: func(s *memstore.Users, ctx context.Context, id, subject string) (*sso.User, error) {
		for _, u := range s.All(id) {
			if subject != "" && strings.EqualFold(u.Subject, subject) && ctx.Err() == nil {
				return &u, nil
			}
		}
		return s.UserBySubject(ctx, id, subject)
	}})},
	"users: an update wins over all": {"an update writes, and only over what it was decided on", users(brokenUsers{update: func(s *memstore.Users, ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
		for _, u := range s.All(id) {
			if u.ID == old.ID {
				old = u
			}
		}
		return s.UpdateUser(ctx, id, old, new)
	}})},
	"users: an update does not look at groups": {"any difference from what it was decided on is a conflict", users(brokenUsers{update: func(s *memstore.Users, ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
		for _, u := range s.All(id) {
			if u.ID == old.ID {
				old.Groups = u.Groups
			}
		}
		return s.UpdateUser(ctx, id, old, new)
	}})},
	"users: an update takes what is somebody else's": {"an update cannot take another user's subject or e-mail", users(brokenUsers{update: func(s *memstore.Users, ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
		u, err := s.UpdateUser(ctx, id, old, new)
		if errors.Is(err, sso.ErrUserExists) {
			made := s.Put(id, new)
			return &made, nil
		}
		return u, err
	}})},
	"users: a creation looks, then writes": {"of many creations of one subject under different addresses one wins", users(brokenUsers{create: func(s *memstore.Users, ctx context.Context, id string, u sso.User) (*sso.User, error) {
		if _, err := s.UserBySubject(ctx, id, u.Subject); err == nil {
			return nil, sso.ErrUserExists
		}
		if found, err := s.UsersByEmail(ctx, id, u.Email); err != nil || len(found) > 0 {
			return nil, errors.Join(err, sso.ErrUserExists)
		}
		time.Sleep(pause)
		u.ID = ""
		made := s.Put(id, u)
		return &made, nil
	}})},
	"users: one subject for all connections": {"a subject belongs to its connection, and a user has one on each", users(brokenUsers{bySubject: func(s *memstore.Users, ctx context.Context, id, subject string) (*sso.User, error) {
		if u, err := s.UserBySubject(ctx, "c1", subject); err == nil && id == "c2" {
			return u, nil
		}
		return s.UserBySubject(ctx, id, subject)
	}})},
	"users: another account's by e-mail": {"the connection c3 sees nobody of another account", users(brokenUsers{byEmail: func(s *memstore.Users, ctx context.Context, id, email string) ([]sso.User, error) {
		return s.UsersByEmail(ctx, "c1", email)
	}})},
	"users: another account's by ID": {"the connection c3 sees nobody of another account", users(brokenUsers{update: func(s *memstore.Users, ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
		if id == "c3" {
			id = "c1"
		}
		return s.UpdateUser(ctx, id, old, new)
	}})},
	"connections: the last who saves wins": {"of two who save at once the second is told, and nothing is lost", connections(func(s *memstore.Connections, ctx context.Context, c *sso.Connection, version int64) (int64, error) {
		_, now, err := s.Connection(ctx, c.ID)
		if err == nil {
			version = now
		}
		return s.SaveConnection(ctx, c, version)
	})},
	"connections: forgets the last test": {"a connection comes back as it was saved", connections(func(s *memstore.Connections, ctx context.Context, c *sso.Connection, version int64) (int64, error) {
		cut := *c
		cut.LastTest = nil
		return s.SaveConnection(ctx, &cut, version)
	})},
	"connections: a save makes it anew": {"what was deleted cannot be saved over", connections(func(s *memstore.Connections, ctx context.Context, c *sso.Connection, version int64) (int64, error) {
		if _, _, err := s.Connection(ctx, c.ID); errors.Is(err, sso.ErrNotFound) {
			version = 0
		}
		return s.SaveConnection(ctx, c, version)
	})},
}

const brokenStore = "SSOTEST_BROKEN_STORE"

// TestBrokenStore runs one of the broken stores, in a process of its own: it is
// meant to fail.
func TestBrokenStore(t *testing.T) {
	name := os.Getenv(brokenStore)
	if name == "" {
		t.Skip("run by TestConformanceFindsFaults")
	}
	brokenStores[name].run(t)
}

// TestConformanceFindsFaults has each conformance test find each fault, under
// the rule that it breaks.
func TestConformanceFindsFaults(t *testing.T) {
	t.Parallel()
	for name, b := range brokenStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestBrokenStore$", "-test.timeout", "50s")
			cmd.Env = append(os.Environ(), brokenStore+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("the store passed (%v)", err)
			}
			want := "--- FAIL: TestBrokenStore/" + strings.ReplaceAll(b.rule, " ", "_")
			if !strings.Contains(string(out), want) {
				t.Errorf("the fault was not found by the rule %q:\n%s", b.rule, out)
			}
			if strings.Contains(string(out), "panic:") || strings.Contains(string(out), "DATA RACE") {
				t.Errorf("the test panicked:\n%s", out)
			}
		})
	}
}
