package ssotest

import (
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
)

const (
	elsewhere = "https://elsewhere.example.net/saml"
	stranger  = "admin@example.com"
	// late is more than any clock skew that a connection may have.
	late = sso.MaxClockSkew + 2*time.Minute
)

// addressed are answers that are not for us, not from our IdP, or not to our
// request.
func addressed() []misbehaviour {
	return []misbehaviour{
		{name: "wrong-audience", reason: sso.ReasonAudience, description: "The assertion is meant for another service provider.",
			request: func(m *message) { m.audience = elsewhere }},
		{name: "no-audience", reason: sso.ReasonAudience, description: "The assertion names no audience.",
			before: func(m *message) { drop(path(m.assertion, "Conditions", "AudienceRestriction")) }},
		{name: "second-audience", reason: sso.ReasonAudience, description: "A second audience restriction leaves us out.",
			before: func(m *message) {
				conditions := path(m.assertion, "Conditions")
				m.in(m.in(conditions, "AudienceRestriction", ""), "Audience", elsewhere)
			}},
		{name: "wrong-destination", reason: sso.ReasonDestination, description: "The Response was sent to another address.",
			request: func(m *message) { m.destination = elsewhere }},
		{name: "no-destination", reason: sso.ReasonDestination, description: "The Response is signed and has no Destination.",
			request: func(m *message) { m.signResponse() },
			before:  func(m *message) { m.response.RemoveAttr("Destination") }},
		{name: "wrong-recipient", reason: sso.ReasonRecipient, description: "The subject is confirmed for another address.",
			request: func(m *message) { m.recipient = elsewhere }},
		{name: "no-recipient", reason: sso.ReasonRecipient, description: "The subject is confirmed for no address.",
			before: func(m *message) { m.confirmationData().RemoveAttr("Recipient") }},
		{name: "wrong-issuer", reason: sso.ReasonIssuer, description: "Another IdP made the assertion.",
			before: func(m *message) { path(m.assertion, "Issuer").SetText(elsewhere) }},
		{name: "wrong-response-issuer", reason: sso.ReasonIssuer, description: "Another IdP made the Response around the assertion.",
			before: func(m *message) { path(m.response, "Issuer").SetText(elsewhere) }},
		{name: "no-issuer", reason: sso.ReasonIssuer, description: "The assertion has no Issuer.",
			before: func(m *message) { drop(path(m.assertion, "Issuer")) }},
		{name: "wrong-in-response-to", reason: sso.ReasonInResponseTo, description: "It answers the request of another browser.",
			request: func(m *message) { m.req.ID = m.idp.config.NewID() }},
		{name: "wrong-confirmed-request", reason: sso.ReasonInResponseTo, description: "The subject is confirmed for the request of another browser.",
			before: func(m *message) { set(m.confirmationData(), "InResponseTo", m.idp.config.NewID()) }},
		{name: "unsolicited", reason: sso.ReasonUnsolicited, description: "It answers no request at all.",
			request: func(m *message) { m.req.ID = "" }},
		{name: "replayed", reason: sso.ReasonReplay, description: "The assertion was used before.",
			before: func(m *message) { set(m.assertion, "ID", "_replayed-"+hexOf(m.idp.config.EntityID)) }},
	}
}

// timed are answers that are not of now.
func timed() []misbehaviour {
	return []misbehaviour{
		{name: "expired", reason: sso.ReasonExpired, description: "The assertion expired twelve minutes ago.",
			before: func(m *message) {
				conditions := path(m.assertion, "Conditions")
				set(conditions, "NotBefore", m.time(-2*late))
				set(conditions, "NotOnOrAfter", m.time(-late))
			}},
		{name: "expired-confirmation", reason: sso.ReasonExpired, description: "The confirmation of the subject expired twelve minutes ago.",
			before: func(m *message) { set(m.confirmationData(), "NotOnOrAfter", m.time(-late)) }},
		{name: "not-yet-valid", reason: sso.ReasonNotYetValid, description: "The assertion becomes valid in twelve minutes.",
			before: func(m *message) {
				conditions := path(m.assertion, "Conditions")
				set(conditions, "NotBefore", m.time(late))
				set(conditions, "NotOnOrAfter", m.time(2*late))
			}},
		{name: "from-the-future", reason: sso.ReasonIssueInstant, description: "The assertion was made twelve minutes from now.",
			before: func(m *message) { set(m.assertion, "IssueInstant", m.time(late)) }},
		{name: "stale", reason: sso.ReasonIssueInstant, description: "The assertion was made yesterday, and says that it is valid still.",
			before: func(m *message) { set(m.assertion, "IssueInstant", m.time(-24*time.Hour)) }},
		{name: "no-issue-instant", reason: sso.ReasonIssueInstant, description: "The assertion does not say when it was made.",
			before: func(m *message) { m.assertion.RemoveAttr("IssueInstant") }},
		{name: "session-ended", reason: sso.ReasonAuthn, description: "The session at the IdP ended twelve minutes ago.",
			before: func(m *message) { set(path(m.assertion, "AuthnStatement"), "SessionNotOnOrAfter", m.time(-late)) }},
		{name: "bad-time", reason: sso.ReasonConditions, description: "The assertion is valid until what is no time.",
			before: func(m *message) { set(path(m.assertion, "Conditions"), "NotOnOrAfter", "tomorrow") }},
		{name: "turned-times", reason: sso.ReasonConditions, description: "The assertion ends before it begins.",
			before: func(m *message) {
				conditions := path(m.assertion, "Conditions")
				set(conditions, "NotBefore", m.time(time.Minute))
				set(conditions, "NotOnOrAfter", m.time(30*time.Second))
			}},
	}
}

// shaped are answers that lack or break a part.
func shaped() []misbehaviour {
	return []misbehaviour{
		{name: "refused", reason: sso.ReasonStatus, description: "The IdP answers that it refuses.",
			request: func(m *message) { m.o.Status = "RequestDenied" }},
		{name: "refused-with-assertion", reason: sso.ReasonStatus, description: "The IdP answers that it refuses, and sends an assertion all the same.",
			before: func(m *message) {
				set(path(m.response, "Status", "StatusCode"), "Value", samlxml.StatusPrefix+"Responder")
			}},
		{name: "no-status", reason: sso.ReasonMessage, description: "The Response has no Status.",
			before: func(m *message) { drop(path(m.response, "Status")) }},
		{name: "wrong-root", reason: sso.ReasonMessage, description: "It is a LogoutResponse.",
			before: func(m *message) { m.response.Tag = "LogoutResponse" }},
		{name: "wrong-version", reason: sso.ReasonVersion, description: "The Response is of SAML 1.1.",
			before: func(m *message) { set(m.response, "Version", "1.1") }},
		{name: "no-assertion", reason: sso.ReasonAssertion, description: "The Response carries no assertion.",
			before: func(m *message) { drop(m.assertion); m.assertion = nil }},
		{name: "two-assertions", reason: sso.ReasonAssertion, description: "The Response carries two assertions.",
			before: func(m *message) {
				m.response.AddChild(m.newAssertion(Login{NameID: stranger}))
			}},
	}
}

// subjects are answers about nobody, about two, or confirmed by nothing.
func subjects() []misbehaviour {
	return []misbehaviour{
		{name: "no-subject", reason: sso.ReasonSubject, description: "The assertion is about nobody.",
			before: func(m *message) { drop(path(m.assertion, "Subject")) }},
		{name: "no-name-id", reason: sso.ReasonSubject, description: "The subject has no NameID.",
			before: func(m *message) { drop(path(m.assertion, "Subject", "NameID")) }},
		{name: "empty-name-id", reason: sso.ReasonSubject, description: "The NameID is empty.",
			before: func(m *message) { path(m.assertion, "Subject", "NameID").SetText("") }},
		{name: "two-name-ids", reason: sso.ReasonSubject, description: "The subject has two NameIDs.",
			before: func(m *message) {
				subject := path(m.assertion, "Subject")
				second := etree.NewElement(m.assert + "NameID")
				second.SetText(stranger)
				subject.InsertChildAt(path(subject, "NameID").Index()+1, second)
			}},
		{name: "name-id-element", reason: sso.ReasonSubject, description: "The NameID holds an element between two texts.",
			before: func(m *message) {
				id := path(m.assertion, "Subject", "NameID")
				m.in(id, "Extra", "")
				id.CreateText(".example.net")
			}},
		{name: "no-confirmation", reason: sso.ReasonConfirmation, description: "Nothing confirms the subject.",
			before: func(m *message) { drop(path(m.assertion, "Subject", "SubjectConfirmation")) }},
		{name: "holder-of-key", reason: sso.ReasonConfirmation, description: "The subject is confirmed by a key that nobody showed.",
			before: func(m *message) {
				set(path(m.assertion, "Subject", "SubjectConfirmation"), "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")
			}},
		{name: "no-confirmation-expiry", reason: sso.ReasonConfirmation, description: "The confirmation of the subject never expires.",
			before: func(m *message) { m.confirmationData().RemoveAttr("NotOnOrAfter") }},
		{name: "confirmation-not-before", reason: sso.ReasonConfirmation, description: "A bearer confirmation has NotBefore.",
			before: func(m *message) { set(m.confirmationData(), "NotBefore", m.time(-time.Minute)) }},
		{name: "split-confirmations", reason: sso.ReasonRecipient, description: "Of two confirmations one is expired and one is for another address.",
			before: func(m *message) {
				subject := path(m.assertion, "Subject")
				second := path(subject, "SubjectConfirmation").Copy()
				subject.AddChild(second)
				set(m.confirmationData(), "NotOnOrAfter", m.time(-late))
				set(path(second, "SubjectConfirmationData"), "Recipient", elsewhere)
			}},
		{name: "no-conditions", reason: sso.ReasonConditions, description: "The assertion has no Conditions.",
			before: func(m *message) { drop(path(m.assertion, "Conditions")) }},
		{name: "unknown-condition", reason: sso.ReasonConditions, description: "The assertion has a condition that nobody knows.",
			before: func(m *message) { m.in(path(m.assertion, "Conditions"), "OnlyOnSundays", "") }},
		{name: "no-authn-statement", reason: sso.ReasonAuthn, description: "The assertion does not say that anybody signed in.",
			before: func(m *message) { drop(path(m.assertion, "AuthnStatement")) }},
		{name: "nameless-attribute", reason: sso.ReasonAttributes, description: "An attribute has no name.",
			before: func(m *message) {
				statement := m.in(m.assertion, "AttributeStatement", "")
				m.in(m.in(statement, "Attribute", ""), "AttributeValue", stranger)
			}},
	}
}

func (m *message) confirmationData() *etree.Element {
	return path(m.assertion, "Subject", "SubjectConfirmation", "SubjectConfirmationData")
}

// signResponse has the Response signed, whatever else is.
func (m *message) signResponse() {
	if m.o.Sign != SignResponse {
		m.o.Sign = SignBoth
	}
}

// drop takes an element out of its parent, with the white space behind it.
func drop(e *etree.Element) {
	if e != nil && e.Parent() != nil {
		e.Parent().RemoveChildAt(e.Index())
	}
}

// set sets an attribute of an element that may be missing in an error answer.
func set(e *etree.Element, name, value string) {
	if e != nil {
		e.CreateAttr(name, value)
	}
}
