package sso

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// metadataServer publishes metadata as it is told.
type metadataServer struct {
	*httptest.Server
	body   []byte
	status int
	delay  time.Duration
	to     string
	hits   int
}

func newMetadataServer(t *testing.T, body []byte) *metadataServer {
	t.Helper()
	s := &metadataServer{body: body}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits++
		switch {
		case s.to != "":
			http.Redirect(w, r, s.to, http.StatusFound)
			return
		case s.status != 0:
			w.WriteHeader(s.status)
			return
		}
		select {
		case <-time.After(s.delay):
		case <-r.Context().Done():
			return
		}
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

// idpMetadata is metadata of the IdP of logoutConnection with these keys.
func idpMetadata(t *testing.T, sso string, keys ...string) []byte {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com" cacheDuration="PT6H"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`)
	for _, k := range keys {
		cert := base64.StdEncoding.EncodeToString(testCert(t, k).Raw)
		fmt.Fprintf(&b, `<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`, cert)
	}
	fmt.Fprintf(&b, `<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/slo"/>`)
	fmt.Fprintf(&b, `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s"/></IDPSSODescriptor></EntityDescriptor>`, sso)
	return []byte(b.String())
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	c := logoutConnection(t)
	s := newMetadataServer(t, idpMetadata(t, "https://idp.example.com/sso", "idp"))
	c.IdP.MetadataURL = s.URL
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := &Refresher{AllowPrivate: true, CurrentTime: now}
	change, state, err := r.Refresh(t.Context(), c, RefreshState{})
	if err != nil || !change.Empty() {
		t.Fatalf("unchanged metadata: %+v, %v", change, err)
	}
	if diff := cmp.Diff(RefreshState{ETag: `"v1"`, Checked: now, Next: now.Add(6 * time.Hour)}, state); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if md, err := r.Fetch(t.Context(), s.URL); err != nil || md.IdP.MetadataURL != s.URL || md.IdP.EntityID != "https://idp.example.com" {
		t.Errorf("fetched %+v, %v", md, err)
	}
	if _, err := (&Refresher{}).Fetch(t.Context(), s.URL); err == nil {
		t.Error("an address of our own network was fetched")
	}
	s.hits = 1
	if change, next, err := r.Refresh(t.Context(), c, state); err != nil || change != nil || next.ETag != `"v1"` || s.hits != 2 {
		t.Errorf("not modified: %+v, %+v, %v after %d requests", change, next, err, s.hits)
	}
	s.body = idpMetadata(t, "https://idp.example.com/sso2", "idp", "idp2")
	change, _, err = r.Refresh(t.Context(), c, RefreshState{})
	if err != nil {
		t.Fatal(err)
	}
	if len(change.Added) != 1 || len(change.Removed) != 0 || change.Signed {
		t.Errorf("change %+v", change)
	}
	if diff := cmp.Diff([]Change{{"IdP.SSOURL", "https://idp.example.com/sso", "https://idp.example.com/sso2"}}, change.Endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if len(c.IdP.Certificates) != 1 {
		t.Error("a refresh changed the connection by itself")
	}
	change.Apply(c, true)
	if len(c.IdP.Certificates) != 2 || c.IdP.SSOURL != "https://idp.example.com/sso2" || c.IdP.MetadataURL != s.URL {
		t.Errorf("applied: %+v", c.IdP)
	}
	s.body = idpMetadata(t, "https://idp.example.com/sso2", "idp2")
	for _, keep := range []bool{true, false} {
		d := *c
		change, _, err = r.Refresh(t.Context(), &d, RefreshState{})
		if err != nil || len(change.Removed) != 1 {
			t.Fatal(change, err)
		}
		change.Apply(&d, keep)
		if want := map[bool]int{true: 2, false: 1}[keep]; len(d.IdP.Certificates) != want {
			t.Errorf("keep %v: %d certificates, want %d", keep, len(d.IdP.Certificates), want)
		}
	}
}

// TestRefreshRefuses: a refresh that fails says why and touches nothing.
func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	good := idpMetadata(t, "https://idp.example.com/sso", "idp", "idp2")
	for _, k := range []struct {
		name   string
		change func(s *metadataServer, c *Connection, r *Refresher)
		want   string
	}{
		{"the control", func(*metadataServer, *Connection, *Refresher) {}, ""},
		{"loopback", func(_ *metadataServer, c *Connection, r *Refresher) {
			r.AllowPrivate = false
			c.IdP.MetadataURL = strings.Replace(c.IdP.MetadataURL, "http:", "https:", 1)
		}, "not public"},
		{"loopback by name", func(_ *metadataServer, c *Connection, r *Refresher) {
			r.AllowPrivate = false
			c.IdP.MetadataURL = strings.NewReplacer("http:", "https:", "127.0.0.1", "localhost").Replace(c.IdP.MetadataURL)
		}, "not public"},
		{"http", func(_ *metadataServer, _ *Connection, r *Refresher) { r.AllowPrivate = false }, "scheme"},
		{"a file", func(_ *metadataServer, c *Connection, _ *Refresher) { c.IdP.MetadataURL = "file:///etc/passwd" }, "no address"},
		{"a password", func(_ *metadataServer, c *Connection, _ *Refresher) { c.IdP.MetadataURL = "https://a:b@example.com/" }, "no address"},
		{"nothing", func(_ *metadataServer, c *Connection, _ *Refresher) { c.IdP.MetadataURL = "" }, "empty"},
		{"a redirect to a file", func(s *metadataServer, _ *Connection, _ *Refresher) { s.to = "file:///etc/passwd" }, "no address"},
		{"redirects without end", func(s *metadataServer, _ *Connection, _ *Refresher) { s.to = "/again" }, "without end"},
		{"not found", func(s *metadataServer, _ *Connection, _ *Refresher) { s.status = 404 }, "404"},
		{"304 for nothing", func(s *metadataServer, _ *Connection, _ *Refresher) { s.status = 304 }, "304"},
		{"slow", func(s *metadataServer, _ *Connection, r *Refresher) {
			s.delay, r.Timeout = time.Minute, 50*time.Millisecond
		}, "deadline"},
		{"too much", func(s *metadataServer, _ *Connection, _ *Refresher) { s.body = make([]byte, maxMetadata+1) }, "more than"},
		{"a web page", func(s *metadataServer, _ *Connection, _ *Refresher) { s.body = []byte("<!DOCTYPE html><html></html>") }, ""},
		{"another IdP", func(s *metadataServer, _ *Connection, _ *Refresher) {
			s.body = []byte(strings.Replace(string(good), `entityID="https://idp.example.com"`, `entityID="https://evil.example.com"`, 1))
		}, ""},
		{"unsigned where a key is pinned", func(_ *metadataServer, _ *Connection, r *Refresher) {
			r.TrustedCertificates = Certificates{testCert(t, "idp")}
		}, ""},
		{"gone", func(s *metadataServer, _ *Connection, _ *Refresher) { s.Close() }, "reached"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := logoutConnection(t)
			s := newMetadataServer(t, good)
			c.IdP.MetadataURL = s.URL
			r := &Refresher{AllowPrivate: true}
			k.change(s, c, r)
			before := c.IdP
			prev := RefreshState{Checked: time.Unix(1, 0)}
			change, state, err := r.Refresh(t.Context(), c, prev)
			if k.name == "the control" {
				if err != nil || len(change.Added) != 1 {
					t.Fatalf("got %+v, %v", change, err)
				}
				return
			}
			var fe *FieldError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), k.want) || change != nil {
				t.Errorf("got %v, %v, want a FieldError that says %q", change, err, k.want)
			}
			if diff := cmp.Diff(prev, state); diff != "" {
				t.Errorf("the state changed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, c.IdP); diff != "" {
				t.Errorf("the connection changed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefreshSigned: a signed document says so, and may be applied by itself.
func TestRefreshSigned(t *testing.T) {
	t.Parallel()
	c := logoutConnection(t)
	signed := signedMetadata(t, idpMetadata(t, "https://idp.example.com/sso", "idp", "idp2"), "idp-p256")
	s := newMetadataServer(t, signed)
	c.IdP.MetadataURL = s.URL
	r := &Refresher{AllowPrivate: true, TrustedCertificates: Certificates{testCert(t, "idp-p256")}}
	change, _, err := r.Refresh(t.Context(), c, RefreshState{})
	if err != nil || !change.Signed || len(change.Added) != 1 {
		t.Errorf("got %+v, %v", change, err)
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "1.1.1.1": true,
		"127.0.0.1": false, "127.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"0.0.0.0": false, "100.64.0.1": false, "192.0.2.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "::ffff:127.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "2001:db8::1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("public(%s) is %v, want %v", addr, got, want)
		}
	}
}

func TestRollover(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 34, 0, 0, time.UTC)
	c := logoutConnection(t)
	old, next := testCert(t, "idp"), testCert(t, "idp2")
	if !c.NoteSignIn(&Assertion{CertificateSHA256: Fingerprint(old)}, now) {
		t.Error("the first sign-in changed nothing")
	}
	if c.NoteSignIn(&Assertion{CertificateSHA256: Fingerprint(old)}, now.Add(10*time.Minute)) {
		t.Error("a sign-in of the same hour is worth storing")
	}
	c.IdP.Certificates = append(c.IdP.Certificates, next)
	if !c.NoteSignIn(nil, now.Add(time.Hour)) || c.IdP.CertificateUse[Fingerprint(next)].FirstSeen != now.Add(time.Hour) {
		t.Error("the next certificate was not noted")
	}
	for _, k := range []struct {
		name  string
		fp    string
		force bool
		want  string
	}{
		{"the only one that worked", Fingerprint(old), false, "only certificate that a sign-in"},
		{"one that never worked", Fingerprint(next), false, ""},
		{"the only one that worked, forced", Fingerprint(old), true, ""},
		{"unknown", "00", false, "none with that fingerprint"},
	} {
		d := *c
		err := d.RemoveCertificate(k.fp, k.force)
		if (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: got %v, want %q", k.name, err, k.want)
		}
		if want := map[bool]int{true: 1, false: 2}[err == nil]; len(d.IdP.Certificates) != want || len(c.IdP.Certificates) != 2 {
			t.Errorf("%s: %d certificates left", k.name, len(d.IdP.Certificates))
		}
	}
	c.NoteSignIn(&Assertion{CertificateSHA256: Fingerprint(next)}, now.Add(2*time.Hour))
	if err := c.RemoveCertificate(Fingerprint(old), false); err != nil {
		t.Errorf("after the next one worked: %v", err)
	}
	if err := c.RemoveCertificate(Fingerprint(next), false); err == nil {
		t.Error("the last one was removed")
	}
	if !c.NoteSignIn(nil, now) || len(c.IdP.CertificateUse) != 1 {
		t.Error("what is known of a removed certificate was kept")
	}
}

func TestExpiring(t *testing.T) {
	t.Parallel()
	c := logoutConnection(t)
	c.IdP.Certificates = Certificates{testCert(t, "idp"), testCert(t, "expired")}
	end := testCert(t, "expired").NotAfter
	got := c.Expiring(end.Add(-48*time.Hour), 72*time.Hour)
	if len(got) != 1 || got[0].Field != "IdP.Certificates[1]" || !got[0].Replacement || !got[0].NotAfter.Equal(end) {
		t.Errorf("got %+v", got)
	}
	if got := c.Expiring(end.Add(-48*time.Hour), 24*time.Hour); len(got) != 0 {
		t.Errorf("got %+v, want nothing within a day", got)
	}
	all := c.Expiring(time.Date(2044, 12, 31, 0, 0, 0, 0, time.UTC), 10*24*time.Hour)
	var fields []string
	for _, e := range all {
		fields = append(fields, e.Field)
		if e.Replacement {
			t.Errorf("%s has a replacement", e.Field)
		}
	}
	if diff := cmp.Diff([]string{"IdP.Certificates[1]", "IdP.Certificates[0]", "SP.SigningKey", "SP.DecryptionKeys[0]"}, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// signedMetadata signs a document with one of the test keys.
func signedMetadata(t *testing.T, text []byte, key string) []byte {
	t.Helper()
	text = []byte(strings.Replace(string(text), "<EntityDescriptor ", `<EntityDescriptor ID="_m" `, 1))
	root, err := xmltree.Parse(text, xmltree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	k := testKey(t, key)
	if err := xmlsig.Sign(root, k.Private.(crypto.Signer), k.Certificate, "", 0); err != nil {
		t.Fatal(err)
	}
	out, err := etree.NewDocumentWithRoot(root).WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
