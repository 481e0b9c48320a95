package sso

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var decideNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// readyConnection is on and tested.
func readyConnection() *Connection {
	c := &Connection{ID: "c1", DefaultRole: "Agent", AllowedGroups: []string{"Sales", "Support"},
		SP:  ServiceProvider{EntityID: "https://app.example.com"},
		IdP: IdentityProvider{EntityID: "https://idp.example.com", Certificates: Certificates{{Raw: []byte("a certificate")}}}, Enabled: true}
	c.LastTest = &TestRecord{Passed: true, Fingerprints: c.fingerprints()}
	return c
}

// TestDecideExhaustively walks the product of every input of the decision and
// holds each outcome to the rules, told a second time and another way round:
// which outcomes may never be, whatever else is the case.
func TestDecideExhaustively(t *testing.T) {
	t.Parallel()
	linked := func() *User { return &User{ID: "1", Email: "alice@example.com", Name: "Alice", Subject: "s1"} }
	other := User{ID: "2", Email: "alice@example.com", Name: "Other"}
	taken := User{ID: "3", Email: "alice@example.com", Name: "Taken", Subject: "s3"}
	invitations := map[string]*Invitation{
		"none": nil, "good": {ConnectionID: "c1"}, "role": {ConnectionID: "c1", Role: "Manager", Groups: []string{"Sales"}},
		"foreign": {ConnectionID: "c2"}, "spent": {ConnectionID: "c1", MaxUses: 1, Uses: 1},
		"expired": {ConnectionID: "c1", Expires: decideNow}, "for bob": {ConnectionID: "c1", Email: "bob@example.com"},
		"for example.org": {ConnectionID: "c1", Domains: []string{"example.org"}}, "for alice": {ConnectionID: "c1", Email: "ALICE@example.com", Domains: []string{"Example.com"}},
	}
	n := 0
	for _, on := range []bool{true, false} {
		for _, flow := range []Flow{FlowLogin, FlowInvite, FlowTest} {
			for _, subject := range []string{"s1", ""} {
				for _, email := range []string{"alice@example.com", "", "not an address"} {
					for _, found := range []string{"nobody", "linked", "disabled", "by e-mail", "taken", "two", "linked and other"} {
						for inv := range invitations {
							for _, redeemed := range []bool{false, true} {
								for _, create := range []bool{false, true} {
									for _, state := range []GroupsState{GroupsPresent, GroupsMissing, GroupsEmpty, GroupsOverage} {
										for _, rules := range []bool{false, true} {
											for _, admits := range []bool{true, false} {
												f := facts{conn: readyConnection(), flow: flow, subject: subject, invitation: invitations[inv], redeemed: redeemed, createOnLogin: create, now: decideNow,
													profile: Profile{Email: email, Name: "Alice Liddell", GroupsState: state}}
												f.conn.Enabled = on
												if state == GroupsPresent {
													f.profile.Groups = []string{"staff"}
												}
												if rules {
													f.roles = []RoleRule{{Group: "bosses", Role: "Owner"}, {Group: "staff", Role: "Clerk"}}
												}
												switch found {
												case "linked":
													f.linked = linked()
												case "disabled":
													f.linked = linked()
													f.linked.Disabled = true
												case "by e-mail":
													f.byEmail = []User{other}
												case "taken":
													f.byEmail = []User{taken}
												case "two":
													f.byEmail = []User{other, taken}
												case "linked and other":
													f.linked, f.byEmail = linked(), []User{other}
												}
												if subject == "" {
													f.linked = nil
												}
												f.admit = func(User, bool) *RefusedError {
													if admits {
														return nil
													}
													return refuse(RefusedGroups, "no")
												}
												o := decide(f)
												holdToRules(t, f, o, inv, admits)
												if again := decide(f); !reflect.DeepEqual(o, again) {
													t.Fatalf("the same facts gave another outcome (-first +second):\n%s", cmp.Diff(o, again))
												}
												n++
											}
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// holdToRules states what must be true of any outcome.
func holdToRules(t *testing.T, f facts, o *Outcome, inv string, admits bool) {
	t.Helper()
	bad := func(rule string) {
		t.Helper()
		t.Fatalf("%s:\nflow %s, subject %q, email %q, linked %v, byEmail %v, invitation %s (redeemed %v), create %v, groups %s, on %v\ngot %+v", rule,
			f.flow, f.subject, f.profile.Email, f.linked, f.byEmail, inv, f.redeemed, f.createOnLogin, f.profile.GroupsState, f.conn.Enabled, o)
	}
	entered := o.Action != ActionRefuse
	if entered == (o.Refusal != nil) {
		bad("an outcome is either a refusal or not")
	}
	if o.Written {
		bad("a decision writes nothing")
	}
	if !entered {
		if o.Refusal.Detail == "" || o.Refusal.Visitor() == "" {
			bad("a refusal says why")
		}
		return
	}
	switch {
	case f.flow != FlowTest && !f.conn.Enabled:
		bad("nobody enters by a connection that is off")
	case !admits:
		bad("nobody enters whom the policy does not admit")
	case o.User == nil:
		bad("whoever enters is a user")
	case o.User.Disabled:
		bad("a disabled user never enters")
	case len(f.roles) > 0 && (f.profile.GroupsState == GroupsMissing || f.profile.GroupsState == GroupsOverage):
		bad("a rule about groups is never skipped because they did not come")
	case o.User.Subject != "" && o.User.Subject != f.subject:
		bad("a user linked to another person never enters")
	case len(f.byEmail) > 1 && f.linked == nil:
		bad("an address of two users lets nobody in")
	case f.linked != nil && o.User.ID != f.linked.ID:
		bad("the linked user comes before any other")
	case f.linked == nil && !validEmail(f.profile.Email):
		bad("nobody is recognised by an address that is none")
	}
	if o.Action != ActionCreate {
		if o.User.ID == "" {
			bad("only a creation makes a new user")
		}
		return
	}
	switch {
	case f.linked != nil || len(f.byEmail) > 0:
		bad("an existing user is not created again")
	case f.subject == "":
		bad("a user who could not be recognised again is not created")
	case f.flow == FlowLogin && !f.createOnLogin:
		bad("a plain login creates nobody unless the application says so")
	case f.flow == FlowInvite && !(inv == "good" || inv == "role" || inv == "for alice" || f.redeemed && (inv == "spent" || inv == "expired")):
		bad("only an invitation that holds creates a user")
	}
	wantRole := "Agent"
	if f.flow == FlowInvite && inv == "role" {
		wantRole = "Manager"
	}
	if len(f.roles) > 0 && f.profile.GroupsState == GroupsPresent {
		wantRole = "Clerk"
	}
	if o.User.Role != wantRole {
		bad("the role is " + o.User.Role + ", want " + wantRole)
	}
}

func TestDecideGolden(t *testing.T) {
	t.Parallel()
	admit := func(User, bool) *RefusedError { return nil }
	base := func(change func(f *facts)) facts {
		f := facts{conn: readyConnection(), flow: FlowLogin, subject: "s1", now: decideNow, admit: admit,
			profile: Profile{Email: "alice@example.com", Name: "Alice Liddell", GroupsState: GroupsMissing}}
		change(&f)
		return f
	}
	alice := func(change func(u *User)) *User {
		u := &User{ID: "1", Email: "alice@example.com", Name: "Alice Liddell", Role: "Agent", Groups: []string{"Sales"}, Subject: "s1"}
		if change != nil {
			change(u)
		}
		return u
	}
	for _, c := range []struct {
		name  string
		facts facts
		want  string
		warn  string
	}{
		{"enters", base(func(f *facts) { f.linked = alice(nil) }), "would let Alice Liddell in", ""},
		{"renamed", base(func(f *facts) { f.linked = alice(func(u *User) { u.Name = "Alice Pleasance" }) }), "would rename Alice Pleasance to Alice Liddell, would let Alice Liddell in", ""},
		{"not renamed by nothing", base(func(f *facts) { f.linked = alice(nil); f.profile.Name = " \u200b " }), "would let Alice Liddell in", ""},
		{"not renamed where that is off", base(func(f *facts) { f.linked = alice(func(u *User) { u.Name = "Boss" }); f.conn.KeepNames = true }), "would let Boss in", ""},
		{"the address follows the linked subject", base(func(f *facts) { f.linked = alice(func(u *User) { u.Email = "old@example.com" }) }), "would change the email of Alice Liddell to alice@example.com, would let Alice Liddell in", ""},
		{"the address of somebody else does not", base(func(f *facts) {
			f.linked = alice(func(u *User) { u.Email = "old@example.com" })
			f.byEmail = []User{{ID: "2", Email: "alice@example.com"}}
		}), "would let Alice Liddell in", "belongs to another user"},
		{"a malformed address does not", base(func(f *facts) { f.linked = alice(nil); f.profile.Email = "alice at example" }), "would let Alice Liddell in", "malformed"},
		{"linked by address", base(func(f *facts) { f.byEmail = []User{*alice(func(u *User) { u.Subject = "" })} }), "would link Alice Liddell to the identity provider, would let Alice Liddell in", ""},
		{"created by an invitation", base(func(f *facts) { f.flow = FlowInvite; f.invitation = &Invitation{ConnectionID: "c1", Role: "Manager"} }), "would create Alice Liddell as Manager", ""},
		{"created with the default role and groups", base(func(f *facts) {
			f.flow, f.invitation = FlowInvite, &Invitation{ConnectionID: "c1", Groups: []string{"Support"}}
		}), "would create Alice Liddell as Agent in Support", ""},
		{"created without a name", base(func(f *facts) {
			f.flow, f.invitation, f.profile.Name = FlowInvite, &Invitation{ConnectionID: "c1"}, ""
		}), "would create alice@example.com as Agent", ""},
		{"no user", base(func(*facts) {}), "refused: not a user yet, and this is no invitation", ""},
		{"off", base(func(f *facts) { f.conn.Enabled = false; f.linked = alice(nil) }), "refused: the connection is not on", ""},
		{"changed since its test", base(func(f *facts) { f.conn.ClockSkew = 1; f.linked = alice(nil) }), "refused: the connection is not on", ""},
		{"tested while off", base(func(f *facts) { f.conn.Enabled = false; f.flow = FlowTest; f.linked = alice(nil) }), "would let Alice Liddell in", ""},
		{"disabled", base(func(f *facts) { f.linked = alice(func(u *User) { u.Disabled = true }) }), "refused: the user is disabled", ""},
		{"two of one address", base(func(f *facts) { f.byEmail = []User{{ID: "1"}, {ID: "2"}} }), "refused: 2 users have this e-mail address", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := decide(c.facts)
			if diff := cmp.Diff(c.want, o.String()); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if warned := strings.Join(o.Warnings, "\n"); !strings.Contains(warned, c.warn) || c.warn == "" && warned != "" {
				t.Errorf("warnings %q, want %q", warned, c.warn)
			}
		})
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  Alice \t Liddell\n":             "Alice Liddell",
		"Алиса Лидделл":                    "Алиса Лидделл",
		"a\x00b\x1b[31mc":                  "ab[31mc",
		"\u202eecila":                      "ecila",
		"👩\u200d💻 Ada":                     "👩\u200d💻 Ada",
		"bad\xffbyte":                      "badbyte",
		strings.Repeat("я", 5000):          strings.Repeat("я", maxName),
		"\u200b\u2060":                     "",
		strings.Repeat("\u200d", 10) + "a": "a",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestEmails(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Alice@Example.COM ": "alice@example.com",
		"Ärger@example.com":   "Ärger@example.com", // beyond ASCII nothing is folded
		"İ@example.com":       "İ@example.com",
		"аlice@example.com":   "аlice@example.com", // Cyrillic а is no a
	} {
		if got := NormalizeEmail(in); got != want {
			t.Errorf("NormalizeEmail(%q) is %q, want %q", in, got, want)
		}
	}
	if NormalizeEmail("аlice@example.com") == NormalizeEmail("alice@example.com") || NormalizeEmail("\u212a@example.com") == NormalizeEmail("k@example.com") {
		t.Error("look-alikes are taken for one address")
	}
	for _, c := range []struct {
		in   string
		want bool
	}{
		{"a@b", true}, {"алиса@пример.рф", true}, {"a+b@example.com", true},
		{"", false}, {"a", false}, {"@b", false}, {"a@", false}, {"a@b@c", false}, {"a b@c", false}, {"a@b\n", false}, {"a\u200b@b", false},
		{"a\x00@b", false}, {"a\xff@b", false}, {strings.Repeat("a", 250) + "@b.c", true}, {strings.Repeat("a", 251) + "@b.c", false},
	} {
		if got := validEmail(c.in); got != c.want {
			t.Errorf("validEmail(%q) is %v, want %v", c.in, got, c.want)
		}
	}
}

func TestSubjectKey(t *testing.T) {
	t.Parallel()
	c := readyConnection()
	key := c.SubjectKey
	if key(NameID{Value: "x", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}) != "" || key(NameID{}) != "" {
		t.Error("a transient or empty NameID has a key")
	}
	same := []NameID{{Value: "x"}, {Value: "x", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
		{Value: "x", NameQualifier: "https://idp.example.com"}, {Value: "x", SPNameQualifier: "https://app.example.com", NameQualifier: "https://idp.example.com"}}
	for _, id := range same {
		if key(id) != "x" {
			t.Errorf("the key of %+v is %q, want x", id, key(id))
		}
	}
	apart := []NameID{{Value: "x"}, {Value: "X"}, {Value: "x", NameQualifier: "q"}, {Value: "x", SPNameQualifier: "q"}, {Value: `"q"!""!"x"`}, {Value: `q!!x`},
		{Value: `x"`, NameQualifier: "q"}, {Value: "x", NameQualifier: `q"!"`}}
	var keys []string
	for _, id := range apart {
		k := key(id)
		if k == "" || slices.Contains(keys, k) {
			t.Errorf("the key %q of %+v is empty or another's", k, id)
		}
		keys = append(keys, k)
	}
}
