package sso

import (
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

func TestDecideGolden(t *testing.T) {
	t.Parallel()
	admit := func(User, bool) *RefusedError { return nil }
	base := func(change func(f *facts)) facts {
		f := facts{conn: readyConnection(), flow: FlowLogin, subject: "s1", now: decideNow, admit: admit,
			profile: Profile{Email: "alice@example.com", Name: "Alice Liddell", GroupsState: GroupsMissing}}
		change(&f)
		f.ready = f.conn.Ready()
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
		{"created with a name where names are kept afterwards", base(func(f *facts) {
			f.flow, f.invitation, f.conn.KeepNames = FlowInvite, &Invitation{ConnectionID: "c1"}, true
		}), "would create Alice Liddell as Agent", ""},
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
		{Value: `x"`, NameQualifier: "q"}, {Value: "x", NameQualifier: `q"!"`}, {Value: `"sha256"!00`}, {Value: strings.Repeat("x", 512)},
		{Value: strings.Repeat("x", 513)}, {Value: strings.Repeat("x", 1<<20)}, {Value: strings.Repeat("x", 1<<20), NameQualifier: "q"}}
	var keys []string
	for _, id := range apart {
		k := key(id)
		if k == "" || len(k) > 512 || slices.Contains(keys, k) {
			t.Errorf("the key %.600q of %.600q is empty, too long, or another's", k, id.Value)
		}
		keys = append(keys, k)
	}
}
