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
	// Warnings are what an administrator has to see to soon, such as a pinned
	// certificate past its date. They never stand in for a refusal.
	Warnings []string
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

// An Attribute is one named list of values. A value is the whole text of its
// AttributeValue, white space included; a nil value is "". A value that holds
// elements is their XML, as text, except a lone NameID, whose value it is.
type Attribute struct {
	Name         string   `json:"name"`
	NameFormat   string   `json:"nameFormat,omitempty"`
	FriendlyName string   `json:"friendlyName,omitempty"`
	Values       []string `json:"values"`
	// NameIDs are the values that are NameID elements, as eduPersonTargetedID
	// has them, with their qualifiers.
	NameIDs []NameID `json:"nameIDs,omitempty"`
}

// VerifyResponse checks a SAML Response that was posted to the ACS URL and
// returns the assertion it carries. samlResponse is the value of the
// SAMLResponse form field, still base64.
//
// The error is a *VerifyError if the message was refused, a store failed
// (ReasonStore) or ctx ended, and one or more joined *FieldError if the
// connection or the options cannot be used; then nothing was parsed. The
// assertion is nil whenever the error is not.
//
// VerifyResponse does not decide who may enter; see [Provisioner].
//
// Specification: SAML 2.0 Profiles, 4.1.4.3 and 4.1.4.5.
func (c *Connection) VerifyResponse(ctx context.Context, samlResponse string, o VerifyOptions) (*Assertion, error) {
	if err := c.usable(o, true); err != nil {
		return nil, err
	}
	return newVerification(ctx, c, o, samlResponse).verdict(checks[:])
}

// verdict runs a part of the list of checks and stops at the first failure.
func (v *verification) verdict(list []check) (*Assertion, error) {
	for i := range list {
		k := &list[i]
		if k.advice {
			continue
		}
		if k.ready != nil && !k.ready(v) {
			// Not reached: each check makes what the next ones need, or fails.
			// If it ever were, a skipped check must not pass for a passed one.
			return nil, &VerifyError{Reason: ReasonMessage, Got: "a message on which " + k.name + " cannot be checked", Hint: hintReport}
		}
		if err := k.run(v); err != nil {
			return nil, err
		}
	}
	a := v.result
	return &a, nil
}

// Get returns the first value of the attribute of that name, "" if there is
// none. Names are compared exactly; FriendlyName and NameFormat decide nothing.
func (as Attributes) Get(name string) string {
	if vs := as.Values(name); len(vs) > 0 {
		return vs[0]
	}
	return ""
}

// Values returns the values of the attribute of that name: nil if there is no
// such attribute, empty but not nil if it came without values.
func (as Attributes) Values(name string) []string {
	for i := range as {
		if as[i].Name == name {
			return as[i].Values
		}
	}
	return nil
}
