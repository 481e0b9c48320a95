package sso

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/xmlenc"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

var logoutNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func logoutConnection(tb testing.TB) *Connection {
	tb.Helper()
	return &Connection{
		SP: ServiceProvider{EntityID: "https://app.example.com/metadata", ACSURL: "https://app.example.com/acs", SLOURL: "https://app.example.com/slo",
			SigningKey: testKey(tb, "sp-signing"), DecryptionKeys: []KeyPair{*testKey(tb, "sp-encryption")}},
		IdP: IdentityProvider{EntityID: "https://idp.example.com", SSOURL: "https://idp.example.com/sso", SLOURL: "https://idp.example.com/slo",
			Certificates: Certificates{testKey(tb, "idp").Certificate}},
	}
}

// logoutSender makes the IdP's messages, each part to be got wrong.
type logoutSender struct {
	tag, id, issuer, destination, instant, extra string
	body                                         string
	key                                          *KeyPair
	method                                       string
	unsigned, post, lower                        bool
	relayState                                   string
	change                                       func(raw string) string // of the raw query, after signing
	encrypt                                      bool
}

func aRequest(tb testing.TB) logoutSender {
	return logoutSender{tag: "LogoutRequest", id: "_l1", issuer: "https://idp.example.com", destination: "https://app.example.com/slo", instant: "2026-03-01T12:00:00Z",
		body: "<saml:NameID>alice@example.com</saml:NameID><samlp:SessionIndex>s1</samlp:SessionIndex>", key: testKey(tb, "idp"), relayState: "state+/="}
}

func aResponse(tb testing.TB, status string) logoutSender {
	m := aRequest(tb)
	m.tag, m.extra, m.body = "LogoutResponse", ` InResponseTo="_ours"`, "<samlp:Status>"+status+"</samlp:Status>"
	return m
}

const logoutSuccess = `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>`

func (m logoutSender) send(tb testing.TB) LogoutInput {
	tb.Helper()
	text := fmt.Sprintf(`<samlp:%s xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s" Destination="%s"%s><saml:Issuer>%s</saml:Issuer>%s</samlp:%s>`,
		m.tag, m.id, m.instant, m.destination, m.extra, m.issuer, m.body, m.tag)
	root, err := xmltree.Parse([]byte(text), xmltree.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	if m.encrypt {
		id := root.FindElement("./NameID")
		enc, err := xmlenc.Encrypt(id, "EncryptedID", testKey(tb, "sp-encryption").Certificate, xmlenc.EncryptOptions{Content: "aes128-cbc"})
		if err != nil {
			tb.Fatal(err)
		}
		at := id.Index()
		root.RemoveChildAt(at)
		root.InsertChildAt(at, enc)
	}
	parameter := map[string]string{"LogoutRequest": "SAMLRequest", "LogoutResponse": "SAMLResponse"}[m.tag]
	signer := m.key.Private.(crypto.Signer)
	if m.post {
		if !m.unsigned {
			if err := xmlsig.Sign(root, signer, m.key.Certificate, m.method, 1); err != nil {
				tb.Fatal(err)
			}
		}
		doc := etree.NewDocumentWithRoot(root)
		out, err := doc.WriteToBytes()
		if err != nil {
			tb.Fatal(err)
		}
		return LogoutInput{Form: url.Values{parameter: {base64.StdEncoding.EncodeToString(out)}, "RelayState": {m.relayState}}}
	}
	out, err := etree.NewDocumentWithRoot(root).WriteToBytes()
	if err != nil {
		tb.Fatal(err)
	}
	raw := parameter + "=" + m.escape(base64.StdEncoding.EncodeToString(deflated(tb, out)))
	if m.relayState != "" {
		raw += "&RelayState=" + m.escape(m.relayState)
	}
	if !m.unsigned {
		uri, err := xmlsig.MethodURI(signer, m.method)
		if err != nil {
			tb.Fatal(err)
		}
		raw += "&SigAlg=" + m.escape(uri)
		sig, _, err := xmlsig.SignBytes([]byte(raw), signer, m.method)
		if err != nil {
			tb.Fatal(err)
		}
		raw += "&Signature=" + m.escape(base64.StdEncoding.EncodeToString(sig))
	}
	if m.change != nil {
		raw = m.change(raw)
	}
	return LogoutInput{RawQuery: raw}
}

// escape writes escapes as the sender does: AD FS in lower case.
func (m logoutSender) escape(s string) string {
	s = url.QueryEscape(s)
	if !m.lower {
		return s
	}
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i:i+3], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

func deflated(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// onceCache is a replay memory.
type onceCache map[string]bool

func (c onceCache) Remember(_ context.Context, key string, _ time.Time) (bool, error) {
	fresh := !c[key]
	c[key] = true
	return fresh, nil
}

func TestHandleLogoutRequest(t *testing.T) {
	t.Parallel()
	bomb := func(raw string) string {
		return "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated(t, make([]byte, 50<<20)))) + raw[strings.Index(raw, "&"):]
	}
	for _, k := range []struct {
		name   string
		change func(m *logoutSender)
		want   Reason
		ends   string
	}{
		{"redirect", func(m *logoutSender) {}, "", "alice@example.com [s1]"},
		{"redirect, escapes in lower case", func(m *logoutSender) { m.lower = true }, "", "alice@example.com [s1]"},
		{"redirect, no RelayState", func(m *logoutSender) { m.relayState = "" }, "", "alice@example.com [s1]"},
		{"redirect, a foreign parameter", func(m *logoutSender) { m.change = func(raw string) string { return "tenant=x&" + raw } }, "", "alice@example.com [s1]"},
		{"POST", func(m *logoutSender) { m.post = true }, "", "alice@example.com [s1]"},
		{"SHA-512", func(m *logoutSender) { m.method = "rsa-sha512" }, "", "alice@example.com [s1]"},
		{"all sessions", func(m *logoutSender) { m.body = "<saml:NameID>bob</saml:NameID>" }, "", "bob []"},
		{"many sessions", func(m *logoutSender) { m.body += "<samlp:SessionIndex>s2</samlp:SessionIndex>" }, "", "alice@example.com [s1 s2]"},
		{"encrypted NameID", func(m *logoutSender) { m.encrypt = true }, "", "alice@example.com [s1]"},
		{"encrypted NameID, POST", func(m *logoutSender) { m.encrypt, m.post = true, true }, "", "alice@example.com [s1]"},
		{"NotOnOrAfter ahead", func(m *logoutSender) { m.extra = ` NotOnOrAfter="2026-03-01T12:05:00Z"` }, "", "alice@example.com [s1]"},

		{"unsigned", func(m *logoutSender) { m.unsigned = true }, ReasonUnsigned, ""},
		{"unsigned, POST", func(m *logoutSender) { m.unsigned, m.post = true, true }, ReasonUnsigned, ""},
		{"another key", func(m *logoutSender) { m.key = testKey(t, "idp2") }, ReasonKey, ""},
		{"another key, POST", func(m *logoutSender) { m.key, m.post = testKey(t, "idp2"), true }, ReasonKey, ""},
		{"RelayState changed", func(m *logoutSender) {
			m.change = func(raw string) string { return strings.Replace(raw, "RelayState=s", "RelayState=t", 1) }
		}, ReasonKey, ""},
		{"escapes rewritten", func(m *logoutSender) {
			m.change = func(raw string) string { return strings.Replace(raw, "RelayState=state%2B", "RelayState=state%2b", 1) }
		}, ReasonKey, ""},
		{"two SAMLRequests", func(m *logoutSender) { m.change = func(raw string) string { return raw + "&" + raw } }, ReasonMessage, ""},
		{"an escaped second name", func(m *logoutSender) { m.change = func(raw string) string { return raw + "&SAML%52equest=x" } }, ReasonMessage, ""},
		{"a SAMLResponse beside it", func(m *logoutSender) { m.change = func(raw string) string { return raw + "&SAMLResponse=x" } }, ReasonMessage, ""},
		{"two Signatures", func(m *logoutSender) { m.change = func(raw string) string { return raw + "&Signature=x" } }, ReasonMessage, ""},
		{"a bomb, unsigned", func(m *logoutSender) { m.change = bomb }, ReasonKey, ""},
		{"another issuer", func(m *logoutSender) { m.issuer += "/" }, ReasonIssuer, ""},
		{"Entra's other issuer is for answers only", func(m *logoutSender) { m.issuer = "https://login.microsoftonline.com/x/" }, ReasonIssuer, ""},
		{"another destination", func(m *logoutSender) { m.destination += "/" }, ReasonDestination, ""},
		{"no destination", func(m *logoutSender) { m.destination = "" }, ReasonDestination, ""},
		{"made too long ago", func(m *logoutSender) { m.instant = "2026-03-01T11:42:59Z" }, ReasonIssueInstant, ""},
		{"made just long enough ago", func(m *logoutSender) { m.instant = "2026-03-01T11:43:00Z" }, "", "alice@example.com [s1]"},
		{"made in the future", func(m *logoutSender) { m.instant = "2026-03-01T12:02:01Z" }, ReasonIssueInstant, ""},
		{"expired", func(m *logoutSender) { m.extra = ` NotOnOrAfter="2026-03-01T11:58:00Z"` }, ReasonExpired, ""},
		{"another version", func(m *logoutSender) { m.extra = ` version="1.1"` }, "", "alice@example.com [s1]"},
		{"no NameID", func(m *logoutSender) { m.body = "<samlp:SessionIndex>s1</samlp:SessionIndex>" }, ReasonSubject, ""},
		{"an empty SessionIndex", func(m *logoutSender) { m.body = "<saml:NameID>bob</saml:NameID><samlp:SessionIndex/>" }, ReasonMessage, ""},
		{"two NameIDs", func(m *logoutSender) { m.body = "<saml:NameID>bob</saml:NameID><saml:NameID>eve</saml:NameID>" }, ReasonMessage, ""},
		{"an assertion inside", func(m *logoutSender) {
			m.body = `<samlp:Extensions><saml:Assertion ID="_x"/></samlp:Extensions><saml:NameID>bob</saml:NameID>`
		}, ReasonMessage, ""},
		{"a response in its place", func(m *logoutSender) {
			m.change = func(raw string) string { return strings.Replace(raw, "SAMLRequest", "SAMLResponse", 1) }
		}, ReasonMessage, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := logoutConnection(t)
			m := aRequest(t)
			k.change(&m)
			in := m.send(t)
			replay := onceCache{}
			ended := ""
			end := func(_ context.Context, s LogoutSession) error {
				ended += fmt.Sprint(s.Subject.Value, " ", s.SessionIndexes)
				return nil
			}
			o := LogoutOptions{Replay: replay, CurrentTime: logoutNow}
			answer, err := c.HandleLogoutRequest(t.Context(), in, o, end)
			if diff := cmp.Diff(k.want, logoutReason(err)); diff != "" {
				t.Fatalf("reason (-want +got):\n%s%v", diff, err)
			}
			if diff := cmp.Diff(k.ends, ended); diff != "" {
				t.Errorf("ended (-want +got):\n%s", diff)
			}
			if (answer == nil) != (err != nil) {
				t.Errorf("the answer is %v with %v", answer, err)
			}
			if err != nil {
				return
			}
			if _, err := c.HandleLogoutRequest(t.Context(), in, o, end); logoutReason(err) != ReasonReplay || ended != k.ends {
				t.Errorf("the second time: %v, ended %s", err, ended)
			}
		})
	}
}

func logoutReason(err error) Reason {
	var ve *VerifyError
	if errors.As(err, &ve) {
		return ve.Reason
	}
	if err != nil {
		return Reason(err.Error())
	}
	return ""
}

// TestLogoutBomb is a bomb that the IdP itself signed.
func TestLogoutBomb(t *testing.T) {
	t.Parallel()
	c := logoutConnection(t)
	raw := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated(t, bytes.Repeat([]byte(" "), 50<<20))))
	signer := testKey(t, "idp").Private.(crypto.Signer)
	raw += "&SigAlg=" + url.QueryEscape("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
	sig, _, err := xmlsig.SignBytes([]byte(raw), signer, "rsa-sha256")
	if err != nil {
		t.Fatal(err)
	}
	raw += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))
	_, err = c.HandleLogoutRequest(t.Context(), LogoutInput{RawQuery: raw}, LogoutOptions{Replay: onceCache{}, CurrentTime: logoutNow}, func(context.Context, LogoutSession) error { return nil })
	if logoutReason(err) != ReasonTooLarge {
		t.Errorf("got %v, want %s", err, ReasonTooLarge)
	}
}

func TestVerifyLogoutResponse(t *testing.T) {
	t.Parallel()
	code := func(sub string) string {
		return `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + sub + `"/></samlp:StatusCode>`
	}
	for _, k := range []struct {
		name   string
		status string
		change func(c *Connection, m *logoutSender)
		want   Reason
		sub    string
	}{
		{"done", logoutSuccess, nil, "", ""},
		{"done, POST", logoutSuccess, func(_ *Connection, m *logoutSender) { m.post = true }, "", ""},
		{"partial", `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:PartialLogout"/></samlp:StatusCode>`, nil, ReasonStatus, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"},
		{"denied", code("RequestDenied"), nil, ReasonStatus, "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"},
		{"no code", "", nil, ReasonStatus, ""},
		{"to another request", logoutSuccess, func(_ *Connection, m *logoutSender) { m.extra = ` InResponseTo="_other"` }, ReasonInResponseTo, ""},
		{"to no request", logoutSuccess, func(_ *Connection, m *logoutSender) { m.extra = "" }, ReasonInResponseTo, ""},
		{"unsigned", logoutSuccess, func(_ *Connection, m *logoutSender) { m.unsigned = true }, ReasonUnsigned, ""},
		{"Entra's other issuer", logoutSuccess, func(c *Connection, m *logoutSender) {
			c.IdP.EntityID, m.issuer = "https://sts.windows.net/t1/", "https://login.microsoftonline.com/t1/"
		}, "", ""},
		{"Entra's other issuer, another tenant", logoutSuccess, func(c *Connection, m *logoutSender) {
			c.IdP.EntityID, m.issuer = "https://sts.windows.net/t1/", "https://login.microsoftonline.com/t2/"
		}, ReasonIssuer, ""},
		{"Entra's issuer for somebody else", logoutSuccess, func(c *Connection, m *logoutSender) { m.issuer = "https://login.microsoftonline.com/t1/" }, ReasonIssuer, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			c := logoutConnection(t)
			m := aResponse(t, k.status)
			if k.change != nil {
				k.change(c, &m)
			}
			err := c.VerifyLogoutResponse(t.Context(), m.send(t), "_ours", LogoutOptions{CurrentTime: logoutNow})
			if diff := cmp.Diff(k.want, logoutReason(err)); diff != "" {
				t.Errorf("reason (-want +got):\n%s%v", diff, err)
			}
			var se *StatusError
			if k.sub != "" && (!errors.As(err, &se) || se.SubCode != k.sub) {
				t.Errorf("got %v, want the code %s", err, k.sub)
			}
		})
	}
}

// TestLogoutRoundTrip sends our own messages to ourselves, as the other side.
func TestLogoutRoundTrip(t *testing.T) {
	t.Parallel()
	c := logoutConnection(t)
	other := logoutConnection(t)
	other.SP = ServiceProvider{EntityID: c.IdP.EntityID, ACSURL: "x", SLOURL: c.IdP.SLOURL, SigningKey: testKey(t, "idp"), DecryptionKeys: []KeyPair{*testKey(t, "sp-next")}}
	other.IdP = IdentityProvider{EntityID: c.SP.EntityID, SLOURL: c.SP.SLOURL, Certificates: Certificates{testKey(t, "sp-signing").Certificate}}
	s := LogoutSession{Subject: NameID{Value: "алиса", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", NameQualifier: "q", SPNameQualifier: "s"}, SessionIndexes: []string{"1", "2"}}
	for _, encrypt := range []*x509.Certificate{nil, testKey(t, "sp-next").Certificate} {
		for result, want := range map[error]Reason{nil: "", ErrPartialLogout: ReasonStatus, errors.New("down"): ReasonStatus} {
			req, err := c.NewLogoutRequest(s, LogoutOptions{CurrentTime: logoutNow, Reason: "urn:oasis:names:tc:SAML:2.0:logout:user", EncryptTo: encrypt})
			if err != nil {
				t.Fatal(err)
			}
			to, err := req.RedirectURL("relay")
			if err != nil {
				t.Fatal(err)
			}
			_, raw, _ := strings.Cut(to, "?")
			answer, err := other.HandleLogoutRequest(t.Context(), LogoutInput{RawQuery: raw}, LogoutOptions{Replay: onceCache{}, CurrentTime: logoutNow}, func(_ context.Context, got LogoutSession) error {
				if diff := cmp.Diff(s, got); diff != "" {
					t.Errorf("session (-want +got):\n%s", diff)
				}
				return result
			})
			if err != nil {
				t.Fatal(err)
			}
			back, err := answer.RedirectURL("relay")
			if err != nil {
				t.Fatal(err)
			}
			_, raw, _ = strings.Cut(back, "?")
			if err := c.VerifyLogoutResponse(t.Context(), LogoutInput{RawQuery: raw}, req.ID, LogoutOptions{CurrentTime: logoutNow}); logoutReason(err) != want {
				t.Errorf("%v: got %v, want %s", result, err, want)
			}
		}
	}
}

// TestLogoutStatus has the application choose what the IdP is told.
func TestLogoutStatus(t *testing.T) {
	t.Parallel()
	const status = "urn:oasis:names:tc:SAML:2.0:status:"
	c := logoutConnection(t)
	for _, want := range []StatusError{
		{Code: status + "Requester", SubCode: status + "UnknownPrincipal", Message: "nobody of that name"},
		{Code: status + "Responder", SubCode: status + "RequestDenied"},
		{Code: status + "VersionMismatch"},
	} {
		answer, err := c.HandleLogoutRequest(t.Context(), aRequest(t).send(t), LogoutOptions{Replay: onceCache{}, CurrentTime: logoutNow}, func(context.Context, LogoutSession) error {
			return fmt.Errorf("ending sessions: %w", &want)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, fault := readStatus(answer.element.FindElement("./Status"))
		if diff := cmp.Diff(&want, got); diff != "" || fault != "" {
			t.Errorf("status (-want +got):\n%s%s", diff, fault)
		}
	}
}

// FuzzLogoutQuery: what is accepted was signed, to the byte.
func FuzzLogoutQuery(f *testing.F) {
	c := logoutConnection(f)
	good := aRequest(f).send(f).RawQuery
	f.Add(good)
	f.Add(strings.Replace(good, "&", "&&", 1))
	f.Add("SAMLRequest=%")
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := c.HandleLogoutRequest(t.Context(), LogoutInput{RawQuery: raw}, LogoutOptions{Replay: onceCache{}, CurrentTime: logoutNow}, func(_ context.Context, s LogoutSession) error {
			if s.Subject.Value != "alice@example.com" || len(s.SessionIndexes) != 1 {
				t.Errorf("ended %+v", s)
			}
			return nil
		})
		if err == nil {
			for _, part := range strings.Split(good, "&") {
				if !strings.Contains("&"+raw+"&", "&"+part+"&") {
					t.Errorf("accepted without %q: %q", part, raw)
				}
			}
		}
	})
}
