package sso

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// A CertificateUse is what is known of one pinned certificate beside itself.
type CertificateUse struct {
	// FirstSeen is when it was pinned.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
	// LastVerified is when its key last verified a sign-in, to the hour. Zero:
	// never.
	LastVerified time.Time `json:"lastVerified,omitzero"`
}

// NoteSignIn notes that a sign-in was verified, and by which certificate, and
// since when each certificate is known. It says whether anything changed that
// is worth storing: LastVerified is kept to the hour, so that a busy connection
// is not written at each sign-in. It drops what is known of certificates that
// are no longer pinned.
func (c *Connection) NoteSignIn(a *Assertion, now time.Time) (changed bool) {
	now = now.UTC()
	use := make(map[string]CertificateUse, len(c.IdP.Certificates))
	for _, cert := range c.IdP.Certificates {
		fp := Fingerprint(cert)
		u, known := c.IdP.CertificateUse[fp]
		if !known {
			u.FirstSeen, changed = now, true
		}
		if a != nil && a.CertificateSHA256 == fp && now.Sub(u.LastVerified) >= time.Hour {
			u.LastVerified, changed = now.Truncate(time.Hour), true
		}
		use[fp] = u
	}
	if changed || len(use) != len(c.IdP.CertificateUse) {
		changed = true
		c.IdP.CertificateUse = use
	}
	return changed
}

// An Expiry is a certificate that ends soon, or has ended.
type Expiry struct {
	Field       string    `json:"field"` // as in a FieldError
	Subject     string    `json:"subject"`
	SHA256      string    `json:"sha256"`
	NotAfter    time.Time `json:"notAfter"`
	Replacement bool      `json:"replacement"` // another one beside it lasts longer
}

// Expiring lists the certificates, the IdP's and ours, that end within the
// given time from now, soonest first: for reminders some 60, 30 and 7 days
// ahead.
func (c *Connection) Expiring(now time.Time, within time.Duration) []Expiry {
	var out []Expiry
	add := func(field string, cert *x509.Certificate, beside []*x509.Certificate) {
		if cert == nil || cert.NotAfter.After(now.Add(within)) {
			return
		}
		lasts := slices.ContainsFunc(beside, func(o *x509.Certificate) bool { return o != nil && o.NotAfter.After(now.Add(within)) })
		out = append(out, Expiry{Field: field, Subject: cert.Subject.String(), SHA256: Fingerprint(cert), NotAfter: cert.NotAfter, Replacement: lasts})
	}
	for i, cert := range c.IdP.Certificates {
		add(fmt.Sprintf("IdP.Certificates[%d]", i), cert, c.IdP.Certificates)
	}
	if k := c.SP.SigningKey; k != nil {
		var next []*x509.Certificate
		if c.SP.NextSigningKey != nil {
			next = append(next, c.SP.NextSigningKey.Certificate)
		}
		add("SP.SigningKey", k.Certificate, next)
	}
	var ours []*x509.Certificate
	for _, k := range c.SP.DecryptionKeys {
		ours = append(ours, k.Certificate)
	}
	for i, cert := range ours {
		add(fmt.Sprintf("SP.DecryptionKeys[%d]", i), cert, ours)
	}
	slices.SortStableFunc(out, func(a, b Expiry) int { return a.NotAfter.Compare(b.NotAfter) })
	return out
}

// RemoveCertificate takes the pinned certificate of that fingerprint out. It
// refuses, with a *FieldError, the last one, and the only one that has verified
// a sign-in, unless force is true: without it nobody could enter until the test
// is passed again.
func (c *Connection) RemoveCertificate(sha256 string, force bool) error {
	const field = "IdP.Certificates"
	i := slices.IndexFunc(c.IdP.Certificates, func(cert *x509.Certificate) bool { return Fingerprint(cert) == sha256 })
	if i < 0 {
		return &FieldError{Field: field, Problem: "have none with that fingerprint", Hint: "look at the list again; somebody else may have removed it"}
	}
	worked := func(cert *x509.Certificate) bool {
		return !c.IdP.CertificateUse[Fingerprint(cert)].LastVerified.IsZero()
	}
	others := slices.Delete(slices.Clone(c.IdP.Certificates), i, i+1)
	switch {
	case force:
	case len(others) == 0:
		return &FieldError{Field: field, Problem: "would be empty, and nobody could sign in", Hint: "add the identity provider's present certificate first"}
	case worked(c.IdP.Certificates[i]) && !slices.ContainsFunc(others, worked):
		return &FieldError{Field: field, Problem: "would lose the only certificate that a sign-in was verified with", Hint: "wait until somebody has signed in with the next one"}
	}
	c.IdP.Certificates = others
	return nil
}
