package sso

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// facts are everything a decision rests on. Given the same facts, decide gives
// the same Outcome; it reads no store and no clock.
type facts struct {
	conn          *Connection
	ready         bool // Connection.Ready
	flow          Flow
	profile       Profile
	subject       string // SubjectKey; empty: transient
	linked        *User  // found by subject
	byEmail       []User // found by e-mail
	invitation    *Invitation
	redeemed      bool // this subject redeemed it already, in a sign-in that was cut off
	createOnLogin bool
	roles         []RoleRule
	now           time.Time
	// admit answers for the policy.
	admit func(u User, invited bool) *RefusedError
}

// decide is the rules of docs/who-gets-in.md, in their order.
func decide(f facts) *Outcome {
	o := &Outcome{ConnectionID: f.conn.ID, Flow: f.flow, Subject: f.subject}
	if f.flow != FlowTest && !f.ready {
		return o.refused(refuse(RefusedOff, "the connection is not on"), nil)
	}
	user, created, err := f.find(o)
	if err != nil {
		return o.refused(err, nil)
	}
	var found *User
	if !created {
		before := clone(user)
		found = &before
	}
	if user.Disabled {
		return o.refused(refuse(RefusedDisabled, "the user is disabled"), found)
	}
	if err := f.change(&user, created, o); err != nil {
		return o.refused(err, found)
	}
	invited := created && f.flow == FlowInvite
	if err := f.admit(user, invited); err != nil {
		return o.refused(err, found)
	}
	o.User = &user
	if created {
		o.Action = ActionCreate
		f.warnOfNextTime(invited, o)
		return o
	}
	o.Action = ActionEnter
	if o.Changes = changes(*found, user); len(o.Changes) > 0 {
		o.Action = ActionUpdate
	}
	return o
}

// warnOfNextTime says when somebody whom an invitation lets in now will not get
// in without it.
func (f *facts) warnOfNextTime(invited bool, o *Outcome) {
	if !invited {
		return
	}
	shown := *f.invitation
	shown.Code = ""
	o.Invitation = &shown
	if err := f.admit(*o.User, false); err != nil {
		o.Warnings = append(o.Warnings, "the invitation lets them in now; at the next sign-in they would be refused: "+err.Detail)
	}
}

// refused makes the outcome a refusal, which changes nothing: found is the user
// as they are, nil if they are none or not known.
func (o *Outcome) refused(err *RefusedError, found *User) *Outcome {
	o.Action, o.Refusal, o.User = ActionRefuse, err, found
	o.Changes, o.Invitation = nil, nil
	return o
}

// find says which user this is, or makes one. A linked subject comes before an
// e-mail address: whoever gets an address that once was somebody else's must
// not get that person's account with it.
func (f *facts) find(o *Outcome) (u User, created bool, err *RefusedError) {
	if f.linked != nil {
		return clone(*f.linked), false, nil
	}
	if !validEmail(f.profile.Email) {
		got := "the identity provider sent no e-mail address"
		if f.profile.Email != "" {
			got = "the e-mail address sent is malformed"
		}
		return u, false, refuse(RefusedEmail, got+", and the NameID is linked to no user")
	}
	switch len(f.byEmail) {
	case 0:
		return f.create()
	case 1:
		u = clone(f.byEmail[0])
		if u.Subject != "" && f.subject == "" {
			return u, false, refuse(RefusedTransient, "the user with this e-mail address is linked to a lasting NameID, and a transient one came, which could be anybody's; choose another NameID format at the identity provider")
		}
		if u.Subject != "" && u.Subject != f.subject {
			return u, false, refuse(RefusedLinkedElsewhere, "the user with this e-mail address is linked to another NameID; if the person is the same, the NameID changed at the identity provider: unlink the user")
		}
		if f.subject == "" {
			o.Warnings = append(o.Warnings, "the NameID is transient, so the user is recognised by e-mail address only")
		}
		return u, false, nil
	}
	return u, false, refuse(RefusedAmbiguous, fmt.Sprintf("%d users have this e-mail address", len(f.byEmail)))
}

// create makes the new user, if anything allows that.
func (f *facts) create() (u User, created bool, err *RefusedError) {
	switch f.flow {
	case FlowInvite:
		if err := f.judgeInvitation(); err != nil {
			return u, false, err
		}
		u.Role = orElse(f.invitation.Role, f.conn.DefaultRole)
		u.Groups = slices.Clone(f.invitation.Groups)
	default:
		if !f.createOnLogin {
			return u, false, refuse(RefusedNoUser, "not a user yet, and this is no invitation")
		}
		u.Role = f.conn.DefaultRole
	}
	if f.subject == "" {
		return u, false, refuse(RefusedTransient, "a transient NameID changes at each sign-in, so a user created from it would never be recognised again; choose another NameID format at the identity provider")
	}
	return u, true, nil
}

func (f *facts) judgeInvitation() *RefusedError {
	inv := f.invitation
	switch {
	case inv == nil:
		return refuse(RefusedInvitation, "no such invitation")
	case inv.ConnectionID != f.conn.ID:
		return refuse(RefusedInvitation, "the invitation is for another connection")
	case !f.redeemed && !inv.Expires.IsZero() && !f.now.Before(inv.Expires):
		return refuse(RefusedInvitationSpent, "the invitation expired at "+stamp(inv.Expires))
	case !f.redeemed && inv.MaxUses > 0 && inv.Uses >= inv.MaxUses:
		return refuse(RefusedInvitationSpent, fmt.Sprintf("the invitation was used %d times of %d", inv.Uses, inv.MaxUses))
	case inv.Email != "" && NormalizeEmail(inv.Email) != NormalizeEmail(f.profile.Email):
		return refuse(RefusedInvitationEmail, "the invitation is for another e-mail address")
	}
	_, domain, _ := strings.Cut(NormalizeEmail(f.profile.Email), "@")
	// "@example.com" and "example.com" mean the same; subdomains are not meant.
	if len(inv.Domains) > 0 && !slices.ContainsFunc(inv.Domains, func(d string) bool { return strings.TrimPrefix(NormalizeEmail(d), "@") == domain }) {
		return refuse(RefusedInvitationEmail, "the invitation is for addresses of "+listed(inv.Domains))
	}
	return nil
}

// change brings the user up to date with what the IdP says.
func (f *facts) change(u *User, created bool, o *Outcome) *RefusedError {
	if f.subject != "" {
		u.Subject = f.subject
	}
	role, err := roleFor(f.roles, f.conn, f.profile)
	if err != nil {
		return err
	}
	if role != "" {
		u.Role = role
	}
	// An empty name never erases one.
	if name := cleanName(f.profile.Name); name != "" && (created || !f.conn.KeepNames) {
		u.Name = name
	}
	email := strings.TrimSpace(f.profile.Email)
	switch {
	case created:
		u.Email = email
		if u.Name == "" {
			u.Name = email
		}
	case f.linked == nil || email == "" || NormalizeEmail(email) == NormalizeEmail(u.Email):
		// Found by that address, or nothing new.
	case !validEmail(email):
		o.Warnings = append(o.Warnings, "the e-mail address that the identity provider sends is malformed and was not taken over")
	case slices.ContainsFunc(f.byEmail, func(other User) bool { return other.ID != u.ID }):
		o.Warnings = append(o.Warnings, "the new e-mail address belongs to another user and was not taken over")
	default:
		u.Email = email
	}
	return nil
}

// changes lists the fields in which two states of a user differ.
func changes(from, to User) []Change {
	var out []Change
	add := func(field, a, b string) {
		if a != b {
			out = append(out, Change{Field: field, From: a, To: b})
		}
	}
	add("name", from.Name, to.Name)
	add("email", from.Email, to.Email)
	add("role", from.Role, to.Role)
	add("subject", from.Subject, to.Subject)
	return out
}

func clone(u User) User {
	u.Groups = slices.Clone(u.Groups)
	return u
}
