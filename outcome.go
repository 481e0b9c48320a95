package sso

import (
	"fmt"
	"strings"
)

// RefusalCode says why somebody who proved who they are may not enter. The
// values are stable.
type RefusalCode string

// The refusals.
const (
	RefusedOff             RefusalCode = "connection_off"   // the connection is not on
	RefusedNoUser          RefusalCode = "no_user"          // not a user yet, and no invitation
	RefusedDisabled        RefusalCode = "user_disabled"    // the application disabled the user
	RefusedGroups          RefusalCode = "groups"           // in none of the admitted groups
	RefusedGroupsMissing   RefusalCode = "groups_missing"   // a rule needs the IdP's groups: no attribute
	RefusedGroupsEmpty     RefusalCode = "groups_empty"     // a rule needs the IdP's groups: no values
	RefusedGroupsOverage   RefusalCode = "groups_overage"   // a rule needs the IdP's groups: a link came instead
	RefusedGroupsDelimited RefusalCode = "groups_delimited" // a rule needs the IdP's groups: they came as one string
	RefusedEmail           RefusalCode = "email"            // no e-mail address, or a malformed one
	RefusedTransient       RefusalCode = "transient"        // a NameID that recognises nobody again
	RefusedAmbiguous       RefusalCode = "ambiguous"        // two users have that e-mail address
	RefusedLinkedElsewhere RefusalCode = "linked_elsewhere" // the user of that e-mail is linked to another person at the IdP
	RefusedInvitation      RefusalCode = "invitation"       // no such invitation, or one for another connection
	RefusedInvitationSpent RefusalCode = "invitation_spent" // used up or expired
	RefusedInvitationEmail RefusalCode = "invitation_email" // for another address
	RefusedChanged         RefusalCode = "changed"          // the user kept changing under our hands
)

// A RefusedError is a decision not to let somebody in.
type RefusedError struct {
	Code   RefusalCode `json:"code"`
	Detail string      `json:"detail"` // for the operator and the administrator
}

// Error is for the operator's log.
func (e *RefusedError) Error() string { return "sso: refused: " + string(e.Code) + ": " + e.Detail }

// Visitor is a calm English sentence for the person who was refused. It tells
// nothing that they may not know.
func (e *RefusedError) Visitor() string {
	switch e.Code {
	case RefusedNoUser:
		return "You signed in, but you have no account here yet. Ask your administrator for an invitation link."
	case RefusedGroups, RefusedGroupsMissing, RefusedGroupsEmpty, RefusedGroupsOverage, RefusedGroupsDelimited:
		return "You signed in, but your groups do not give you access. Ask your administrator."
	case RefusedInvitationSpent:
		return "This invitation was used already or has expired. Ask for a new one."
	case RefusedInvitation, RefusedInvitationEmail:
		return "This invitation is not for you. Ask your administrator for one."
	case RefusedOff:
		return "Single sign-on is switched off here at the moment."
	case RefusedDisabled:
		return "Your account here is disabled. Ask your administrator."
	}
	return "You signed in, but your account could not be matched. Ask your administrator."
}

func refuse(code RefusalCode, detail string) *RefusedError {
	return &RefusedError{Code: code, Detail: detail}
}

// Action is what a sign-in does to the application's users.
type Action string

// The actions.
const (
	ActionEnter  Action = "enter"  // nothing to write
	ActionUpdate Action = "update" // the user is renamed, linked or given a role
	ActionCreate Action = "create"
	ActionRefuse Action = "refuse"
)

// A Change is one field of a user that a sign-in changes.
type Change struct {
	Field string `json:"field"` // name, email, role, subject
	From  string `json:"from,omitempty"`
	To    string `json:"to"`
}

// An Outcome is what a sign-in comes to: enough for an audit line, and for the
// application's session.
type Outcome struct {
	ConnectionID string        `json:"connectionID"`
	Flow         Flow          `json:"flow"`
	Action       Action        `json:"action"`
	Subject      string        `json:"subject,omitempty"` // SubjectKey; empty if transient
	User         *User         `json:"user,omitempty"`    // as after the sign-in; if refused, as they are, or nil
	Changes      []Change      `json:"changes,omitempty"`
	Refusal      *RefusedError `json:"refusal,omitempty"`
	// Invitation is set if the user is created by one; its code is left out.
	Invitation *Invitation `json:"invitation,omitempty"`
	// Warnings are for the administrator.
	Warnings []string `json:"warnings,omitempty"`
	// Written says that it was carried out. Preview and the test flow never do.
	Written bool `json:"written"`
}

// String says it in a line: "would create Alice Liddell as Manager".
func (o *Outcome) String() string {
	if o.Action == ActionRefuse {
		return "refused: " + o.Refusal.Detail
	}
	verb := func(would, did string) string {
		if o.Written {
			return did
		}
		return "would " + would
	}
	name := orElse(o.User.Name, o.User.Email)
	var parts []string
	if o.Action == ActionCreate {
		s := verb("create ", "created ") + name
		if o.User.Role != "" {
			s += " as " + o.User.Role
		}
		if len(o.User.Groups) > 0 {
			s += " in " + listed(o.User.Groups)
		}
		return s
	}
	for _, c := range o.Changes {
		switch c.Field {
		case "name":
			parts = append(parts, fmt.Sprintf("%s %s to %s", verb("rename", "renamed"), orElse(c.From, "a user without a name"), c.To))
		case "subject":
			parts = append(parts, verb("link ", "linked ")+name+" to the identity provider")
		default:
			parts = append(parts, fmt.Sprintf("%s the %s of %s to %s", verb("change", "changed"), c.Field, name, c.To))
		}
	}
	parts = append(parts, verb("let ", "let ")+name+" in")
	return strings.Join(parts, ", ")
}
