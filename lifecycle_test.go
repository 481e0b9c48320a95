package sso

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var passedReport = &Report{Checks: []Check{{Status: CheckPassed}}}

// validConnection passes Validate.
func validConnection(tb testing.TB) *Connection {
	tb.Helper()
	return &Connection{ID: "c1", SP: ServiceProvider{EntityID: "https://app.example.com/saml", ACSURL: "https://app.example.com/acs", SigningKey: testKey(tb, "sp-signing")},
		IdP: IdentityProvider{EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso", Certificates: Certificates{testKey(tb, "idp").Certificate}}}
}

func TestLife(t *testing.T) {
	t.Parallel()
	c := validConnection(t)
	refused := func(when, want string) {
		t.Helper()
		err := c.Enable()
		var fe *FieldError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), want) || c.Ready() {
			t.Errorf("%s: got %v, want a FieldError that says %q", when, err, want)
		}
	}
	refused("draft", "never tested")
	c.RecordTest(&Report{Checks: []Check{{Status: CheckFailed, Reason: ReasonAudience}}}, time.Now(), "ann", "")
	refused("after a test that failed", "audience")
	c.RecordTest(&Report{}, time.Now(), "ann", "")
	refused("after a test without checks", "did not pass")
	c.RecordTest(nil, time.Now(), "ann", "")
	refused("after no report", "did not pass")
	c.RecordTest(passedReport, time.Now(), "ann", "")
	if err := c.Enable(); err != nil || !c.Ready() {
		t.Fatalf("after a test that passed: %v", err)
	}
	c.Name = "another name"
	c.AllowedGroups, c.DefaultRole = []string{"Everyone"}, "Guest"
	if !c.Ready() {
		t.Error("a name or the policy made the test void")
	}
	c.IdP.SSOURL = "https://idp.example.com/other"
	if diff := cmp.Diff([]string{"IdP.SSOURL"}, c.ChangedSinceTest()); diff != "" || c.Ready() {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	refused("changed after its test", "IdP.SSOURL")
	c.IdP.SSOURL = "https://idp.example.com/sso"
	if !c.Ready() {
		t.Error("changing a setting back did not bring the test back")
	}
	c.Disable()
	if c.Ready() || c.Enabled {
		t.Error("still on")
	}
	c.IdP.SSOURL = "nonsense"
	c.RecordTest(passedReport, time.Now(), "ann", "")
	refused("invalid", "IdP.SSOURL")
}

// TestFailedTestLocksNobodyOut: on a connection that is on, a test that does
// not pass takes nothing away until the settings change.
func TestFailedTestLocksNobodyOut(t *testing.T) {
	t.Parallel()
	failed := &Report{Checks: []Check{{Status: CheckFailed, Reason: ReasonStatus}}}
	c := validConnection(t)
	c.RecordTest(passedReport, time.Now(), "ann", "7")
	if err := c.Enable(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c.RecordTest(failed, time.Now(), "bob", "")
		if !c.Ready() || c.LastTest.Passed || c.LastTest.By != "bob" {
			t.Fatalf("after a failed test: ready %v, %+v", c.Ready(), c.LastTest)
		}
	}
	if c.LastTest.Stands.By != "ann" || c.LastTest.Stands.Stands != nil {
		t.Errorf("the test that stands is %+v", c.LastTest.Stands)
	}
	c.IdP.SSOURL += "x"
	if c.Ready() {
		t.Error("ready with settings that never passed")
	}
	c.RecordTest(failed, time.Now(), "bob", "")
	if c.Ready() || c.LastTest.Stands != nil {
		t.Error("a failed test of new settings stands on the old one")
	}
	draft := validConnection(t)
	draft.RecordTest(passedReport, time.Now(), "ann", "7")
	draft.RecordTest(failed, time.Now(), "ann", "7")
	if err := draft.Enable(); err == nil {
		t.Error("a connection that failed its last test was switched on")
	}
}

// TestCertificatesHold walks rollovers: the test holds while one certificate is
// pinned that it ran with, or that has verified a sign-in since.
func TestCertificatesHold(t *testing.T) {
	t.Parallel()
	old, next, third := testKey(t, "idp").Certificate, testKey(t, "idp2").Certificate, testKey(t, "idp-p256").Certificate
	tested := time.Date(2026, 3, 1, 9, 20, 0, 0, time.UTC)
	for _, k := range []struct {
		name  string
		certs Certificates
		used  time.Time // when the next one verified a sign-in
		holds bool
	}{
		{"the next beside it", Certificates{old, next}, time.Time{}, true},
		{"in another order, twice", Certificates{next, old, old}, time.Time{}, true},
		{"replaced", Certificates{next}, time.Time{}, false},
		{"replaced by two", Certificates{next, third}, time.Time{}, false},
		{"replaced by one that was used since", Certificates{next}, tested.Add(time.Hour), true},
		{"replaced by one that was used since, within the hour", Certificates{next}, tested.Add(time.Minute), true},
		{"replaced by two, of which one was used since", Certificates{third, next}, tested.Add(time.Hour), true},
		{"replaced by one that was used before the test", Certificates{next}, tested.Add(-time.Hour), false},
		{"replaced by another than the one that was used", Certificates{third}, tested.Add(time.Hour), false},
		{"none", nil, tested.Add(time.Hour), false},
	} {
		c := validConnection(t)
		c.IdP.Certificates = Certificates{old}
		c.RecordTest(passedReport, tested, "ann", "")
		if c.IdP.Certificates = (Certificates{old, next}); !k.used.IsZero() {
			c.NoteSignIn(&Assertion{CertificateSHA256: Fingerprint(next)}, k.used)
		}
		c.IdP.Certificates = k.certs
		if got := len(c.ChangedSinceTest()) == 0; got != k.holds {
			t.Errorf("%s: the test holds is %v, want %v", k.name, got, k.holds)
		}
	}
}

func TestEnableRequired(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name, passedAs, by string
		want               bool
	}{
		{"as themself", "7", "7", true}, {"as somebody else", "8", "7", false}, {"as nobody", "", "7", false}, {"nobody at all", "", "", false},
	} {
		c := validConnection(t)
		c.RecordTest(passedReport, time.Now(), "7", k.passedAs)
		if err := c.EnableRequired(k.by); (err == nil) != k.want || c.Enabled != k.want {
			t.Errorf("%s: got %v", k.name, err)
		}
	}
	if err := validConnection(t).EnableRequired("7"); err == nil {
		t.Error("an untested connection was switched on")
	}
}

// harmless are the fields that a test proves nothing about.
var harmless = []string{
	"ID", "Name", "DefaultRole", "AllowedGroups", "KeepNames", "Enabled", "LastTest",
	// Logout and metadata are no part of signing in.
	"SP.SLOURL", "IdP.SLOURL", "IdP.MetadataURL", "IdP.CertificateUse",
	// Our own keys are the application's: see settings.
	"SP.SigningKey", "SP.NextSigningKey", "SP.DecryptionKeys",
}

// TestEveryFieldIsClassified fails for a field of a Connection that nobody has
// decided about: whether its change makes a test void.
func TestEveryFieldIsClassified(t *testing.T) {
	t.Parallel()
	known := slices.Clone(harmless)
	known = append(known, certificatesField)
	for _, s := range settings {
		known = append(known, s.field)
	}
	n := 0
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := strings.TrimPrefix(path+"."+f.Name, ".")
			switch {
			case slices.Contains(known, name):
				n++
			case f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == reflect.TypeFor[Connection]().PkgPath():
				walk(name, f.Type)
			default:
				t.Errorf("nobody has decided whether changing %s makes a test void: put it into settings or into harmless", name)
			}
		}
	}
	walk("", reflect.TypeFor[Connection]())
	if n < 30 {
		t.Errorf("walked %d fields only", n)
	}
}

// TestEverySettingVoids changes each setting and expects to be told that one.
func TestEverySettingVoids(t *testing.T) {
	t.Parallel()
	changes := map[string]func(c *Connection){
		"SP.EntityID":                func(c *Connection) { c.SP.EntityID += "x" },
		"SP.ACSURL":                  func(c *Connection) { c.SP.ACSURL += "x" },
		"IdP.EntityID":               func(c *Connection) { c.IdP.EntityID += "/" },
		"IdP.SSOURL":                 func(c *Connection) { c.IdP.SSOURL += "x" },
		"IdP.SSOPostURL":             func(c *Connection) { c.IdP.SSOPostURL += "x" },
		"IdP.ArtifactURL":            func(c *Connection) { c.IdP.ArtifactURL += "x" },
		"Attributes":                 func(c *Connection) { c.Attributes.Groups = "g" },
		"ClockSkew":                  func(c *Connection) { c.ClockSkew++ },
		"SignRequests":               func(c *Connection) { c.SignRequests = false },
		"SignatureMethod":            func(c *Connection) { c.SignatureMethod = RSASHA512 },
		"Request":                    func(c *Connection) { c.Request.ForceAuthn = true },
		"AllowIdPInitiated":          func(c *Connection) { c.AllowIdPInitiated = true },
		"RequireSignedResponse":      func(c *Connection) { c.RequireSignedResponse = true },
		"RequireSignedAssertion":     func(c *Connection) { c.RequireSignedAssertion = true },
		"RefuseExpiredCertificates":  func(c *Connection) { c.RefuseExpiredCertificates = true },
		"InsecureAllowSHA1":          func(c *Connection) { c.InsecureAllowSHA1 = true },
		"InsecureAllowShortRSA":      func(c *Connection) { c.InsecureAllowShortRSA = true },
		"InsecureAllowRSA15":         func(c *Connection) { c.InsecureAllowRSA15 = true },
		"InsecureUnauthenticatedCBC": func(c *Connection) { c.InsecureUnauthenticatedCBC = true },
		"InsecureIgnoreInResponseTo": func(c *Connection) { c.InsecureIgnoreInResponseTo = true },
		certificatesField:            func(c *Connection) { c.IdP.Certificates = Certificates{testKey(t, "idp2").Certificate} },
	}
	if len(changes) != len(settings)+1 {
		t.Fatalf("%d changes for %d settings", len(changes), len(settings)+1)
	}
	for field, change := range changes {
		c := validConnection(t)
		c.SignRequests = true
		c.RecordTest(passedReport, time.Now(), "ann", "")
		if got := c.ChangedSinceTest(); got != nil {
			t.Fatalf("%v changed by itself", got)
		}
		change(c)
		if diff := cmp.Diff([]string{field}, c.ChangedSinceTest()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
}

// TestOwnKeysKeepTheTest: a row is Ready with and without the application's
// keys, and with the next ones.
func TestOwnKeysKeepTheTest(t *testing.T) {
	t.Parallel()
	c := validConnection(t)
	c.SignRequests = true
	c.RecordTest(passedReport, time.Now(), "ann", "")
	c.Enabled = true
	for name, key := range map[string]*KeyPair{"none": nil, "the same": testKey(t, "sp-signing"), "the next": testKey(t, "sp-next")} {
		c.SP.SigningKey, c.SP.DecryptionKeys = key, nil
		if key != nil {
			c.SP.DecryptionKeys = []KeyPair{*key}
		}
		if !c.Ready() {
			t.Errorf("%s: not ready, changed %q", name, c.ChangedSinceTest())
		}
	}
}

// TestOlderRecord: a record from before a setting existed speaks for its zero
// value, and for no other.
func TestOlderRecord(t *testing.T) {
	t.Parallel()
	c := validConnection(t)
	c.RecordTest(passedReport, time.Now(), "ann", "")
	c.Enabled = true
	delete(c.LastTest.Fingerprints, "RequireSignedResponse")
	if !c.Ready() {
		t.Errorf("a setting that is new and zero made the test void: %q", c.ChangedSinceTest())
	}
	c.RequireSignedResponse = true
	if diff := cmp.Diff([]string{"RequireSignedResponse"}, c.ChangedSinceTest()); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	c.RequireSignedResponse, c.LastTest.Fingerprints = false, nil
	c.NoteSignIn(&Assertion{CertificateSHA256: Fingerprint(c.IdP.Certificates[0])}, time.Now())
	want := []string{certificatesField, "IdP.EntityID", "IdP.SSOURL", "SP.ACSURL", "SP.EntityID"}
	if diff := cmp.Diff(want, c.ChangedSinceTest()); diff != "" || c.Ready() {
		t.Errorf("with no fingerprints at all (-want +got):\n%s", diff)
	}
}
