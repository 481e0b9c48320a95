// Package samlxml holds the names of SAML 2.0 and the way between elements and
// values. It knows no policy.
package samlxml

import (
	"errors"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/xmltree"
)

// Namespaces.
const (
	Assertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	Protocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	Metadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	DSig      = "http://www.w3.org/2000/09/xmldsig#"
	XEnc      = "http://www.w3.org/2001/04/xmlenc#"
	XSI       = "http://www.w3.org/2001/XMLSchema-instance"
)

// Identifiers.
const (
	StatusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusPrefix  = "urn:oasis:names:tc:SAML:2.0:status:"

	BindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	BindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	BindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	BindingSOAP     = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

	MethodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

	NameIDUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	NameIDEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	NameIDTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	NameIDEntity      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
)

// Is says whether e has that namespace and local name.
func Is(e *etree.Element, space, local string) bool {
	return e.Tag == local && xmltree.Namespace(e) == space
}

// Children returns the child elements of that name.
func Children(e *etree.Element, space, local string) []*etree.Element {
	var found []*etree.Element
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok && Is(c, space, local) {
			found = append(found, c)
		}
	}
	return found
}

// Child returns the first child element of that name and how many there are.
func Child(e *etree.Element, space, local string) (first *etree.Element, n int) {
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok && Is(c, space, local) {
			if n == 0 {
				first = c
			}
			n++
		}
	}
	return first, n
}

// Attr returns the value of the attribute of that name in no namespace. A
// prefixed attribute, or a declaration, of the same local name is another
// attribute: reading one for the other is attribute pollution.
func Attr(e *etree.Element, name string) (value string, ok bool) {
	for i := range e.Attr {
		if a := &e.Attr[i]; a.Space == "" && a.Key == name {
			return a.Value, true
		}
	}
	return "", false
}

// ErrNotText is returned by Text for an element with element children.
var ErrNotText = errors.New("has elements where only text belongs")

// Text returns the whole text of e. Comments do not split it: a reader that
// stops at a comment takes admin@example.com<!---->.evil.com for admin.
func Text(e *etree.Element) (string, error) {
	switch len(e.Child) {
	case 0:
		return "", nil
	case 1:
		if d, ok := e.Child[0].(*etree.CharData); ok {
			return d.Data, nil
		}
	}
	var b strings.Builder
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.CharData:
			b.WriteString(t.Data)
		case *etree.Comment:
		default:
			return "", ErrNotText
		}
	}
	return b.String(), nil
}

// HasText says whether e has text other than white space among its children.
func HasText(e *etree.Element) bool {
	for _, t := range e.Child {
		if d, ok := t.(*etree.CharData); ok && strings.Trim(d.Data, " \t\r\n") != "" {
			return true
		}
	}
	return false
}

// Time reads an xs:dateTime. SAML wants it in UTC ("Z"); an offset is honoured,
// and a value without either is taken as UTC.
//
// Specification: SAML 2.0 Core, 1.3.3.
func Time(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		if strings.IndexByte(s, ',') >= 0 {
			return time.Time{}, errors.New("not an xs:dateTime")
		}
		return t.UTC(), nil
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	if err != nil || strings.IndexByte(s, ',') >= 0 {
		return time.Time{}, errors.New("not an xs:dateTime")
	}
	return t, nil
}

// FormatTime writes an xs:dateTime in UTC with milliseconds, the finest that
// receivers are bound to honour.
//
// Specification: SAML 2.0 Core, 1.3.3.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
