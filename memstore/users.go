package memstore

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/ssoconn/sso"
)

// Users is an sso.UserStore in memory.
type Users struct {
	// Account names the account that a connection belongs to: a connection sees
	// the users of its own account only. Set it before use. Nil: there is one
	// account, and every connection sees the same users.
	Account func(connectionID string) string

	mu       sync.Mutex
	rows     map[string]*user     // by ID, guarded by mu
	subjects map[subject]string   // IDs, guarded by mu
	emails   map[address][]string // IDs, guarded by mu
	order    []string             // IDs as they were made, guarded by mu
	last     int                  // guarded by mu
}

type (
	user struct {
		sso.User
		account  string
		subjects map[string]string // by connection
	}
	subject struct{ connection, key string }
	address struct{ account, email string }
)

var _ sso.UserStore = (*Users)(nil)

// NewUsers returns an empty table.
func NewUsers() *Users {
	return &Users{rows: map[string]*user{}, subjects: map[subject]string{}, emails: map[address][]string{}}
}

func (s *Users) account(connectionID string) string {
	if s.Account == nil {
		return ""
	}
	return s.Account(connectionID)
}

// as is the row as seen from one connection.
func (u *user) as(connectionID string) *sso.User {
	out := u.User
	out.Groups = slices.Clone(u.Groups)
	out.Subject = u.subjects[connectionID]
	return &out
}

// UserBySubject finds the user linked to the subject on the connection.
func (s *Users) UserBySubject(ctx context.Context, connectionID, key string) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.rows[s.subjects[subject{connectionID, key}]]
	if !ok || u.account != account {
		return nil, sso.ErrNoUser
	}
	return u.as(connectionID), nil
}

// UsersByEmail finds the users with that address, oldest first.
func (s *Users) UsersByEmail(ctx context.Context, connectionID, email string) ([]sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sso.User
	for _, id := range s.emails[address{account, sso.NormalizeEmail(email)}] {
		out = append(out, *s.rows[id].as(connectionID))
	}
	return out, nil
}

// taken says whether another user than that of the ID has the subject or the
// address. Empty ones belong to nobody.
func (s *Users) taken(connectionID, account, id, key, email string) bool {
	if owner, ok := s.subjects[subject{connectionID, key}]; ok && owner != id {
		return true
	}
	email = sso.NormalizeEmail(email)
	return email != "" && slices.ContainsFunc(s.emails[address{account, email}], func(owner string) bool { return owner != id })
}

// CreateUser adds a user. Its ID is the store's to choose.
func (s *Users) CreateUser(ctx context.Context, connectionID string, u sso.User) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken(connectionID, account, "", u.Subject, u.Email) {
		return nil, sso.ErrUserExists
	}
	u.ID = s.newID()
	return s.set(connectionID, account, u).as(connectionID), nil
}

func (s *Users) newID() string {
	s.last++
	return strconv.Itoa(s.last)
}

// UpdateUser makes the user that still equals old into new.
func (s *Users) UpdateUser(ctx context.Context, connectionID string, old, new sso.User) (*sso.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[old.ID]
	if !ok || row.account != account {
		return nil, sso.ErrNoUser
	}
	if !equal(*row.as(connectionID), old) {
		return nil, sso.ErrConflict
	}
	// What stays is not looked at: two users may have had one address before.
	key, email := new.Subject, new.Email
	if key == old.Subject {
		key = ""
	}
	if sso.NormalizeEmail(email) == sso.NormalizeEmail(old.Email) {
		email = ""
	}
	if s.taken(connectionID, account, old.ID, key, email) {
		return nil, sso.ErrUserExists
	}
	new.ID = old.ID
	return s.set(connectionID, account, new).as(connectionID), nil
}

// Put sets a user of the connection's account as an administrator would, without
// any check, and returns it. An empty ID makes a new one. It can give two users
// one address, as imports do; a subject goes over to the user who gets it.
func (s *Users) Put(connectionID string, u sso.User) sso.User {
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = s.newID()
	}
	if owner, ok := s.subjects[subject{connectionID, u.Subject}]; ok && owner != u.ID {
		delete(s.rows[owner].subjects, connectionID)
	}
	return *s.set(connectionID, account, u).as(connectionID)
}

// Remove deletes a user.
func (s *Users) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[id]
	if !ok {
		return
	}
	for connectionID, key := range row.subjects {
		delete(s.subjects, subject{connectionID, key})
	}
	s.dropEmail(row)
	delete(s.rows, id)
	s.order = slices.DeleteFunc(s.order, func(other string) bool { return other == id })
}

// All returns the users of the connection's account, oldest first, as seen from
// that connection.
func (s *Users) All(connectionID string) []sso.User {
	account := s.account(connectionID)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sso.User
	for _, id := range s.order {
		if u := s.rows[id]; u.account == account {
			out = append(out, *u.as(connectionID))
		}
	}
	return out
}

// set writes the row and what finds it.
func (s *Users) set(connectionID, account string, u sso.User) *user {
	row, ok := s.rows[u.ID]
	if ok {
		delete(s.subjects, subject{connectionID, row.subjects[connectionID]})
		s.dropEmail(row)
	} else {
		row = &user{subjects: map[string]string{}}
		s.rows[u.ID] = row
		s.order = append(s.order, u.ID)
	}
	row.User, row.account = u, account
	row.Groups = slices.Clone(u.Groups)
	row.Subject = ""
	delete(row.subjects, connectionID)
	if u.Subject != "" {
		row.subjects[connectionID] = u.Subject
		s.subjects[subject{connectionID, u.Subject}] = u.ID
	}
	if email := sso.NormalizeEmail(u.Email); email != "" {
		s.emails[address{account, email}] = append(s.emails[address{account, email}], u.ID)
	}
	return row
}

func (s *Users) dropEmail(row *user) {
	key := address{row.account, sso.NormalizeEmail(row.Email)}
	left := slices.DeleteFunc(s.emails[key], func(id string) bool { return id == row.ID })
	if len(left) == 0 {
		delete(s.emails, key)
		return
	}
	s.emails[key] = left
}

func equal(a, b sso.User) bool {
	return a.ID == b.ID && a.Email == b.Email && a.Name == b.Name && a.Role == b.Role && a.Subject == b.Subject &&
		a.Disabled == b.Disabled && slices.Equal(a.Groups, b.Groups)
}
