package sso

import (
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// An AuthnRequest asks the IdP to sign a person in. Keep its ID, bound to the
// browser, until the Response comes: it is VerifyOptions.RequestID then.
//
// Specification: SAML 2.0 Core, 3.4.1.
type AuthnRequest struct {
	// ID is "_" and 160 random bits in hex.
	ID string
	// IssueInstant is when the request was made.
	IssueInstant time.Time

	issuer, acsURL     string
	redirectTo, postTo string
	options            RequestOptions
	signer             *signer // nil: unsigned
}

// NewAuthnRequest makes a request of this connection. It asks of the IdP what
// Connection.Request and o ask: by default nothing. Where both have a value
// that of o counts, and what either switches on is on; AuthnContext and its
// comparison count together. The request is signed if SignRequests is on.
//
// The error is one or more joined *FieldError, if the connection lacks what a
// request needs or o asks what no request can.
func (c *Connection) NewAuthnRequest(o RequestOptions) (*AuthnRequest, error) {
	v := validator{}
	v.sendable(c)
	v.request("Request", &c.Request)
	v.request("RequestOptions", &o)
	r := &AuthnRequest{
		IssueInstant: o.CurrentTime.UTC(),
		issuer:       c.SP.EntityID,
		acsURL:       c.SP.ACSURL,
		redirectTo:   c.IdP.SSOURL,
		postTo:       c.IdP.SSOPostURL,
		options:      mergeOptions(c.Request, o),
	}
	if c.SignRequests {
		var err error
		if r.signer, err = c.signer(); err != nil {
			v.errs = append(v.errs, err)
		}
	}
	if err := v.err(); err != nil {
		return nil, err
	}
	if o.CurrentTime.IsZero() {
		r.IssueInstant = time.Now().UTC()
	}
	if r.postTo == "" {
		r.postTo = r.redirectTo
	}
	r.ID = newID()
	return r, nil
}

// sendable checks what a request needs of a connection, and no more: Validate
// looks at everything.
func (v *validator) sendable(c *Connection) {
	if c.SP.EntityID == "" {
		v.add("SP.EntityID", "is empty", "set the entity ID that the identity provider knows us by")
	}
	v.address("SP.ACSURL", c.SP.ACSURL, "set the address that the identity provider shall post to")
	v.address("IdP.SSOURL", c.IdP.SSOURL, "paste the sign-in address from the identity provider")
	if c.IdP.SSOPostURL != "" && c.IdP.SSOPostURL != c.IdP.SSOURL {
		v.address("IdP.SSOPostURL", c.IdP.SSOPostURL, "")
	}
}

// newID returns an ID that nobody can guess, for an answer to it is an answer
// to us. It begins as an xs:ID must; Entra ID refuses a digit there.
//
// Specification: SAML 2.0 Core, 1.3.4.
func newID() string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails
	var id [1 + 2*len(random)]byte
	id[0] = '_'
	hex.Encode(id[1:], random[:])
	return string(id[:])
}

func mergeOptions(c, o RequestOptions) RequestOptions {
	o.ForceAuthn = o.ForceAuthn || c.ForceAuthn
	o.IsPassive = o.IsPassive || c.IsPassive
	if o.NameIDFormat == "" {
		o.NameIDFormat = c.NameIDFormat
	}
	if len(o.AuthnContext) == 0 {
		o.AuthnContext = c.AuthnContext
		if o.AuthnContextComparison == "" {
			o.AuthnContextComparison = c.AuthnContextComparison
		}
	}
	o.AuthnContext = slices.Clone(o.AuthnContext)
	if o.ProviderName == "" {
		o.ProviderName = c.ProviderName
	}
	if o.AttributeConsumingServiceIndex == nil {
		o.AttributeConsumingServiceIndex = c.AttributeConsumingServiceIndex
	}
	if o.LoginHint == "" {
		o.LoginHint = c.LoginHint
	}
	return o
}

// element builds the request for one destination, unsigned.
func (r *AuthnRequest) element(destination string) *etree.Element {
	o := &r.options
	e := etree.NewElement("samlp:AuthnRequest")
	e.Attr = make([]etree.Attr, 0, 13)
	set := func(key, value string) { e.Attr = append(e.Attr, etree.Attr{Key: key, Value: value}) }
	e.Attr = append(e.Attr,
		etree.Attr{Space: "xmlns", Key: "samlp", Value: samlxml.Protocol},
		etree.Attr{Space: "xmlns", Key: "saml", Value: samlxml.Assertion})
	set("ID", r.ID)
	set("Version", "2.0")
	set("IssueInstant", samlxml.FormatTime(r.IssueInstant))
	set("Destination", destination)
	if o.ForceAuthn {
		set("ForceAuthn", "true")
	}
	if o.IsPassive {
		set("IsPassive", "true")
	}
	set("ProtocolBinding", samlxml.BindingPOST)
	set("AssertionConsumerServiceURL", r.acsURL)
	if i := o.AttributeConsumingServiceIndex; i != nil {
		set("AttributeConsumingServiceIndex", strconv.Itoa(*i))
	}
	if o.ProviderName != "" {
		set("ProviderName", o.ProviderName)
	}
	e.CreateElement("saml:Issuer").SetText(r.issuer)
	if o.NameIDFormat != "" {
		p := e.CreateElement("samlp:NameIDPolicy")
		p.CreateAttr("Format", o.NameIDFormat)
		if o.NameIDFormat != samlxml.NameIDTransient {
			// Without it the IdP may answer only for people whom it named to us
			// before. The errata of Core 3.4.1.1 keep it from transient.
			p.CreateAttr("AllowCreate", "true")
		}
	}
	if len(o.AuthnContext) > 0 {
		rac := e.CreateElement("samlp:RequestedAuthnContext")
		if o.AuthnContextComparison != "" {
			rac.CreateAttr("Comparison", o.AuthnContextComparison)
		}
		for _, ref := range o.AuthnContext {
			rac.CreateElement("saml:AuthnContextClassRef").SetText(ref)
		}
	}
	return e
}

// RedirectURL returns the address to send the browser to, for the HTTP-Redirect
// binding. relayState comes back with the Response; it may have 80 bytes at
// most and be empty. The IdP and the person see it.
//
// The error is a *FieldError if relayState is too long, else it comes from the
// signing key.
//
// Specification: SAML 2.0 Bindings, 3.4.
func (r *AuthnRequest) RedirectURL(relayState string) (string, error) {
	return redirectURL(r.hinted(r.redirectTo), samlRequest, r.element(r.redirectTo), relayState, r.signer)
}

// PostForm returns an HTML page that posts the request to the IdP, for the
// HTTP-POST binding: by itself, or by a button where scripts are off. Serve it
// with Content-Type text/html; charset=utf-8, Cache-Control no-store, and
// [PostFormCSP] as Content-Security-Policy. relayState and the error are as for
// RedirectURL.
//
// Specification: SAML 2.0 Bindings, 3.5.
func (r *AuthnRequest) PostForm(relayState string) ([]byte, error) {
	e := r.element(r.postTo)
	if r.signer != nil {
		// The Signature follows the Issuer.
		if err := xmlsig.Sign(e, r.signer.key, r.signer.cert, r.signer.method, 1); err != nil {
			return nil, err
		}
	}
	return postForm(r.hinted(r.postTo), samlRequest, e, relayState)
}

// hinted adds the login hint to an address. It stands before the parameters of
// the binding, where no reader of signed queries trips over it.
func (r *AuthnRequest) hinted(address string) string {
	if r.options.LoginHint == "" {
		return address
	}
	return address + separator(address) + "login_hint=" + url.QueryEscape(r.options.LoginHint)
}
