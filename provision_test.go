package sso_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssotest"
)

// TestStory is the life of a connection from draft to the second sign-in of
// somebody whose name changed, with the stores in memory.
func TestStory(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	idp := testIdP()
	users, invitations := memstore.NewUsers(), memstore.NewInvitations()
	var events []string
	p := &sso.Provisioner{Users: users, Invitations: invitations, Now: func() time.Time { return noon },
		Observer: sso.ObserverFunc(func(_ context.Context, e sso.Event) { events = append(events, string(e.Kind)) })}
	conn := idp.Connection(sso.ServiceProvider{})
	conn.DefaultRole, conn.AllowedGroups = "Agent", []string{"Sales"}
	n := 0
	sign := func(login ssotest.Login, o ssotest.Options, flow sso.Flow, code string) (*sso.Outcome, error) {
		t.Helper()
		n++
		id := fmt.Sprint("_r", n)
		form, err := idp.Respond(ssotest.RequestTo(conn, id), login, o)
		if err != nil {
			t.Fatal(err)
		}
		vo := sso.VerifyOptions{RequestID: id, CurrentTime: noon}
		a, err := conn.VerifyResponse(ctx, form, vo)
		if flow == sso.FlowTest {
			conn.RecordTest(conn.InspectResponse(ctx, form, vo), noon, "admin", "")
		}
		if err != nil {
			return nil, err
		}
		return p.SignIn(ctx, conn, a, flow, code)
	}
	step := func(name string, o *sso.Outcome, err error, want string) {
		t.Helper()
		got := ""
		if o != nil {
			got = o.String()
		} else {
			got = string(reasonOf(err))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	dora := ssotest.Login{Email: "dora@example.com", FirstName: "Dora", LastName: "Maar"}
	users.Put(conn.ID, sso.User{Email: "alice@example.com", Name: "alice", Role: "Manager", Groups: []string{"Sales"}})
	users.Put(conn.ID, sso.User{Email: "bob@example.com", Name: "Bob", Groups: []string{"Billing"}})

	if err := conn.Enable(); err == nil || conn.Ready() {
		t.Error("a connection was switched on without a test")
	}
	o, err := sign(alice, ssotest.Options{Misbehave: "wrong-audience"}, sso.FlowTest, "")
	step("test with a wrong audience", o, err, "audience")
	if err := conn.Enable(); err == nil {
		t.Error("a connection was switched on after a test that failed")
	}
	o, err = sign(alice, ssotest.Options{}, sso.FlowTest, "")
	step("test", o, err, "would rename alice to Alice Liddell, would link Alice Liddell to the identity provider, would let Alice Liddell in")
	if u := users.All(conn.ID)[0]; u.Name != "alice" || u.Subject != "" {
		t.Errorf("the test changed a user: %+v", u)
	}
	o, err = sign(alice, ssotest.Options{}, sso.FlowLogin, "")
	step("login while off", o, err, "refused: the connection is not on")
	if err := conn.Enable(); err != nil {
		t.Fatal(err)
	}

	o, err = sign(alice, ssotest.Options{}, sso.FlowLogin, "")
	step("a member enters", o, err, "renamed alice to Alice Liddell, linked Alice Liddell to the identity provider, let Alice Liddell in")
	o, err = sign(ssotest.Login{Email: "bob@example.com"}, ssotest.Options{}, sso.FlowLogin, "")
	step("a member of another group", o, err, "refused: in none of the groups Sales")
	var refused *sso.RefusedError
	if !errors.As(err, &refused) || refused.Code != sso.RefusedGroups {
		t.Errorf("got %v, want a RefusedError for groups", err)
	}
	o, err = sign(dora, ssotest.Options{}, sso.FlowLogin, "")
	step("somebody new", o, err, "refused: not a user yet, and this is no invitation")

	link := sso.Invitation{Code: "link", ConnectionID: conn.ID, Groups: []string{"Sales"}}
	if err := invitations.PutInvitation(ctx, link); err != nil {
		t.Fatal(err)
	}
	o, err = sign(dora, ssotest.Options{}, sso.FlowInvite, "link")
	step("somebody new with the link", o, err, "created Dora Maar as Agent in Sales")
	dora.LastName = "Markovitch"
	o, err = sign(dora, ssotest.Options{}, sso.FlowLogin, "")
	step("the second time, with another name", o, err, "renamed Dora Maar to Dora Markovitch, let Dora Markovitch in")

	conn.IdP.Certificates = sso.Certificates{ssotest.NewIdP(ssotest.Config{Profile: ssotest.Okta, Key: freshKey(t)}).Certificate()}
	if diff := cmp.Diff([]string{"IdP.Certificates"}, conn.ChangedSinceTest()); diff != "" || conn.Ready() {
		t.Errorf("after the certificate was replaced (-want +got):\n%s", diff)
	}
	want := "user_refused user_changed user_refused user_refused user_created user_changed"
	if diff := cmp.Diff(want, strings.Join(events, " ")); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func freshKey(t *testing.T) *sso.KeyPair {
	t.Helper()
	pair := vectorKey(t, "idp2")
	return &pair
}

// readyAt switches a connection on as a test that passed would.
func readyAt(conn *sso.Connection) *sso.Connection {
	conn.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, noon, "admin", "")
	conn.Enabled = true
	return conn
}

// TestPreviewIsWhatSignInDoes makes random worlds and compares.
func TestPreviewIsWhatSignInDoes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	idp := testIdP()
	kinds := map[sso.Action]int{}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		conn := readyAt(idp.Connection(sso.ServiceProvider{}))
		conn.AllowedGroups = []string{"Sales"}
		conn.DefaultRole, conn.KeepNames = pick("", "Agent"), r.IntN(4) == 0
		users, invitations := memstore.NewUsers(), memstore.NewInvitations()
		for i := range r.IntN(4) {
			users.Put(conn.ID, sso.User{Email: pick("", "a@example.com", "b@example.com", "A@Example.com"), Name: pick("", "Ann", "Bo"), Subject: pick("", fmt.Sprint("s", i+1)),
				Groups: []string{pick("Sales", "Other")}, Disabled: r.IntN(6) == 0, Role: pick("", "Agent")})
		}
		inv := sso.Invitation{Code: "code", ConnectionID: conn.ID, MaxUses: r.IntN(2), Email: pick("", "", "a@example.com"), Role: pick("", "Boss")}
		if err := invitations.PutInvitation(ctx, inv); err != nil {
			t.Fatal(err)
		}
		p := &sso.Provisioner{Users: users, Invitations: invitations, CreateOnLogin: r.IntN(3) == 0, Now: func() time.Time { return noon }}
		p.Groups = []sso.GroupPolicy{nil, sso.AdmitAll, sso.IdPGroups("staff"), sso.AnyOf(nil, sso.IdPGroups("staff"))}[r.IntN(4)]
		if r.IntN(3) == 0 {
			p.Roles = []sso.RoleRule{{Group: "bosses", Role: "Owner"}, {Group: pick("*", "staff"), Role: "Clerk"}}
		}
		a := &sso.Assertion{Subject: sso.NameID{Value: pick("s1", "s2", "s3")}, Attributes: sso.Attributes{
			{Name: "email", Values: []string{pick("a@example.com", "b@example.com", "c@example.com", "", "bad")}}, {Name: "displayName", Values: []string{pick("Ann", "Bo Li", "")}}}}
		if r.IntN(4) > 0 {
			a.Attributes = append(a.Attributes, sso.Attribute{Name: "groups", Values: []string{"x", pick("staff", "bosses", "other")}[r.IntN(2):]})
		}
		flow := sso.Flow(pick("login", "invite"))
		code := pick("code", "code", "unknown")

		before := users.All(conn.ID)
		preview, err := p.Preview(ctx, conn, a, flow, code)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, users.All(conn.ID)); diff != "" {
			t.Fatalf("seed %d: the preview wrote:\n%s", seed, diff)
		}
		did, err := p.SignIn(ctx, conn, a, flow, code)
		var refused *sso.RefusedError
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		kinds[did.Action]++
		if preview.Written || did.Written != (did.Refusal == nil) {
			t.Fatalf("seed %d: written is %v and %v", seed, preview.Written, did.Written)
		}
		id := ""
		if did.User != nil && did.Action == sso.ActionCreate {
			id, did.User.ID = did.User.ID, ""
		}
		did.Written = false
		if diff := cmp.Diff(preview, did); diff != "" {
			t.Fatalf("seed %d: preview and sign-in differ (-preview +did):\n%s", seed, diff)
		}
		if did.Refusal != nil {
			if diff := cmp.Diff(before, users.All(conn.ID)); diff != "" {
				t.Fatalf("seed %d: a refusal wrote:\n%s", seed, diff)
			}
			continue
		}
		found, err := users.UserBySubject(ctx, conn.ID, did.Subject)
		if err != nil {
			t.Fatalf("seed %d: %v after %+v", seed, err, did)
		}
		if id != "" {
			did.User.ID = id
		}
		if diff := cmp.Diff(did.User, found); diff != "" {
			t.Fatalf("seed %d: the store has another user (-outcome +store):\n%s", seed, diff)
		}
	}
	if len(kinds) != 4 {
		t.Errorf("the worlds led to %v only", kinds)
	}
}

// TestSignInCutOff is a process that dies between counting the invitation and
// creating the user: the person comes back and gets in, nobody else does.
func TestSignInCutOff(t *testing.T) {
	t.Parallel()
	w := newOnePerson(t)
	w.store.beforeCreate = func() error { panic("killed") }
	func() {
		defer func() { _ = recover() }()
		_, _ = w.come(context.Background(), "alice")
	}()
	w.store.beforeCreate = nil
	if o, err := w.come(context.Background(), "bob"); err == nil {
		t.Errorf("somebody else got in: %v", o)
	}
	if o, err := w.come(context.Background(), "alice"); err != nil || o.Action != sso.ActionCreate {
		t.Errorf("the person did not get in: %v, %v", o, err)
	}
}

// TestSignInAtOnce has one person come through many tabs at once.
func TestSignInAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	conn := readyAt(testIdP().Connection(sso.ServiceProvider{}))
	conn.AllowedGroups = []string{"Sales"}
	users, invitations := memstore.NewUsers(), memstore.NewInvitations()
	if err := invitations.PutInvitation(ctx, sso.Invitation{Code: "one", ConnectionID: conn.ID, MaxUses: 1, Groups: []string{"Sales"}}); err != nil {
		t.Fatal(err)
	}
	p := &sso.Provisioner{Users: users, Invitations: invitations, Now: func() time.Time { return noon }}
	a := &sso.Assertion{Subject: sso.NameID{Value: "s1"}, Attributes: sso.Attributes{{Name: "email", Values: []string{"a@example.com"}}}}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := p.SignIn(ctx, conn, a, sso.FlowInvite, "one"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	inv, _, err := invitations.Invitation(ctx, "one", "", noon)
	if n := len(users.All(conn.ID)); n != 1 || err != nil || inv.Uses != 1 {
		t.Errorf("%d users and %d uses (%v), want 1 and 1", n, inv.Uses, err)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	in := func(state sso.GroupsState, idp []string, own ...string) sso.Admission {
		return sso.Admission{Connection: &sso.Connection{AllowedGroups: []string{"Sales", ""}}, User: sso.User{Groups: own}, Profile: sso.Profile{Groups: idp, GroupsState: state}}
	}
	none := in(sso.GroupsMissing, nil, "Sales")
	none.Connection = &sso.Connection{}
	invited := in(sso.GroupsMissing, nil)
	invited.Invited = true
	many := make([]string, 10000)
	for i := range many {
		many[i] = fmt.Sprint("group ", i)
	}
	down := sso.GroupPolicyFunc(func(context.Context, sso.Admission) error { return errors.New("down") })
	staff := sso.IdPGroups("staff", "group 9999", "")
	for _, c := range []struct {
		name   string
		policy sso.GroupPolicy
		who    sso.Admission
		want   string // refusal code, "" for admitted, "error" for another error
	}{
		{"allowed: member", sso.AllowedGroups, in(sso.GroupsMissing, nil, "Sales"), ""},
		{"allowed: other group", sso.AllowedGroups, in(sso.GroupsMissing, nil, "Billing"), "groups"},
		{"allowed: an empty name is no group", sso.AllowedGroups, in(sso.GroupsMissing, nil, ""), "groups"},
		{"allowed: the IdP's group of that name does not count", sso.AllowedGroups, in(sso.GroupsPresent, []string{"Sales"}), "groups"},
		{"allowed: none chosen admits nobody", sso.AllowedGroups, none, "groups"},
		{"allowed: invited", sso.AllowedGroups, invited, ""},
		{"admit all", sso.AdmitAll, in(sso.GroupsMissing, nil), ""},
		{"idp: member", staff, in(sso.GroupsPresent, []string{"x", "staff"}), ""},
		{"idp: last of 10,000", staff, in(sso.GroupsPresent, many), ""},
		{"idp: other group", staff, in(sso.GroupsPresent, []string{"Staff"}), "groups"},
		{"idp: an empty name is no group", staff, in(sso.GroupsPresent, []string{""}), "groups"},
		{"idp: missing", staff, in(sso.GroupsMissing, nil), "groups_missing"},
		{"idp: empty", staff, in(sso.GroupsEmpty, nil), "groups_empty"},
		{"idp: overage", staff, in(sso.GroupsOverage, nil), "groups_overage"},
		{"idp: an invitation does not stand in", staff, invited, "groups_missing"},
		{"idp: no names admits nobody", sso.IdPGroups(), in(sso.GroupsPresent, []string{"x"}), "groups"},
		{"all: both", sso.AllOf(sso.AllowedGroups, staff), in(sso.GroupsPresent, []string{"staff"}, "Sales"), ""},
		{"all: one", sso.AllOf(sso.AllowedGroups, staff), in(sso.GroupsPresent, []string{"other"}, "Sales"), "groups"},
		{"all: of nothing", sso.AllOf(), in(sso.GroupsPresent, nil), "groups"},
		{"any: second", sso.AnyOf(staff, sso.AllowedGroups), in(sso.GroupsOverage, nil, "Sales"), ""},
		{"any: none", sso.AnyOf(sso.AllowedGroups, staff), in(sso.GroupsOverage, nil), "groups_overage"},
		{"any: none, the other way round", sso.AnyOf(staff, sso.AllowedGroups), in(sso.GroupsOverage, nil), "groups_overage"},
		{"any: down before one that refuses", sso.AnyOf(down, staff), in(sso.GroupsPresent, nil), "error"},
		{"any: nil is the allowed groups", sso.AnyOf(staff, nil), in(sso.GroupsMissing, nil, "Sales"), ""},
		{"all: nil is the allowed groups", sso.AllOf(sso.AdmitAll, nil), in(sso.GroupsMissing, nil, "Billing"), "groups"},
		{"idp: one string", staff, in(sso.GroupsPresent, []string{"x|staff"}), "groups_delimited"},
		{"idp: one of two is a string with a comma", staff, in(sso.GroupsPresent, []string{"x,staff", "y"}), "groups"},
		{"idp: a part of a name", staff, in(sso.GroupsPresent, []string{"staffing, x"}), "groups"},
		{"any: of nothing", sso.AnyOf(), in(sso.GroupsPresent, nil), "groups"},
		{"any: down, but another admits", sso.AnyOf(down, sso.AdmitAll), in(sso.GroupsPresent, nil), ""},
		{"any: down", sso.AnyOf(down), in(sso.GroupsPresent, nil), "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.policy.Admit(ctx, c.who)
			got := ""
			var refused *sso.RefusedError
			switch {
			case errors.As(err, &refused):
				got = string(refused.Code)
			case err != nil:
				got = "error"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func TestRoleRules(t *testing.T) {
	t.Parallel()
	rules := []sso.RoleRule{{Group: "", Role: "Nobody"}, {Group: "admins", Role: "Owner"}, {Group: "staff", Role: "Clerk"}, {Group: "admins", Role: "Later"}}
	rest := append(rules[:4:4], sso.RoleRule{Group: "*", Role: "Guest"}, sso.RoleRule{Group: "x", Role: "Too late"})
	many := make([]string, 10000)
	for i := range many {
		many[i] = fmt.Sprint("group ", i)
	}
	for _, c := range []struct {
		name   string
		rules  []sso.RoleRule
		groups []string // nil: no attribute
		want   string   // the role, or the code of the refusal
	}{
		{"none", nil, nil, "Old"},
		{"the first that fits", rules, []string{"staff", "admins"}, "Owner"},
		{"another fits", rules, []string{"x", "staff"}, "Clerk"},
		{"none fits", rules, []string{"x", "y"}, "Old"},
		{"an empty group is nobody", rules, []string{}, "Old"},
		{"groups are missing", rules, nil, "groups_missing"},
		{"one string", rules, []string{"x,admins"}, "groups_delimited"},
		{"one name with a comma", rules, []string{"x, y"}, "Old"},
		{"the rest", rest, []string{"x", "y"}, "Guest"},
		{"the rest, of nothing", rest, []string{}, "Guest"},
		{"the rest is not those before", rest, []string{"staff"}, "Clerk"},
		{"the rest, and groups are missing", rest, nil, "groups_missing"},
		{"the rest, and one string", rest, []string{"x,admins"}, "groups_delimited"},
		{"the last of 10,000", rules, append(many, "staff"), "Clerk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := readyAt(testIdP().Connection(sso.ServiceProvider{}))
			users := memstore.NewUsers()
			users.Put(conn.ID, sso.User{Email: "alice@example.com", Subject: "alice", Role: "Old"})
			p := &sso.Provisioner{Users: users, Groups: sso.AdmitAll, Roles: c.rules}
			a := person("alice")
			if c.groups != nil {
				a.Attributes = append(a.Attributes, sso.Attribute{Name: "groups", Values: c.groups})
			}
			_, err := p.SignIn(context.Background(), conn, a, sso.FlowLogin, "")
			got := users.All(conn.ID)[0].Role
			var refused *sso.RefusedError
			if errors.As(err, &refused) {
				if got != "Old" {
					t.Errorf("a refusal left the role %s", got)
				}
				got = string(refused.Code)
			} else if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
