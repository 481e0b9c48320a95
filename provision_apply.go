package sso

import (
	"context"
	"errors"
	"time"
)

// errMeanwhile marks a write that failed since the facts changed after the
// decision: deciding again may come to something else.
var errMeanwhile = errors.New("sso: changed between decision and write")

// aftermath is how long writing may go on that must be done even though the
// visitor has gone.
const aftermath = time.Second

// writing carries decisions of one sign-in out.
type writing struct {
	p        *Provisioner
	code     string
	redeemed *Outcome // the creation for which the invitation was redeemed
}

// apply writes what was decided: the invitation's use first, then the user.
func (w *writing) apply(ctx context.Context, o *Outcome, found *User) error {
	var u *User
	var err error
	switch o.Action {
	case ActionUpdate:
		u, err = w.p.Users.UpdateUser(ctx, o.ConnectionID, *found, *o.User)
	case ActionCreate:
		u, err = w.create(ctx, o)
	default:
		u = o.User
	}
	if err != nil {
		return err
	}
	if u == nil {
		return errors.New("sso: UserStore returned neither a user nor an error")
	}
	// The session is opened for what the store returns: it must be who was written.
	if u.Subject != o.User.Subject || o.Action == ActionUpdate && u.ID != found.ID {
		return errors.New("sso: UserStore returned another user than the one it was given to write")
	}
	o.User, o.Written = u, true
	return nil
}

func (w *writing) create(ctx context.Context, o *Outcome) (*User, error) {
	if o.Invitation == nil {
		return w.p.Users.CreateUser(ctx, o.ConnectionID, *o.User)
	}
	switch err := w.p.Invitations.RedeemInvitation(ctx, w.code, o.Subject, w.p.now()); {
	case errors.Is(err, ErrInvitationSpent):
		return nil, refuse(RefusedInvitationSpent, "the invitation was used up or expired meanwhile")
	case errors.Is(err, ErrNotFound):
		return nil, refuse(RefusedInvitation, "the invitation was withdrawn meanwhile")
	case err != nil:
		return nil, err
	}
	w.redeemed = o
	u, err := w.p.Users.CreateUser(ctx, o.ConnectionID, *o.User)
	if err == nil {
		// One person in two tabs shares one use. If the other sign-in failed,
		// it may have released the use after we redeemed it and before our user
		// could be seen: then an invitation for one would serve two. Redeeming
		// again counts it again, and changes nothing where it still is counted.
		// The user is there whatever comes of this.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aftermath)
		defer cancel()
		_ = w.p.Invitations.RedeemInvitation(ctx, w.code, o.Subject, w.p.now())
	}
	return u, err
}

// release takes the use of the invitation back when no user came of it, so that
// somebody else can have it. In doubt it stays counted: the same person can
// still come again, for InvitationGrace, and nobody gets in by a use that was
// spent. There is doubt if the store cannot say that there is no such user, as
// the write may have arrived though its answer did not, or the same person may
// have come through another tab; and if the visitor has gone, as that is the one
// failure which a visitor can bring about at will.
func (w *writing) release(ctx context.Context) {
	o := w.redeemed
	if o == nil || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aftermath)
	defer cancel()
	if _, err := w.p.Users.UserBySubject(ctx, o.ConnectionID, o.Subject); !errors.Is(err, ErrNoUser) {
		return
	}
	// Best effort: if it fails, the same person can still come again.
	_ = w.p.Invitations.ReleaseInvitation(ctx, w.code, o.Subject)
}

// afterwards sorts what came of a write that failed: into a refusal, one that
// is worth another try, or a store's failure.
func afterwards(o *Outcome, found *User, err error) (*Outcome, error) {
	var r *RefusedError
	switch {
	case errors.As(err, &r) && r != nil:
		return o.refused(r, found), nil
	case errors.Is(err, ErrUserExists), errors.Is(err, ErrConflict), errors.Is(err, ErrNoUser):
		return o.refused(refuse(RefusedChanged, "the user kept changing; try again"), found), errMeanwhile
	}
	return nil, err
}
