package xmltree

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// A parser reads one document, front to back. It has no recursion: what is open
// is on a stack that the depth limit bounds.
type parser struct {
	src    string // the whole document, line ends normalised
	pos    int
	limits Limits
	count  int // nodes made
	outer  int // elements around the root, for ParseIn

	root  *etree.Element
	open  []frame
	scope scope
	// done holds the finished children of all open elements; those of the
	// innermost are the last. They move to their parent when it ends, when
	// their number is known.
	done   []etree.Token
	attrs  []attribute // of the tag that is being read
	sorted []*attribute
	// The value that is being read: a part of src, or in buf.
	whole string
	buf   []byte

	// Where the stacks begin; few documents need more.
	openRoom  [12]frame
	scopeRoom [fewBindings]binding
	attrRoom  [8]attribute

	elements slab[etree.Element]
	texts    slab[etree.CharData]
	comments slab[etree.Comment]
	attrSlab slab[etree.Attr]
	children slab[etree.Token]
}

// A frame is an open element.
type frame struct {
	element  *etree.Element
	name     string // as written
	children int    // where its children begin in done
	bindings int    // declarations in scope around it
}

func parse(parent *etree.Element, data []byte, l Limits) (*etree.Element, error) {
	l = l.withDefaults()
	p := &parser{limits: l}
	if len(data) > l.Bytes {
		return nil, p.tooLarge(0, "the document has %d bytes, at most %d are taken", len(data), l.Bytes)
	}
	if err := checkEncoding(data); err != nil {
		return nil, err
	}
	p.src = normalizeEOL(data)
	p.expect()
	if parent != nil {
		p.outer = p.scope.inherit(parent)
	}
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.root, nil
}

// checkEncoding refuses what is not legal XML characters in UTF-8.
func checkEncoding(data []byte) error {
	i := firstBadChar(data)
	if i < 0 {
		return nil
	}
	line, column := position(string(data[:i]))
	e := &Error{Line: line, Column: column, Msg: "not a character that XML 1.0 allows, in UTF-8"}
	if i < 4 && (bytes.HasPrefix(data, []byte("\xFE\xFF")) || bytes.HasPrefix(data, []byte("\xFF\xFE")) || data[i] == 0) {
		e.Msg = "not UTF-8; it looks like UTF-16 or UTF-32"
	}
	return e
}

// expect sizes the allocations by the number of '<': most elements have two,
// text ends at one.
func (p *parser) expect() {
	tags := strings.Count(p.src, "<")
	p.elements.left = tags*9/16 + 1
	p.texts.left = tags / 2
	p.attrSlab.left = strings.Count(p.src, "=")
	p.children.left = tags
	p.done = make([]etree.Token, 0, min(tags*3/2, p.limits.Elements))
	p.open, p.scope.stack, p.attrs = p.openRoom[:0], p.scopeRoom[:0], p.attrRoom[:0]
}

func (p *parser) document() error {
	p.pos = len(p.src) - len(strings.TrimPrefix(p.src, "\uFEFF"))
	if err := p.declaration(); err != nil {
		return err
	}
	for {
		if len(p.open) == 0 {
			p.skipSpace()
			if p.pos == len(p.src) {
				break
			}
			if p.src[p.pos] != '<' {
				return p.fail(p.pos, "text outside the root element")
			}
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	if p.root == nil {
		return p.fail(p.pos, "no element in the document")
	}
	return nil
}

// next reads one piece of markup, or one run of text.
func (p *parser) next() error {
	rest := p.src[p.pos:]
	switch {
	case rest == "":
		return p.fail(p.pos, "the document ends inside element %s", quote(p.top().name))
	case rest[0] != '<':
		return p.text()
	case len(rest) == 1:
		return p.fail(p.pos, "the document ends with <")
	}
	switch rest[1] {
	case '/':
		return p.endTag()
	case '!':
		return p.exclamation(rest)
	case '?':
		if isDeclaration(rest) {
			return p.fail(p.pos, "an XML declaration must be the very first")
		}
		return p.fail(p.pos, "processing instructions are not taken")
	}
	return p.startTag()
}

func (p *parser) exclamation(rest string) error {
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return p.comment()
	case !strings.HasPrefix(rest, cdataStart):
		return p.fail(p.pos, "document type and other markup declarations are not taken")
	case len(p.open) == 0:
		return p.fail(p.pos, "text outside the root element")
	}
	return p.text()
}

func (p *parser) startTag() error {
	at := p.pos
	p.pos++
	if len(p.open) == 0 && p.root != nil {
		return p.fail(at, "a second root element")
	}
	name, colon, err := p.name("an element name")
	if err != nil {
		return err
	}
	if p.outer+len(p.open) >= p.limits.Depth {
		return p.tooLarge(at, "elements are nested more than %d deep", p.limits.Depth)
	}
	if err := p.node(at); err != nil {
		return err
	}
	e := p.newElement()
	if colon < 0 {
		e.Tag = name
	} else {
		e.Space, e.Tag = name[:colon], name[colon+1:]
	}
	bindings := len(p.scope.stack)
	empty, err := p.attributes(name)
	if err != nil {
		return err
	}
	if err := p.resolve(at, e); err != nil {
		return err
	}
	if p.root == nil {
		p.root = e
	} else {
		p.done = append(p.done, e)
	}
	if empty {
		p.scope.pop(bindings)
		return nil
	}
	p.open = append(p.open, frame{element: e, name: name, children: len(p.done), bindings: bindings})
	return nil
}

// newElement makes an element. The root is made by etree, so that it looks like
// one without a parent.
func (p *parser) newElement() *etree.Element {
	if p.root == nil {
		return etree.NewElement("")
	}
	return &p.elements.take(1)[0]
}

func (p *parser) endTag() error {
	at := p.pos
	if len(p.open) == 0 {
		return p.fail(at, "an end tag without a start tag")
	}
	f := p.top()
	if p.pos += 2; strings.HasPrefix(p.src[p.pos:], f.name) {
		p.pos += len(f.name)
		p.skipSpace()
		if p.pos < len(p.src) && p.src[p.pos] == '>' {
			p.pos++
			p.close(f)
			return nil
		}
	}
	p.pos = at + 2
	name, _, err := p.name("an element name")
	if err != nil {
		return err
	}
	if name != f.name {
		return p.fail(at, "element %s ends with the tag of %s", quote(f.name), quote(name))
	}
	return p.fail(p.pos, "the end tag of %s is not closed", quote(name))
}

// close gives the innermost open element its children.
func (p *parser) close(f *frame) {
	if kids := p.done[f.children:]; len(kids) > 0 {
		// AddChild sets parent and index, which etree keeps to itself.
		f.element.Child = p.children.take(len(kids))[:0]
		for _, t := range kids {
			f.element.AddChild(t)
		}
		p.done = p.done[:f.children]
	}
	p.scope.pop(f.bindings)
	p.open = p.open[:len(p.open)-1]
}

func (p *parser) top() *frame { return &p.open[len(p.open)-1] }

// name reads a QName; colon is its place in the name, or -1.
func (p *parser) name(what string) (name string, colon int, err error) {
	start := p.pos
	end, colon, ok := scanName(p.src, start)
	if !ok {
		return "", 0, p.fail(start, "%s is missing, or is not a name with at most one colon inside", what)
	}
	p.pos = end
	if colon >= 0 {
		colon -= start
	}
	return p.src[start:end], colon, nil
}

// skipSpace tells whether there was white space.
func (p *parser) skipSpace() bool {
	start := p.pos
	for p.pos < len(p.src) && class[p.src[p.pos]]&white != 0 {
		p.pos++
	}
	return p.pos > start
}

// node counts a node of the tree.
func (p *parser) node(at int) error {
	if p.count++; p.count > p.limits.Elements {
		return p.tooLarge(at, "more than %d elements, attributes, comments and runs of text", p.limits.Elements)
	}
	return nil
}

func (p *parser) fail(at int, format string, args ...any) error {
	line, column := position(p.src[:at])
	return &Error{Line: line, Column: column, Msg: fmt.Sprintf(format, args...)}
}

func (p *parser) tooLarge(at int, format string, args ...any) error {
	line, column := position(p.src[:at])
	return &Error{Line: line, Column: column, Msg: fmt.Sprintf(format, args...), TooLarge: true}
}

// quote quotes a name for an error text. A name can be as long as the document,
// and a document must not get into a log piece by piece.
func quote(name string) string {
	const most = 40
	if len(name) > most {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(name[:most], ""))
	}
	return fmt.Sprintf("%q", name)
}
