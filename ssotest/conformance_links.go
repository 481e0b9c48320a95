package ssotest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/ssoconn/sso"
)

func (r userRules) linking(t *testing.T) {
	t.Helper()
	rule(t, "users who are linked to nobody do not disturb each other, and can be linked", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		for range 2 {
			u := somebody()
			u.Subject = ""
			made, err := s.CreateUser(ctx, conn, u)
			must(t, err)
			next := *made
			next.Subject = randomID()
			_, err = s.UpdateUser(ctx, conn, *made, next)
			must(t, err)
			found, err := s.UserBySubject(ctx, conn, next.Subject)
			must(t, err)
			if found.ID != made.ID {
				t.Errorf("found %s, want %s", found.ID, made.ID)
			}
		}
	})
	rule(t, "a user who was linked to another subject is no longer found by the old one", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		next := *made
		next.Subject = randomID()
		_, err = s.UpdateUser(ctx, conn, *made, next)
		must(t, err)
		_, err = s.UserBySubject(ctx, conn, u.Subject)
		want(t, err, sso.ErrNoUser)
		unlinked := next
		unlinked.Subject = ""
		_, err = s.UpdateUser(ctx, conn, next, unlinked)
		must(t, err)
		_, err = s.UserBySubject(ctx, conn, next.Subject)
		want(t, err, sso.ErrNoUser)
	})
	rule(t, "subjects are compared exactly", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		u.Subject = "a_b%" + u.Subject
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		for _, other := range []string{"A" + u.Subject[1:], u.Subject + " ", " " + u.Subject, "axb%" + u.Subject[4:], "a_bxx" + u.Subject[4:], "%"} {
			if found, err := s.UserBySubject(ctx, conn, other); !errors.Is(err, sso.ErrNoUser) {
				t.Errorf("%q: got %v, %v, want %v", other, found, err, sso.ErrNoUser)
			}
		}
	})
}

func (r userRules) subjects(t *testing.T) {
	t.Helper()
	rule(t, "a subject belongs to its connection, and a user has one on each", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		_, err = s.UserBySubject(ctx, sister, u.Subject)
		want(t, err, sso.ErrNoUser)
		found, err := s.UsersByEmail(ctx, sister, u.Email)
		must(t, err)
		if len(found) != 1 || found[0].ID != made.ID || found[0].Subject != "" {
			t.Fatalf("on the account's other connection found %+v, want the user %s, not linked", found, made.ID)
		}
		next := found[0]
		next.Subject = "another " + u.Subject
		_, err = s.UpdateUser(ctx, sister, found[0], next)
		must(t, err)
		for id, subject := range map[string]string{conn: u.Subject, sister: next.Subject} {
			got, err := s.UserBySubject(ctx, id, subject)
			must(t, err)
			if got.ID != made.ID || got.Subject != subject {
				t.Errorf("on %s: got %+v, want the user %s with the subject %q", id, got, made.ID, subject)
			}
		}
		same := somebody()
		same.Subject = u.Subject
		_, err = s.CreateUser(ctx, sister, same)
		must(t, err)
	})
}

// one is a race whose loser gets that error.
func one(lost error) func(err error) (won bool, failed error) {
	return func(err error) (bool, error) {
		if errors.Is(err, lost) {
			return false, nil
		}
		return err == nil, err
	}
}

func (r userRules) racing(t *testing.T) {
	t.Helper()
	rule(t, "of many creations at once one wins", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		if n := race(t, func() (bool, error) {
			_, err := s.CreateUser(ctx, conn, u)
			return one(sso.ErrUserExists)(err)
		}); n != 1 {
			t.Errorf("%d creations won", n)
		}
	})
	rule(t, "of many creations of one subject under different addresses one wins", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		if n := race(t, func() (bool, error) {
			mine := somebody()
			mine.Subject = u.Subject
			_, err := s.CreateUser(ctx, conn, mine)
			return one(sso.ErrUserExists)(err)
		}); n != 1 {
			t.Errorf("%d creations won", n)
		}
	})
	rule(t, "of many creations of one address for different subjects one wins", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		if n := race(t, func() (bool, error) {
			mine := somebody()
			mine.Email = u.Email
			_, err := s.CreateUser(ctx, conn, mine)
			return one(sso.ErrUserExists)(err)
		}); n != 1 {
			t.Errorf("%d creations won", n)
		}
		if found, err := s.UsersByEmail(ctx, conn, u.Email); err != nil || len(found) != 1 {
			t.Errorf("found %v, %v, want one user", found, err)
		}
	})
	rule(t, "of many updates from one state one wins", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		made, err := s.CreateUser(ctx, conn, somebody())
		must(t, err)
		if n := race(t, func() (bool, error) {
			next := *made
			next.Name = randomID()
			_, err := s.UpdateUser(ctx, conn, *made, next)
			return one(sso.ErrConflict)(err)
		}); n != 1 {
			t.Errorf("%d updates won", n)
		}
	})
}

func (r userRules) prizes(t *testing.T) {
	t.Helper()
	for what, take := range map[string]func(u *sso.User, from sso.User){
		"subject": func(u *sso.User, from sso.User) { u.Subject = from.Subject },
		"address": func(u *sso.User, from sso.User) { u.Email = from.Email },
	} {
		rule(t, "of many users who are given one "+what+" at once, and one created with it, one gets it", func(t *testing.T, ctx context.Context) {
			s, prize := r.open(t), somebody()
			var made [racers]*sso.User
			for i := range made {
				u := somebody()
				u.Subject = ""
				var err error
				made[i], err = s.CreateUser(ctx, conn, u)
				must(t, err)
			}
			var turn atomic.Int32
			if n := race(t, func() (bool, error) {
				i := turn.Add(1) - 1
				if i == 0 {
					u := somebody()
					take(&u, prize)
					_, err := s.CreateUser(ctx, conn, u)
					return one(sso.ErrUserExists)(err)
				}
				next := *made[i]
				take(&next, prize)
				_, err := s.UpdateUser(ctx, conn, *made[i], next)
				return one(sso.ErrUserExists)(err)
			}); n != 1 {
				t.Errorf("%d users got it", n)
			}
		})
	}
}

func (r userRules) accounts(t *testing.T) {
	t.Helper()
	for _, foreign := range r.foreign {
		rule(t, "the connection "+foreign+" sees nobody of another account", func(t *testing.T, ctx context.Context) {
			s, u := r.open(t), somebody()
			made, err := s.CreateUser(ctx, conn, u)
			must(t, err)
			_, err = s.UserBySubject(ctx, foreign, u.Subject)
			want(t, err, sso.ErrNoUser)
			found, err := s.UsersByEmail(ctx, foreign, u.Email)
			must(t, err)
			if len(found) != 0 {
				t.Errorf("found %v", found)
			}
			next := *made
			next.Name = "Mallory"
			_, err = s.UpdateUser(ctx, foreign, *made, next)
			want(t, err, sso.ErrNoUser)
			// As that connection would see the user, if it did.
			old := *made
			old.Subject = ""
			_, err = s.UpdateUser(ctx, foreign, old, next)
			want(t, err, sso.ErrNoUser)
			got, err := s.UserBySubject(ctx, conn, u.Subject)
			must(t, err)
			sameUser(t, "afterwards", *got, u)
			// What is taken in one account is free in another.
			theirs, err := s.CreateUser(ctx, foreign, u)
			must(t, err)
			if theirs.ID == made.ID {
				t.Error("two accounts share a user")
			}
			if found, err := s.UsersByEmail(ctx, conn, u.Email); err != nil || len(found) != 1 || found[0].ID != made.ID {
				t.Errorf("found %v, %v, want the user %s alone", found, err, made.ID)
			}
		})
	}
}
