package sso

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1024)
	ed := &x509.Certificate{Raw: []byte("ed"), PublicKey: ed25519.PublicKey(make([]byte, 32)), NotAfter: time.Now().Add(time.Hour)}
	tests := []struct {
		name   string
		change func(*Connection)
		want   []string // field and words of the problem or the hint
	}{
		{"good", func(*Connection) {}, nil},
		{"empty", func(c *Connection) { *c = Connection{} },
			[]string{"SP.EntityID is empty", "SP.ACSURL is empty", "IdP.EntityID is empty", "IdP.SSOURL is empty", "IdP.Certificates is empty"}},

		// What is legal.
		{"issuer with http", func(c *Connection) { c.IdP.EntityID = "http://www.okta.com/exk1" }, nil},
		{"issuer with a final slash", func(c *Connection) { c.IdP.EntityID = "https://sts.windows.net/" + entraTenant + "/" }, nil},
		{"issuer that is a word", func(c *Connection) { c.IdP.EntityID = "authentik" }, nil},
		{"issuer that is a urn", func(c *Connection) { c.IdP.EntityID = "urn:acme.auth0.com" }, nil},
		{"issuer that is the sign-in address, as at AWS", func(c *Connection) {
			c.IdP.EntityID = "https://portal.sso.eu-west-1.amazonaws.com/saml/assertion/MDg"
			c.IdP.SSOURL = c.IdP.EntityID
		}, nil},
		{"issuer that is a metadata address, as at OneLogin", func(c *Connection) { c.IdP.EntityID = "https://app.onelogin.com/saml/metadata/1" }, nil},
		{"longest issuer", func(c *Connection) { c.IdP.EntityID = long }, nil},
		{"our entity ID is a urn", func(c *Connection) { c.SP.EntityID = "urn:example:crm" }, nil},
		{"our entity ID is the ACS URL", func(c *Connection) { c.SP.EntityID = c.SP.ACSURL }, nil},
		{"loopback", func(c *Connection) {
			c.SP.EntityID, c.SP.ACSURL, c.SP.SLOURL = "http://localhost:8080", "http://127.0.0.1:8080/acs", "http://[::1]:8080/slo"
			c.IdP.SSOURL, c.IdP.SLOURL = "http://crm.localhost:8080/idp/sso", "http://LOCALHOST/slo"
		}, nil},
		{"loopback, one host", func(c *Connection) {
			c.SP.EntityID, c.SP.ACSURL, c.IdP.SSOURL = "http://localhost:8080/saml", "http://localhost:8080/acs", "http://localhost:8080/idp/sso"
		}, nil},
		{"Keycloak on our host", func(c *Connection) { c.IdP.SSOURL = "https://app.example.com/auth/realms/acme/protocol/saml" }, nil},
		{"an IdP on another port", func(c *Connection) { c.IdP.SSOURL = "https://app.example.com:8443/sso" }, nil},
		{"query", func(c *Connection) { c.IdP.SSOURL = "https://accounts.google.com/o/saml2/idp?idpid=C0" }, nil},
		{"Duo, with saml2 in both", func(c *Connection) {
			c.IdP.EntityID = "https://sso-1.sso.duosecurity.com/saml2/sp/DI1/metadata"
			c.IdP.SSOURL = "https://sso-1.sso.duosecurity.com/saml2/sp/DI1/sso"
		}, nil},
		{"all of it", func(c *Connection) {
			c.SP.SLOURL, c.IdP.SSOPostURL, c.IdP.SLOURL = "https://app.example.com/slo", "https://idp.example.com/post", "https://idp.example.com/slo"
			c.IdP.ArtifactURL, c.IdP.MetadataURL = "https://idp.example.com/artifact", "https://idp.example.com/metadata"
			c.SP.SigningKey, c.SP.NextSigningKey, c.SP.DecryptionKeys = testKey(t, "sp-signing"), testKey(t, "sp-p256"), []KeyPair{*testKey(t, "sp-encryption"), *testKey(t, "sp-next")}
			c.SignRequests, c.SignatureMethod, c.ClockSkew, c.AllowedGroups = true, RSASHA384, MaxClockSkew, []string{"Sales"}
			c.IdP.Certificates = Certificates{testCert(t, "idp"), testCert(t, "idp2"), testCert(t, "idp-p256"), testCert(t, "idp-p384"), testCert(t, "idp-p521")}
			c.Request = RequestOptions{NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", AuthnContext: []string{"urn:x"}, AuthnContextComparison: "better", ProviderName: "CRM", AttributeConsumingServiceIndex: number(65535)}
			c.Attributes = AttributeMap{Email: "mail", GroupSeparator: ";"}
		}, nil},

		// Entity IDs.
		{"our entity ID is a word", func(c *Connection) { c.SP.EntityID = "crm" }, []string{"SP.EntityID is not an absolute URI"}},
		{"our entity ID is too long", func(c *Connection) { c.SP.EntityID = "urn:" + long }, []string{"SP.EntityID is longer than 1024"}},
		{"our entity ID with a blank", func(c *Connection) { c.SP.EntityID += " " }, []string{"SP.EntityID has blanks around"}},
		{"our entity ID is a script", func(c *Connection) { c.SP.EntityID = "JavaScript:alert(1)" }, []string{"SP.EntityID is a script"}},
		{"issuer too long", func(c *Connection) { c.IdP.EntityID = long + "x" }, []string{"IdP.EntityID is longer than 1024"}},
		{"issuer with a line end", func(c *Connection) { c.IdP.EntityID += "\r\n" }, []string{"IdP.EntityID has blanks around"}},
		{"issuer with a soft hyphen", func(c *Connection) { c.IdP.EntityID = "https://idp.exa\u00admple.com/metadata" }, []string{"IdP.EntityID holds invisible"}},
		{"issuer of the common tenant", func(c *Connection) { c.IdP.EntityID = "https://sts.windows.net/{tenantid}/" }, []string{"IdP.EntityID placeholder"}},
		{"issuer of Entra without its slash", func(c *Connection) { c.IdP.EntityID = "https://sts.windows.net/" + entraTenant }, []string{"IdP.EntityID final slash"}},
		{"issuer is ours", func(c *Connection) { c.IdP.EntityID = c.SP.EntityID }, []string{"IdP.EntityID is our own"}},
		{"issuer is our ACS URL", func(c *Connection) { c.IdP.EntityID = c.SP.ACSURL }, []string{"IdP.EntityID is our own"}},

		// Addresses.
		{"relative", func(c *Connection) { c.SP.ACSURL, c.IdP.SSOURL = "/acs", "idp.example.com/sso" },
			[]string{"SP.ACSURL is not a full address", "IdP.SSOURL is not a full address"}},
		{"no scheme", func(c *Connection) { c.IdP.SSOURL = "//idp.example.com/sso" }, []string{"IdP.SSOURL is not a full address"}},
		{"no host", func(c *Connection) { c.IdP.SSOURL = "https:///sso" }, []string{"IdP.SSOURL names no host"}},
		{"opaque", func(c *Connection) { c.IdP.SSOURL = "https:idp.example.com" }, []string{"IdP.SSOURL names no host"}},
		{"port", func(c *Connection) { c.IdP.SSOURL = "https://idp.example.com:99999/sso" }, []string{"IdP.SSOURL port"}},
		{"no address", func(c *Connection) { c.IdP.SSOURL = "https://idp example.com/" }, []string{"IdP.SSOURL holds blanks"}},
		{"backslash", func(c *Connection) { c.IdP.SSOURL = `https://idp.example.com\@evil.example/` }, []string{"IdP.SSOURL holds blanks or characters"}},
		{"percent", func(c *Connection) { c.IdP.SSOURL = "https://idp.example.com/%zz" }, []string{"IdP.SSOURL is not an address"}},
		{"blanks around", func(c *Connection) { c.IdP.SSOURL = "\thttps://idp.example.com/sso" }, []string{"IdP.SSOURL has blanks around"}},
		{"zero width", func(c *Connection) { c.IdP.SSOURL = "https://idp.example.com/s\u200bso" }, []string{"IdP.SSOURL holds blanks"}},
		{"too long", func(c *Connection) { c.IdP.SSOURL += "?" + long + long }, []string{"IdP.SSOURL is longer than 2048"}},
		{"http", func(c *Connection) {
			c.SP.ACSURL, c.SP.SLOURL, c.IdP.SSOURL = "http://app.example.com/acs", "http://app.example.com/slo", "http://idp.example.com/sso"
		}, []string{"SP.ACSURL is http", "SP.SLOURL is http", "IdP.SSOURL is http"}},
		{"http on almost this machine", func(c *Connection) { c.IdP.SSOURL, c.IdP.SLOURL = "http://localhost.example.com/", "http://10.0.0.1/" },
			[]string{"IdP.SSOURL is http", "IdP.SLOURL is http"}},
		{"scripts", func(c *Connection) {
			c.SP.ACSURL, c.SP.SLOURL = "javascript:alert(1)", "data:text/html,x"
			c.IdP = IdentityProvider{EntityID: c.IdP.EntityID, Certificates: c.IdP.Certificates, SSOURL: "JAVASCRIPT://idp.example.com/%0aalert(1)",
				SSOPostURL: "vbscript:x", SLOURL: "file:///etc/passwd", ArtifactURL: "ftp://idp.example.com", MetadataURL: "gopher://idp.example.com/"}
		}, []string{"SP.ACSURL scheme", "SP.SLOURL scheme", "IdP.SSOURL scheme", "IdP.SSOPostURL scheme", "IdP.SLOURL scheme", "IdP.ArtifactURL scheme", "IdP.MetadataURL scheme"}},
		{"password", func(c *Connection) { c.IdP.SSOURL = "https://joe:secret@idp.example.com/" }, []string{"IdP.SSOURL holds a user name or password"}},
		{"fragment", func(c *Connection) { c.IdP.SSOURL = "https://idp.example.com/#/sso" }, []string{"IdP.SSOURL has a fragment"}},
		{"empty fragment", func(c *Connection) { c.SP.ACSURL += "#" }, []string{"SP.ACSURL has a fragment"}},
		{"placeholder", func(c *Connection) { c.IdP.SSOURL = "https://login.microsoftonline.com/{tenant}/saml2" }, []string{"IdP.SSOURL holds a placeholder"}},
		{"logout at the ACS", func(c *Connection) { c.SP.SLOURL = c.SP.ACSURL }, []string{"SP.SLOURL is the same as SP.ACSURL"}},
		{"request in the address", func(c *Connection) { c.IdP.SSOURL += "?SAMLRequest=fZ&RelayState=x" }, []string{"IdP.SSOURL holds one particular sign-in"}},

		// Values in the wrong field.
		{"our ACS URL", func(c *Connection) { c.IdP.SSOURL = c.SP.ACSURL }, []string{"IdP.SSOURL is our own address"}},
		{"our ACS URL, almost", func(c *Connection) { c.IdP.SSOURL = "https://APP.example.com:443/saml/acme/acs/?x=1" }, []string{"IdP.SSOURL is our own address"}},
		{"our entity ID", func(c *Connection) { c.IdP.SSOURL = c.SP.EntityID }, []string{"IdP.SSOURL is our own address"}},
		{"our entity ID on another host", func(c *Connection) { c.SP.EntityID = "https://saml.example.com/crm"; c.IdP.SSOURL = c.SP.EntityID }, []string{"IdP.SSOURL is our own address"}},
		{"our host", func(c *Connection) { c.IdP.SSOURL = "https://app.example.com/login" }, []string{"IdP.SSOURL is our own address"}},
		{"our logout on this machine", func(c *Connection) {
			c.SP.SLOURL, c.IdP.SLOURL = "http://localhost:8080/slo", "http://localhost:8080/slo"
		}, []string{"IdP.SLOURL is our own address"}},
		{"our metadata", func(c *Connection) { c.IdP.MetadataURL = "https://app.example.com/saml/acme/metadata" }, []string{"IdP.MetadataURL is our own address"}},
		{"sign-in address as metadata", func(c *Connection) { c.IdP.MetadataURL = "https://login.microsoftonline.com/x/saml2" }, []string{"IdP.MetadataURL sign-in address of Microsoft Entra ID"}},
		{"metadata for logout", func(c *Connection) { c.IdP.SLOURL = "https://idp.example.com/saml/metadata" }, []string{"IdP.SLOURL is a metadata address"}},

		// Keys.
		{"nil certificate", func(c *Connection) { c.IdP.Certificates = append(c.IdP.Certificates, nil) }, []string{"IdP.Certificates[1] is nil"}},
		{"weak", func(c *Connection) { c.IdP.Certificates = append(c.IdP.Certificates, testCert(t, "weak")) }, []string{"IdP.Certificates[1] RSA key of 1024 bits"}},
		{"weak and allowed", func(c *Connection) {
			c.IdP.Certificates, c.InsecureAllowShortRSA = Certificates{testCert(t, "weak")}, true
		}, nil},
		{"curve", func(c *Connection) { c.IdP.Certificates = Certificates{testCert(t, "idp-p224")} }, []string{"IdP.Certificates[0] curve P-224"}},
		{"kind", func(c *Connection) { c.IdP.Certificates = Certificates{ed} }, []string{"IdP.Certificates[0] ed25519.PublicKey"}},
		{"no kind", func(c *Connection) { c.IdP.Certificates = Certificates{{NotAfter: time.Now()}} }, []string{"IdP.Certificates[0] unknown kind"}},
		{"expired", func(c *Connection) { c.IdP.Certificates = Certificates{testCert(t, "expired")} }, nil},
		{"expired and refused", func(c *Connection) {
			c.IdP.Certificates, c.RefuseExpiredCertificates = Certificates{testCert(t, "expired")}, true
		}, []string{"IdP.Certificates is expired"}},
		{"one expired and refused", func(c *Connection) {
			c.IdP.Certificates, c.RefuseExpiredCertificates = append(c.IdP.Certificates, testCert(t, "expired")), true
		}, nil},
		{"too many", func(c *Connection) {
			for range maxCertificates {
				c.IdP.Certificates = append(c.IdP.Certificates, testCert(t, "idp"))
			}
		}, []string{"IdP.Certificates holds 21"}},
		{"our own certificate", func(c *Connection) {
			c.SP.SigningKey, c.IdP.Certificates = testKey(t, "sp-signing"), Certificates{testCert(t, "sp-signing")}
		}, []string{"IdP.Certificates[0] is our own"}},
		{"no signing key", func(c *Connection) { c.SignRequests = true }, []string{"SP.SigningKey is nil"}},
		{"empty pair", func(c *Connection) { c.SP.SigningKey = &KeyPair{} }, []string{"SP.SigningKey.Private is missing"}},
		{"no pair at all", func(c *Connection) {
			var nothing *kmsPointer
			c.SP.SigningKey = &KeyPair{Private: nothing}
		}, []string{"SP.SigningKey.Private is missing"}},
		{"certificate of another key", func(c *Connection) {
			c.SP.SigningKey = &KeyPair{Private: testKey(t, "sp-signing").Private, Certificate: testCert(t, "sp-next")}
			c.SP.DecryptionKeys = []KeyPair{*testKey(t, "sp-next"), {Private: testKey(t, "sp-next").Private, Certificate: testCert(t, "sp-signing")}}
		}, []string{"SP.SigningKey.Certificate is the certificate of another key", "SP.DecryptionKeys[1].Certificate is the certificate of another key"}},
		{"weak key of ours", func(c *Connection) { c.SP.SigningKey, c.InsecureAllowShortRSA = testKey(t, "weak"), true }, []string{"SP.SigningKey.Private RSA key of 1024 bits"}},
		{"key that cannot decrypt", func(c *Connection) { c.SP.DecryptionKeys = []KeyPair{*testKey(t, "sp-p256")} }, []string{"SP.DecryptionKeys[0].Private cannot decrypt"}},
		{"key that cannot sign", func(c *Connection) {
			c.SP.SigningKey = &KeyPair{Private: publicOnly{testKey(t, "sp-signing")}}
		}, []string{"SP.SigningKey.Private cannot sign"}},
		{"method of another key", func(c *Connection) { c.SP.SigningKey, c.SignatureMethod = testKey(t, "sp-signing"), ECDSASHA256 }, []string{"SignatureMethod does not fit"}},
		{"method without a key", func(c *Connection) { c.SignatureMethod = "RSA-SHA256" }, []string{"SignatureMethod is not a signature method"}},
		{"next without anything", func(c *Connection) { c.SP.NextSigningKey = &KeyPair{} }, []string{"SP.NextSigningKey has neither"}},
		{"next does not fit", func(c *Connection) {
			c.SP.NextSigningKey = &KeyPair{Private: testKey(t, "sp-signing").Private, Certificate: testCert(t, "sp-next")}
		}, []string{"SP.NextSigningKey.Certificate is the certificate of another key"}},

		// The rest.
		{"skew below", func(c *Connection) { c.ClockSkew = -1 }, []string{"ClockSkew is -1ns"}},
		{"skew above", func(c *Connection) { c.ClockSkew = MaxClockSkew + 1 }, []string{"ClockSkew is 10m0.000000001s"}},
		{"NameID format in short", func(c *Connection) { c.Request.NameIDFormat = "emailAddress" }, []string{"Request.NameIDFormat urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}},
		{"context in short", func(c *Connection) { c.Request.AuthnContext = []string{"urn:x", "Password"} }, []string{"Request.AuthnContext[1] is not an absolute URI"}},
		{"contexts", func(c *Connection) { c.Request.AuthnContext = strings.Fields(strings.Repeat("urn:x ", 21)) }, []string{"Request.AuthnContext holds 21"}},
		{"comparison", func(c *Connection) { c.Request.AuthnContextComparison = "Exact" }, []string{"Request.AuthnContextComparison Exact"}},
		{"provider name", func(c *Connection) { c.Request.ProviderName = "a\tb" }, []string{"Request.ProviderName invisible"}},
		{"long provider name", func(c *Connection) { c.Request.ProviderName = long }, []string{"Request.ProviderName longer"}},
		{"index", func(c *Connection) { c.Request.AttributeConsumingServiceIndex = number(-1) }, []string{"Request.AttributeConsumingServiceIndex is -1"}},
		{"attributes", func(c *Connection) {
			c.Attributes = AttributeMap{Email: "mail ", Name: " n", FirstName: "f\n", LastName: "\tl", Groups: "g\u00a0"}
		}, []string{"Attributes.Email blanks", "Attributes.Name blanks", "Attributes.FirstName blanks", "Attributes.LastName blanks", "Attributes.Groups blanks"}},
		{"empty group", func(c *Connection) { c.AllowedGroups = []string{"Sales", " "} }, []string{"AllowedGroups[1] is empty"}},
		{"ID with a blank", func(c *Connection) { c.ID = "acme " }, []string{"ID has blanks around"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			tt.change(c)
			err := c.Validate()
			var want []string
			for _, w := range tt.want {
				field, words, _ := strings.Cut(w, " ")
				want = append(want, field)
				if err == nil || !strings.Contains(lineOf(err, field), words) {
					t.Errorf("%s: got %q, want %q", field, lineOf(err, field), words)
				}
			}
			if diff := cmp.Diff(want, fieldsOf(t, err)); diff != "" {
				t.Errorf("%v: fields (-want +got):\n%s", err, diff)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret in %v", err)
			}
		})
	}
}

// lineOf returns what an error says of one field.
func lineOf(err error, field string) string {
	if err == nil {
		return ""
	}
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, "sso: "+field+": ") {
			return line
		}
	}
	return ""
}

type kmsPointer struct{}

func (*kmsPointer) Public() crypto.PublicKey { panic("called on nil") }
func (*kmsPointer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	panic("called on nil")
}

type publicOnly struct{ k *KeyPair }

func (p publicOnly) Public() crypto.PublicKey { return p.k.Certificate.PublicKey }

// TestValidateExchanged puts each IdP's issuer where its sign-in address
// belongs, and the other way round.
func TestValidateExchanged(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, issuer, ssoURL, metadataURL string }{
		{"Microsoft Entra ID", "https://sts.windows.net/" + entraTenant + "/", "https://login.microsoftonline.com/" + entraTenant + "/saml2", "https://login.microsoftonline.com/" + entraTenant + "/FederationMetadata/2007-06/FederationMetadata.xml?appid=1"},
		{"Okta", "http://www.okta.com/exk1abc", "https://acme.okta.com/app/acme_crm_1/exk1abc/sso/saml", "https://acme.okta.com/app/exk1abc/sso/saml/metadata"},
		{"Google Workspace", "https://accounts.google.com/o/saml2?idpid=C01", "https://accounts.google.com/o/saml2/idp?idpid=C01", ""},
		{"OneLogin", "https://app.onelogin.com/saml/metadata/1-2", "https://acme.onelogin.com/trust/saml2/http-redirect/sso/1", "https://app.onelogin.com/saml/metadata/1-2"},
		{"AD FS", "http://fs.corp.example/adfs/services/trust", "https://fs.corp.example/adfs/ls/", "https://fs.corp.example/FederationMetadata/2007-06/FederationMetadata.xml"},
		{"Keycloak", "https://id.example.org/realms/acme", "https://id.example.org/realms/acme/protocol/saml", "https://id.example.org/realms/acme/protocol/saml/descriptor"},
		{"Keycloak", "https://id.example.org/auth/realms/acme", "https://id.example.org/auth/realms/acme/protocol/saml", "https://id.example.org/auth/realms/acme/protocol/saml/descriptor"},
		{"PingOne", "https://auth.pingone.eu/1-2", "https://auth.pingone.eu/1-2/saml20/idp/sso", "https://auth.pingone.eu/1-2/saml20/metadata/3"},
		{"PingFederate", "corp", "https://ping.corp.example:9031/idp/SSO.saml2", ""},
		{"Auth0", "urn:acme.eu.auth0.com", "https://acme.eu.auth0.com/samlp/A1", "https://acme.eu.auth0.com/samlp/metadata/A1"},
		{"Duo", "https://sso-1.sso.duosecurity.com/saml2/sp/DI1/metadata", "https://sso-1.sso.duosecurity.com/saml2/sp/DI1/sso", "https://sso-1.sso.duosecurity.com/saml2/sp/DI1/metadata"},
		{"Shibboleth", "https://login.uni.example/idp/shibboleth", "https://login.uni.example/idp/profile/SAML2/Redirect/SSO", "https://login.uni.example/idp/shibboleth"},
		{"SimpleSAMLphp", "https://ssp.example.net/saml2/idp/metadata.php", "https://ssp.example.net/module.php/saml/idp/singleSignOnService", "https://ssp.example.net/saml2/idp/metadata.php"},
		{"authentik", "authentik", "https://sso.example.io/application/saml/crm/sso/binding/redirect/", "https://sso.example.io/application/saml/crm/metadata/"},
		{"Zitadel", "https://id.example.io/saml/v2/metadata", "https://id.example.io/saml/v2/SSO", "https://id.example.io/saml/v2/metadata"},
		{"LemonLDAP::NG", "https://portal.example/saml/metadata", "https://portal.example/saml/singleSignOn", "https://portal.example/saml/metadata"},
		{"CyberArk", "https://aa.id.cyberark.cloud/1", "https://aa.id.cyberark.cloud/applogin/appKey/1", "https://aa.id.cyberark.cloud/saasManage/DownloadSAMLMetadataForApp?appkey=1"},
		{"Cloudflare", "https://acme.cloudflareaccess.com", "https://acme.cloudflareaccess.com/cdn-cgi/access/sso/saml/1", "https://acme.cloudflareaccess.com/cdn-cgi/access/sso/saml/1/saml-metadata"},
		{"JumpCloud", "https://sso.jumpcloud.com/saml2/crm", "https://sso.jumpcloud.com/saml2/crm", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			c.IdP.EntityID, c.IdP.SSOURL, c.IdP.MetadataURL = tt.issuer, tt.ssoURL, tt.metadataURL
			if err := c.Validate(); err != nil {
				t.Fatalf("as it should be: %v", err)
			}
			if k := knownAddressOf(tt.name); k != nil {
				c.IdP.EntityID = tt.ssoURL
				if got := lineOf(c.Validate(), "IdP.EntityID"); !strings.Contains(got, tt.name) || !strings.Contains(got, k.issuer) {
					t.Errorf("sign-in address as issuer: %q", got)
				}
			}
			if tt.metadataURL != "" {
				c.IdP.EntityID, c.IdP.SSOURL = tt.issuer, tt.metadataURL
				if got := lineOf(c.Validate(), "IdP.SSOURL"); !strings.Contains(got, "metadata address") && !strings.Contains(got, "issuer") {
					t.Errorf("metadata address to sign in at: %q", got)
				}
			}
			if strings.Contains(tt.issuer, ":") && tt.issuer != tt.ssoURL && tt.name != "CyberArk" && tt.name != "Cloudflare" {
				c.IdP.SSOURL = tt.issuer
				got := lineOf(c.Validate(), "IdP.SSOURL")
				if !strings.Contains(got, "issuer") && !strings.Contains(got, "metadata address") && !strings.Contains(got, "is http ") {
					t.Errorf("issuer to sign in at: %q", got)
				}
			}
		})
	}
}

func knownAddressOf(name string) *knownAddress {
	for i := range knownAddresses {
		if knownAddresses[i].name == name {
			return &knownAddresses[i]
		}
	}
	return nil
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	want := goodConnection(t)
	want.SP.SLOURL, want.IdP.SSOPostURL, want.IdP.SLOURL, want.IdP.ArtifactURL, want.IdP.MetadataURL = "https://a.example/1", "https://a.example/2", "https://a.example/3", "https://a.example/4", "https://a.example/5"
	want.Attributes = AttributeMap{Email: "e", Name: "n", FirstName: "f", LastName: "l", Groups: "g", GroupSeparator: " "}
	want.Request = RequestOptions{NameIDFormat: "urn:x", AuthnContext: []string{"urn:a", "urn:b"}, AuthnContextComparison: "exact", ProviderName: "p q"}

	got := *want
	contexts := []string{"urn:a\n", " urn:b"}
	got.Request.AuthnContext = contexts
	for _, s := range []*string{&got.Name, &got.SP.EntityID, &got.SP.ACSURL, &got.SP.SLOURL, &got.IdP.EntityID, &got.IdP.SSOURL, &got.IdP.SSOPostURL, &got.IdP.SLOURL,
		&got.IdP.ArtifactURL, &got.IdP.MetadataURL, &got.Attributes.Email, &got.Attributes.Name, &got.Attributes.FirstName, &got.Attributes.LastName, &got.Attributes.Groups,
		&got.Request.NameIDFormat, &got.Request.AuthnContextComparison, &got.Request.ProviderName} {
		*s = "\ufeff \t" + *s + "\r\n\u00a0\u200b"
	}
	got.Normalize()
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("Normalize (-want +got):\n%s", diff)
	}
	if contexts[0] != "urn:a\n" {
		t.Error("Normalize wrote into a list that others may share")
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	end := time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC) // of the fixed certificates
	begin := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		now    time.Time
		change func(*Connection)
		want   []string
	}{
		{"good", requestTime, func(*Connection) {}, nil},
		{"good now", time.Time{}, func(*Connection) {}, nil},
		{"expired", requestTime, func(c *Connection) { c.IdP.Certificates = append(c.IdP.Certificates, testCert(t, "expired"), nil) }, []string{"IdP.Certificates[1] expired on 2021-01-01"}},
		{"31 days left", end.AddDate(0, 0, -31), func(*Connection) {}, nil},
		{"30 days left", end.AddDate(0, 0, -30), func(*Connection) {}, []string{"IdP.Certificates[0] expires on 2045-01-01"}},
		{"at the end", end, func(*Connection) {}, []string{"IdP.Certificates[0] expired on 2045-01-01"}},
		{"before the end", end.Add(-1), func(*Connection) {}, []string{"IdP.Certificates[0] expires on 2045-01-01"}},
		{"too early", begin.Add(-1), func(*Connection) {}, []string{"IdP.Certificates[0] is not valid before 2020-01-01"}},
		{"at the beginning", begin, func(*Connection) {}, nil},
		{"our keys", end, func(c *Connection) {
			c.IdP.Certificates = nil
			c.SP.SigningKey, c.SP.NextSigningKey, c.SP.DecryptionKeys = testKey(t, "sp-signing"), testKey(t, "sp-next"), []KeyPair{*testKey(t, "sp-encryption"), {}}
		}, []string{"SP.SigningKey expired on 2045-01-01", "SP.NextSigningKey expired on 2045-01-01", "SP.DecryptionKeys[0] expired on 2045-01-01"}},
		{"switches", requestTime, func(c *Connection) {
			c.InsecureAllowSHA1, c.InsecureAllowShortRSA, c.InsecureAllowRSA15, c.InsecureUnauthenticatedCBC, c.InsecureIgnoreInResponseTo, c.AllowIdPInitiated = true, true, true, true, true, true
		}, []string{
			"InsecureAllowSHA1 is on: signatures with SHA-1 can be forged", "InsecureAllowShortRSA is on: RSA keys below 2048 bits can be broken",
			"InsecureAllowRSA15 is on: RSA 1.5 key transport can be attacked", "InsecureUnauthenticatedCBC is on: AES-CBC without a signature over it can be attacked",
			"InsecureIgnoreInResponseTo is on: answers to unknown requests are taken",
		}},
		{"a switch for nothing", requestTime, func(c *Connection) { c.InsecureIgnoreInResponseTo = true }, []string{"InsecureIgnoreInResponseTo has no effect without AllowIdPInitiated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			tt.change(c)
			var got []string
			for _, w := range c.Warnings(tt.now) {
				got = append(got, w.Field+" "+w.Problem)
				if w.Hint == "" {
					t.Errorf("%s: no hint", w.Field)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	c := goodConnection(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
