package sso_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

var errDown = errors.New("down")

// failing is a UserStore that answers wrongly where it is told to.
type failing struct {
	sso.UserStore
	bySubject func() (*sso.User, error)
	byEmail   func() ([]sso.User, error)
	create    func() (*sso.User, error)
	update    func() (*sso.User, error)
}

func (s *failing) UserBySubject(ctx context.Context, id, subject string) (*sso.User, error) {
	if s.bySubject != nil {
		return s.bySubject()
	}
	return s.UserStore.UserBySubject(ctx, id, subject)
}

func (s *failing) UsersByEmail(ctx context.Context, id, email string) ([]sso.User, error) {
	if s.byEmail != nil {
		return s.byEmail()
	}
	return s.UserStore.UsersByEmail(ctx, id, email)
}

func (s *failing) CreateUser(ctx context.Context, id string, u sso.User) (*sso.User, error) {
	if s.create != nil {
		return s.create()
	}
	return s.UserStore.CreateUser(ctx, id, u)
}

func (s *failing) UpdateUser(ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
	if s.update != nil {
		return s.update()
	}
	return s.UserStore.UpdateUser(ctx, id, old, new)
}

// failingInvitations is the same for invitations.
type failingInvitations struct {
	sso.InvitationStore
	look   func() (*sso.Invitation, bool, error)
	redeem func() error
}

func (s *failingInvitations) Invitation(ctx context.Context, code, subject string, now time.Time) (*sso.Invitation, bool, error) {
	if s.look != nil {
		return s.look()
	}
	return s.InvitationStore.Invitation(ctx, code, subject, now)
}

func (s *failingInvitations) RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error {
	if s.redeem != nil {
		return s.redeem()
	}
	return s.InvitationStore.RedeemInvitation(ctx, code, subject, now)
}

// TestStoreFailures has each call to each store, and the policy, fail in each
// way. Nobody enters, nothing is counted, and a failure is told from a refusal.
func TestStoreFailures(t *testing.T) {
	t.Parallel()
	nobody := func() (*sso.User, error) { return nil, nil }
	for _, c := range []struct {
		name  string
		flow  sso.Flow // of alice, who is a user; invite: of bob, who is none
		spoil func(u *failing, i *failingInvitations, p *sso.Provisioner)
		code  sso.RefusalCode // of a refusal
		err   bool            // another error
		is    error           // which, nil: any
	}{
		{"nothing fails at login", sso.FlowLogin, nil, "", false, nil},
		{"nothing fails at an invitation", sso.FlowInvite, nil, "", false, nil},
		{"finding by subject", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.bySubject = func() (*sso.User, error) { return nil, errDown }
		}, "", true, errDown},
		{"finding by subject gives nothing at all", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) { u.bySubject = nobody }, "", true, nil},
		{"finding by subject gives somebody else", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.bySubject = func() (*sso.User, error) {
				return &sso.User{ID: "9", Subject: "root", Groups: []string{"Sales"}}, nil
			}
		}, "", true, nil},
		{"finding by e-mail", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.byEmail = func() ([]sso.User, error) { return nil, errDown }
		}, "", true, errDown},
		{"finding by e-mail gives somebody else", sso.FlowInvite, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.byEmail = func() ([]sso.User, error) {
				return []sso.User{{ID: "9", Email: "root@example.com", Groups: []string{"Sales"}}}, nil
			}
		}, "", true, nil},
		{"the update", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.update = func() (*sso.User, error) { return nil, errDown }
		}, "", true, errDown},
		{"the update gives nothing", sso.FlowLogin, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) { u.update = nobody }, "", true, nil},
		{"the creation", sso.FlowInvite, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.create = func() (*sso.User, error) { return nil, errDown }
		}, "", true, errDown},
		{"the creation gives nothing", sso.FlowInvite, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) { u.create = nobody }, "", true, nil},
		{"a creation that says ErrNotFound is no withdrawn invitation", sso.FlowInvite, func(u *failing, _ *failingInvitations, _ *sso.Provisioner) {
			u.create = func() (*sso.User, error) { return nil, sso.ErrNotFound }
		}, "", true, sso.ErrNotFound},
		{"looking at the invitation", sso.FlowInvite, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.look = func() (*sso.Invitation, bool, error) { return nil, false, errDown }
		}, "", true, errDown},
		{"looking at the invitation gives nothing", sso.FlowInvite, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.look = func() (*sso.Invitation, bool, error) { return nil, true, nil }
		}, sso.RefusedInvitation, false, nil},
		{"counting the invitation", sso.FlowInvite, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.redeem = func() error { return errDown }
		}, "", true, errDown},
		{"somebody else was faster", sso.FlowInvite, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.redeem = func() error { return sso.ErrInvitationSpent }
		}, sso.RefusedInvitationSpent, false, nil},
		{"the invitation was withdrawn", sso.FlowInvite, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.redeem = func() error { return sso.ErrNotFound }
		}, sso.RefusedInvitation, false, nil},
		{"no store for invitations", sso.FlowInvite, func(_ *failing, _ *failingInvitations, p *sso.Provisioner) { p.Invitations = nil }, sso.RefusedInvitation, false, nil},
		{"the policy", sso.FlowLogin, func(_ *failing, _ *failingInvitations, p *sso.Provisioner) {
			p.Groups = sso.GroupPolicyFunc(func(context.Context, sso.Admission) error { return errDown })
		}, "", true, errDown},
		{"the policy, for somebody new", sso.FlowInvite, func(_ *failing, _ *failingInvitations, p *sso.Provisioner) {
			p.Groups = sso.GroupPolicyFunc(func(context.Context, sso.Admission) error { return errDown })
		}, "", true, errDown},
		{"the policy gives a refusal that is nil", sso.FlowLogin, func(_ *failing, _ *failingInvitations, p *sso.Provisioner) {
			p.Groups = sso.GroupPolicyFunc(func(context.Context, sso.Admission) error { var r *sso.RefusedError; return r })
		}, "", true, nil},
		{"the store of invitations, at a login", sso.FlowLogin, func(_ *failing, i *failingInvitations, _ *sso.Provisioner) {
			i.look = func() (*sso.Invitation, bool, error) { return nil, false, errDown }
		}, "", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newOnePerson(t)
			w.users.Put(w.conn.ID, sso.User{Email: "alice@example.com", Groups: []string{"Sales"}})
			before := w.users.All(w.conn.ID)
			u, i := &failing{UserStore: w.users}, &failingInvitations{InvitationStore: w.invitations}
			w.p.Users, w.p.Invitations = u, i
			if c.spoil != nil {
				c.spoil(u, i, w.p)
			}
			who := person("alice")
			if c.flow == sso.FlowInvite {
				who = person("bob")
			}
			o, err := w.p.SignIn(context.Background(), w.conn, who, c.flow, "one")
			var refused *sso.RefusedError
			switch errors.As(err, &refused); {
			case c.code != "":
				if refused == nil || refused.Code != c.code || o == nil || o.Action != sso.ActionRefuse || o.Written {
					t.Errorf("got %v, %v, want a refusal for %s", o, err, c.code)
				}
			case c.err:
				if err == nil || refused != nil || o != nil || !errors.Is(err, c.is) && c.is != nil {
					t.Errorf("got %v, %v, want no outcome and the error %v", o, err, c.is)
				}
			case err != nil || !o.Written:
				t.Errorf("got %v, %v, want them in", o, err)
			}
			if c.code == "" && !c.err {
				return
			}
			if n := w.uses(); n != 0 {
				t.Errorf("%d uses are counted, want 0", n)
			}
			sameUsers(t, before, w.users.All(w.conn.ID))
		})
	}
}
