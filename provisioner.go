package sso

import (
	"context"
	"errors"
	"time"
)

// A Provisioner decides who may enter, and as what, and keeps the application's
// users in step with the IdP. Its fields must not be changed while it is used;
// it may be used by many goroutines at once.
type Provisioner struct {
	// Users is the application's user table. Required.
	Users UserStore
	// Groups says who is admitted. Nil: AllowedGroups.
	Groups GroupPolicy
	// Roles give roles by the IdP's groups, the first that fits; they come
	// before the role of an invitation and before DefaultRole. Empty: none, and
	// a user's role stays as it is.
	Roles []RoleRule
	// Invitations is needed for FlowInvite. Nil: every invitation is refused.
	Invitations InvitationStore
	// CreateOnLogin creates whoever signs in and is admitted, without an
	// invitation. By default nobody is.
	CreateOnLogin bool
	// Observer is told of users created, changed and refused. Nil: nobody is.
	Observer Observer
	// Now is the clock for invitations. Nil: time.Now.
	Now func() time.Time
}

// attempts is how often a decision is made anew when the user changes between
// decision and write.
const attempts = 3

// SignIn decides on a verified assertion and carries the decision out. The
// Outcome is never nil where the error is nil or a *RefusedError; any other
// error means that a store could not tell, and nobody enters. FlowTest writes
// nothing and, as Preview, gives a refusal in the Outcome.
//
// invitation is the code of the link, for FlowInvite. It is redeemed before the
// user is written, once for each person, so that a sign-in cut off in between
// can be repeated, and released if the write fails.
func (p *Provisioner) SignIn(ctx context.Context, c *Connection, a *Assertion, flow Flow, invitation string) (*Outcome, error) {
	if flow == FlowTest {
		return p.Preview(ctx, c, a, flow, invitation)
	}
	var o *Outcome
	var err error
	for range attempts {
		var before *User
		o, before, err = p.decide(ctx, c, a, flow, invitation)
		if err != nil {
			return nil, err
		}
		if o.Action != ActionRefuse {
			err = p.apply(ctx, o, before, invitation)
		}
		if !errors.Is(err, ErrUserExists) && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNoUser) {
			break
		}
		// Somebody else was faster: the facts changed, so decide again.
	}
	switch {
	case errors.Is(err, ErrInvitationSpent):
		o.refused(refuse(RefusedInvitationSpent, "the invitation was used up or expired meanwhile"))
	case errors.Is(err, ErrNotFound):
		o.refused(refuse(RefusedInvitation, "the invitation was withdrawn meanwhile"))
	case errors.Is(err, ErrUserExists), errors.Is(err, ErrConflict), errors.Is(err, ErrNoUser):
		o.refused(refuse(RefusedChanged, "the user kept changing; try again"))
	case err != nil:
		return nil, err
	}
	p.observe(ctx, o)
	if o.Refusal != nil {
		return o, o.Refusal
	}
	return o, nil
}

// Preview makes the same decision as SignIn and writes nothing. A refusal is in
// the Outcome; the error is a store's.
func (p *Provisioner) Preview(ctx context.Context, c *Connection, a *Assertion, flow Flow, invitation string) (*Outcome, error) {
	o, _, err := p.decide(ctx, c, a, flow, invitation)
	return o, err
}

// decide gathers the facts and has them judged. before is the user as found.
func (p *Provisioner) decide(ctx context.Context, c *Connection, a *Assertion, flow Flow, code string) (o *Outcome, before *User, err error) {
	if p.Users == nil || c == nil || a == nil {
		return nil, nil, &FieldError{Field: "Provisioner.Users", Problem: "or the connection or the assertion is nil", Hint: "set the application's UserStore, and sign in with what VerifyResponse returned"}
	}
	f := facts{conn: c, flow: flow, profile: c.Profile(a), subject: c.SubjectKey(a.Subject), createOnLogin: p.CreateOnLogin, roles: p.Roles, now: p.now()}
	if f.subject != "" {
		f.linked, err = p.Users.UserBySubject(ctx, c.ID, f.subject)
		if err != nil && !errors.Is(err, ErrNoUser) {
			return nil, nil, err
		}
		if errors.Is(err, ErrNoUser) {
			f.linked = nil
		} else if f.linked == nil || f.linked.Subject != f.subject {
			// A store that answers with somebody else's row must not let
			// anybody in as that somebody.
			return nil, nil, errors.New("sso: UserStore.UserBySubject returned a user with another subject")
		}
	}
	if email := NormalizeEmail(f.profile.Email); validEmail(email) {
		if f.byEmail, err = p.Users.UsersByEmail(ctx, c.ID, email); err != nil {
			return nil, nil, err
		}
		for _, u := range f.byEmail {
			if NormalizeEmail(u.Email) != email {
				return nil, nil, errors.New("sso: UserStore.UsersByEmail returned a user with another e-mail address")
			}
		}
	}
	if flow == FlowInvite && code != "" && p.Invitations != nil {
		f.invitation, f.redeemed, err = p.Invitations.Invitation(ctx, code, f.subject, f.now)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, nil, err
		}
		if err != nil {
			f.invitation, f.redeemed = nil, false
		}
	}
	var failed error
	f.admit = func(u User, invited bool) *RefusedError {
		r, err := p.admit(ctx, Admission{Connection: c, User: clone(u), Profile: f.profile, Invited: invited})
		if err != nil {
			failed = err
		}
		return r
	}
	o = decide(f)
	if failed != nil {
		return nil, nil, failed
	}
	before = f.linked
	if before == nil && len(f.byEmail) == 1 {
		before = &f.byEmail[0]
	}
	return o, before, nil
}

// admit asks the policy, and sorts a refusal from a failure.
func (p *Provisioner) admit(ctx context.Context, a Admission) (*RefusedError, error) {
	policy := p.Groups
	if policy == nil {
		policy = AllowedGroups
	}
	err := policy.Admit(ctx, a)
	if err == nil {
		return nil, nil
	}
	var r *RefusedError
	if errors.As(err, &r) && r != nil {
		return r, nil
	}
	return refuse(RefusedGroups, "the policy could not tell"), err
}

// apply writes what was decided.
func (p *Provisioner) apply(ctx context.Context, o *Outcome, before *User, code string) error {
	switch o.Action {
	case ActionUpdate:
		u, err := p.Users.UpdateUser(ctx, o.ConnectionID, *before, *o.User)
		if err != nil {
			return err
		}
		o.User = u
	case ActionCreate:
		if o.Invitation != nil {
			if err := p.Invitations.RedeemInvitation(ctx, code, o.Subject, p.now()); err != nil {
				return err
			}
		}
		u, err := p.Users.CreateUser(ctx, o.ConnectionID, *o.User)
		if err != nil {
			if o.Invitation != nil {
				// Best effort and in its own time: the visitor may have gone.
				// If it fails too, the same person can still come again.
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				defer cancel()
				err = errors.Join(err, p.Invitations.ReleaseInvitation(ctx, code, o.Subject))
			}
			return err
		}
		o.User = u
	}
	o.Written = true
	return nil
}

func (p *Provisioner) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}
