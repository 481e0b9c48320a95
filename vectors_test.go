package sso_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
)

// reasons are what a vector may expect besides ok.
var reasons = map[sso.Reason]bool{
	sso.ReasonTooLarge: true, sso.ReasonEncoding: true, sso.ReasonXML: true, sso.ReasonMessage: true, sso.ReasonVersion: true,
	sso.ReasonStatus: true, sso.ReasonUnsigned: true, sso.ReasonSignature: true, sso.ReasonKey: true, sso.ReasonAlgorithm: true,
	sso.ReasonCertificate: true, sso.ReasonEncrypted: true, sso.ReasonDecryption: true, sso.ReasonAssertion: true, sso.ReasonIssuer: true,
	sso.ReasonDestination: true, sso.ReasonIssueInstant: true, sso.ReasonInResponseTo: true, sso.ReasonUnsolicited: true,
	sso.ReasonSubject: true, sso.ReasonConfirmation: true, sso.ReasonRecipient: true, sso.ReasonNotYetValid: true, sso.ReasonExpired: true,
	sso.ReasonAudience: true, sso.ReasonConditions: true, sso.ReasonAuthn: true, sso.ReasonAttributes: true, sso.ReasonReplay: true, sso.ReasonStore: true,
}

func TestVectors(t *testing.T) {
	t.Parallel()
	all := loadVectors(t)
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if v.Expect != "ok" && !reasons[sso.Reason(v.Expect)] {
				t.Fatalf("expect: unknown value %q", v.Expect)
			}
			runVector(t, v)
		})
	}
}

// TestVectorsCoverage holds the vectors to the rule that every check and every
// reason has its refusal, and every refusal an accepted control.
func TestVectorsCoverage(t *testing.T) {
	t.Parallel()
	byName := map[string]*vectors.Vector{}
	checks, left := map[string]bool{}, map[sso.Reason]bool{}
	for r := range reasons {
		left[r] = true
	}
	for _, v := range loadVectors(t) {
		byName[v.Name] = v
		checks[v.Check] = true
		delete(left, sso.Reason(v.Expect))
	}
	for r := range left {
		t.Errorf("no vector is refused for %s", r)
	}
	for _, v := range byName {
		if v.Expect == "ok" {
			continue
		}
		if control := byName[v.Control]; control == nil || control.Expect != "ok" {
			t.Errorf("%s: the control %s is no accepted vector", v.Name, v.Control)
		}
	}
	v := byName["basic-assertion"]
	report := vectorConnection(t, v).InspectResponse(t.Context(), v.FormValue(), sso.VerifyOptions{RequestID: v.Request, CurrentTime: v.Now})
	for _, check := range report.Checks {
		if !checks[check.Name] {
			t.Errorf("no vector is refused by the check %q", check.Name)
		}
	}
}

func loadVectors(t testing.TB) []*vectors.Vector {
	t.Helper()
	all, err := vectors.Load(filepath.Join("testdata", "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func runVector(t *testing.T, v *vectors.Vector) {
	t.Helper()
	c := vectorConnection(t, v)
	o := sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", Replay: vectorReplay(v.Replay), CurrentTime: v.Now}
	a, err := c.VerifyResponse(t.Context(), v.FormValue(), o)
	if (a == nil) != (err != nil) {
		t.Fatalf("got assertion %v with error %v", a, err)
	}
	report := c.InspectResponse(t.Context(), v.FormValue(), o)
	if v.Expect == "ok" {
		if err != nil {
			t.Fatalf("refused: %v\n%s", err, report)
		}
		if !report.OK() {
			t.Errorf("the report disagrees:\n%s", report)
		}
		acceptedVector(t, v, c, a)
		return
	}
	var refusal *sso.VerifyError
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal for %s", err, v.Expect)
	}
	if refusal.Reason != sso.Reason(v.Expect) {
		t.Errorf("got %v, want %s", err, v.Expect)
	}
	if refusal.Hint == "" {
		t.Error("no hint")
	}
	if v.Check == "replay" {
		// An inspection uses up no replay memory and does not ask it.
		if !report.OK() {
			t.Errorf("the report disagrees:\n%s", report)
		}
		return
	}
	first := firstFailure(report)
	if report.OK() || first == nil {
		t.Fatalf("the report accepts what is refused for %s:\n%s", v.Expect, report)
	}
	if first.Name != v.Check || first.Reason != refusal.Reason {
		t.Errorf("the report's first failure is %q for %s, want %q for %s", first.Name, first.Reason, v.Check, refusal.Reason)
	}
}

func firstFailure(report *sso.Report) *sso.Check {
	for i := range report.Checks {
		if report.Checks[i].Status == sso.CheckFailed {
			return &report.Checks[i]
		}
	}
	return nil
}

func acceptedVector(t *testing.T, v *vectors.Vector, c *sso.Connection, a *sso.Assertion) {
	t.Helper()
	if a.Subject.Value != v.NameID {
		t.Errorf("name-id: got %q, want %q", a.Subject.Value, v.NameID)
	}
	p := c.Profile(a)
	if v.PersonName != "" && p.Name != v.PersonName {
		t.Errorf("name: got %q, want %q", p.Name, v.PersonName)
	}
	if diff := cmp.Diff(v.Groups, p.Groups); v.Groups != nil && diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// vectorConnection loads the connection that a vector names.
func vectorConnection(t testing.TB, v *vectors.Vector) *sso.Connection {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", "connections", v.Connection+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Certificates []string
		Connection   sso.Connection
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatalf("%s: %v", v.Connection, err)
	}
	c := &file.Connection
	for _, name := range file.Certificates {
		c.IdP.Certificates = append(c.IdP.Certificates, vectorKey(t, name).Certificate)
	}
	for _, name := range v.Keys {
		c.SP.DecryptionKeys = append(c.SP.DecryptionKeys, vectorKey(t, name))
	}
	return c
}

func vectorKey(t testing.TB, name string) sso.KeyPair {
	t.Helper()
	read := func(file string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", "keys", file))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if block == nil {
			t.Fatalf("%s: no PEM", file)
		}
		return block.Bytes
	}
	certificate, err := x509.ParseCertificate(read(name + ".crt.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(read(name + ".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return sso.KeyPair{Private: key.(crypto.PrivateKey), Certificate: certificate}
}

// vectorReplay answers as the header says; without a word everything is fresh.
type vectorReplay string

func (r vectorReplay) Remember(context.Context, string, time.Time) (bool, error) {
	if r == "fails" {
		return false, errors.New("the store is down")
	}
	return r != "seen", nil
}
