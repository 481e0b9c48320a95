package ssotest

import (
	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// wrapBoth: both are signed, and a forged assertion is spliced in with the
// signatures kept or one of them dropped or re-hung.
func wrapBoth(*gallery) []attack {
	o := Options{Sign: SignBoth}
	signatures := []struct {
		name string
		cut  func(m *message, forged *etree.Element)
	}{
		{"kept", func(*message, *etree.Element) {}},
		{"outer-dropped", func(m *message, _ *etree.Element) { drop(path(m.response, "Signature")) }},
		{"inner-dropped", func(m *message, _ *etree.Element) { drop(path(m.assertion, "Signature")) }},
		{"inner-rehung", func(m *message, forged *etree.Element) { moveSignature(m.assertion, forged) }},
		{"outer-rehung", func(m *message, forged *etree.Element) { moveSignature(m.response, forged) }},
		{"both-rehung", func(m *message, forged *etree.Element) {
			moveSignature(m.assertion, forged)
			moveSignature(m.response, forged)
		}},
	}
	stand := map[string]func(m *message, forged *etree.Element){
		"before":  func(m *message, forged *etree.Element) { m.response.InsertChildAt(m.assertion.Index(), forged) },
		"after":   func(m *message, forged *etree.Element) { m.response.InsertChildAt(m.assertion.Index()+1, forged) },
		"instead": func(m *message, forged *etree.Element) { m.replaceAssertion(forged) },
	}
	var all []attack
	for _, where := range []string{"before", "after", "instead"} {
		for _, s := range signatures {
			for _, kind := range idKinds {
				all = append(all, attack{name: where + "/" + s.name + "/" + kind, o: o, forged: after(func(m *message) {
					forged := m.forge(m.assertion, kind, false)
					stand[where](m, forged)
					s.cut(m, forged)
				})})
			}
		}
	}
	return all
}

// moveSignature hangs the signature of one element on another.
func moveSignature(from, to *etree.Element) {
	if s := path(from, "Signature"); s != nil {
		from.RemoveChild(s)
		to.InsertChildAt(afterIssuer(to), s)
	}
}

// wrapError: the IdP signed that it refuses; a forged assertion stands in that
// answer.
func wrapError(g *gallery) []attack {
	var all []attack
	victim := Login{NameID: g.o.Victim, Email: g.o.Victim}
	for _, status := range []string{"refused", "turned-to-success"} {
		for _, p := range places() {
			all = append(all, attack{name: p.name + "/" + status, o: Options{Sign: SignResponse}, forged: hooks{
				request: func(m *message) { m.o.Status = "AuthnFailed" },
				after: func(m *message) error {
					forged := m.newAssertion(victim)
					host := forged // where a place is relative to an assertion there is only this one
					if p.name == "signature" || p.name == "object" || p.name == "key-info" || p.name == "x509-data" || p.name == "signature-value" {
						p.put(m, m.response, forged)
					} else {
						m.response.AddChild(host)
						if p.name != "after" {
							p.put(m, host, m.forge(forged, "new-id", false))
						}
					}
					if status != "refused" {
						code := path(m.response, "Status", "StatusCode")
						set(code, "Value", samlxml.StatusSuccess)
						drop(path(code, "StatusCode"))
					}
					return nil
				},
			}})
		}
	}
	return all
}

// wrapDecoy: two signatures on one element, one of them the genuine one.
func wrapDecoy(*gallery) []attack {
	decoys := []struct {
		name string
		make func(m *message, genuine *etree.Element, of *etree.Element) (*etree.Element, error)
	}{
		{"copy", func(_ *message, genuine, _ *etree.Element) (*etree.Element, error) { return genuine.Copy(), nil }},
		{"hollow", func(*message, *etree.Element, *etree.Element) (*etree.Element, error) {
			s := etree.NewElement("ds:Signature")
			s.CreateAttr("xmlns:ds", samlxml.DSig)
			return s, nil
		}},
		{"no-value", func(_ *message, genuine, _ *etree.Element) (*etree.Element, error) {
			s := genuine.Copy()
			path(s, "SignatureValue").SetText("")
			return s, nil
		}},
		{"other-reference", func(_ *message, genuine, _ *etree.Element) (*etree.Element, error) {
			s := genuine.Copy()
			set(path(s, "SignedInfo", "Reference"), "URI", "#_elsewhere")
			return s, nil
		}},
		{"attackers", func(m *message, _, of *etree.Element) (*etree.Element, error) { return m.attackerSignature(of) }},
		{"other-namespace", func(_ *message, genuine, _ *etree.Element) (*etree.Element, error) {
			s := genuine.Copy()
			s.CreateAttr("xmlns:ds", nsForeign)
			return s, nil
		}},
		{"loaded", func(m *message, genuine, _ *etree.Element) (*etree.Element, error) {
			s := genuine.Copy()
			s.CreateElement("ds:Object").AddChild(m.forge(m.assertion, "new-id", false))
			return s, nil
		}},
	}
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse} {
		for _, d := range decoys {
			for _, order := range []string{"before", "after"} {
				all = append(all, attack{name: string(on) + "/" + d.name + "/" + order, control: string(on), o: Options{Sign: on}, forged: hooks{after: func(m *message) error {
					of := m.signed()
					genuine := path(of, "Signature")
					decoy, err := d.make(m, genuine, of)
					if err != nil {
						return err
					}
					at := genuine.Index()
					if order == "after" {
						at++
					}
					of.InsertChildAt(at, decoy)
					return nil
				}}})
			}
		}
	}
	return all
}

// signed is the outermost element with a signature.
func (m *message) signed() *etree.Element {
	if path(m.response, "Signature") != nil {
		return m.response
	}
	return m.assertion
}

// attackerSignature is a whole signature of e by a key that nobody pinned.
func (m *message) attackerSignature(e *etree.Element) (*etree.Element, error) {
	mine, o := m.key, m.o
	defer func() { m.key, m.o = mine, o }()
	m.key, m.o.KeyInfo = attackerKey(), KeyInfoCertificate
	m.anyRSA()
	s, err := m.signer()
	if err != nil {
		return nil, err
	}
	c := e.Copy()
	drop(path(c, "Signature"))
	if err := s.sign(c); err != nil {
		return nil, err
	}
	return path(c, "Signature"), nil
}

// otherDocuments are what an IdP signs besides Responses.
func otherDocuments() []struct {
	name string
	make func(m *message) *etree.Element
} {
	protocol := func(name string) func(m *message) *etree.Element {
		return func(m *message) *etree.Element {
			e := m.response.Copy()
			drop(path(e, "Assertion"))
			drop(path(e, "Signature"))
			e.Tag = name
			set(e, "ID", m.idp.config.NewID())
			return e
		}
	}
	return []struct {
		name string
		make func(m *message) *etree.Element
	}{
		{"metadata", func(m *message) *etree.Element {
			e := etree.NewElement("md:EntityDescriptor")
			e.CreateAttr("xmlns:md", samlxml.Metadata)
			e.CreateAttr("ID", m.idp.config.NewID())
			e.CreateAttr("entityID", m.idp.config.EntityID)
			return e
		}},
		{"logout-response", protocol("LogoutResponse")},
		{"logout-request", protocol("LogoutRequest")},
		{"artifact-response", protocol("ArtifactResponse")},
		{"empty-response", protocol("Response")},
	}
}

// wrapOtherDocument: another document that the IdP signed lends its signature,
// holds a forged assertion, or is itself the answer.
func wrapOtherDocument(*gallery) []attack {
	uses := []struct {
		name string
		use  func(m *message, other *etree.Element)
	}{
		{"as-root", func(m *message, other *etree.Element) { m.response = other }},
		{"as-root-with-assertion", func(m *message, other *etree.Element) {
			other.AddChild(m.forge(m.assertion, "new-id", false))
			m.response = other
		}},
		{"lends-to-response", func(m *message, other *etree.Element) {
			m.rename(m.assertion)
			drop(path(m.assertion, "Signature"))
			set(m.response, "ID", other.SelectAttrValue("ID", ""))
			moveSignature(other, m.response)
			m.extensions().AddChild(other)
		}},
		{"lends-to-assertion", func(m *message, other *etree.Element) {
			m.rename(m.assertion)
			drop(path(m.assertion, "Signature"))
			set(m.assertion, "ID", other.SelectAttrValue("ID", ""))
			moveSignature(other, m.assertion)
			m.extensions().AddChild(other)
		}},
		{"beside-unsigned", func(m *message, other *etree.Element) {
			m.rename(m.assertion)
			drop(path(m.assertion, "Signature"))
			m.extensions().AddChild(other)
		}},
	}
	var all []attack
	for _, doc := range otherDocuments() {
		for _, u := range uses {
			all = append(all, attack{name: doc.name + "/" + u.name, o: Options{Sign: SignAssertion}, forged: hooks{after: func(m *message) error {
				other := doc.make(m)
				if err := m.sign(other); err != nil {
					return err
				}
				u.use(m, other)
				return nil
			}}})
		}
	}
	return append(all, attack{name: "bare-assertion", o: Options{Sign: SignAssertion}, forged: after(func(m *message) { m.response = m.assertion })})
}

// wrapSignedText: the IdP signs an attribute whose value the attacker chose. It
// is text, whatever it looks like.
func wrapSignedText(*gallery) []attack {
	// The value is that of an attribute of the attacker's own.
	fill := map[string]func(m *message, value, forged *etree.Element){
		"as-text":     func(_ *message, value, forged *etree.Element) { value.SetText(string(write(forged))) },
		"as-cdata":    func(_ *message, value, forged *etree.Element) { value.CreateCData(string(write(forged))) },
		"as-elements": func(_ *message, value, forged *etree.Element) { value.AddChild(forged) },
		"ends-value": func(m *message, value, forged *etree.Element) {
			value.SetText("</" + m.assert + "AttributeValue></" + m.assert + "Attribute>" + string(write(forged)))
		},
	}
	what := map[string]func(m *message) *etree.Element{
		"assertion": func(m *message) *etree.Element { return m.forge(m.assertion, "new-id", false) },
		"same-id":   func(m *message) *etree.Element { return m.forge(m.assertion, "same-id", false) },
		"subject":   func(m *message) *etree.Element { return path(m.forge(m.assertion, "new-id", false), "Subject").Copy() },
		"name-id": func(m *message) *etree.Element {
			return path(m.forge(m.assertion, "new-id", false), "Subject", "NameID").Copy()
		},
	}
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse, SignBoth} {
		for _, how := range []string{"as-text", "as-cdata", "as-elements", "ends-value"} {
			for _, w := range []string{"assertion", "same-id", "subject", "name-id"} {
				all = append(all, attack{name: string(on) + "/" + w + "/" + how, control: string(on), o: Options{Sign: on}, genuine: true,
					forged: before(func(m *message) {
						forged := what[w](m)
						if forged.SelectAttr("xmlns:saml") == nil {
							m.declare(forged, m.assert, samlxml.Assertion)
						}
						fill[how](m, m.extraValue(m.assertion), forged)
					}),
					honest: before(func(m *message) { m.extraValue(m.assertion).SetText("hello") })})
			}
		}
	}
	return all
}
