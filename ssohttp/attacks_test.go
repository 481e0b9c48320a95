package ssohttp

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// transport answers from a handler, without a socket.
type transport struct{ http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	t.ServeHTTP(rec, r)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// decryptionKey is the repository's test key of a service provider.
func decryptionKey(t *testing.T) sso.KeyPair {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile("../testdata/keys/sp-encryption." + name + ".pem")
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		return block.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(read("key"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(read("crt"))
	if err != nil {
		t.Fatal(err)
	}
	return sso.KeyPair{Private: key.(crypto.PrivateKey), Certificate: certificate}
}

// TestAttacks plays the gallery of forgeries through the handlers: cookies,
// state, replay memory and provisioning stand in the way too, and every honest
// answer has to get past them.
func TestAttacks(t *testing.T) {
	t.Parallel()
	pair := decryptionKey(t)
	w := newWorld(t, func(c *Config) {
		c.SignedIn = func(w http.ResponseWriter, _ *http.Request, l *Login) error {
			http.SetCookie(w, &http.Cookie{Name: "me", Value: l.Assertion.Subject.Value, Path: "/"})
			return nil
		}
	})
	// Signing three thousand answers takes long with RSA.
	w.idp = ssotest.NewIdP(ssotest.Config{BaseURL: idpSite, Now: w.clock, Key: ecKey(t)})
	c := w.conns["acme"]
	c.IdP, c.SP.DecryptionKeys = w.idp.IdentityProvider(), []sso.KeyPair{pair}
	c.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, w.now, "root", "")
	if err := c.Enable(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/sso/", w.app)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, cookieOf(r, "me")) })
	target := w.idp.HandlerTarget(&http.Client{Transport: transport{mux}}, appSite+"/sso/acme/login", func(browser *http.Client) (string, error) {
		res, err := browser.Get(appSite + "/me")
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		name, err := io.ReadAll(res.Body)
		return string(name), err
	})
	report, err := w.idp.Attack(target, ssotest.AttackOptions{Slack: time.Millisecond, MaxTime: time.Minute, EncryptTo: pair.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	nobody := 0
	for _, r := range report.Results {
		if r.Who == "" {
			nobody++
		}
	}
	if len(w.refused) != nobody {
		t.Errorf("%d refusals were reported, want %d: one for each attack that came to nothing", len(w.refused), nobody)
	}
	for _, f := range w.refused {
		if text := f.String(); f.Reference == "" || f.Status < 400 || len(text) > 3000 || strings.Contains(text, "<saml") {
			t.Errorf("status %d, reference %q: %s", f.Status, f.Reference, text)
		}
	}
}
