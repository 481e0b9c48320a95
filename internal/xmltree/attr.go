package xmltree

import (
	"cmp"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// An attribute, as read from a tag.
type attribute struct {
	name  string // as written
	colon int    // of the name, or -1
	value string
	uri   string // its namespace
	at    int
}

func (a *attribute) prefix() string { return a.name[:max(a.colon, 0)] }
func (a *attribute) local() string  { return a.name[a.colon+1:] }

// attributes reads the rest of a start tag into p.attrs, and the declarations
// in it into the scope.
func (p *parser) attributes(element string) (empty bool, err error) {
	p.attrs = p.attrs[:0]
	for {
		space := p.skipSpace()
		rest := p.src[p.pos:]
		switch {
		case rest == "":
			return false, p.fail(p.pos, "the document ends inside the tag of %s", quote(element))
		case rest[0] == '>':
			p.pos++
			return false, nil
		case strings.HasPrefix(rest, "/>"):
			p.pos += 2
			return true, nil
		case !space:
			return false, p.fail(p.pos, "white space or the end of the tag of %s expected", quote(element))
		case len(p.attrs) >= p.limits.Attributes:
			return false, p.tooLarge(p.pos, "more than %d attributes on element %s", p.limits.Attributes, quote(element))
		}
		if err := p.attribute(); err != nil {
			return false, err
		}
	}
}

func (p *parser) attribute() error {
	at := p.pos
	if err := p.node(at); err != nil {
		return err
	}
	name, colon, err := p.name("an attribute name")
	if err != nil {
		return err
	}
	p.skipSpace()
	if p.pos == len(p.src) || p.src[p.pos] != '=' {
		return p.fail(p.pos, "= expected after attribute name %s", quote(name))
	}
	p.pos++
	p.skipSpace()
	value, err := p.attrValue(name)
	if err != nil {
		return err
	}
	a := attribute{name: name, colon: colon, value: value, at: at}
	if prefix, ok := declared(a.prefix(), a.local()); ok {
		a.uri = xmlnsNamespace
		if bad := badDeclaration(prefix, value); bad != "" {
			return p.fail(at, "%s: %s", quote(name), bad)
		}
		if len(p.scope.stack) >= 4*p.limits.Attributes {
			return p.tooLarge(at, "more than %d namespace declarations in scope", 4*p.limits.Attributes)
		}
		p.scope.push(prefix, value)
	}
	p.attrs = append(p.attrs, a)
	return nil
}

// attrValue reads a quoted value and normalises it: literal white space becomes
// blanks, references stay what they mean (XML 1.0, 3.3.3 for CDATA, which is
// every attribute without a DTD).
func (p *parser) attrValue(name string) (string, error) {
	if p.pos == len(p.src) || p.src[p.pos] != '"' && p.src[p.pos] != '\'' {
		return "", p.fail(p.pos, "the value of attribute %s is not quoted", quote(name))
	}
	start := p.pos + 1
	// One pass for the usual value, which ends at the first special byte.
	end := start
	for end < len(p.src) && class[p.src[end]]&special == 0 {
		end++
	}
	if end < len(p.src) && p.src[end] == p.src[p.pos] {
		p.pos = end + 1
		return p.src[start:end], nil
	}
	n := strings.IndexByte(p.src[start:], p.src[p.pos])
	if n < 0 {
		return "", p.fail(p.pos, "the value of attribute %s does not end", quote(name))
	}
	p.pos = start + n + 1
	return p.normalize(name, start, p.src[start:start+n])
}

// normalize does the work on a value, which begins at an offset.
func (p *parser) normalize(name string, at int, raw string) (string, error) {
	p.buf = slices.Grow(p.buf[:0], len(raw)) // a reference is longer than its character
	for i := 0; i < len(raw); {
		switch c := raw[i]; c {
		case '<':
			return "", p.fail(at+i, "< in the value of attribute %s", quote(name))
		case '&':
			size, err := p.reference(at + i)
			if err != nil {
				return "", err
			}
			i += size
		case '\t', '\n':
			p.buf = append(p.buf, ' ')
			i++
		default:
			p.buf = append(p.buf, c)
			i++
		}
	}
	return string(p.buf), nil
}

// resolve gives the element and its attributes their namespaces, and the
// attributes to the element.
func (p *parser) resolve(at int, e *etree.Element) error {
	if e.Space == "xmlns" {
		return p.fail(at, "an element must not have the prefix xmlns")
	}
	if e.Space != "" {
		if _, ok := p.scope.find(e.Space); !ok {
			return p.fail(at, "prefix %s of element %s is not declared", quote(e.Space), quote(e.Tag))
		}
	}
	if len(p.attrs) == 0 {
		return nil
	}
	for i := range p.attrs {
		a := &p.attrs[i]
		if a.colon < 0 || a.uri != "" {
			continue
		}
		uri, ok := p.scope.find(a.prefix())
		if !ok {
			return p.fail(a.at, "prefix %s of attribute %s is not declared", quote(a.prefix()), quote(a.local()))
		}
		a.uri = uri
	}
	attrs := p.attrSlab.take(len(p.attrs))
	for i := range p.attrs {
		// CreateAttr alone sets the attribute's element, which etree keeps to
		// itself. It sees one attribute at a time, so it searches nothing.
		e.Attr = attrs[i : i : i+1]
		e.CreateAttr(p.attrs[i].name, p.attrs[i].value)
	}
	e.Attr = attrs
	return p.duplicates()
}

// duplicates refuses two attributes of the same expanded name. The same name
// written twice is the same expanded name twice, so this finds those too.
func (p *parser) duplicates() error {
	const few = 8 // are compared each with each
	if len(p.attrs) <= few {
		for i := range p.attrs {
			for j := range i {
				if compareNames(&p.attrs[j], &p.attrs[i]) == 0 {
					return p.duplicate(&p.attrs[j], &p.attrs[i])
				}
			}
		}
		return nil
	}
	p.sorted = p.sorted[:0]
	for i := range p.attrs {
		p.sorted = append(p.sorted, &p.attrs[i])
	}
	slices.SortFunc(p.sorted, func(a, b *attribute) int {
		return cmp.Or(compareNames(a, b), cmp.Compare(a.at, b.at))
	})
	for i := 1; i < len(p.sorted); i++ {
		if compareNames(p.sorted[i-1], p.sorted[i]) == 0 {
			return p.duplicate(p.sorted[i-1], p.sorted[i])
		}
	}
	return nil
}

func (p *parser) duplicate(a, b *attribute) error {
	return p.fail(b.at, "attribute %s is there twice, as %s before", quote(b.name), quote(a.name))
}

// compareNames orders expanded names, somehow.
func compareNames(a, b *attribute) int {
	x, y := a.local(), b.local()
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	if c := strings.Compare(x, y); c != 0 {
		return c
	}
	return strings.Compare(a.uri, b.uri)
}
