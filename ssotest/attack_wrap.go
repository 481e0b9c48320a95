package ssotest

import (
	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

const nsForeign = "urn:example:foreign"

// after makes a hook of what cannot fail.
func after(f func(*message)) hooks {
	return hooks{after: func(m *message) error { f(m); return nil }}
}

func before(f func(*message)) hooks { return hooks{before: f} }

// A place is where a second element can stand in a document: as a child or a
// descendant of the Response, or of the assertion that stands in it (host).
type place struct {
	name string
	put  func(m *message, host, e *etree.Element)
}

// places are all where signature wrapping has been seen to work, and some more.
func places() []place {
	return []place{
		{"before", func(m *message, host, e *etree.Element) { m.response.InsertChildAt(host.Index(), e) }},
		{"after", func(m *message, host, e *etree.Element) { m.response.InsertChildAt(host.Index()+1, e) }},
		{"first", func(m *message, _, e *etree.Element) { m.response.InsertChildAt(0, e) }},
		{"extensions", func(m *message, _, e *etree.Element) { m.extensions().AddChild(e) }},
		{"status-detail", func(m *message, _, e *etree.Element) {
			path(m.response, "Status").CreateElement(m.protocol + "StatusDetail").AddChild(e)
		}},
		{"status-message", func(m *message, _, e *etree.Element) {
			path(m.response, "Status").CreateElement(m.protocol + "StatusMessage").AddChild(e)
		}},
		{"status-code", func(m *message, _, e *etree.Element) { path(m.response, "Status", "StatusCode").AddChild(e) }},
		{"issuer", func(m *message, _, e *etree.Element) { path(m.response, "Issuer").AddChild(e) }},
		{"foreign", func(m *message, host, e *etree.Element) {
			wrapper := etree.NewElement("x:Wrapper")
			wrapper.CreateAttr("xmlns:x", nsForeign)
			wrapper.AddChild(e)
			m.response.InsertChildAt(host.Index(), wrapper)
		}},
		{"in-assertion", func(_ *message, host, e *etree.Element) { host.AddChild(e) }},
		{"first-in-assertion", func(_ *message, host, e *etree.Element) { host.InsertChildAt(0, e) }},
		{"advice", func(m *message, host, e *etree.Element) {
			advice := etree.NewElement(m.assert + "Advice")
			advice.AddChild(e)
			host.InsertChildAt(path(host, "Conditions").Index()+1, advice)
		}},
		{"subject", func(_ *message, host, e *etree.Element) { path(host, "Subject").AddChild(e) }},
		{"confirmation-data", func(_ *message, host, e *etree.Element) {
			path(host, "Subject", "SubjectConfirmation", "SubjectConfirmationData").AddChild(e)
		}},
		{"conditions", func(_ *message, host, e *etree.Element) { path(host, "Conditions").AddChild(e) }},
		{"authn-context", func(m *message, host, e *etree.Element) {
			path(host, "AuthnStatement", "AuthnContext").CreateElement(m.assert + "AuthnContextDecl").AddChild(e)
		}},
		{"attribute-value", func(m *message, host, e *etree.Element) { m.extraValue(host).AddChild(e) }},
		{"signature", func(m *message, host, e *etree.Element) { m.someSignature(host).AddChild(e) }},
		{"object", func(m *message, host, e *etree.Element) {
			m.someSignature(host).CreateElement("ds:Object").AddChild(e)
		}},
		{"key-info", func(m *message, host, e *etree.Element) { childOrNew(m.someSignature(host), "KeyInfo").AddChild(e) }},
		{"x509-data", func(m *message, host, e *etree.Element) {
			childOrNew(childOrNew(m.someSignature(host), "KeyInfo"), "X509Data").AddChild(e)
		}},
		{"signature-value", func(m *message, host, e *etree.Element) {
			childOrNew(m.someSignature(host), "SignatureValue").AddChild(e)
		}},
	}
}

// extensions are the Response's, made where the schema has them.
func (m *message) extensions() *etree.Element {
	e := path(m.response, "Extensions")
	if e == nil {
		e = etree.NewElement(m.protocol + "Extensions")
		m.response.InsertChildAt(path(m.response, "Status").Index(), e)
	}
	return e
}

// extraValue is the value of a new attribute.
func (m *message) extraValue(a *etree.Element) *etree.Element {
	attribute := m.in(m.in(a, "AttributeStatement", ""), "Attribute", "")
	attribute.CreateAttr("Name", "note")
	return m.in(attribute, "AttributeValue", "")
}

// someSignature is the host's signature, the Response's, or an empty one.
func (m *message) someSignature(host *etree.Element) *etree.Element {
	for _, e := range []*etree.Element{host, m.response} {
		if s := path(e, "Signature"); s != nil {
			return s
		}
	}
	s := etree.NewElement("ds:Signature")
	s.CreateAttr("xmlns:ds", samlxml.DSig)
	host.InsertChildAt(afterIssuer(host), s)
	return s
}

func childOrNew(signature *etree.Element, name string) *etree.Element {
	if e := path(signature, name); e != nil {
		return e
	}
	return signature.CreateElement("ds:" + name)
}

// idKinds are what a forged element can bear as its ID: that of the signed one,
// another, none.
var idKinds = [...]string{"same-id", "new-id", "no-id"}

func (m *message) setID(e *etree.Element, kind, signed string) {
	switch kind {
	case "same-id":
		set(e, "ID", signed)
	case "new-id":
		set(e, "ID", m.idp.config.NewID())
	default:
		e.RemoveAttr("ID")
	}
}

// forge is a copy of an assertion that speaks of the victim.
func (m *message) forge(a *etree.Element, kind string, keepSignature bool) *etree.Element {
	forged := a.Copy()
	m.setID(forged, kind, a.SelectAttrValue("ID", ""))
	m.rename(forged)
	if !keepSignature {
		drop(path(forged, "Signature"))
	}
	return forged
}

// rename makes an assertion speak of the victim in every value.
func (m *message) rename(a *etree.Element) {
	if id := path(a, "Subject", "NameID"); id != nil {
		id.SetText(m.victim)
	}
	for _, value := range a.FindElements("./AttributeStatement/Attribute/AttributeValue") {
		value.SetText(m.victim)
	}
}

// outers are what can be done with the Response's signature in an attack on the
// assertion's.
func outers() []struct {
	name string
	o    Options
	both hooks
} {
	return []struct {
		name string
		o    Options
		both hooks
	}{
		{"assertion", Options{Sign: SignAssertion}, hooks{}},
		{"both-kept", Options{Sign: SignBoth}, hooks{}},
		{"both-outer-dropped", Options{Sign: SignBoth}, after(func(m *message) { drop(path(m.response, "Signature")) })},
	}
}

// eachPlace has one attack for each way to sign, place and kind of ID.
func eachPlace(forge func(m *message, p place, kind string)) []attack {
	var all []attack
	for _, outer := range outers() {
		for _, p := range places() {
			for _, kind := range idKinds {
				all = append(all, attack{name: outer.name + "/" + p.name + "/" + kind, control: outer.name, o: outer.o, both: outer.both,
					forged: after(func(m *message) { forge(m, p, kind) })})
			}
		}
	}
	return all
}

// wrapAssertionMoved: the signed assertion stands elsewhere with its signature,
// a forged one in its place.
func wrapAssertionMoved(*gallery) []attack {
	return eachPlace(func(m *message, p place, kind string) {
		forged := m.forge(m.assertion, kind, false)
		m.replaceAssertion(forged)
		p.put(m, forged, m.assertion)
	})
}

// wrapSignatureMoved: the signature hangs on the forged assertion, and the
// signed one stands elsewhere without it.
func wrapSignatureMoved(*gallery) []attack {
	return eachPlace(func(m *message, p place, kind string) {
		forged := m.forge(m.assertion, kind, true)
		m.replaceAssertion(forged)
		drop(path(m.assertion, "Signature"))
		p.put(m, forged, m.assertion)
	})
}

// wrapAside: the signed assertion stays, a forged one stands beside or in it,
// unsigned.
func wrapAside(*gallery) []attack {
	return eachPlace(func(m *message, p place, kind string) {
		p.put(m, m.assertion, m.forge(m.assertion, kind, false))
	})
}

// wrapAsideCopied is the same with a copy of the signature.
func wrapAsideCopied(*gallery) []attack {
	return eachPlace(func(m *message, p place, kind string) {
		p.put(m, m.assertion, m.forge(m.assertion, kind, true))
	})
}

// eachResponsePlace is for attacks on a signed Response: it makes a forged one,
// and puts the signed one somewhere in it.
func eachResponsePlace(keepOnForged bool) []attack {
	var all []attack
	for _, p := range places() {
		for _, kind := range idKinds {
			all = append(all, attack{name: p.name + "/" + kind, o: Options{Sign: SignResponse}, forged: after(func(m *message) {
				signed := m.response
				m.response = signed.Copy()
				m.setID(m.response, kind, signed.SelectAttrValue("ID", ""))
				host := path(m.response, "Assertion")
				m.setID(host, kind, m.assertion.SelectAttrValue("ID", ""))
				m.rename(host)
				if keepOnForged {
					drop(path(signed, "Signature"))
				} else {
					drop(path(m.response, "Signature"))
				}
				p.put(m, host, signed)
			})})
		}
	}
	return all
}

// wrapResponseMoved: the signed Response stands somewhere in a forged one.
func wrapResponseMoved(*gallery) []attack { return eachResponsePlace(false) }

// wrapResponseSignatureMoved: the same, and its signature hangs on the forged one.
func wrapResponseSignatureMoved(*gallery) []attack { return eachResponsePlace(true) }

// wrapInSignature: the forged assertion stands in the Response's signature,
// which the enveloped transform takes out of what is signed.
func wrapInSignature(*gallery) []attack {
	var all []attack
	for _, p := range places() {
		switch p.name {
		case "signature", "object", "key-info", "x509-data", "signature-value":
		default:
			continue
		}
		for _, kind := range idKinds {
			for _, keep := range []string{"beside", "instead"} {
				all = append(all, attack{name: p.name + "/" + kind + "/" + keep, o: Options{Sign: SignResponse}, forged: after(func(m *message) {
					forged := m.forge(m.assertion, kind, false)
					// The Response's own, wherever the assertion's would come first.
					p.put(m, m.response, forged)
					if keep == "instead" {
						drop(m.assertion)
					}
				})})
			}
		}
	}
	return all
}
