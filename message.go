package sso

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// maxNameID is the longest NameID that is taken, in bytes. The specification
// allows persistent ones 256 characters.
const maxNameID = 1024

// slot is one place in the fixed order of an element's children.
type slot struct {
	space, tag string
	rank       int
	many       bool
}

// sequence walks the children of e, which must be those of order, in that
// order, once each unless many, with nothing but white space and comments
// between them. It returns what is wrong, "" for nothing.
func sequence(e *etree.Element, order []slot, visit func(*etree.Element)) string {
	if samlxml.HasText(e) {
		return "text between the elements of " + quote(e.FullTag())
	}
	last, lastMany := -1, false
	for _, t := range e.Child {
		c, ok := t.(*etree.Element)
		if !ok {
			continue
		}
		var s *slot
		for i := range order {
			if order[i].tag == c.Tag && samlxml.Is(c, order[i].space, c.Tag) {
				s = &order[i]
				break
			}
		}
		switch {
		case s == nil:
			return "the element " + quote(c.FullTag()) + " in " + quote(e.FullTag())
		case s.rank < last:
			return quote(c.FullTag()) + " in the wrong place"
		case s.rank == last && !(s.many && lastMany):
			return quote(c.FullTag()) + " twice"
		}
		last, lastMany = s.rank, s.many
		visit(c)
	}
	return ""
}

// validID says whether e has the attribute ID, a name, and no other attribute
// that could pass for it. A signature's Reference and every reader must mean
// the same attribute.
func validID(e *etree.Element) bool {
	n := 0
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Space == "xmlns" || !strings.EqualFold(a.Key, "ID") {
			continue
		}
		if a.Space != "" || a.Key != "ID" || !isID(a.Value) {
			return false
		}
		n++
	}
	return n == 1
}

// isID says whether s can be an ID. It is looser than xs:ID, for honest IdPs
// whose IDs begin with a digit or are URNs or base64, and leaves no room for
// what makes a reference more than a name: an XPointer, an escape, a blank.
func isID(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		case strings.IndexByte("_-.:~+/=", c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= 1024
}

// strayOrDuplicate looks through the whole document for what signature wrapping
// is made of: an ID used twice, and a Signature, Response or assertion anywhere
// but in its one place. Only attribute values of the one assertion may hold
// what they like: they are handed on as text and never read as SAML.
//
// Once an assertion was decrypted, its Signature may bear the same Id as the
// Response's, as pysaml2's do: the two were made as documents of their own, and
// no reference to a Signature is ever followed. Any other Id it may not share.
func strayOrDuplicate(root *etree.Element, decrypted bool) string {
	w := idWalk{decrypted: decrypted}
	if fault := w.walk(root, 0, false); fault != "" {
		return fault
	}
	for i, id := range w.signatures {
		if (i == 0 || id != w.signatures[0]) && w.seen(id) {
			return "the ID " + quote(id) + " twice"
		}
	}
	return ""
}

type idWalk struct {
	decrypted  bool
	signatures []string // Ids of Signatures, where the document was decrypted
	few        []string // other IDs, while they are few
	many       map[string]bool
}

func (w *idWalk) walk(e *etree.Element, depth int, opaque bool) string {
	for i := range e.Attr {
		a := &e.Attr[i]
		isID := a.Space == "" && (a.Key == "ID" || a.Key == "Id" || a.Key == "id") || a.Space == "xml" && a.Key == "id"
		switch {
		case !isID:
		case w.decrypted && !opaque && e.Tag == "Signature" && a.Key == "Id" && samlxml.Is(e, samlxml.DSig, e.Tag):
			w.signatures = append(w.signatures, a.Value)
		case w.seen(a.Value):
			return "the ID " + quote(a.Value) + " twice"
		}
	}
	if !opaque && depth > 0 && w.stray(e, depth) {
		return quote(e.FullTag()) + " where none belongs"
	}
	if depth == 4 && e.Tag == "AttributeValue" {
		opaque = true
	}
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok {
			if fault := w.walk(c, depth+1, opaque); fault != "" {
				return fault
			}
		}
	}
	return ""
}

// stray judges by the local name first, as that is what tells nearly all apart.
func (w *idWalk) stray(e *etree.Element, depth int) bool {
	switch e.Tag {
	case "Assertion", "EncryptedAssertion":
		return depth != 1 && samlxml.Is(e, samlxml.Assertion, e.Tag)
	case "Response":
		return samlxml.Is(e, samlxml.Protocol, e.Tag)
	case "Signature":
		if !samlxml.Is(e, samlxml.DSig, e.Tag) || depth == 1 {
			return false
		}
		return depth != 2 || e.Parent().Tag != "Assertion" || !samlxml.Is(e.Parent(), samlxml.Assertion, "Assertion")
	}
	return false
}

// seen notes an ID and says whether it was there. The list turns into a map
// before its quadratic cost shows.
func (w *idWalk) seen(id string) bool {
	if w.many != nil {
		had := w.many[id]
		w.many[id] = true
		return had
	}
	for _, s := range w.few {
		if s == id {
			return true
		}
	}
	w.few = append(w.few, id)
	if len(w.few) > 16 {
		w.many = make(map[string]bool, 64)
		for _, s := range w.few {
			w.many[s] = true
		}
	}
	return false
}

// A StatusError is an IdP's refusal, in its own words.
//
// Specification: SAML 2.0 Core, 3.2.2.1 to 3.2.2.3.
type StatusError struct {
	Code    string // top-level status code, a URI
	SubCode string // second-level status code, often the telling one; may be empty
	Message string // for people; may be empty. It may be unsigned: show it as a quotation.
}

// Error gives the codes without their common prefix, and the message.
func (e *StatusError) Error() string { return "the IdP answered " + e.describe() }

func (e *StatusError) describe() string {
	s := strings.TrimPrefix(e.Code, samlxml.StatusPrefix)
	if e.SubCode != "" {
		s += "/" + strings.TrimPrefix(e.SubCode, samlxml.StatusPrefix)
	}
	if s = strings.Trim(quote(s), `"`); e.Message != "" {
		s += ": " + quote(e.Message)
	}
	return s
}

// readStatus reads a Status element; fault is what is wrong with it.
func readStatus(status *etree.Element) (s *StatusError, fault string) {
	s = &StatusError{}
	code, n := samlxml.Child(status, samlxml.Protocol, "StatusCode")
	if n != 1 {
		return nil, plural(n, "StatusCode")
	}
	s.Code, _ = samlxml.Attr(code, "Value")
	if s.Code == "" {
		return nil, "a StatusCode without a value"
	}
	if sub, n := samlxml.Child(code, samlxml.Protocol, "StatusCode"); n > 0 {
		s.SubCode, _ = samlxml.Attr(sub, "Value")
	}
	if m, n := samlxml.Child(status, samlxml.Protocol, "StatusMessage"); n > 0 {
		if s.Message, _ = value(m); s.Message == "" {
			s.Message, _ = samlxml.Attr(m, "Value") // as samlp writes it, and so Auth0
		}
	}
	return s, ""
}

// attr is an attribute's value, as a copy: strings of the tree share the
// document's memory, and what lives on in an Assertion must not hold that back.
func attr(e *etree.Element, name string) string {
	s, _ := samlxml.Attr(e, name)
	return strings.Clone(s)
}

// readNameID reads a NameID element; it fails on one that holds elements.
func readNameID(e *etree.Element) (id NameID, ok bool) {
	id.Value, ok = value(e)
	id.Value = strings.Clone(id.Value)
	id.Format = attr(e, "Format")
	id.NameQualifier = attr(e, "NameQualifier")
	id.SPNameQualifier = attr(e, "SPNameQualifier")
	return id, ok
}

// invisible says whether r shows nothing: control and format characters make
// two different names look alike.
func invisible(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orNone(s string, ok bool) string {
	if !ok {
		return "none"
	}
	return quote(s)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func quoteAll(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	const most = 5
	more := ""
	if len(values) > most {
		more = fmt.Sprintf(" and %d more", len(values)-most)
		values = values[:most]
	}
	quoted := make([]string, len(values))
	for i, s := range values {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, ", ") + more
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
