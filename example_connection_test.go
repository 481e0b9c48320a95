package sso_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/ssoconn/sso"
)

func ExampleParseCertificates() {
	data, err := os.ReadFile("testdata/keys/idp.crt.pem")
	if err != nil {
		fmt.Println(err)
		return
	}
	// As it comes out of a form: on one line, with entities for line ends.
	pasted := strings.ReplaceAll(string(data), "\n", "&#13;")
	certs, err := sso.ParseCertificates(pasted)
	fmt.Println(certs, err)

	_, err = sso.ParseCertificates("8E:80:41:F4:FB:A2:71:20:B9:54:CE:9C:A2:F9:59:6A:96:1E:AC:12:83:19:6A:3E:8A:D3:3B:F4:C9:9D:18:67")
	fmt.Println(err)
	// Output:
	// CN=idp.example.com,O=sso tests, expires 2045-01-01, SHA-256 8e8041f4fba27120b954ce9ca2f9596a961eac1283196a3e8ad33bf4c99d1867 <nil>
	// sso: IdP.Certificates: is only the fingerprint of a certificate; paste the whole X.509 certificate
}

func ExampleConnection_NewAuthnRequest() {
	c := &sso.Connection{
		SP:  sso.ServiceProvider{EntityID: "https://app.example.com/saml/acme", ACSURL: "https://app.example.com/saml/acme/acs"},
		IdP: sso.IdentityProvider{EntityID: "http://www.okta.com/exk1a2b3c4", SSOURL: "https://acme.okta.com/app/crm/exk1a2b3c4/sso/saml"},
	}
	request, err := c.NewAuthnRequest(sso.RequestOptions{ForceAuthn: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Keep request.ID for this browser, then send it off.
	address, err := request.RedirectURL("state-of-this-browser")
	if err != nil {
		fmt.Println(err)
		return
	}
	u, _ := url.Parse(address)
	fmt.Println(u.Host, u.Path, u.Query().Get("RelayState"))
	// Output: acme.okta.com /app/crm/exk1a2b3c4/sso/saml state-of-this-browser
}

func ExampleConnection_Validate() {
	c := &sso.Connection{
		SP:  sso.ServiceProvider{EntityID: "https://app.example.com/saml/acme", ACSURL: "https://app.example.com/saml/acme/acs"},
		IdP: sso.IdentityProvider{EntityID: "https://accounts.google.com/o/saml2/idp?idpid=C01", SSOURL: "http://idp.example.com"},
	}
	fmt.Println(c.Validate())
	// Output:
	// sso: IdP.EntityID: looks like the sign-in address of Google Workspace: "https://accounts.google.com/o/saml2/idp?idpid=C01"; its issuer looks like https://accounts.google.com/o/saml2?idpid=…; have the two been exchanged?
	// sso: IdP.SSOURL: is http instead of https: "http://idp.example.com"; use https; http is for this very machine only, such as http://localhost
	// sso: IdP.Certificates: is empty; paste the X.509 certificate from the identity provider: nothing it sends can be trusted without
}
