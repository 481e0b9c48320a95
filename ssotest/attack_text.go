package ssotest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// values are the texts that decide something.
func (g *gallery) values() []struct {
	name string
	of   func(m *message) *etree.Element
} {
	return []struct {
		name string
		of   func(m *message) *etree.Element
	}{
		{"name-id", func(m *message) *etree.Element { return path(m.assertion, "Subject", "NameID") }},
		{"attribute", func(m *message) *etree.Element {
			return m.assertion.FindElement("./AttributeStatement/Attribute/AttributeValue")
		}},
		{"issuer", func(m *message) *etree.Element { return path(m.assertion, "Issuer") }},
		{"response-issuer", func(m *message) *etree.Element { return path(m.response, "Issuer") }},
		{"audience", func(m *message) *etree.Element {
			return path(m.assertion, "Conditions", "AudienceRestriction", "Audience")
		}},
	}
}

// cut divides a text at the victim's name, if it begins with that, or after its
// first character, in the middle, or before the last.
func (g *gallery) cut(where, text string) (left, right string) {
	r := []rune(text)
	switch where {
	case "victim":
		if strings.HasPrefix(text, g.o.Victim) {
			return g.o.Victim, text[len(g.o.Victim):]
		}
		return string(r[:1]), string(r[1:])
	case "start":
		return "", text
	case "end":
		return text, ""
	}
	return string(r[:len(r)/2]), string(r[len(r)/2:])
}

// insertions are the same in every value, at every place.
func (g *gallery) insertions(control func(*etree.Element), insert func(e *etree.Element, left, right string), genuine bool) []attack {
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse} {
		for _, v := range g.values() {
			if on == SignAssertion && v.name == "response-issuer" {
				continue // not signed
			}
			for _, where := range []string{"start", "victim", "middle", "end"} {
				all = append(all, attack{name: string(on) + "/" + v.name + "/" + where, control: string(on) + "/" + v.name, o: Options{Sign: on}, genuine: genuine,
					forged: after(func(m *message) {
						e := v.of(m)
						left, right := g.cut(where, e.Text())
						e.SetText("")
						insert(e, left, right)
					}),
					honest: after(func(m *message) { control(v.of(m)) })})
			}
		}
	}
	return all
}

// beside puts a comment next to a value and not into it.
func beside(e *etree.Element) { e.Parent().InsertChildAt(e.Index(), etree.NewComment("c")) }

func pieces(e *etree.Element, left string, between etree.Token, right string) {
	for i := len(e.Child) - 1; i >= 0; i-- {
		e.RemoveChildAt(i)
	}
	e.AddChild(etree.NewText(left))
	e.AddChild(between)
	e.AddChild(etree.NewText(right))
}

// textComment: canonical forms drop comments, so one may be put into any signed
// value. A reader that takes the first text only reads half of it.
func textComment(g *gallery) []attack {
	return g.insertions(beside, func(e *etree.Element, left, right string) { pieces(e, left, etree.NewComment("c"), right) }, true)
}

// textInstruction: the same with a processing instruction, which canonical
// forms keep.
func textInstruction(g *gallery) []attack {
	return g.insertions(beside, func(e *etree.Element, left, right string) {
		pieces(e, left, etree.NewProcInst("x", "y"), right)
	}, false)
}

// textElement: the same with an element.
func textElement(g *gallery) []attack {
	return g.insertions(beside, func(e *etree.Element, left, right string) {
		pieces(e, left, etree.NewElement(e.FullTag()), right)
	}, false)
}

// textCData: part of a value is a CDATA section, which canonical forms turn into
// text.
func textCData(g *gallery) []attack {
	return g.insertions(beside, func(e *etree.Element, left, right string) {
		pieces(e, left, etree.NewCData(right), "")
	}, true)
}

// textReference: a character of a value is written as a reference, which every
// reader turns back.
func textReference(g *gallery) []attack {
	var all []attack
	for _, form := range []string{"&#%d;", "&#x%x;", "&#x%X;", "&#x0000%x;", "<![CDATA[%c]]>"} {
		for _, on := range []Signed{SignAssertion, SignResponse} {
			for _, where := range []string{"victim", "middle"} {
				all = append(all, attack{name: fmt.Sprintf("%s/%s/%s", on, where, form), control: string(on), o: Options{Sign: on}, genuine: true,
					forged: hooks{written: func(b []byte) []byte {
						left, right := g.cut(where, g.account)
						r := []rune(right)
						return bytes.ReplaceAll(b, []byte(">"+g.account+"<"), []byte(">"+left+fmt.Sprintf(form, r[0])+string(r[1:])+"<"))
					}}})
			}
		}
	}
	return all
}

// textSpace: the IdP signs a name with what nobody sees around or in it.
func textSpace(g *gallery) []attack {
	spaces := map[string]string{"blank": " ", "tab": "\t", "line-feed": "\n", "return": "\r", "no-break": "\u00a0", "zero-width": "\u200b", "mark": "\ufeff",
		"soft-hyphen": "\u00ad", "right-to-left": "\u202e"}
	var all []attack
	for _, name := range []string{"blank", "tab", "line-feed", "return", "no-break", "zero-width", "mark", "soft-hyphen", "right-to-left"} {
		for _, where := range []string{"before", "after"} {
			text := g.account + spaces[name]
			if where == "before" {
				text = spaces[name] + g.account
			}
			all = append(all, attack{name: where + "/" + name, o: Options{Sign: SignAssertion},
				forged: before(func(m *message) { path(m.assertion, "Subject", "NameID").SetText(text) })})
		}
	}
	return all
}

// textTwice: the IdP signs two of what there is one of. Each reader takes
// another one.
func textTwice(g *gallery) []attack {
	of := []struct {
		name string
		get  func(m *message) *etree.Element
	}{
		{"name-id", func(m *message) *etree.Element { return path(m.assertion, "Subject", "NameID") }},
		{"subject", func(m *message) *etree.Element { return path(m.assertion, "Subject") }},
		{"conditions", func(m *message) *etree.Element { return path(m.assertion, "Conditions") }},
		{"issuer", func(m *message) *etree.Element { return path(m.assertion, "Issuer") }},
		{"response-issuer", func(m *message) *etree.Element { return path(m.response, "Issuer") }},
		{"status", func(m *message) *etree.Element { return path(m.response, "Status") }},
		{"status-code", func(m *message) *etree.Element { return path(m.response, "Status", "StatusCode") }},
		{"confirmation-data", func(m *message) *etree.Element { return m.confirmationData() }},
		{"authn-context", func(m *message) *etree.Element { return path(m.assertion, "AuthnStatement", "AuthnContext") }},
	}
	var all []attack
	for _, v := range of {
		for _, order := range []string{"before", "after"} {
			all = append(all, attack{name: v.name + "/" + order, o: Options{Sign: SignBoth}, forged: before(func(m *message) {
				e := v.get(m)
				second := e.Copy()
				for _, id := range append(second.FindElements(".//NameID"), second) {
					if id.Tag == "NameID" {
						id.SetText(m.victim)
					}
				}
				at := e.Index()
				if order == "after" {
					at++
				}
				e.Parent().InsertChildAt(at, second)
			})})
		}
	}
	return all
}
