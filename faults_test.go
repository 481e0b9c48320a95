package sso_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// TestLyingStores has stores return well-formed rows that were not asked for.
// Nobody enters, nothing is written, the invitation is not used up; and once the
// store tells the truth the same person gets in.
func TestLyingStores(t *testing.T) {
	t.Parallel()
	root := sso.User{ID: "9", Email: "root@example.com", Subject: "root", Role: "Admin", Groups: []string{"Sales"}}
	for _, k := range []struct {
		name  string
		flow  sso.Flow // of alice, who is a user; invite: of bob, who is none
		spoil func(u *failing, i *failingInvitations)
		code  sso.RefusalCode // empty: an error
	}{
		{"another person's link", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.bySubject = func() (*sso.User, error) { r := root; return &r, nil }
		}, ""},
		{"a user linked to nobody, by subject", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.bySubject = func() (*sso.User, error) { r := root; r.Subject = ""; return &r, nil }
		}, ""},
		{"another person's address", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.byEmail = func() ([]sso.User, error) { return []sso.User{root}, nil }
		}, ""},
		{"another person's user under this address", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.byEmail = func() ([]sso.User, error) { r := root; r.Email = "alice@example.com"; return []sso.User{r}, nil }
		}, sso.RefusedLinkedElsewhere},
		{"an update that returns somebody else", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.update = func() (*sso.User, error) { r := root; return &r, nil }
		}, ""},
		{"an update that returns somebody else with this subject", sso.FlowLogin, func(u *failing, _ *failingInvitations) {
			u.update = func() (*sso.User, error) { r := root; r.Subject = "alice"; return &r, nil }
		}, ""},
		{"a creation that returns somebody else", sso.FlowInvite, func(u *failing, _ *failingInvitations) {
			u.create = func() (*sso.User, error) { r := root; return &r, nil }
		}, ""},
		{"another invitation", sso.FlowInvite, func(_ *failing, i *failingInvitations) {
			i.look = func() (*sso.Invitation, bool, error) {
				return &sso.Invitation{Code: "two", ConnectionID: "conn", Role: "Admin", Groups: []string{"Sales"}}, true, nil
			}
		}, ""},
		{"an invitation of another connection", sso.FlowInvite, func(_ *failing, i *failingInvitations) {
			i.look = func() (*sso.Invitation, bool, error) {
				return &sso.Invitation{Code: "one", ConnectionID: "other", Role: "Admin"}, true, nil
			}
		}, sso.RefusedInvitation},
		{"a spent invitation said to be there", sso.FlowInvite, func(_ *failing, i *failingInvitations) {
			i.redeem = func() error { return sso.ErrInvitationSpent }
		}, sso.RefusedInvitationSpent},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newOnePerson(t)
			w.users.Put(w.conn.ID, sso.User{Email: "alice@example.com", Groups: []string{"Sales"}})
			w.users.Put(w.conn.ID, root)
			before := w.users.All(w.conn.ID)
			u, i := &failing{UserStore: w.users}, &failingInvitations{InvitationStore: w.invitations}
			w.p.Users, w.p.Invitations = u, i
			k.spoil(u, i)
			who := person("alice")
			if k.flow == sso.FlowInvite {
				who = person("bob")
			}
			o, err := w.p.SignIn(t.Context(), w.conn, who, k.flow, "one")
			var refused *sso.RefusedError
			isRefusal := errors.As(err, &refused)
			switch {
			case k.code == "" && (err == nil || isRefusal || o != nil):
				t.Errorf("got %v, %v, want no outcome and an error", o, err)
			case k.code != "" && (!isRefusal || refused.Code != k.code || o == nil || o.Written):
				t.Errorf("got %v, %v, want a refusal for %s", o, err, k.code)
			}
			sameUsers(t, before, w.users.All(w.conn.ID))
			if n := w.uses(); n != 0 {
				t.Errorf("%d uses are counted, want 0", n)
			}
			*u, *i = failing{UserStore: w.users}, failingInvitations{InvitationStore: w.invitations}
			if o, err := w.p.SignIn(t.Context(), w.conn, who, k.flow, "one"); err != nil || !o.Written {
				t.Errorf("the honest retry: got %v, %v", o, err)
			}
		})
	}
}

// replayFunc is a ReplayCache that answers as a function does.
type replayFunc func(ctx context.Context) (bool, error)

func (f replayFunc) Remember(ctx context.Context, _ string, _ time.Time) (bool, error) { return f(ctx) }

// TestReplayMemoryFaults has the replay memory fail, hang and say two things at
// once. Only a plain yes lets anybody in.
func TestReplayMemoryFaults(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		replay replayFunc
		want   sso.Reason
	}{
		{"fresh", func(context.Context) (bool, error) { return true, nil }, ""},
		{"used", func(context.Context) (bool, error) { return false, nil }, sso.ReasonReplay},
		{"down", func(context.Context) (bool, error) { return false, errDown }, sso.ReasonStore},
		{"fresh and down", func(context.Context) (bool, error) { return true, errDown }, sso.ReasonStore},
		{"hangs", func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }, sso.ReasonStore},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if k.name != "hangs" {
				ctx = t.Context()
			}
			idp := testIdP()
			conn := idp.Connection(sso.ServiceProvider{})
			a, err := conn.VerifyResponse(ctx, respondTo(t, idp, conn), sso.VerifyOptions{RequestID: "_r1", Replay: k.replay, CurrentTime: noon})
			comesTo(t, a, err, k.want)
		})
	}
}

func respondTo(t *testing.T, idp *ssotest.IdP, conn *sso.Connection) string {
	t.Helper()
	form, err := idp.Respond(ssotest.RequestTo(conn, "_r1"), alice, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func comesTo(t *testing.T, a *sso.Assertion, err error, want sso.Reason) {
	t.Helper()
	var ve *sso.VerifyError
	switch {
	case want == "" && (err != nil || a == nil):
		t.Errorf("got %v, %v, want an assertion", a, err)
	case want != "" && (a != nil || !errors.As(err, &ve) || ve.Reason != want):
		t.Errorf("got %v, %v, want a refusal for %s", a, err, want)
	}
}

// TestClockJumps verifies an answer made at noon by a clock that went elsewhere
// since the request, and then by one that came back.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})
	form := respondTo(t, idp, conn)
	for _, k := range []struct {
		jump time.Duration
		want sso.Reason
	}{
		{0, ""}, {time.Minute, ""}, {-time.Minute, ""},
		{time.Hour, sso.ReasonIssueInstant}, {-time.Hour, sso.ReasonIssueInstant},
		{365 * 24 * time.Hour, sso.ReasonIssueInstant}, {-365 * 24 * time.Hour, sso.ReasonIssueInstant},
		{-time.Duration(noon.Unix()) * time.Second, sso.ReasonIssueInstant}, // 1970, as without a battery
	} {
		t.Run(fmt.Sprint(k.jump), func(t *testing.T) {
			t.Parallel()
			seen := 0
			o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon.Add(k.jump), Replay: replayFunc(func(context.Context) (bool, error) { seen++; return true, nil })}
			a, err := conn.VerifyResponse(t.Context(), form, o)
			comesTo(t, a, err, k.want)
			if k.want == "" {
				return
			}
			if seen != 0 {
				t.Error("a refused answer was remembered as used")
			}
			o.CurrentTime = noon
			a, err = conn.VerifyResponse(t.Context(), form, o)
			comesTo(t, a, err, "")
		})
	}
}

// TestCertificateExpiresInTheMiddle sends a request a minute before the pinned
// certificate ends and verifies the answer a minute after.
func TestCertificateExpiresInTheMiddle(t *testing.T) {
	t.Parallel()
	pair := pairUntil(t, noon.Add(-time.Minute))
	next := pairUntil(t, noon.AddDate(1, 0, 0))
	old, renewed := &pair, &sso.KeyPair{Private: pair.Private, Certificate: certificate(t, pair.Private.(*rsa.PrivateKey), noon.AddDate(1, 0, 0))}
	for _, k := range []struct {
		name   string
		signs  *sso.KeyPair
		pinned []*x509.Certificate
		strict bool
		want   sso.Reason
		warns  bool
	}{
		{"expired", old, []*x509.Certificate{old.Certificate}, false, "", true},
		{"expired, strictly", old, []*x509.Certificate{old.Certificate}, true, sso.ReasonCertificate, false},
		{"renewed with the same key, pinned beside it", renewed, []*x509.Certificate{old.Certificate, renewed.Certificate}, true, "", false},
		{"renewed with the same key, not pinned", renewed, []*x509.Certificate{old.Certificate}, false, "", true},
		{"renewed with the same key, not pinned, strictly", renewed, []*x509.Certificate{old.Certificate}, true, sso.ReasonCertificate, false},
		{"the next key, pinned beside it", &next, []*x509.Certificate{old.Certificate, next.Certificate}, true, "", false},
		{"the next key, not pinned", &next, []*x509.Certificate{old.Certificate}, false, sso.ReasonKey, false},
		{"the old key, taken out", old, []*x509.Certificate{next.Certificate}, false, sso.ReasonKey, false},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := ssotest.NewIdP(ssotest.Config{Key: k.signs, Now: func() time.Time { return noon }})
			conn := idp.Connection(sso.ServiceProvider{})
			conn.IdP.Certificates, conn.RefuseExpiredCertificates = k.pinned, k.strict
			a, err := conn.VerifyResponse(t.Context(), respondTo(t, idp, conn), sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			comesTo(t, a, err, k.want)
			if a != nil && k.warns != (len(a.Warnings) > 0) {
				t.Errorf("warnings %q, want any: %v", a.Warnings, k.warns)
			}
		})
	}
}

func pairUntil(t *testing.T, end time.Time) sso.KeyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return sso.KeyPair{Private: key, Certificate: certificate(t, key, end)}
}

func certificate(t *testing.T, key *rsa.PrivateKey, end time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(end.Unix()), Subject: pkix.Name{CommonName: "idp"}, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stutter is a source of randomness that gives one byte at a time, and after
// left bytes nothing.
type stutter struct {
	r    io.Reader
	left int
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, errors.New("no entropy")
	}
	s.left--
	return s.r.Read(p[:1])
}

// TestRandomnessFails replaces the source of randomness in a process of its own.
// One that stutters still gives whole IDs; one that ends ends the process
// (crypto/rand, since Go 1.24), so that no ID is made of less.
func TestRandomnessFails(t *testing.T) {
	t.Parallel()
	if left := os.Getenv("SSO_TEST_RANDOM"); left != "" {
		var n int
		if _, err := fmt.Sscan(left, &n); err != nil {
			t.Fatal(err)
		}
		conn := testIdP().Connection(sso.ServiceProvider{})
		rand.Reader = &stutter{rand.Reader, n}
		r, err := conn.NewAuthnRequest(sso.RequestOptions{})
		if err != nil {
			fmt.Println("error: ", err)
			return
		}
		fmt.Println("ID:", r.ID)
		return
	}
	child := func(left int) (string, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRandomnessFails$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprint("SSO_TEST_RANDOM=", left), "GOCOVERDIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := child(1000)
	_, id, found := strings.Cut(out, "ID: ")
	id, _, _ = strings.Cut(id, "\n")
	if err != nil || !found || len(id) != len(testRequestID(t)) {
		t.Errorf("a source that stutters: %v, the ID %q\n%s", err, id, out)
	}
	for _, left := range []int{0, 1, 15} {
		out, err := child(left)
		if err == nil || strings.Contains(out, "ID: ") || !strings.Contains(out, "fatal error: crypto/rand") {
			t.Errorf("a source that ends after %d bytes: %v\n%s", left, err, out)
		}
	}
}

func testRequestID(t *testing.T) string {
	t.Helper()
	r, err := testIdP().Connection(sso.ServiceProvider{}).NewAuthnRequest(sso.RequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}
