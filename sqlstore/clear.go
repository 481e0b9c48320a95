package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/ssoconn/sso"
)

const (
	// clearAfter is how long an expired row stays. Clocks differ: what has
	// expired for a machine whose clock is ahead may be needed by the others.
	clearAfter = sso.MaxClockSkew
	// keepInvitation is how long an expired invitation stays, so that who comes
	// late is told that it expired, and not that there is none.
	keepInvitation = 30 * 24 * time.Hour

	// Every tidyEvery writes, tidyRows expired rows are cleared: more than so
	// many writes can have added, so an application that never calls
	// ClearExpired has no table that grows for ever.
	tidyEvery = 64
	tidyRows  = 256
)

// A sweep clears the rows of one table whose time column is older than age.
type sweep struct {
	statement
	age time.Duration
}

var sweeps = []sweep{
	{clearing("sso_states", "id", "expires"), clearAfter},
	{clearing("sso_replays", "id", "expires"), clearAfter},
	{clearing("sso_redemptions", "invitation, subject", "redeemed"), sso.InvitationGrace + clearAfter},
	{clearing("sso_invitations", "id", "expires"), keepInvitation},
}

// clearing counts what it removes. On PostgreSQL several sweeps at once pass
// each other by, and the array is made once: a plan is free to run a subquery
// with a LIMIT more than once.
func clearing(table, key, age string) statement {
	return statement{
		sqlite: "DELETE FROM " + table + " WHERE (" + key + ") IN (SELECT " + key + " FROM " + table +
			" WHERE " + age + " <= ?1 ORDER BY " + age + " LIMIT ?2) RETURNING 1",
		postgres: "WITH gone AS (DELETE FROM " + table + " WHERE ctid = ANY(ARRAY(SELECT ctid FROM " + table +
			" WHERE " + age + " <= $1 ORDER BY " + age + " LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT 1 FROM gone",
	}
}

// ClearExpired removes at most limit rows that are of no more use: expired
// request state and replay memory, and invitations 30 days past their date. It
// returns how many it removed: if that is limit, there may be more. Writes do
// the same now and then for a few rows, so calling it is good for the size of
// the tables and necessary for nothing. A limit of some 1,000 keeps each call
// short.
func (s *Store) ClearExpired(ctx context.Context, limit int) (int, error) {
	total := 0
	for _, w := range sweeps {
		if total >= limit {
			break
		}
		n, err := s.clear(ctx, w, limit-total)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Store) clear(ctx context.Context, w sweep, limit int) (n int, err error) {
	err = s.run(ctx, "clear expired rows", quick, func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, w.in(s.dialect), s.now().Add(-w.age).UnixMilli(), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for n = 0; rows.Next(); n++ {
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// tidy clears a few expired rows with every so many writes. That it failed is
// no reason to refuse a sign-in whose own write succeeded: the next one tries.
func (s *Store) tidy(ctx context.Context) {
	if n := s.writes.Add(1); n%tidyEvery == 0 {
		_, _ = s.clear(ctx, sweeps[n/tidyEvery%uint64(len(sweeps))], tidyRows)
	}
}
