package xmlsig

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Canonicalize writes the canonical form of el as it stands in its document:
// method is one of the URIs above, and the namespaces and xml: attributes of
// el's ancestors count. inclusivePrefixes is the PrefixList of the exclusive
// forms ("#default" is the default namespace), ignored by the others.
//
// It works for documents that the strict reader took. A processing instruction,
// a directive, an undeclared prefix, or a c14n 1.1 that would have to join
// xml:base values is an error.
//
// Specification: Canonical XML 1.0 and 1.1; Exclusive XML Canonicalization 1.0.
func Canonicalize(w io.Writer, el *etree.Element, method string, inclusivePrefixes []string) error {
	f, ok := formOf(method)
	if !ok {
		return errors.New("canonical form " + shorten(method) + " is not known")
	}
	return new(canon).run(w, el, f, inclusivePrefixes, nil)
}

var (
	errDeep       = errors.New("elements nested too deep")
	errPI         = errors.New("processing instruction or directive")
	errPrefix     = errors.New("undeclared namespace prefix")
	errReserved   = errors.New("reserved namespace prefix declared")
	errUnbind     = errors.New("namespace prefix declared as nothing")
	errTwice      = errors.New("attribute stands twice")
	errBase       = errors.New("xml:base above the element is not supported with c14n 1.1")
	errNamespaces = errors.New("namespace declarations swell the canonical form")
)

const (
	maxDepth = 512 // of elements; the reader bounds it far lower

	// Exclusive form repeats a declaration at each element that uses it, so one
	// long namespace name, declared once and used by many small elements, turns
	// 1 MiB into gigabytes. freeNames bytes of names, and nameRatio for each
	// other byte of output, are far above what documents need.
	freeNames = 1 << 20
	nameRatio = 4
	shortName = 256 // to compare so many bytes costs nothing
)

// canon writes canonical forms. It may be used again, one run at a time.
type canon struct {
	scope
	form form
	list map[string]struct{} // the PrefixList, when it is long
	few  []string            // or when it is short
	skip *etree.Element      // left out: the Signature, for the enveloped transform

	output
	names    int // bytes of namespace declarations written
	compared int // bytes of namespace names compared, beyond shortName of each

	emit  []int        // slots to declare at the current element
	attrs []attr       // of the current element
	above []etree.Attr // xml: attributes that the first element inherits, nearest first
}

func (c *canon) run(w io.Writer, el *etree.Element, f form, prefixes []string, skip *etree.Element) error {
	c.scope.reset()
	c.output.reset(w)
	c.form, c.skip, c.names, c.compared = f, skip, 0, 0
	c.setList(prefixes)
	if err := c.ancestors(el); err != nil {
		return err
	}
	if err := c.element(el, 0); err != nil {
		return err
	}
	return c.flush()
}

func (c *canon) setList(prefixes []string) {
	c.list, c.few = nil, nil
	if !c.form.exclusive {
		return
	}
	if len(prefixes) <= 8 {
		c.few = prefixes
		return
	}
	c.list = make(map[string]struct{}, len(prefixes))
	for _, p := range prefixes {
		c.list[p] = struct{}{}
	}
}

// inclusive says whether declarations of the prefix are written where they
// stand, rather than where they are used.
func (c *canon) inclusive(prefix string) bool {
	if !c.form.exclusive {
		return true
	}
	if prefix == "" {
		prefix = "#default"
	}
	if c.list != nil {
		_, ok := c.list[prefix]
		return ok
	}
	for _, p := range c.few {
		if p == prefix {
			return true
		}
	}
	return false
}

// ancestors takes in what is declared above el.
func (c *canon) ancestors(el *etree.Element) error {
	c.emit, c.attrs, c.above = c.emit[:0], c.attrs[:0], c.above[:0]
	var room [64]*etree.Element
	up := room[:0]
	for p := el.Parent(); p != nil; p = p.Parent() {
		if len(up) == maxDepth {
			return errDeep
		}
		up = append(up, p)
		if err := c.inherit(p); err != nil {
			return err
		}
	}
	for i := len(up) - 1; i >= 0; i-- {
		for j := range up[i].Attr {
			if prefix, uri, ok := declaration(&up[i].Attr[j]); ok {
				if _, err := c.bind(prefix, uri); err != nil {
					return err
				}
			}
		}
	}
	c.log = c.log[:0] // nothing to put back: el is the whole output
	return nil
}

// inherit takes the xml: attributes that the inclusive forms hand down to the
// first element of the output: all of them in 1.0 (section 2.4), xml:lang and
// xml:space in 1.1 (section 2.4). Nearer ancestors come first.
func (c *canon) inherit(p *etree.Element) error {
	if c.form.exclusive {
		return nil
	}
	for i := range p.Attr {
		a := &p.Attr[i]
		if a.Space != "xml" {
			continue
		}
		if c.form.v11 {
			if a.Key == "base" {
				return errBase
			}
			if a.Key != "lang" && a.Key != "space" {
				continue
			}
		}
		c.above = append(c.above, *a)
	}
	return nil
}

func declaration(a *etree.Attr) (prefix, uri string, ok bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, a.Value, true
	case a.Space == "" && a.Key == "xmlns":
		return "", a.Value, true
	}
	return "", "", false
}

// bind declares a prefix. The slot is none for the declaration of xml, which
// changes nothing and is never written.
func (c *canon) bind(prefix, uri string) (int, error) {
	switch {
	case prefix == "xml" && uri == xmlSpace:
		return none, nil
	case prefix == "xml" || prefix == "xmlns" || uri == xmlSpace || uri == xmlnsURI:
		return 0, errReserved
	case prefix != "" && uri == "":
		return 0, errUnbind
	}
	return c.declare(prefix, uri), nil
}

// use has the slot declared at the current element, unless the output has said
// the same already.
func (c *canon) use(i int) {
	if b := &c.bound[i]; b.uri != b.rendered {
		c.emit = append(c.emit, i)
		c.render(i)
	}
}

// useName uses the prefix of a name and returns its slot.
func (c *canon) useName(prefix string) (int, error) {
	i := c.slot(prefix)
	b := &c.bound[i]
	if b.uri == "" && prefix != "" {
		return 0, errPrefix
	}
	if b.uri != b.rendered {
		c.use(i)
	}
	return i, nil
}

func (c *canon) element(e *etree.Element, depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	mark := c.mark()
	if err := c.startTag(e, depth == 0); err != nil {
		return err
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.CharData:
			c.text(t.Data)
		case *etree.Element:
			if t == c.skip {
				continue
			}
			if err := c.element(t, depth+1); err != nil {
				return err
			}
		case *etree.Comment:
			if c.form.comments {
				c.str("<!--")
				c.str(t.Data)
				c.str("-->")
			}
		default:
			return errPI
		}
	}
	c.str("</")
	c.name(e.Space, e.Tag)
	c.byte('>')
	c.leave(mark)
	if c.names+c.compared > freeNames+nameRatio*(c.size()-c.names) {
		return errNamespaces
	}
	return c.err
}

func (c *canon) startTag(e *etree.Element, first bool) error {
	plain := false
	for i := range e.Attr {
		prefix, uri, ok := declaration(&e.Attr[i])
		if !ok {
			plain = true
			continue
		}
		slot, err := c.bind(prefix, uri)
		if err != nil {
			return err
		}
		if slot != none && c.inclusive(prefix) {
			c.use(slot)
		}
	}
	if first { // what is in scope from above; before this, nothing is rendered
		for i := range c.bound {
			if c.inclusive(c.bound[i].prefix) {
				c.use(i)
			}
		}
	}
	if _, err := c.useName(e.Space); err != nil {
		return err
	}
	if plain {
		if err := c.collect(e); err != nil {
			return err
		}
	}
	c.byte('<')
	c.name(e.Space, e.Tag)
	if len(c.emit) > 0 {
		c.declarations()
	}
	if len(c.attrs) > 0 || first {
		if err := c.attributes(e, first); err != nil {
			return err
		}
	}
	c.byte('>')
	return nil
}

// declarations writes the slots in emit, sorted by prefix.
func (c *canon) declarations() {
	if len(c.emit) > 1 {
		slices.SortFunc(c.emit, func(i, j int) int { return strings.Compare(c.bound[i].prefix, c.bound[j].prefix) })
	}
	before := c.size()
	for _, i := range c.emit {
		b := &c.bound[i]
		if b.prefix == "" {
			c.str(` xmlns="`)
		} else {
			c.str(` xmlns:`)
			c.str(b.prefix)
			c.str(`="`)
		}
		c.value(b.uri)
		c.byte('"')
	}
	c.emit = c.emit[:0]
	c.names += c.size() - before
}
