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
	// invitation. By default nobody is. Somebody created so is in none of the
	// application's groups yet: it takes another policy than AllowedGroups.
	CreateOnLogin bool
	// Observer is told of users created, changed and refused. Nil: nobody is.
	Observer Observer
	// Now is the clock for invitations. Nil: time.Now.
	Now func() time.Time
}

// attempts is how often a decision is made anew when the user changes between
// decision and write.
const attempts = 3

// SignIn decides on a verified assertion and carries the decision out. Open a
// session for Outcome.User, and only if the error is nil and Outcome.Written.
// FlowTest writes nothing and, as Preview, gives a refusal in the Outcome.
//
// The error is a *RefusedError if the person may not enter, and the Outcome
// then says so too; one or more joined *FieldError if SignIn was called wrongly;
// any other error means that a store could not tell. Nobody enters with any of
// them, and but for a *RefusedError the Outcome is nil.
//
// invitation is the code of the link, for FlowInvite. It is redeemed before the
// user is written, once for each person, so that a sign-in cut off in between
// can be repeated, and released if no user came of it.
func (p *Provisioner) SignIn(ctx context.Context, c *Connection, a *Assertion, flow Flow, invitation string) (*Outcome, error) {
	if flow == FlowTest {
		return p.Preview(ctx, c, a, flow, invitation)
	}
	w := writing{p: p, code: invitation}
	var o *Outcome
	var err error
	for range attempts {
		var found *User
		if o, found, err = p.decide(ctx, c, a, flow, invitation); err != nil || o.Action == ActionRefuse {
			break
		}
		if err = w.apply(ctx, o, found); err != nil {
			o, err = afterwards(o, found, err)
		}
		if !errors.Is(err, errMeanwhile) {
			break
		}
		// Somebody else was faster: the facts changed, so decide again.
	}
	if errors.Is(err, errMeanwhile) {
		err = nil // o is the refusal
	}
	if err != nil || o.Action == ActionRefuse {
		w.release(ctx)
	}
	if err != nil {
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

// decide gathers the facts and has them judged. found is the user as found, nil
// for nobody.
func (p *Provisioner) decide(ctx context.Context, c *Connection, a *Assertion, flow Flow, code string) (o *Outcome, found *User, err error) {
	if err := p.usable(c, a, flow); err != nil {
		return nil, nil, err
	}
	f := facts{conn: c, ready: c.Ready(), flow: flow, profile: c.Profile(a), subject: c.SubjectKey(a.Subject), createOnLogin: p.CreateOnLogin, roles: p.Roles, now: p.now()}
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
		if f.invitation, f.redeemed, err = p.invitation(ctx, code, f.subject, f.now); err != nil {
			return nil, nil, err
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
	found = f.linked
	if found == nil && len(f.byEmail) == 1 {
		found = &f.byEmail[0]
	}
	return o, found, nil
}

// invitation finds the invitation, nil if there is none. Its limits are judged by
// what the store returns and its use is counted by the code: they must be one.
func (p *Provisioner) invitation(ctx context.Context, code, subject string, now time.Time) (*Invitation, bool, error) {
	inv, redeemed, err := p.Invitations.Invitation(ctx, code, subject, now)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case inv != nil && inv.Code != code:
		return nil, false, errors.New("sso: InvitationStore.Invitation returned an invitation with another code")
	}
	return inv, redeemed, nil
}

// admit asks the policy, and sorts a refusal from a failure.
func (p *Provisioner) admit(ctx context.Context, a Admission) (*RefusedError, error) {
	err := orAllowedGroups(p.Groups).Admit(ctx, a)
	if err == nil {
		return nil, nil
	}
	var r *RefusedError
	if errors.As(err, &r) && r != nil {
		return r, nil
	}
	return refuse(RefusedGroups, "the policy could not tell"), err
}

// usable finds what is wrong with a call, before anything is asked of a store.
func (p *Provisioner) usable(c *Connection, a *Assertion, flow Flow) error {
	var errs []error
	bad := func(field, problem, hint string) {
		errs = append(errs, &FieldError{Field: field, Problem: problem, Hint: hint})
	}
	if p.Users == nil {
		bad("Provisioner.Users", "is nil", "set the application's UserStore")
	}
	if c == nil {
		bad("connection", "is nil", "pass the connection that verified the assertion")
	}
	if a == nil {
		bad("assertion", "is nil", "pass what VerifyResponse returned")
	}
	if flow != FlowLogin && flow != FlowInvite && flow != FlowTest {
		bad("flow", "is "+quote(string(flow)), "pass FlowLogin, FlowInvite or FlowTest")
	}
	// Of all mistakes that a caller can make here, one customer's assertion with
	// another customer's connection would be the worst.
	if c != nil && a != nil && a.Issuer != "" && a.Issuer != c.IdP.EntityID {
		bad("assertion", "was issued by "+quote(a.Issuer)+", and the connection's identity provider is "+quote(c.IdP.EntityID), "pass the connection that verified the assertion")
	}
	return errors.Join(errs...)
}

func (p *Provisioner) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}
