package xmltree

import (
	"strings"

	"github.com/beevik/etree"
)

// A scope is the stack of the namespace declarations in scope.
type scope struct {
	stack []binding
	// index finds the innermost binding of a prefix. It is made when the stack
	// gets long: a search of the stack for each name would let a document with
	// many declarations cost their number times the number of its elements.
	index map[string]int32
}

type binding struct {
	prefix, uri string
	outer       int32 // the binding of the same prefix that this one hides, or -1; set with index
}

// fewBindings is how many are searched faster than a map.
const fewBindings = 12

func (s *scope) push(prefix, uri string) {
	s.stack = append(s.stack, binding{prefix: prefix, uri: uri})
	switch {
	case s.index != nil:
		s.enter(len(s.stack) - 1)
	case len(s.stack) > fewBindings:
		s.index = make(map[string]int32, 2*len(s.stack))
		for i := range s.stack {
			s.enter(i)
		}
	}
}

func (s *scope) enter(i int) {
	b := &s.stack[i]
	b.outer = -1
	if o, ok := s.index[b.prefix]; ok {
		b.outer = o
	}
	s.index[b.prefix] = int32(i)
}

// pop removes the innermost declarations until n are left.
func (s *scope) pop(n int) {
	if s.index != nil {
		for i := len(s.stack) - 1; i >= n; i-- {
			if b := s.stack[i]; b.outer >= 0 {
				s.index[b.prefix] = b.outer
			} else {
				delete(s.index, b.prefix)
			}
		}
	}
	s.stack = s.stack[:n]
}

// find returns what a prefix is bound to; "" is the default namespace, which is
// always there.
func (s *scope) find(prefix string) (uri string, ok bool) {
	if s.index != nil {
		if i, ok := s.index[prefix]; ok {
			return s.stack[i].uri, true
		}
	} else {
		for i := len(s.stack) - 1; i >= 0; i-- {
			if s.stack[i].prefix == prefix {
				return s.stack[i].uri, true
			}
		}
	}
	if prefix == "xml" {
		return xmlNamespace, true
	}
	return "", prefix == ""
}

// inherit takes over what is in scope at e.
func (s *scope) inherit(e *etree.Element) (depth int) {
	var chain []*etree.Element
	for ; e != nil; e = e.Parent() {
		chain = append(chain, e)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if chain[i].Tag != "" { // the element of an etree.Document has no name
			depth++
		}
		for _, a := range chain[i].Attr {
			if prefix, ok := declared(a.Space, a.Key); ok {
				s.push(prefix, a.Value)
			}
		}
	}
	return depth
}

// declared tells whether an attribute name is a namespace declaration, and of
// which prefix.
func declared(space, key string) (prefix string, ok bool) {
	if space == "xmlns" {
		return key, true
	}
	return "", space == "" && key == "xmlns"
}

// badDeclaration returns what is wrong with binding prefix to uri, or "".
//
// A reader that binds xml or xmlns anew, or takes an empty or a relative name,
// sees other names than its neighbour, and canonical form is undefined for
// relative ones: a canonicalizer that gives up and signs nothing has been
// enough to forge assertions ("void canonicalization").
func badDeclaration(prefix, uri string) string {
	switch {
	case prefix == "xmlns":
		return "the prefix xmlns must not be declared"
	case prefix == "xml" && uri != xmlNamespace:
		return "the prefix xml must not be bound to another namespace"
	case prefix == "xml":
		return ""
	case uri == xmlNamespace || uri == xmlnsNamespace:
		return "the namespace names of xml and xmlns must not be bound to another prefix"
	case uri == "" && prefix != "":
		return "a prefix must not be bound to an empty namespace name"
	case uri != "" && !isAbsolute(uri):
		return "a namespace name must be an absolute URI"
	}
	return ""
}

// isAbsolute tells whether uri is a URI with a scheme (RFC 3986, 3), without
// IP literals. Anything less is refused by canonicalizers that parse namespace
// names, libxml2's among them.
func isAbsolute(uri string) bool {
	n := strings.IndexByte(uri, ':')
	if n <= 0 {
		return false
	}
	for i := range n {
		c := uri[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	rest := uri[n+1:]
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case class[c]&uriChar != 0:
		case c == '%' && i+2 < len(rest) && isHex(rest[i+1]) && isHex(rest[i+2]):
			i += 2
		case c == '#' && strings.IndexByte(rest, '#') == i:
		default:
			return false
		}
	}
	return !strings.HasPrefix(rest, "//") || isAuthority(rest[2:])
}

// isAuthority tells whether s begins with an authority (RFC 3986, 3.2).
func isAuthority(s string) bool {
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		s = s[:end]
	}
	if _, host, ok := strings.Cut(s, "@"); ok {
		s = host
	}
	host, port, ok := strings.Cut(s, ":")
	if strings.IndexByte(host, '@') >= 0 {
		return false
	}
	if !ok {
		return true
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	return 0 < len(port) && len(port) <= 5
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
