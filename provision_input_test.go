package sso_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
)

// TestBadInput has identity providers send what they should not. Each case ends
// in an outcome of its own, and differs in one point from the first, which
// enters.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const key = "alice"
	values := func(name string, vs ...string) func(*sso.Assertion) {
		return func(a *sso.Assertion) {
			for i := range a.Attributes {
				if a.Attributes[i].Name == name {
					a.Attributes[i].Values = vs
				}
			}
		}
	}
	drop := func(name string) func(*sso.Assertion) {
		return func(a *sso.Assertion) {
			for i := range a.Attributes {
				if a.Attributes[i].Name == name {
					a.Attributes = append(a.Attributes[:i:i], a.Attributes[i+1:]...)
					return
				}
			}
		}
	}
	subject := func(id sso.NameID) func(*sso.Assertion) { return func(a *sso.Assertion) { a.Subject = id } }
	overage := func(a *sso.Assertion) {
		drop("groups")(a)
		a.Attributes = append(a.Attributes, sso.Attribute{Name: "http://schemas.microsoft.com/claims/groups.link", Values: []string{"https://graph.windows.net/x"}})
	}
	many := make([]string, 10000)
	for i := range many {
		many[i] = fmt.Sprintf("CN=Group %d,OU=Groups,DC=example,DC=com", i)
	}
	many[9999] = "staff"
	const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	const enters = "created Alice Liddell as Clerk"
	for _, c := range []struct {
		name   string
		change func(*sso.Assertion)
		conn   func(*sso.Connection)
		want   string // the outcome, or the code of the refusal
	}{
		{"nothing", func(*sso.Assertion) {}, nil, enters},
		{"no e-mail", drop("email"), nil, "email"},
		{"an empty e-mail", values("email", ""), nil, "email"},
		{"no e-mail, but a NameID that is one", func(a *sso.Assertion) {
			drop("email")(a)
			a.Subject.Value = "alice@example.com"
		}, nil, enters},
		{"an e-mail without @", values("email", "alice"), nil, "email"},
		{"two addresses in one value", values("email", "alice@example.com,root@example.com"), nil, "email"},
		{"an e-mail with a line break", values("email", "alice@example.com\nBcc: x@example.com"), nil, "email"},
		{"an e-mail with a direction mark", values("email", "alice\u202e@example.com"), nil, "email"},
		{"an e-mail with a zero byte", values("email", "alice\x00@example.com"), nil, "email"},
		{"an enormous e-mail", values("email", strings.Repeat("a", 1<<20)+"@example.com"), nil, "email"},
		{"an e-mail of the longest length", values("email", strings.Repeat("a", 254-len("@example.com"))+"@example.com"), nil, enters},
		{"an e-mail in capitals", values("email", "ALICE@Example.com"), nil, enters},
		{"a name with control characters", values("displayName", "\x1b[2JAl\u202eice\x00 \r\nLiddell\u200b"), nil, "created [2JAlice Liddell as Clerk"},
		{"a name of nothing but control characters", values("displayName", "\x00\u202e\ufeff"), nil, "created alice@example.com as Clerk"},
		{"no name", drop("displayName"), nil, "created alice@example.com as Clerk"},
		{"an enormous name", values("displayName", strings.Repeat("Б", 1<<19)), nil, "created " + strings.Repeat("Б", 200) + " as Clerk"},
		{"10,000 groups", values("groups", many...), nil, enters},
		{"10,000 other groups", values("groups", many[:9999]...), nil, "groups"},
		{"no groups attribute", drop("groups"), nil, "groups_missing"},
		{"a groups attribute without values", values("groups"), nil, "groups_empty"},
		{"a groups attribute of blanks", values("groups", "", " "), nil, "groups_empty"},
		{"a group's name in capitals", values("groups", "STAFF"), nil, "groups"},
		{"a group's name with a look-alike", values("groups", "stаff"), nil, "groups"}, // Cyrillic а
		{"groups as one string", values("groups", "x; staff;y"), nil, "groups_delimited"},
		{"groups as one string, none of them ours", values("groups", "x;y"), nil, "groups"},
		{"groups as one string, split", values("groups", "x; staff;y"), func(c *sso.Connection) { c.Attributes.GroupSeparator = ";" }, enters},
		{"groups as one string, split at something else", values("groups", "x; staff;y"), func(c *sso.Connection) { c.Attributes.GroupSeparator = "|" }, "groups"},
		{"Entra's link in place of the groups", overage, nil, "groups_overage"},
		{"a transient NameID", subject(sso.NameID{Value: "_123", Format: transient}), nil, "transient"},
		{"a NameID of quotes", subject(sso.NameID{Value: `"a"!"b"!"c"`}), nil, enters},
		{"a NameID with qualifiers", subject(sso.NameID{Value: key, NameQualifier: "x", SPNameQualifier: "y"}), nil, enters},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			conn := testIdP().Connection(sso.ServiceProvider{})
			if c.conn != nil {
				c.conn(conn)
			}
			readyAt(conn)
			users := memstore.NewUsers()
			p := &sso.Provisioner{Users: users, Groups: sso.IdPGroups("staff"), Roles: []sso.RoleRule{{Group: "staff", Role: "Clerk"}}, CreateOnLogin: true}
			a := &sso.Assertion{Subject: sso.NameID{Value: key}, Attributes: sso.Attributes{
				{Name: "email", Values: []string{"alice@example.com"}}, {Name: "displayName", Values: []string{"Alice Liddell"}}, {Name: "groups", Values: []string{"x", "staff"}}}}
			c.change(a)
			o, err := p.SignIn(ctx, conn, a, sso.FlowLogin, "")
			var refused *sso.RefusedError
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			got := o.String()
			if refused != nil {
				got = string(refused.Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, err)
			}
			if text := fmt.Sprint(o, err); refused != nil && (len(text) > 1000 || strings.ContainsAny(text, "\x00\n\r\x1b")) {
				t.Errorf("the refusal repeats what was sent: %.200q", text)
			}
			if n := len(users.All(conn.ID)); n != 0 && refused != nil {
				t.Errorf("a refusal made %d users", n)
			}
		})
	}
}

// TestWrongCalls are mistakes of the application: none of them lets anybody in,
// and each is told from a store's failure.
func TestWrongCalls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := readyAt(testIdP().Connection(sso.ServiceProvider{}))
	conn.AllowedGroups = []string{"Sales"}
	users := memstore.NewUsers()
	users.Put(conn.ID, sso.User{Email: "alice@example.com", Groups: []string{"Sales"}, Subject: "alice"})
	p := &sso.Provisioner{Users: users}
	from := func(issuer string) *sso.Assertion { a := person("alice"); a.Issuer = issuer; return a }
	for _, c := range []struct {
		name string
		p    *sso.Provisioner
		conn *sso.Connection
		a    *sso.Assertion
		flow sso.Flow
		want string // the fields, "" for nothing wrong
	}{
		{"right", p, conn, from(conn.IdP.EntityID), sso.FlowLogin, ""},
		{"no store", &sso.Provisioner{}, conn, from(conn.IdP.EntityID), sso.FlowLogin, "Provisioner.Users"},
		{"no connection", p, nil, from(conn.IdP.EntityID), sso.FlowLogin, "connection"},
		{"no assertion", p, conn, nil, sso.FlowLogin, "assertion"},
		{"nothing at all", &sso.Provisioner{}, nil, nil, "", "Provisioner.Users connection assertion flow"},
		{"no flow", p, conn, from(conn.IdP.EntityID), "", "flow"},
		{"an unknown flow", p, conn, from(conn.IdP.EntityID), "admin", "flow"},
		{"the assertion of another identity provider", p, conn, from("https://evil.example.com"), sso.FlowLogin, "assertion"},
		{"the same in a test", p, conn, from("https://evil.example.com"), sso.FlowTest, "assertion"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, err := c.p.SignIn(ctx, c.conn, c.a, c.flow, "")
			preview, err2 := c.p.Preview(ctx, c.conn, c.a, c.flow, "")
			for _, err := range []error{err, err2} {
				if diff := cmp.Diff(c.want, strings.Join(fields(err), " ")); diff != "" {
					t.Errorf("fields (-want +got):\n%s%v", diff, err)
				}
			}
			if (o == nil) != (c.want != "") || (preview == nil) != (c.want != "") {
				t.Errorf("got the outcomes %v and %v", o, preview)
			}
		})
	}
}

// fields are the fields of joined FieldErrors.
func fields(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, fields(e)...)
		}
		return out
	}
	var f *sso.FieldError
	if errors.As(err, &f) {
		return []string{f.Field}
	}
	if err != nil {
		return []string{"no FieldError"}
	}
	return nil
}

// TestOutcomeIsAnAuditLine has an outcome go to JSON and back, without the
// invitation's secret.
func TestOutcomeIsAnAuditLine(t *testing.T) {
	t.Parallel()
	w := newOnePerson(t)
	o, err := w.come(context.Background(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.come(context.Background(), "bob")
	var refused *sso.RefusedError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for _, o := range []*sso.Outcome{o, {Action: sso.ActionRefuse, Refusal: refused}} {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var back sso.Outcome
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, &back); diff != "" {
			t.Errorf("after a way through JSON (-want +got):\n%s", diff)
		}
		if strings.Contains(string(text), `"one"`) {
			t.Errorf("the audit line holds the invitation's secret: %s", text)
		}
	}
}

// TestApplicationRefuses lets the application's own table refuse: no seat left.
func TestApplicationRefuses(t *testing.T) {
	t.Parallel()
	w := newOnePerson(t)
	w.store.beforeCreate = func() error {
		return fmt.Errorf("users: %w", &sso.RefusedError{Code: "no_seat", Detail: "all 5 seats are taken"})
	}
	o, err := w.come(context.Background(), "alice")
	var refused *sso.RefusedError
	if !errors.As(err, &refused) || refused.Code != "no_seat" || o == nil || o.String() != "refused: all 5 seats are taken" || refused.Visitor() == "" {
		t.Errorf("got %v, %v", o, err)
	}
	if n := w.uses(); n != 0 {
		t.Errorf("%d uses are counted, want 0", n)
	}
}
