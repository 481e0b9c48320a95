package ssohttp

import (
	"fmt"
)

// A Code says what kind of refusal it was. The values are stable: they may be
// stored and counted.
type Code string

// The codes, with their HTTP statuses.
const (
	CodeMethod        Code = "method"         // 405: another method than the handler's
	CodeBinding       Code = "binding"        // 405: the IdP answers by redirect instead of POST
	CodeContentType   Code = "content_type"   // 415: not an HTML form
	CodeForm          Code = "form"           // 400: a field is missing, repeated or malformed
	CodeTooLarge      Code = "too_large"      // 413: over Config.MaxBody
	CodeSlow          Code = "slow"           // 408: the body did not come within Config.Timeout
	CodeConnection    Code = "connection"     // 404: no such connection
	CodeOff           Code = "off"            // 403: the connection is not on
	CodeBackground    Code = "background"     // 403: a login asked for by a script or ahead of time
	CodeStateUnknown  Code = "state_unknown"  // 403: the RelayState is not one of ours
	CodeStateExpired  Code = "state_expired"  // 403: the answer came after Config.Lifetime
	CodeStateUsed     Code = "state_used"     // 403: this sign-in was finished before
	CodeStateMismatch Code = "state_mismatch" // 403: the state is another connection's
	CodeNoCookie      Code = "no_cookie"      // 403: the browser did not bring the state back
	CodeOtherBrowser  Code = "other_browser"  // 403: another browser started this sign-in
	CodeUnsolicited   Code = "unsolicited"    // 403: started at the IdP, which the connection does not allow
	CodeIdP           Code = "idp"            // 403: the IdP answered that it refused
	CodeResponse      Code = "response"       // 403: the answer did not verify
	CodeNotAdmitted   Code = "not_admitted"   // 403: the person may not enter
	CodeInvitation    Code = "invitation"     // 400: the invitation's code is missing or malformed
	CodeAdministrator Code = "administrator"  // 403: a test by somebody who is no administrator
	CodeConfig        Code = "config"         // 500: the connection cannot be used as it is set up
	CodeSession       Code = "session"        // 500: Config.SignedIn failed
	CodeStore         Code = "store"          // 503: a store is down or slow
	CodeBusy          Code = "busy"           // 503: too many at once
)

// A Refusal is one request that was answered with a page that says no.
type Refusal struct {
	Code   Code
	Status int // of HTTP
	// Reference is on the visitor's page and belongs into the log, so that the
	// two can be brought together.
	Reference string
	// ConnectionID is as the address had it. It may name nothing.
	ConnectionID string
	// Err is the whole reason, for the operator. It is never nil and never holds
	// the message; errors.As finds a *sso.VerifyError, a *sso.RefusedError or a
	// *sso.FieldError in it, where one of those was the cause.
	Err error
}

// String is a line for a log.
func (f Refusal) String() string {
	return fmt.Sprintf("sso refused: reference %s, connection %q, %s: %v", f.Reference, f.ConnectionID, f.Code, f.Err)
}
