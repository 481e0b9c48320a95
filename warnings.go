package sso

import (
	"crypto/x509"
	"fmt"
	"time"
)

// certificateNotice is how long before its end a certificate is warned of.
const certificateNotice = 30 * 24 * time.Hour

// Warnings tells what is right and will bite: certificates past their date,
// not yet valid or ending within 30 days, ours and the IdP's, and every switch
// that makes the connection weaker. now is the time to look at, zero for the
// present. None of them stops anything.
func (c *Connection) Warnings(now time.Time) []*FieldError {
	if now.IsZero() {
		now = time.Now()
	}
	var found []*FieldError
	add := func(field, problem, hint string) {
		found = append(found, &FieldError{Field: field, Problem: problem, Hint: hint})
	}
	dates := func(field string, cert *x509.Certificate, hint string) {
		if cert == nil {
			return
		}
		switch end := cert.NotAfter.UTC().Format(time.DateOnly); {
		case !now.Before(cert.NotAfter):
			add(field, "expired on "+end, hint)
		case now.Before(cert.NotBefore):
			add(field, "is not valid before "+cert.NotBefore.UTC().Format(time.DateOnly), "check its dates, and the clocks")
		case !now.Add(certificateNotice).Before(cert.NotAfter):
			add(field, "expires on "+end, hint)
		}
	}
	for i, cert := range c.IdP.Certificates {
		dates(fmt.Sprintf("IdP.Certificates[%d]", i), cert, "add the identity provider's next certificate now: two can be trusted at once")
	}
	const publish = "publish the next one as SP.NextSigningKey, and have the identity provider read our metadata again"
	if k := c.SP.SigningKey; k != nil {
		dates("SP.SigningKey", k.Certificate, publish)
	}
	if k := c.SP.NextSigningKey; k != nil {
		dates("SP.NextSigningKey", k.Certificate, publish)
	}
	for i := range c.SP.DecryptionKeys {
		dates(fmt.Sprintf("SP.DecryptionKeys[%d]", i), c.SP.DecryptionKeys[i].Certificate,
			"add the next key to SP.DecryptionKeys, and have the identity provider read our metadata again")
	}
	for _, s := range []struct {
		on                   bool
		field, problem, hint string
	}{
		{c.InsecureAllowSHA1, "InsecureAllowSHA1", "is on: signatures with SHA-1 can be forged", "have the identity provider sign with SHA-256, then switch it off"},
		{c.InsecureAllowShortRSA, "InsecureAllowShortRSA", "is on: RSA keys below 2048 bits can be broken", "have the identity provider change its key, then switch it off"},
		{c.InsecureAllowRSA15, "InsecureAllowRSA15", "is on: RSA 1.5 key transport can be attacked", "have the identity provider encrypt with RSA-OAEP, then switch it off"},
		{c.InsecureUnauthenticatedCBC, "InsecureUnauthenticatedCBC", "is on: AES-CBC without a signature over it can be attacked",
			"have the identity provider sign the response or encrypt with AES-GCM, then switch it off"},
		{c.InsecureIgnoreInResponseTo && c.AllowIdPInitiated, "InsecureIgnoreInResponseTo", "is on: answers to unknown requests are taken",
			"switch the value off at the identity provider, then here"},
		{c.InsecureIgnoreInResponseTo && !c.AllowIdPInitiated, "InsecureIgnoreInResponseTo", "has no effect without AllowIdPInitiated", "switch it off"},
	} {
		if s.on {
			add(s.field, s.problem, s.hint)
		}
	}
	return found
}
