package sso

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A User is one of the application's users, as far as sign-in is concerned.
type User struct {
	ID     string   `json:"id"` // the application's key; the store sets it on creation
	Email  string   `json:"email,omitempty"`
	Name   string   `json:"name,omitempty"`
	Role   string   `json:"role,omitempty"`
	Groups []string `json:"groups,omitempty"` // the application's groups
	// Subject is the key (see Connection.SubjectKey) of the person at the IdP
	// that this user is linked to on the connection. Empty: to none yet.
	Subject  string `json:"subject,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
}

// A UserStore is the application's user table. Every method sees the users of
// the connection's own account and no others.
//
// Methods may be called at once from any number of goroutines and processes.
// They return when ctx is done, with its error. CreateUser and UpdateUser may
// return a *RefusedError to refuse by a rule of the application's own, such as a
// licence without seats. Any error that is not named here means that the store
// could not tell; the sign-in is then refused.
type UserStore interface {
	// UserBySubject finds the user linked to a subject on a connection.
	// ErrNoUser if there is none.
	UserBySubject(ctx context.Context, connectionID, subject string) (*User, error)
	// UsersByEmail finds the users whose address has this NormalizeEmail form,
	// with the Subject they have on this connection. None is no error; two are
	// for the caller to refuse.
	UsersByEmail(ctx context.Context, connectionID, email string) ([]User, error)
	// CreateUser adds a user and returns it with its ID. ErrUserExists if its
	// subject or its normalized e-mail is taken, decided atomically: of two
	// creations at once one wins.
	CreateUser(ctx context.Context, connectionID string, u User) (*User, error)
	// UpdateUser makes the user that still equals old into new, atomically.
	// ErrNoUser if it is gone, ErrConflict if it is no longer as old,
	// ErrUserExists if a subject or an e-mail that changes belongs to somebody
	// else; one that stays is not looked at.
	UpdateUser(ctx context.Context, connectionID string, old, new User) (*User, error)
}

// SubjectKey is the stable key of a person on this connection: the NameID's
// value, together with its qualifiers where they say more than whose IdP and
// whose service provider it is. The format is not part of it, as some IdPs
// label one value now so and now so. A transient NameID has no key, and the
// result is empty. A key is at most 512 bytes: longer ones are a hash.
//
// Specification: SAML 2.0 Core, 2.2.2 and 8.3.7.
func (c *Connection) SubjectKey(id NameID) string {
	if id.Value == "" || strings.HasSuffix(id.Format, ":nameid-format:transient") {
		return ""
	}
	nq, spnq := id.NameQualifier, id.SPNameQualifier
	if nq == c.IdP.EntityID {
		nq = ""
	}
	if spnq == c.SP.EntityID {
		spnq = ""
	}
	// A bare value that looks like a qualified one is quoted too, so that
	// nobody can choose a name that spells another person's key.
	key := id.Value
	if nq != "" || spnq != "" || strings.HasPrefix(key, `"`) {
		key = strconv.Quote(nq) + "!" + strconv.Quote(spnq) + "!" + strconv.Quote(key)
	}
	if len(key) > maxSubjectKey {
		// Databases do not index everything, and an address of 1 MB must not
		// read as an outage. No key of the other two kinds looks like this.
		sum := sha256.Sum256([]byte(key))
		key = `"sha256"!` + hex.EncodeToString(sum[:])
	}
	return key
}

// maxSubjectKey is the longest SubjectKey, in bytes.
const maxSubjectKey = 512

// NormalizeEmail is the form in which addresses are compared: without blanks
// around, A to Z in lower case, all else as it is. Letters of other alphabets
// are never folded, so that look-alikes stay apart.
func NormalizeEmail(s string) string {
	b := []byte(strings.TrimSpace(s))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// maxEmail is the longest address that can be delivered to (RFC 5321, 4.5.3.1.3).
const maxEmail = 254

// validEmail judges the form only: something, one @, something, and nothing
// that cannot be seen.
func validEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= maxEmail && utf8.ValidString(s) &&
		!strings.Contains(domain, "@") && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || invisible(r) })
}

// maxName is the longest name that is stored, in characters.
const maxName = 200

// cleanName makes a name fit to be shown: no control or format characters, no
// runs of blanks, not longer than maxName.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || invisible(r) && r != '\u200d': // joins emoji
			return -1
		}
		return r
	}, s)
	s = strings.Trim(strings.Join(strings.Fields(s), " "), "\u200d ")
	if utf8.RuneCountInString(s) > maxName {
		s = strings.TrimSpace(string([]rune(s)[:maxName]))
	}
	return s
}
