package ssotest

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// nearMisses are values that a careless comparison takes for the right one.
func nearMisses(right string) map[string]string {
	upper := strings.ToUpper(right)
	return map[string]string{
		"elsewhere":   elsewhere,
		"empty":       "",
		"blank":       " ",
		"upper-case":  upper,
		"slash":       right + "/",
		"prefix":      right[:len(right)-1],
		"suffix":      right[1:],
		"longer":      right + "x",
		"query":       right + "?",
		"fragment":    right + "#",
		"space-ahead": " " + right,
		"space-after": right + " ",
		"line-after":  right + "\n",
		"user-info":   strings.Replace(right, "://", "://x@", 1),
		"port":        strings.Replace(right, ".com/", ".com:443/", 1),
		"in-query":    elsewhere + "?x=" + right,
		"in-path":     elsewhere + "/" + right,
		"two":         right + " " + right,
		"other-host":  strings.Replace(right, "://", "://evil.", 1),
		"zero-width":  right + "\u200b",
		"homograph":   strings.Replace(right, "a", "а", 1), // Cyrillic
		"dots":        strings.Replace(right, "/", "/./", 1),
		"escaped":     strings.Replace(right, "s", "%73", 1),
	}
}

// misses has one attack for each near miss of a value, signed by the IdP.
func misses(what string, o Options, right func(m *message) string, put func(m *message, value string)) []attack {
	var all []attack
	for name := range nearMisses("https://app.example.com/x") {
		all = append(all, attack{name: what + "/" + name, o: o, forged: before(func(m *message) {
			value := right(m)
			if wrong := nearMisses(value)[name]; wrong != value {
				put(m, wrong)
			} else {
				put(m, value+"-"+name) // this value has no such near miss
			}
		})})
	}
	return sorted(all)
}

// audiences: the assertion is meant for another service provider.
func audiences(*gallery) []attack {
	o := Options{Sign: SignAssertion}
	restriction := func(m *message) *etree.Element { return path(m.assertion, "Conditions", "AudienceRestriction") }
	all := misses("audience", o, func(m *message) string { return m.audience }, func(m *message, value string) { path(restriction(m), "Audience").SetText(value) })
	second := func(m *message) *etree.Element {
		e := m.in(path(m.assertion, "Conditions"), "AudienceRestriction", "")
		m.in(e, "Audience", elsewhere)
		return e
	}
	for name, f := range map[string]func(m *message){
		"none":         func(m *message) { drop(restriction(m)) },
		"hollow":       func(m *message) { hollow(restriction(m)) },
		"second-fails": func(m *message) { second(m) },
		"first-fails": func(m *message) {
			e := second(m)
			e.Parent().RemoveChild(e)
			restriction(m).Parent().InsertChildAt(0, e)
		},
		"in-proxy": func(m *message) { restriction(m).Tag = "ProxyRestriction" },
		"in-advice": func(m *message) {
			r := restriction(m)
			r.Parent().RemoveChild(r)
			m.in(m.assertion, "Advice", "").AddChild(r)
		},
		"foreign-audience": func(m *message) { path(restriction(m), "Audience").CreateAttr("xmlns:saml", nsForeign) },
	} {
		all = append(all, attack{name: name, control: "two-audiences", o: o, forged: before(f),
			honest: before(func(m *message) { m.in(restriction(m), "Audience", elsewhere) })})
	}
	return sorted(all)
}

// addresses: Recipient and Destination are another address.
func addresses(*gallery) []attack {
	ours := func(m *message) string { return m.req.ACSURL }
	all := misses("recipient", Options{Sign: SignAssertion}, ours, func(m *message, value string) { set(m.confirmationData(), "Recipient", value) })
	for _, on := range []Signed{SignAssertion, SignResponse, SignBoth} {
		for _, a := range misses("destination-"+string(on), Options{Sign: on}, ours, func(m *message, value string) { set(m.response, "Destination", value) }) {
			a.control = string(on)
			all = append(all, a)
		}
	}
	return append(all,
		attack{name: "recipient/none", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { m.confirmationData().RemoveAttr("Recipient") })},
		attack{name: "destination/none", control: "response", o: Options{Sign: SignResponse}, forged: before(func(m *message) { m.response.RemoveAttr("Destination") })},
		attack{name: "entity-id-for-address", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { set(m.confirmationData(), "Recipient", m.audience) })})
}

// issuers: another IdP made the answer.
func issuers(*gallery) []attack {
	ours := func(m *message) string { return m.idp.config.EntityID }
	all := misses("assertion", Options{Sign: SignAssertion}, ours, func(m *message, value string) { path(m.assertion, "Issuer").SetText(value) })
	for _, on := range []Signed{SignAssertion, SignResponse} {
		for _, a := range misses("response-"+string(on), Options{Sign: on}, ours, func(m *message, value string) { path(m.response, "Issuer").SetText(value) }) {
			a.control = string(on)
			all = append(all, a)
		}
	}
	one := func(name string, on Signed, f func(m *message)) attack {
		return attack{name: name, control: string(on), o: Options{Sign: on}, forged: before(f)}
	}
	return append(all,
		one("assertion/none", SignAssertion, func(m *message) { drop(path(m.assertion, "Issuer")) }),
		one("response/none", SignResponse, func(m *message) { drop(path(m.response, "Issuer")) }),
		one("assertion/format", SignAssertion, func(m *message) { set(path(m.assertion, "Issuer"), "Format", samlxml.NameIDEmail) }),
		one("assertion/in-subject", SignAssertion, func(m *message) {
			e := path(m.assertion, "Issuer")
			m.assertion.RemoveChild(e)
			path(m.assertion, "Subject").AddChild(e)
		}),
		one("qualifier-only", SignAssertion, func(m *message) {
			e := path(m.assertion, "Issuer")
			set(e, "NameQualifier", e.Text())
			e.SetText(elsewhere)
		}))
}

// requests: it answers another request, or none, in one place or in both.
func requests(*gallery) []attack {
	o := Options{Sign: SignAssertion}
	places := map[string]func(m *message, change func(e *etree.Element)){
		"response":     func(m *message, change func(e *etree.Element)) { change(m.response) },
		"confirmation": func(m *message, change func(e *etree.Element)) { change(m.confirmationData()) },
		"both":         func(m *message, change func(e *etree.Element)) { change(m.response); change(m.confirmationData()) },
	}
	var all []attack
	for where, at := range places {
		for name, change := range map[string]func(e *etree.Element){
			"another": func(e *etree.Element) { set(e, "InResponseTo", "_another") },
			"empty":   func(e *etree.Element) { set(e, "InResponseTo", "") },
			"none":    func(e *etree.Element) { e.RemoveAttr("InResponseTo") },
			"upper-case": func(e *etree.Element) {
				set(e, "InResponseTo", strings.ToUpper(e.SelectAttrValue("InResponseTo", "")+"x"))
			},
			"prefix": func(e *etree.Element) {
				v := e.SelectAttrValue("InResponseTo", "_")
				set(e, "InResponseTo", v[:len(v)-1])
			},
			"space": func(e *etree.Element) { set(e, "InResponseTo", e.SelectAttrValue("InResponseTo", "")+" ") },
			"two":   func(e *etree.Element) { v := e.SelectAttrValue("InResponseTo", ""); set(e, "InResponseTo", v+" "+v) },
			"as-declared": func(e *etree.Element) {
				e.RemoveAttr("InResponseTo")
				e.CreateAttr("xmlns:InResponseTo", "urn:example:x")
			},
		} {
			all = append(all, attack{name: where + "/" + name, o: o, forged: before(func(m *message) { at(m, change) })})
			if where == "response" {
				// The assertion was not bound to any request, and an unsigned
				// envelope that is, is put around it.
				all = append(all, attack{name: "unbound-assertion/" + name, o: o, forged: before(func(m *message) {
					m.confirmationData().RemoveAttr("InResponseTo")
					if name != "none" {
						change(m.confirmationData())
					}
				})})
			}
		}
	}
	return sorted(all)
}

// unsolicited: it answers no request at all.
func unsolicited(*gallery) []attack {
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse, SignBoth} {
		all = append(all, attack{name: string(on), control: string(on), o: Options{Sign: on}, forged: hooks{request: func(m *message) { m.req.ID = "" }}})
	}
	return all
}

// confirmations: nothing confirms the subject whole by itself.
func confirmations(*gallery) []attack {
	confirmation := func(m *message) *etree.Element { return path(m.assertion, "Subject", "SubjectConfirmation") }
	// flaws are what makes one confirmation worthless.
	flaws := []struct {
		name string
		f    func(m *message, sc *etree.Element)
	}{
		{"expired", func(m *message, sc *etree.Element) {
			set(path(sc, "SubjectConfirmationData"), "NotOnOrAfter", m.time(-late))
		}},
		{"elsewhere", func(_ *message, sc *etree.Element) { set(path(sc, "SubjectConfirmationData"), "Recipient", elsewhere) }},
		{"another-request", func(_ *message, sc *etree.Element) {
			set(path(sc, "SubjectConfirmationData"), "InResponseTo", "_another")
		}},
		{"not-before", func(m *message, sc *etree.Element) {
			set(path(sc, "SubjectConfirmationData"), "NotBefore", m.time(-time.Minute))
		}},
		{"no-expiry", func(_ *message, sc *etree.Element) { path(sc, "SubjectConfirmationData").RemoveAttr("NotOnOrAfter") }},
		{"no-recipient", func(_ *message, sc *etree.Element) { path(sc, "SubjectConfirmationData").RemoveAttr("Recipient") }},
		{"no-data", func(_ *message, sc *etree.Element) { drop(path(sc, "SubjectConfirmationData")) }},
		{"two-data", func(_ *message, sc *etree.Element) { sc.AddChild(path(sc, "SubjectConfirmationData").Copy()) }},
		{"foreign-data", func(_ *message, sc *etree.Element) {
			path(sc, "SubjectConfirmationData").CreateAttr("xmlns:saml", nsForeign)
		}},
		{"bad-time", func(_ *message, sc *etree.Element) {
			set(path(sc, "SubjectConfirmationData"), "NotOnOrAfter", "tomorrow")
		}},
		{"holder-of-key", func(_ *message, sc *etree.Element) { set(sc, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key") }},
		{"sender-vouches", func(_ *message, sc *etree.Element) {
			set(sc, "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")
		}},
		{"no-method", func(_ *message, sc *etree.Element) { sc.RemoveAttr("Method") }},
		{"method-space", func(_ *message, sc *etree.Element) { set(sc, "Method", samlxml.MethodBearer+" ") }},
		{"method-saml-1", func(_ *message, sc *etree.Element) { set(sc, "Method", "urn:oasis:names:tc:SAML:1.0:cm:bearer") }},
	}
	o := Options{Sign: SignAssertion}
	all := []attack{
		{name: "none", o: o, forged: before(func(m *message) { drop(confirmation(m)) })},
		{name: "in-advice", o: o, forged: before(func(m *message) {
			sc := confirmation(m)
			sc.Parent().RemoveChild(sc)
			m.in(m.assertion, "Advice", "").AddChild(sc)
		})},
	}
	for i, a := range flaws {
		all = append(all, attack{name: "one/" + a.name, o: o, forged: before(func(m *message) { a.f(m, confirmation(m)) })})
		for _, b := range flaws[i+1:] {
			// Two confirmations, each with a flaw of its own. The control has
			// the second one whole.
			second := func(m *message, whole bool) {
				sc := confirmation(m)
				other := sc.Copy()
				sc.Parent().AddChild(other)
				a.f(m, sc)
				if !whole {
					b.f(m, other)
				}
			}
			all = append(all, attack{name: "two/" + a.name + "/" + b.name, control: "second-whole/" + a.name, o: o,
				forged: before(func(m *message) { second(m, false) }), honest: before(func(m *message) { second(m, true) })})
		}
	}
	return all
}

// statuses: the IdP says that it refuses, and an assertion comes all the same.
func statuses(*gallery) []attack {
	var all []attack
	code := func(m *message) *etree.Element { return path(m.response, "Status", "StatusCode") }
	for name, f := range map[string]func(m *message){
		"responder":      func(m *message) { set(code(m), "Value", samlxml.StatusPrefix+"Responder") },
		"requester":      func(m *message) { set(code(m), "Value", samlxml.StatusPrefix+"Requester") },
		"mismatch":       func(m *message) { set(code(m), "Value", samlxml.StatusPrefix+"VersionMismatch") },
		"empty":          func(m *message) { set(code(m), "Value", "") },
		"none":           func(m *message) { drop(path(m.response, "Status")) },
		"no-code":        func(m *message) { drop(code(m)) },
		"no-value":       func(m *message) { code(m).RemoveAttr("Value") },
		"lower-case":     func(m *message) { set(code(m), "Value", strings.ToLower(samlxml.StatusSuccess)) },
		"longer":         func(m *message) { set(code(m), "Value", samlxml.StatusSuccess+"ful") },
		"space":          func(m *message) { set(code(m), "Value", samlxml.StatusSuccess+" ") },
		"short":          func(m *message) { set(code(m), "Value", "Success") },
		"saml-1":         func(m *message) { set(code(m), "Value", "samlp:Success") },
		"nested-success": func(m *message) { nested(m, code(m), samlxml.StatusPrefix+"Responder") },
		"two-codes": func(m *message) {
			c := code(m).Copy()
			set(c, "Value", samlxml.StatusPrefix+"Responder")
			code(m).Parent().AddChild(c)
		},
		"two-codes-first": func(m *message) {
			c := code(m).Copy()
			set(c, "Value", samlxml.StatusPrefix+"Responder")
			code(m).Parent().InsertChildAt(0, c)
		},
		"two": func(m *message) {
			s := path(m.response, "Status")
			m.response.InsertChildAt(s.Index(), s.Copy())
		},
		"foreign-code": func(m *message) { code(m).CreateAttr("xmlns:samlp", nsForeign) },
		"prefixed": func(m *message) {
			v := code(m).SelectAttrValue("Value", "")
			code(m).RemoveAttr("Value")
			code(m).CreateAttr("samlp:Value", v)
		},
	} {
		for _, on := range []Signed{SignAssertion, SignResponse} {
			all = append(all, attack{name: string(on) + "/" + name, control: string(on), o: Options{Sign: on}, forged: before(f)})
		}
	}
	return sorted(all)
}

func nested(m *message, code *etree.Element, outer string) {
	code.CreateElement(m.protocol+"StatusCode").CreateAttr("Value", samlxml.StatusSuccess)
	set(code, "Value", outer)
}
