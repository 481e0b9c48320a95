package ssotest

import (
	"bytes"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// limit is an attribute that an attacker would like to have another value.
type limit struct {
	name  string
	of    func(m *message) *etree.Element
	attr  string
	wrong func(m *message) string // with this value the answer is refused
	right func(m *message) string
	// optional says that an answer without it is good.
	optional bool
}

func limits() []limit {
	conditions := func(m *message) *etree.Element { return path(m.assertion, "Conditions") }
	data := func(m *message) *etree.Element { return m.confirmationData() }
	in := func(d time.Duration) func(m *message) string {
		return func(m *message) string { return m.time(d) }
	}
	other := func(*message) string { return elsewhere }
	return []limit{
		{"not-on-or-after", conditions, "NotOnOrAfter", in(-late), in(time.Minute), true},
		{"not-before", conditions, "NotBefore", in(late), in(-time.Minute), true},
		{"confirmation", data, "NotOnOrAfter", in(-late), in(time.Minute), false},
		{"recipient", data, "Recipient", other, func(m *message) string { return m.recipient }, false},
		{"in-response-to", data, "InResponseTo", func(m *message) string { return "_another" }, func(m *message) string { return m.req.ID }, false},
		{"session", func(m *message) *etree.Element { return path(m.assertion, "AuthnStatement") }, "SessionNotOnOrAfter", in(-late), in(time.Hour), true},
		{"method", func(m *message) *etree.Element { return path(m.assertion, "Subject", "SubjectConfirmation") }, "Method",
			func(*message) string { return "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" }, func(*message) string { return samlxml.MethodBearer }, false},
		{"version", func(m *message) *etree.Element { return m.assertion }, "Version", func(*message) string { return "1.1" }, func(*message) string { return "2.0" }, false},
	}
}

// pollute has the wrong value signed, and the right one written where a reader
// that does not look at namespaces finds it.
func pollute(signed bool, write func(e *etree.Element, attr, value string)) []attack {
	var all []attack
	for _, l := range limits() {
		for _, order := range []string{"behind", "before", "instead"} {
			put := func(m *message, forged bool) {
				e := l.of(m)
				value := e.SelectAttrValue(l.attr, "")
				e.RemoveAttr(l.attr)
				if order != "before" && order != "instead" {
					e.CreateAttr(l.attr, value)
				}
				if forged {
					write(e, l.attr, l.right(m))
				} else {
					e.CreateAttr("xmlns:unused", "urn:example:unused")
				}
				if order == "before" || order == "instead" && !forged {
					e.CreateAttr(l.attr, value)
				}
			}
			if order == "instead" && (!signed || l.optional) {
				continue // what was signed has to stay, what is optional may be missing
			}
			a := attack{name: l.name + "/" + order, control: l.name + "/" + order, o: Options{Sign: SignAssertion}}
			a.both.before = func(m *message) {
				// One bound at a time is wrong.
				set(path(m.assertion, "Conditions"), "NotBefore", m.time(-4*late))
				set(path(m.assertion, "Conditions"), "NotOnOrAfter", m.time(4*late))
			}
			a.forged.before = func(m *message) {
				set(l.of(m), l.attr, l.wrong(m))
				if signed {
					put(m, true)
				}
			}
			a.honest.before = func(m *message) {
				set(l.of(m), l.attr, l.right(m))
				if signed {
					put(m, false)
				}
			}
			if !signed {
				a.forged.after = func(m *message) error { put(m, true); return nil }
				a.honest.after = func(m *message) error { put(m, false); return nil }
			}
			all = append(all, a)
		}
	}
	return all
}

// nsDeclaration: an unused declaration can be added to what is signed, since the
// exclusive canonical form leaves it out. A reader that takes xmlns:NotOnOrAfter
// for NotOnOrAfter reads what nobody signed.
func nsDeclaration(*gallery) []attack {
	all := pollute(false, func(e *etree.Element, attr, value string) { e.CreateAttr("xmlns:"+attr, value) })
	// Some readers refuse the first for a value that is no namespace name.
	for _, a := range pollute(false, func(e *etree.Element, attr, value string) { e.CreateAttr("xmlns:"+attr, "urn:example:"+value) }) {
		a.name += "/absolute"
		all = append(all, a)
	}
	return all
}

// nsAttribute: the IdP signs an attribute of the right name in a namespace.
func nsAttribute(*gallery) []attack {
	return pollute(true, func(e *etree.Element, attr, value string) {
		e.CreateAttr("xmlns:x", nsForeign)
		e.CreateAttr("x:"+attr, value)
	})
}

// nsConfusion: an element is in a namespace that looks like the right one.
func nsConfusion(*gallery) []attack {
	elements := []struct {
		name, space string
		of          func(m *message) *etree.Element
	}{
		{"response", samlxml.Protocol, func(m *message) *etree.Element { return m.response }},
		{"status", samlxml.Protocol, func(m *message) *etree.Element { return path(m.response, "Status") }},
		{"assertion", samlxml.Assertion, func(m *message) *etree.Element { return m.assertion }},
		{"issuer", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "Issuer") }},
		{"subject", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "Subject") }},
		{"name-id", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "Subject", "NameID") }},
		{"confirmation", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "Subject", "SubjectConfirmation") }},
		{"conditions", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "Conditions") }},
		{"audience", samlxml.Assertion, func(m *message) *etree.Element {
			return path(m.assertion, "Conditions", "AudienceRestriction", "Audience")
		}},
		{"authn", samlxml.Assertion, func(m *message) *etree.Element { return path(m.assertion, "AuthnStatement") }},
	}
	alike := map[string]func(space string) string{
		"saml-1":     func(space string) string { return strings.Replace(space, "2.0", "1.0", 1) },
		"upper-case": strings.ToUpper,
		"slash":      func(space string) string { return space + "/" },
		"blank":      func(space string) string { return space + " " },
		"prefix":     func(space string) string { return space[:len(space)-1] },
		"swapped": func(space string) string {
			if space == samlxml.Protocol {
				return samlxml.Assertion
			}
			return samlxml.Protocol
		},
		"foreign": func(string) string { return nsForeign },
	}
	var all []attack
	for _, e := range elements {
		for _, how := range []string{"saml-1", "upper-case", "slash", "blank", "prefix", "swapped", "foreign"} {
			for _, when := range []string{"signed", "after"} {
				bend := func(m *message) {
					el := e.of(m)
					el.CreateAttr("xmlns:"+el.Space, alike[how](e.space))
				}
				a := attack{name: e.name + "/" + how + "/" + when, o: Options{Sign: SignBoth}, forged: before(bend)}
				if when == "after" {
					a.forged = after(bend)
				}
				all = append(all, a)
			}
		}
	}
	return all
}

// nsConfusionSignature: the same for the signature.
func nsConfusionSignature(*gallery) []attack {
	var all []attack
	for _, space := range []string{"http://www.w3.org/2000/09/xmldsig", "http://www.w3.org/2000/09/xmldsig# ", "http://www.w3.org/2000/09/XMLDSIG#",
		"https://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2009/xmldsig11#", samlxml.Protocol} {
		for _, part := range [][]string{{}, {"SignedInfo"}, {"SignedInfo", "Reference"}, {"SignedInfo", "Reference", "Transforms"}, {"SignedInfo", "Reference", "DigestValue"}, {"SignatureValue"}} {
			for _, on := range []Signed{SignAssertion, SignResponse} {
				name := "Signature"
				if len(part) > 0 {
					name = part[len(part)-1]
				}
				all = append(all, attack{name: string(on) + "/" + name + "/" + space, control: string(on), o: Options{Sign: on},
					forged: hooks{after: m2(func(s *etree.Element) { path(s, part...).CreateAttr("xmlns:ds", space) })}})
			}
		}
	}
	return all
}

// inRootTag writes attributes into the start tag of the Response.
func inRootTag(text string) func([]byte) []byte {
	return func(b []byte) []byte {
		at := bytes.IndexByte(b, ' ')
		return bytes.Join([][]byte{b[:at], []byte(text), b[at:]}, []byte(" "))
	}
}

// nsReserved: declarations that Namespaces in XML forbids, and names without
// one. Readers differ in what they make of them.
func nsReserved(*gallery) []attack {
	var all []attack
	for name, text := range map[string]string{
		"xml-rebound":        `xmlns:xml="urn:example:x"`,
		"xmlns-declared":     `xmlns:xmlns="http://www.w3.org/2000/xmlns/"`,
		"xmlns-name":         `xmlns:x="http://www.w3.org/2000/xmlns/"`,
		"xml-name":           `xmlns:x="http://www.w3.org/XML/1998/namespace"`,
		"xml-name-default":   `xmlns="http://www.w3.org/XML/1998/namespace"`,
		"undeclared-prefix":  `x:a="b"`,
		"empty-name":         `xmlns:x=""`,
		"relative-name":      `xmlns:x="relative"`,
		"dotted-name":        `xmlns:x="../up"`,
		"colon-first":        `:a="b"`,
		"colon-last":         `a:="b"`,
		"two-colons":         `xmlns:x="urn:example:x" x:y:z="b"`,
		"declared-twice":     `xmlns:x="urn:example:x" xmlns:x="urn:example:y"`,
		"same-expanded-name": `xmlns:x="urn:example:x" xmlns:y="urn:example:x" x:a="1" y:a="2"`,
		"attribute-twice":    `a="1" a="2"`,
		"prefix-digit":       `xmlns:1="urn:example:x"`,
	} {
		all = append(all, attack{name: name, control: "declared", o: Options{Sign: SignAssertion}, forged: hooks{written: inRootTag(text)},
			honest: hooks{written: inRootTag(`xmlns:x="urn:example:x"`)}})
	}
	return sorted(all)
}

// nsID: other attributes that a reader may take for the ID that is signed.
func nsID(*gallery) []attack {
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse} {
		of := func(m *message) *etree.Element {
			if on == SignResponse {
				return m.response
			}
			return m.assertion
		}
		for _, other := range []string{"Id", "id", "iD", "xml:id", "saml:ID", "AssertionID", "x:ID"} {
			for _, how := range []string{"beside", "instead", "same-beside"} {
				if how != "instead" && (other == "AssertionID") {
					continue // nothing that anybody takes for the ID
				}
				all = append(all, attack{name: string(on) + "/" + other + "/" + how, control: string(on), o: Options{Sign: on}, forged: before(func(m *message) {
					e := of(m)
					id := e.SelectAttrValue("ID", "")
					e.CreateAttr("xmlns:x", nsForeign)
					e.CreateAttr("xmlns:saml", samlxml.Assertion)
					switch how {
					case "beside":
						e.CreateAttr(other, "_another")
					case "same-beside":
						e.CreateAttr(other, id)
					default:
						e.RemoveAttr("ID")
						e.CreateAttr(other, id)
					}
				}), honest: before(func(m *message) { of(m).CreateAttr("xmlns:x", nsForeign) })})
			}
		}
		for name, id := range map[string]string{"empty": "", "blank": " ", "inner-blank": "_a b", "pointer": "xpointer(/)", "quote": "_a'b", "hash": "#_a", "escape": "_a%41", "bang": "_a!b"} {
			all = append(all, attack{name: string(on) + "/value-" + name, control: string(on), o: Options{Sign: on}, forged: before(func(m *message) {
				of(m).CreateAttr("xmlns:x", nsForeign)
				set(of(m), "ID", id)
			}), honest: before(func(m *message) { of(m).CreateAttr("xmlns:x", nsForeign) })})
		}
	}
	return append(sorted(all), sameIDs()...)
}

// sameIDs: the ID of what is signed stands on another element too.
func sameIDs() []attack {
	var all []attack
	for _, attr := range []string{"ID", "Id", "id", "xml:id"} {
		for _, p := range places() {
			if p.name == "before" || p.name == "after" || p.name == "first" || p.name == "foreign" {
				continue // refused for what they are
			}
			all = append(all, attack{name: "twice/" + attr + "/" + p.name, o: Options{Sign: SignAssertion}, forged: hooks{
				before: func(m *message) {
					if p.name == "attribute-value" || p.name == "advice" {
						m.putID(p, attr)
					}
				},
				after: func(m *message) error {
					if p.name != "attribute-value" && p.name != "advice" {
						m.putID(p, attr)
					}
					return nil
				}}})
		}
	}
	return all
}

func (m *message) putID(p place, attr string) {
	e := etree.NewElement("x:Other")
	e.CreateAttr("xmlns:x", nsForeign)
	e.CreateAttr(attr, m.assertion.SelectAttrValue("ID", ""))
	p.put(m, m.assertion, e)
}
