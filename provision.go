package sso

import (
	"context"
	"errors"
	"time"
)

// Sentinels of the store contracts.
var (
	// ErrNoUser is what a UserStore returns when there is no such user.
	ErrNoUser = errors.New("sso: no such user")
	// ErrUserExists is what a UserStore returns when a write would break the
	// uniqueness of a subject or an e-mail address.
	ErrUserExists = errors.New("sso: user exists already")
	// ErrNotFound is what the other stores return when there is no such row.
	ErrNotFound = errors.New("sso: not found")
	// ErrConflict is what a store returns when somebody else changed the row.
	ErrConflict = errors.New("sso: changed by somebody else")
	// ErrInvitationSpent is what an InvitationStore returns when an invitation
	// has no uses left or is past its date.
	ErrInvitationSpent = errors.New("sso: invitation is used up or expired")
)

// Flow is what a round trip through the IdP is for.
type Flow string

// The flows.
const (
	FlowLogin  Flow = "login"
	FlowInvite Flow = "invite"
	FlowTest   Flow = "test"
)

// An Invitation lets people become users by coming through the IdP.
type Invitation struct {
	Code         string    `json:"code"` // the secret in the link, at least 128 random bits
	ConnectionID string    `json:"connectionID"`
	Email        string    `json:"email,omitempty"`   // only this address
	Domains      []string  `json:"domains,omitempty"` // only addresses of these domains
	Role         string    `json:"role,omitempty"`    // empty: the connection's DefaultRole
	Groups       []string  `json:"groups,omitempty"`  // the application's groups that the user joins
	MaxUses      int       `json:"maxUses,omitempty"` // zero: any number of people
	Uses         int       `json:"uses,omitempty"`    // how many people redeemed it
	Expires      time.Time `json:"expires,omitzero"`  // zero: never
}

// InvitationGrace is how long the person who redeemed an invitation may redeem
// it again, so that a sign-in cut off between counting the use and creating the
// user can be repeated. It is short, since a user who is removed later must not
// come back by an old link.
const InvitationGrace = time.Hour

// An InvitationStore keeps invitations. Its methods may be called at once from
// any number of goroutines and processes, and return when ctx is done.
type InvitationStore interface {
	// Invitation returns the invitation, spent or not, and whether subject
	// redeemed it less than InvitationGrace before now. ErrNotFound.
	Invitation(ctx context.Context, code, subject string, now time.Time) (inv *Invitation, redeemed bool, err error)
	// RedeemInvitation counts one use by subject, atomically among any number
	// of processes. It succeeds without counting again if that subject redeemed
	// this invitation less than InvitationGrace before now. ErrNotFound;
	// ErrInvitationSpent when no use is left or now is not before Expires.
	RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error
	// ReleaseInvitation takes back the use by subject, for a sign-in that
	// failed after it was counted. Releasing what was not redeemed is no error.
	ReleaseInvitation(ctx context.Context, code, subject string) error
}
