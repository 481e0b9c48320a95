package xmlsig

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

func quote(s string) string { return strconv.Quote(shorten(s)) }

func isSpace(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
		default:
			return false
		}
	}
	return true
}

// children returns the child elements of e, which is one of XML signatures,
// and wants exactly these, in this order, in its namespace; the one with ? may
// be missing and is then nil. Text must be white space.
func children(e *etree.Element, want ...string) (found [3]*etree.Element, err error) {
	n := 0
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.CharData:
			if !isSpace(t.Data) {
				return found, malformed("text in %s", e.Tag)
			}
		case *etree.Comment:
		case *etree.Element:
			if n == len(want) || t.Tag != strings.TrimSuffix(want[n], "?") || !isDSig(t, e) {
				return found, malformed("unexpected %s in %s", shorten(t.Tag), e.Tag)
			}
			found[n] = t
			n++
		default:
			return found, malformed("processing instruction in %s", e.Tag)
		}
	}
	if n < len(want) && !strings.HasSuffix(want[n], "?") {
		return found, malformed("%s has no %s", e.Tag, want[n])
	}
	return found, nil
}

// attribute returns the attribute called name, and wants it to be there, once,
// and no other besides declarations. Where id is not empty the element may have
// an Id too, as some identity providers write it, but not the signed one: a
// reference must not have two targets. Where name is empty nothing is wanted.
func attribute(e *etree.Element, name, id string) (string, error) {
	value, n := "", 0
	for i := range e.Attr {
		a := &e.Attr[i]
		if _, _, ok := declaration(a); ok {
			continue
		}
		switch {
		case a.Space == "" && a.Key == name:
			value = a.Value
			n++
		case a.Space == "" && a.Key == "Id" && id != "":
			if a.Value == id {
				return "", malformed("%s has the ID of the signed element", e.Tag)
			}
		default:
			return "", malformed("unexpected attribute %s of %s", shorten(a.Key), e.Tag)
		}
	}
	if n != 1 && name != "" {
		return "", malformed("%s has %d attributes %s, want one", e.Tag, n, name)
	}
	return value, nil
}

// leaf returns the Algorithm of an element that has no parameters.
func leaf(e *etree.Element) (string, error) {
	if _, err := children(e); err != nil {
		return "", err
	}
	return attribute(e, "Algorithm", "")
}
