package ssotest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ssoconn/sso"
)

// userRules are what the rules about users need. The connections c1 and c2
// belong to one account.
type userRules struct {
	open    func(t *testing.T) sso.UserStore
	foreign []string
}

const conn, sister = "c1", "c2"

// TestUserStore tests an sso.UserStore. Each call of open returns a store with
// no user whose address ends in conformance.example, where the connections c1
// and c2 belong to one account. Name in foreign the connections in it, if any,
// that belong to other accounts: an application with more than one account has
// nothing more important to test.
func TestUserStore(t *testing.T, open func(t *testing.T) sso.UserStore, foreign ...string) {
	t.Helper()
	r := userRules{open, foreign}
	r.finding(t)
	r.copying(t)
	r.addresses(t)
	r.creating(t)
	r.updating(t)
	r.moving(t)
	r.linking(t)
	r.subjects(t)
	r.racing(t)
	r.prizes(t)
	r.accounts(t)
	rule(t, "a context that is done ends the call with an error", func(t *testing.T, ctx context.Context) {
		s := open(t)
		made, err := s.CreateUser(ctx, conn, somebody())
		must(t, err)
		done, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.UserBySubject(done, conn, "x"); err == nil || errors.Is(err, sso.ErrNoUser) {
			t.Errorf("UserBySubject gave %v", err)
		}
		if _, err := s.UsersByEmail(done, conn, made.Email); err == nil {
			t.Error("UsersByEmail gave no error")
		}
		if _, err := s.CreateUser(done, conn, somebody()); err == nil {
			t.Error("CreateUser gave no error")
		}
		next := *made
		next.Name = "Somebody"
		if _, err := s.UpdateUser(done, conn, *made, next); err == nil {
			t.Error("UpdateUser gave no error")
		}
	})
}

// somebody is a user like no other.
func somebody() sso.User {
	id := randomID()
	return sso.User{Email: id + "@conformance.example", Name: "Alice", Role: "Manager", Groups: []string{"Sales", "Support"}, Subject: "subject " + id}
}

// sameUser compares what has to come back.
func sameUser(t *testing.T, what string, got, want sso.User) {
	t.Helper()
	if got.Name != want.Name || got.Role != want.Role || got.Email != want.Email || got.Subject != want.Subject || got.Disabled != want.Disabled || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func (r userRules) finding(t *testing.T) {
	t.Helper()
	rule(t, "a created user has an ID and is found by subject and by e-mail", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
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
		sameUser(t, "as created", *made, u)
		sameUser(t, "by subject", *bySubject, u)
		sameUser(t, "by e-mail", byEmail[0], u)
	})
	rule(t, "nobody is ErrNoUser by subject and an empty list by e-mail", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		unlinked := somebody()
		unlinked.Subject = ""
		_, err := s.CreateUser(ctx, conn, unlinked)
		must(t, err)
		_, err = s.UserBySubject(ctx, conn, randomID())
		want(t, err, sso.ErrNoUser)
		// Whoever is linked to nobody is not to be had for an empty subject.
		_, err = s.UserBySubject(ctx, conn, "")
		want(t, err, sso.ErrNoUser)
		found, err := s.UsersByEmail(ctx, conn, randomID()+"@conformance.example")
		must(t, err)
		if len(found) != 0 {
			t.Errorf("found %v", found)
		}
	})
	rule(t, "any text comes back as it was", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		for _, text := range []string{"Алиса Лидделл", "O'Brien; DROP TABLE users--", `back\slash "quotes"`, "👩‍💻 ñ ß İ", "100% _ ?1 $1 :x @y", strings.Repeat("я", 200), strings.Repeat("s", 470)} {
			u := somebody()
			u.Name, u.Subject, u.Disabled = text, text+u.Subject, true
			_, err := s.CreateUser(ctx, conn, u)
			must(t, err)
			got, err := s.UserBySubject(ctx, conn, u.Subject)
			must(t, err)
			sameUser(t, text, *got, u)
		}
	})
}

func (r userRules) copying(t *testing.T) {
	t.Helper()
	rule(t, "the store keeps its own copy of a user", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		made.Groups[0] = "Admins"
		got, err := s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		got.Groups[0] = "Admins"
		got, err = s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		if got.Groups[0] != "Sales" {
			t.Errorf("got the groups %v after somebody changed what they were given", got.Groups)
		}
	})
}

func (r userRules) addresses(t *testing.T) {
	t.Helper()
	rule(t, "e-mail addresses are compared in their NormalizeEmail form, and look-alikes stay apart", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		u.Email = "Alice." + u.Email
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		found, err := s.UsersByEmail(ctx, conn, sso.NormalizeEmail(u.Email))
		must(t, err)
		if len(found) != 1 {
			t.Fatalf("found %d users, want 1", len(found))
		}
		if found[0].Email != u.Email {
			t.Errorf("the address became %q, want it as it was given, %q", found[0].Email, u.Email)
		}
		again := somebody()
		again.Email = "aLICE." + u.Email[len("Alice."):]
		_, err = s.CreateUser(ctx, conn, again)
		want(t, err, sso.ErrUserExists)
		again.Email = "Аlice." + u.Email[len("Alice."):] // Cyrillic А
		_, err = s.CreateUser(ctx, conn, again)
		must(t, err)
		for _, pair := range [][2]string{{"É", "é"}, {"ss", "ß"}, {"k", "\u212a"}, {"i", "İ"}, {"\u00f1", "n\u0303"}} {
			for _, c := range pair {
				u := somebody()
				u.Email = c + again.Email
				_, err := s.CreateUser(ctx, conn, u)
				if err != nil {
					t.Errorf("%q and %q are taken for one: %v", pair[0], pair[1], err)
				}
			}
		}
	})
	rule(t, "no character in an e-mail address stands for others", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		u.Email = "a_b%" + u.Email
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		for _, other := range []string{"axb%" + u.Email[4:], "a_bxx" + u.Email[4:], "%" + u.Email[4:], "%"} {
			found, err := s.UsersByEmail(ctx, conn, other)
			must(t, err)
			if len(found) != 0 {
				t.Errorf("%q found %v", other, found)
			}
		}
		found, err := s.UsersByEmail(ctx, conn, sso.NormalizeEmail(u.Email))
		must(t, err)
		if len(found) != 1 {
			t.Errorf("found %d users, want 1", len(found))
		}
	})
}

func (r userRules) creating(t *testing.T) {
	t.Helper()
	rule(t, "neither a subject nor an e-mail can be created twice", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		_, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		same := somebody()
		same.Subject = u.Subject
		_, err = s.CreateUser(ctx, conn, same)
		want(t, err, sso.ErrUserExists)
		found, err := s.UsersByEmail(ctx, conn, same.Email)
		must(t, err)
		if len(found) != 0 {
			t.Error("a creation that failed left a user behind")
		}
		same = somebody()
		same.Email = u.Email
		_, err = s.CreateUser(ctx, conn, same)
		want(t, err, sso.ErrUserExists)
		_, err = s.UserBySubject(ctx, conn, same.Subject)
		want(t, err, sso.ErrNoUser)
	})
	rule(t, "the ID is the store's to choose", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		first, err := s.CreateUser(ctx, conn, somebody())
		must(t, err)
		u := somebody()
		u.ID = first.ID
		second, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		if second.ID == first.ID {
			t.Error("two users have one ID")
		}
	})
}

func (r userRules) updating(t *testing.T) {
	t.Helper()
	rule(t, "an update writes, and only over what it was decided on", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		renamed := *made
		renamed.Name, renamed.Role = "Alice Liddell", "Owner"
		got, err := s.UpdateUser(ctx, conn, *made, renamed)
		must(t, err)
		if got.ID != made.ID {
			t.Errorf("the ID became %q, want %q", got.ID, made.ID)
		}
		sameUser(t, "updated", *got, renamed)
		other := *made
		other.Name = "Somebody"
		_, err = s.UpdateUser(ctx, conn, *made, other)
		want(t, err, sso.ErrConflict)
		found, err := s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		sameUser(t, "after a refused update", *found, renamed)
		gone := *made
		gone.ID = "no such user"
		_, err = s.UpdateUser(ctx, conn, gone, gone)
		want(t, err, sso.ErrNoUser)
	})
	rule(t, "any difference from what it was decided on is a conflict", func(t *testing.T, ctx context.Context) {
		s := r.open(t)
		made, err := s.CreateUser(ctx, conn, somebody())
		must(t, err)
		for what, change := range map[string]func(u *sso.User){
			"e-mail": func(u *sso.User) { u.Email = "x" + u.Email }, "name": func(u *sso.User) { u.Name = "" }, "role": func(u *sso.User) { u.Role = "Owner" },
			"groups": func(u *sso.User) { u.Groups = []string{"Sales"} }, "subject": func(u *sso.User) { u.Subject = "" }, "disabled": func(u *sso.User) { u.Disabled = true },
		} {
			old, next := *made, *made
			change(&old)
			next.Name = "Somebody"
			if _, err := s.UpdateUser(ctx, conn, old, next); !errors.Is(err, sso.ErrConflict) {
				t.Errorf("another %s: got the error %v, want %v", what, err, sso.ErrConflict)
			}
		}
		found, err := s.UserBySubject(ctx, conn, made.Subject)
		must(t, err)
		sameUser(t, "afterwards", *found, *made)
	})
}

func (r userRules) moving(t *testing.T) {
	t.Helper()
	rule(t, "an update cannot take another user's subject or e-mail", func(t *testing.T, ctx context.Context) {
		s, u, v := r.open(t), somebody(), somebody()
		first, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		_, err = s.CreateUser(ctx, conn, v)
		must(t, err)
		next := *first
		next.Email = strings.ToUpper(v.Email)
		_, err = s.UpdateUser(ctx, conn, *first, next)
		want(t, err, sso.ErrUserExists)
		next = *first
		next.Subject = v.Subject
		_, err = s.UpdateUser(ctx, conn, *first, next)
		want(t, err, sso.ErrUserExists)
		found, err := s.UserBySubject(ctx, conn, u.Subject)
		must(t, err)
		sameUser(t, "afterwards", *found, *first)
	})
	rule(t, "a user is found by their new address, and not by the old one", func(t *testing.T, ctx context.Context) {
		s, u := r.open(t), somebody()
		made, err := s.CreateUser(ctx, conn, u)
		must(t, err)
		next := *made
		next.Email = "new." + u.Email
		_, err = s.UpdateUser(ctx, conn, *made, next)
		must(t, err)
		for email, n := range map[string]int{u.Email: 0, next.Email: 1} {
			found, err := s.UsersByEmail(ctx, conn, sso.NormalizeEmail(email))
			must(t, err)
			if len(found) != n {
				t.Errorf("found %d users by %s, want %d", len(found), email, n)
			}
		}
		_, err = s.CreateUser(ctx, conn, sso.User{Email: u.Email, Subject: randomID()})
		must(t, err)
	})
}
