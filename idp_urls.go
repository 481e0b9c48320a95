package sso

import (
	"net/url"
	"strings"
)

// knownAddress tells the addresses of one identity provider apart. Only values
// that can be nothing else are matched: an issuer may be any string, and some
// products have administrators choose it (JumpCloud, authentik) or use the
// sign-in address for it (AWS).
type knownAddress struct {
	name                     string
	isIssuer, isSSO          func(*url.URL) bool // nil: cannot be told
	issuer, ssoURL, metadata string              // what they look like
}

var knownAddresses = []knownAddress{{
	name:     "Microsoft Entra ID",
	isIssuer: func(u *url.URL) bool { return hostIs(u, "sts.windows.net") },
	isSSO: func(u *url.URL) bool {
		return (hostIs(u, "login.microsoftonline.com") || hostIs(u, "login.microsoftonline.us") || hostIs(u, "login.partner.microsoftonline.cn")) && pathEnds(u, "/saml2")
	},
	issuer: "https://sts.windows.net/…/", ssoURL: "https://login.microsoftonline.com/…/saml2", metadata: "App Federation Metadata Url",
}, {
	name:     "Okta",
	isIssuer: func(u *url.URL) bool { return hostIs(u, "www.okta.com") && strings.HasPrefix(u.Path, "/exk") },
	isSSO: func(u *url.URL) bool {
		return strings.Contains(u.Path, "/app/") && pathEnds(u, "/sso/saml") && strings.Contains(strings.ToLower(u.Host), "okta")
	},
	issuer: "http://www.okta.com/exk…", ssoURL: "https://….okta.com/app/…/sso/saml", metadata: "the sign-in address followed by /metadata",
}, {
	name:     "Google Workspace",
	isIssuer: func(u *url.URL) bool { return hostIs(u, "accounts.google.com") && u.Path == "/o/saml2" },
	isSSO:    func(u *url.URL) bool { return hostIs(u, "accounts.google.com") && u.Path == "/o/saml2/idp" },
	issuer:   "https://accounts.google.com/o/saml2?idpid=…", ssoURL: "https://accounts.google.com/o/saml2/idp?idpid=…",
	metadata: "Google has none; download the file and import that",
}, {
	name: "OneLogin",
	// The issuer is a metadata address, and is found as such.
	isSSO: func(u *url.URL) bool {
		return hostEnds(u, ".onelogin.com") && strings.Contains(u.Path, "/trust/saml2/")
	},
	issuer: "https://app.onelogin.com/saml/metadata/…", ssoURL: "https://….onelogin.com/trust/saml2/http-redirect/sso/…", metadata: "Issuer URL",
}, {
	name:     "AD FS",
	isIssuer: func(u *url.URL) bool { return pathEnds(u, "/adfs/services/trust") },
	isSSO:    func(u *url.URL) bool { return pathEnds(u, "/adfs/ls") },
	issuer:   "http://…/adfs/services/trust", ssoURL: "https://…/adfs/ls/", metadata: "https://…/FederationMetadata/2007-06/FederationMetadata.xml",
}, {
	name: "Keycloak",
	isIssuer: func(u *url.URL) bool {
		_, realm, ok := strings.Cut(strings.TrimSuffix(u.Path, "/"), "/realms/")
		return ok && realm != "" && !strings.Contains(realm, "/")
	},
	isSSO:  func(u *url.URL) bool { return strings.Contains(u.Path, "/realms/") && pathEnds(u, "/protocol/saml") },
	issuer: "https://…/realms/…", ssoURL: "https://…/realms/…/protocol/saml", metadata: "the sign-in address followed by /descriptor",
}, {
	name: "PingOne",
	isIssuer: func(u *url.URL) bool {
		return strings.HasPrefix(strings.ToLower(u.Host), "auth.pingone.") && strings.Count(strings.Trim(u.Path, "/"), "/") == 0
	},
	isSSO:  func(u *url.URL) bool { return pathEnds(u, "/saml20/idp/sso") },
	issuer: "https://auth.pingone.…/…", ssoURL: "https://auth.pingone.…/…/saml20/idp/sso", metadata: "https://auth.pingone.…/…/saml20/metadata/…",
}, {
	name:   "PingFederate",
	isSSO:  func(u *url.URL) bool { return pathEnds(u, "/idp/SSO.saml2") },
	issuer: "the SAML 2.0 Entity ID of the server", ssoURL: "https://…/idp/SSO.saml2", metadata: "it is exported as a file; import that",
}, {
	name:   "Auth0",
	isSSO:  func(u *url.URL) bool { return hostEnds(u, ".auth0.com") && strings.HasPrefix(u.Path, "/samlp/") },
	issuer: "urn:….auth0.com", ssoURL: "https://….auth0.com/samlp/…", metadata: "https://….auth0.com/samlp/metadata/…",
}, {
	name:   "Duo",
	isSSO:  func(u *url.URL) bool { return hostEnds(u, ".sso.duosecurity.com") && pathEnds(u, "/sso") },
	issuer: "https://….sso.duosecurity.com/saml2/sp/…/metadata", ssoURL: "https://….sso.duosecurity.com/saml2/sp/…/sso", metadata: "the same as the issuer",
}, {
	name:     "Shibboleth",
	isIssuer: func(u *url.URL) bool { return pathEnds(u, "/idp/shibboleth") },
	isSSO:    func(u *url.URL) bool { return strings.Contains(u.Path, "/idp/profile/SAML2/") },
	issuer:   "https://…/idp/shibboleth", ssoURL: "https://…/idp/profile/SAML2/Redirect/SSO", metadata: "usually the same as the issuer",
}, {
	name: "SimpleSAMLphp",
	isSSO: func(u *url.URL) bool {
		return pathEnds(u, "/saml/idp/singleSignOnService") || pathEnds(u, "/saml2/idp/SSOService.php")
	},
	issuer: "the key of its saml20-idp-hosted", ssoURL: "https://…/module.php/saml/idp/singleSignOnService", metadata: "https://…/saml2/idp/metadata.php",
}, {
	name:   "Zitadel",
	isSSO:  func(u *url.URL) bool { return pathEnds(u, "/saml/v2/SSO") },
	issuer: "https://…/saml/v2/metadata", ssoURL: "https://…/saml/v2/SSO", metadata: "https://…/saml/v2/metadata",
}}

// knownAs returns the identity provider whose address of one kind u is.
func knownAs(u *url.URL, kind func(*knownAddress) func(*url.URL) bool) *knownAddress {
	for i := range knownAddresses {
		if is := kind(&knownAddresses[i]); is != nil && is(u) {
			return &knownAddresses[i]
		}
	}
	return nil
}

// looksLikeMetadata says whether an address can only be that of metadata.
func looksLikeMetadata(u *url.URL) bool {
	path := strings.ToLower(strings.TrimSuffix(u.Path, "/"))
	for _, end := range []string{
		"/metadata", "/metadata.xml", "/metadata.php", "/federationmetadata.xml", "/saml-metadata", "/idp-metadata.xml",
		"/protocol/saml/descriptor", "/downloadsamlmetadataforapp", "/.well-known/openid-configuration",
	} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	for _, part := range []string{"/federationmetadata/", "/saml/metadata/", "/samlp/metadata/", "/saml20/metadata/"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

func hostIs(u *url.URL, host string) bool { return strings.EqualFold(u.Hostname(), host) }

func hostEnds(u *url.URL, end string) bool {
	return strings.HasSuffix(strings.ToLower(u.Hostname()), end)
}

func pathEnds(u *url.URL, end string) bool {
	return strings.HasSuffix(strings.ToLower(strings.TrimSuffix(u.Path, "/")), strings.ToLower(end))
}
