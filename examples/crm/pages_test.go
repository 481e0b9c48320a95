package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// pemOf is a certificate that ends at a time.
func pemOf(t *testing.T, end time.Time) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "IdP"}, NotBefore: end.Add(-1000 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sso.Certificates{cert}.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExpiry has the list of connections show whose certificate ends.
func TestExpiry(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	v := newVisitor(t, s)
	v.login("olga@example.com")
	path, form := v.connection(s)
	for _, c := range []struct {
		left time.Duration
		text string
	}{{-time.Hour, "cert_expired"}, {5 * 24 * time.Hour, "cert_expiring"}, {40 * 24 * time.Hour, ""}} {
		end := time.Now().Add(c.left)
		v.version(path, form)
		if status, body := v.post(path, with(form, "certificate", pemOf(t, end))); status != http.StatusOK {
			t.Fatalf("saving: %d\n%s", status, body)
		}
		for _, page := range []string{path, "/settings/sso"} {
			_, body := v.get(page)
			for _, text := range []string{"cert_expired", "cert_expiring"} {
				want := fmt.Sprintf(texts["en"][text], end.UTC().Format(time.DateOnly))
				if shown(body, want) != (text == c.text) {
					t.Errorf("%s left, %s: %q is there: %v", c.left, page, want, text != c.text)
				}
			}
		}
	}
}

// TestWithoutScript tests a connection as a browser without scripts does: the
// settings are saved, and a link starts the test.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	s := startServers(t, filepath.Join(t.TempDir(), "crm.db"))
	v := newVisitor(t, s)
	v.login("olga@example.com")
	path, form := v.connection(s)
	status, body := v.post(path, with(form, "action", "test"))
	link := regexp.MustCompile(`href="(/sso/[^"]*/test\?run=[^"]*)"`).FindStringSubmatch(body)
	if status != http.StatusOK || link == nil {
		t.Fatalf("got %d:\n%s", status, body)
	}
	if status, body = v.get(link[1]); status != http.StatusForbidden || !strings.Contains(body, "not configured") {
		t.Errorf("the test does not lead to the practice IdP, which does not know the application yet: %d\n%s", status, body)
	}
	if _, body = v.get(path + link[1][strings.Index(link[1], "?"):]); !strings.Contains(body, texts["en"]["running"]) {
		t.Errorf("the page does not say that the test is running:\n%s", body)
	}
	if _, body = v.get(path + "?run=other"); !strings.Contains(body, texts["en"]["unknown"]) {
		t.Errorf("another run is not unknown:\n%s", body)
	}
}

// TestSeed: which passwords there are where.
func TestSeed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	start := func(file string, practice bool) (string, error) {
		t.Helper()
		db, err := openDatabase(ctx, filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		return seed(ctx, db, practice)
	}
	for range 2 {
		if got, err := start("demo", true); got != demoPassword || err != nil {
			t.Errorf("on loopback: %q, %v", got, err)
		}
	}
	if _, err := start("demo", false); err == nil {
		t.Error("a database with demo passwords was opened to others")
	}
	if got, err := start("open", false); len(got) < 20 || err != nil {
		t.Errorf("open to others: %q, %v", got, err)
	}
	if got, err := start("open", false); got != "" || err != nil {
		t.Errorf("open to others, again: %q, %v", got, err)
	}
}
