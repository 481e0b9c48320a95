package memstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ssoconn/sso"
)

// TestTableAgainstModel does at random what can be done to a table, and compares
// each answer with a map that never forgets.
func TestTableAgainstModel(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		now := time.Unix(1_000_000, 0)
		const capacity = 8
		tab := newTable(capacity, func() time.Time { return now })
		type value struct {
			text  string
			until time.Time
		}
		model := map[string]value{}
		live := func(key string) bool { v, ok := model[key]; return ok && now.Before(v.until) }
		full := 0
		for op := range 2000 {
			key := fmt.Sprint("k", r.IntN(14))
			switch r.IntN(5) {
			case 0:
				now = now.Add(time.Duration(r.IntN(4)) * time.Second)
			case 1, 2:
				replace := r.IntN(2) == 0
				text, until := fmt.Sprint(op), now.Add(time.Duration(r.IntN(20)-1)*time.Second)
				unexpired := 0
				for k := range model {
					if live(k) {
						unexpired++
					}
				}
				fresh, err := tab.put(ctx, key, []byte(text), until, replace)
				switch {
				case live(key) && !replace:
					if fresh || err != nil {
						t.Fatalf("seed %d, op %d: %v, %v for a key that is there", seed, op, fresh, err)
					}
				case errors.Is(err, ErrFull):
					full++
					if unexpired < capacity || live(key) {
						t.Fatalf("seed %d, op %d: full with %d unexpired entries", seed, op, unexpired)
					}
				case err != nil || !fresh:
					t.Fatalf("seed %d, op %d: %v, %v", seed, op, fresh, err)
				default:
					model[key] = value{text, until}
				}
			default:
				take := r.IntN(2) == 0
				got, err := tab.get(ctx, key, take)
				if live(key) != (err == nil) || err != nil && !errors.Is(err, sso.ErrNotFound) || err == nil && string(got) != model[key].text {
					t.Fatalf("seed %d, op %d: got %q, %v, want %+v, live %v", seed, op, got, err, model[key], live(key))
				}
				if err == nil && take {
					delete(model, key)
				}
			}
			if len(tab.entries) != len(tab.queue) || len(tab.entries) > capacity {
				t.Fatalf("seed %d, op %d: %d entries, %d in the queue", seed, op, len(tab.entries), len(tab.queue))
			}
		}
		if full == 0 {
			t.Errorf("seed %d: the table was never full", seed)
		}
	}
}

// TestUsersIndexes does at random what can be done to users: each is found by
// what they have, nobody by what nobody has, and nothing is left behind.
func TestUsersIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := NewUsers()
		s.Account = func(connectionID string) string { return connectionID[:1] }
		conns := []string{"a1", "a2", "b1"}
		any := func() sso.User {
			return sso.User{Email: []string{"", "x@example.com", "X@Example.com", "y@example.com"}[r.IntN(4)], Subject: []string{"", "s1", "s2"}[r.IntN(3)], Name: fmt.Sprint(r.IntN(3))}
		}
		for range 500 {
			conn := conns[r.IntN(len(conns))]
			all := s.All(conn)
			switch r.IntN(4) {
			case 0:
				_, _ = s.CreateUser(ctx, conn, any())
			case 1, 2:
				if len(all) == 0 {
					continue
				}
				next := any()
				old := all[r.IntN(len(all))]
				next.ID = old.ID
				if r.IntN(3) == 0 {
					s.Put(conn, next)
				} else {
					_, _ = s.UpdateUser(ctx, conn, old, next)
				}
			default:
				if len(all) > 0 {
					s.Remove(all[r.IntN(len(all))].ID)
				}
			}
			checkIndexes(t, s, conns)
		}
	}
}

func checkIndexes(t *testing.T, s *Users, conns []string) {
	t.Helper()
	ctx := context.Background()
	subjects, emails := 0, 0
	for _, conn := range conns {
		for _, u := range s.All(conn) {
			if u.Subject != "" {
				subjects++
				found, err := s.UserBySubject(ctx, conn, u.Subject)
				if err != nil {
					t.Fatalf("nobody by the subject of %+v: %v", u, err)
				}
				if diff := cmp.Diff(&u, found, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("by subject (-want +got):\n%s", diff)
				}
			}
			if u.Email == "" {
				continue
			}
			if conn != "a2" { // the same users as a1
				emails++
			}
			found, err := s.UsersByEmail(ctx, conn, u.Email)
			if err != nil || !slices.ContainsFunc(found, func(other sso.User) bool { return cmp.Equal(u, other, cmpopts.EquateEmpty()) }) {
				t.Fatalf("by e-mail: %v, %v, want %+v among them", found, err, u)
			}
		}
	}
	held := 0
	for _, ids := range s.emails {
		held += len(ids)
	}
	if len(s.subjects) != subjects || held != emails || len(s.order) != len(s.rows) {
		t.Fatalf("%d subjects, %d addresses and %d places for %d, %d and %d", len(s.subjects), held, len(s.order), subjects, emails, len(s.rows))
	}
}

// TestInvitationsForget has many people come by a link for an account: those who
// came long ago take no memory.
func TestInvitationsForget(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := NewInvitations()
	if err := s.PutInvitation(ctx, sso.Invitation{Code: "link"}); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_000_000, 0)
	const people = 2000
	for i := range people {
		if err := s.RedeemInvitation(ctx, "link", fmt.Sprint(i), now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	// Sixty came within the hour.
	if row := s.rows["link"]; len(row.redeemed) > 120 || row.Uses != people {
		t.Errorf("%d redemptions are held and %d uses counted, want a few and %d", len(row.redeemed), row.Uses, people)
	}
}
