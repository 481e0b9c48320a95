package ssotest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ssoconn/sso"
)

// TestUserStore tests an sso.UserStore. Each call of open returns a store with
// no user whose address ends in the domains conformance.example.
func TestUserStore(t *testing.T, open func(t *testing.T) sso.UserStore) {
	t.Helper()
	const conn = "c1"
	alice := func() sso.User {
		id := randomID()
		return sso.User{Email: id + "@conformance.example", Name: "Alice", Role: "Manager", Groups: []string{"Sales", "Support"}, Subject: "subject " + id}
	}
	rule(t, "a created user has an ID and is found by subject and by e-mail", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		if made.ID == "" {
			t.Error("the user has no ID")
		}
		bySubject, err := s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		byEmail, err := s.UsersByEmail(ctx, conn, u.Email)
		must(t, err)
		if len(byEmail) != 1 || byEmail[0].ID != made.ID || bySubject.ID != made.ID {
			t.Fatalf("found %v and %v, want the user %s", bySubject, byEmail, made.ID)
		}
		for _, got := range []sso.User{*bySubject, byEmail[0], *made} {
			if got.Name != u.Name || got.Role != u.Role || got.Email != u.Email || got.Subject != u.Subject || !slices.Equal(got.Groups, u.Groups) {
				t.Errorf("got %+v, want %+v", got, u)
			}
		}
	})
	rule(t, "nobody is ErrNoUser by subject and an empty list by e-mail", func(t *testing.T, ctx context.Context) {
		s := open(t)
		_, err := s.UserBySubject(ctx, conn, randomID())
		want(t, err, sso.ErrNoUser)
		_, err = s.UserBySubject(ctx, conn, "")
		want(t, err, sso.ErrNoUser)
		found, err := s.UsersByEmail(ctx, conn, randomID()+"@conformance.example")
		must(t, err)
		if len(found) != 0 {
			t.Errorf("found %v", found)
		}
	})
	rule(t, "a subject belongs to its connection", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		_, err = s.UserBySubject(ctx, "c2", u.Subject)
		want(t, err, sso.ErrNoUser)
	})
	rule(t, "e-mail addresses are compared in their NormalizeEmail form, and look-alikes stay apart", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		u.Email = "Alice." + u.Email
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		found, err := s.UsersByEmail(ctx, conn, sso.NormalizeEmail(u.Email))
		must(t, err)
		if len(found) != 1 {
			t.Errorf("found %d users, want 1", len(found))
		}
		again := alice()
		again.Email = "aLICE." + u.Email[len("Alice."):]
		_, err = s.CreateUser(ctx, conn, again)
		want(t, err, sso.ErrUserExists)
		again.Email = "Аlice." + u.Email[len("Alice."):] // Cyrillic А
		_, err = s.CreateUser(ctx, conn, again)
		must(t, err)
	})
	rule(t, "neither a subject nor an e-mail can be created twice", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		same := alice()
		same.Subject = u.Subject
		_, err = s.CreateUser(ctx, conn, same)
		want(t, err, sso.ErrUserExists)
		same = alice()
		same.Email = u.Email
		_, err = s.CreateUser(ctx, conn, same)
		want(t, err, sso.ErrUserExists)
	})
	rule(t, "of many creations at once one wins", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		if n := race(t, func() (bool, error) {
			_, err := s.CreateUser(ctx, conn, u)
			if errors.Is(err, sso.ErrUserExists) {
				return false, nil
			}
			return err == nil, err
		}); n != 1 {
			t.Errorf("%d creations won", n)
		}
	})
	rule(t, "an update writes, and only over what it was decided on", func(t *testing.T, ctx context.Context) {
		s, u := open(t), alice()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		renamed := *made
		renamed.Name = "Alice Liddell"
		got, err := s.UpdateUser(ctx, conn, *made, renamed)
		must(t, err)
		if got.Name != renamed.Name || got.ID != made.ID {
			t.Errorf("got %+v, want %+v", got, renamed)
		}
		other := *made
		other.Name = "Somebody"
		_, err = s.UpdateUser(ctx, conn, *made, other)
		want(t, err, sso.ErrConflict)
		found, err := s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		if found.Name != renamed.Name {
			t.Errorf("the name is %q after a refused update, want %q", found.Name, renamed.Name)
		}
		gone := *made
		gone.ID = "no such user"
		_, err = s.UpdateUser(ctx, conn, gone, gone)
		want(t, err, sso.ErrNoUser)
	})
	rule(t, "an update cannot take another user's subject or e-mail", func(t *testing.T, ctx context.Context) {
		s, u, v := open(t), alice(), alice()
		first, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		_, err = s.CreateUser(ctx, conn, v)
		must(t, err)
		next := *first
		next.Email = v.Email
		_, err = s.UpdateUser(ctx, conn, *first, next)
		want(t, err, sso.ErrUserExists)
		next = *first
		next.Subject = v.Subject
		_, err = s.UpdateUser(ctx, conn, *first, next)
		want(t, err, sso.ErrUserExists)
	})
	rule(t, "of many updates from one state one wins", func(t *testing.T, ctx context.Context) {
		s := open(t)
		made, err := s.CreateUser(ctx, conn, alice())
		must(t, err)
		if n := race(t, func() (bool, error) {
			next := *made
			next.Name = randomID()
			_, err := s.UpdateUser(ctx, conn, *made, next)
			if errors.Is(err, sso.ErrConflict) {
				return false, nil
			}
			return err == nil, err
		}); n != 1 {
			t.Errorf("%d updates won", n)
		}
	})
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		s := open(t)
		done, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.UserBySubject(done, conn, "x"); err == nil || errors.Is(err, sso.ErrNoUser) {
			t.Errorf("UserBySubject gave %v", err)
		}
		if _, err := s.CreateUser(done, conn, alice()); err == nil {
			t.Error("CreateUser gave no error")
		}
	})
}

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
	idp := NewIdP(Config{})
	fresh := func() *sso.Connection {
		c := idp.Connection(sso.ServiceProvider{})
		c.ID, c.Name, c.AllowedGroups = randomID(), "Акме & Co", []string{"Sales"}
		return c
	}
	rule(t, "a connection comes back as it was saved", func(t *testing.T, ctx context.Context) {
		s, c := open(t), fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		got, version, err := s.Connection(ctx, c.ID)
		must(t, err)
		if version != v || got.Name != c.Name || got.IdP.EntityID != c.IdP.EntityID || !slices.Equal(got.AllowedGroups, c.AllowedGroups) ||
			len(got.IdP.Certificates) != 1 || !got.IdP.Certificates[0].Equal(c.IdP.Certificates[0]) {
			t.Errorf("got version %d of %+v, want version %d of %+v", version, got, v, c)
		}
		all, err := s.Connections(ctx)
		must(t, err)
		if !slices.ContainsFunc(all, func(other *sso.Connection) bool { return other.ID == c.ID }) {
			t.Error("the list lacks it")
		}
	})
	rule(t, "an unknown ID is ErrNotFound", func(t *testing.T, ctx context.Context) {
		_, _, err := open(t).Connection(ctx, randomID())
		want(t, err, sso.ErrNotFound)
	})
	rule(t, "of two who save at once the second is told, and nothing is lost", func(t *testing.T, ctx context.Context) {
		s, c := open(t), fresh()
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
		s, c := open(t), fresh()
		v, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		if n := race(t, func() (bool, error) {
			_, err := s.SaveConnection(ctx, c, v)
			if errors.Is(err, sso.ErrConflict) {
				return false, nil
			}
			return err == nil, err
		}); n != 1 {
			t.Errorf("%d saves won", n)
		}
	})
	rule(t, "what was deleted is ErrNotFound, and deleting it again no error", func(t *testing.T, ctx context.Context) {
		s, c := open(t), fresh()
		_, err := s.SaveConnection(ctx, c, 0)
		must(t, err)
		must(t, s.DeleteConnection(ctx, c.ID))
		must(t, s.DeleteConnection(ctx, c.ID))
		_, _, err = s.Connection(ctx, c.ID)
		want(t, err, sso.ErrNotFound)
	})
}
