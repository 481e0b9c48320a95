package sso

import (
	"strings"
)

// A Profile is what an assertion says of a person, read by the connection's
// AttributeMap.
type Profile struct {
	Email     string `json:"email,omitempty"`
	Name      string `json:"name,omitempty"` // for people: as sent, or first and last name
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	// Groups are the IdP's groups, opaque: names, object IDs, SIDs, DNs or
	// paths, whatever the IdP sends.
	Groups      []string    `json:"groups,omitempty"`
	GroupsState GroupsState `json:"groupsState"`
}

// GroupsState tells the ways apart in which groups can be missing: a rule about
// groups must never be skipped because something was not there.
type GroupsState string

// The states.
const (
	GroupsPresent GroupsState = "present"
	GroupsMissing GroupsState = "missing" // no such attribute
	GroupsEmpty   GroupsState = "empty"   // the attribute, without values
	GroupsOverage GroupsState = "overage" // Entra ID: too many, a link in their place
)

// The names under which the common IdPs send a profile, best first.
var (
	emailNames = []string{
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"email", "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1", "mail", "emailaddress",
	}
	firstNames = []string{
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
		"firstName", "urn:oid:2.5.4.42", "givenName", "first_name",
	}
	lastNames = []string{
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
		"lastName", "urn:oid:2.5.4.4", "sn", "surname", "last_name",
	}
	// Entra ID sends the user principal name under claims/name, so it is the
	// last resort, and taken only where it is not an address.
	displayNames = []string{
		"http://schemas.microsoft.com/identity/claims/displayname",
		"displayName", "urn:oid:2.16.840.1.113730.3.1.241", "http://schemas.xmlsoap.org/claims/CommonName",
		"fullName", "display_name", "urn:oid:2.5.4.3", "cn", "name",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
	}
	groupNames = []string{
		"http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
		"groups", "http://schemas.xmlsoap.org/claims/Group", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
		"memberOf", "isMemberOf", "group", "http://schemas.auth0.com/groups",
		"http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "Role", "roles",
	}
)

// overageClaim stands in for the groups when Entra ID has more than fit.
const overageClaim = "http://schemas.microsoft.com/claims/groups.link"

// Profile reads the person's profile out of an assertion. A field that the
// AttributeMap names is read from that attribute alone; the others from the
// names that the common IdPs use. A NameID that is an e-mail address stands in
// for a missing e-mail. Blanks around values are dropped; nothing else is
// judged here.
func (c *Connection) Profile(a *Assertion) Profile {
	m := c.Attributes
	var p Profile
	p.Email = first(a.Attributes, m.Email, emailNames)
	if p.Email == "" && m.Email == "" && strings.Contains(a.Subject.Value, "@") {
		p.Email = a.Subject.Value
	}
	p.FirstName = first(a.Attributes, m.FirstName, firstNames)
	p.LastName = first(a.Attributes, m.LastName, lastNames)
	p.Name = first(a.Attributes, m.Name, displayNames)
	joined := strings.TrimSpace(p.FirstName + " " + p.LastName)
	if joined != "" && m.Name == "" && (p.Name == "" || strings.Contains(p.Name, "@")) {
		p.Name = joined
	}
	if p.Name == "" {
		p.Name = joined
	}
	if m.Name == "" && strings.Contains(p.Name, "@") {
		p.Name = "" // an address is no name
	}
	p.Groups, p.GroupsState = c.groups(a.Attributes)
	return p
}

func (c *Connection) groups(as Attributes) ([]string, GroupsState) {
	at := find(as, c.Attributes.Groups, groupNames)
	if at == nil {
		if find(as, overageClaim, nil) != nil {
			return nil, GroupsOverage
		}
		return nil, GroupsMissing
	}
	groups := make([]string, 0, len(at.Values))
	for _, s := range at.Values {
		parts := []string{s}
		if c.Attributes.GroupSeparator != "" {
			parts = strings.Split(s, c.Attributes.GroupSeparator)
		}
		for _, g := range parts {
			if g = strings.TrimSpace(g); g != "" {
				groups = append(groups, g)
			}
		}
	}
	if len(groups) == 0 {
		return nil, GroupsEmpty
	}
	return groups, GroupsPresent
}

// first returns the first value that is not blank.
func first(as Attributes, chosen string, known []string) string {
	if at := find(as, chosen, known); at != nil {
		for _, s := range at.Values {
			if s = strings.TrimSpace(s); s != "" {
				return s
			}
		}
	}
	return ""
}

// find returns the attribute chosen by the administrator, or else the first of
// the known names. Names that differ in case only come second: Okta, Google and
// others let people type them freely.
func find(as Attributes, chosen string, known []string) *Attribute {
	names := known
	if chosen != "" {
		names = []string{chosen}
	}
	for _, equal := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, name := range names {
			for i := range as {
				if len(as[i].Name) == len(name) && equal(as[i].Name, name) {
					return &as[i]
				}
			}
		}
	}
	return nil
}
