package sso

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/xmlsig"
)

const entraTenant = "0f8c1a5e-3b7d-4c2f-9a61-5d0e7b9c4a12"

// idpFixture is what a file of testdata/metadata says.
type idpFixture struct {
	file   string
	choose string
	want   IdPMetadata
}

func idpFixtures(tb testing.TB) []idpFixture {
	idp, idp2 := testCert(tb, "idp"), testCert(tb, "idp2")
	one := Certificates{idp}
	day := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	return []idpFixture{
		{"okta.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "http://www.okta.com/exk1a2b3c4D5e6F7g8", SSOURL: "https://acme.okta.com/app/acme_crm_1/exk1a2b3c4D5e6F7g8/sso/saml", Certificates: one,
		}}},
		{"google.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://accounts.google.com/o/saml2?idpid=C01abc23d", SSOURL: "https://accounts.google.com/o/saml2/idp?idpid=C01abc23d", Certificates: one,
		}, ValidUntil: time.Date(2024, 11, 5, 8, 21, 34, 0, time.UTC),
			Warnings: []string{"The metadata was valid until 2024-11-05T08:21:34Z. Make sure that its certificates are still in use."}}},
		{"entra.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://sts.windows.net/" + entraTenant + "/", SSOURL: "https://login.microsoftonline.com/" + entraTenant + "/saml2",
			SLOURL: "https://login.microsoftonline.com/" + entraTenant + "/saml2", Certificates: one,
		}}},
		{"adfs.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "http://fs.corp.example/adfs/services/trust", SSOURL: "https://fs.corp.example/adfs/ls/", SLOURL: "https://fs.corp.example/adfs/ls/", Certificates: Certificates{idp, idp2},
		}}},
		{"keycloak.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://id.example.org/realms/acme", SSOURL: "https://id.example.org/realms/acme/protocol/saml", SLOURL: "https://id.example.org/realms/acme/protocol/saml",
			ArtifactURL: "https://id.example.org/realms/acme/protocol/saml/resolve", Certificates: Certificates{idp, idp2},
		}, WantAuthnRequestsSigned: true}},
		{"keycloak-old.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://id.example.org/auth/realms/acme", SSOURL: "https://id.example.org/auth/realms/acme/protocol/saml", SLOURL: "https://id.example.org/auth/realms/acme/protocol/saml",
			Certificates: Certificates{idp, idp2},
		}, WantAuthnRequestsSigned: true}},
		{"shibboleth.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://login.uni.example/idp/shibboleth", SSOURL: "https://login.uni.example/idp/profile/SAML2/Redirect/SSO", SSOPostURL: "https://login.uni.example/idp/profile/SAML2/POST/SSO",
			ArtifactURL: "https://login.uni.example:8443/idp/profile/SAML2/SOAP/ArtifactResolution", Certificates: Certificates{testCert(tb, "idp-p384"), idp},
		}, ValidUntil: time.Date(2044, 6, 5, 8, 10, 20, 123e6, time.UTC)}},
		{"simplesamlphp.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://ssp.example.net/saml2/idp/metadata.php", SSOURL: "https://ssp.example.net/module.php/saml/idp/singleSignOnService", SLOURL: "https://ssp.example.net/module.php/saml/idp/singleLogout", Certificates: one,
		}, CacheDuration: 7 * 24 * time.Hour}},
		{"jumpcloud.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "Acme CRM", SSOURL: "https://sso.jumpcloud.com/saml2/acme-crm", SSOPostURL: "https://sso.jumpcloud.com/saml2/acme-crm", Certificates: one,
		}, Warnings: []string{"The identity provider takes requests by HTTP-POST alone."}}},
		{"onelogin.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://app.onelogin.com/saml/metadata/1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d", SSOURL: "https://acme.onelogin.com/trust/saml2/http-redirect/sso/1a2b3c4d",
			SSOPostURL: "https://acme.onelogin.com/trust/saml2/http-post/sso/1a2b3c4d", SLOURL: "https://acme.onelogin.com/trust/saml2/http-redirect/slo/1234567", Certificates: one,
		}}},
		{"auth0.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "urn:acme.eu.auth0.com", SSOURL: "https://acme.eu.auth0.com/samlp/A1b2C3d4E5f6", SLOURL: "https://acme.eu.auth0.com/samlp/A1b2C3d4E5f6/logout", Certificates: one,
		}}},
		{"authentik.xml", "", IdPMetadata{IdP: IdentityProvider{
			EntityID: "authentik", SSOURL: "https://sso.example.io/application/saml/crm/sso/binding/redirect/", SSOPostURL: "https://sso.example.io/application/saml/crm/sso/binding/post/", Certificates: one,
		}}},
		{"federation.xml", "https://one.example/idp", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://one.example/idp", SSOURL: "https://one.example/sso", Certificates: one,
		}, ValidUntil: day(2043), CacheDuration: 6 * time.Hour}},
		{"federation.xml", "https://two.example/idp", IdPMetadata{IdP: IdentityProvider{
			EntityID: "https://two.example/idp", SSOURL: "https://two.example/sso", Certificates: Certificates{idp2},
		}, ValidUntil: day(2044), CacheDuration: 6 * time.Hour}},
	}
}

func TestParseIdPMetadataOfEachIdP(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/metadata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	unread := make(map[string]bool)
	for _, f := range files {
		unread[filepath.Base(f)] = true
	}
	for _, f := range idpFixtures(t) {
		delete(unread, f.file)
		t.Run(f.file+f.choose, func(t *testing.T) {
			t.Parallel()
			got, err := ParseIdPMetadataWith(testFile(t, "metadata", f.file), IdPMetadataOptions{EntityID: f.choose, CurrentTime: requestTime})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&f.want, got); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			c := goodConnection(t)
			c.IdP = got.IdP
			if err := c.Validate(); err != nil {
				t.Errorf("Validate: %v", err)
			}
			if f.choose != "" {
				return
			}
			idp, err := ParseIdPMetadata(testFile(t, "metadata", f.file))
			if diff := cmp.Diff(f.want.IdP, idp); diff != "" || err != nil {
				t.Errorf("ParseIdPMetadata: %v (-want +got):\n%s", err, diff)
			}
		})
	}
	if len(unread) > 0 {
		t.Errorf("fixtures that no test reads: %v", unread)
	}
}

// plainMetadata is small metadata to break.
func plainMetadata(tb testing.TB) string {
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/metadata">` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` +
		base64.StdEncoding.EncodeToString(testCert(tb, "idp").Raw) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
		`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/slo"/>` +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

func TestParseIdPMetadataVariants(t *testing.T) {
	t.Parallel()
	plain := plainMetadata(t)
	cert := base64.StdEncoding.EncodeToString(testCert(t, "idp").Raw)
	cert2 := base64.StdEncoding.EncodeToString(testCert(t, "idp2").Raw)
	leaf, ca := testChain(t)
	want := IdPMetadata{IdP: IdentityProvider{
		EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso", SLOURL: "https://idp.example.com/slo", Certificates: Certificates{testCert(t, "idp")},
	}}
	tests := []struct {
		name     string
		old, new string
		change   func(*IdPMetadata)
	}{
		{"plain", "", "", nil},
		{"byte order mark", "<md:EntityDescriptor ", "\ufeff<md:EntityDescriptor ", nil},
		{"blanks in values", `"https://idp.example.com/sso"`, "\"\n https://idp.example.com/sso \"", nil},
		{"no use", ` use="signing"`, "", nil},
		{"two in one X509Data", "</ds:X509Certificate>", "</ds:X509Certificate><ds:X509Certificate>" + cert2 + "</ds:X509Certificate>", func(m *IdPMetadata) {
			m.IdP.Certificates = append(m.IdP.Certificates, testCert(t, "idp2"))
		}},
		{"one twice", "</ds:X509Data>", "</ds:X509Data><ds:X509Data><ds:X509Certificate>" + cert + "</ds:X509Certificate></ds:X509Data>", nil},
		{"chain", cert, base64.StdEncoding.EncodeToString(leaf.Raw) + "</ds:X509Certificate><ds:X509Certificate>" + base64.StdEncoding.EncodeToString(ca.Raw), func(m *IdPMetadata) {
			m.IdP.Certificates = Certificates{leaf}
		}},
		{"chain in one value", cert, pemOf(leaf) + pemOf(ca), func(m *IdPMetadata) { m.IdP.Certificates = Certificates{leaf} }},
		{"PEM in the value", cert, pemOf(testCert(t, "idp")), nil},
		{"comment in the value", cert, cert[:10] + "<!-- x -->" + cert[10:], nil},
		{"another one damaged", "</ds:X509Data>", "</ds:X509Data><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>", func(m *IdPMetadata) {
			m.Warnings = []string{"One signing certificate is not a certificate; it was left out."}
		}},
		{"expired certificate", cert, base64.StdEncoding.EncodeToString(testCert(t, "expired").Raw), func(m *IdPMetadata) {
			m.IdP.Certificates = Certificates{testCert(t, "expired")}
			m.Warnings = []string{"The certificate CN=expired.example.com,O=sso tests expired on 2021-01-01."}
		}},
		{"http logout", "https://idp.example.com/slo", "http://idp.example.com/slo", func(m *IdPMetadata) {
			m.IdP.SLOURL = ""
			m.Warnings = []string{`The logout address is http instead of https: "http://idp.example.com/slo"; it was left out.`}
		}},
		{"script as logout", "https://idp.example.com/slo", "javascript:alert(1)", func(m *IdPMetadata) {
			m.IdP.SLOURL = ""
			m.Warnings = []string{`The logout address has the scheme "javascript" instead of https; it was left out.`}
		}},
		{"logout by POST", `HTTP-Redirect" Location="https://idp.example.com/slo"`, `HTTP-POST" Location="https://idp.example.com/slo"`, nil},
		{"script beside an address", "<md:SingleSignOnService ", `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="javascript:alert(1)"/><md:SingleSignOnService `, nil},
		{"default artifact service", "<md:SingleLogoutService ", `<md:ArtifactResolutionService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://idp.example.com/a"/>` +
			`<md:ArtifactResolutionService index="1" isDefault="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://idp.example.com/b"/><md:SingleLogoutService `,
			func(m *IdPMetadata) { m.IdP.ArtifactURL = "https://idp.example.com/b" }},
		{"wants signed", "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor WantAuthnRequestsSigned="1" `, func(m *IdPMetadata) { m.WantAuthnRequestsSigned = true }},
		{"validUntil to come", "entityID=", `validUntil="2026-03-01T09:00:00.001Z" entityID=`, func(m *IdPMetadata) { m.ValidUntil = requestTime.Add(time.Millisecond) }},
		{"validUntil reached", "entityID=", `validUntil="2026-03-01T09:00:00Z" entityID=`, func(m *IdPMetadata) {
			m.ValidUntil = requestTime
			m.Warnings = []string{"The metadata was valid until 2026-03-01T09:00:00Z. Make sure that its certificates are still in use."}
		}},
		{"validUntil of the role", "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="2030-01-01T00:00:00Z" cacheDuration="PT90M" `, func(m *IdPMetadata) {
			m.ValidUntil, m.CacheDuration = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), 90*time.Minute
		}},
		{"validUntil no time", "entityID=", `validUntil="tomorrow" cacheDuration="soon" entityID=`, func(m *IdPMetadata) {
			m.Warnings = []string{"The metadata has a validUntil that is no time; it was ignored."}
		}},
		{"unknown extensions", "<md:IDPSSODescriptor ", `<md:Extensions><x:y xmlns:x="urn:x" x:entityID="z"><md:SingleSignOnService/></x:y></md:Extensions><md:IDPSSODescriptor `, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			document := replaceOnce(t, plain, tt.old, tt.new)
			want := want
			if tt.change != nil {
				tt.change(&want)
			}
			got, err := ParseIdPMetadataWith([]byte(document), IdPMetadataOptions{CurrentTime: requestTime})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}

// replaceOnce makes a document that differs in one place.
func replaceOnce(tb testing.TB, document, old, new string) string {
	tb.Helper()
	if old == "" {
		return document
	}
	if !strings.Contains(document, old) {
		tb.Fatalf("no %q in the document", old)
	}
	return strings.Replace(document, old, new, 1)
}

func TestParseIdPMetadataErrors(t *testing.T) {
	t.Parallel()
	plain := plainMetadata(t)
	cert := base64.StdEncoding.EncodeToString(testCert(t, "idp").Raw)
	key := base64.StdEncoding.EncodeToString(testPEM(t, "idp.key.pem"))
	whole := func(s string) string { return s }
	in := func(old, new string) func(string) string {
		return func(s string) string { return replaceOnce(t, s, old, new) }
	}
	cut := func(from, to string) func(string) string {
		return func(s string) string {
			i, j := strings.Index(s, from), strings.Index(s, to)
			return s[:i] + s[j+len(to):]
		}
	}
	tests := []struct {
		name   string
		change func(string) string
		field  string // "" for none
		want   string
	}{
		{"control", whole, "", ""},
		{"empty", func(string) string { return " \n\ufeff" }, "IdP", "is empty"},
		{"web page", func(string) string { return "\n<!DOCTYPE HTML><html><body>Sign in</body></html>" }, "IdP", "is a web page"},
		{"web page without doctype", func(string) string { return "<HTML><body>" }, "IdP", "is a web page"},
		{"JSON", func(string) string { return `{"issuer":"https://idp.example.com"}` }, "IdP", "is JSON"},
		{"address", func(string) string { return "https://idp.example.com/metadata" }, "IdP", "is an address"},
		{"certificate", func(string) string { return pemOf(testCert(t, "idp")) }, "IdP", "is PEM"},
		{"words", func(string) string { return "please see attached" }, "IdP", "is not XML"},
		{"UTF-16", func(string) string { return "\xff\xfe<\x00m\x00" }, "IdP", "is in UTF-16"},
		{"cut off", func(s string) string { return s[:len(s)-10] }, "IdP", "is not well-formed XML"},
		{"document type", func(s string) string { return `<!DOCTYPE x [<!ENTITY e "f">]>` + s }, "IdP", "is not well-formed XML"},
		{"too large", func(s string) string { return s + strings.Repeat("\n", 8<<20) }, "IdP", "is too large"},
		{"response", func(string) string {
			return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1"/>`
		}, "IdP", "is another document"},
		{"other namespace", in("SAML:2.0:metadata", "SAML:1.0:metadata"), "IdP", "is another document"},
		{"service provider", func(s string) string { return strings.ReplaceAll(s, "IDPSSODescriptor", "SPSSODescriptor") }, "IdP", "describes a service provider"},
		{"attribute authority", func(s string) string {
			return strings.ReplaceAll(s, "IDPSSODescriptor", "AttributeAuthorityDescriptor")
		}, "IdP", "no identity provider"},
		{"nothing", func(string) string { return `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>` }, "IdP", "describes nothing"},
		{"SAML 1.1", in("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol"), "IdP", "without SAML 2.0"},
		{"several", func(string) string { return string(testFile(t, "metadata", "federation.xml")) }, "IdP", "describes 2 identity providers: \"https://one.example/idp\", \"https://two.example/idp\""},
		{"no entityID", in(` entityID="https://idp.example.com/metadata"`, ""), "IdP.EntityID", "is empty"},
		{"placeholder", in("https://idp.example.com/metadata", "https://sts.windows.net/{tenantid}/"), "IdP.EntityID", "placeholder"},
		{"no sign-in address", cut("<md:SingleSignOn", `/sso"/>`), "IdP.SSOURL", "is missing"},
		{"other binding only", in(`HTTP-Redirect" Location="https://idp.example.com/sso"`, `SOAP" Location="https://idp.example.com/sso"`), "IdP.SSOURL", "is missing"},
		{"empty location", in(`"https://idp.example.com/sso"`, `""`), "IdP.SSOURL", "is empty"},
		{"script", in("https://idp.example.com/sso", "javascript:alert(1)//https://"), "IdP.SSOURL", "javascript"},
		{"http", in("https://idp.example.com/sso", "http://idp.example.com/sso"), "IdP.SSOURL", "is http"},
		{"no keys", cut("<md:KeyDescriptor", "</md:KeyDescriptor>"), "IdP.Certificates", "are missing"},
		{"encryption key only", in(`use="signing"`, `use="encryption"`), "IdP.Certificates", "are missing"},
		{"bare key", func(s string) string {
			return cut("<ds:X509Data", "</ds:X509Data>")(strings.Replace(s, "</ds:KeyInfo>", "<ds:KeyValue/></ds:KeyInfo>", 1))
		}, "IdP.Certificates", "bare keys"},
		{"damaged", in(cert, cert[:200]), "IdP.Certificates", "a part is missing"},
		{"element in the certificate", in(cert, "<x/>"), "IdP.Certificates", "is not a certificate"},
		{"private key", in(cert, key), "IdP.Certificates", "private key"},
		{"private key beside", in("</ds:X509Data>", "</ds:X509Data><ds:X509Data><ds:X509Certificate>"+key+"</ds:X509Certificate></ds:X509Data>"), "IdP.Certificates", "private key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := ParseIdPMetadataWith([]byte(tt.change(plain)), IdPMetadataOptions{CurrentTime: requestTime})
			if (m == nil) != (err != nil) {
				t.Errorf("metadata %v with error %v", m, err)
			}
			fields := fieldsOf(t, err)
			if tt.field == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if diff := cmp.Diff([]string{tt.field}, fields); diff != "" {
				t.Fatalf("%v: fields (-want +got):\n%s", err, diff)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), key[:20]) || strings.Contains(err.Error(), cert[:20]) {
				t.Errorf("the error repeats the document: %v", err)
			}
		})
	}
}

func TestParseIdPMetadataNamed(t *testing.T) {
	t.Parallel()
	federation := testFile(t, "metadata", "federation.xml")
	for name, want := range map[string]string{
		"https://one.example/idp":        "",
		"https://one.example/idp/":       "does not describe",
		"https://sp.example/shibboleth":  "does not describe",
		"https://three.example/<script>": "does not describe",
	} {
		_, err := ParseIdPMetadataWith(federation, IdPMetadataOptions{EntityID: name})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	twice := bytes.Replace(federation, []byte("https://two.example/idp"), []byte("https://one.example/idp"), 1)
	if _, err := ParseIdPMetadataWith(twice, IdPMetadataOptions{EntityID: "https://one.example/idp"}); err == nil || !strings.Contains(err.Error(), "more than once") {
		t.Errorf("one name for two: %v", err)
	}
}

// signElement signs an element of a document, found by its tag, with a fixed
// key. It gets an ID.
func signElement(tb testing.TB, document string, tag, key string) string {
	tb.Helper()
	root := parseElement(tb, []byte(document))
	e := root
	if root.Tag != tag {
		e = root.FindElement("//" + tag)
	}
	e.CreateAttr("ID", "_"+tag)
	k := testKey(tb, key)
	if err := xmlsig.Sign(e, k.Private.(crypto.Signer), k.Certificate, "", 0); err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	root.WriteTo(&b, &etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true})
	return b.String()
}

func TestParseIdPMetadataSigned(t *testing.T) {
	t.Parallel()
	plain := plainMetadata(t)
	wrap := func(s string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + s + `</md:EntitiesDescriptor>`
	}
	inner := signElement(t, plain, "EntityDescriptor", "idp2")
	other := strings.ReplaceAll(plain, "https://idp.example.com/", "https://evil.example/")
	tests := []struct {
		name, document, choose, want string
	}{
		{"signed", inner, "", ""},
		{"not signed", plain, "", "is not signed"},
		{"by another key", signElement(t, plain, "EntityDescriptor", "idp"), "", "does not hold"},
		{"changed", replaceOnce(t, inner, "https://idp.example.com/sso", "https://idp.example.com/ssp"), "", "does not hold"},
		{"collection signed", signElement(t, wrap(plain+other), "EntitiesDescriptor", "idp2"), "https://idp.example.com/metadata", ""},
		{"collection changed", replaceOnce(t, signElement(t, wrap(plain+other), "EntitiesDescriptor", "idp2"), "example.com/sso", "example.com/ssp"), "https://idp.example.com/metadata", "does not hold"},
		{"one of the collection signed", wrap(inner + other), "https://idp.example.com/metadata", ""},
		{"the other one of the collection signed", wrap(inner + other), "https://evil.example/metadata", "is not signed"},
		{"signed one within an unsigned one", strings.Replace(other, "<md:IDPSSODescriptor", "<md:Extensions>"+inner+"</md:Extensions><md:IDPSSODescriptor", 1), "", "is not signed"},
		{"to come", signElement(t, replaceOnce(t, plain, "entityID=", `validUntil="2026-03-01T09:00:01Z" entityID=`), "EntityDescriptor", "idp2"), "", ""},
		{"past", signElement(t, replaceOnce(t, plain, "entityID=", `validUntil="2026-03-01T09:00:00Z" entityID=`), "EntityDescriptor", "idp2"), "", "was valid until 2026-03-01T09:00:00Z"},
		{"no time", signElement(t, replaceOnce(t, plain, "entityID=", `validUntil="soon" entityID=`), "EntityDescriptor", "idp2"), "", "no time"},
		{"entra", string(testFile(t, "metadata", "entra.xml")), "", ""},
		{"adfs", string(testFile(t, "metadata", "adfs.xml")), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := IdPMetadataOptions{CurrentTime: requestTime, EntityID: tt.choose, TrustedCertificates: Certificates{testCert(t, "idp-p256"), testCert(t, "idp2")}}
			m, err := ParseIdPMetadataWith([]byte(tt.document), o)
			if tt.want == "" {
				if err != nil || !m.Signed {
					t.Errorf("got %+v, %v; want it read as signed", m, err)
				}
				return
			}
			if m != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want %q", m, err, tt.want)
			}
			// The control: without a key to check with, it is read.
			o.TrustedCertificates = nil
			if m, err = ParseIdPMetadataWith([]byte(tt.document), o); err != nil || m.Signed {
				t.Errorf("without certificates: %+v, %v", m, err)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"PT1H": time.Hour, "P1D": 24 * time.Hour, "P1DT1H1M1.5S": 25*time.Hour + time.Minute + time.Second, "P1Y": 365 * 24 * time.Hour, "P2M": 60 * 24 * time.Hour,
		"PT3600S": time.Hour, "PT0S": 0, "": 0, "-PT1H": 0, "1H": 0, "P99Y": 0, "PT99999999S": 99999999 * time.Second, "PT999999999S": 0, "P1H": 0,
	} {
		if got := duration(s); got != want {
			t.Errorf("duration(%q) = %v, want %v", s, got, want)
		}
	}
}

func FuzzParseIdPMetadata(f *testing.F) {
	for _, fixture := range idpFixtures(f) {
		f.Add(testFile(f, "metadata", fixture.file), fixture.choose)
	}
	f.Add([]byte(plainMetadata(f)), "")
	c := goodConnection(f)
	f.Fuzz(func(t *testing.T, data []byte, choose string) {
		m, err := ParseIdPMetadataWith(data, IdPMetadataOptions{EntityID: choose, CurrentTime: requestTime})
		if (m == nil) == (err == nil) {
			t.Fatalf("metadata %v with error %v", m, err)
		}
		if err != nil {
			fieldsOf(t, err)
			return
		}
		if m.IdP.EntityID == "" || m.IdP.SSOURL == "" || len(m.IdP.Certificates) == 0 || choose != "" && m.IdP.EntityID != choose {
			t.Errorf("incomplete: %+v", m.IdP)
		}
		c := *c
		c.IdP = m.IdP
		fieldsOf(t, c.Validate())
	})
}
