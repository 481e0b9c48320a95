package ssohttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
	"github.com/ssoconn/sso/ssotest"
)

var errFault = errors.New("connection reset")

// tripwire stands before every store of an application, and lets one call of all
// go wrong.
type tripwire struct {
	sso.UserStore
	sso.InvitationStore
	state  *memstore.State
	replay *memstore.Replay

	mu  sync.Mutex
	at  int // which call, -1: none
	how string
	log []string
}

const (
	fails  = "fails"
	hangs  = "hangs"
	silent = "acts and loses the answer"
)

func (f *tripwire) call(ctx context.Context, name string, do func() error) error {
	f.mu.Lock()
	now := len(f.log) == f.at
	f.log = append(f.log, name)
	f.mu.Unlock()
	switch {
	case !now:
		return do()
	case f.how == hangs:
		<-ctx.Done()
		return ctx.Err()
	case f.how == silent:
		_ = do()
	}
	return errFault
}

// tripped does a call that has a result, which is the zero one if it went wrong.
func tripped[T any](ctx context.Context, f *tripwire, name string, do func() (T, error)) (T, error) {
	var v T
	err := f.call(ctx, name, func() (err error) { v, err = do(); return err })
	if errors.Is(err, errFault) {
		var none T
		return none, err
	}
	return v, err
}

func (f *tripwire) Put(ctx context.Context, key string, value []byte, until time.Time) error {
	return f.call(ctx, "Put", func() error { return f.state.Put(ctx, key, value, until) })
}
func (f *tripwire) Get(ctx context.Context, key string) ([]byte, error) {
	return tripped(ctx, f, "Get", func() ([]byte, error) { return f.state.Get(ctx, key) })
}
func (f *tripwire) Take(ctx context.Context, key string) ([]byte, error) {
	return tripped(ctx, f, "Take", func() ([]byte, error) { return f.state.Take(ctx, key) })
}
func (f *tripwire) Remember(ctx context.Context, key string, until time.Time) (bool, error) {
	return tripped(ctx, f, "Remember", func() (bool, error) { return f.replay.Remember(ctx, key, until) })
}
func (f *tripwire) UserBySubject(ctx context.Context, id, subject string) (*sso.User, error) {
	return tripped(ctx, f, "UserBySubject", func() (*sso.User, error) { return f.UserStore.UserBySubject(ctx, id, subject) })
}
func (f *tripwire) UsersByEmail(ctx context.Context, id, email string) ([]sso.User, error) {
	return tripped(ctx, f, "UsersByEmail", func() ([]sso.User, error) { return f.UserStore.UsersByEmail(ctx, id, email) })
}
func (f *tripwire) CreateUser(ctx context.Context, id string, u sso.User) (*sso.User, error) {
	return tripped(ctx, f, "CreateUser", func() (*sso.User, error) { return f.UserStore.CreateUser(ctx, id, u) })
}
func (f *tripwire) UpdateUser(ctx context.Context, id string, old, new sso.User) (*sso.User, error) {
	return tripped(ctx, f, "UpdateUser", func() (*sso.User, error) { return f.UserStore.UpdateUser(ctx, id, old, new) })
}
func (f *tripwire) Invitation(ctx context.Context, code, subject string, now time.Time) (inv *sso.Invitation, redeemed bool, err error) {
	inv, err = tripped(ctx, f, "Invitation", func() (i *sso.Invitation, err error) {
		i, redeemed, err = f.InvitationStore.Invitation(ctx, code, subject, now)
		return i, err
	})
	return inv, redeemed, err
}
func (f *tripwire) RedeemInvitation(ctx context.Context, code, subject string, now time.Time) error {
	return f.call(ctx, "RedeemInvitation", func() error { return f.InvitationStore.RedeemInvitation(ctx, code, subject, now) })
}

// newTripwire is an application whose every store is behind one, with ann as its
// one user if known.
func newTripwire(t *testing.T, at int, how string, known bool) (*world, *tripwire, *memstore.Invitations) {
	t.Helper()
	invitations := memstore.NewInvitations()
	var f *tripwire
	w := newWorld(t, func(c *Config) {
		calls := c.State.(*calls)
		p := c.Provisioner.(*sso.Provisioner)
		f = &tripwire{UserStore: p.Users, InvitationStore: invitations, state: calls.state, replay: calls.replay, at: at, how: how}
		p.Users, p.Invitations, p.CreateOnLogin = f, f, false
		c.State, c.Replay = f, f
		connections := c.Connections
		c.Connections = func(ctx context.Context, id string) (*sso.Connection, error) {
			return tripped(ctx, f, "Connections", func() (*sso.Connection, error) { return connections(ctx, id) })
		}
		if how == hangs {
			c.Timeout = 700 * time.Millisecond
		}
	})
	if known {
		w.users.Put("acme", sso.User{Email: ann.Email, Name: "A. Lee"})
	}
	if err := invitations.PutInvitation(t.Context(), sso.Invitation{Code: "one", ConnectionID: "acme", MaxUses: 1}); err != nil {
		t.Fatal(err)
	}
	return w, f, invitations
}

// through goes the whole way and returns the last page.
func (b *browser) through(path string) page {
	b.w.t.Helper()
	p := b.request("GET", appSite+path, appSite, nil)
	if p.StatusCode != http.StatusSeeOther {
		return p
	}
	req, err := ssotest.ParseRequest(p.Header.Get("Location"))
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.post(req.ACSURL, b.w.respond(req, ssotest.Options{}))
}

// TestEveryCallGoesWrong lets each single call of a whole sign-in go wrong in
// each way. Nobody enters and the store is blamed; what is left behind keeps
// nobody from coming again, and makes nobody two users or one use two.
func TestEveryCallGoesWrong(t *testing.T) {
	t.Parallel()
	for _, flow := range []struct {
		name, path string
		known      bool
		min        int // calls at least
	}{
		{"login", "/sso/acme/login", true, 7},
		{"invite", "/sso/acme/invite?code=one", false, 10},
	} {
		w, f, _ := newTripwire(t, -1, fails, flow.known)
		w.lands(w.browser().through(flow.path), "/")
		calls := f.log
		if len(calls) < flow.min {
			t.Fatalf("%s: only the calls %v", flow.name, calls)
		}
		for at, name := range calls {
			for _, how := range []string{fails, hangs, silent} {
				t.Run(fmt.Sprintf("%s/%d %s %s", flow.name, at, name, how), func(t *testing.T) {
					t.Parallel()
					w, f, invitations := newTripwire(t, at, how, flow.known)
					before := w.users.All("acme")
					b := w.browser()
					p := b.through(flow.path)
					if name == "RedeemInvitation" && at == len(calls)-1 {
						// The user is there by then; this only counts again.
						w.lands(p, "/")
					} else {
						w.refuses(p, 503, CodeStore, 0)
						wrote := how == silent && (name == "CreateUser" || name == "UpdateUser")
						if after := w.users.All("acme"); !wrote && fmt.Sprint(after) != fmt.Sprint(before) {
							t.Errorf("half-written: %+v, before %+v", after, before)
						}
					}
					if len(f.log) <= at {
						t.Fatalf("only the calls %v", f.log)
					}
					f.mu.Lock()
					f.at = -1
					f.mu.Unlock()
					w.config.Timeout = time.Minute
					h, err := New(w.config)
					if err != nil {
						t.Fatal(err)
					}
					w.app = h.Mount("/sso")
					// The link of an invitation serves once; who is a user by
					// now just logs in.
					path := flow.path
					if len(w.users.All("acme")) == 1 {
						path = "/sso/acme/login"
					}
					w.lands(b.through(path), "/")
					inv, _, err := invitations.Invitation(t.Context(), "one", "", w.clock())
					uses := 0
					if !flow.known {
						uses = 1
					}
					users := w.users.All("acme")
					if err != nil || inv.Uses != uses || len(users) != 1 || users[0].Name != "Ann Lee" {
						t.Errorf("in the end %d uses, want %d, and the users %+v (%v)", inv.Uses, uses, users, err)
					}
				})
			}
		}
	}
}

// lyingState answers Take with what a function makes of the truth.
type lyingState struct {
	StateStore
	take func(value []byte, err error) ([]byte, error)
}

func (s *lyingState) Take(ctx context.Context, key string) ([]byte, error) {
	return s.take(s.StateStore.Take(ctx, key))
}

// TestLyingState has the store return another record than the one asked for, or
// one that it changed. What a record says is held against the browser, the
// address and the answer; what holds for no reason but the record's word is
// listed in docs/faults.md.
func TestLyingState(t *testing.T) {
	t.Parallel()
	edited := func(change func(*record)) func(*world, []byte) []byte {
		return func(w *world, value []byte) []byte {
			var rec record
			if err := json.Unmarshal(value, &rec); err != nil {
				w.t.Fatal(err)
			}
			change(&rec)
			value, err := json.Marshal(&rec)
			if err != nil {
				w.t.Fatal(err)
			}
			return value
		}
	}
	for _, k := range []struct {
		name   string
		lie    func(w *world, value []byte) []byte
		status int
		code   Code // empty: it lands at "/deals/7", or where to says
		says   string
		to     string
	}{
		{"the truth", func(_ *world, v []byte) []byte { return v }, 303, "", "", "/deals/7"},
		{"nothing", func(*world, []byte) []byte { return nil }, 503, CodeStore, "JSON", ""},
		{"half of it", func(_ *world, v []byte) []byte { return v[:len(v)/2] }, 503, CodeStore, "JSON", ""},
		{"an empty record", func(*world, []byte) []byte { return []byte("{}") }, 503, CodeStore, "names no request", ""},
		{"no request", edited(func(r *record) { r.RequestID = "" }), 503, CodeStore, "names no request", ""},
		{"another request of this browser", edited(func(r *record) { r.RequestID = "_another" }), 403, CodeResponse, "in_response_to", ""},
		{"another browser's", edited(func(r *record) { r.Browser = bound("BBBBBBBBBBBBBBBBBBBBBBBBBB") }), 403, CodeOtherBrowser, "another browser", ""},
		{"another connection's", edited(func(r *record) { r.Connection = "beta" }), 403, CodeStateMismatch, "beta", ""},
		{"one from long ago", edited(func(r *record) { r.Expires = start.Unix() - 1 }), 403, CodeStateExpired, "too long", ""},
		{"a landing address elsewhere", edited(func(r *record) { r.Landing = "https://evil.example/" }), 303, "", "", "/"},
		{"a landing address that only looks local", edited(func(r *record) { r.Landing = "//evil.example/" }), 303, "", "", "/"},
		{"an invitation for a login", edited(func(r *record) { r.Flow, r.Invitation = sso.FlowInvite, "made-up" }), 403, CodeNotAdmitted, "invitation", ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			var w *world
			state := &lyingState{}
			w = newWorld(t, func(c *Config) {
				state.StateStore, c.State = c.State, state
				c.Provisioner.(*sso.Provisioner).Invitations = memstore.NewInvitations()
			})
			state.take = func(value []byte, err error) ([]byte, error) { return k.lie(w, value), err }
			p := w.browser().signIn(ssotest.Options{})
			if k.code == "" {
				w.lands(p, k.to)
				return
			}
			f := w.refuses(p, k.status, k.code, 0)
			if !strings.Contains(strings.ToLower(f.Err.Error()), k.says) && !strings.Contains(f.Err.Error(), k.says) {
				t.Errorf("the operator gets %q, want %q in it", f.Err, k.says)
			}
			if n := len(w.users.All("acme")); n != 0 {
				t.Errorf("%d users were made", n)
			}
			// The truth again: the same browser starts again and gets in.
			state.take = func(value []byte, err error) ([]byte, error) { return value, err }
			w.lands(w.browser().signIn(ssotest.Options{}), "/deals/7")
		})
	}
}

// forgetful remembers nothing.
type forgetful struct{}

func (forgetful) Remember(context.Context, string, time.Time) (bool, error) { return true, nil }

// TestUsedSaidToBeFresh: request state and replay memory each stop a second use
// by themselves, so it takes two stores that lie to let one answer in twice.
func TestUsedSaidToBeFresh(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name          string
		state, replay bool // lies
		code          Code
	}{
		{"neither lies", false, false, CodeStateUsed},
		{"replay memory lies", false, true, CodeStateUsed},
		{"request state lies", true, false, CodeResponse},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) {
				if k.replay {
					c.Replay = forgetful{}
				}
				if k.state {
					var kept []byte
					c.State = &lyingState{c.State, func(value []byte, err error) ([]byte, error) {
						if err == nil {
							kept = value
						}
						return kept, nil
					}}
				}
			})
			b := w.browser()
			req := b.login("/sso/acme/login")
			form := w.respond(req, ssotest.Options{})
			w.lands(b.post(req.ACSURL, form), "/")
			w.refuses(b.post(req.ACSURL, form), 403, k.code, 1)
		})
	}
}

// TestClockJumps moves the application's clock between the two halves of a
// sign-in; the IdP's stays right.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name                     string
		begin, meanwhile, finish time.Duration // off the right time
		code                     Code
		says                     string
	}{
		{"right", 0, 0, 0, "", ""},
		{"a little forward", 0, 0, time.Minute, "", ""},
		{"a little back", 0, 0, -time.Minute, "", ""},
		{"an hour forward", 0, 0, time.Hour, CodeStateExpired, "too long"},
		{"an hour back", 0, 0, -time.Hour, CodeResponse, "issue_instant"},
		{"years back", 0, 0, -20 * 365 * 24 * time.Hour, CodeResponse, "issue_instant"},
		{"forward and back", 0, time.Hour, 0, "", ""},
		{"back and forward", 0, -time.Hour, 0, "", ""},
		{"set right from an hour behind", -time.Hour, -time.Hour, 0, CodeStateExpired, "too long"},
		{"set right from an hour ahead", time.Hour, time.Hour, 0, "", ""},
		{"ten minutes forward, within the lifetime", 0, 0, 10 * time.Minute, CodeResponse, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.idp = ssotest.NewIdP(ssotest.Config{BaseURL: idpSite, Now: func() time.Time { return start }})
			b := w.browser()
			w.pass(k.begin)
			req := b.login("/sso/acme/login")
			form := w.respond(req, ssotest.Options{})
			w.pass(k.meanwhile - k.begin)
			w.browser().request("GET", appSite+"/sso/beta/metadata", "", nil)
			w.pass(k.finish - k.meanwhile)
			p := b.post(req.ACSURL, form)
			if k.code == "" {
				w.lands(p, "/")
				w.pass(-k.finish)
				w.refuses(b.post(req.ACSURL, form), 403, CodeStateUsed, 1)
				return
			}
			f := w.refuses(p, 403, k.code, 0)
			if !strings.Contains(f.Err.Error(), k.says) {
				t.Errorf("the operator gets %q, want %q in it", f.Err, k.says)
			}
			if n := len(w.users.All("acme")); n != 0 {
				t.Errorf("%d users were made", n)
			}
			w.pass(-k.finish)
			w.lands(b.signIn(ssotest.Options{}), "/deals/7")
		})
	}
}

// TestCertificatesChangeInTheMiddle saves other certificates between the request
// and its answer.
func TestCertificatesChangeInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name string
		pin  func(old, next sso.Certificates) sso.Certificates
		code Code
		says string
	}{
		{"the next one is added", func(old, next sso.Certificates) sso.Certificates { return append(old, next...) }, "", ""},
		{"the old one is taken out", func(_, next sso.Certificates) sso.Certificates { return next }, CodeResponse, "key"},
		{"all are taken out", func(_, _ sso.Certificates) sso.Certificates { return nil }, CodeConfig, "Certificates"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			req := b.login("/sso/acme/login")
			form := w.respond(req, ssotest.Options{})
			pair := otherPair(t)
			w.mu.Lock()
			c := w.conns["acme"]
			before := c.IdP.Certificates
			c.IdP.Certificates = k.pin(append(sso.Certificates(nil), before...), sso.Certificates{pair.Certificate})
			w.mu.Unlock()
			p := b.post(req.ACSURL, form)
			if k.code == "" {
				w.lands(p, "/")
				return
			}
			status := 403
			if k.code == CodeConfig {
				status = 500
			}
			f := w.refuses(p, status, k.code, 0)
			if !strings.Contains(f.Err.Error(), k.says) {
				t.Errorf("the operator gets %q, want %q in it", f.Err, k.says)
			}
			w.mu.Lock()
			c.IdP.Certificates = before
			w.mu.Unlock()
			w.lands(b.signIn(ssotest.Options{}), "/deals/7")
		})
	}
}

// otherPair is a key that nobody pinned so far.
func otherPair(t *testing.T) sso.KeyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return sso.KeyPair{Private: key, Certificate: certificate}
}
