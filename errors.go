package sso

import (
	"strconv"
	"strings"
)

// A Reason says which check refused a message. The values are stable: they may
// be stored, counted and compared.
type Reason string

// The reasons.
const (
	ReasonTooLarge     Reason = "too_large"      // the message is over a limit
	ReasonEncoding     Reason = "encoding"       // not base64
	ReasonXML          Reason = "xml"            // not XML as the strict reader takes it
	ReasonMessage      Reason = "message"        // not a SAML 2.0 Response of the right shape
	ReasonVersion      Reason = "version"        // another version than 2.0
	ReasonStatus       Reason = "status"         // the IdP answered that it refused
	ReasonUnsigned     Reason = "unsigned"       // nothing, or not the required element, is signed
	ReasonSignature    Reason = "signature"      // a signature is malformed, misplaced or does not hold
	ReasonKey          Reason = "key"            // no pinned certificate fits the signature
	ReasonAlgorithm    Reason = "algorithm"      // an algorithm or key that is not allowed
	ReasonCertificate  Reason = "certificate"    // the pinned certificate is expired and that is refused
	ReasonEncrypted    Reason = "encrypted"      // encrypted, and there is no decryption key or it may not be decrypted
	ReasonDecryption   Reason = "decryption"     // decryption failed
	ReasonAssertion    Reason = "assertion"      // not exactly one assertion, or not of the right shape
	ReasonIssuer       Reason = "issuer"         // from another IdP
	ReasonDestination  Reason = "destination"    // sent to another address
	ReasonIssueInstant Reason = "issue_instant"  // made in the future or too long ago
	ReasonInResponseTo Reason = "in_response_to" // the answer to another request
	ReasonUnsolicited  Reason = "unsolicited"    // the answer to no request
	ReasonSubject      Reason = "subject"        // no subject, or no usable NameID
	ReasonConfirmation Reason = "confirmation"   // no bearer confirmation
	ReasonRecipient    Reason = "recipient"      // confirmed for another address
	ReasonNotYetValid  Reason = "not_yet_valid"
	ReasonExpired      Reason = "expired"
	ReasonAudience     Reason = "audience"     // meant for another service provider
	ReasonConditions   Reason = "conditions"   // missing, malformed or unknown conditions
	ReasonAuthn        Reason = "authn"        // no AuthnStatement, or an ended session
	ReasonAttributes   Reason = "attributes"   // malformed attributes
	ReasonReplay       Reason = "replay"       // used before
	ReasonStore        Reason = "store"        // a store could not answer
	ReasonBackChannel  Reason = "back_channel" // the IdP could not be asked what an artifact stands for
)

// A VerifyError says why a message was refused. It never holds the message:
// Got and Want are the values compared, shortened and quoted.
type VerifyError struct {
	Reason Reason
	Got    string
	Want   string
	// Hint is the next step, for the administrator. Never empty.
	Hint string
	// Err is the cause, if it came from elsewhere. It may be nil.
	Err error
}

// Error is for the operator's log.
func (e *VerifyError) Error() string {
	var b strings.Builder
	b.WriteString("sso: ")
	b.WriteString(string(e.Reason))
	if e.Got != "" {
		b.WriteString(": got ")
		b.WriteString(e.Got)
	}
	if e.Want != "" {
		b.WriteString(", want ")
		b.WriteString(e.Want)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *VerifyError) Unwrap() error { return e.Err }

// A FieldError says what is wrong with one setting and what to do. Several come
// joined, as errors.Join does.
type FieldError struct {
	Field   string // the Go path of the field, as in "IdP.SSOURL"
	Problem string // what is wrong, with the value where it is no secret
	Hint    string // what to do
}

// Error names the field, the problem and the way out.
func (e *FieldError) Error() string {
	s := "sso: " + e.Field + ": " + e.Problem
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// quote shortens a value from a message and quotes it, so that it can stand in
// an error: a document must not get into a log piece by piece.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.QuoteToGraphic(s)
}
