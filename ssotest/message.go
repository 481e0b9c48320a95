package ssotest

import (
	"bytes"
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
)

const (
	nsXS       = "http://www.w3.org/2001/XMLSchema"
	passwordTP = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
)

// A message is one answer in the making: unsigned after build, signed and
// encrypted after finish. What misbehaves reaches in between.
type message struct {
	idp    *IdP
	req    Request
	login  Login
	o      Options // whole: profile and defaults are filled in
	layout layout
	now    time.Time
	key    sso.KeyPair // signs

	destination, recipient, audience string // follow the request unless set

	victim string // whom forged assertions name

	protocol, assert string // prefixes with their colon, or empty
	declared         bool   // every prefix is declared at the root

	response  *etree.Element
	assertion *etree.Element // nil in an error, and once encrypted
}

func (p *IdP) newMessage(req Request, login Login, o Options) (*message, error) {
	base := p.config.Profile.settings()
	m := &message{idp: p, req: req, login: login, o: merge(o, base.options), layout: base.layout, now: p.config.Now(), key: p.key}
	m.destination, m.recipient, m.audience = req.ACSURL, req.ACSURL, req.Issuer
	switch m.o.Prefixes {
	case PrefixSAML:
		m.protocol, m.assert = "samlp:", "saml:"
	case PrefixSAML2:
		m.protocol, m.assert = "saml2p:", "saml2:"
	case PrefixNS:
		m.protocol, m.assert = "ns0:", "ns1:"
	case PrefixMixed:
		m.protocol = "samlp:"
	case PrefixDefault:
	default:
		return nil, fmt.Errorf("ssotest: unknown Prefixes %q", m.o.Prefixes)
	}
	switch m.o.Sign {
	case SignAssertion, SignResponse, SignBoth, SignNothing:
	default:
		return nil, fmt.Errorf("ssotest: unknown Sign %q", m.o.Sign)
	}
	return m, nil
}

// build makes the unsigned document.
func (m *message) build() {
	m.response = etree.NewElement(m.protocol + "Response")
	m.declare(m.response, m.protocol, samlxml.Protocol)
	// With the default namespace there is nothing to declare early: the
	// assertion's elements declare it where they begin.
	if m.o.DeclareAtRoot && m.assert != "" {
		m.declare(m.response, m.assert, samlxml.Assertion)
		m.response.CreateAttr("xmlns:xs", nsXS)
		m.response.CreateAttr("xmlns:xsi", samlxml.XSI)
		m.declared = true
	}
	m.response.CreateAttr("ID", m.idp.config.NewID())
	m.response.CreateAttr("Version", "2.0")
	m.response.CreateAttr("IssueInstant", m.time(0))
	m.response.CreateAttr("Destination", m.destination)
	if m.req.ID != "" {
		m.response.CreateAttr("InResponseTo", m.req.ID)
	}
	if c := m.layout.consent; c != "" {
		m.response.CreateAttr("Consent", c)
	}
	m.issuer(m.response)
	m.status()
	if m.o.Status == "" {
		m.assertion = m.newAssertion(m.login)
		m.response.AddChild(m.assertion)
	}
	if m.o.Comments {
		comment(m.response)
	}
	if m.o.Pretty {
		indent(m.response)
	}
	if m.o.SplitValues {
		split(m.response)
	}
}

// newAssertion makes an unsigned assertion about login. It stands for itself:
// every prefix that it uses is declared on it or at the root.
func (m *message) newAssertion(login Login) *etree.Element {
	a := m.top("Assertion")
	a.CreateAttr("ID", m.idp.config.NewID())
	a.CreateAttr("Version", "2.0")
	a.CreateAttr("IssueInstant", m.time(0))
	if m.layout.xsOnAssertion && !m.declared {
		a.CreateAttr("xmlns:xs", nsXS)
	}
	m.issuer(a)
	m.subject(a, login)
	m.conditions(a)
	if m.layout.attributesFirst {
		m.attributes(a, login)
		m.authn(a)
	} else {
		m.authn(a)
		m.attributes(a, login)
	}
	return a
}

// top makes an element of the assertion namespace whose parent is not in it.
func (m *message) top(name string) *etree.Element {
	e := etree.NewElement(m.assert + name)
	if !m.declared {
		m.declare(e, m.assert, samlxml.Assertion)
	}
	return e
}

func (m *message) declare(e *etree.Element, prefix, namespace string) {
	if prefix == "" {
		e.CreateAttr("xmlns", namespace)
	} else {
		e.CreateAttr("xmlns:"+prefix[:len(prefix)-1], namespace)
	}
}

// in makes a child of the assertion namespace under an element of it.
func (m *message) in(parent *etree.Element, name, text string) *etree.Element {
	e := parent.CreateElement(m.assert + name)
	if text != "" {
		e.SetText(text)
	}
	return e
}

func (m *message) issuer(parent *etree.Element) {
	var e *etree.Element
	if parent == m.response {
		e = m.top("Issuer")
		parent.AddChild(e)
	} else {
		e = m.in(parent, "Issuer", "")
	}
	if m.layout.issuerFormat {
		e.CreateAttr("Format", samlxml.NameIDEntity)
	}
	e.SetText(m.idp.config.EntityID)
}

func (m *message) status() {
	status := m.response.CreateElement(m.protocol + "Status")
	code := status.CreateElement(m.protocol + "StatusCode")
	if m.o.Status == "" {
		code.CreateAttr("Value", samlxml.StatusSuccess)
		return
	}
	code.CreateAttr("Value", samlxml.StatusPrefix+"Responder")
	code.CreateElement(m.protocol+"StatusCode").CreateAttr("Value", samlxml.StatusPrefix+m.o.Status)
	status.CreateElement(m.protocol + "StatusMessage").SetText("The practice IdP was told to refuse.")
}

func (m *message) subject(a *etree.Element, login Login) {
	subject := m.in(a, "Subject", "")
	id := m.in(subject, "NameID", cmp.Or(login.NameID, login.Email))
	id.CreateAttr("Format", cmp.Or(login.Format, m.req.NameIDFormat, m.layout.nameIDFormat))
	if m.layout.nameQualifiers {
		id.CreateAttr("NameQualifier", m.idp.config.EntityID)
		id.CreateAttr("SPNameQualifier", m.audience)
	}
	confirmation := m.in(subject, "SubjectConfirmation", "")
	confirmation.CreateAttr("Method", samlxml.MethodBearer)
	data := m.in(confirmation, "SubjectConfirmationData", "")
	if m.req.ID != "" {
		data.CreateAttr("InResponseTo", m.req.ID)
	}
	data.CreateAttr("NotOnOrAfter", m.time(cmp.Or(m.layout.confirmationLifetime, m.o.Lifetime)))
	data.CreateAttr("Recipient", m.recipient)
}

func (m *message) conditions(a *etree.Element) {
	conditions := m.in(a, "Conditions", "")
	conditions.CreateAttr("NotBefore", m.time(-m.o.Early))
	conditions.CreateAttr("NotOnOrAfter", m.time(m.o.Lifetime))
	m.in(m.in(conditions, "AudienceRestriction", ""), "Audience", m.audience)
}

func (m *message) authn(a *etree.Element) {
	statement := m.in(a, "AuthnStatement", "")
	statement.CreateAttr("AuthnInstant", m.time(0))
	statement.CreateAttr("SessionIndex", a.SelectAttrValue("ID", ""))
	if m.o.SessionLifetime != 0 {
		statement.CreateAttr("SessionNotOnOrAfter", m.time(m.o.SessionLifetime))
	}
	m.in(m.in(statement, "AuthnContext", ""), "AuthnContextClassRef", m.o.AuthnContext)
}

// time is a moment so far from the present, as xs:dateTime.
func (m *message) time(after time.Duration) string {
	t := m.now.Add(after).UTC()
	if l := m.layout.timeLayout; l != "" {
		return t.Format(l)
	}
	return samlxml.FormatTime(t)
}

// finish signs and encrypts, inside out.
func (m *message) finish() error {
	if m.assertion != nil && (m.o.Sign == SignAssertion || m.o.Sign == SignBoth) {
		if err := m.sign(m.assertion); err != nil {
			return err
		}
	}
	if m.assertion != nil && m.o.EncryptTo != nil {
		if err := m.encrypt(); err != nil {
			return err
		}
	}
	// An error of a profile that signs assertions only has nothing to sign.
	if m.o.Sign == SignResponse || m.o.Sign == SignBoth {
		return m.sign(m.response)
	}
	return nil
}

// write serialises the document so that a reader gets back the tree that was
// signed: carriage returns in text and white space in attributes as references.
func write(root *etree.Element) []byte {
	var b bytes.Buffer
	root.WriteTo(&b, &etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true})
	return b.Bytes()
}

// comment puts comments between elements, never next to text.
func comment(e *etree.Element) {
	if len(e.ChildElements()) == 0 {
		return
	}
	e.InsertChildAt(0, etree.NewComment(" "+e.Tag+" begins "))
	for _, c := range e.ChildElements() {
		comment(c)
	}
	e.AddChild(etree.NewComment(" " + e.Tag + " ends "))
}

// indent puts each element on a line of its own.
func indent(e *etree.Element) {
	settings := etree.NewIndentSettings()
	settings.Spaces = 2
	settings.PreserveLeafWhitespace = true
	e.IndentWithSettings(settings)
	e.SetTail("")
}

// split breaks every value in three: text, comment, CDATA section.
func split(e *etree.Element) {
	children := e.ChildElements()
	for _, c := range children {
		split(c)
	}
	if text := e.Text(); len(children) == 0 && len(text) > 1 {
		at := len(text) / 2
		for at > 0 && !utf8.RuneStart(text[at]) {
			at--
		}
		e.SetText(text[:at])
		e.CreateComment("split")
		e.CreateCData(text[at:])
	}
}
