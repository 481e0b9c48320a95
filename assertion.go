package sso

import (
	"context"
	"time"
)

// VerifyOptions are the inputs of one verification. The zero value refuses.
type VerifyOptions struct {
	// RequestID is the ID of the AuthnRequest that this browser was sent off
	// with. It is required unless AllowIdPInitiated.
	RequestID string
	// AllowIdPInitiated also accepts a Response to no request. It needs Replay.
	AllowIdPInitiated bool
	// Replay remembers assertions, so that each is used once. Nil: the caller
	// vouches that each RequestID is offered once.
	Replay ReplayCache
	// CurrentTime is the time to verify at. Zero: now.
	CurrentTime time.Time
}

// A ReplayCache remembers which assertions were used.
//
// Remember stores key until the given time and returns true exactly once for a
// key, among any number of callers and processes. It may forget a key after
// until, never before. An error means that the store could not tell: the
// sign-in is then refused. It must return when ctx is done.
type ReplayCache interface {
	Remember(ctx context.Context, key string, until time.Time) (fresh bool, err error)
}

// An Assertion is what the IdP said of a person. Every value in it was covered
// by a signature that verified. Only VerifyResponse makes one.
type Assertion struct {
	ID           string
	InResponseTo string // empty: IdP-initiated
	Issuer       string
	Subject      NameID
	Attributes   Attributes
	// SessionIndex is the IdP's handle on the session, for single logout.
	SessionIndex string
	// AuthnContext is the AuthnContextClassRef: how the person signed in.
	AuthnContext string
	AuthnInstant time.Time
	// NotOnOrAfter is when the assertion stops being valid, without skew.
	NotOnOrAfter time.Time
	// SessionNotOnOrAfter is when the IdP wants our session to end. Zero: it
	// did not say.
	SessionNotOnOrAfter time.Time
	// CertificateSHA256 is the fingerprint, in lower-case hex, of the pinned
	// certificate whose key verified the signature.
	CertificateSHA256 string
}

// A NameID is the IdP's name for a person.
//
// Specification: SAML 2.0 Core, 2.2.2 and 2.2.3.
type NameID struct {
	Value           string `json:"value"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"nameQualifier,omitempty"`
	SPNameQualifier string `json:"spNameQualifier,omitempty"`
}

// Attributes are the attributes of an assertion in their order, those with one
// name merged into one.
type Attributes []Attribute

// An Attribute is one named list of values.
type Attribute struct {
	Name         string   `json:"name"`
	NameFormat   string   `json:"nameFormat,omitempty"`
	FriendlyName string   `json:"friendlyName,omitempty"`
	Values       []string `json:"values"`
}
