package ssotest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
)

// foreignKeys are answers that are not signed, not any more, or not by the IdP.
func foreignKeys() []misbehaviour {
	return []misbehaviour{
		{name: "unsigned", reason: sso.ReasonUnsigned, description: "Nothing is signed.",
			request: func(m *message) { m.o.Sign = SignNothing }},
		{name: "tampered", reason: sso.ReasonSignature, description: "The NameID was changed after it was signed.",
			after: func(m *message) error { impersonate(m.assertion); return nil }},
		{name: "tampered-response", reason: sso.ReasonSignature, description: "Both are signed, and the Response was changed afterwards.",
			request: func(m *message) { m.o.Sign = SignBoth },
			after:   func(m *message) error { set(m.response, "IssueInstant", m.time(-time.Second)); return nil }},
		{name: "wrong-key", reason: sso.ReasonKey, description: "It is signed with another key, and does not say with which.",
			request: func(m *message) { m.key = attackerKey(); m.o.KeyInfo = KeyInfoNone; m.anyRSA() }},
		{name: "attacker-certificate", reason: sso.ReasonKey, description: "It is signed with another key, whose certificate comes with it.",
			request: func(m *message) { m.key = attackerKey(); m.o.KeyInfo = KeyInfoCertificate; m.anyRSA() }},
		{name: "borrowed-certificate", reason: sso.ReasonSignature, description: "It is signed with another key, and shows the IdP's certificate.",
			request: func(m *message) {
				m.key = sso.KeyPair{Private: attackerKey().Private, Certificate: m.idp.Certificate()}
				m.o.KeyInfo = KeyInfoCertificate
				m.anyRSA()
			}},
	}
}

// bentSignatures are by the IdP's key and of a shape or an algorithm that
// proves nothing.
func bentSignatures() []misbehaviour {
	return []misbehaviour{
		{name: "sha1-signature", reason: sso.ReasonAlgorithm, description: "The signature is made with SHA-1.",
			request: func(m *message) {
				m.o.SignatureMethod = strings.SplitN(m.method(), "-", 2)[0] + "-sha1"
			}},
		{name: "sha1-digest", reason: sso.ReasonAlgorithm, description: "The digest is made with SHA-1.",
			request: func(m *message) { m.o.DigestMethod = "sha1" }},
		{name: "empty-signature", reason: sso.ReasonSignature, description: "The SignatureValue is empty.",
			after: m1(func(s *etree.Element) { path(s, "SignatureValue").SetText("") })},
		{name: "two-references", reason: sso.ReasonSignature, description: "The signature covers two things.",
			after: m2(func(s *etree.Element) {
				reference := path(s, "SignedInfo", "Reference")
				reference.Parent().AddChild(reference.Copy())
			})},
		{name: "whole-document", reason: sso.ReasonSignature, description: "The signature refers to the document by an empty URI.",
			after: m2(func(s *etree.Element) { set(path(s, "SignedInfo", "Reference"), "URI", "") })},
		{name: "foreign-reference", reason: sso.ReasonSignature, description: "The signature refers to another element than its parent.",
			after: m2(func(s *etree.Element) { set(path(s, "SignedInfo", "Reference"), "URI", "#_elsewhere") })},
		{name: "xslt", reason: sso.ReasonAlgorithm, description: "The signature transforms what it signs by XSLT.",
			after: m2(func(s *etree.Element) {
				set(path(s, "SignedInfo", "Reference", "Transforms", "Transform"), "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
			})},
		{name: "hmac", reason: sso.ReasonAlgorithm, description: "The signature is an HMAC keyed with the public certificate.",
			after: m2(func(s *etree.Element) {
				set(path(s, "SignedInfo", "SignatureMethod"), "Algorithm", moreDSig+"hmac-sha256")
			})},
		{name: "two-signatures", reason: sso.ReasonMessage, description: "The Response has two signatures.",
			request: func(m *message) { m.o.Sign = SignResponse },
			after: func(m *message) error {
				s := path(m.response, "Signature")
				m.response.InsertChildAt(s.Index()+1, s.Copy())
				return nil
			}},
		{name: "misplaced-signature", reason: sso.ReasonMessage, description: "The signature stands in the Subject.",
			request: func(m *message) { m.o.Sign = SignAssertion },
			after: func(m *message) error {
				s := path(m.assertion, "Signature")
				m.assertion.RemoveChild(s)
				path(m.assertion, "Subject").AddChild(s)
				return nil
			}},
	}
}

// m1 bends the outermost signature and leaves its value as it was.
func m1(bend func(signature *etree.Element)) func(*message) error {
	return func(m *message) error {
		bend(m.outerSignature())
		return nil
	}
}

// m2 bends the outermost signature and signs it again, so that only its
// structure is wrong.
func m2(bend func(signature *etree.Element)) func(*message) error {
	return func(m *message) error {
		s, err := m.signer()
		if err != nil {
			return err
		}
		signature := m.outerSignature()
		bend(signature)
		return s.seal(signature)
	}
}

// outerSignature is the Response's signature, or else the assertion's.
func (m *message) outerSignature() *etree.Element {
	if s := path(m.response, "Signature"); s != nil {
		return s
	}
	return path(m.assertion, "Signature")
}

// method is the signature method in use.
func (m *message) method() string {
	if m.o.SignatureMethod != "" {
		return m.o.SignatureMethod
	}
	if s, err := m.signer(); err == nil {
		return defaultMethod(s.key)
	}
	return "rsa-sha256"
}

// anyRSA makes a method fit the attacker's RSA key.
func (m *message) anyRSA() {
	if !strings.HasPrefix(m.o.SignatureMethod, "rsa") {
		m.o.SignatureMethod = "rsa-sha256"
	}
}

// impersonate makes an assertion speak of somebody else.
func impersonate(a *etree.Element) {
	if id := path(a, "Subject", "NameID"); id != nil {
		old := id.Text()
		id.SetText(stranger)
		for _, statement := range a.ChildElements() {
			if statement.Tag != "AttributeStatement" {
				continue
			}
			for _, value := range statement.FindElements("./Attribute/AttributeValue") {
				if value.Text() == old {
					value.SetText(stranger)
				}
			}
		}
	}
}

// written are answers that are broken as text.
func written() []misbehaviour {
	return []misbehaviour{
		{name: "doctype", reason: sso.ReasonXML, description: "The document has a DOCTYPE with an entity.",
			written: func(b []byte) []byte {
				return append([]byte(`<!DOCTYPE r [<!ENTITY x "y">]>`), b...)
			}},
		{name: "processing-instruction", reason: sso.ReasonXML, description: "The document has a processing instruction.",
			written: func(b []byte) []byte { return append([]byte(`<?xml-stylesheet href="a.xsl"?>`), b...) }},
		{name: "truncated", reason: sso.ReasonXML, description: "The end of the document is missing.",
			written: func(b []byte) []byte { return b[:len(b)-10] }},
		{name: "two-roots", reason: sso.ReasonXML, description: "There are two documents in one.",
			written: func(b []byte) []byte { return append(bytes.Clone(b), b...) }},
		{name: "huge", reason: sso.ReasonTooLarge, description: "The document is longer than any honest one.",
			written: func(b []byte) []byte {
				return append(b, "<!--"+strings.Repeat("x", sso.MaxResponseSize)+"-->"...)
			}},
		{name: "duplicate-id", reason: sso.ReasonMessage, description: "The Response and the assertion have one ID.",
			request: func(m *message) { m.o.EncryptTo = nil },
			before:  func(m *message) { set(m.assertion, "ID", m.response.SelectAttrValue("ID", "")) }},
		{name: "not-base64", reason: sso.ReasonEncoding, description: "The form value is not base64.",
			posted: func(s string) string { return "%" + s }},
	}
}

func hexOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// wrappedResponses and wrappedAssertions are the classical shapes of signature
// wrapping: the signed element stays somewhere, so that the signature holds, and
// another is put where readers look.
//
// Reference: Somorovsky et al., On Breaking SAML, USENIX Security 2012.
func wrappedResponses() []misbehaviour {
	response := func(m *message) { m.o.Sign = SignResponse }
	return []misbehaviour{
		{name: "wrapped-1", reason: sso.ReasonMessage, description: "A forged Response holds the signed one in its signature.",
			request: response, after: func(m *message) error {
				signature, signed := m.forgeResponse()
				signature.AddChild(signed)
				return nil
			}},
		{name: "wrapped-2", reason: sso.ReasonMessage, description: "A forged Response holds the signed one before its signature.",
			request: response, after: func(m *message) error {
				signature, signed := m.forgeResponse()
				m.response.InsertChildAt(signature.Index(), signed)
				return nil
			}},
	}
}

func wrappedAssertions() []misbehaviour {
	assertion := func(m *message) { m.o.Sign = SignAssertion }
	return []misbehaviour{
		{name: "wrapped-3", reason: sso.ReasonAssertion, description: "A forged assertion stands before the signed one.",
			request: assertion, after: func(m *message) error {
				m.response.InsertChildAt(m.assertion.Index(), m.forgedAssertion(false))
				return nil
			}},
		{name: "wrapped-4", reason: sso.ReasonMessage, description: "A forged assertion holds the signed one.",
			request: assertion, after: func(m *message) error {
				forged := m.forgedAssertion(false)
				m.replaceAssertion(forged)
				forged.AddChild(m.assertion)
				return nil
			}},
		{name: "wrapped-5", reason: sso.ReasonAssertion, description: "The signature hangs on a forged assertion, and the signed one stands behind it.",
			request: assertion, after: func(m *message) error {
				m.replaceAssertion(m.forgedAssertion(true))
				drop(path(m.assertion, "Signature"))
				m.response.AddChild(m.assertion)
				return nil
			}},
		{name: "wrapped-6", reason: sso.ReasonMessage, description: "The signature hangs on a forged assertion and holds the signed one.",
			request: assertion, after: func(m *message) error {
				forged := m.forgedAssertion(true)
				m.replaceAssertion(forged)
				drop(path(m.assertion, "Signature"))
				path(forged, "Signature").AddChild(m.assertion)
				return nil
			}},
		{name: "wrapped-7", reason: sso.ReasonMessage, description: "Extensions hold a forged assertion with the ID of the signed one.",
			request: assertion, after: func(m *message) error {
				forged := m.forgedAssertion(false)
				set(forged, "ID", m.assertion.SelectAttrValue("ID", ""))
				extensions := etree.NewElement(m.protocol + "Extensions")
				extensions.AddChild(forged)
				m.response.InsertChildAt(path(m.response, "Status").Index(), extensions)
				return nil
			}},
		{name: "wrapped-8", reason: sso.ReasonMessage, description: "The signature hangs on a forged assertion and holds the signed one in an Object.",
			request: assertion, after: func(m *message) error {
				forged := m.forgedAssertion(true)
				m.replaceAssertion(forged)
				drop(path(m.assertion, "Signature"))
				signature := path(forged, "Signature")
				object := etree.NewElement("Object")
				object.Space = signature.Space
				object.AddChild(m.assertion)
				signature.AddChild(object)
				return nil
			}},
	}
}

// forgeResponse makes the document a forgery that keeps the signature, and
// returns that signature and the signed Response without it.
func (m *message) forgeResponse() (signature, signed *etree.Element) {
	signed = m.response
	m.response = signed.Copy()
	drop(path(signed, "Signature"))
	set(m.response, "ID", m.idp.config.NewID())
	impersonate(path(m.response, "Assertion"))
	set(path(m.response, "Assertion"), "ID", m.idp.config.NewID())
	return path(m.response, "Signature"), signed
}

// forgedAssertion is a copy of the assertion that speaks of somebody else.
func (m *message) forgedAssertion(keepSignature bool) *etree.Element {
	forged := m.assertion.Copy()
	set(forged, "ID", m.idp.config.NewID())
	impersonate(forged)
	if !keepSignature {
		drop(path(forged, "Signature"))
	}
	return forged
}

// replaceAssertion takes the assertion out of the document and puts another in
// its place.
func (m *message) replaceAssertion(with *etree.Element) {
	at := m.assertion.Index()
	m.response.RemoveChildAt(at)
	m.response.InsertChildAt(at, with)
}
