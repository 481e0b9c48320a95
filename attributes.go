package sso

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// checkAttributes reads the attributes of all AttributeStatements. Several of
// one name are one attribute with all the values, in order: Keycloak sends one
// Attribute for each role.
//
// Specification: SAML 2.0 Core, 2.7.3.
func (v *verification) checkAttributes() *VerifyError {
	n := 0
	for _, st := range v.parts.attributes {
		n += len(st.Child)
	}
	if n == 0 {
		return nil
	}
	v.result.Attributes = make(Attributes, 0, n)
	at := make(map[string]int, n)
	for _, st := range v.parts.attributes {
		for _, t := range st.Child {
			e, ok := t.(*etree.Element)
			if !ok {
				continue
			}
			if samlxml.Is(e, samlxml.Assertion, "EncryptedAttribute") {
				plain, err := v.decrypt(e, v.covered())
				if err != nil {
					return err
				}
				i := e.Index()
				st.RemoveChildAt(i)
				st.InsertChildAt(i, plain)
				e = plain
			}
			if !samlxml.Is(e, samlxml.Assertion, "Attribute") {
				return &VerifyError{Reason: ReasonAttributes, Got: "the element " + quote(e.FullTag()) + " among the attributes", Want: "Attribute", Hint: v.idp.notResponse()}
			}
			if err := v.addAttribute(e, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verification) addAttribute(e *etree.Element, at map[string]int) *VerifyError {
	name, _ := samlxml.Attr(e, "Name")
	if name == "" {
		return &VerifyError{Reason: ReasonAttributes, Got: "an attribute without a name", Want: "a Name on each", Hint: v.idp.notResponse()}
	}
	i, again := at[name]
	if !again {
		i = len(v.result.Attributes)
		at[name] = i
		a := Attribute{Name: strings.Clone(name), Values: make([]string, 0, len(e.Child))}
		a.NameFormat = attr(e, "NameFormat")
		a.FriendlyName = attr(e, "FriendlyName")
		v.result.Attributes = append(v.result.Attributes, a)
	}
	a := &v.result.Attributes[i]
	for _, t := range e.Child {
		val, ok := t.(*etree.Element)
		if !ok {
			continue
		}
		if !samlxml.Is(val, samlxml.Assertion, "AttributeValue") {
			return &VerifyError{Reason: ReasonAttributes, Got: "the element " + quote(val.FullTag()) + " in an attribute", Want: "AttributeValue", Hint: v.idp.notResponse()}
		}
		v.addValue(a, val)
	}
	return nil
}

func (v *verification) addValue(a *Attribute, val *etree.Element) {
	if s, ok := value(val); ok {
		a.Values = append(a.Values, strings.Clone(s))
		return
	}
	if id, n := samlxml.Child(val, samlxml.Assertion, "NameID"); n == 1 && len(val.ChildElements()) == 1 && !samlxml.HasText(val) {
		if nid, ok := readNameID(id); ok {
			a.NameIDs = append(a.NameIDs, nid)
			a.Values = append(a.Values, nid.Value)
			return
		}
	}
	// XML is handed on as text: to read elements out of it would let whoever
	// can put markup into a directory entry say more than that entry does.
	a.Values = append(a.Values, innerXML(val))
	v.warn("the attribute "+quote(a.Name)+" holds XML, not text", "", "if you need it, have the IdP send plain values")
}

func innerXML(e *etree.Element) string {
	var b strings.Builder
	settings := etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true, CanonicalEndTags: true}
	for _, t := range e.Child {
		t.WriteTo(&b, &settings)
	}
	return b.String()
}
