package sso

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// maxLogout is the largest logout message that is read, in bytes of XML, and so
// the most that is inflated.
const maxLogout = 64 << 10

// A LogoutInput is what a browser brought to the SLO URL: the raw query of a
// GET, or the form of a POST.
type LogoutInput struct {
	// RawQuery is r.URL.RawQuery as it came: the signature is over its very
	// bytes, and AD FS writes escapes in lower case.
	RawQuery string
	// Form is r.PostForm, if the message was posted.
	Form url.Values
}

// logoutVerification is one logout message on its way through the checks.
type logoutVerification struct {
	v      *verification
	root   *etree.Element
	id     string
	name   *etree.Element // NameID or EncryptedID of a request
	index  []*etree.Element
	issuer *etree.Element
	status *etree.Element
}

// openLogout reads a message, parameter being the kind that is expected, and
// verifies its signature and all that requests and responses have in common.
// Logout is verified as strictly as login.
func (c *Connection) openLogout(ctx context.Context, in LogoutInput, parameter string, o LogoutOptions) (*logoutVerification, error) {
	if err := errors.Join(c.usable(VerifyOptions{RequestID: "logout"}, false), c.logsOut()); err != nil {
		return nil, err
	}
	l := &logoutVerification{v: newVerification(ctx, c, VerifyOptions{CurrentTime: o.CurrentTime}, "")}
	var err *VerifyError
	if in.Form != nil {
		err = l.readForm(in.Form, parameter)
	} else {
		err = l.readQuery(in.RawQuery, parameter)
	}
	if err == nil {
		err = l.check(parameter)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (c *Connection) logsOut() error {
	if c.SP.SLOURL != "" {
		return nil
	}
	return &FieldError{Field: "SP.SLOURL", Problem: "is empty", Hint: "set the address that takes logout messages"}
}

func (l *logoutVerification) bad(got, want string) *VerifyError {
	return &VerifyError{Reason: ReasonMessage, Got: got, Want: want, Hint: "this is not how " + l.v.idp.at() + " sends a logout message; check its single logout settings"}
}

// readForm reads a posted message, whose signature is inside.
func (l *logoutVerification) readForm(form url.Values, parameter string) *VerifyError {
	if len(form[parameter]) != 1 {
		return l.bad(plural(len(form[parameter]), parameter), "exactly one")
	}
	value := form[parameter][0]
	if len(value) > 2*maxLogout {
		return &VerifyError{Reason: ReasonTooLarge, Got: plural(len(value), "byte"), Want: plural(maxLogout, "byte"), Hint: l.v.idp.tooLarge()}
	}
	l.v.message = value
	if err := l.v.decode(); err != nil {
		return err
	}
	if err := l.parse(l.v.data); err != nil {
		return err
	}
	signed, err := l.v.verifySignature(l.root, l.root.Tag)
	if err == nil && !signed {
		err = &VerifyError{Reason: ReasonUnsigned, Got: "no signature", Want: "a signed logout message", Hint: l.v.idp.sign("logout message")}
	}
	return err
}

// query is the parts of a raw query that the binding knows, still escaped.
type query struct{ message, relayState, sigAlg, signature, encoding string }

// splitQuery finds the parameters, each at most once: of two SAMLRequests one
// reader verifies the first and another one acts on the second.
func splitQuery(raw, parameter string) (q query, fault string) {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(key)
		if err != nil {
			return q, "a query that does not parse"
		}
		var at *string
		switch name {
		case parameter:
			at = &q.message
		case "RelayState":
			at = &q.relayState
		case "SigAlg":
			at = &q.sigAlg
		case "Signature":
			at = &q.signature
		case "SAMLEncoding":
			at = &q.encoding
		case samlRequest, samlResponse:
			return q, "a " + name
		default:
			continue
		}
		if seen[name] || name != key {
			return q, name + " twice or spelt in a roundabout way"
		}
		seen[name] = true
		*at = value
	}
	if q.message == "" {
		return q, "no " + parameter
	}
	return q, ""
}

// signed are the octets that the signature is over: the raw parameters, in the
// order of the binding, with the very escapes that the IdP wrote.
//
// Specification: SAML 2.0 Bindings, 3.4.4.1.
func (q *query) signed(raw, parameter string) []byte {
	s := parameter + "=" + q.message
	if strings.Contains("&"+raw, "&RelayState=") {
		s += "&RelayState=" + q.relayState
	}
	return []byte(s + "&SigAlg=" + q.sigAlg)
}

// readQuery reads a message of the HTTP-Redirect binding.
func (l *logoutVerification) readQuery(raw, parameter string) *VerifyError {
	if len(raw) > 2*maxLogout {
		return &VerifyError{Reason: ReasonTooLarge, Got: plural(len(raw), "byte"), Want: plural(2*maxLogout, "byte"), Hint: l.v.idp.tooLarge()}
	}
	q, fault := splitQuery(raw, parameter)
	if fault != "" {
		return l.bad(fault, "one "+parameter)
	}
	if q.sigAlg == "" || q.signature == "" {
		return &VerifyError{Reason: ReasonUnsigned, Got: "no signature", Want: "SigAlg and Signature in the query", Hint: l.v.idp.sign("logout message")}
	}
	unescape := func(s string) string {
		out, err := url.QueryUnescape(s)
		if err != nil {
			fault = "a query that does not parse"
		}
		return out
	}
	alg, sig64, msg64, encoding := unescape(q.sigAlg), unescape(q.signature), unescape(q.message), unescape(q.encoding)
	if encoding != "" && encoding != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE" {
		fault = "the encoding " + quote(encoding)
	}
	sig, err := base64.StdEncoding.DecodeString(sig64)
	if err != nil {
		fault = "a Signature that is not base64"
	}
	if fault != "" {
		return l.bad(fault, "the HTTP-Redirect binding")
	}
	res, err := xmlsig.VerifyBytes(q.signed(raw, parameter), sig, alg, l.v.c.IdP.Certificates,
		xmlsig.Options{AllowSHA1: l.v.c.InsecureAllowSHA1, AllowShortRSA: l.v.c.InsecureAllowShortRSA})
	if err != nil {
		return l.v.signatureError(err, "query")
	}
	l.v.pin(l.v.c.IdP.Certificates[res.Certificate])
	data, verr := l.inflate(msg64)
	if verr != nil {
		return verr
	}
	if err := l.parse(data); err != nil {
		return err
	}
	if s, err := xmlsig.Signature(l.root); s != nil || err != nil {
		return l.bad("a Signature in a message of the redirect binding", "the one in the query only")
	}
	return nil
}

// inflate decodes a message, and no more of it than maxLogout: a few bytes of
// DEFLATE can stand for gigabytes.
func (l *logoutVerification) inflate(s string) ([]byte, *VerifyError) {
	packed, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, &VerifyError{Reason: ReasonEncoding, Got: "something that is not base64", Want: "a deflated message in base64", Hint: l.v.idp.notResponse()}
	}
	r := flate.NewReader(bytes.NewReader(packed))
	data, err := io.ReadAll(io.LimitReader(r, maxLogout+1))
	switch {
	case len(data) > maxLogout:
		return nil, &VerifyError{Reason: ReasonTooLarge, Got: "a message that inflates without end", Want: plural(maxLogout, "byte"), Hint: l.v.idp.tooLarge()}
	case err != nil:
		return nil, &VerifyError{Reason: ReasonEncoding, Got: "something that is not DEFLATE", Want: "a deflated message in base64", Hint: l.v.idp.notResponse()}
	}
	return data, nil
}

func (l *logoutVerification) parse(data []byte) *VerifyError {
	root, err := xmltree.Parse(data, xmltree.Limits{Bytes: maxLogout})
	if err != nil {
		var xe *xmltree.Error
		if errors.As(err, &xe) && xe.TooLarge {
			return &VerifyError{Reason: ReasonTooLarge, Err: err, Hint: l.v.idp.tooLarge()}
		}
		return &VerifyError{Reason: ReasonXML, Err: err, Want: "well-formed XML without DTD or processing instructions", Hint: l.v.idp.notResponse()}
	}
	l.root = root
	return nil
}

var (
	logoutRequestOrder = [...]slot{
		{space: samlxml.Assertion, tag: "Issuer", rank: 0}, {space: samlxml.DSig, tag: "Signature", rank: 1},
		{space: samlxml.Protocol, tag: "Extensions", rank: 2},
		{space: samlxml.Assertion, tag: "NameID", rank: 3}, {space: samlxml.Assertion, tag: "EncryptedID", rank: 3},
		{space: samlxml.Protocol, tag: "SessionIndex", rank: 4, many: true},
	}
	logoutResponseOrder = [...]slot{
		{space: samlxml.Assertion, tag: "Issuer", rank: 0}, {space: samlxml.DSig, tag: "Signature", rank: 1},
		{space: samlxml.Protocol, tag: "Extensions", rank: 2}, {space: samlxml.Protocol, tag: "Status", rank: 3},
	}
)

// check is what every logout message has to pass, after its signature.
//
// Specification: SAML 2.0 Profiles, 4.4.4, and Bindings, 3.4.5.2 and 3.5.5.2.
func (l *logoutVerification) check(parameter string) *VerifyError {
	tag, order := "LogoutRequest", logoutRequestOrder[:]
	if parameter == samlResponse {
		tag, order = "LogoutResponse", logoutResponseOrder[:]
	}
	if !samlxml.Is(l.root, samlxml.Protocol, tag) {
		return l.bad("the root element "+quote(l.root.FullTag()), "a SAML 2.0 "+tag)
	}
	if fault := sequence(l.root, order, l.note); fault != "" {
		return l.bad(fault, "the children of a "+tag+", in their order")
	}
	if !validID(l.root) {
		return l.bad("no proper ID", "one attribute ID, and no other spelling of it")
	}
	if fault := strayOrDuplicate(l.root, false); fault != "" {
		return l.bad(fault, "every ID once, and no signature or assertion inside")
	}
	l.id = attr(l.root, "ID")
	if got, _ := samlxml.Attr(l.root, "Version"); got != "2.0" {
		return &VerifyError{Reason: ReasonVersion, Got: quote(got), Want: `"2.0"`, Hint: l.v.idp.version()}
	}
	if parameter == samlResponse && l.status == nil {
		return l.bad("no Status", "exactly one")
	}
	if err := l.checkIssuer(parameter); err != nil {
		return err
	}
	if got, ok := samlxml.Attr(l.root, "Destination"); got != l.v.c.SP.SLOURL {
		return &VerifyError{Reason: ReasonDestination, Got: orNone(got, ok), Want: quote(l.v.c.SP.SLOURL), Hint: "set " + quote(l.v.c.SP.SLOURL) + " as single logout address at " + l.v.idp.at()}
	}
	return l.checkTimes()
}

func (l *logoutVerification) note(e *etree.Element) {
	switch e.Tag {
	case "Issuer":
		l.issuer = e
	case "NameID", "EncryptedID":
		l.name = e
	case "SessionIndex":
		l.index = append(l.index, e)
	case "Status":
		l.status = e
	}
}

// checkIssuer compares exactly. Entra ID alone signs its LogoutResponse as
// another issuer than its assertions, by its own documentation; for that IdP,
// that tenant and that message the other name is taken too, and no setting
// opens this to others.
func (l *logoutVerification) checkIssuer(parameter string) *VerifyError {
	if l.issuer == nil {
		return &VerifyError{Reason: ReasonIssuer, Got: "no Issuer", Want: quote(l.v.c.IdP.EntityID), Hint: l.v.idp.notResponse()}
	}
	if got, ok := value(l.issuer); ok && parameter == samlResponse {
		tenant, entra := strings.CutPrefix(l.v.c.IdP.EntityID, "https://sts.windows.net/")
		if entra && got == "https://login.microsoftonline.com/"+tenant {
			return nil
		}
	}
	return l.v.issuerIs(l.issuer)
}

func (l *logoutVerification) checkTimes() *VerifyError {
	v := l.v
	s, _ := samlxml.Attr(l.root, "IssueInstant")
	t, err := samlxml.Time(s)
	switch {
	case err != nil:
		return &VerifyError{Reason: ReasonIssueInstant, Got: quote(s), Want: "a time in UTC", Hint: v.idp.notResponse()}
	case t.After(v.now.Add(v.skew)):
		return &VerifyError{Reason: ReasonIssueInstant, Got: stamp(t), Want: "not after " + stamp(v.now.Add(v.skew)), Hint: v.idp.clocks(t.Sub(v.now), v.skew)}
	case t.Before(v.now.Add(-v.skew - maxMessageAge)):
		return &VerifyError{Reason: ReasonIssueInstant, Got: stamp(t), Want: "not before " + stamp(v.now.Add(-v.skew-maxMessageAge)), Hint: v.idp.old(v.now.Sub(t))}
	}
	if s, ok := samlxml.Attr(l.root, "NotOnOrAfter"); ok {
		till, err := samlxml.Time(s)
		if err != nil {
			return l.bad("NotOnOrAfter "+quote(s), "a time in UTC")
		}
		if !v.now.Before(till.Add(v.skew)) {
			return v.expired("NotOnOrAfter", till)
		}
	}
	return v.checkCertificateIfAny()
}

// checkCertificateIfAny holds RefuseExpiredCertificates for logout too.
func (v *verification) checkCertificateIfAny() *VerifyError {
	if v.certificate == nil {
		return nil
	}
	return v.checkCertificate()
}

// session reads whose sessions end.
func (l *logoutVerification) session() (s LogoutSession, err *VerifyError) {
	none := func(got string) *VerifyError {
		return &VerifyError{Reason: ReasonSubject, Got: got, Want: "one NameID", Hint: l.v.idp.sendEmail()}
	}
	e := l.name
	if e == nil {
		return s, none("no NameID")
	}
	if e.Tag == "EncryptedID" {
		// The signature over the message was verified, so it covers the
		// ciphertext.
		if e, err = l.v.decrypt(e, true); err != nil {
			return s, err
		}
	}
	id, ok := readNameID(e)
	if !ok || id.Value == "" || len(id.Value) > maxNameID {
		return s, none("a NameID that is empty, too long or holds elements")
	}
	s.Subject = id
	for _, e := range l.index {
		index, ok := value(e)
		if !ok || index == "" {
			// Empty would read as: all sessions.
			return s, l.bad("an empty SessionIndex", "the index of a session, or none")
		}
		s.SessionIndexes = append(s.SessionIndexes, strings.Clone(index))
	}
	return s, nil
}
