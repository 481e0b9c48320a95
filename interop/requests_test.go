package interop

import (
	"context"
	"testing"

	"github.com/ssoconn/sso"
)

// TestRequestOptions has IdPs that others wrote take requests with every option,
// by both bindings, signed.
func TestRequestOptions(t *testing.T) {
	index := 0
	options := []struct {
		name string
		o    sso.RequestOptions
	}{
		{"ForceAuthn", sso.RequestOptions{ForceAuthn: true}},
		{"IsPassive", sso.RequestOptions{IsPassive: true}},
		{"NameIDFormat", sso.RequestOptions{NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}},
		{"AuthnContext", sso.RequestOptions{AuthnContext: []string{"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}, AuthnContextComparison: "minimum"}},
		{"ProviderName", sso.RequestOptions{ProviderName: "Сервис & Co"}},
		{"AttributeConsumingServiceIndex", sso.RequestOptions{AttributeConsumingServiceIndex: &index}},
		{"LoginHint", sso.RequestOptions{LoginHint: "alice@example.com"}},
		{"all", sso.RequestOptions{ForceAuthn: true, NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", ProviderName: "x",
			AuthnContext: []string{"urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}}},
	}
	run := func(t *testing.T, name, version string, conn *sso.Connection, bindings map[string]bool) {
		t.Helper()
		for _, k := range options {
			for binding, post := range bindings {
				t.Run(k.name+" by "+binding, func(t *testing.T) {
					record(t, name, version, "request with "+k.name+" by "+binding, "signs in")
					req, err := conn.NewAuthnRequest(k.o)
					if err != nil {
						t.Fatal(err)
					}
					_, fields := form(t, send(t, req, post))
					o := sso.VerifyOptions{RequestID: req.ID}
					if _, err := conn.VerifyResponse(context.Background(), fields.Get("SAMLResponse"), o); err != nil {
						t.Errorf("%v\n%s", err, conn.InspectResponse(context.Background(), fields.Get("SAMLResponse"), o))
					}
				})
			}
		}
	}
	t.Run("pysaml2", func(t *testing.T) {
		conn := startPysaml2(t, pysaml2Variant{signAssertion: true, signRequests: true, signAlg: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", digestAlg: xmlenc + "sha256"})
		run(t, "pysaml2", pysaml2Version(), conn, map[string]bool{"redirect": false, "POST": true})
	})
	t.Run("crewjam", func(t *testing.T) {
		conn := startCrewjam(t, false)
		run(t, "crewjam/saml", moduleVersion("github.com/crewjam/saml"), conn, map[string]bool{"redirect": false, "POST": true})
	})
	t.Run("samlify", func(t *testing.T) {
		version := npmVersion(t, "samlify")
		run(t, "samlify (npm)", version, startNPM(t, "samlify", npmVariant{signRequests: true}), map[string]bool{"redirect": false, "POST": true})
	})
}
