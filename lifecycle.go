package sso

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// A TestRecord is what the last test of a connection came to.
type TestRecord struct {
	Time   time.Time `json:"time"`
	By     string    `json:"by,omitempty"` // who ran it, in the application's words
	Passed bool      `json:"passed"`
	Reason Reason    `json:"reason,omitempty"` // of the first failure
	// UserID is the application's user that the test signed in as, "" if it was
	// none, or one who would not be admitted. EnableRequired asks for it.
	UserID string `json:"userID,omitempty"`
	// Fingerprints holds, by field, the digest of every setting that matters to
	// security, as it was when the test ran.
	Fingerprints map[string]string `json:"fingerprints"`
	// Stands is the test that passed before, where this one did not and the
	// connection was on with the same settings: see RecordTest.
	Stands *TestRecord `json:"stands,omitempty"`
}

// setting is one field whose change makes a test void.
type setting struct {
	field string
	value func(c *Connection) any
}

// settings are the fields that a test proves: the addresses and names of both
// sides, what is demanded of a Response, what is asked in a request, and where
// the person's e-mail and groups are read from. Certificates have a rule of
// their own, see certificatesHold.
//
// The policy is not among them: DefaultRole, AllowedGroups and KeepNames apply
// to every sign-in at once and a test proves nothing about them.
//
// Nor are our own keys. They guard nothing of ours: whoever changes one can let
// nobody in by it. They belong to the application, not to the connection, and
// are not in its JSON. If they counted, a change of key would switch off every
// customer at once, and a row read without its keys would not be Ready.
var settings = [...]setting{
	{"SP.EntityID", func(c *Connection) any { return c.SP.EntityID }},
	{"SP.ACSURL", func(c *Connection) any { return c.SP.ACSURL }},
	{"IdP.EntityID", func(c *Connection) any { return c.IdP.EntityID }},
	{"IdP.SSOURL", func(c *Connection) any { return c.IdP.SSOURL }},
	{"IdP.SSOPostURL", func(c *Connection) any { return c.IdP.SSOPostURL }},
	{"IdP.ArtifactURL", func(c *Connection) any { return c.IdP.ArtifactURL }},
	{"Attributes", func(c *Connection) any { return c.Attributes }},
	{"ClockSkew", func(c *Connection) any { return c.ClockSkew }},
	{"SignRequests", func(c *Connection) any { return c.SignRequests }},
	{"SignatureMethod", func(c *Connection) any { return c.SignatureMethod }},
	{"Request", func(c *Connection) any { return c.Request }},
	{"AllowIdPInitiated", func(c *Connection) any { return c.AllowIdPInitiated }},
	{"RequireSignedResponse", func(c *Connection) any { return c.RequireSignedResponse }},
	{"RequireSignedAssertion", func(c *Connection) any { return c.RequireSignedAssertion }},
	{"RefuseExpiredCertificates", func(c *Connection) any { return c.RefuseExpiredCertificates }},
	{"InsecureAllowSHA1", func(c *Connection) any { return c.InsecureAllowSHA1 }},
	{"InsecureAllowShortRSA", func(c *Connection) any { return c.InsecureAllowShortRSA }},
	{"InsecureAllowRSA15", func(c *Connection) any { return c.InsecureAllowRSA15 }},
	{"InsecureUnauthenticatedCBC", func(c *Connection) any { return c.InsecureUnauthenticatedCBC }},
	{"InsecureIgnoreInResponseTo", func(c *Connection) any { return c.InsecureIgnoreInResponseTo }},
}

// certificatesField is compared by a rule of its own, see certificatesHold.
const certificatesField = "IdP.Certificates"

// fingerprints takes the digest of every setting.
func (c *Connection) fingerprints() map[string]string {
	out := make(map[string]string, len(settings)+1)
	for _, s := range settings {
		text, err := json.Marshal(s.value(c))
		if err != nil {
			text = []byte(err.Error()) // strings, numbers and flags only: cannot fail
		}
		sum := sha256.Sum256(text)
		out[s.field] = hex.EncodeToString(sum[:16])
	}
	out[certificatesField] = strings.Join(certificateDigests(c.IdP.Certificates), " ")
	return out
}

func certificateDigests(certs []*x509.Certificate) []string {
	var out []string
	for _, cert := range certs {
		if cert != nil {
			out = append(out, Fingerprint(cert))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// certificatesHold says whether a test still speaks for the pinned
// certificates: at least one of them it ran with, or has verified a sign-in
// since, which says as much. So a rollover locks nobody out: adding the next
// certificate beside the present one changes nothing for whoever signs in with
// the present one, and once somebody has signed in with the next one the old one
// may go. Replacing all makes the test void. Whoever may add a certificate may
// run a test with it as well, so nothing is lost by this.
func (c *Connection) certificatesHold(rec *TestRecord) bool {
	tested := strings.Fields(rec.Fingerprints[certificatesField])
	since := rec.Time.Truncate(time.Hour) // as LastVerified is
	return slices.ContainsFunc(certificateDigests(c.IdP.Certificates), func(fp string) bool {
		used := c.IdP.CertificateUse[fp].LastVerified
		return slices.Contains(tested, fp) || len(tested) > 0 && !used.IsZero() && !used.Before(since)
	})
}

// RecordTest keeps what a test of the present settings came to: report is that
// of InspectResponse, by is who ran it and userID the application's user that
// it signed in as, "" for none.
//
// On a connection that is Ready a test that does not pass takes nothing away:
// the settings are those that passed, and an administrator who gives up at the
// IdP's page must not lock everybody out. On any other connection the last test
// counts.
func (c *Connection) RecordTest(report *Report, at time.Time, by, userID string) {
	rec := &TestRecord{Time: at.UTC(), By: by, UserID: userID, Passed: report != nil && report.OK(), Fingerprints: c.fingerprints()}
	if report != nil {
		for _, k := range report.Checks {
			if k.Status == CheckFailed {
				rec.Reason = k.Reason
				break
			}
		}
	}
	if !rec.Passed && c.Ready() {
		passed := *c.passing()
		passed.Stands = nil
		rec.Stands = &passed
	}
	c.LastTest = rec
}

// passing is the record that decides: the last test, or the one before that
// still stands.
func (c *Connection) passing() *TestRecord {
	if c.LastTest != nil && !c.LastTest.Passed && c.LastTest.Stands != nil {
		return c.LastTest.Stands
	}
	return c.LastTest
}

// ChangedSinceTest names the settings that are no longer as they were when the
// last test ran, sorted. Each makes the test void. Nil without a test.
func (c *Connection) ChangedSinceTest() []string {
	rec := c.passing()
	if rec == nil {
		return nil
	}
	var out, unknown []string
	now := c.fingerprints()
	for field, fp := range now {
		tested, ok := rec.Fingerprints[field]
		switch {
		case field == certificatesField:
		case !ok:
			unknown = append(unknown, field)
		case tested != fp:
			out = append(out, field)
		}
	}
	if len(unknown) > 0 {
		// The record is older than the field. What was tested is what its zero
		// value means, or an update of this package would switch everybody off.
		zero := new(Connection).fingerprints()
		for _, field := range unknown {
			if now[field] != zero[field] {
				out = append(out, field)
			}
		}
	}
	if !c.certificatesHold(rec) {
		out = append(out, certificatesField)
	}
	slices.Sort(out)
	return out
}

// tested says what stands in the way of switching on, nil if nothing does.
func (c *Connection) tested() error {
	problem := ""
	switch changed := c.ChangedSinceTest(); {
	case c.LastTest == nil:
		problem = "was never tested"
	case !c.passing().Passed:
		problem = "did not pass its last test"
		if c.LastTest.Reason != "" {
			problem += " (" + string(c.LastTest.Reason) + ")"
		}
	case len(changed) > 0:
		problem = "was changed after its test: " + strings.Join(changed, ", ")
	default:
		return nil
	}
	return &FieldError{Field: "LastTest", Problem: problem, Hint: "test the connection, then switch it on"}
}

// Enable switches the connection on. It refuses, with *FieldErrors, a
// connection that Validate refuses or whose present settings did not pass a
// test.
func (c *Connection) Enable() error {
	if err := errors.Join(c.Validate(), c.tested()); err != nil {
		return err
	}
	c.Enabled = true
	return nil
}

// EnableRequired is Enable for an application that then lets nobody in by any
// other way: the administrator who switches it on, the application's user
// userID, must have passed the test as themself, so that at least one person
// is known to be able to come back and switch it off.
func (c *Connection) EnableRequired(userID string) error {
	if c.LastTest != nil && (userID == "" || c.passing().UserID != userID) {
		return &FieldError{Field: "LastTest", Problem: "was not passed by the administrator who switches the connection on", Hint: "run the test and sign in at the identity provider as yourself"}
	}
	return c.Enable()
}

// Disable switches the connection off. It always can.
func (c *Connection) Disable() { c.Enabled = false }

// Ready says whether people may sign in: the connection is on, and its present
// settings passed a test. Show the login button where it is true.
func (c *Connection) Ready() bool { return c.Enabled && c.tested() == nil }
