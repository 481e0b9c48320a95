package xmlsig

import (
	"crypto"
	"crypto/x509"
	"errors"

	"github.com/beevik/etree"
)

// KeyInfo says what a signature tells about its key.
type KeyInfo int

const (
	KeyInfoCertificate KeyInfo = iota // X509Data, or nothing where there is no certificate
	KeyInfoNone                       // no KeyInfo
	KeyInfoName                       // KeyName only
	KeyInfoValue                      // KeyValue only: RSAKeyValue or ECKeyValue
)

// SignOptions is how SignWith signs. The zero value signs as Sign does.
type SignOptions struct {
	// Method is a short name as Sign has it, and besides "rsa-pss-sha256" and
	// its siblings, "rsa-sha1", "ecdsa-sha1". Empty: SHA-256 of the key's kind.
	Method string
	// DigestURI is the digest method. Empty: with the hash of Method.
	DigestURI string
	// C14N is the canonical form of the element; SignedInfoC14N that of
	// SignedInfo, by default the same. Empty: exclusive.
	C14N, SignedInfoC14N string
	// InclusivePrefixes is the PrefixList of the exclusive forms, for both.
	InclusivePrefixes []string
	KeyInfo           KeyInfo
	// Prefix of the Signature's elements. Empty: "ds". "#default": none.
	Prefix string
	// LineLength breaks base64 with line feeds after so many characters.
	LineLength int
	// Edit changes the finished SignedInfo before it is signed, so that a test
	// can have a key sign what it should not.
	Edit func(signedInfo *etree.Element)
}

// SignWith signs el as Sign does, in any of the forms that Verify reads. It is
// there for test identity providers: only Sign is meant for what we send.
func SignWith(el *etree.Element, key crypto.Signer, cert *x509.Certificate, o SignOptions, at int) error {
	return errors.New("stub")
}
