package sso

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
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
		if err := v.addValue(a, val); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) addValue(a *Attribute, val *etree.Element) *VerifyError {
	if s, ok := value(val); ok {
		a.Values = append(a.Values, strings.Clone(s))
		return nil
	}
	if id, n := samlxml.Child(val, samlxml.Assertion, "NameID"); n == 1 && len(val.ChildElements()) == 1 && !samlxml.HasText(val) {
		if nid, ok := readNameID(id); ok {
			a.NameIDs = append(a.NameIDs, nid)
			a.Values = append(a.Values, nid.Value)
			return nil
		}
	}
	// XML is handed on as text: to read elements out of it would let whoever
	// can put markup into a directory entry say more than that entry does.
	inner, err := innerXML(val)
	if err != nil {
		return &VerifyError{Reason: ReasonAttributes, Got: "XML in the attribute " + quote(a.Name) + " that has no canonical form: " + err.Error(), Want: "text", Hint: v.idp.notResponse(), Err: err}
	}
	a.Values = append(a.Values, inner)
	v.warn("the attribute "+quote(a.Name)+" holds XML, not text", "", "if you need it, have the IdP send plain values")
	return nil
}

// innerXML writes what e holds in its canonical form, which is what was signed. In
// the document as it came anybody can put comments, and declarations of namespaces
// that nothing uses, between signed bytes.
func innerXML(e *etree.Element) (string, error) {
	var b strings.Builder
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Element:
			if err := xmlsig.Canonicalize(&b, t, xmlsig.ExcC14N, nil); err != nil {
				return "", err
			}
		case *etree.CharData:
			t.WriteTo(&b, &etree.WriteSettings{CanonicalText: true})
		}
	}
	return b.String(), nil
}
