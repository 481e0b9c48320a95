package sso

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// artifactTimeout bounds the question to the IdP, on top of ctx.
const artifactTimeout = 10 * time.Second

const soapSpace = "http://schemas.xmlsoap.org/soap/envelope/"

// VerifyArtifact asks the IdP, at IdP.ArtifactURL, what an artifact stands for,
// and verifies the Response that comes back by the checks of VerifyResponse.
// artifact is the value of the SAMLart parameter. client is the application's
// own; its redirects are not followed. Nil: http.DefaultClient.
//
// The question is signed if there is an SP.SigningKey. A signature on the
// ArtifactResponse counts like one on the Response. Without any signature the
// answer is refused, TLS or not: what is pinned are keys, not channels.
//
// The errors are those of VerifyResponse, and a *VerifyError for
// ReasonBackChannel if the IdP could not be asked.
//
// Specification: SAML 2.0 Bindings, 3.6, and Profiles, 5.
func (c *Connection) VerifyArtifact(ctx context.Context, client *http.Client, artifact string, o VerifyOptions) (*Assertion, error) {
	if err := c.usable(o, true); err != nil {
		return nil, err
	}
	check := validator{}
	check.address("IdP.ArtifactURL", c.IdP.ArtifactURL, "paste the artifact resolution address from the identity provider")
	if err := check.err(); err != nil {
		return nil, err
	}
	v := newVerification(ctx, c, o, "")
	if err := v.checkArtifact(artifact); err != nil {
		return nil, err
	}
	id := newID()
	question, err := c.artifactResolve(id, artifact, v.now)
	if err != nil {
		return nil, err
	}
	answer, verr := v.ask(client, question)
	if verr != nil {
		return nil, verr
	}
	if err := v.openArtifactResponse(answer, id); err != nil {
		return nil, err
	}
	// The message was read with the envelope around it.
	return v.verdict(checks[afterReading:])
}

// checkArtifact tells whose artifact it is: the SourceID is the SHA-1 of the
// issuer's entity ID, as the specification has it and where it protects nothing.
// An artifact of another IdP is not taken to this one.
//
// Specification: SAML 2.0 Bindings, 3.6.4.
func (v *verification) checkArtifact(artifact string) *VerifyError {
	raw, err := strictBase64.DecodeString(artifact)
	if err != nil || len(raw) != 44 || raw[0] != 0 || raw[1] != 4 {
		return &VerifyError{Reason: ReasonEncoding, Got: "something that is no artifact of type 4", Want: "44 bytes in base64", Hint: v.idp.notResponse()}
	}
	if source := sha1.Sum([]byte(v.c.IdP.EntityID)); !bytes.Equal(raw[4:24], source[:]) {
		return &VerifyError{Reason: ReasonIssuer, Got: "an artifact of another identity provider", Want: quote(v.c.IdP.EntityID), Hint: v.idp.issuer(v.c, "")}
	}
	return nil
}

// artifactResolve is the SOAP message that asks.
func (c *Connection) artifactResolve(id, artifact string, now time.Time) ([]byte, error) {
	e := etree.NewElement("samlp:ArtifactResolve")
	e.CreateAttr("xmlns:samlp", samlxml.Protocol)
	e.CreateAttr("xmlns:saml", samlxml.Assertion)
	e.CreateAttr("ID", id)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", samlxml.FormatTime(now))
	e.CreateAttr("Destination", c.IdP.ArtifactURL)
	e.CreateElement("saml:Issuer").SetText(c.SP.EntityID)
	e.CreateElement("samlp:Artifact").SetText(artifact)
	if c.SP.SigningKey != nil {
		s, err := c.signer()
		if err != nil {
			return nil, err
		}
		if err := xmlsig.Sign(e, s.key, s.cert, s.method, 1); err != nil {
			return nil, err
		}
	}
	envelope := etree.NewElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", soapSpace)
	envelope.CreateElement("soap:Body").AddChild(e)
	var b bytes.Buffer
	envelope.WriteTo(&b, &writeSettings)
	return b.Bytes(), nil
}

func (v *verification) backChannel(got string, err error) *VerifyError {
	return &VerifyError{Reason: ReasonBackChannel, Got: got, Want: "an ArtifactResponse", Err: err,
		Hint: "check the artifact resolution address, and that this server can reach " + v.idp.at() + "; HTTP-POST needs no such connection"}
}

// ask posts the question and reads the answer, within bounds of time and size.
func (v *verification) ask(client *http.Client, question []byte) ([]byte, *VerifyError) {
	ctx, cancel := context.WithTimeout(v.ctx, artifactTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.c.IdP.ArtifactURL, bytes.NewReader(question))
	if err != nil {
		return nil, v.backChannel("no request", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`)
	if client == nil {
		client = http.DefaultClient
	}
	direct := *client
	// A redirect would take the artifact, which is as good as the assertion, to
	// another place.
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := direct.Do(req)
	if err != nil {
		return nil, v.backChannel("no answer", errors.New(reachError(err)))
	}
	defer resp.Body.Close()
	const most = MaxResponseSize + 64<<10
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, v.backChannel("an answer that broke off", errors.New(reachError(err)))
	case len(body) > most:
		return nil, &VerifyError{Reason: ReasonTooLarge, Got: fmt.Sprintf("more than %d bytes", most), Want: "less", Hint: v.idp.tooLarge()}
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusInternalServerError: // SOAP faults come with 500
		return nil, v.backChannel("the answer "+resp.Status, nil)
	}
	return body, nil
}

var artifactOrder = [...]slot{
	{space: samlxml.Assertion, tag: "Issuer", rank: 0}, {space: samlxml.DSig, tag: "Signature", rank: 1},
	{space: samlxml.Protocol, tag: "Extensions", rank: 2}, {space: samlxml.Protocol, tag: "Status", rank: 3},
	{space: samlxml.Protocol, tag: "Response", rank: 4},
}

// openArtifactResponse reads the SOAP answer, verifies the ArtifactResponse and
// puts the Response in it before the checks, in its place in the tree: the
// namespaces that SOAP declares stay in scope.
func (v *verification) openArtifactResponse(answer []byte, id string) *VerifyError {
	root, err := xmltree.Parse(answer, xmltree.Limits{Bytes: MaxResponseSize + 64<<10})
	if err != nil {
		return &VerifyError{Reason: ReasonXML, Err: err, Want: "a SOAP envelope", Hint: v.idp.notResponse()}
	}
	bad := func(got, want string) *VerifyError {
		return &VerifyError{Reason: ReasonMessage, Got: got, Want: want, Hint: v.idp.notResponse()}
	}
	body, n := samlxml.Child(root, soapSpace, "Body")
	if !samlxml.Is(root, soapSpace, "Envelope") || n != 1 {
		return bad("the root element "+quote(root.FullTag()), "a SOAP envelope with one Body")
	}
	inside := body.ChildElements()
	if len(inside) == 1 && samlxml.Is(inside[0], soapSpace, "Fault") {
		text := ""
		if f := inside[0].SelectElement("faultstring"); f != nil {
			text, _ = value(f)
		}
		return v.backChannel("the SOAP fault "+quote(text), nil)
	}
	if len(inside) != 1 || !samlxml.Is(inside[0], samlxml.Protocol, "ArtifactResponse") {
		return bad("another SOAP body", "one ArtifactResponse")
	}
	outer := inside[0]
	var issuer, status, response *etree.Element
	if fault := sequence(outer, artifactOrder[:], func(e *etree.Element) {
		switch e.Tag {
		case "Issuer":
			issuer = e
		case "Status":
			status = e
		case "Response":
			response = e
		}
	}); fault != "" || status == nil || !validID(outer) {
		return bad(orElse(fault, "no Status or no proper ID"), "the children of an ArtifactResponse, in their order")
	}
	if issuer != nil {
		if err := v.issuerIs(issuer); err != nil {
			return err
		}
	}
	if got, ok := samlxml.Attr(outer, "InResponseTo"); got != id {
		return &VerifyError{Reason: ReasonInResponseTo, Got: orNone(got, ok), Want: quote(id), Hint: v.idp.notResponse()}
	}
	s, fault := readStatus(status)
	switch {
	case fault != "":
		return &VerifyError{Reason: ReasonStatus, Got: fault, Want: "one StatusCode", Hint: v.idp.notResponse()}
	case s.Code != samlxml.StatusSuccess:
		return &VerifyError{Reason: ReasonStatus, Got: s.describe(), Want: "Success", Err: s, Hint: v.idp.status(s)}
	case response == nil:
		return bad("an ArtifactResponse without a Response", "one: an artifact is good once")
	}
	outerID, _ := samlxml.Attr(outer, "ID")
	if innerID, _ := samlxml.Attr(response, "ID"); innerID == outerID {
		return bad("the ID "+quote(outerID)+" twice", "every ID once")
	}
	signed, verr := v.verifySignature(outer, "ArtifactResponse")
	if verr != nil {
		return verr
	}
	v.outerSigned = signed
	v.root = response
	return nil
}
