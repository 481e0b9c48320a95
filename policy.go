package sso

import (
	"context"
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

// IdPGroups admits members of any of these groups of the IdP. Groups that did
// not come admit nobody, each way of not coming with its own reason.
func IdPGroups(names ...string) GroupPolicy {
	names = slices.Clone(names)
	return GroupPolicyFunc(func(_ context.Context, a Admission) error {
		if err := groupsKnown(a.Profile); err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(g string) bool { return g != "" && slices.Contains(a.Profile.Groups, g) }) {
			return nil
		}
		return refuse(RefusedGroups, "in none of the identity provider's groups "+listed(names))
	})
}

// AllOf admits whom every policy admits. None at all admits nobody.
func AllOf(policies ...GroupPolicy) GroupPolicy {
	policies = slices.Clone(policies)
	return GroupPolicyFunc(func(ctx context.Context, a Admission) error {
		for _, p := range policies {
			if err := p.Admit(ctx, a); err != nil {
				return err
			}
		}
		if len(policies) == 0 {
			return refuse(RefusedGroups, "no policy to ask")
		}
		return nil
	})
}

// AnyOf admits whom one policy admits. A policy that could not tell refuses
// only if none of the others admits. None at all admits nobody.
func AnyOf(policies ...GroupPolicy) GroupPolicy {
	policies = slices.Clone(policies)
	return GroupPolicyFunc(func(ctx context.Context, a Admission) error {
		err := error(refuse(RefusedGroups, "no policy to ask"))
		for _, p := range policies {
			if err = p.Admit(ctx, a); err == nil {
				return nil
			}
		}
		return err
	})
}

// A RoleRule gives a role to the members of one of the IdP's groups.
type RoleRule struct {
	Group string `json:"group"`
	Role  string `json:"role"`
}

// roleFor is the role by the first rule that fits, "" if none does. Rules that
// cannot be judged, since the groups did not come, refuse: a missing group must
// not make an administrator, and not lose one their role either.
func roleFor(rules []RoleRule, p Profile) (string, *RefusedError) {
	if len(rules) == 0 {
		return "", nil
	}
	if p.GroupsState != GroupsEmpty {
		if err := groupsKnown(p); err != nil {
			return "", err
		}
	}
	for _, r := range rules {
		if r.Group != "" && slices.Contains(p.Groups, r.Group) {
			return r.Role, nil
		}
	}
	return "", nil
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

func listed(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
