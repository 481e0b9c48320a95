package ssotest

import (
	"encoding/base64"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// Metadata is the IdP's metadata, as an administrator would download it.
func (p *IdP) Metadata() []byte {
	root := etree.NewElement("md:EntityDescriptor")
	root.CreateAttr("xmlns:md", samlxml.Metadata)
	root.CreateAttr("entityID", p.config.EntityID)
	role := root.CreateElement("md:IDPSSODescriptor")
	role.CreateAttr("WantAuthnRequestsSigned", "false")
	role.CreateAttr("protocolSupportEnumeration", samlxml.Protocol)
	for _, certificate := range p.IdentityProvider().Certificates {
		key := role.CreateElement("md:KeyDescriptor")
		key.CreateAttr("use", "signing")
		info := key.CreateElement("ds:KeyInfo")
		info.CreateAttr("xmlns:ds", samlxml.DSig)
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
			SetText(base64.StdEncoding.EncodeToString(certificate.Raw))
	}
	if p.config.SLOURL != "" {
		for _, binding := range []string{samlxml.BindingRedirect, samlxml.BindingPOST} {
			endpoint(role, "md:SingleLogoutService", binding, p.config.SLOURL)
		}
	}
	role.CreateElement("md:NameIDFormat").SetText(p.config.Profile.settings().layout.nameIDFormat)
	for _, binding := range []string{samlxml.BindingRedirect, samlxml.BindingPOST} {
		endpoint(role, "md:SingleSignOnService", binding, p.config.SSOURL)
	}
	return append([]byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"), write(root)...)
}

func endpoint(role *etree.Element, name, binding, location string) {
	e := role.CreateElement(name)
	e.CreateAttr("Binding", binding)
	e.CreateAttr("Location", location)
}
