package sso_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
)

// FuzzSignIn has anything come as a NameID, an address, a name and groups. What
// is stored is fit to be stored, the preview tells it beforehand, and whoever
// was created enters the second time as the same user, with nothing to change.
func FuzzSignIn(f *testing.F) {
	f.Add("alice", "", "alice@example.com", "Alice Liddell", "staff\nx")
	f.Add(`"a"!"b"!"c"`, "q", "ALICE@EXAMPLE.COM", "\x00\u202e", "x,staff")
	f.Add("x", "", "a@b@c", strings.Repeat("я", 300), "")
	f.Add("👩\u200d💻", "\xff", "ä@ö", "\u200d\u200d 👩\u200d💻 ", "*\nbosses")
	f.Fuzz(func(t *testing.T, id, qualifier, email, name, groups string) {
		ctx := context.Background()
		conn := readyAt(&sso.Connection{ID: "c", IdP: sso.IdentityProvider{Certificates: testIdP().Connection(sso.ServiceProvider{}).IdP.Certificates}})
		users := memstore.NewUsers()
		p := &sso.Provisioner{Users: users, Groups: sso.AnyOf(sso.IdPGroups("staff"), sso.AdmitAll), CreateOnLogin: true, Roles: []sso.RoleRule{{Group: "bosses", Role: "Owner"}, {Group: "*", Role: "Clerk"}}}
		a := &sso.Assertion{Subject: sso.NameID{Value: id, NameQualifier: qualifier}, Attributes: sso.Attributes{
			{Name: "email", Values: []string{email}}, {Name: "displayName", Values: []string{name}}, {Name: "groups", Values: strings.Split(groups, "\n")}}}
		preview, err := p.Preview(ctx, conn, a, sso.FlowLogin, "")
		if err != nil {
			t.Fatal(err)
		}
		o, err := p.SignIn(ctx, conn, a, sso.FlowLogin, "")
		var refused *sso.RefusedError
		if errors.As(err, &refused) {
			if diff := cmp.Diff(preview, o); diff != "" || len(users.All("c")) > 0 {
				t.Fatalf("a refusal wrote, or was not foretold (-preview +did):\n%s", diff)
			}
			return
		}
		if err != nil || o.Action != sso.ActionCreate {
			t.Fatalf("got %v, %v", o, err)
		}
		u := *o.User
		u.ID = ""
		if diff := cmp.Diff(*preview.User, u); diff != "" {
			t.Fatalf("preview and sign-in differ (-preview +did):\n%s", diff)
		}
		bad := func(r rune) bool { return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) && r != '\u200d' }
		if n := utf8.RuneCountInString(u.Name); n == 0 || n > 254 || !utf8.ValidString(u.Name) || strings.ContainsFunc(u.Name, bad) {
			t.Fatalf("the name %q was stored", u.Name)
		}
		if len(u.Email) > 254 || strings.Count(u.Email, "@") != 1 || strings.ContainsFunc(u.Email, bad) || u.Role != "Clerk" && u.Role != "Owner" {
			t.Fatalf("%+v was stored", u)
		}
		again, err := p.SignIn(ctx, conn, a, sso.FlowLogin, "")
		if err != nil || again.Action != sso.ActionEnter || again.User.ID != o.User.ID {
			t.Fatalf("the second time: %v, %v, want %s to enter", again, err, o.User.ID)
		}
	})
}

// FuzzSubjectKey holds keys apart: two NameIDs have one key only if they name
// the same person.
func FuzzSubjectKey(f *testing.F) {
	f.Add("x", "", "", "x", "idp", "sp")
	f.Add(`"q"!""!"x"`, "", "", "x", "q", "")
	f.Add(`x"!"`, "q", "", "x", `q"!"`, "")
	c := &sso.Connection{SP: sso.ServiceProvider{EntityID: "sp"}, IdP: sso.IdentityProvider{EntityID: "idp"}}
	f.Fuzz(func(t *testing.T, v1, n1, s1, v2, n2, s2 string) {
		// The parties to the connection say nothing as qualifiers.
		bare := func(value, nq, spnq string) string {
			if nq == "idp" {
				nq = ""
			}
			if spnq == "sp" {
				spnq = ""
			}
			return fmt.Sprintf("%x %x %x", value, nq, spnq)
		}
		one := c.SubjectKey(sso.NameID{Value: v1, NameQualifier: n1, SPNameQualifier: s1})
		two := c.SubjectKey(sso.NameID{Value: v2, NameQualifier: n2, SPNameQualifier: s2, Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"})
		if v1 == "" || v2 == "" {
			return
		}
		if len(one) > 512 || len(two) > 512 {
			t.Errorf("keys of %d and %d bytes", len(one), len(two))
		}
		if (one == two) != (bare(v1, n1, s1) == bare(v2, n2, s2)) {
			t.Errorf("%q %q %q has the key %q, and %q %q %q has %q", v1, n1, s1, one, v2, n2, s2, two)
		}
	})
}

// BenchmarkSignIn lets somebody in who is a user already, the IdP's groups
// deciding: the cost of who may enter, beside that of the verification.
func BenchmarkSignIn(b *testing.B) {
	for _, n := range []int{5, 10000} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			ctx := context.Background()
			conn := readyAt(testIdP().Connection(sso.ServiceProvider{}))
			users := memstore.NewUsers()
			users.Put(conn.ID, sso.User{Email: "alice@example.com", Name: "alice@example.com", Subject: "alice"})
			p := &sso.Provisioner{Users: users, Groups: sso.IdPGroups("staff"), Roles: []sso.RoleRule{{Group: "bosses", Role: "Owner"}, {Group: "*", Role: "Clerk"}}}
			a := person("alice")
			groups := make([]string, n)
			for i := range groups {
				groups[i] = fmt.Sprint("group ", i)
			}
			groups[n-1] = "staff"
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "groups", Values: groups})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.SignIn(ctx, conn, a, sso.FlowLogin, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
