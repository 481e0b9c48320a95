package sso

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// redacted writes the document with its personal values replaced, and the
// decrypted assertion of one that came encrypted, both in base64.
func (rec *recorder) redacted(connectionID string) (response, assertion string) {
	red := redaction{connectionID: connectionID}
	red.element(rec.root, place{})
	if plain := rec.v.assertion; rec.encrypted != nil && plain != rec.encrypted {
		// The document is written as it came, with the ciphertext's element.
		// ParseIn brings back the namespaces around the plaintext.
		at := plain.Index()
		rec.root.RemoveChildAt(at)
		assertion = written(plain)
		rec.root.InsertChildAt(at, rec.encrypted)
		red.element(rec.encrypted, place{})
	}
	return written(rec.root), assertion
}

// written serialises an element in such a way that it reads back the same.
func written(e *etree.Element) string {
	doc := etree.NewDocumentWithRoot(e)
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
	text, err := doc.WriteToString()
	if err != nil {
		return "" // a string takes everything
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// A redaction replaces what may be personal. What is kept is listed, what is
// not listed is replaced: an element that nobody thought of says nothing.
type redaction struct{ connectionID string }

// place is where in the document an element stands.
type place struct {
	signature bool // in a Signature, whose values must stay for it to verify
	opaque    bool // in an attribute's value, where nothing is what it seems
}

// keptText are the elements whose text names no person.
var keptText = map[string]bool{
	"Issuer": true, "Audience": true, "AuthnContextClassRef": true, "AuthnContextDeclRef": true, "AuthenticatingAuthority": true,
}

// keptAttributes are the XML attributes whose values name no person. Any
// spelling of ID is kept besides.
var keptAttributes = map[string]bool{
	"Version": true, "IssueInstant": true, "Destination": true, "InResponseTo": true, "Consent": true, "Value": true,
	"Format": true, "NameQualifier": true, "SPNameQualifier": true, "Method": true, "Recipient": true,
	"NotBefore": true, "NotOnOrAfter": true, "AuthnInstant": true, "SessionNotOnOrAfter": true, "Count": true,
	"Name": true, "NameFormat": true, "FriendlyName": true, "Algorithm": true, "Type": true, "URI": true,
}

func (red redaction) element(e *etree.Element, at place) {
	switch {
	case at.opaque:
	case samlxml.Is(e, samlxml.DSig, "Signature"):
		at.signature = true
	case samlxml.Is(e, samlxml.Assertion, "AttributeValue"):
		at.opaque = true
	}
	for i := range e.Attr {
		if a := &e.Attr[i]; !at.signature && !red.keepsAttribute(a, at) {
			a.Value = red.mask(a.Value)
		}
	}
	red.text(e, at)
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok {
			red.element(c, at)
		}
	}
}

func (redaction) keepsAttribute(a *etree.Attr, at place) bool {
	switch a.Space {
	case "xmlns", "xml":
		return true
	case "":
		return a.Key == "xmlns" || strings.EqualFold(a.Key, "ID") || keptAttributes[a.Key] && !at.opaque
	}
	return a.Key == "type" || a.Key == "nil" // of XML Schema instances
}

// text replaces the text and the comments of e. Text that comments split is
// taken for one, as everywhere; between elements each piece stands for itself.
func (red redaction) text(e *etree.Element, at place) {
	if at.signature {
		return
	}
	whole, err := samlxml.Text(e)
	mask := red.mask
	switch {
	case at.opaque:
	case samlxml.Is(e, samlxml.Assertion, e.Tag) && keptText[e.Tag]:
		mask = func(s string) string { return s }
	case samlxml.Is(e, samlxml.Protocol, "StatusMessage"):
		mask = red.addresses
	}
	first := true
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Comment:
			t.Data = ""
		case *etree.CharData:
			switch {
			case err != nil:
				t.SetData(mask(t.Data))
			case first:
				t.SetData(mask(whole))
			default:
				t.SetData("")
			}
			first = false
		}
	}
}

// mask stands for a value and keeps what the checks look at: whether there is
// one, an @ or something invisible in it, blanks around it, and whether it is
// longer than a NameID may be.
func (red redaction) mask(s string) string {
	core := strings.TrimSpace(s)
	if core == "" {
		return s
	}
	var b strings.Builder
	before := strings.Index(s, core)
	b.WriteString(s[:before])
	b.WriteString("redacted-")
	if i := strings.IndexFunc(core, invisible); i >= 0 {
		_, n := utf8.DecodeRuneInString(core[i:])
		b.WriteString(core[i : i+n])
	}
	b.WriteString(digest(red.connectionID, core))
	if len(s) > maxNameID {
		b.WriteString(strings.Repeat("x", maxNameID))
	}
	if strings.Contains(core, "@") {
		b.WriteString("@redacted.invalid")
	}
	b.WriteString(s[before+len(core):])
	return b.String()
}

// addresses replaces the words with an @ in them: what the IdP says of its
// refusal is the point of the trace, the address it may name is not.
func (red redaction) addresses(s string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(s, unicode.IsSpace) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if strings.Contains(word, "@") {
			word = red.mask(word)
		}
		b.WriteString(word)
	}
	return b.String()
}
