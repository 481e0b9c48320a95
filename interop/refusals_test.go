package interop

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// TestRefusals has IdPs refuse, and their words reach whoever reads the error.
func TestRefusals(t *testing.T) {
	const (
		prefix = "urn:oasis:names:tc:SAML:2.0:status:"
		rsa256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	)
	for _, k := range []struct {
		idp, version, name string
		o                  sso.RequestOptions
		begin              func(t *testing.T) *sso.Connection
		path               string // of the IdP, if not its usual one
		want               sso.StatusError
	}{
		{"pysaml2", pysaml2Version(), "passive, nobody signed in", sso.RequestOptions{IsPassive: true}, func(t *testing.T) *sso.Connection {
			return startPysaml2(t, pysaml2Variant{signResponse: true, nobody: true, signAlg: rsa256, digestAlg: xmlenc + "sha256"})
		}, "", sso.StatusError{Code: prefix + "Responder", SubCode: prefix + "NoPassive", Message: "Никто не вошёл"}},
		{"pysaml2", pysaml2Version(), "passive, somebody signed in", sso.RequestOptions{IsPassive: true}, func(t *testing.T) *sso.Connection {
			return startPysaml2(t, pysaml2Variant{signResponse: true, signAlg: rsa256, digestAlg: xmlenc + "sha256"})
		}, "", sso.StatusError{}},
		{"pysaml2", pysaml2Version(), "denied", sso.RequestOptions{}, func(t *testing.T) *sso.Connection {
			return startPysaml2(t, pysaml2Variant{signResponse: true, denies: true, signAlg: rsa256, digestAlg: xmlenc + "sha256"})
		}, "", sso.StatusError{Code: prefix + "Responder", SubCode: prefix + "RequestDenied", Message: "Доступ закрыт"}},
		{"samlp (npm)", npmVersion(t, "samlp"), "denied", sso.RequestOptions{}, func(t *testing.T) *sso.Connection {
			return startNPM(t, "samlp", npmVariant{signAssertion: true})
		}, "/denied", sso.StatusError{Code: prefix + "Responder", Message: "Доступ закрыт"}},
	} {
		t.Run(k.idp+" "+k.name, func(t *testing.T) {
			t.Parallel()
			expected := "refused: status"
			if k.want.Code == "" {
				expected = "signs in"
			}
			record(t, k.idp, k.version, k.name, expected)
			conn := k.begin(t)
			if k.path != "" {
				conn.IdP.SSOURL = strings.TrimSuffix(conn.IdP.SSOURL, "/sso") + k.path
			}
			req, err := conn.NewAuthnRequest(k.o)
			if err != nil {
				t.Fatal(err)
			}
			_, fields := form(t, send(t, req, false))
			a, err := conn.VerifyResponse(context.Background(), fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: req.ID})
			if k.want.Code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var refusal *sso.VerifyError
			var status *sso.StatusError
			if a != nil || !errors.As(err, &refusal) || refusal.Reason != sso.ReasonStatus || !errors.As(err, &status) {
				t.Fatalf("got (%v, %v), want a refusal for its status", a, err)
			}
			if diff := cmp.Diff(k.want, *status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}
