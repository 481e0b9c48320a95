package ssotest

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
)

// A Login is what the IdP says of a person. Empty fields are not sent.
type Login struct {
	// NameID names the person. Empty: Email.
	NameID string
	// Format of the NameID. Empty: the profile's, or emailAddress.
	Format string
	// Email, FirstName, LastName, Name and Groups go out under the attribute
	// names of the profile or of Options.Names. Where a profile has no
	// attribute for one of them it is not sent.
	Email, FirstName, LastName, Name string
	Groups                           []string
	// Attributes go out as they are, after the others.
	Attributes []sso.Attribute
}

// Signed says which elements carry a signature.
type Signed string

// What can be signed.
const (
	SignAssertion Signed = "assertion"
	SignResponse  Signed = "response"
	SignBoth      Signed = "both"
	SignNothing   Signed = "nothing"
)

// Prefixes is a way to write the namespaces of SAML.
type Prefixes string

// Ways that real IdPs write namespaces.
const (
	PrefixSAML    Prefixes = "saml"    // samlp:Response, saml:Assertion
	PrefixSAML2   Prefixes = "saml2"   // saml2p:Response, saml2:Assertion
	PrefixNS      Prefixes = "ns"      // ns0:Response, ns1:Assertion
	PrefixDefault Prefixes = "default" // Response xmlns=…, Assertion xmlns=…
	PrefixMixed   Prefixes = "mixed"   // samlp:Response, Assertion xmlns=…
)

// KeyInfo says what a signature tells of its key.
type KeyInfo string

// What KeyInfo can hold.
const (
	KeyInfoCertificate KeyInfo = "certificate"
	KeyInfoName        KeyInfo = "name"  // KeyName only
	KeyInfoValue       KeyInfo = "value" // the bare public key
	KeyInfoNone        KeyInfo = "none"
)

// Options vary one answer. A zero field means what the IdP's profile does.
type Options struct {
	Sign Signed
	// SignatureMethod is one of rsa-sha256, rsa-sha384, rsa-sha512,
	// rsa-pss-sha256 and its siblings, ecdsa-sha256, ecdsa-sha384,
	// ecdsa-sha512, and the insecure rsa-sha1 and ecdsa-sha1.
	SignatureMethod string
	// DigestMethod is sha1, sha256, sha384 or sha512.
	DigestMethod string
	// Canonicalization is exclusive, inclusive or inclusive11, each with
	// -comments appended or not.
	Canonicalization string
	// InclusivePrefixes is the PrefixList of InclusiveNamespaces.
	InclusivePrefixes []string
	KeyInfo           KeyInfo
	// SignaturePrefix is that of the signature's elements, "-" for none.
	SignaturePrefix string
	// Wrap breaks base64 after so many characters.
	Wrap int

	Prefixes Prefixes
	// DeclareAtRoot declares every prefix at the Response.
	DeclareAtRoot bool
	// Pretty indents the document before it is signed.
	Pretty bool
	// Comments are put between elements, outside of values.
	Comments bool

	// SplitValues puts a comment and a CDATA section into every value, as any
	// XML writer may. A value must be read whole.
	SplitValues bool

	// Names are the attribute names for the fields of Login. A name of "-"
	// leaves the field out.
	Names sso.AttributeMap
	// NameFormat of every attribute, "-" for none.
	NameFormat string
	// XSIType of every attribute value, such as xs:string, "-" for none.
	XSIType string
	// RepeatAttributes sends one Attribute element for each value.
	RepeatAttributes bool

	// Lifetime of the assertion. NotBefore is Early before the present.
	Lifetime, Early time.Duration
	// SessionLifetime sets SessionNotOnOrAfter.
	SessionLifetime time.Duration
	// AuthnContext is how the person signed in. Zero: by password over TLS.
	AuthnContext string

	// EncryptTo encrypts the assertion to the key of this certificate.
	EncryptTo *x509.Certificate
	// EncryptionMethod is aes128-gcm, aes256-gcm, aes128-cbc or aes256-cbc.
	// Zero: aes256-gcm.
	EncryptionMethod string
	// KeyTransport is rsa-oaep-mgf1p (with SHA-1, which is harmless there),
	// rsa-oaep (of XML Encryption 1.1, with SHA-256) or the insecure rsa-1_5.
	// Zero: rsa-oaep-mgf1p.
	KeyTransport string

	// Status is a second-level status such as AuthnFailed, NoPassive or
	// RequestDenied: the answer is then an error and carries no assertion.
	Status string
	// Misbehave does one thing wrong. See Misbehaviours. Those that change what
	// was signed send the assertion in the clear.
	Misbehave Misbehaviour

	// BeforeSigning changes the Response and the Assertion in it before they
	// are signed, AfterSigning after. For what no other option does.
	BeforeSigning, AfterSigning func(response *etree.Element)
}

// Respond answers a request: the value of the SAMLResponse form field, in
// base64.
//
// It fails on an unknown name in Options and on a key that cannot do what
// they ask for.
func (p *IdP) Respond(req Request, login Login, o Options) (samlResponse string, err error) {
	bad, err := o.Misbehave.find()
	if err != nil {
		return "", err
	}
	document, err := p.Document(req, login, o)
	if err != nil {
		return "", err
	}
	return posted(document, bad.hooks()), nil
}

// Document is Respond before base64: the XML.
func (p *IdP) Document(req Request, login Login, o Options) ([]byte, error) {
	bad, err := o.Misbehave.find()
	if err != nil {
		return nil, err
	}
	if bad.name != "" && o.Status != "" {
		return nil, errors.New("ssotest: Options.Status and Options.Misbehave do not go together")
	}
	m, err := p.newMessage(req, login, o)
	if err != nil {
		return nil, err
	}
	document, err := m.compose(bad.hooks())
	if err != nil && bad.name != "" {
		return nil, fmt.Errorf("%s: %w", o.Misbehave, err)
	}
	return document, err
}

// hooks reach into a message in the making. Nil ones do nothing.
type hooks struct {
	request func(*message)       // before anything is built
	before  func(*message)       // before signing
	after   func(*message) error // after signing
	written func([]byte) []byte  // to the bytes
	posted  func(string) string  // to the form value
}

// compose makes the message, with every hook at its time.
func (m *message) compose(all ...hooks) ([]byte, error) {
	for _, h := range all {
		if h.request != nil {
			h.request(m)
		}
		if h.after != nil {
			m.o.EncryptTo = nil // what is changed after signing has to be in the clear
			if m.o.Sign == SignNothing {
				return nil, errors.New("ssotest: to change what was signed, something has to be")
			}
		}
	}
	m.build()
	for _, h := range all {
		if h.before != nil {
			h.before(m)
		}
	}
	if m.o.BeforeSigning != nil {
		m.o.BeforeSigning(m.response)
	}
	if err := m.finish(); err != nil {
		return nil, err
	}
	for _, h := range all {
		if h.after != nil {
			if err := h.after(m); err != nil {
				return nil, err
			}
		}
	}
	if m.o.AfterSigning != nil {
		m.o.AfterSigning(m.response)
	}
	document := write(m.response)
	for _, h := range all {
		if h.written != nil {
			document = h.written(document)
		}
	}
	return document, nil
}

// posted is the form value of a document.
func posted(document []byte, all ...hooks) string {
	value := base64.StdEncoding.EncodeToString(document)
	for _, h := range all {
		if h.posted != nil {
			value = h.posted(value)
		}
	}
	return value
}
