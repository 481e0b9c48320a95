package sso

import "time"

// RequestOptions are what an AuthnRequest may ask of the IdP. The zero value
// asks nothing, which is what most IdPs are happiest with. An option set here
// or in Connection.Request is sent.
type RequestOptions struct {
	// ForceAuthn asks the IdP to have the person sign in again.
	ForceAuthn bool `json:"forceAuthn,omitempty"`
	// IsPassive asks the IdP not to show anything: it answers NoPassive if it
	// would have to.
	IsPassive bool `json:"isPassive,omitempty"`
	// NameIDFormat asks for a format of NameID. AD FS refuses what it cannot
	// deliver. Empty: no NameIDPolicy is sent.
	NameIDFormat string `json:"nameIDFormat,omitempty"`
	// AuthnContext asks for one of these AuthnContextClassRefs.
	AuthnContext []string `json:"authnContext,omitempty"`
	// AuthnContextComparison is exact, minimum, maximum or better. Empty: exact.
	AuthnContextComparison string `json:"authnContextComparison,omitempty"`
	// ProviderName is the application's name for people, shown by some IdPs.
	ProviderName string `json:"providerName,omitempty"`
	// AttributeConsumingServiceIndex picks a set of attributes that our
	// metadata describes. Nil: not sent.
	AttributeConsumingServiceIndex *int `json:"attributeConsumingServiceIndex,omitempty"`
	// LoginHint goes into the login_hint query parameter of the redirect, which
	// Entra ID and others use to fill in the user name. Never in the request.
	LoginHint string `json:"-"`
	// CurrentTime is the IssueInstant. Zero: now.
	CurrentTime time.Time `json:"-"`
}

// SignatureMethod names a signature algorithm for what we send.
type SignatureMethod string

// The signature methods that can be chosen.
const (
	RSASHA256   SignatureMethod = "rsa-sha256"
	RSASHA384   SignatureMethod = "rsa-sha384"
	RSASHA512   SignatureMethod = "rsa-sha512"
	ECDSASHA256 SignatureMethod = "ecdsa-sha256"
	ECDSASHA384 SignatureMethod = "ecdsa-sha384"
	ECDSASHA512 SignatureMethod = "ecdsa-sha512"
)
