package sso

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/deflate"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// samlRequest is the parameter that carries a request.
const samlRequest = "SAMLRequest"

// maxRelayState is the most bytes of RelayState.
//
// Specification: SAML 2.0 Bindings, 3.4.3 and 3.5.3.
const maxRelayState = 80

func checkRelayState(s string) error {
	if len(s) <= maxRelayState {
		return nil
	}
	return &FieldError{Field: "RelayState", Problem: fmt.Sprintf("has %d bytes, and SAML allows %d", len(s), maxRelayState),
		Hint: "keep the state on the server and send a short key to it"}
}

// writeSettings keep line ends and tabs in values: unescaped, they
// would reach the reader as blanks, and break the signature.
var writeSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true}

// redirectURL puts a message into an address. The signature covers exactly the
// bytes that are sent, in the order that the binding gives, and nothing that
// the address had before.
//
// Specification: SAML 2.0 Bindings, 3.4.4.1.
func redirectURL(address, parameter string, message *etree.Element, relayState string, s *signer) (string, error) {
	if err := checkRelayState(relayState); err != nil {
		return "", err
	}
	var xml bytes.Buffer
	xml.Grow(1 << 10)
	message.WriteTo(&xml, &writeSettings)
	deflated := deflate.Append(make([]byte, 0, 512), xml.Bytes())

	start := len(address) + len(separator(address))
	b := make([]byte, 0, start+2*len(deflated)+3*len(relayState)+700)
	b = append(b, address...)
	b = append(b, separator(address)...)
	b = append(b, parameter...)
	b = append(b, '=')
	b = appendEscaped64(b, deflated, xml.Bytes())
	if relayState != "" {
		b = append(b, "&RelayState="...)
		b = append(b, url.QueryEscape(relayState)...)
	}
	if s == nil {
		return string(b), nil
	}
	b = append(b, "&SigAlg="...)
	b = append(b, url.QueryEscape(s.uri)...)
	value, uri, err := xmlsig.SignBytes(b[start:], s.key, s.method)
	if err != nil {
		return "", err
	}
	if uri != s.uri {
		return "", fmt.Errorf("sso: the key signed with %s and not with %s", uri, s.uri)
	}
	b = append(b, "&Signature="...)
	return string(appendEscaped64(b, value, xml.Bytes())), nil
}

// appendEscaped64 appends data in base64, escaped for a query. It may write
// over scratch.
func appendEscaped64(b, data, scratch []byte) []byte {
	encoded := base64.StdEncoding.AppendEncode(scratch[:0], data)
	from := 0
	for i, c := range encoded {
		var esc string
		switch c {
		case '+':
			esc = "%2B"
		case '/':
			esc = "%2F"
		case '=':
			esc = "%3D"
		default:
			continue
		}
		b = append(b, encoded[from:i]...)
		b = append(b, esc...)
		from = i + 1
	}
	return append(b, encoded[from:]...)
}

// separator is what stands between an address and one more parameter.
func separator(address string) string {
	switch {
	case !strings.Contains(address, "?"):
		return "?"
	case strings.HasSuffix(address, "?") || strings.HasSuffix(address, "&"):
		return ""
	}
	return "&"
}

// PostFormCSP is the Content-Security-Policy for the page that PostForm makes.
// It lets nothing run but the page's one script, by its hash. Forms may go to
// any web address, since browsers hold an IdP's own redirects to the same rule.
const PostFormCSP = "default-src 'none'; base-uri 'none'; form-action http: https:; frame-ancestors 'none'; " +
	"script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='"

//go:embed postform.html
var postFormHTML string

var postFormPage = template.Must(template.New("postform").Parse(postFormHTML))

// postForm makes the page that posts a message.
func postForm(address, parameter string, message *etree.Element, relayState string) ([]byte, error) {
	if err := checkRelayState(relayState); err != nil {
		return nil, err
	}
	var xml, page bytes.Buffer
	message.WriteTo(&xml, &writeSettings)
	err := postFormPage.Execute(&page, struct{ Address, Parameter, Message, RelayState string }{
		address, parameter, base64.StdEncoding.EncodeToString(xml.Bytes()), relayState,
	})
	if err != nil {
		return nil, err
	}
	return page.Bytes(), nil
}
