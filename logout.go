package sso

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlenc"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// A LogoutSession says whose sessions end, and which: the NameID and the
// SessionIndex of the assertions that began them.
type LogoutSession struct {
	Subject NameID
	// SessionIndexes are the sessions. Empty: all sessions of the person.
	SessionIndexes []string
}

// LogoutOptions are the inputs of one logout.
type LogoutOptions struct {
	// Reason is sent with a request, such as
	// urn:oasis:names:tc:SAML:2.0:logout:user. Empty: none is sent.
	Reason string
	// EncryptTo encrypts the NameID of a request to this certificate of the
	// IdP. Nil: it is sent as it is.
	EncryptTo *x509.Certificate
	// Replay remembers requests, so that each is carried out once. It is
	// required where a request of the IdP is taken.
	Replay ReplayCache
	// CurrentTime is the time to make or verify at. Zero: now.
	CurrentTime time.Time
}

// A LogoutMessage is a logout message of ours, ready to be sent by the browser.
// It is signed: a logout that anybody can forge lets anybody log others out.
type LogoutMessage struct {
	// ID of the message. Keep that of a request until the answer comes.
	ID string

	parameter string
	address   string
	element   *etree.Element
	signer    *signer
}

// NewLogoutRequest asks the IdP to end a person's sessions there and at the
// other service providers. The application ends its own session first.
//
// The error is one or more joined *FieldError: SP.SigningKey and IdP.SLOURL are
// needed.
//
// Specification: SAML 2.0 Core, 3.7.1, and Profiles, 4.4.
func (c *Connection) NewLogoutRequest(s LogoutSession, o LogoutOptions) (*LogoutMessage, error) {
	if s.Subject.Value == "" {
		return nil, &FieldError{Field: "LogoutSession.Subject", Problem: "is empty", Hint: "pass the NameID of the assertion that began the session"}
	}
	m, err := c.logoutMessage("LogoutRequest", o)
	if err != nil {
		return nil, err
	}
	now := o.CurrentTime
	if now.IsZero() {
		now = time.Now()
	}
	m.element.CreateAttr("NotOnOrAfter", samlxml.FormatTime(now.Add(maxMessageAge)))
	if o.Reason != "" {
		m.element.CreateAttr("Reason", o.Reason)
	}
	id := m.element.CreateElement("saml:NameID")
	id.SetText(s.Subject.Value)
	for _, a := range []struct{ key, value string }{
		{"Format", s.Subject.Format}, {"NameQualifier", s.Subject.NameQualifier}, {"SPNameQualifier", s.Subject.SPNameQualifier}} {
		if a.value != "" {
			id.CreateAttr(a.key, a.value)
		}
	}
	if o.EncryptTo != nil {
		enc, err := xmlenc.Encrypt(id, "EncryptedID", o.EncryptTo, xmlenc.EncryptOptions{})
		if err != nil {
			return nil, &FieldError{Field: "LogoutOptions.EncryptTo", Problem: "cannot be used: " + err.Error(), Hint: "pass the identity provider's RSA encryption certificate"}
		}
		at := id.Index()
		m.element.RemoveChildAt(at)
		m.element.InsertChildAt(at, enc)
	}
	for _, index := range s.SessionIndexes {
		m.element.CreateElement("samlp:SessionIndex").SetText(index)
	}
	return m, nil
}

// logoutMessage begins a request or a response.
func (c *Connection) logoutMessage(tag string, o LogoutOptions) (*LogoutMessage, error) {
	v := validator{}
	if c.SP.EntityID == "" {
		v.add("SP.EntityID", "is empty", "set the entity ID that the identity provider knows us by")
	}
	v.address("IdP.SLOURL", c.IdP.SLOURL, "paste the single logout address from the identity provider")
	s, err := c.signer()
	if err != nil {
		v.errs = append(v.errs, err)
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	now := o.CurrentTime
	if now.IsZero() {
		now = time.Now()
	}
	e := etree.NewElement("samlp:" + tag)
	e.CreateAttr("xmlns:samlp", samlxml.Protocol)
	e.CreateAttr("xmlns:saml", samlxml.Assertion)
	m := &LogoutMessage{ID: newID(), parameter: samlRequest, address: c.IdP.SLOURL, element: e, signer: s}
	if tag == "LogoutResponse" {
		m.parameter = samlResponse
	}
	e.CreateAttr("ID", m.ID)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", samlxml.FormatTime(now))
	e.CreateAttr("Destination", m.address)
	e.CreateElement("saml:Issuer").SetText(c.SP.EntityID)
	return m, nil
}

// samlResponse is the parameter that carries a response.
const samlResponse = "SAMLResponse"

// RedirectURL returns the address to send the browser to, for the HTTP-Redirect
// binding. relayState may have 80 bytes at most; with an answer it is the one
// that came with the request. The error is a *FieldError if relayState is too
// long, else it comes from the signing key.
//
// Specification: SAML 2.0 Bindings, 3.4.
func (m *LogoutMessage) RedirectURL(relayState string) (string, error) {
	return redirectURL(m.address, m.parameter, m.element, relayState, m.signer)
}

// PostForm returns an HTML page that posts the message, for the HTTP-POST
// binding. Serve it as that of [AuthnRequest.PostForm].
//
// Specification: SAML 2.0 Bindings, 3.5.
func (m *LogoutMessage) PostForm(relayState string) ([]byte, error) {
	e := m.element.Copy()
	if err := xmlsig.Sign(e, m.signer.key, m.signer.cert, m.signer.method, 1); err != nil {
		return nil, err
	}
	return postForm(m.address, m.parameter, e, relayState)
}

// ErrPartialLogout is what the application's callback returns when it ended
// some of the sessions and not all.
var ErrPartialLogout = errors.New("sso: some sessions could not be ended")

// HandleLogoutRequest verifies a LogoutRequest of the IdP, has end end the
// sessions, and returns the answer to send back, with the RelayState that came.
//
// end is called once for each request, after it is verified, and not for one
// that was seen before. If it returns ErrPartialLogout the IdP is told so; a
// *StatusError is sent with its codes and its message; any other error makes an
// answer that says that the logout failed, and no more.
//
// A request that is refused is a *VerifyError and has no answer: whoever forged
// it learns nothing. A *FieldError is a setting that is missing.
//
// Specification: SAML 2.0 Core, 3.7.3.2, and Profiles, 4.4.3.
func (c *Connection) HandleLogoutRequest(ctx context.Context, in LogoutInput, o LogoutOptions, end func(context.Context, LogoutSession) error) (*LogoutMessage, error) {
	if o.Replay == nil || end == nil {
		return nil, &FieldError{Field: "LogoutOptions.Replay", Problem: "or the callback is nil", Hint: "pass a ReplayCache and a function that ends sessions"}
	}
	l, err := c.openLogout(ctx, in, samlRequest, o)
	if err != nil {
		return nil, err
	}
	s, verr := l.session()
	if verr != nil {
		return nil, verr
	}
	answer, err := c.logoutMessage("LogoutResponse", o)
	if err != nil {
		return nil, err
	}
	fresh, err := o.Replay.Remember(ctx, replayKey("logout\x00"+c.IdP.EntityID, l.id), l.v.now.Add(maxMessageAge+2*l.v.skew))
	if err != nil {
		return nil, &VerifyError{Reason: ReasonStore, Got: "no answer from the replay memory", Err: err, Hint: "try again; if it stays, look at the store that keeps used messages"}
	}
	if !fresh {
		return nil, &VerifyError{Reason: ReasonReplay, Got: "a logout request that was used before", Want: "a new one", Hint: "start the logout again"}
	}
	answer.element.CreateAttr("InResponseTo", l.id)
	status := answer.element.CreateElement("samlp:Status")
	code := status.CreateElement("samlp:StatusCode")
	var own *StatusError
	switch err := end(ctx, s); {
	case err == nil:
		code.CreateAttr("Value", samlxml.StatusSuccess)
	case errors.Is(err, ErrPartialLogout):
		// The top-level code stays Success: what was asked was done in part.
		code.CreateAttr("Value", samlxml.StatusSuccess)
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", samlxml.StatusPrefix+"PartialLogout")
	case errors.As(err, &own) && own.Code != "":
		code.CreateAttr("Value", own.Code)
		if own.SubCode != "" {
			code.CreateElement("samlp:StatusCode").CreateAttr("Value", own.SubCode)
		}
		if own.Message != "" {
			status.CreateElement("samlp:StatusMessage").SetText(own.Message)
		}
	default:
		code.CreateAttr("Value", samlxml.StatusPrefix+"Responder")
	}
	return answer, nil
}

// VerifyLogoutResponse verifies the IdP's answer to the LogoutRequest of that
// ID. Nil means that the person is logged out everywhere; a *VerifyError for
// ReasonStatus, whose Err is a *StatusError, that the IdP could not do all of
// it (second-level code PartialLogout) or any of it. Our own session has ended
// in any case.
//
// Specification: SAML 2.0 Core, 3.7.2, and Profiles, 4.4.4.2.
func (c *Connection) VerifyLogoutResponse(ctx context.Context, in LogoutInput, requestID string, o LogoutOptions) error {
	if requestID == "" {
		return &FieldError{Field: "requestID", Problem: "is empty", Hint: "pass the ID of the LogoutRequest"}
	}
	l, err := c.openLogout(ctx, in, samlResponse, o)
	if err != nil {
		return err
	}
	if got, ok := samlxml.Attr(l.root, "InResponseTo"); got != requestID {
		return &VerifyError{Reason: ReasonInResponseTo, Got: orNone(got, ok), Want: quote(requestID), Hint: "the answer belongs to another logout; start again"}
	}
	s, fault := readStatus(l.status)
	if fault != "" {
		return &VerifyError{Reason: ReasonStatus, Got: fault, Want: "one StatusCode", Hint: l.v.idp.notResponse()}
	}
	if s.Code == samlxml.StatusSuccess && s.SubCode == "" {
		return nil
	}
	return &VerifyError{Reason: ReasonStatus, Got: s.describe(), Want: "Success", Err: s,
		Hint: fmt.Sprintf("%s could not end every session; close the browser to be sure", l.v.idp.at())}
}
