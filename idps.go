package sso

import "strings"

// idpProfile is how one IdP product speaks of what a hint has to name. Fields
// that are empty fall back to the neutral words.
type idpProfile struct {
	name       string // of the product, "" if it was not recognised
	entityID   string // its label for our entity ID
	acs        string // its label for our ACS URL
	nameID     string // its label for the NameID setting
	signing    string // where to choose what is signed, and how
	cert       string // where its certificate is
	issuerAt   string // its label for its own issuer
	attributes string // where attributes are added
	encryption string // where encryption is switched
	assign     string // where people are let in
	match      func(entityID, ssoURL string) bool
}

// idpProfiles are the IdPs that are told by their issuer or sign-in address.
// Consoles change their words now and then, so hints quote them as a help and
// not as a promise.
var idpProfiles = []idpProfile{
	{
		name: "Microsoft Entra ID", entityID: "Identifier (Entity ID)", acs: "Reply URL (Assertion Consumer Service URL)",
		nameID:     "Attributes & Claims → Unique User Identifier (Name ID)",
		signing:    "SAML Certificates → Signing Option and Signing Algorithm",
		cert:       "SAML Certificates → Certificate (Base64), of this very application",
		issuerAt:   "Microsoft Entra Identifier",
		attributes: "Attributes & Claims", encryption: "Token encryption", assign: "Users and groups",
		match: func(id, sso string) bool {
			return strings.HasPrefix(id, "https://sts.windows.net/") || strings.Contains(sso, "//login.microsoftonline.com/")
		},
	}, {
		name: "Okta", entityID: "Audience URI (SP Entity ID)", acs: "Single sign-on URL",
		nameID:     "Name ID format (EmailAddress) and Application username (Email)",
		signing:    "General → SAML Settings → Advanced: Response, Assertion Signature, Signature Algorithm",
		cert:       "Sign On → SAML setup → X.509 Certificate",
		issuerAt:   "Identity Provider Issuer",
		attributes: "Attribute Statements and Group Attribute Statements", encryption: "Advanced: Assertion Encryption", assign: "the Assignments tab",
		match: func(id, sso string) bool {
			return strings.HasPrefix(id, "http://www.okta.com/") || strings.Contains(sso, ".okta.com/app/") || strings.Contains(sso, ".oktapreview.com/app/")
		},
	}, {
		name: "Google Workspace", entityID: "Entity ID", acs: "ACS URL",
		nameID:     "Name ID format EMAIL and Name ID Basic Information > Primary email",
		signing:    "Service provider details → Signed response",
		cert:       "Google Identity Provider details → Certificate",
		issuerAt:   "Entity ID of the Google Identity Provider details",
		attributes: "Attribute mapping", assign: "User access",
		match: func(id, sso string) bool {
			return strings.HasPrefix(id, "https://accounts.google.com/o/saml2") || strings.HasPrefix(sso, "https://accounts.google.com/o/saml2")
		},
	}, {
		name: "AD FS", entityID: "Relying party trust identifier", acs: "Relying party SAML 2.0 SSO service URL",
		nameID:     "the claim rule that turns E-Mail Address into Name ID",
		signing:    "Properties → Advanced → Secure hash algorithm",
		cert:       "Service → Certificates → Token-signing, or the federation metadata",
		issuerAt:   "Federation Service identifier",
		attributes: "Edit Claim Issuance Policy", encryption: "Properties → Encryption", assign: "the access control policy",
		match: func(id, sso string) bool {
			return strings.HasSuffix(id, "/adfs/services/trust") || strings.Contains(sso, "/adfs/ls")
		},
	}, {
		name: "Keycloak", entityID: "Client ID", acs: "Valid redirect URIs and Master SAML Processing URL",
		nameID:     "Name ID format (email) and Force Name ID format",
		signing:    "Settings → Sign documents, Sign assertions, Signature algorithm",
		cert:       "Realm settings → Keys → RS256 → Certificate",
		issuerAt:   "entityID of the realm's SAML 2.0 Identity Provider Metadata",
		attributes: "Client scopes → dedicated → mappers", encryption: "Keys → Encrypt assertions", assign: "the realm's users",
		match: func(id, sso string) bool {
			return strings.Contains(id, "/realms/") || strings.Contains(sso, "/protocol/saml")
		},
	}, {
		name: "OneLogin", entityID: "Audience (EntityID)", acs: "ACS (Consumer) URL and Recipient",
		nameID:     "SAML nameID format",
		signing:    "Configuration → SAML signature element; SSO → SAML Signature Algorithm",
		cert:       "SSO → X.509 Certificate → View Details",
		issuerAt:   "Issuer URL",
		attributes: "Parameters, with Include in SAML assertion", encryption: "Encrypt assertion", assign: "Users",
		match: func(id, sso string) bool {
			return strings.HasPrefix(id, "https://app.onelogin.com/saml/metadata/") || strings.Contains(sso, ".onelogin.com/trust/saml2/")
		},
	}, {
		name: "JumpCloud", entityID: "SP Entity ID", acs: "ACS URLs", nameID: "SAMLSubject NameID",
		signing: "Signature Algorithm, sign assertion or response", cert: "the SSO tab", issuerAt: "IdP Entity ID",
		attributes: "User attributes and the group attribute", assign: "the User Groups tab",
		match: func(_, sso string) bool { return strings.Contains(sso, "//sso.jumpcloud.com/saml2/") },
	}, {
		name: "PingOne", entityID: "Entity ID", acs: "ACS URLs", nameID: "Attribute Mappings → saml_subject",
		signing: "Sign Assertion, Sign Response", cert: "Configuration → Download Signing Certificate", issuerAt: "Issuer ID",
		attributes: "Attribute Mappings", assign: "the Access tab",
		match: func(id, _ string) bool { return strings.HasPrefix(id, "https://auth.pingone.") },
	}, {
		name: "Auth0", entityID: "audience in the SAML2 add-on's settings", acs: "Application Callback URL",
		nameID: "nameIdentifierProbes", signing: "signResponse, signatureAlgorithm and digestAlgorithm in the add-on's settings",
		cert: "the add-on's Usage tab", issuerAt: "Issuer on the Usage tab", attributes: "mappings", assign: "the application's connections",
		match: func(id, _ string) bool {
			return strings.HasPrefix(id, "urn:") && strings.HasSuffix(id, ".auth0.com")
		},
	}, {
		name: "Duo", entityID: "Entity ID", acs: "Assertion Consumer Service (ACS) URL", nameID: "NameID attribute",
		signing: "Signature algorithm, Sign response, Sign assertion", cert: "the application's page", issuerAt: "Entity ID at the top of the page",
		attributes: "Map attributes", assign: "the application's permitted groups",
		match: func(id, _ string) bool { return strings.Contains(id, ".sso.duosecurity.com/saml2/sp/") },
	}, {
		name: "Shibboleth", entityID: "the entityID in our metadata", acs: "the AssertionConsumerService in our metadata",
		nameID: "saml-nameid.xml", signing: "relying-party.xml, or WantAssertionsSigned in our metadata", cert: "the IdP's metadata",
		issuerAt: "the IdP's entityID", attributes: "attribute-filter.xml", encryption: "p:encryptAssertions", assign: "the relying party's rules",
		match: func(id, sso string) bool {
			return strings.HasSuffix(id, "/idp/shibboleth") || strings.Contains(sso, "/idp/profile/SAML2/")
		},
	}, {
		name: "SimpleSAMLphp", entityID: "the key of saml20-sp-remote", acs: "AssertionConsumerService", nameID: "NameIDFormat",
		signing: "saml20.sign.assertion and saml20.sign.response", cert: "the IdP's metadata", issuerAt: "the IdP's entityID",
		attributes: "attributes in saml20-sp-remote", encryption: "assertion.encryption", assign: "authproc rules",
		match: func(id, sso string) bool {
			return strings.Contains(sso, "/saml/idp/singleSignOnService") || strings.HasSuffix(id, "/saml2/idp/metadata.php")
		},
	}, {
		name: "authentik", entityID: "Audience", acs: "ACS URL", nameID: "NameID Property Mapping",
		signing: "Signing Certificate, with Sign assertions", cert: "the provider's page → Signing Certificate", issuerAt: "Issuer",
		attributes: "Property mappings", encryption: "Encryption Certificate", assign: "the application's bindings",
		match: func(_, sso string) bool { return strings.Contains(sso, "/application/saml/") },
	}, {
		name: "Zitadel", entityID: "Entity ID", acs: "ACS URL", cert: "/saml/v2/certificate of your domain", issuerAt: "the entityID of its metadata",
		match: func(_, sso string) bool { return strings.Contains(sso, "/saml/v2/SSO") },
	}, {
		name: "Yandex Identity Hub", entityID: "SP EntityID", acs: "ACS URL", signing: "Signature mode", issuerAt: "Issuer / IdP EntityID",
		assign: "the application's users and groups",
		match: func(id, sso string) bool {
			return strings.Contains(id, ".yandex.cloud/") || strings.Contains(sso, ".yandex.cloud/")
		},
	}, {
		name: "CyberArk Identity", entityID: "SP Entity ID / Issuer / Audience", acs: "Assertion Consumer Service (ACS) URL",
		signing: "Trust → sign Response or Assertion", attributes: "SAML Response", assign: "Permissions",
		match: func(id, sso string) bool { return strings.Contains(id+sso, ".id.cyberark.cloud") },
	},
}

// recognize tells the IdP product by the configured issuer and sign-in address.
func recognize(p IdentityProvider) idpProfile {
	for i := range idpProfiles {
		if idpProfiles[i].match(p.EntityID, p.SSOURL) {
			return idpProfiles[i]
		}
	}
	return idpProfile{}
}

// at names the IdP in a sentence.
func (p *idpProfile) at() string { return orElse(p.name, "the identity provider") }

// label quotes the IdP's word for a setting, or gives the neutral one.
func label(own, neutral string) string {
	if own == "" {
		return neutral
	}
	return "“" + own + "”"
}
