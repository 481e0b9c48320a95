package sso_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
)

// scripted is a UserStore that runs a function before a write, and may fail
// after it.
type scripted struct {
	sso.UserStore
	beforeCreate func() error
	afterCreate  func() error
	beforeUpdate func()
}

func (s *scripted) CreateUser(ctx context.Context, id string, u sso.User) (*sso.User, error) {
	if s.beforeCreate != nil {
		if err := s.beforeCreate(); err != nil {
			return nil, err
		}
	}
	made, err := s.UserStore.CreateUser(ctx, id, u)
	if s.afterCreate != nil && err == nil {
		err = s.afterCreate()
	}
	return made, err
}

func (s *scripted) UpdateUser(ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
	if s.beforeUpdate != nil {
		s.beforeUpdate()
	}
	return s.UserStore.UpdateUser(ctx, id, old, new)
}

// onePerson is an invitation for one person, and two who would use it.
type onePerson struct {
	t           *testing.T
	conn        *sso.Connection
	users       *memstore.Users
	store       *scripted
	invitations *memstore.Invitations
	p           *sso.Provisioner
}

func newOnePerson(t *testing.T) *onePerson {
	t.Helper()
	w := &onePerson{t: t, conn: readyAt(testIdP().Connection(sso.ServiceProvider{})), users: memstore.NewUsers(), invitations: memstore.NewInvitations()}
	w.conn.AllowedGroups = []string{"Sales"}
	w.store = &scripted{UserStore: w.users}
	err := w.invitations.PutInvitation(context.Background(), sso.Invitation{Code: "one", ConnectionID: w.conn.ID, MaxUses: 1, Groups: []string{"Sales"}})
	if err != nil {
		t.Fatal(err)
	}
	w.p = &sso.Provisioner{Users: w.store, Invitations: w.invitations, Now: func() time.Time { return noon }}
	return w
}

func person(name string) *sso.Assertion {
	return &sso.Assertion{Subject: sso.NameID{Value: name}, Attributes: sso.Attributes{{Name: "email", Values: []string{name + "@example.com"}}}}
}

func (w *onePerson) come(ctx context.Context, name string) (*sso.Outcome, error) {
	return w.p.SignIn(ctx, w.conn, person(name), sso.FlowInvite, "one")
}

func (w *onePerson) uses() int {
	w.t.Helper()
	inv, _, err := w.invitations.Invitation(context.Background(), "one", "", noon)
	if err != nil {
		w.t.Fatal(err)
	}
	return inv.Uses
}

// TestInvitationOfTwins has one person come twice at once with an invitation
// for one person: whichever way the second sign-in ends, the use stays counted
// and nobody else gets in by the link.
func TestInvitationOfTwins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// second makes the second sign-in, between whose decision and write the
		// first one comes.
		second func(w *onePerson, first func()) error
	}{
		{"the second finds the user created", func(w *onePerson, first func()) error {
			w.store.beforeCreate = func() error { first(); return nil }
			_, err := w.come(context.Background(), "alice")
			return err
		}},
		{"the second meets a store that fails", func(w *onePerson, first func()) error {
			w.store.beforeCreate = func() error { first(); return errors.New("down") }
			if _, err := w.come(context.Background(), "alice"); err == nil {
				return errors.New("a store that is down let somebody in")
			}
			return nil
		}},
		{"the second fails while the first is being written", func(w *onePerson, first func()) error {
			w.store.beforeCreate = func() error {
				// Now it is the first sign-in that is under way, and this one
				// that comes whole.
				w.store.beforeCreate = func() error { return errors.New("down") }
				_, err := w.come(context.Background(), "alice")
				if err == nil {
					return errors.New("a store that is down let somebody in")
				}
				w.store.beforeCreate = nil
				return nil
			}
			_, err := w.come(context.Background(), "alice")
			return err
		}},
		{"the answer of the store is lost", func(w *onePerson, first func()) error {
			w.store.afterCreate = func() error { return errors.New("connection reset") }
			if _, err := w.come(context.Background(), "alice"); err == nil {
				return errors.New("a failure let somebody in")
			}
			w.store.afterCreate = nil
			return nil
		}},
		{"the second is cut off by its visitor", func(w *onePerson, first func()) error {
			ctx, cancel := context.WithCancel(context.Background())
			w.store.beforeCreate = func() error { cancel(); w.store.beforeCreate = nil; return nil }
			if _, err := w.come(ctx, "alice"); err == nil {
				return errors.New("a call that was cut off let somebody in")
			}
			// A visitor can bring this about at will, so it is no way to have
			// the use back for somebody else.
			if n := w.uses(); n != 1 {
				return fmt.Errorf("%d uses are counted after it was cut off, want 1", n)
			}
			first()
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newOnePerson(t)
			first := func() {
				w.store.beforeCreate = nil
				if o, err := w.come(context.Background(), "alice"); err != nil || o.Action != sso.ActionCreate {
					t.Errorf("the first sign-in: %v, %v", o, err)
				}
			}
			if err := c.second(w, first); err != nil {
				t.Errorf("the second sign-in: %v", err)
			}
			w.store.beforeCreate = nil
			if n := w.uses(); n != 1 {
				t.Errorf("%d uses are counted, want 1", n)
			}
			var refused *sso.RefusedError
			if o, err := w.come(context.Background(), "bob"); !errors.As(err, &refused) || refused.Code != sso.RefusedInvitationSpent {
				t.Errorf("somebody else: %v, %v, want a refusal for a spent invitation", o, err)
			}
			if o, err := w.come(context.Background(), "alice"); err != nil || o.Action != sso.ActionEnter {
				t.Errorf("the person comes again: %v, %v, want them to enter", o, err)
			}
			if n := len(w.users.All(w.conn.ID)); n != 1 {
				t.Errorf("%d users, want 1", n)
			}
		})
	}
}

// TestInvitationStaysUsable has sign-ins fail for good after the use was
// counted: somebody else can then have it.
func TestInvitationStaysUsable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(w *onePerson)
		code  sso.RefusalCode // "" for a store's error
	}{
		{"the store is down", func(w *onePerson) {
			w.store.beforeCreate = func() error { return errors.New("down") }
		}, ""},
		{"the address was taken by somebody linked elsewhere", func(w *onePerson) {
			w.store.beforeCreate = func() error {
				w.users.Put(w.conn.ID, sso.User{Email: "alice@example.com", Subject: "another", Groups: []string{"Sales"}})
				return nil
			}
		}, sso.RefusedLinkedElsewhere},
		{"somebody is always faster", func(w *onePerson) {
			w.store.beforeCreate = func() error { return sso.ErrUserExists }
		}, sso.RefusedChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newOnePerson(t)
			c.spoil(w)
			o, err := w.come(context.Background(), "alice")
			var refused *sso.RefusedError
			if errors.As(err, &refused) != (c.code != "") || refused != nil && refused.Code != c.code || err == nil {
				t.Fatalf("got %v, %v, want %q", o, err, c.code)
			}
			if refused != nil && (o == nil || o.Action != sso.ActionRefuse || o.Written || len(o.Changes) > 0 || o.Invitation != nil || o.User != nil && o.User.ID == "") {
				t.Errorf("the outcome of a refusal speaks of what was not done: %+v", o)
			}
			w.store.beforeCreate = nil
			if n := w.uses(); n != 0 {
				t.Errorf("%d uses are counted, want 0", n)
			}
			if o, err := w.come(context.Background(), "bob"); err != nil || o.Action != sso.ActionCreate {
				t.Errorf("somebody else: %v, %v", o, err)
			}
		})
	}
}

// TestUserChangesMeanwhile changes the user between decision and write: what is
// written rests on the user as they are, or nothing is.
func TestUserChangesMeanwhile(t *testing.T) {
	t.Parallel()
	alice := sso.User{Email: "alice@example.com", Name: "Old Name", Groups: []string{"Sales"}, Subject: "alice"}
	for _, c := range []struct {
		name  string
		while func(w *onePerson, u sso.User)
		code  sso.RefusalCode
		user  *sso.User // afterwards; nil: gone
	}{
		{"nothing happens", func(*onePerson, sso.User) {}, "", &sso.User{ID: "1", Email: "alice@example.com", Name: "Alice", Groups: []string{"Sales"}, Subject: "alice"}},
		{"the user is removed", func(w *onePerson, u sso.User) { w.users.Remove(u.ID) }, sso.RefusedNoUser, nil},
		{"the user is disabled", func(w *onePerson, u sso.User) { u.Disabled = true; w.users.Put(w.conn.ID, u) },
			sso.RefusedDisabled, &sso.User{ID: "1", Email: "alice@example.com", Name: "Old Name", Groups: []string{"Sales"}, Subject: "alice", Disabled: true}},
		{"the user leaves the group", func(w *onePerson, u sso.User) { u.Groups = nil; w.users.Put(w.conn.ID, u) },
			sso.RefusedGroups, &sso.User{ID: "1", Email: "alice@example.com", Name: "Old Name", Subject: "alice"}},
		{"the user gets another role, which stays", func(w *onePerson, u sso.User) { u.Role = "Boss"; w.users.Put(w.conn.ID, u) },
			"", &sso.User{ID: "1", Email: "alice@example.com", Name: "Alice", Role: "Boss", Groups: []string{"Sales"}, Subject: "alice"}},
		{"the user is unlinked and linked to somebody else", func(w *onePerson, u sso.User) { u.Subject = "another"; w.users.Put(w.conn.ID, u) },
			sso.RefusedLinkedElsewhere, &sso.User{ID: "1", Email: "alice@example.com", Name: "Old Name", Groups: []string{"Sales"}, Subject: "another"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newOnePerson(t)
			u := w.users.Put(w.conn.ID, alice)
			once := sync.OnceFunc(func() { c.while(w, u) })
			w.store.beforeUpdate = once
			a := person("alice")
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "displayName", Values: []string{"Alice"}})
			o, err := w.p.SignIn(context.Background(), w.conn, a, sso.FlowLogin, "")
			var refused *sso.RefusedError
			if errors.As(err, &refused) != (c.code != "") || refused != nil && refused.Code != c.code || refused == nil && err != nil {
				t.Errorf("got %v, %v, want %q", o, err, c.code)
			}
			var want []sso.User
			if c.user != nil {
				want = []sso.User{*c.user}
			}
			sameUsers(t, want, w.users.All(w.conn.ID))
		})
	}
}

func sameUsers(t *testing.T, want, got []sso.User) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}
