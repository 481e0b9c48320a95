// Package xmlsig is enveloped XML signature: canonical form, digest, verify
// with pinned keys, and signing.
//
// Reading is our own from the first byte to the last, because a verifier has to
// be stricter than the standard (one Reference, to the parent, with two known
// transforms) and must do linear work on hostile input. Writing goes through
// goxmldsig, with the canonical form from here.
//
// Specification: W3C XML Signature Syntax and Processing, version 1.1; SAML 2.0
// Core, 5.4.
package xmlsig

import "fmt"

// Kind sorts the ways in which a signature is refused.
type Kind string

const (
	KindMissing   Kind = "missing"   // the element has no Signature child
	KindMalformed Kind = "malformed" // wrong structure, reference, transforms, or place
	KindAlgorithm Kind = "algorithm" // an algorithm or key outside the allow-list
	KindDigest    Kind = "digest"    // the element was changed after signing
	KindKey       Kind = "key"       // no pinned key verifies the SignatureValue
)

// Error is a refusal.
type Error struct {
	Kind Kind
	Msg  string
	Got  string // the algorithm URI, fingerprint, ... that was found; may be empty
	// KeyInfoSHA256 is the fingerprint of the certificate that the signature
	// names, for a hint. It is never trusted. Only set for KindKey and KindDigest.
	KeyInfoSHA256 string
}

func (e *Error) Error() string { return e.Msg }

// Options widen what is accepted. The zero value is strict.
type Options struct {
	AllowSHA1     bool
	AllowShortRSA bool // down to 1,024 bits
}

// Result says how a signature was made.
type Result struct {
	Certificate     int    // index into the pinned certificates
	SignatureMethod string // URI
	DigestMethod    string // URI
}

// maxGot bounds how much of a hostile value an error repeats.
const maxGot = 120

func shorten(s string) string {
	if len(s) > maxGot {
		return s[:maxGot] + "…"
	}
	return s
}

func malformed(format string, args ...any) *Error {
	return &Error{Kind: KindMalformed, Msg: fmt.Sprintf(format, args...)}
}

func unaccepted(what, got string) *Error {
	got = shorten(got)
	return &Error{Kind: KindAlgorithm, Msg: fmt.Sprintf("%s %q is not accepted", what, got), Got: got}
}
