package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ssoconn/sso"
)

// Invitations is an sso.InvitationStore in memory.
type Invitations struct {
	mu   sync.Mutex
	rows map[string]*invitation // by code, guarded by mu
}

type invitation struct {
	sso.Invitation
	redeemed map[string]time.Time // by subject, for InvitationGrace
}

var _ sso.InvitationStore = (*Invitations)(nil)

// NewInvitations returns an empty store.
func NewInvitations() *Invitations { return &Invitations{rows: map[string]*invitation{}} }

// PutInvitation stores an invitation under its code, over what was there. The
// uses that were counted stay counted: inv.Uses is for a new one.
func (s *Invitations) PutInvitation(ctx context.Context, inv sso.Invitation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	inv.Domains, inv.Groups = slices.Clone(inv.Domains), slices.Clone(inv.Groups)
	redeemed := map[string]time.Time{}
	if old, ok := s.rows[inv.Code]; ok {
		inv.Uses, redeemed = old.Uses, old.redeemed
	}
	s.rows[inv.Code] = &invitation{Invitation: inv, redeemed: redeemed}
	return nil
}

// DeleteInvitation withdraws an invitation. Withdrawing what is not there is no
// error.
func (s *Invitations) DeleteInvitation(ctx context.Context, code string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, code)
	return nil
}

// Invitation returns the invitation, and whether subject redeemed it lately.
func (s *Invitations) Invitation(ctx context.Context, code, subject string, now time.Time) (*sso.Invitation, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[code]
	if !ok {
		return nil, false, sso.ErrNotFound
	}
	out := row.Invitation
	out.Domains, out.Groups = slices.Clone(out.Domains), slices.Clone(out.Groups)
	return &out, row.lately(subject, now), nil
}

func (r *invitation) lately(subject string, now time.Time) bool {
	at, ok := r.redeemed[subject]
	return ok && subject != "" && now.Before(at.Add(sso.InvitationGrace))
}

// RedeemInvitation counts one use by subject.
func (s *Invitations) RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[code]
	switch {
	case !ok:
		return sso.ErrNotFound
	case row.lately(subject, now):
		return nil
	case row.MaxUses > 0 && row.Uses >= row.MaxUses, !row.Expires.IsZero() && !now.Before(row.Expires):
		return sso.ErrInvitationSpent
	}
	row.forget(now)
	row.Uses++
	row.redeemed[subject] = now
	return nil
}

// forget drops some redemptions that mean nothing any more, more than are added,
// so that a link for a whole account does not collect everybody who ever came.
func (r *invitation) forget(now time.Time) {
	looked := 0
	for subject := range r.redeemed {
		if !r.lately(subject, now) {
			delete(r.redeemed, subject)
		}
		if looked++; looked == 2*step {
			return
		}
	}
}

// ReleaseInvitation takes back a use by subject.
func (s *Invitations) ReleaseInvitation(ctx context.Context, code, subject string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.rows[code]; ok {
		if _, ok := row.redeemed[subject]; ok {
			delete(row.redeemed, subject)
			row.Uses--
		}
	}
	return nil
}
