package ssotest

import (
	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// transforms: what is signed is computed by something else than enveloped and
// one canonical form.
func transforms(*gallery) []attack {
	var all []attack
	of := func(s *etree.Element) *etree.Element { return path(s, "SignedInfo", "Reference", "Transforms") }
	insert := func(at int, uri string, fill func(e *etree.Element)) func(s *etree.Element) {
		return func(s *etree.Element) {
			e := etree.NewElement("ds:Transform")
			e.CreateAttr("Algorithm", uri)
			if fill != nil {
				fill(e)
			}
			of(s).InsertChildAt(at, e)
		}
	}
	xpath := func(e *etree.Element) {
		e.CreateElement("ds:XPath").SetText("not(ancestor-or-self::*[local-name()='Subject'])")
	}
	xslt := func(e *etree.Element) {
		sheet := e.CreateElement("xsl:stylesheet")
		sheet.CreateAttr("xmlns:xsl", "http://www.w3.org/1999/XSL/Transform")
		sheet.CreateAttr("version", "1.0")
	}
	more := []struct {
		name, uri string
		fill      func(e *etree.Element)
	}{
		{"xslt", "http://www.w3.org/TR/1999/REC-xslt-19991116", xslt},
		{"xpath", "http://www.w3.org/TR/1999/REC-xpath-19991116", xpath},
		{"xpath-filter", "http://www.w3.org/2002/06/xmldsig-filter2", nil},
		{"base64", samlxml.DSig + "base64", nil},
		{"decrypt", "http://www.w3.org/2002/07/decrypt#XML", nil},
		{"security-token", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform", nil},
		{"enveloped-again", enveloped, nil},
		{"exclusive-again", nsExclusive, nil},
		{"inclusive-too", canonicalizations["inclusive"], nil},
		{"unknown", "urn:example:x", nil},
		{"empty", "", nil},
	}
	for _, t := range more {
		for at, where := range []string{"first", "between", "last"} {
			all = append(all, bent(t.name+"/"+where, insert(at, t.uri, t.fill))...)
		}
	}
	form := func(s *etree.Element) *etree.Element { return of(s).ChildElements()[1] }
	for name, f := range map[string]func(s *etree.Element){
		"none":         func(s *etree.Element) { drop(of(s)) },
		"hollow":       func(s *etree.Element) { hollow(of(s)) },
		"no-form":      func(s *etree.Element) { drop(form(s)) },
		"no-enveloped": func(s *etree.Element) { drop(of(s).ChildElements()[0]) },
		"turned":       func(s *etree.Element) { f := form(s); of(s).RemoveChild(f); of(s).InsertChildAt(0, f) },
		"twice":        func(s *etree.Element) { of(s).Parent().InsertChildAt(of(s).Index(), of(s).Copy()) },
		"many": func(s *etree.Element) {
			t := of(s)
			for range 200 {
				t.AddChild(form(s).Copy())
			}
		},
		"enveloped-with": func(s *etree.Element) { xpath(of(s).ChildElements()[0]) },
		"form-with":      func(s *etree.Element) { xpath(form(s)) },
		"list-twice":     func(s *etree.Element) { prefixList(form(s), "a"); prefixList(form(s), "b") },
		"list-foreign":   func(s *etree.Element) { prefixList(form(s), "a").CreateAttr("xmlns:ec", nsForeign) },
		"list-on-inclusive": func(s *etree.Element) {
			set(form(s), "Algorithm", canonicalizations["inclusive"])
			prefixList(form(s), "a")
		},
		"form-unknown": func(s *etree.Element) { set(form(s), "Algorithm", "urn:example:x") },
		"form-absent":  func(s *etree.Element) { form(s).RemoveAttr("Algorithm") },
		"info-form-unknown": func(s *etree.Element) {
			set(path(s, "SignedInfo", "CanonicalizationMethod"), "Algorithm", "urn:example:x")
		},
		"info-form-absent": func(s *etree.Element) { drop(path(s, "SignedInfo", "CanonicalizationMethod")) },
		"info-form-base64": func(s *etree.Element) {
			set(path(s, "SignedInfo", "CanonicalizationMethod"), "Algorithm", samlxml.DSig+"base64")
		},
		"info-form-xslt": func(s *etree.Element) { xslt(path(s, "SignedInfo", "CanonicalizationMethod")) },
		"info-form-minimal": func(s *etree.Element) {
			set(path(s, "SignedInfo", "CanonicalizationMethod"), "Algorithm", samlxml.DSig+"minimal")
		},
		"info-form-enveloped": func(s *etree.Element) { set(path(s, "SignedInfo", "CanonicalizationMethod"), "Algorithm", enveloped) },
	} {
		all = append(all, bent(name, f)...)
	}
	return sorted(all)
}

func prefixList(of *etree.Element, prefixes string) *etree.Element {
	list := of.CreateElement("ec:InclusiveNamespaces")
	list.CreateAttr("xmlns:ec", nsExclusive)
	list.CreateAttr("PrefixList", prefixes)
	return list
}

// signaturePlaces: the signature is genuine and stands where it signs nothing
// that is read.
func signaturePlaces(*gallery) []attack {
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse} {
		for _, p := range places() {
			switch p.name {
			case "signature", "object", "key-info", "x509-data", "signature-value":
				continue // in itself
			case "first-in-assertion":
				if on == SignAssertion {
					continue // "first" below
				}
			}
			all = append(all, attack{name: string(on) + "/" + p.name, control: string(on), o: Options{Sign: on}, forged: after(func(m *message) {
				of := m.signed()
				s := path(of, "Signature")
				of.RemoveChild(s)
				p.put(m, m.assertion, s)
			})})
		}
		for name, at := range map[string]func(of *etree.Element) int{
			"first": func(*etree.Element) int { return 0 },
			"last":  func(of *etree.Element) int { return len(of.Child) },
		} {
			all = append(all, attack{name: string(on) + "/as-child-" + name, control: string(on), o: Options{Sign: on}, forged: after(func(m *message) {
				of := m.signed()
				s := path(of, "Signature")
				of.RemoveChild(s)
				of.InsertChildAt(at(of), s)
			})})
		}
		all = append(all, attack{name: string(on) + "/enveloping", control: string(on), o: Options{Sign: on}, forged: after(func(m *message) {
			of := m.signed()
			s := path(of, "Signature")
			of.RemoveChild(s)
			parent := of.Parent()
			s.CreateElement("ds:Object")
			if parent == nil {
				m.response = s
			} else {
				at := of.Index()
				parent.RemoveChildAt(at)
				parent.InsertChildAt(at, s)
			}
			path(s, "Object").AddChild(of)
		})})
	}
	return sorted(all)
}

// signatureMixed: of two signatures one does not hold.
func signatureMixed(*gallery) []attack {
	o := Options{Sign: SignBoth}
	var all []attack
	for name, bend := range map[string]func(s *etree.Element){
		"value":     func(s *etree.Element) { path(s, "SignatureValue").SetText("AAAA") },
		"digest":    func(s *etree.Element) { path(s, "SignedInfo", "Reference", "DigestValue").SetText("AAAA") },
		"reference": func(s *etree.Element) { set(path(s, "SignedInfo", "Reference"), "URI", "#_elsewhere") },
		"method": func(s *etree.Element) {
			set(path(s, "SignedInfo", "SignatureMethod"), "Algorithm", samlxml.DSig+"rsa-sha1")
		},
		"hollow": hollow,
	} {
		all = append(all,
			attack{name: "response/" + name, control: "both", o: o, forged: after(func(m *message) { bend(path(m.response, "Signature")) })},
			// The Response is signed anew around it, as an IdP in front of another does.
			attack{name: "assertion/" + name, control: "both", o: o, forged: hooks{after: func(m *message) error {
				bend(path(m.assertion, "Signature"))
				drop(path(m.response, "Signature"))
				return m.sign(m.response)
			}}})
	}
	all = append(all,
		attack{name: "attacker-signs-response", control: "both", o: o, forged: hooks{after: func(m *message) error {
			drop(path(m.response, "Signature"))
			s, err := m.attackerSignature(m.response)
			if err != nil {
				return err
			}
			m.response.InsertChildAt(afterIssuer(m.response), s)
			return nil
		}}},
		attack{name: "attacker-signs-assertion", control: "both", o: o, forged: hooks{after: func(m *message) error {
			drop(path(m.response, "Signature"))
			drop(path(m.assertion, "Signature"))
			s, err := m.attackerSignature(m.assertion)
			if err != nil {
				return err
			}
			m.assertion.InsertChildAt(afterIssuer(m.assertion), s)
			return m.sign(m.response)
		}}})
	return sorted(all)
}

// signatureShapes: children that are missing, doubled, or too many, all signed
// anew where that is possible.
func signatureShapes(*gallery) []attack {
	var all []attack
	parts := map[string][]string{
		"CanonicalizationMethod": {"SignedInfo", "CanonicalizationMethod"},
		"Reference":              {"SignedInfo", "Reference"},
		"Transforms":             {"SignedInfo", "Reference", "Transforms"},
		"DigestMethod":           {"SignedInfo", "Reference", "DigestMethod"},
		"DigestValue":            {"SignedInfo", "Reference", "DigestValue"},
		"KeyInfo":                {"KeyInfo"},
	}
	for name, p := range parts {
		if name != "KeyInfo" {
			all = append(all, bent("without/"+name, func(s *etree.Element) { drop(path(s, p...)) })...)
		}
		all = append(all, bent("twice/"+name, func(s *etree.Element) { e := path(s, p...); e.Parent().InsertChildAt(e.Index(), e.Copy()) })...)
		all = append(all, bent("text/"+name, func(s *etree.Element) { e := path(s, p...); e.Parent().InsertChildAt(e.Index(), etree.NewText("x")) })...)
		all = append(all, bent("foreign/"+name, func(s *etree.Element) {
			e := path(s, p...)
			f := etree.NewElement("x:Foreign")
			f.CreateAttr("xmlns:x", nsForeign)
			e.Parent().InsertChildAt(e.Index(), f)
		})...)
		if name != "KeyInfo" && name != "DigestValue" && name != "Reference" {
			all = append(all, bent("attribute/"+name, func(s *etree.Element) { path(s, p...).CreateAttr("Extra", "x") })...)
		}
	}
	all = append(all, bent("object", func(s *etree.Element) { s.CreateElement("ds:Object") })...)
	all = append(all, bent("nested-signature", func(s *etree.Element) { s.AddChild(s.Copy()) })...)
	all = append(all, bent("signature-in-key-info", func(s *etree.Element) { path(s, "KeyInfo").AddChild(s.Copy()) })...)
	all = append(all, bent("deep-key-info", func(s *etree.Element) {
		e := path(s, "KeyInfo")
		for range 200 {
			e = e.CreateElement("ds:KeyValue")
		}
	})...)
	return sorted(all)
}
