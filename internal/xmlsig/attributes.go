package xmlsig

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// attr is an attribute on its way out: the slot of its prefix, or none, and its
// place, in the element's attributes, or after those in above.
type attr struct{ slot, at int }

const none = -1

// collect puts the attributes of e into attrs, using their prefixes.
func (c *canon) collect(e *etree.Element) error {
	for i := range e.Attr {
		a := &e.Attr[i]
		if _, _, ok := declaration(a); ok {
			continue
		}
		slot := none
		if a.Space != "" {
			var err error
			if slot, err = c.useName(a.Space); err != nil {
				return err
			}
		}
		c.attrs = append(c.attrs, attr{slot, i})
	}
	return nil
}

// attributes writes attrs, sorted by namespace name, then local name.
func (c *canon) attributes(e *etree.Element, first bool) error {
	if first {
		for i := range c.above {
			c.attrs = append(c.attrs, attr{slotXML, len(e.Attr) + i})
		}
	}
	if len(c.attrs) > 1 {
		c.sort(e)
	}
	var last *etree.Attr
	for i := range c.attrs {
		a := c.attr(e, c.attrs[i])
		if last != nil && a.Key == last.Key && c.uri(c.attrs[i]) == c.uri(c.attrs[i-1]) {
			if c.attrs[i].at >= len(e.Attr) { // the nearer one stands before it
				continue
			}
			return errTwice
		}
		last = a
		c.byte(' ')
		c.name(a.Space, a.Key)
		c.str(`="`)
		c.value(a.Value)
		c.byte('"')
	}
	c.attrs = c.attrs[:0]
	return nil
}

func (c *canon) attr(e *etree.Element, a attr) *etree.Attr {
	if a.at < len(e.Attr) {
		return &e.Attr[a.at]
	}
	return &c.above[a.at-len(e.Attr)]
}

func (c *canon) uri(a attr) string {
	if a.slot == none {
		return ""
	}
	return c.bound[a.slot].uri
}

// sort leaves equal ones in the order of their places, so that the element's own
// xml: attributes stand before inherited ones, and near ones before far ones.
func (c *canon) sort(e *etree.Element) {
	if len(c.attrs) > 12 {
		slices.SortFunc(c.attrs, func(a, b attr) int { return c.compare(e, a, b) })
		return
	}
	for i := 1; i < len(c.attrs); i++ {
		for j := i; j > 0 && c.compare(e, c.attrs[j-1], c.attrs[j]) > 0; j-- {
			c.attrs[j-1], c.attrs[j] = c.attrs[j], c.attrs[j-1]
		}
	}
}

func (c *canon) compare(e *etree.Element, a, b attr) int {
	if a.slot != b.slot {
		x, y := c.uri(a), c.uri(b)
		// Comparing long names again at each element is the same swelling as
		// writing them.
		c.compared += max(0, min(len(x), len(y))-shortName)
		if d := strings.Compare(x, y); d != 0 {
			return d
		}
	}
	if d := strings.Compare(c.attr(e, a).Key, c.attr(e, b).Key); d != 0 {
		return d
	}
	return a.at - b.at
}
