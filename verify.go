package sso

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// MaxResponseSize is the largest Response that is read, in bytes of XML. A
// person in 10,000 groups needs 1.3 MB; anything longer is refused by its
// length, before it is decoded.
const MaxResponseSize = 2 << 20

// maxMessageAge bounds how old a message may be, whatever it says of its own
// validity. An honest one arrives seconds after it is made; the bound is what
// keeps replay memory finite against an IdP that issues assertions for years.
const maxMessageAge = 15 * time.Minute

// verification is the state of one run of the checks over one message.
type verification struct {
	ctx  context.Context
	c    *Connection
	o    VerifyOptions
	now  time.Time
	skew time.Duration
	idp  idpProfile

	message string // base64, as posted
	data    []byte // XML

	root          *etree.Element // the Response
	issuer        *etree.Element // its Issuer, nil if it has none
	status        *etree.Element
	assertion     *etree.Element // the one assertion; EncryptedAssertion until it is decrypted
	encrypted     bool           // it came encrypted
	solicited     bool           // the Response names our request
	rootSigned    bool           // the Response's signature verified
	innerSigned   bool           // the assertion's own signature verified
	outerSigned   bool           // that of the ArtifactResponse around it all did
	certificate   *x509.Certificate
	issueInstant  time.Time // of the assertion
	parts         assertionParts
	confirmedTill time.Time // latest NotOnOrAfter of a bearer confirmation

	warnings []Check
	result   Assertion
}

// assertionParts are the children of the one assertion.
type assertionParts struct {
	issuer, subject, conditions *etree.Element
	authn, attributes           []*etree.Element
}

func newVerification(ctx context.Context, c *Connection, o VerifyOptions, message string) *verification {
	v := &verification{ctx: ctx, c: c, o: o, now: o.CurrentTime, skew: c.ClockSkew, message: message}
	if v.now.IsZero() {
		v.now = time.Now()
	}
	if v.skew == 0 {
		v.skew = DefaultClockSkew
	}
	v.idp = recognize(c.IdP)
	return v
}

// covered says whether a verified signature covers the assertion.
func (v *verification) covered() bool { return v.rootSigned || v.innerSigned || v.outerSigned }

// usable refuses a connection and options that cannot decide anything, before
// anything is parsed. It looks at no more than verification needs; Validate
// looks at everything. An inspection redeems nothing, so it needs no Replay.
func (c *Connection) usable(o VerifyOptions, redeem bool) error {
	if c == nil {
		return &FieldError{Field: "Connection", Problem: "is nil", Hint: "load the connection first"}
	}
	var errs []error
	need := func(ok bool, field, problem, hint string) {
		if !ok {
			errs = append(errs, &FieldError{Field: field, Problem: problem, Hint: hint})
		}
	}
	need(c.SP.EntityID != "", "SP.EntityID", "is empty", "set the entity ID that the IdP knows us by")
	need(c.SP.ACSURL != "", "SP.ACSURL", "is empty", "set the address that the IdP posts to")
	need(c.IdP.EntityID != "", "IdP.EntityID", "is empty", "paste the issuer from the IdP")
	need(len(c.IdP.Certificates) > 0, "IdP.Certificates", "is empty", "paste the X.509 certificate from the IdP")
	for i, cert := range c.IdP.Certificates {
		need(cert != nil, fmt.Sprintf("IdP.Certificates[%d]", i), "is nil", "paste the certificate again")
	}
	need(c.ClockSkew >= 0 && c.ClockSkew <= MaxClockSkew, "ClockSkew", "is "+c.ClockSkew.String(), "set it between 0 and "+MaxClockSkew.String())
	need(o.RequestID != "" || o.AllowIdPInitiated, "VerifyOptions.RequestID", "is empty",
		"pass the ID of the AuthnRequest, or set AllowIdPInitiated")
	need(!redeem || !o.AllowIdPInitiated || o.Replay != nil, "VerifyOptions.Replay", "is nil with AllowIdPInitiated",
		"pass a ReplayCache: without a request nothing else stops a second use")
	return errors.Join(errs...)
}

// strictBase64 refuses padding bits that are not zero: one message has one form.
var strictBase64 = base64.StdEncoding.Strict()

// decode is the way from the form value to bytes.
func (v *verification) decode() *VerifyError {
	// A sixteenth is room for line ends, which come every 64 or 76 characters.
	if most := base64.StdEncoding.EncodedLen(MaxResponseSize); len(v.message) > most+most/16 {
		return &VerifyError{Reason: ReasonTooLarge, Got: fmt.Sprintf("%d bytes of base64", len(v.message)),
			Want: fmt.Sprintf("at most %d bytes of XML", MaxResponseSize), Hint: v.idp.tooLarge()}
	}
	s := v.message
	if strings.IndexByte(s, ' ') >= 0 || strings.IndexByte(s, '\t') >= 0 {
		// RFC 2045 lets base64 be broken into lines; the standard decoder
		// skips line ends only.
		s = strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, s)
	}
	data, err := strictBase64.DecodeString(s)
	if err != nil || len(data) == 0 {
		got := "something that is not base64"
		if len(data) == 0 && err == nil {
			got = "an empty SAMLResponse"
		}
		return &VerifyError{Reason: ReasonEncoding, Got: got, Want: "the SAMLResponse form field in standard base64",
			Hint: "pass the form value as it was posted; if the IdP uses the HTTP-Redirect binding for its answer, switch it to HTTP-POST"}
	}
	if len(data) > MaxResponseSize {
		return &VerifyError{Reason: ReasonTooLarge, Got: fmt.Sprintf("%d bytes", len(data)),
			Want: fmt.Sprintf("at most %d bytes", MaxResponseSize), Hint: v.idp.tooLarge()}
	}
	v.data = data
	return nil
}

// read parses the bytes, once; the tree that comes of it is the tree that is
// verified and read.
func (v *verification) read() *VerifyError {
	root, err := xmltree.Parse(v.data, xmltree.Limits{Bytes: MaxResponseSize})
	if err != nil {
		var xe *xmltree.Error
		if errors.As(err, &xe) && xe.TooLarge {
			return &VerifyError{Reason: ReasonTooLarge, Err: err, Hint: v.idp.tooLarge()}
		}
		return &VerifyError{Reason: ReasonXML, Err: err, Want: "well-formed XML without DTD or processing instructions",
			Hint: "the answer is not XML as SAML allows it; if it comes from your IdP, send its support this message"}
	}
	v.root = root
	return nil
}

// verifySignature verifies the Signature child of el, if it has one.
func (v *verification) verifySignature(el *etree.Element, what string) (bool, *VerifyError) {
	sig, err := xmlsig.Signature(el)
	if err == nil && sig == nil {
		return false, nil
	}
	if err == nil {
		var res xmlsig.Result
		res, err = xmlsig.Verify(el, v.c.IdP.Certificates, xmlsig.Options{AllowSHA1: v.c.InsecureAllowSHA1, AllowShortRSA: v.c.InsecureAllowShortRSA})
		if err == nil {
			v.pin(v.c.IdP.Certificates[res.Certificate])
			return true, nil
		}
	}
	return false, v.signatureError(err, what)
}

// pin notes which certificate verified. The key is what is pinned: where
// several pinned certificates hold that key, one that is in date speaks for it.
func (v *verification) pin(cert *x509.Certificate) {
	if v.inDate(cert) {
		v.certificate = cert
		return
	}
	for _, other := range v.c.IdP.Certificates {
		pub, ok := other.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if ok && v.inDate(other) && pub.Equal(cert.PublicKey) {
			v.certificate = other
			return
		}
	}
	v.certificate = cert
}

func (v *verification) inDate(cert *x509.Certificate) bool {
	return !v.now.Before(cert.NotBefore) && !v.now.After(cert.NotAfter)
}

func (v *verification) warn(got, want, hint string) {
	v.warnings = append(v.warnings, Check{Status: CheckWarning, Got: got, Want: want, Hint: hint})
}

// warnCertificate is a warning that goes to the application too, not only into a
// report: it is about every sign-in, not about one.
func (v *verification) warnCertificate(got string) {
	v.warn(got, "", v.idp.certificate())
	v.result.Warnings = append(v.result.Warnings, got)
}

// value is the whole text of an element that holds text only.
func value(e *etree.Element) (string, bool) {
	s, err := samlxml.Text(e)
	return s, err == nil
}

// signatureError turns a refusal of the signature into one for people.
func (v *verification) signatureError(err error, what string) *VerifyError {
	var xe *xmlsig.Error
	if !errors.As(err, &xe) {
		return &VerifyError{Reason: ReasonSignature, Err: err, Hint: v.idp.notResponse()}
	}
	out := &VerifyError{Reason: ReasonSignature, Got: what + ": " + xe.Msg, Hint: v.idp.notResponse()}
	switch xe.Kind {
	case xmlsig.KindAlgorithm:
		out.Reason, out.Hint = ReasonAlgorithm, v.idp.algorithm()
	case xmlsig.KindDigest:
		out.Hint = v.idp.tampered()
	case xmlsig.KindKey:
		ours := make([]string, len(v.c.IdP.Certificates))
		for i, cert := range v.c.IdP.Certificates {
			ours[i] = Fingerprint(cert)
		}
		out.Reason = ReasonKey
		out.Want = plural(len(ours), "pinned certificate") + " to fit"
		out.Hint = v.idp.wrongKey(ours, xe.KeyInfoSHA256)
		for _, fp := range ours {
			if fp == xe.KeyInfoSHA256 {
				// The right certificate is named and its key does not verify.
				out.Reason, out.Hint = ReasonSignature, v.idp.tampered()
			}
		}
	}
	return out
}
