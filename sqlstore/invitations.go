package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/sealed"
)

var (
	putInvitation = both(`INSERT INTO sso_invitations (id, connection_id, body, max_uses, uses, expires)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET connection_id = excluded.connection_id,
		body = excluded.body, max_uses = excluded.max_uses, expires = excluded.expires RETURNING 1`)
	getInvitation = both(`SELECT i.body, i.uses, coalesce(r.redeemed, -1) FROM sso_invitations i
		LEFT JOIN sso_redemptions r ON r.invitation = i.id AND r.subject = ?2 WHERE i.id = ?1`)
	lockInvitation = statement{
		sqlite:   `SELECT max_uses, uses, expires FROM sso_invitations WHERE id = ?1`,
		postgres: `SELECT max_uses, uses, expires FROM sso_invitations WHERE id = $1 FOR UPDATE`,
	}
	// Asked for in a statement of its own, after the lock: PostgreSQL would give
	// a join the redemptions as they were before it waited for the lock.
	getRedemption = both(`SELECT redeemed FROM sso_redemptions WHERE invitation = ?1 AND subject = ?2`)
	putRedemption = both(`INSERT INTO sso_redemptions (invitation, subject, redeemed) VALUES (?1, ?2, ?3)
		ON CONFLICT (invitation, subject) DO UPDATE SET redeemed = excluded.redeemed`)
	deleteRedemption = both(`DELETE FROM sso_redemptions WHERE invitation = ?1 AND subject = ?2 RETURNING 1`)
	countUses        = both(`UPDATE sso_invitations SET uses = uses + ?2 WHERE id = ?1`)

	// Its redemptions mean nothing without it, and are cleared as they age.
	deleteInvitation = both(`DELETE FROM sso_invitations WHERE id = ?1 RETURNING 1`)
)

// PutInvitation stores an invitation under its code, over what was there. The
// uses that were counted stay counted: inv.Uses is for a new one. The database
// holds a hash of the code, so the link cannot be made from it again.
func (s *Store) PutInvitation(ctx context.Context, inv sso.Invitation) error {
	if inv.Code == "" || !isText(inv.ConnectionID) {
		return errors.New("sqlstore: an invitation needs a code, and a connection ID in UTF-8")
	}
	name := sealed.Name("invitation", inv.Code)
	uses := inv.Uses
	expires := sql.NullInt64{Int64: inv.Expires.UnixMilli(), Valid: !inv.Expires.IsZero()}
	inv.Code, inv.Uses = "", 0
	body, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("sqlstore: invitation: %w", err)
	}
	var done int
	return s.row(ctx, "put invitation", durable, putInvitation,
		[]any{name, inv.ConnectionID, string(body), inv.MaxUses, uses, expires}, &done)
}

// DeleteInvitation withdraws an invitation. Withdrawing what is not there is no
// error.
func (s *Store) DeleteInvitation(ctx context.Context, code string) error {
	var done int
	err := s.row(ctx, "delete invitation", durable, deleteInvitation, []any{sealed.Name("invitation", code)}, &done)
	if err == sso.ErrNotFound {
		return nil
	}
	return err
}

// Invitation returns the invitation, spent or not, and whether subject redeemed
// it less than sso.InvitationGrace before now. sso.ErrNotFound.
func (s *Store) Invitation(ctx context.Context, code, subject string, now time.Time) (*sso.Invitation, bool, error) {
	var body string
	var uses int
	var redeemed int64
	err := s.row(ctx, "invitation", reading, getInvitation,
		[]any{sealed.Name("invitation", code), subjectName(code, subject)}, &body, &uses, &redeemed)
	if err != nil {
		return nil, false, err
	}
	var inv sso.Invitation
	if err := json.Unmarshal([]byte(body), &inv); err != nil {
		return nil, false, fmt.Errorf("sqlstore: invitation: %w", err)
	}
	inv.Code, inv.Uses = code, uses
	return &inv, subject != "" && lately(redeemed, now), nil
}

// RedeemInvitation counts one use by subject, once within sso.InvitationGrace,
// atomically among any number of processes. sso.ErrNotFound;
// sso.ErrInvitationSpent when no use is left or now is not before Expires.
func (s *Store) RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error {
	name, who := sealed.Name("invitation", code), subjectName(code, subject)
	return s.tx(ctx, "redeem invitation", func(ctx context.Context, q querier) error {
		var most, uses int64
		var expires sql.NullInt64
		if err := one(ctx, q, lockInvitation.in(s.dialect), []any{name}, &most, &uses, &expires); err != nil {
			return err
		}
		var redeemed int64
		err := one(ctx, q, getRedemption.in(s.dialect), []any{name, who}, &redeemed)
		if err != nil && err != sso.ErrNotFound {
			return err
		}
		if err == nil && subject != "" && lately(redeemed, now) {
			return nil
		}
		if most > 0 && uses >= most || expires.Valid && now.UnixMilli() >= expires.Int64 {
			return sso.ErrInvitationSpent
		}
		if _, err := q.ExecContext(ctx, putRedemption.in(s.dialect), name, who, now.UnixMilli()); err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, countUses.in(s.dialect), name, 1)
		return err
	})
}

// ReleaseInvitation takes back the use by subject. Releasing what was not
// redeemed is no error.
func (s *Store) ReleaseInvitation(ctx context.Context, code, subject string) error {
	name, who := sealed.Name("invitation", code), subjectName(code, subject)
	return s.tx(ctx, "release invitation", func(ctx context.Context, q querier) error {
		// The lock comes first here as well: two who take two locks in
		// different orders wait for each other.
		var most, uses int64
		var expires sql.NullInt64
		err := one(ctx, q, lockInvitation.in(s.dialect), []any{name}, &most, &uses, &expires)
		if err == sso.ErrNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		var done int
		err = one(ctx, q, deleteRedemption.in(s.dialect), []any{name, who}, &done)
		if err == sso.ErrNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, countUses.in(s.dialect), name, -1)
		return err
	})
}

// subjectName hides who redeemed: a subject is often an e-mail address. Under
// the code, which the database does not have, it cannot be guessed either.
func subjectName(code, subject string) []byte {
	return sealed.Name("subject", code+"\x00"+subject)
}

func lately(redeemed int64, now time.Time) bool {
	return redeemed >= 0 && now.UnixMilli() < redeemed+sso.InvitationGrace.Milliseconds()
}
