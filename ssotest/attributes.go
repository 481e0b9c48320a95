package ssotest

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
)

// attributes adds the AttributeStatement, or nothing where there is nothing to
// say: an empty statement is against the schema.
func (m *message) attributes(a *etree.Element, login Login) {
	all := m.profileAttributes(login)
	all = append(all, login.Attributes...)
	if len(all) == 0 {
		return
	}
	statement := m.in(a, "AttributeStatement", "")
	for _, attribute := range all {
		repeat := m.o.RepeatAttributes && len(attribute.Values) > 1
		e := m.attribute(statement, attribute)
		for i, value := range attribute.Values {
			if repeat && i > 0 {
				e = m.attribute(statement, attribute)
			}
			m.attributeValue(e, value)
		}
	}
}

// profileAttributes are the fields of a login under the names in use.
func (m *message) profileAttributes(login Login) []sso.Attribute {
	var all []sso.Attribute
	names := m.o.Names
	add := func(name string, values ...string) {
		if name == "" || name == "-" || len(values) == 0 || len(values) == 1 && values[0] == "" {
			return
		}
		all = append(all, sso.Attribute{Name: name, FriendlyName: m.layout.friendly[name], Values: values})
	}
	name := login.Name
	if name == "" && m.layout.nameFromParts {
		name = strings.TrimSpace(login.FirstName + " " + login.LastName)
	}
	add(names.Email, login.Email)
	add(names.FirstName, login.FirstName)
	add(names.LastName, login.LastName)
	add(names.Name, name)
	if names.GroupSeparator != "" && len(login.Groups) > 0 {
		add(names.Groups, strings.Join(login.Groups, names.GroupSeparator))
	} else {
		add(names.Groups, login.Groups...)
	}
	return all
}

func (m *message) attribute(statement *etree.Element, attribute sso.Attribute) *etree.Element {
	e := m.in(statement, "Attribute", "")
	e.CreateAttr("Name", attribute.Name)
	if attribute.FriendlyName != "" {
		e.CreateAttr("FriendlyName", attribute.FriendlyName)
	}
	format := attribute.NameFormat
	if format == "" && m.o.NameFormat != "-" {
		format = m.o.NameFormat
	}
	if format != "" {
		e.CreateAttr("NameFormat", format)
	}
	return e
}

func (m *message) attributeValue(attribute *etree.Element, value string) {
	e := m.in(attribute, "AttributeValue", value)
	if m.o.XSIType == "" || m.o.XSIType == "-" {
		return
	}
	if !m.declared {
		if !m.layout.xsOnAssertion {
			e.CreateAttr("xmlns:xs", nsXS)
		}
		e.CreateAttr("xmlns:xsi", samlxml.XSI)
	}
	e.CreateAttr("xsi:type", m.o.XSIType)
}
