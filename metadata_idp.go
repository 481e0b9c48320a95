package sso

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// IdPMetadataOptions are the inputs of reading an IdP's metadata.
type IdPMetadataOptions struct {
	// EntityID names the IdP that is meant, where the metadata has several.
	// Empty: there has to be exactly one.
	EntityID string
	// TrustedCertificates sign the metadata: it is refused unless one of their
	// keys signed it, or the IdP's part of it, and it is still valid. Empty: a
	// signature is not looked at, and whoever gave the metadata is trusted.
	TrustedCertificates Certificates
	// CurrentTime is the time to judge validUntil at. Zero: now.
	CurrentTime time.Time
}

// IdPMetadata is what metadata says of an IdP.
type IdPMetadata struct {
	IdP IdentityProvider
	// ValidUntil is the end of its validity. Zero: it names none.
	ValidUntil time.Time
	// CacheDuration is how soon it wants to be read again. Zero: it does not
	// say.
	CacheDuration time.Duration
	// Signed says that one of TrustedCertificates signed it.
	Signed bool
	// WantAuthnRequestsSigned says that the IdP demands signed requests.
	WantAuthnRequestsSigned bool
	// Warnings are what an administrator should look at, in whole sentences.
	Warnings []string
}

// metadataLimits allow for a small federation in one document.
var metadataLimits = xmltree.Limits{Bytes: 8 << 20, Elements: 400_000}

// ParseIdPMetadata reads an IdP's metadata: an EntityDescriptor, or an
// EntitiesDescriptor with one IdP in it, at most 8 MiB. A validUntil in the past
// is no error, since files are uploaded long after they were made.
//
// The result has no MetadataURL: set it to have the metadata read again.
//
// The error is one or more joined *FieldError. It tells what was given instead
// of metadata, or what it lacks. What is merely suspicious, Validate finds.
//
// Specification: SAML 2.0 Metadata, 2.3 and 2.4.3.
func ParseIdPMetadata(xml []byte) (IdentityProvider, error) {
	m, err := ParseIdPMetadataWith(xml, IdPMetadataOptions{})
	if err != nil {
		return IdentityProvider{}, err
	}
	return m.IdP, nil
}

// ParseIdPMetadataWith is ParseIdPMetadata with options and with all that it
// found. The result is nil whenever the error is not.
func ParseIdPMetadataWith(xml []byte, o IdPMetadataOptions) (*IdPMetadata, error) {
	if e := notXML(xml); e != nil {
		return nil, e
	}
	root, err := xmltree.Parse(xml, metadataLimits)
	if err != nil {
		var xe *xmltree.Error
		if errors.As(err, &xe) && xe.TooLarge {
			return nil, metadataError("is too large to be the metadata of one identity provider", "use metadata that describes the identity provider alone")
		}
		return nil, metadataError("is not well-formed XML: "+err.Error(), "download the metadata again, and upload the file unchanged, in UTF-8")
	}
	m := &metadataReader{o: o, found: &IdPMetadata{}}
	if m.o.CurrentTime.IsZero() {
		m.o.CurrentTime = time.Now()
	}
	if err := m.read(root); err != nil {
		return nil, err
	}
	return m.found, nil
}

func metadataError(problem, hint string) error {
	return &FieldError{Field: "IdP", Problem: "the metadata " + problem, Hint: hint}
}

// notXML recognises what is often given in place of metadata.
func notXML(data []byte) error {
	text := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(data), []byte("\ufeff")))
	begin := bytes.ToLower(text[:min(len(text), 200)])
	const again = "give the identity provider's SAML metadata: an XML file, or its address"
	switch {
	case len(text) == 0:
		return metadataError("is empty", again)
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return metadataError("is in UTF-16", "save the file in UTF-8")
	case bytes.HasPrefix(begin, []byte("<!doctype html")) || bytes.HasPrefix(begin, []byte("<html")):
		return metadataError("is a web page", "the address may need a login, or be the sign-in address; download the metadata and upload the file")
	case begin[0] == '{' || begin[0] == '[':
		return metadataError("is JSON, as OpenID Connect has it", again)
	case bytes.HasPrefix(begin, []byte("http://")) || bytes.HasPrefix(begin, []byte("https://")):
		return metadataError("is an address", "download what is there, and give that")
	case bytes.Contains(begin, []byte("-----begin")):
		return metadataError("is PEM", "paste a certificate in the field for certificates, and give the metadata here")
	case begin[0] != '<':
		return metadataError("is not XML", again)
	}
	return nil
}

// metadataReader reads one document.
type metadataReader struct {
	o     IdPMetadataOptions
	found *IdPMetadata
}

func (m *metadataReader) warn(format string, args ...any) {
	m.found.Warnings = append(m.found.Warnings, fmt.Sprintf(format, args...))
}

func (m *metadataReader) read(root *etree.Element) error {
	if space := xmltree.Namespace(root); space != samlxml.Metadata || root.Tag != "EntityDescriptor" && root.Tag != "EntitiesDescriptor" {
		return metadataError("is another document: its root element is "+quote(root.Tag), "give the XML whose root is EntityDescriptor")
	}
	rootSigned, err := m.verify(root)
	if err != nil {
		return err
	}
	e, err := m.choose(root)
	if err != nil {
		return err
	}
	if len(m.o.TrustedCertificates) > 0 && !rootSigned {
		signed, err := m.verify(e.element)
		if err != nil {
			return err
		}
		if !signed {
			return metadataError("is not signed", "have it signed, or check it some other way and give it without TrustedCertificates")
		}
	}
	m.found.Signed = len(m.o.TrustedCertificates) > 0
	if err := m.validity(e); err != nil {
		return err
	}
	return m.identityProvider(e)
}

// verify checks the signature of e, if there are certificates to check with and
// it has one. Only what is in e may be read after that.
func (m *metadataReader) verify(e *etree.Element) (signed bool, err error) {
	if len(m.o.TrustedCertificates) == 0 {
		return false, nil
	}
	if s, err := xmlsig.Signature(e); s == nil && err == nil {
		return false, nil
	}
	if _, err := xmlsig.Verify(e, m.o.TrustedCertificates, xmlsig.Options{}); err != nil {
		return false, metadataError("has a signature that does not hold: "+err.Error(), "make sure that the certificate is the one that signs the metadata, and get both again")
	}
	return true, nil
}

// validity judges the end of validity. Signed metadata past it is refused: it
// may hold keys that the IdP withdrew since, and anybody can send it again.
func (m *metadataReader) validity(e *describedEntity) error {
	if e.badTime && m.found.Signed {
		return metadataError("has a validUntil that is no time", "have it corrected")
	}
	if e.badTime {
		m.warn("The metadata has a validUntil that is no time; it was ignored.")
	}
	m.found.ValidUntil, m.found.CacheDuration = e.until, e.cache
	if e.until.IsZero() || m.o.CurrentTime.Before(e.until) {
		return nil
	}
	if m.found.Signed {
		return metadataError("was valid until "+stamp(e.until), "get the present metadata")
	}
	m.warn("The metadata was valid until %s. Make sure that its certificates are still in use.", stamp(e.until))
	return nil
}

// identityProvider reads one entity.
func (m *metadataReader) identityProvider(e *describedEntity) error {
	v := &validator{}
	p := &m.found.IdP
	p.EntityID = e.id
	v.entityID("IdP.EntityID", p.EntityID, "the metadata lacks the entityID; have it corrected")
	want, _ := samlxml.Attr(e.role, "WantAuthnRequestsSigned")
	m.found.WantAuthnRequestsSigned = isTrue(want)
	m.endpoints(v, e.role)
	m.certificates(v, e.role)
	return v.err()
}

// endpoints reads the addresses.
func (m *metadataReader) endpoints(v *validator, role *etree.Element) {
	p := &m.found.IdP
	redirect, redirectFault := m.location(role, "SingleSignOnService", samlxml.BindingRedirect)
	post, postFault := m.location(role, "SingleSignOnService", samlxml.BindingPOST)
	switch {
	case redirect != "":
		p.SSOURL = redirect
		if post != redirect {
			p.SSOPostURL = post
		}
	case post != "":
		p.SSOURL, p.SSOPostURL = post, post
		m.warn("The identity provider takes requests by HTTP-POST alone.")
	case redirectFault != nil || postFault != nil:
		fault := redirectFault
		if fault == nil {
			fault = postFault
		}
		v.add("IdP.SSOURL", fault.Problem, fault.Hint)
	default:
		v.add("IdP.SSOURL", "is missing in the metadata, for HTTP-Redirect and for HTTP-POST", "switch one of them on at the identity provider")
	}

	var fault *FieldError
	if p.SLOURL, fault = m.location(role, "SingleLogoutService", samlxml.BindingRedirect); p.SLOURL == "" && fault == nil {
		p.SLOURL, fault = m.location(role, "SingleLogoutService", samlxml.BindingPOST)
	}
	if fault != nil {
		m.warn("The logout address %s; it was left out.", fault.Problem)
	}
	if p.ArtifactURL, fault = m.location(role, "ArtifactResolutionService", samlxml.BindingSOAP); fault != nil {
		m.warn("The address for artifacts %s; it was left out.", fault.Problem)
	}
}

// location returns the address of the first service of that name and binding
// that has a usable one, the default one first. The fault says what is wrong
// with those that have none.
func (m *metadataReader) location(role *etree.Element, name, binding string) (found string, fault *FieldError) {
	for _, s := range samlxml.Children(role, samlxml.Metadata, name) {
		if b, _ := samlxml.Attr(s, "Binding"); strings.TrimSpace(b) != binding {
			continue
		}
		value, _ := samlxml.Attr(s, "Location")
		value = trimmed(value)
		if value == "" {
			fault = &FieldError{Problem: "is empty in the metadata", Hint: "have the metadata corrected"}
			continue
		}
		if _, problem, hint := checkAddress(value); problem != "" {
			fault = &FieldError{Problem: problem, Hint: hint}
			continue
		}
		isDefault, _ := samlxml.Attr(s, "isDefault")
		if found == "" || isTrue(isDefault) {
			found = strings.Clone(value)
		}
		if isTrue(isDefault) {
			break
		}
	}
	if found != "" {
		fault = nil
	}
	return found, fault
}

func isTrue(s string) bool {
	s = strings.TrimSpace(s)
	return s == "true" || s == "1"
}

// certificates reads the signing keys. A KeyDescriptor without use is for
// signing, too. Several certificates in one X509Data are one chain, several
// KeyDescriptors are several keys.
//
// Specification: SAML 2.0 Metadata, 2.4.1.1; XML Signature, 4.4.4.
func (m *metadataReader) certificates(v *validator, role *etree.Element) {
	var certs Certificates
	var fault error
	bare := false
	for _, k := range samlxml.Children(role, samlxml.Metadata, "KeyDescriptor") {
		if use, ok := samlxml.Attr(k, "use"); ok && strings.TrimSpace(use) != "signing" {
			continue
		}
		for _, info := range samlxml.Children(k, samlxml.DSig, "KeyInfo") {
			chains := samlxml.Children(info, samlxml.DSig, "X509Data")
			bare = bare || len(chains) == 0
			for _, chain := range chains {
				read, err := readChain(chain)
				if err != nil {
					fault = err
				}
				certs = append(certs, read...)
			}
		}
		if certs = withoutRepeats(certs); len(certs) > maxCertificates {
			break
		}
	}
	m.found.IdP.Certificates = certs
	var fe *FieldError
	switch {
	case len(certs) > maxCertificates:
		v.errs = append(v.errs, certificateError(pasteTooMany))
	case errors.As(fault, &fe) && (len(certs) == 0 || fe.Problem == pasteErrors[pastePrivateKey].Problem):
		v.errs = append(v.errs, fault)
	case len(certs) == 0 && bare:
		v.add("IdP.Certificates", "are missing: the metadata has bare keys", "have the identity provider publish its X.509 certificate, or paste it")
	case len(certs) == 0:
		v.add("IdP.Certificates", "are missing in the metadata", "switch signing on at the identity provider, or paste its certificate")
	case fault != nil:
		m.warn("One signing certificate %s; it was left out.", fe.Problem)
	}
	for _, cert := range certs {
		if !m.o.CurrentTime.Before(cert.NotAfter) {
			m.warn("The certificate %s expired on %s.", subject(cert), cert.NotAfter.UTC().Format(time.DateOnly))
		}
	}
}

// readChain returns the certificates of one X509Data that hold its key, and
// the last fault.
func readChain(data *etree.Element) (Certificates, error) {
	var certs Certificates
	var fault error
	for _, c := range samlxml.Children(data, samlxml.DSig, "X509Certificate") {
		text, err := samlxml.Text(c)
		switch {
		case err != nil:
			fault = certificateError(pasteOther)
			continue
		case len(text) > maxPaste:
			fault = certificateError(pasteTooLong)
			continue
		}
		read, err := readCertificates(text)
		if err != nil {
			fault = err
		}
		certs = append(certs, read...)
	}
	return endsOfChains(withoutRepeats(certs)), fault
}
