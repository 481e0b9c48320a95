package sso

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Certificates is a list of X.509 certificates that is PEM in JSON.
type Certificates []*x509.Certificate

// ParseCertificates reads certificates as people paste them: PEM with or
// without its header lines or with damaged ones, several in a row, base64 on
// one line, with CRLF, blanks, quotes, \n or HTML entities for line ends; and
// the bytes of a .cer file. At most 64 KiB are read.
//
// Certificates that come twice are kept once. Of a chain only the end is kept:
// to pin an authority would be to trust whatever it issues.
//
// The error is a *FieldError for the field IdP.Certificates. It tells what was
// pasted instead (a private key, a signing request, a fingerprint, metadata, an
// address) and repeats none of it. A private key is refused even next to a
// certificate.
func ParseCertificates(text string) (Certificates, error) {
	if len(text) > maxPaste {
		return nil, certificateError(pasteTooLong)
	}
	certs, err := readCertificates(text)
	if err != nil {
		return nil, err
	}
	certs = endsOfChains(withoutRepeats(certs))
	if len(certs) > maxCertificates {
		return nil, certificateError(pasteTooMany)
	}
	return certs, nil
}

// maxCertificates bounds the certificates of a connection: each is tried on
// each signature.
const maxCertificates = 20

// Fingerprint returns the SHA-256 fingerprint of a certificate in lower-case
// hex, without colons. It is the same as Assertion.CertificateSHA256.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// String describes the certificates, one a line: subject, expiry, SHA-256
// fingerprint.
func (cs Certificates) String() string {
	var b strings.Builder
	for i, c := range cs {
		if i > 0 {
			b.WriteByte('\n')
		}
		if c == nil {
			b.WriteString("no certificate")
			continue
		}
		fmt.Fprintf(&b, "%s, expires %s, SHA-256 %s", subject(c), c.NotAfter.UTC().Format(time.DateOnly), Fingerprint(c))
	}
	return b.String()
}

// MarshalText encodes the certificates as PEM.
func (cs Certificates) MarshalText() ([]byte, error) {
	var b bytes.Buffer
	for _, c := range cs {
		if c == nil {
			return nil, errors.New("sso: a certificate is nil")
		}
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// UnmarshalText reads what MarshalText wrote, and whatever else
// ParseCertificates reads, but leaves nothing out. Empty text is no
// certificates.
func (cs *Certificates) UnmarshalText(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		*cs = nil
		return nil
	}
	if len(text) > maxStored {
		return certificateError(pasteTooLong)
	}
	certs, err := readCertificates(string(text))
	if err != nil {
		return err
	}
	*cs = certs
	return nil
}

// subject is the subject of a certificate, fit to be shown: it is whatever the
// maker of the certificate wrote.
func subject(c *x509.Certificate) string {
	s := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, c.Subject.String())
	switch r := []rune(s); {
	case len(r) == 0:
		return "(no subject)"
	case len(r) > 120:
		return string(r[:120]) + "…"
	}
	return s
}

func withoutRepeats(certs Certificates) Certificates {
	kept := certs[:0:0]
	seen := make(map[string]bool, len(certs))
	for _, c := range certs {
		if !seen[string(c.Raw)] {
			seen[string(c.Raw)] = true
			kept = append(kept, c)
		}
	}
	return kept
}

// endsOfChains leaves out each certificate that issued another one of the list.
// Self-signed ones of the same name, as a rollover has them, all stay.
func endsOfChains(certs Certificates) Certificates {
	if len(certs) > maxCertificates {
		return certs // the caller refuses them
	}
	kept := certs[:0:0]
	for _, issuer := range certs {
		if !slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return issuedBy(c, issuer) }) {
			kept = append(kept, issuer)
		}
	}
	if len(kept) == 0 && len(certs) > 0 {
		return certs[:1] // they issued each other
	}
	return kept
}

// issuedBy goes by the names alone. The signature need not be looked at: to
// leave a certificate out trusts nobody.
func issuedBy(c, issuer *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
		!bytes.Equal(c.RawIssuer, c.RawSubject) &&
		(issuer.IsCA || !issuer.BasicConstraintsValid)
}
