package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Admission is what a GroupPolicy judges: a person about to enter.
type Admission struct {
	Connection *Connection
	// User is the user as they will be after the sign-in.
	User User
	// Profile holds the IdP's groups and whether they came at all.
	Profile Profile
	// Invited says that the user is being created by an invitation.
	Invited bool
}

// A GroupPolicy decides who is admitted. Nil admits; a *RefusedError refuses
// with its reason; any other error means that the policy could not tell, which
// refuses as well.
type GroupPolicy interface {
	Admit(ctx context.Context, a Admission) error
}

// GroupPolicyFunc makes a function a GroupPolicy.
type GroupPolicyFunc func(ctx context.Context, a Admission) error

// Admit calls f.
func (f GroupPolicyFunc) Admit(ctx context.Context, a Admission) error { return f(ctx, a) }

// Stock policies.
var (
	// AllowedGroups admits the members of the connection's AllowedGroups, and
	// whoever is created by an invitation, which stands in for membership that
	// once. With no group chosen it admits nobody. It is the default.
	AllowedGroups GroupPolicy = GroupPolicyFunc(admitAllowedGroups)
	// AdmitAll admits everybody: for applications without groups.
	AdmitAll GroupPolicy = GroupPolicyFunc(func(context.Context, Admission) error { return nil })
)

func admitAllowedGroups(_ context.Context, a Admission) error {
	allowed := a.Connection.AllowedGroups
	if a.Invited || slices.ContainsFunc(allowed, func(g string) bool { return g != "" && slices.Contains(a.User.Groups, g) }) {
		return nil
	}
	if len(allowed) == 0 {
		return refuse(RefusedGroups, "no user group is chosen for this connection, so nobody is admitted")
	}
	return refuse(RefusedGroups, "in none of the groups "+listed(allowed))
}

// IdPGroups admits members of any of these groups of the IdP, compared exactly.
// Groups that did not come admit nobody, each way of not coming with its own
// reason.
func IdPGroups(names ...string) GroupPolicy {
	names = slices.Clone(names)
	set := make(map[string]bool, len(names))
	for _, g := range names {
		set[g] = g != ""
	}
	known := func(g string) bool { return set[g] }
	return GroupPolicyFunc(func(_ context.Context, a Admission) error {
		if err := groupsKnown(a.Profile); err != nil {
			return err
		}
		if slices.ContainsFunc(a.Profile.Groups, known) {
			return nil
		}
		if err := groupsDelimited(a.Connection, a.Profile, known); err != nil {
			return err
		}
		return refuse(RefusedGroups, "in none of the identity provider's groups "+listed(names))
	})
}

// AllOf admits whom every policy admits, asked in turn up to the first that does
// not. A nil one is AllowedGroups. None at all admits nobody.
func AllOf(policies ...GroupPolicy) GroupPolicy {
	policies = slices.Clone(policies)
	return GroupPolicyFunc(func(ctx context.Context, a Admission) error {
		for _, p := range policies {
			if err := orAllowedGroups(p).Admit(ctx, a); err != nil {
				return err
			}
		}
		if len(policies) == 0 {
			return refuse(RefusedGroups, "no policy to ask")
		}
		return nil
	})
}

// AnyOf admits whom one policy admits, asked in turn. If none does and one could
// not tell, AnyOf could not tell. A nil one is AllowedGroups. None at all admits
// nobody.
func AnyOf(policies ...GroupPolicy) GroupPolicy {
	policies = slices.Clone(policies)
	return GroupPolicyFunc(func(ctx context.Context, a Admission) error {
		var unsure error
		var code RefusalCode
		var why []string
		for _, p := range policies {
			err := orAllowedGroups(p).Admit(ctx, a)
			if err == nil {
				return nil
			}
			var r *RefusedError
			if !errors.As(err, &r) || r == nil {
				unsure = errors.Join(unsure, err)
				continue
			}
			// In none of the groups is what one expects of several ways in; that
			// groups did not come at all is what has to be mended.
			if code == "" || code == RefusedGroups {
				code = r.Code
			}
			why = append(why, r.Detail)
		}
		switch {
		case unsure != nil:
			return unsure
		case len(why) == 0:
			return refuse(RefusedGroups, "no policy to ask")
		}
		return refuse(code, strings.Join(why, "; and "))
	})
}

func orAllowedGroups(p GroupPolicy) GroupPolicy {
	if p == nil {
		return AllowedGroups
	}
	return p
}

// A RoleRule gives a role to the members of one of the IdP's groups. Group "*"
// is everybody whose groups came, if only to say that there are none: as the last
// rule it takes a role away from those who left its group. An empty Group is
// nobody.
type RoleRule struct {
	Group string `json:"group"`
	Role  string `json:"role"`
}

// roleFor is the role by the first rule that fits, "" if none does. Rules that
// cannot be judged, since the groups did not come, refuse: a missing group must
// not make an administrator, and not lose one their role either.
func roleFor(rules []RoleRule, c *Connection, p Profile) (string, *RefusedError) {
	if len(rules) == 0 {
		return "", nil
	}
	if err := groupsKnown(p); err != nil && err.Code != RefusedGroupsEmpty {
		return "", err
	}
	// One pass over each, as there may be thousands of both.
	first := make(map[string]int, len(rules))
	for i, r := range rules {
		if _, ok := first[r.Group]; !ok && r.Group != "" {
			first[r.Group] = i
		}
	}
	if err := groupsDelimited(c, p, func(g string) bool { _, ok := first[g]; return ok }); err != nil {
		return "", err
	}
	best := len(rules)
	if i, ok := first["*"]; ok {
		best = i
	}
	for _, g := range p.Groups {
		if i, ok := first[g]; ok {
			best = min(best, i)
		}
	}
	if best == len(rules) {
		return "", nil
	}
	return rules[best].Role, nil
}

// groupsKnown is nil if the IdP's groups came.
func groupsKnown(p Profile) *RefusedError {
	switch p.GroupsState {
	case GroupsPresent:
		return nil
	case GroupsEmpty:
		return refuse(RefusedGroupsEmpty, "the identity provider sent its groups attribute without values")
	case GroupsOverage:
		return refuse(RefusedGroupsOverage, "the identity provider sent a link in place of the groups, as the person is in too many; restrict the group claim to the groups assigned to the application")
	}
	return refuse(RefusedGroupsMissing, "the identity provider sent no groups attribute under any known name; add one there, or name it in the connection's attribute map")
}

// groupsDelimited finds that all groups came as one string, which no separator
// was set for. It only ever refuses, as a group's name may hold a comma: nobody
// must become a member of Sales by being in "Guests, Sales".
func groupsDelimited(c *Connection, p Profile, known func(string) bool) *RefusedError {
	if len(p.Groups) != 1 || known(p.Groups[0]) || c != nil && c.Attributes.GroupSeparator != "" {
		return nil
	}
	parts := strings.FieldsFunc(p.Groups[0], func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' })
	if len(parts) > 1 && slices.ContainsFunc(parts, func(g string) bool { return known(strings.TrimSpace(g)) }) {
		return refuse(RefusedGroupsDelimited, "the identity provider seems to send all groups in one string; have it send one value for each group, or set the connection's group separator")
	}
	return nil
}

func listed(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
