package sso

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Validate checks every setting and returns all that is wrong with them as
// joined *FieldError values, nil if nothing is. It asks nobody: whether the
// settings match those of the IdP, a test shows.
//
// A setting that is legal and suspicious is an error, too: two fields
// exchanged, a metadata address for a sign-in address, our own address for the
// IdP's. A certificate past its date is one only with
// RefuseExpiredCertificates and when no other is left, since it verifies
// otherwise; [Connection.Warnings] tells of it before and after.
func (c *Connection) Validate() error {
	v := &validator{now: time.Now()}
	v.sp(c)
	v.ownKeys(c)
	v.idp(c)
	v.idpCertificates(c)
	v.rest(c)
	return errors.Join(v.errs...)
}

// Normalize removes the blanks, line ends and invisible characters around all
// values that people paste: addresses, entity IDs, attribute names, names. Call
// it on what came from a form, before Validate, which refuses them.
func (c *Connection) Normalize() {
	for _, s := range []*string{
		&c.Name, &c.SP.EntityID, &c.SP.ACSURL, &c.SP.SLOURL,
		&c.IdP.EntityID, &c.IdP.SSOURL, &c.IdP.SSOPostURL, &c.IdP.SLOURL, &c.IdP.ArtifactURL, &c.IdP.MetadataURL,
		&c.Attributes.Email, &c.Attributes.Name, &c.Attributes.FirstName, &c.Attributes.LastName, &c.Attributes.Groups,
		&c.Request.NameIDFormat, &c.Request.AuthnContextComparison, &c.Request.ProviderName,
	} {
		*s = trimmed(*s)
	}
	for i, s := range c.Request.AuthnContext {
		if t := trimmed(s); t != s {
			c.Request.AuthnContext = append([]string(nil), c.Request.AuthnContext...)
			c.Request.AuthnContext[i] = t
		}
	}
}

func trimmed(s string) string {
	return strings.TrimFunc(s, blankOrInvisible)
}

func invisibleRune(r rune) bool {
	if r < 0x80 {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf)
}

func blankOrInvisible(r rune) bool {
	if r < 0x80 {
		return r <= ' ' || r == 0x7f
	}
	return unicode.IsSpace(r) || invisibleRune(r)
}

// validator gathers what is wrong.
type validator struct {
	now  time.Time
	errs []error
}

func (v *validator) add(field, problem, hint string) {
	v.errs = append(v.errs, &FieldError{Field: field, Problem: problem, Hint: hint})
}

func (v *validator) err() error { return errors.Join(v.errs...) }

// sp checks the data for the identity provider.
func (v *validator) sp(c *Connection) {
	if v.entityID("SP.EntityID", c.SP.EntityID, "set the entity ID that the identity provider shall know us by") {
		if u, err := url.Parse(c.SP.EntityID); err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
			v.add("SP.EntityID", "is not an absolute URI: "+quote(c.SP.EntityID),
				"use an address under your own domain, such as that of the metadata, or a urn:")
		}
	}
	v.address("SP.ACSURL", c.SP.ACSURL, "set the address that the identity provider shall post to")
	if c.SP.SLOURL != "" {
		v.address("SP.SLOURL", c.SP.SLOURL, "")
		if c.SP.SLOURL == c.SP.ACSURL {
			v.add("SP.SLOURL", "is the same as SP.ACSURL", "give logout an address of its own, or leave it empty")
		}
	}
}

// idp checks the data for the application, certificates aside.
func (v *validator) idp(c *Connection) {
	p := &c.IdP
	if v.entityID("IdP.EntityID", p.EntityID, "paste the issuer from the identity provider; it may be called IdP entity ID") {
		v.issuer(c)
	}
	if u := v.address("IdP.SSOURL", p.SSOURL, "paste the sign-in address from the identity provider; it may be called login URL or SSO URL"); u != nil {
		v.signInAddress("IdP.SSOURL", u, c)
	}
	if p.SSOPostURL != "" {
		if u := v.address("IdP.SSOPostURL", p.SSOPostURL, ""); u != nil {
			v.signInAddress("IdP.SSOPostURL", u, c)
		}
	}
	for _, a := range [][2]string{{"IdP.SLOURL", p.SLOURL}, {"IdP.ArtifactURL", p.ArtifactURL}} {
		if a[1] == "" {
			continue
		}
		if u := v.address(a[0], a[1], ""); u != nil && !v.ours(a[0], u, c) {
			v.metadataAddress(a[0], u)
		}
	}
	if p.MetadataURL != "" {
		if u := v.address("IdP.MetadataURL", p.MetadataURL, ""); u != nil && !v.ours("IdP.MetadataURL", u, c) {
			v.noMetadataAddress("IdP.MetadataURL", u)
		}
	}
}

// rest checks what belongs to neither side.
func (v *validator) rest(c *Connection) {
	v.plain("ID", c.ID)
	if c.ClockSkew < 0 || c.ClockSkew > MaxClockSkew {
		v.add("ClockSkew", "is "+c.ClockSkew.String(), "set it between 0 and "+MaxClockSkew.String()+"; 0 means "+DefaultClockSkew.String())
	}
	if c.SignRequests && c.SP.SigningKey == nil {
		v.add("SP.SigningKey", "is nil while SignRequests is on", "load the key into the connection, or switch SignRequests off")
	}
	if c.SP.SigningKey == nil {
		v.signatureMethod(c)
	}
	v.request("Request", &c.Request)
	v.plain("Attributes.Email", c.Attributes.Email)
	v.plain("Attributes.Name", c.Attributes.Name)
	v.plain("Attributes.FirstName", c.Attributes.FirstName)
	v.plain("Attributes.LastName", c.Attributes.LastName)
	v.plain("Attributes.Groups", c.Attributes.Groups)
	for i, g := range c.AllowedGroups {
		if strings.TrimSpace(g) == "" {
			v.add(fmt.Sprintf("AllowedGroups[%d]", i), "is empty", "remove it, or name a group")
		}
	}
}

// maxEntityID is the most characters that an entity ID may have.
//
// Specification: SAML 2.0 Core, 8.3.6.
const maxEntityID = 1024

// entityID checks what both entity IDs have in common.
func (v *validator) entityID(field, value, missing string) bool {
	switch {
	case value == "":
		v.add(field, "is empty", missing)
	case !v.plain(field, value):
	case utf8.RuneCountInString(value) > maxEntityID:
		v.add(field, fmt.Sprintf("is longer than %d characters", maxEntityID), "use the entity ID alone")
	case scriptScheme(value):
		v.add(field, "is a script: "+quote(value), "use an entity ID")
	case strings.ContainsAny(value, "{}<>"):
		v.add(field, "holds a placeholder: "+quote(value), "use the value for your own tenant; at Entra ID, take the application's own metadata, not that of \"common\"")
	default:
		return true
	}
	return false
}

// plain refuses blanks around a value and invisible characters in it: they
// survive every look at a form, and make values differ that look the same.
func (v *validator) plain(field, value string) bool {
	switch {
	case value != trimmed(value):
		v.add(field, "has blanks around it: "+quote(value), "remove them")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, invisibleRune):
		v.add(field, "holds invisible characters: "+quote(value), "type it anew")
	default:
		return true
	}
	return false
}

// request checks request options; field is the Go path of them all.
func (v *validator) request(field string, o *RequestOptions) {
	if o.NameIDFormat != "" {
		v.uri(field+".NameIDFormat", o.NameIDFormat, "use the whole name, such as urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress, or leave it empty")
	}
	if len(o.AuthnContext) > 20 {
		v.add(field+".AuthnContext", fmt.Sprintf("holds %d values", len(o.AuthnContext)), "ask for at most 20")
	}
	for i, ref := range o.AuthnContext {
		v.uri(fmt.Sprintf("%s.AuthnContext[%d]", field, i), ref,
			"use the whole name, such as urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport, or leave the list empty")
	}
	switch o.AuthnContextComparison {
	case "", "exact", "minimum", "maximum", "better":
	default:
		v.add(field+".AuthnContextComparison", "is "+quote(o.AuthnContextComparison), "use exact, minimum, maximum or better, or leave it empty")
	}
	if v.plain(field+".ProviderName", o.ProviderName) && utf8.RuneCountInString(o.ProviderName) > 200 {
		v.add(field+".ProviderName", "is longer than 200 characters", "use the application's name")
	}
	if i := o.AttributeConsumingServiceIndex; i != nil && (*i < 0 || *i > 65535) {
		v.add(field+".AttributeConsumingServiceIndex", fmt.Sprintf("is %d", *i), "use a number from 0 to 65535")
	}
	if v.plain(field+".LoginHint", o.LoginHint) && len(o.LoginHint) > 1024 {
		v.add(field+".LoginHint", "is longer than 1024 bytes", "use the person's e-mail address or user name")
	}
}

// uri checks a name that has to be an absolute URI.
func (v *validator) uri(field, value, hint string) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || strings.ContainsFunc(value, blankOrInvisible) {
		v.add(field, "is not an absolute URI: "+quote(value), hint)
	}
}
