package ssohttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// TestClaim holds the record by itself to what the handle's MAC says already:
// the MAC only spares the store, the record decides.
func TestClaim(t *testing.T) {
	t.Parallel()
	const mine = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	tests := []struct {
		name   string
		change func(*record)
		code   Code
	}{
		{"control", func(*record) {}, ""},
		{"other browser", func(r *record) { r.Browser = bound("BBBBBBBBBBBBBBBBBBBBBBBBBB") }, CodeOtherBrowser},
		{"no browser", func(r *record) { r.Browser = "" }, CodeOtherBrowser},
		{"other connection", func(r *record) { r.Connection = "beta" }, CodeStateMismatch},
		{"expired", func(r *record) { r.Expires = start.Unix() }, CodeStateExpired},
		{"one second left", func(r *record) { r.Expires = start.Unix() + 1 }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			h, err := New(w.config)
			if err != nil {
				t.Fatal(err)
			}
			rec := record{RequestID: "_1", Connection: "acme", Flow: sso.FlowLogin, Browser: bound(mine), Expires: start.Unix() + 60}
			tt.change(&rec)
			// Stored for longer than the record says, as a store may.
			value, err := json.Marshal(&rec)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.store.Put(context.Background(), stateKey("h"), value, start.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			got, failed := h.claim(context.Background(), w.conns["acme"], "h", mine, start)
			code := Code("")
			if failed != nil {
				code = failed.code
			}
			if code != tt.code || (got == nil) != (failed != nil) {
				t.Errorf("got %+v, %q, want %q", got, code, tt.code)
			}
			if _, failed := h.claim(context.Background(), w.conns["acme"], "h", mine, start); failed == nil || failed.code != CodeStateUsed {
				t.Errorf("a second time: got %+v", failed)
			}
		})
	}
}

// TestLookup sorts what Config.Connections can do wrong.
func TestLookup(t *testing.T) {
	t.Parallel()
	other := &sso.Connection{ID: "other"}
	for name, tt := range map[string]struct {
		conn   *sso.Connection
		err    error
		status int
		code   Code
	}{
		"down":       {nil, errors.New("down"), 503, CodeStore},
		"nothing":    {nil, nil, 404, CodeConnection},
		"another ID": {other, nil, 500, CodeConfig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *Config) {
				c.Connections = func(context.Context, string) (*sso.Connection, error) { return tt.conn, tt.err }
			})
			w.refuses(w.browser().request("GET", appSite+"/sso/acme/login", "", nil), tt.status, tt.code, 0)
			w.refuses(w.browser().request("GET", appSite+"/sso/acme/metadata", "", nil), tt.status, tt.code, 0)
		})
	}
	w := newWorld(t)
	long := strings.Repeat("x", 10*maxID)
	f := w.refuses(w.browser().request("GET", appSite+"/sso/"+long+"/login", "", nil), 404, CodeConnection, 0)
	if len(f.ConnectionID) > maxID || !strings.Contains(f.String(), f.Reference) {
		t.Errorf("the log gets %q", f.String())
	}
}

// TestTestStoreDown answers a test whose result cannot be kept.
func TestTestStoreDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	req := b.login("/sso/acme/test?run=r1")
	w.store.err = errors.New("down")
	w.refuses(b.post(req.ACSURL, w.respond(req, ssotest.Options{})), 503, CodeStore, 0)
	r := httptest.NewRequest("GET", appSite+"/sso/acme/test/result?run=r1", nil)
	r.Header.Set("X-Admin", "1")
	w.refuses(w.serve(nil, r), 503, CodeStore, 0)
}
