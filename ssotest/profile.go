package ssotest

import (
	"cmp"
	"slices"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
)

// A Profile is a product whose way of answering the IdP takes on: addresses and
// issuer, namespaces, what is signed, attribute names and shapes, times.
type Profile string

// The profiles. They follow published messages of the products; a real tenant
// may be configured otherwise.
const (
	Plain         Profile = ""
	Okta          Profile = "okta"
	Entra         Profile = "entra"
	Google        Profile = "google"
	ADFS          Profile = "adfs"
	Keycloak      Profile = "keycloak"
	OneLogin      Profile = "onelogin"
	PingOne       Profile = "pingone"
	Auth0         Profile = "auth0"
	JumpCloud     Profile = "jumpcloud"
	Shibboleth    Profile = "shibboleth"
	SimpleSAMLphp Profile = "simplesamlphp"
	Authentik     Profile = "authentik"
	Zitadel       Profile = "zitadel"
)

// Profiles lists them all.
func Profiles() []Profile {
	return []Profile{Plain, Okta, Entra, Google, ADFS, Keycloak, OneLogin, PingOne, Auth0, JumpCloud, Shibboleth, SimpleSAMLphp, Authentik, Zitadel}
}

// settings is a profile spelled out.
type settings struct {
	entityID, ssoURL string
	options          Options
	layout           layout
}

// layout is what no application needs to vary by itself.
type layout struct {
	consent         string // the Response's Consent
	issuerFormat    bool   // Issuer says that it is an entity ID
	attributesFirst bool   // AttributeStatement before AuthnStatement
	xsOnAssertion   bool   // xmlns:xs stands on the Assertion
	nameIDFormat    string
	nameQualifiers  bool
	nameFromParts   bool // the name attribute is put together from the parts
	friendly        map[string]string
	timeLayout      string // of Go; empty: milliseconds
	// confirmationLifetime is that of SubjectConfirmationData. Zero: the same
	// as the assertion's.
	confirmationLifetime time.Duration
}

const (
	claims    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	msClaims  = "http://schemas.microsoft.com/identity/claims/"
	basic     = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	uriFormat = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	anyFormat = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
	seconds   = "2006-01-02T15:04:05Z"
	tenant    = "6babcaad-604b-40ac-a9d7-9fd97c0b779f"
)

// free are the names that guides propose where an administrator names the
// attributes.
var free = sso.AttributeMap{Email: "email", FirstName: "firstName", LastName: "lastName", Name: "displayName", Groups: "groups"}

func (p Profile) settings() settings {
	s, ok := profileTable()[p]
	if !ok {
		panic("ssotest: unknown profile " + string(p))
	}
	s.options = merge(s.options, Options{
		Sign: SignAssertion, KeyInfo: KeyInfoCertificate, Prefixes: PrefixSAML, Names: free,
		Lifetime: 5 * time.Minute, AuthnContext: passwordTP,
	})
	s.layout.nameIDFormat = cmp.Or(s.layout.nameIDFormat, samlxml.NameIDEmail)
	return s
}

func profileTable() map[Profile]settings {
	return map[Profile]settings{
		Plain: {"https://idp.example.com/metadata", "https://idp.example.com/sso", Options{}, layout{}},
		Okta: {"http://www.okta.com/exk1fcia6d6EMsf331d8", "https://acme.okta.com/app/acme_crm_1/exk1fcia6d6EMsf331d8/sso/saml", Options{
			Sign: SignBoth, Prefixes: PrefixSAML2, InclusivePrefixes: []string{"xs"}, XSIType: "xs:string",
			NameFormat: anyFormat, Early: 5 * time.Minute,
		}, layout{issuerFormat: true, xsOnAssertion: true}},
		Entra: {"https://sts.windows.net/" + tenant + "/", "https://login.microsoftonline.com/" + tenant + "/saml2", Options{
			Prefixes: PrefixMixed, SignaturePrefix: "-", Lifetime: 70 * time.Minute,
			Names: sso.AttributeMap{Email: claims + "emailaddress", FirstName: claims + "givenname", LastName: claims + "surname",
				Name: msClaims + "displayname", Groups: "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"},
		}, layout{attributesFirst: true, nameFromParts: true}},
		Google: {"https://accounts.google.com/o/saml2?idpid=C01abc23d", "https://accounts.google.com/o/saml2/idp?idpid=C01abc23d", Options{
			Prefixes: PrefixSAML2, XSIType: "xs:anyType", Early: 5 * time.Minute,
			Names: without(free, "name"), AuthnContext: "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
		}, layout{}},
		ADFS: {"http://fs.example.com/adfs/services/trust", "https://fs.example.com/adfs/ls/", Options{
			Prefixes: PrefixMixed, Lifetime: time.Hour,
			Names: sso.AttributeMap{Email: claims + "emailaddress", FirstName: claims + "givenname", LastName: claims + "surname",
				Name: claims + "name", Groups: "http://schemas.xmlsoap.org/claims/Group"},
		}, layout{consent: "urn:oasis:names:tc:SAML:2.0:consent:unspecified", attributesFirst: true, nameFromParts: true,
			confirmationLifetime: 5 * time.Minute}},
		Keycloak: {"https://keycloak.example.com/realms/acme", "https://keycloak.example.com/realms/acme/protocol/saml", Options{
			Sign: SignResponse, SignaturePrefix: "dsig", Wrap: 76, XSIType: "xs:string", NameFormat: basic, RepeatAttributes: true,
			SessionLifetime: 10 * time.Hour, AuthnContext: "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
			Names: sso.AttributeMap{Email: "urn:oid:1.2.840.113549.1.9.1", FirstName: "urn:oid:2.5.4.42", LastName: "urn:oid:2.5.4.4", Name: "-", Groups: "Role"},
		}, layout{friendly: map[string]string{"urn:oid:1.2.840.113549.1.9.1": "email", "urn:oid:2.5.4.42": "givenName", "urn:oid:2.5.4.4": "surname"}}},
		OneLogin: {"https://app.onelogin.com/saml/metadata/123456", "https://acme.onelogin.com/trust/saml2/http-redirect/sso/123456", Options{
			XSIType: "xs:string", NameFormat: basic, Early: 3 * time.Minute, Lifetime: 3 * time.Minute, SessionLifetime: 24 * time.Hour,
		}, layout{timeLayout: seconds}},
		PingOne: {"https://auth.pingone.com/" + tenant, "https://auth.pingone.com/" + tenant + "/saml20/idp/sso", Options{
			XSIType: "xs:string", NameFormat: anyFormat,
		}, layout{}},
		Auth0: {"urn:acme.auth0.com", "https://acme.auth0.com/samlp/0123456789abcdefABCDEF", Options{
			SignaturePrefix: "-", XSIType: "xs:string", NameFormat: uriFormat, Lifetime: time.Hour,
			Names: sso.AttributeMap{Email: claims + "emailaddress", FirstName: claims + "givenname", LastName: claims + "surname", Name: claims + "name", Groups: "http://schemas.auth0.com/groups"},
		}, layout{nameIDFormat: samlxml.NameIDUnspecified, nameFromParts: true}},
		JumpCloud: {"https://sso.jumpcloud.example.com/acme", "https://sso.jumpcloud.com/saml2/acme", Options{
			XSIType: "xs:string", NameFormat: basic, Names: sso.AttributeMap{Email: "email", FirstName: "firstname", LastName: "lastname", Name: "-", Groups: "groups"},
		}, layout{}},
		Shibboleth: {"https://idp.example.edu/idp/shibboleth", "https://idp.example.edu/idp/profile/SAML2/Redirect/SSO", Options{
			Sign: SignResponse, Prefixes: PrefixSAML2, NameFormat: uriFormat, XSIType: "xs:string",
			Names: oids,
		}, layout{nameIDFormat: samlxml.NameIDTransient, nameQualifiers: true, nameFromParts: true, friendly: oidNames()}},
		SimpleSAMLphp: {"https://idp.example.org/simplesaml/saml2/idp/metadata.php", "https://idp.example.org/simplesaml/module.php/saml/idp/singleSignOnService", Options{
			Sign: SignBoth, NameFormat: uriFormat, XSIType: "xs:string", Early: 30 * time.Second, SessionLifetime: 8 * time.Hour,
			Names: sso.AttributeMap{Email: "mail", FirstName: "givenName", LastName: "sn", Name: "displayName", Groups: "groups"},
		}, layout{nameIDFormat: samlxml.NameIDTransient, nameFromParts: true, timeLayout: seconds}},
		Authentik: {"authentik", "https://authentik.example.com/application/saml/crm/sso/binding/redirect/", Options{
			Early: 5 * time.Minute,
			Names: sso.AttributeMap{Email: claims + "emailaddress", FirstName: "-", LastName: "-", Name: claims + "name", Groups: "http://schemas.xmlsoap.org/claims/Group"},
		}, layout{nameFromParts: true, timeLayout: seconds}},
		Zitadel: {"https://acme.zitadel.example.com/saml/v2/metadata", "https://acme.zitadel.example.com/saml/v2/SSO", Options{
			Sign: SignBoth, Prefixes: PrefixDefault, SignaturePrefix: "-", NameFormat: basic,
			Names: sso.AttributeMap{Email: "Email", FirstName: "FirstName", LastName: "SurName", Name: "FullName", Groups: "-"},
		}, layout{nameFromParts: true}},
	}
}

var oids = sso.AttributeMap{
	Email:     "urn:oid:0.9.2342.19200300.100.1.3",
	FirstName: "urn:oid:2.5.4.42",
	LastName:  "urn:oid:2.5.4.4",
	Name:      "urn:oid:2.16.840.1.113730.3.1.241",
	Groups:    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
}

func oidNames() map[string]string {
	return map[string]string{oids.Email: "mail", oids.FirstName: "givenName", oids.LastName: "sn", oids.Name: "displayName", oids.Groups: "isMemberOf"}
}

func without(names sso.AttributeMap, field string) sso.AttributeMap {
	if field == "name" {
		names.Name = "-"
	}
	return names
}

// merge fills the zero fields of o from base.
func merge(o, base Options) Options {
	o.Sign = cmp.Or(o.Sign, base.Sign)
	o.SignatureMethod = cmp.Or(o.SignatureMethod, base.SignatureMethod)
	o.DigestMethod = cmp.Or(o.DigestMethod, base.DigestMethod)
	o.Canonicalization = cmp.Or(o.Canonicalization, base.Canonicalization)
	if o.InclusivePrefixes == nil {
		o.InclusivePrefixes = slices.Clone(base.InclusivePrefixes)
	}
	o.KeyInfo = cmp.Or(o.KeyInfo, base.KeyInfo)
	o.SignaturePrefix = cmp.Or(o.SignaturePrefix, base.SignaturePrefix)
	o.Wrap = cmp.Or(o.Wrap, base.Wrap)
	o.Prefixes = cmp.Or(o.Prefixes, base.Prefixes)
	o.DeclareAtRoot = o.DeclareAtRoot || base.DeclareAtRoot
	o.Pretty = o.Pretty || base.Pretty
	o.Comments = o.Comments || base.Comments
	o.SplitValues = o.SplitValues || base.SplitValues
	o.Names.Email = cmp.Or(o.Names.Email, base.Names.Email)
	o.Names.Name = cmp.Or(o.Names.Name, base.Names.Name)
	o.Names.FirstName = cmp.Or(o.Names.FirstName, base.Names.FirstName)
	o.Names.LastName = cmp.Or(o.Names.LastName, base.Names.LastName)
	o.Names.Groups = cmp.Or(o.Names.Groups, base.Names.Groups)
	o.Names.GroupSeparator = cmp.Or(o.Names.GroupSeparator, base.Names.GroupSeparator)
	o.NameFormat = cmp.Or(o.NameFormat, base.NameFormat)
	o.XSIType = cmp.Or(o.XSIType, base.XSIType)
	o.RepeatAttributes = o.RepeatAttributes || base.RepeatAttributes
	o.Lifetime = cmp.Or(o.Lifetime, base.Lifetime)
	o.Early = cmp.Or(o.Early, base.Early)
	o.SessionLifetime = cmp.Or(o.SessionLifetime, base.SessionLifetime)
	o.AuthnContext = cmp.Or(o.AuthnContext, base.AuthnContext)
	return o
}
