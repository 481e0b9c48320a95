package sso

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

var requestTime = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// makeRequest makes a request at requestTime.
func makeRequest(tb testing.TB, c *Connection, o RequestOptions) *AuthnRequest {
	tb.Helper()
	if o.CurrentTime.IsZero() {
		o.CurrentTime = requestTime
	}
	r, err := c.NewAuthnRequest(o)
	if err != nil {
		tb.Fatalf("NewAuthnRequest: %v", err)
	}
	return r
}

// sentRedirect is the message in an address and what else its query has, as a
// reader of the raw query finds them.
type sentRedirect struct {
	xml    []byte
	names  []string // of the parameters, in order
	values map[string]string
	signed string // what Signature covers
}

func readRedirect(tb testing.TB, address string) sentRedirect {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	s := sentRedirect{values: make(map[string]string)}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, raw, _ := strings.Cut(pair, "=")
		s.names = append(s.names, name)
		if s.values[name], err = url.QueryUnescape(raw); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		switch name {
		case "SAMLRequest":
			s.signed = pair
		case "RelayState", "SigAlg":
			s.signed += "&" + pair
		}
	}
	deflated, err := base64.StdEncoding.DecodeString(s.values["SAMLRequest"])
	if err != nil {
		tb.Fatalf("SAMLRequest: %v", err)
	}
	if s.xml, err = io.ReadAll(flate.NewReader(bytes.NewReader(deflated))); err != nil {
		tb.Fatalf("SAMLRequest: %v", err)
	}
	return s
}

// sentForm is what a browser would post from a page.
type sentForm struct {
	action string
	fields map[string]string
	xml    []byte
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	formField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

func readForm(tb testing.TB, page []byte) sentForm {
	tb.Helper()
	s := sentForm{fields: make(map[string]string)}
	action := formAction.FindAllSubmatch(page, -1)
	if len(action) != 1 {
		tb.Fatalf("%d forms in %s", len(action), page)
	}
	s.action = html.UnescapeString(string(action[0][1]))
	for _, m := range formField.FindAllSubmatch(page, -1) {
		s.fields[string(m[1])] = html.UnescapeString(string(m[2]))
	}
	var err error
	if s.xml, err = base64.StdEncoding.DecodeString(s.fields["SAMLRequest"]); err != nil {
		tb.Fatalf("SAMLRequest: %v", err)
	}
	return s
}

func parseElement(tb testing.TB, data []byte) *etree.Element {
	tb.Helper()
	e, err := xmltree.Parse(data, xmltree.Limits{})
	if err != nil {
		tb.Fatalf("%v in %s", err, data)
	}
	return e
}

// wire is a request as the IdP reads it.
type wire struct {
	Attributes           map[string]string
	Issuer               string
	NameIDPolicy         map[string]string
	Comparison           string
	AuthnContextClassRef []string
	Children             []string
}

func readWire(tb testing.TB, data []byte) wire {
	tb.Helper()
	e := parseElement(tb, data)
	if !samlxml.Is(e, samlxml.Protocol, "AuthnRequest") {
		tb.Fatalf("root is %s", e.Tag)
	}
	attributes := func(e *etree.Element) map[string]string {
		found := make(map[string]string)
		for _, a := range e.Attr {
			if a.Space != "xmlns" {
				found[a.Key] = a.Value
			}
		}
		return found
	}
	w := wire{Attributes: attributes(e)}
	for _, c := range e.ChildElements() {
		w.Children = append(w.Children, c.Tag)
		switch c.Tag {
		case "Issuer":
			w.Issuer = c.Text()
		case "NameIDPolicy":
			w.NameIDPolicy = attributes(c)
		case "RequestedAuthnContext":
			w.Comparison, _ = samlxml.Attr(c, "Comparison")
			for _, ref := range c.ChildElements() {
				w.AuthnContextClassRef = append(w.AuthnContextClassRef, ref.Text())
			}
		}
	}
	return w
}

func TestRequestAsksNothingByDefault(t *testing.T) {
	t.Parallel()
	r := makeRequest(t, goodConnection(t), RequestOptions{})
	address, err := r.RedirectURL("")
	if err != nil {
		t.Fatal(err)
	}
	want := wire{
		Attributes: map[string]string{
			"ID": r.ID, "Version": "2.0", "IssueInstant": "2026-03-01T09:00:00.000Z",
			"Destination":                 "https://idp.example.com/sso",
			"ProtocolBinding":             "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
			"AssertionConsumerServiceURL": "https://app.example.com/saml/acme/acs",
		},
		Issuer:   "https://app.example.com/saml/acme",
		Children: []string{"Issuer"},
	}
	if diff := cmp.Diff(want, readWire(t, readRedirect(t, address).xml)); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if !r.IssueInstant.Equal(requestTime) {
		t.Errorf("IssueInstant is %v", r.IssueInstant)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 1000 {
		id := makeRequest(t, goodConnection(t), RequestOptions{}).ID
		raw, err := hex.DecodeString(strings.TrimPrefix(id, "_"))
		if err != nil || id[0] != '_' || 8*len(raw) < 128 {
			t.Fatalf("ID %q: not \"_\" and 128 bits or more", id)
		}
		if seen[id] {
			t.Fatalf("ID %q twice", id)
		}
		seen[id] = true
	}
}

func TestRequestTimeIsNow(t *testing.T) {
	t.Parallel()
	before := time.Now()
	r, err := goodConnection(t).NewAuthnRequest(RequestOptions{})
	if err != nil || r.IssueInstant.Before(before) || r.IssueInstant.After(time.Now()) {
		t.Errorf("IssueInstant %v, error %v; want now", r.IssueInstant, err)
	}
}

func number(n int) *int { return &n }

func TestRequestOptions(t *testing.T) {
	t.Parallel()
	const password, x509 = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
	tests := []struct {
		name       string
		connection RequestOptions
		request    RequestOptions
		want       func(*wire)
	}{
		{"force", RequestOptions{}, RequestOptions{ForceAuthn: true}, func(w *wire) { w.Attributes["ForceAuthn"] = "true" }},
		{"force by connection", RequestOptions{ForceAuthn: true}, RequestOptions{}, func(w *wire) { w.Attributes["ForceAuthn"] = "true" }},
		{"passive", RequestOptions{}, RequestOptions{IsPassive: true}, func(w *wire) { w.Attributes["IsPassive"] = "true" }},
		{"passive by connection", RequestOptions{IsPassive: true}, RequestOptions{}, func(w *wire) { w.Attributes["IsPassive"] = "true" }},
		{"provider name", RequestOptions{}, RequestOptions{ProviderName: "A <\"&'> Ω"}, func(w *wire) { w.Attributes["ProviderName"] = "A <\"&'> Ω" }},
		{"request before connection", RequestOptions{ProviderName: "c"}, RequestOptions{ProviderName: "r"}, func(w *wire) { w.Attributes["ProviderName"] = "r" }},
		{"index 0", RequestOptions{}, RequestOptions{AttributeConsumingServiceIndex: number(0)}, func(w *wire) { w.Attributes["AttributeConsumingServiceIndex"] = "0" }},
		{"index by connection", RequestOptions{AttributeConsumingServiceIndex: number(7)}, RequestOptions{}, func(w *wire) { w.Attributes["AttributeConsumingServiceIndex"] = "7" }},
		{"persistent", RequestOptions{}, RequestOptions{NameIDFormat: samlxml.NameIDPersistent}, func(w *wire) {
			w.NameIDPolicy = map[string]string{"Format": samlxml.NameIDPersistent, "AllowCreate": "true"}
			w.Children = append(w.Children, "NameIDPolicy")
		}},
		{"transient", RequestOptions{NameIDFormat: samlxml.NameIDPersistent}, RequestOptions{NameIDFormat: samlxml.NameIDTransient}, func(w *wire) {
			w.NameIDPolicy = map[string]string{"Format": samlxml.NameIDTransient}
			w.Children = append(w.Children, "NameIDPolicy")
		}},
		{"context", RequestOptions{}, RequestOptions{AuthnContext: []string{password, x509}, AuthnContextComparison: "minimum"}, func(w *wire) {
			w.Comparison, w.AuthnContextClassRef = "minimum", []string{password, x509}
			w.Children = append(w.Children, "RequestedAuthnContext")
		}},
		{"context by connection", RequestOptions{AuthnContext: []string{password}, AuthnContextComparison: "better"}, RequestOptions{}, func(w *wire) {
			w.Comparison, w.AuthnContextClassRef = "better", []string{password}
			w.Children = append(w.Children, "RequestedAuthnContext")
		}},
		{"context without the other's comparison", RequestOptions{AuthnContext: []string{password}, AuthnContextComparison: "better"}, RequestOptions{AuthnContext: []string{x509}}, func(w *wire) {
			w.AuthnContextClassRef = []string{x509}
			w.Children = append(w.Children, "RequestedAuthnContext")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			plain := makeRequest(t, c, RequestOptions{})
			c.Request = tt.connection
			r := makeRequest(t, c, tt.request)
			for binding, data := range bothBindings(t, r) {
				want := readWire(t, bothBindings(t, plain)[binding])
				want.Attributes["ID"] = r.ID
				tt.want(&want)
				if diff := cmp.Diff(want, readWire(t, data)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", binding, diff)
				}
			}
		})
	}
}

// bothBindings returns the XML that goes out by each binding.
func bothBindings(tb testing.TB, r *AuthnRequest) map[string][]byte {
	tb.Helper()
	address, err := r.RedirectURL("state")
	if err != nil {
		tb.Fatal(err)
	}
	page, err := r.PostForm("state")
	if err != nil {
		tb.Fatal(err)
	}
	return map[string][]byte{"redirect": readRedirect(tb, address).xml, "post": readForm(tb, page).xml}
}

// TestRequestSchema sends every combination of the options through both
// bindings, signed and unsigned, and has the OASIS schema judge them.
func TestRequestSchema(t *testing.T) {
	t.Parallel()
	c := goodConnection(t)
	c.SP.SigningKey = testKey(t, "sp-p256") // fast
	documents := make(map[string][]byte)
	for mask := range 1 << 7 {
		has := func(bit int) bool { return mask>>bit&1 == 1 }
		c.SignRequests = has(0)
		o := RequestOptions{ForceAuthn: has(1), IsPassive: has(2)}
		if has(3) {
			o.NameIDFormat = samlxml.NameIDEmail
		}
		if has(4) {
			o.AuthnContext = []string{"urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos"}
			o.AuthnContextComparison = []string{"", "exact", "minimum", "maximum", "better"}[mask%5]
		}
		if has(5) {
			o.ProviderName = "Café <&\"'> CRM"
		}
		if has(6) {
			o.AttributeConsumingServiceIndex = number(mask)
		}
		r := makeRequest(t, c, o)
		for binding, data := range bothBindings(t, r) {
			documents[fmt.Sprintf("%s %07b", binding, mask)] = data
		}
		w := readWire(t, documents[fmt.Sprintf("redirect %07b", mask)])
		if got := w.Attributes["ProviderName"]; got != o.ProviderName || (w.Comparison != o.AuthnContextComparison) {
			t.Errorf("%07b: ProviderName %q, comparison %q", mask, got, w.Comparison)
		}
	}
	for name, wrong := range checkSchema(t, schemaProtocol, documents) {
		t.Errorf("%s: %s", name, wrong)
	}
}

func TestRedirectURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ssoURL, relayState, hint string
		signed                         bool
		wantPrefix                     string
		wantNames                      []string
	}{
		{"plain", "https://idp.example.com/sso", "", "", false, "https://idp.example.com/sso?SAMLRequest=", []string{"SAMLRequest"}},
		{"state", "https://idp.example.com/sso", "a b&c=d/é+", "", false, "https://idp.example.com/sso?SAMLRequest=", []string{"SAMLRequest", "RelayState"}},
		{"signed", "https://idp.example.com/sso", "", "", true, "https://idp.example.com/sso?SAMLRequest=", []string{"SAMLRequest", "SigAlg", "Signature"}},
		{"signed with state", "https://idp.example.com/sso", "a b&c=d/é+", "", true, "https://idp.example.com/sso?SAMLRequest=", []string{"SAMLRequest", "RelayState", "SigAlg", "Signature"}},
		{"query", "https://accounts.google.com/o/saml2/idp?idpid=C0x", "s", "", true, "https://accounts.google.com/o/saml2/idp?idpid=C0x&SAMLRequest=", []string{"idpid", "SAMLRequest", "RelayState", "SigAlg", "Signature"}},
		{"question mark", "https://idp.example.com/sso?", "", "", false, "https://idp.example.com/sso?SAMLRequest=", []string{"SAMLRequest"}},
		{"ampersand", "https://idp.example.com/sso?a=b&", "", "", false, "https://idp.example.com/sso?a=b&SAMLRequest=", []string{"a", "SAMLRequest"}},
		{"hint", "https://idp.example.com/sso?a=b", "s", "jo+e@example.com", true, "https://idp.example.com/sso?a=b&login_hint=jo%2Be%40example.com&SAMLRequest=", []string{"a", "login_hint", "SAMLRequest", "RelayState", "SigAlg", "Signature"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			c.IdP.SSOURL = tt.ssoURL
			c.SP.SigningKey, c.SignRequests = testKey(t, "sp-signing"), tt.signed
			r := makeRequest(t, c, RequestOptions{LoginHint: tt.hint})
			address, err := r.RedirectURL(tt.relayState)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(address, tt.wantPrefix) {
				t.Errorf("got %s, want prefix %s", address, tt.wantPrefix)
			}
			s := readRedirect(t, address)
			if diff := cmp.Diff(tt.wantNames, s.names); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if s.values["RelayState"] != tt.relayState {
				t.Errorf("RelayState is %q, want %q", s.values["RelayState"], tt.relayState)
			}
			if got := readWire(t, s.xml).Attributes["Destination"]; got != tt.ssoURL {
				t.Errorf("Destination is %q, want %q", got, tt.ssoURL)
			}
			if tt.signed {
				verifyQuery(t, s, c.SP.SigningKey)
			}
			if bytes.Contains(s.xml, []byte("login_hint")) || tt.hint != "" && bytes.Contains(s.xml, []byte(tt.hint)) {
				t.Errorf("the hint is in the request: %s", s.xml)
			}
		})
	}
}

func verifyQuery(tb testing.TB, s sentRedirect, k *KeyPair) {
	tb.Helper()
	value, err := base64.StdEncoding.DecodeString(s.values["Signature"])
	if err != nil {
		tb.Fatal(err)
	}
	pinned := Certificates{k.Certificate}
	if _, err := xmlsig.VerifyBytes([]byte(s.signed), value, s.values["SigAlg"], pinned, xmlsig.Options{}); err != nil {
		tb.Errorf("signature over %s: %v", s.signed, err)
	}
	if _, err := xmlsig.VerifyBytes([]byte(s.signed+"x"), value, s.values["SigAlg"], pinned, xmlsig.Options{}); err == nil {
		tb.Error("the signature verifies over other bytes")
	}
}

// kms is a signer that shows nothing of its key, as one in a KMS.
type kms struct{ key crypto.Signer }

func (k kms) Public() crypto.PublicKey { return k.key.Public() }
func (k kms) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.key.Sign(r, digest, o)
}

func TestRequestSignatureMethods(t *testing.T) {
	t.Parallel()
	const more = "http://www.w3.org/2001/04/xmldsig-more#"
	tests := []struct {
		key    string
		method SignatureMethod
		want   string
	}{
		{"sp-signing", "", more + "rsa-sha256"},
		{"sp-signing", RSASHA256, more + "rsa-sha256"},
		{"sp-signing", RSASHA384, more + "rsa-sha384"},
		{"sp-signing", RSASHA512, more + "rsa-sha512"},
		{"sp-p256", "", more + "ecdsa-sha256"},
		{"sp-p256", ECDSASHA256, more + "ecdsa-sha256"},
		{"idp-p384", ECDSASHA384, more + "ecdsa-sha384"},
		{"idp-p521", ECDSASHA512, more + "ecdsa-sha512"},
	}
	for _, tt := range tests {
		t.Run(tt.key+" "+string(tt.method), func(t *testing.T) {
			t.Parallel()
			c := goodConnection(t)
			key := testKey(t, tt.key)
			c.SP.SigningKey = &KeyPair{Private: kms{key.Private.(crypto.Signer)}, Certificate: key.Certificate}
			c.SignRequests, c.SignatureMethod = true, tt.method
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			r := makeRequest(t, c, RequestOptions{NameIDFormat: samlxml.NameIDEmail})
			address, err := r.RedirectURL("state")
			if err != nil {
				t.Fatal(err)
			}
			s := readRedirect(t, address)
			verifyQuery(t, s, key)
			if s.values["SigAlg"] != tt.want {
				t.Errorf("SigAlg is %s, want %s", s.values["SigAlg"], tt.want)
			}
			if readWire(t, s.xml).Children[1] == "Signature" {
				t.Error("a signature in the XML of a redirect")
			}

			page, err := r.PostForm("state")
			if err != nil {
				t.Fatal(err)
			}
			e := parseElement(t, readForm(t, page).xml)
			if got := e.ChildElements()[1].Tag; got != "Signature" {
				t.Errorf("after the Issuer comes %s", got)
			}
			res, err := xmlsig.Verify(e, Certificates{key.Certificate}, xmlsig.Options{})
			if err != nil || res.SignatureMethod != tt.want {
				t.Errorf("signature by %s, %v; want %s", res.SignatureMethod, err, tt.want)
			}
			e.CreateAttr("ForceAuthn", "true")
			if _, err := xmlsig.Verify(e, Certificates{key.Certificate}, xmlsig.Options{}); err == nil {
				t.Error("the signature verifies over another request")
			}
		})
	}
}

func TestPostForm(t *testing.T) {
	t.Parallel()
	c := goodConnection(t)
	c.IdP.SSOPostURL = "https://idp.example.com/post?a=1&b=2"
	const state = `"><script>alert(1)</script>&amp;`
	r := makeRequest(t, c, RequestOptions{LoginHint: "joe@example.com"})
	page, err := r.PostForm(state)
	if err != nil {
		t.Fatal(err)
	}
	s := readForm(t, page)
	if want := "https://idp.example.com/post?a=1&b=2&login_hint=joe%40example.com"; s.action != want {
		t.Errorf("action is %q, want %q", s.action, want)
	}
	if s.fields["RelayState"] != state {
		t.Errorf("RelayState is %q, want %q", s.fields["RelayState"], state)
	}
	if got := readWire(t, s.xml).Attributes["Destination"]; got != c.IdP.SSOPostURL {
		t.Errorf("Destination is %q, want %q", got, c.IdP.SSOPostURL)
	}
	if !bytes.Contains(page, []byte(`<button type="submit">`)) {
		t.Error("no button for browsers without scripts")
	}
	scripts := formScript.FindAllSubmatch(page, -1)
	if len(scripts) != 1 {
		t.Fatalf("%d scripts in %s", len(scripts), page)
	}
	sum := sha256.Sum256(scripts[0][1])
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(PostFormCSP, want) {
		t.Errorf("PostFormCSP is %q, want %s in it", PostFormCSP, want)
	}
	if regexp.MustCompile(`(?i)\son\w+=|style=|<style|src=|javascript:`).Match(page) {
		t.Errorf("the page has what its policy forbids: %s", page)
	}

	if page, err = r.PostForm(""); err != nil || bytes.Contains(page, []byte("RelayState")) {
		t.Errorf("error %v, or a RelayField without RelayState in %s", err, page)
	}
}

func TestPostFormUsesTheOneAddress(t *testing.T) {
	t.Parallel()
	c := goodConnection(t)
	page, err := makeRequest(t, c, RequestOptions{}).PostForm("")
	if err != nil {
		t.Fatal(err)
	}
	if got := readForm(t, page).action; got != c.IdP.SSOURL {
		t.Errorf("action is %q, want %q", got, c.IdP.SSOURL)
	}
}

func TestRelayStateLimit(t *testing.T) {
	t.Parallel()
	r := makeRequest(t, goodConnection(t), RequestOptions{})
	for n, ok := range map[int]bool{80: true, 81: false} {
		state := strings.Repeat("x", n)
		_, errRedirect := r.RedirectURL(state)
		_, errPost := r.PostForm(state)
		for _, err := range []error{errRedirect, errPost} {
			var fe *FieldError
			if ok && err != nil || !ok && (!errors.As(err, &fe) || fe.Field != "RelayState" || !strings.Contains(fe.Problem, "81")) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
	if _, err := r.RedirectURL(strings.Repeat("é", 41)); err == nil {
		t.Error("82 bytes in 41 characters passed")
	}
}

func TestNewAuthnRequestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(*Connection, *RequestOptions)
		want  []string
	}{
		{"nothing", func(*Connection, *RequestOptions) {}, nil},
		{"entity ID", func(c *Connection, _ *RequestOptions) { c.SP.EntityID = "" }, []string{"SP.EntityID"}},
		{"ACS", func(c *Connection, _ *RequestOptions) { c.SP.ACSURL = "/acs" }, []string{"SP.ACSURL"}},
		{"SSO URL", func(c *Connection, _ *RequestOptions) { c.IdP.SSOURL = "javascript:alert(1)" }, []string{"IdP.SSOURL"}},
		{"POST URL", func(c *Connection, _ *RequestOptions) { c.IdP.SSOPostURL = "http://idp.example.com/" }, []string{"IdP.SSOPostURL"}},
		{"no key", func(c *Connection, _ *RequestOptions) { c.SignRequests = true }, []string{"SP.SigningKey"}},
		{"no signer", func(c *Connection, _ *RequestOptions) {
			c.SignRequests = true
			c.SP.SigningKey = &KeyPair{Private: "key"}
		}, []string{"SP.SigningKey.Private"}},
		{"method", func(c *Connection, _ *RequestOptions) {
			c.SignRequests, c.SP.SigningKey, c.SignatureMethod = true, testKey(t, "sp-p256"), RSASHA256
		}, []string{"SignatureMethod"}},
		{"unknown method", func(c *Connection, _ *RequestOptions) {
			c.SignRequests, c.SP.SigningKey, c.SignatureMethod = true, testKey(t, "sp-p256"), "rsa-sha1"
		}, []string{"SignatureMethod"}},
		{"option of the connection", func(c *Connection, _ *RequestOptions) { c.Request.AuthnContextComparison = "strong" }, []string{"Request.AuthnContextComparison"}},
		{"options", func(_ *Connection, o *RequestOptions) {
			o.AuthnContextComparison, o.NameIDFormat, o.AuthnContext, o.AttributeConsumingServiceIndex = "EXACT", "email", []string{"a b"}, number(70000)
		}, []string{"RequestOptions.NameIDFormat", "RequestOptions.AuthnContext[0]", "RequestOptions.AuthnContextComparison", "RequestOptions.AttributeConsumingServiceIndex"}},
		{"several", func(c *Connection, o *RequestOptions) { c.IdP.SSOURL, o.LoginHint = "", "a\nb" }, []string{"IdP.SSOURL", "RequestOptions.LoginHint"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, o := goodConnection(t), RequestOptions{}
			tt.spoil(c, &o)
			r, err := c.NewAuthnRequest(o)
			if diff := cmp.Diff(tt.want, fieldsOf(t, err)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if (r == nil) != (err != nil) {
				t.Errorf("request %v with error %v", r, err)
			}
		})
	}
}

// fieldsOf returns the fields that a joined error speaks of. Each part has to
// be a *FieldError that says what to do.
func fieldsOf(tb testing.TB, err error) []string {
	tb.Helper()
	if err == nil {
		return nil
	}
	parts := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		parts = joined.Unwrap()
	}
	var fields []string
	for _, part := range parts {
		fe, ok := part.(*FieldError)
		if !ok || fe.Field == "" || fe.Problem == "" || fe.Hint == "" {
			tb.Errorf("not a whole *FieldError: %#v", part)
			continue
		}
		fields = append(fields, fe.Field)
	}
	return fields
}

// TestSigningMovesOver walks through the change of our signing key.
func TestSigningMovesOver(t *testing.T) {
	t.Parallel()
	c := goodConnection(t)
	c.SignRequests = true
	now, next := testKey(t, "sp-signing"), testKey(t, "sp-next")
	signedBy := func(k *KeyPair) {
		t.Helper()
		address, err := makeRequest(t, c, RequestOptions{}).RedirectURL("")
		if err != nil {
			t.Fatal(err)
		}
		verifyQuery(t, readRedirect(t, address), k)
	}
	c.SP.SigningKey = now
	signedBy(now)
	c.SP.NextSigningKey = &KeyPair{Certificate: next.Certificate}
	signedBy(now)
	c.SP.SigningKey, c.SP.NextSigningKey = next, nil
	signedBy(next)
}

func BenchmarkRequestURL(b *testing.B) {
	for _, bm := range []struct{ name, key string }{{"unsigned", ""}, {"rsa2048", "sp-signing"}, {"p256", "sp-p256"}} {
		b.Run(bm.name, func(b *testing.B) {
			c := goodConnection(b)
			if bm.key != "" {
				c.SP.SigningKey, c.SignRequests = testKey(b, bm.key), true
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := c.NewAuthnRequest(RequestOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := r.RedirectURL("hq1o3PqqFfGXaLXXyO2GBA"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
