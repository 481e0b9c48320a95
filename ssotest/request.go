package ssotest

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// A Request is what the IdP answers: an AuthnRequest, or nothing at all.
type Request struct {
	// ID of the AuthnRequest. Empty: the IdP starts by itself.
	ID string
	// Issuer is the SP's entity ID and becomes the audience.
	Issuer string
	// ACSURL is where the answer goes.
	ACSURL string
	// RelayState came with the request and goes back with the answer.
	RelayState string
	// ForceAuthn, IsPassive and NameIDFormat are what the request asked for.
	ForceAuthn, IsPassive bool
	NameIDFormat          string
}

// RequestTo is the request that the connection would send with this ID. An
// empty ID makes it an IdP-initiated sign-in.
func RequestTo(c *sso.Connection, id string) Request {
	return Request{ID: id, Issuer: c.SP.EntityID, ACSURL: c.SP.ACSURL}
}

// maxRequest bounds a request, inflated: AuthnRequests are a kilobyte.
const maxRequest = 1 << 20

// ParseRequest reads the request from the address that an application
// redirects a browser to.
func ParseRequest(redirect string) (Request, error) {
	u, err := url.Parse(redirect)
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: request: %w", err)
	}
	return ParseForm(u.Query(), true)
}

// ParseForm reads the request from the parameters of a browser's visit:
// deflated as the HTTP-Redirect binding has it, or plain as HTTP-POST does.
func ParseForm(form url.Values, deflated bool) (Request, error) {
	message := form.Get("SAMLRequest")
	if message == "" {
		return Request{}, errors.New("ssotest: request: there is no SAMLRequest")
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(message), ""))
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: request: %w", err)
	}
	if deflated {
		data, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxRequest+1))
		if err != nil {
			return Request{}, fmt.Errorf("ssotest: request: %w", err)
		}
	}
	if len(data) > maxRequest {
		return Request{}, errors.New("ssotest: request: too long")
	}
	root, err := xmltree.Parse(data, xmltree.Limits{})
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: request: %w", err)
	}
	req, err := readRequest(root)
	req.RelayState = form.Get("RelayState")
	return req, err
}

func readRequest(root *etree.Element) (Request, error) {
	if !samlxml.Is(root, samlxml.Protocol, "AuthnRequest") {
		return Request{}, fmt.Errorf("ssotest: request: got a %s, want an AuthnRequest", root.FullTag())
	}
	var req Request
	req.ID, _ = samlxml.Attr(root, "ID")
	req.ACSURL, _ = samlxml.Attr(root, "AssertionConsumerServiceURL")
	force, _ := samlxml.Attr(root, "ForceAuthn")
	passive, _ := samlxml.Attr(root, "IsPassive")
	req.ForceAuthn, req.IsPassive = force == "true" || force == "1", passive == "true" || passive == "1"
	issuer, n := samlxml.Child(root, samlxml.Assertion, "Issuer")
	if req.ID == "" || n != 1 {
		return Request{}, errors.New("ssotest: request: it needs an ID and one Issuer")
	}
	text, err := samlxml.Text(issuer)
	if err != nil {
		return Request{}, fmt.Errorf("ssotest: request: Issuer %w", err)
	}
	req.Issuer = strings.TrimSpace(text)
	if policy, n := samlxml.Child(root, samlxml.Protocol, "NameIDPolicy"); n > 0 {
		req.NameIDFormat, _ = samlxml.Attr(policy, "Format")
	}
	return req, nil
}
