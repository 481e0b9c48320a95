package memstore

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/ssoconn/sso"
)

// Users is an sso.UserStore in memory, for one account: every connection that
// uses it sees the same users.
type Users struct {
	mu    sync.Mutex
	rows  map[string]*user // by ID, guarded by mu
	last  int              // guarded by mu
	order []string         // IDs as they were made, guarded by mu
}

type user struct {
	sso.User
	subjects map[string]string // by connection
}

var _ sso.UserStore = (*Users)(nil)

// NewUsers returns an empty table.
func NewUsers() *Users { return &Users{rows: map[string]*user{}} }

// as is the row as seen from one connection.
func (u *user) as(connectionID string) *sso.User {
	out := u.User
	out.Groups = slices.Clone(u.Groups)
	out.Subject = u.subjects[connectionID]
	return &out
}

// UserBySubject finds the user linked to the subject on the connection.
func (s *Users) UserBySubject(ctx context.Context, connectionID, subject string) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.rows {
		if subject != "" && u.subjects[connectionID] == subject {
			return u.as(connectionID), nil
		}
	}
	return nil, sso.ErrNoUser
}

// UsersByEmail finds the users with that address.
func (s *Users) UsersByEmail(ctx context.Context, connectionID, email string) ([]sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sso.User
	for _, id := range s.order {
		if u, ok := s.rows[id]; ok && sso.NormalizeEmail(u.Email) == sso.NormalizeEmail(email) {
			out = append(out, *u.as(connectionID))
		}
	}
	return out, nil
}

// taken says whether another user has the subject or the address.
func (s *Users) taken(connectionID string, u sso.User) bool {
	for id, other := range s.rows {
		if id == u.ID {
			continue
		}
		if u.Subject != "" && other.subjects[connectionID] == u.Subject ||
			u.Email != "" && sso.NormalizeEmail(other.Email) == sso.NormalizeEmail(u.Email) {
			return true
		}
	}
	return false
}

// CreateUser adds a user. Its ID is the store's to choose.
func (s *Users) CreateUser(ctx context.Context, connectionID string, u sso.User) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u.ID = ""
	if s.taken(connectionID, u) {
		return nil, sso.ErrUserExists
	}
	s.last++
	u.ID = strconv.Itoa(s.last)
	return s.set(connectionID, u).as(connectionID), nil
}

// UpdateUser makes the user that still equals old into new.
func (s *Users) UpdateUser(ctx context.Context, connectionID string, old, new sso.User) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[old.ID]
	if !ok {
		return nil, sso.ErrNoUser
	}
	if now := row.as(connectionID); !equal(*now, old) {
		return nil, sso.ErrConflict
	}
	new.ID = old.ID
	claim := sso.User{ID: new.ID}
	if new.Subject != old.Subject {
		claim.Subject = new.Subject
	}
	if sso.NormalizeEmail(new.Email) != sso.NormalizeEmail(old.Email) {
		claim.Email = new.Email
	}
	if s.taken(connectionID, claim) {
		return nil, sso.ErrUserExists
	}
	return s.set(connectionID, new).as(connectionID), nil
}

// Put sets a user as an administrator would, without any check, and returns it.
// An empty ID makes a new one. It can give two users one address, as imports
// do.
func (s *Users) Put(connectionID string, u sso.User) sso.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		s.last++
		u.ID = strconv.Itoa(s.last)
	}
	return *s.set(connectionID, u).as(connectionID)
}

// Remove deletes a user.
func (s *Users) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
}

// All returns every user, oldest first, as seen from one connection.
func (s *Users) All(connectionID string) []sso.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sso.User
	for _, id := range s.order {
		if u, ok := s.rows[id]; ok {
			out = append(out, *u.as(connectionID))
		}
	}
	return out
}

func (s *Users) set(connectionID string, u sso.User) *user {
	row, ok := s.rows[u.ID]
	if !ok {
		row = &user{subjects: map[string]string{}}
		s.rows[u.ID] = row
		s.order = append(s.order, u.ID)
	}
	row.User = u
	row.User.Groups = slices.Clone(u.Groups)
	row.User.Subject = ""
	delete(row.subjects, connectionID)
	if u.Subject != "" {
		row.subjects[connectionID] = u.Subject
	}
	return row
}

func equal(a, b sso.User) bool {
	if len(a.Groups) == 0 && len(b.Groups) == 0 {
		a.Groups, b.Groups = nil, nil
	}
	return reflect.DeepEqual(a, b)
}
