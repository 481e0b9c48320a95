package sso

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// option is one state of one input of the decision.
type option struct {
	name string
	set  func(f *facts)
}

func set(name string, f func(f *facts)) option { return option{name, f} }

// inputs are all inputs of the decision, each with all its states.
func inputs() [][]option {
	nothing := func(*facts) {}
	user := func(id, subject string) User {
		return User{ID: id, Email: "alice@example.com", Name: "Alice", Role: "Old", Subject: subject}
	}
	linked := func(f *facts, u User) {
		// A transient NameID is never looked up.
		if f.subject != "" {
			f.linked = &u
		}
	}
	disabled := func(u User) User { u.Disabled = true; return u }
	invitation := func(inv Invitation) func(f *facts) {
		return func(f *facts) { f.invitation = &inv }
	}
	groups := func(state GroupsState, names ...string) option {
		return set(fmt.Sprint("groups ", state, " ", names), func(f *facts) { f.profile.GroupsState, f.profile.Groups = state, names })
	}
	return [][]option{
		{set("on", func(f *facts) { f.ready = true }), set("off", nothing)},
		{set("login", func(f *facts) { f.flow = FlowLogin }), set("invite", func(f *facts) { f.flow = FlowInvite }), set("test", func(f *facts) { f.flow = FlowTest })},
		{set("lasting NameID", func(f *facts) { f.subject = "s1" }), set("transient NameID", nothing)},
		{set("e-mail", func(f *facts) { f.profile.Email = "alice@example.com" }), set("no e-mail", nothing), set("bad e-mail", func(f *facts) { f.profile.Email = "alice at example.com" })},
		{
			set("nobody", nothing),
			set("linked", func(f *facts) { linked(f, user("1", "s1")) }),
			set("linked, disabled", func(f *facts) { linked(f, disabled(user("1", "s1"))) }),
			set("linked, and another of that e-mail", func(f *facts) { linked(f, user("1", "s1")); f.byEmail = []User{user("2", "")} }),
			set("by e-mail", func(f *facts) { f.byEmail = []User{user("2", "")} }),
			set("by e-mail, disabled", func(f *facts) { f.byEmail = []User{disabled(user("2", ""))} }),
			set("by e-mail, linked to another", func(f *facts) { f.byEmail = []User{user("3", "s3")} }),
			set("two by e-mail", func(f *facts) { f.byEmail = []User{user("2", ""), user("3", "s3")} }),
		},
		{
			set("no invitation", nothing),
			set("invitation", invitation(Invitation{ConnectionID: "c1"})),
			set("invitation with role", invitation(Invitation{ConnectionID: "c1", Role: "Manager", Groups: []string{"Sales"}})),
			set("invitation of another connection", invitation(Invitation{ConnectionID: "c2"})),
			set("spent invitation", invitation(Invitation{ConnectionID: "c1", MaxUses: 1, Uses: 1})),
			set("expired invitation", invitation(Invitation{ConnectionID: "c1", Expires: decideNow})),
			set("invitation for bob", invitation(Invitation{ConnectionID: "c1", Email: "bob@example.com"})),
			set("invitation for another domain", invitation(Invitation{ConnectionID: "c1", Domains: []string{"example.org", "sub.example.com", ""}})),
			set("invitation for alice", invitation(Invitation{ConnectionID: "c1", Email: "ALICE@example.com", Domains: []string{"example.org", "@Example.com"}})),
		},
		{set("not redeemed", nothing), set("redeemed", func(f *facts) { f.redeemed = true })},
		{set("create no one", nothing), set("create on login", func(f *facts) { f.createOnLogin = true })},
		{
			groups(GroupsPresent, "x", "staff"), groups(GroupsPresent, "x"), groups(GroupsPresent, "x, staff"),
			groups(GroupsMissing), groups(GroupsEmpty), groups(GroupsOverage),
		},
		{set("no rules", nothing), set("rules", func(f *facts) {
			f.roles = []RoleRule{{Group: "bosses", Role: "Owner"}, {Group: "staff", Role: "Clerk"}, {Group: "", Role: "Nobody"}}
		})},
		{
			set("admitted", func(f *facts) { f.admit = func(User, bool) *RefusedError { return nil } }),
			set("admitted by invitation alone", func(f *facts) {
				f.admit = func(_ User, invited bool) *RefusedError {
					if invited {
						return nil
					}
					return refuse(RefusedGroups, "no")
				}
			}),
			set("not admitted", func(f *facts) { f.admit = func(User, bool) *RefusedError { return refuse(RefusedGroups, "no") } }),
		},
	}
}

// refusalRule is one line of the tables in docs/who-gets-in.md that refuses.
type refusalRule struct {
	code RefusalCode
	fits func(f *facts) bool
}

// The helpers of the rules below: who it is, told from the facts alone.
func (f *facts) isKnown() bool {
	return f.linked != nil || len(f.byEmail) == 1 && validEmail(f.profile.Email)
}

func (f *facts) isNew() bool {
	return f.linked == nil && len(f.byEmail) == 0 && validEmail(f.profile.Email)
}

// refusalRules say a second time, and in another way, what decide does: the
// first that fits is the refusal. They are the tables of the document in order.
var refusalRules = []refusalRule{
	{RefusedOff, func(f *facts) bool { return !f.ready && f.flow != FlowTest }},
	{RefusedEmail, func(f *facts) bool { return f.linked == nil && !validEmail(f.profile.Email) }},
	{RefusedAmbiguous, func(f *facts) bool { return f.linked == nil && len(f.byEmail) > 1 }},
	{RefusedTransient, func(f *facts) bool { return !f.isNew() && f.subject == "" && f.byEmail[0].Subject != "" }},
	{RefusedLinkedElsewhere, func(f *facts) bool { return f.linked == nil && f.isKnown() && f.byEmail[0].Subject != "" }},
	{RefusedNoUser, func(f *facts) bool { return f.isNew() && f.flow != FlowInvite && !f.createOnLogin }},
	{RefusedInvitation, func(f *facts) bool {
		return f.isNew() && f.flow == FlowInvite && (f.invitation == nil || f.invitation.ConnectionID != "c1")
	}},
	{RefusedInvitationSpent, func(f *facts) bool {
		return f.isNew() && f.flow == FlowInvite && !f.redeemed && (f.invitation.MaxUses == 1 || !f.invitation.Expires.IsZero())
	}},
	{RefusedInvitationEmail, func(f *facts) bool {
		return f.isNew() && f.flow == FlowInvite && (f.invitation.Email == "bob@example.com" || len(f.invitation.Domains) == 3)
	}},
	{RefusedTransient, func(f *facts) bool { return f.isNew() && f.subject == "" }},
	{RefusedDisabled, func(f *facts) bool {
		return f.linked != nil && f.linked.Disabled || f.linked == nil && f.isKnown() && f.byEmail[0].Disabled
	}},
	{RefusedGroupsMissing, func(f *facts) bool { return f.roles != nil && f.profile.GroupsState == GroupsMissing }},
	{RefusedGroupsOverage, func(f *facts) bool { return f.roles != nil && f.profile.GroupsState == GroupsOverage }},
	{RefusedGroupsDelimited, func(f *facts) bool {
		return f.roles != nil && len(f.profile.Groups) == 1 && strings.Contains(f.profile.Groups[0], "staff")
	}},
	{RefusedGroups, func(f *facts) bool { return f.admit(User{}, f.isNew() && f.flow == FlowInvite) != nil }},
}

// TestDecideExhaustively walks the product of every input of the decision, and
// compares each outcome with the rules told a second time, and with what must
// never be, whatever else is the case.
func TestDecideExhaustively(t *testing.T) {
	t.Parallel()
	dims := inputs()
	conn := readyConnection()
	at := make([]int, len(dims))
	seen := map[string]int{}
	n := 0
	for done := false; !done; n++ {
		f := facts{conn: conn, now: decideNow, profile: Profile{Name: "Alice Liddell"}}
		for i, dim := range dims {
			dim[at[i]].set(&f)
		}
		o := decide(f)
		if problem := against(&f, o); problem != "" {
			var names []string
			for i, dim := range dims {
				names = append(names, dim[at[i]].name)
			}
			t.Fatalf("%s; %s:\n%v %+v", strings.Join(names, "; "), problem, o, o)
		}
		if again := decide(f); n%97 == 0 && !reflect.DeepEqual(o, again) {
			t.Fatalf("the same facts gave another outcome (-first +second):\n%s", cmp.Diff(o, again))
		}
		what := string(o.Action)
		if o.Refusal != nil {
			what = string(o.Refusal.Code)
		}
		seen[what]++
		done = true
		for i := range at {
			if at[i]++; at[i] < len(dims[i]) {
				done = false
				break
			}
			at[i] = 0
		}
	}
	for _, r := range refusalRules {
		if seen[string(r.code)] == 0 {
			t.Errorf("no combination was refused for %s", r.code)
		}
	}
	t.Logf("%d combinations: %v", n, seen)
}

// against says what is wrong with an outcome, "" for nothing.
func against(f *facts, o *Outcome) string {
	var want RefusalCode
	for _, r := range refusalRules {
		if r.fits(f) {
			want = r.code
			break
		}
	}
	if o.Written {
		return "a decision writes nothing"
	}
	if o.Refusal != nil {
		switch {
		case want != o.Refusal.Code:
			return "want the refusal " + string(want)
		case o.Action != ActionRefuse || o.Refusal.Detail == "" || o.Refusal.Visitor() == "":
			return "a refusal says that it is one, and why"
		case len(o.Changes) > 0 || o.Invitation != nil || o.User != nil && (o.User.ID == "" || o.User.Name != "Alice" || o.User.Role != "Old"):
			return "a refusal shows the user as they are, and changes nothing"
		}
		return ""
	}
	if want != "" {
		return "want the refusal " + string(want)
	}
	return againstEntry(f, o)
}

// againstEntry judges an outcome that lets somebody in.
func againstEntry(f *facts, o *Outcome) string {
	switch u := o.User; {
	case u == nil || o.Action == ActionRefuse:
		return "whoever enters is a user"
	case u.Disabled:
		return "a disabled user never enters"
	case u.Subject != f.subject:
		return "whoever enters is linked to the NameID, and to no other"
	case f.linked != nil && u.ID != f.linked.ID:
		return "the linked user comes before any other"
	case f.linked == nil && len(f.byEmail) == 1 && u.ID != f.byEmail[0].ID:
		return "the user of the address enters"
	case (o.Action == ActionCreate) != f.isNew() || (u.ID == "") != f.isNew():
		return "whoever is new is created, and nobody else"
	case (o.Invitation != nil) != (f.isNew() && f.flow == FlowInvite):
		return "the invitation is used for a creation, and only with the invitation flow"
	case o.Invitation != nil && (len(o.Warnings) == 0) != (f.admit(User{}, false) == nil):
		return "an invitation that opens the door only once gives a warning"
	}
	role := "Old"
	if f.isNew() {
		role = "Agent"
		if f.flow == FlowInvite && f.invitation.Role != "" {
			role = f.invitation.Role
		}
	}
	if f.roles != nil && slices.Contains(f.profile.Groups, "staff") {
		role = "Clerk"
	}
	if o.User.Role != role {
		return "want the role " + role
	}
	return ""
}

// TestDecideChanges walks the product of what can change about a user who is
// there.
func TestDecideChanges(t *testing.T) {
	t.Parallel()
	n := 0
	for name, wantName := range map[string]string{"": "Alice", "Alice": "Alice", "Alice Liddell": "Alice Liddell", " \u200b ": "Alice", "Al\x00ice \u202eB": "Alice B"} {
		for email, wantEmail := range map[string]string{"": "alice@example.com", "ALICE@example.com": "alice@example.com", "al@example.com": "al@example.com",
			"taken@example.com": "alice@example.com", "no address": "alice@example.com", "аlice@example.com": "аlice@example.com"} {
			for group, wantRole := range map[string]string{"": "Old", "staff": "Clerk", "x": "Old"} {
				for _, keep := range []bool{false, true} {
					for _, isLinked := range []bool{false, true} {
						n++
						u := User{ID: "1", Email: "alice@example.com", Name: "Alice", Role: "Old", Groups: []string{"Sales"}}
						f := facts{conn: &Connection{ID: "c1", KeepNames: keep}, ready: true, flow: FlowLogin, subject: "s1", now: decideNow,
							profile: Profile{Email: email, Name: name, GroupsState: GroupsPresent, Groups: []string{group}},
							roles:   []RoleRule{{Group: "staff", Role: "Clerk"}}, admit: func(User, bool) *RefusedError { return nil }}
						want := User{ID: "1", Email: wantEmail, Name: wantName, Role: wantRole, Groups: []string{"Sales"}, Subject: "s1"}
						if keep {
							want.Name = "Alice"
						}
						if isLinked {
							u.Subject = "s1"
							f.linked = &u
						} else {
							// Found by the address, so the address is right.
							f.byEmail, f.profile.Email, want.Email = []User{u}, "ALICE@example.com", "alice@example.com"
						}
						if f.profile.Email == "taken@example.com" {
							f.byEmail = []User{{ID: "2", Email: "taken@example.com"}}
						}
						o := decide(f)
						if diff := cmp.Diff(&want, o.User); diff != "" {
							t.Fatalf("%q %q %q, keep %v, linked %v (-want +got):\n%s", name, email, group, keep, isLinked, diff)
						}
						if diff := cmp.Diff(changes(u, want), o.Changes); diff != "" || (o.Action == ActionUpdate) != !reflect.DeepEqual(u, want) {
							t.Fatalf("changes of %+v to %+v, %s (-want +got):\n%s", u, want, o.Action, diff)
						}
						warned := isLinked && (email == "taken@example.com" || email == "no address")
						if (len(o.Warnings) > 0) != warned {
							t.Fatalf("%q: warnings %q", email, o.Warnings)
						}
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// TestTheDocument holds docs/who-gets-in.md to the code: its tables have the
// rules in their order, it explains every refusal, and every test that it names
// is there.
func TestTheDocument(t *testing.T) {
	t.Parallel()
	doc := readText(t, "docs/who-gets-in.md")
	_, tables, ok := strings.Cut(doc, "## The decision\n")
	tables, _, ok2 := strings.Cut(tables, "\n## ")
	if !ok || !ok2 {
		t.Fatal("the document has no section on the decision")
	}
	var got, want []string
	for _, line := range strings.Split(tables, "\n") {
		if m := regexp.MustCompile("\\| refused: `([a-z_]+)`").FindStringSubmatch(line); m != nil {
			got = append(got, m[1])
		}
	}
	for _, r := range refusalRules {
		want = append(want, string(r.code))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the refusals in the tables (-code +document):\n%s", diff)
	}
	codes := regexp.MustCompile(`RefusalCode = "([a-z_]+)"`).FindAllStringSubmatch(readText(t, "outcome.go"), -1)
	if len(codes) < 10 {
		t.Fatalf("found %d codes", len(codes))
	}
	for _, m := range codes {
		if !strings.Contains(doc, "`"+m[1]+"`") {
			t.Errorf("the document does not explain %s", m[1])
		}
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := ""
	for _, f := range files {
		tests += readText(t, f)
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(doc, -1)
	if len(named) == 0 {
		t.Error("the document names no test")
	}
	for _, m := range named {
		if !strings.Contains(tests, "func "+m[1]+"(") {
			t.Errorf("there is no %s", m[1])
		}
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
