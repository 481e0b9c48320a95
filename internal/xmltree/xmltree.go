// Package xmltree reads the strict subset of XML that SAML needs into etree
// elements.
//
// What it takes is UTF-8, well-formed (XML 1.0, fifth edition) and
// namespace-well-formed (Namespaces in XML 1.0, third edition). What XML allows
// and SAML has no use for is refused: document types, hence entities beyond the
// predefined five, processing instructions, other encodings, namespace names
// that are no absolute URIs. One byte sequence has one reading here, and every
// other conforming reader agrees with it: signatures are broken where two
// readers disagree.
//
// The strings of the tree share the memory of one copy of the document. Whoever
// keeps a value for long clones it (strings.Clone).
package xmltree

import (
	"fmt"

	"github.com/beevik/etree"
)

const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// Limits bound what Parse takes. Fields that are zero (or less) mean the
// defaults, which bound the memory that a document costs to 16 MB.
type Limits struct {
	// Bytes of input; default 1 MiB.
	Bytes int
	// Depth of elements; default 64. ParseIn counts the elements around too.
	Depth int
	// Attributes of one element, namespace declarations included; default 64.
	// At most four times as many declarations may be in scope at any place.
	Attributes int
	// Elements of the document; default 100,000. Attributes, comments and runs
	// of text count as elements do, since they cost as much to hold.
	Elements int
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Bytes, 1<<20)
	set(&l.Depth, 64)
	set(&l.Attributes, 64)
	set(&l.Elements, 100_000)
	return l
}

// An Error says where and why a document was refused. Its text repeats nothing
// of the document but names of elements, attributes, prefixes and entities,
// shortened.
type Error struct {
	Line, Column int // from 1; the column counts bytes
	Msg          string
	TooLarge     bool // a limit was passed, the document may be well-formed
}

// Error returns the position and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("xml: line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// Parse reads a document and returns its root element, which has no parent.
// Comments inside the root element are kept, those outside are not. CDATA
// sections become plain text, and adjacent text is one token. The error is an
// *Error.
func Parse(data []byte, l Limits) (*etree.Element, error) {
	return parse(nil, data, l)
}

// ParseIn reads data as the one element that stands in the place of old: the
// namespaces in scope at old's parent are in scope. It neither changes old nor
// its parent; the caller puts the result there, and until then Namespace cannot
// see what was declared around it. The error is an *Error.
func ParseIn(old *etree.Element, data []byte, l Limits) (*etree.Element, error) {
	return parse(old.Parent(), data, l)
}

// Namespace returns the namespace name of an element, "" for none.
func Namespace(e *etree.Element) string { return lookup(e, e.Space) }

// AttrNamespace returns the namespace name of a, an attribute of e. It is ""
// for an attribute without a prefix, and the name that XML reserves for a
// namespace declaration.
func AttrNamespace(e *etree.Element, a etree.Attr) string {
	switch {
	case a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns":
		return xmlnsNamespace
	case a.Space == "":
		return ""
	}
	return lookup(e, a.Space)
}

// lookup returns what prefix is bound to at e; the empty prefix is the default
// namespace.
func lookup(e *etree.Element, prefix string) string {
	if prefix == "xml" {
		return xmlNamespace
	}
	space, key := "xmlns", prefix
	if prefix == "" {
		space, key = "", "xmlns"
	}
	for ; e != nil; e = e.Parent() {
		for i := range e.Attr {
			if a := &e.Attr[i]; a.Key == key && a.Space == space {
				return a.Value
			}
		}
	}
	return ""
}
