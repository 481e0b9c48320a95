package sso

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// MetadataOptions say what our metadata shall hold beyond what follows from the
// connection. The zero value adds nothing.
type MetadataOptions struct {
	// ValidUntil is when readers have to stop using it. Zero: never.
	ValidUntil time.Time
	// CacheDuration is how long readers may keep it, in whole seconds. Zero:
	// they decide.
	CacheDuration time.Duration
	// Sign signs it with SP.SigningKey.
	Sign bool
	// Artifact also offers ACSURL for the HTTP-Artifact binding. It needs an
	// application that resolves artifacts.
	Artifact bool
	// Attributes are the names of the attributes that the application asks for,
	// which some IdPs show to administrators. They make up the one attribute
	// consuming service, of index 0, and need ServiceName. Empty: none.
	Attributes []string
	// ServiceName is the application's name for people, with Attributes.
	ServiceName string
}

// Metadata returns our metadata for the IdP: the entity ID, the ACS URL, the
// logout URL and the certificates of all our keys, present and next, for this
// one connection. It needs nothing of the IdP's data. Serve it as
// application/samlmetadata+xml.
//
// The error is one or more joined *FieldError.
//
// Specification: SAML 2.0 Metadata, 2.4.4.
func (c *Connection) Metadata() ([]byte, error) { return c.MetadataWith(MetadataOptions{}) }

// MetadataWith is Metadata with options.
func (c *Connection) MetadataWith(o MetadataOptions) ([]byte, error) {
	v := &validator{now: time.Now()}
	v.sp(c)
	v.ownKeys(c)
	v.metadataOptions(o)
	var s *signer
	if o.Sign {
		var err error
		if s, err = c.signer(); err != nil && (c.SP.SigningKey == nil || len(v.errs) == 0) {
			v.errs = append(v.errs, err)
		}
	}
	if err := v.err(); err != nil {
		return nil, err
	}

	e := etree.NewElement("md:EntityDescriptor")
	e.CreateAttr("xmlns:md", samlxml.Metadata)
	e.CreateAttr("entityID", c.SP.EntityID)
	if !o.ValidUntil.IsZero() {
		e.CreateAttr("validUntil", samlxml.FormatTime(o.ValidUntil))
	}
	if o.CacheDuration > 0 {
		e.CreateAttr("cacheDuration", "PT"+strconv.FormatInt(int64(o.CacheDuration/time.Second), 10)+"S")
	}
	c.describe(e, o)
	indent := etree.NewIndentSettings()
	indent.SuppressTrailingWhitespace = true
	e.IndentWithSettings(indent)
	if s != nil {
		e.CreateAttr("ID", newID())
		if err := xmlsig.Sign(e, s.key, s.cert, s.method, 0); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	e.WriteTo(&b, &writeSettings)
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (v *validator) metadataOptions(o MetadataOptions) {
	if !o.ValidUntil.IsZero() && !v.now.Before(o.ValidUntil) {
		v.add("MetadataOptions.ValidUntil", "is in the past", "set a time to come, or leave it zero")
	}
	if o.CacheDuration < 0 || o.CacheDuration > 0 && o.CacheDuration < time.Second {
		v.add("MetadataOptions.CacheDuration", "is "+o.CacheDuration.String(), "set a second or more, or leave it zero")
	}
	if len(o.Attributes) > 0 && o.ServiceName == "" {
		v.add("MetadataOptions.ServiceName", "is empty while Attributes is not", "set the application's name for people")
	}
	v.plain("MetadataOptions.ServiceName", o.ServiceName)
	for i, name := range o.Attributes {
		field := "MetadataOptions.Attributes[" + strconv.Itoa(i) + "]"
		if v.plain(field, name) && name == "" {
			v.add(field, "is empty", "remove it, or name an attribute")
		}
	}
}

// describe adds the role of a service provider to e. The order of the children
// is that of the schema.
func (c *Connection) describe(e *etree.Element, o MetadataOptions) {
	sp := e.CreateElement("md:SPSSODescriptor")
	sp.CreateAttr("AuthnRequestsSigned", strconv.FormatBool(c.SignRequests))
	if c.RequireSignedAssertion {
		sp.CreateAttr("WantAssertionsSigned", "true")
	}
	sp.CreateAttr("protocolSupportEnumeration", samlxml.Protocol)
	for _, cert := range c.SP.signingCertificates() {
		keyDescriptor(sp, "signing", cert.Raw)
	}
	for _, cert := range c.SP.decryptionCertificates() {
		k := keyDescriptor(sp, "encryption", cert.Raw)
		for _, algorithm := range encryptionMethods {
			k.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", algorithm)
		}
	}
	if c.SP.SLOURL != "" {
		for _, binding := range []string{samlxml.BindingRedirect, samlxml.BindingPOST} {
			endpoint(sp, "md:SingleLogoutService", binding, c.SP.SLOURL)
		}
	}
	if c.Request.NameIDFormat != "" {
		sp.CreateElement("md:NameIDFormat").SetText(c.Request.NameIDFormat)
	}
	acs := endpoint(sp, "md:AssertionConsumerService", samlxml.BindingPOST, c.SP.ACSURL)
	acs.CreateAttr("index", "0")
	acs.CreateAttr("isDefault", "true")
	if o.Artifact {
		endpoint(sp, "md:AssertionConsumerService", samlxml.BindingArtifact, c.SP.ACSURL).CreateAttr("index", "1")
	}
	if len(o.Attributes) == 0 {
		return
	}
	service := sp.CreateElement("md:AttributeConsumingService")
	service.CreateAttr("index", "0")
	name := service.CreateElement("md:ServiceName")
	name.CreateAttr("xml:lang", "en")
	name.SetText(o.ServiceName)
	for _, name := range o.Attributes {
		service.CreateElement("md:RequestedAttribute").CreateAttr("Name", name)
	}
}

// encryptionMethods are what we would have the IdP use, the best first. Modes
// that do not authenticate are left out: IdPs that know nothing better do not
// read this list.
var encryptionMethods = []string{
	"http://www.w3.org/2009/xmlenc11#aes256-gcm",
	"http://www.w3.org/2009/xmlenc11#aes192-gcm",
	"http://www.w3.org/2009/xmlenc11#aes128-gcm",
	"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
	"http://www.w3.org/2009/xmlenc11#rsa-oaep",
}

func keyDescriptor(sp *etree.Element, use string, der []byte) *etree.Element {
	k := sp.CreateElement("md:KeyDescriptor")
	k.CreateAttr("use", use)
	info := k.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", samlxml.DSig)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(der))
	return k
}

func endpoint(sp *etree.Element, tag, binding, location string) *etree.Element {
	e := sp.CreateElement(tag)
	e.CreateAttr("Binding", binding)
	e.CreateAttr("Location", location)
	return e
}
