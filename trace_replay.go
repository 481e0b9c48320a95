package sso

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// A companion goes along with a run of the checks for a trace.
type companion interface {
	// wrap returns what to run in the place of a check.
	wrap(k *check) func(*verification) *VerifyError
	// ran is told of each check that ran or was skipped, and may add to what it
	// said.
	ran(v *verification, name string, r *Report)
}

// walk is InspectResponse with a companion.
func (c *Connection) walk(ctx context.Context, samlResponse string, o VerifyOptions, with companion) *Report {
	r := &Report{Time: o.CurrentTime}
	if c != nil {
		r.ConnectionID = c.ID
	}
	if err := c.usable(o, false); err != nil {
		r.Checks = configChecks(err)
		return r
	}
	v := newVerification(ctx, c, o, samlResponse)
	v.o.Replay = nil
	r.IdP = v.idp.name
	for i := range checks {
		k := checks[i]
		k.run = with.wrap(&k)
		v.inspect(&k, r)
		with.ran(v, k.name, r)
	}
	r.Unsigned = v.unsigned()
	for i := range v.result.Attributes {
		r.Attributes = append(r.Attributes, strings.Trim(quote(v.result.Attributes[i].Name), `"`))
	}
	return r
}

// A recorder keeps what a trace needs of a run.
type recorder struct {
	v         *verification
	root      *etree.Element // the document, whatever its root element is
	encrypted *etree.Element // the assertion as it came, if it came encrypted
	intact    []string
}

func (rec *recorder) wrap(k *check) func(*verification) *VerifyError {
	inner := k.run
	switch k.name {
	case "response signature":
		return func(v *verification) *VerifyError {
			rec.look(v, v.root)
			return inner(v)
		}
	case "assertion signature":
		return func(v *verification) *VerifyError {
			rec.look(v, v.assertion)
			return inner(v)
		}
	case "decryption":
		return func(v *verification) *VerifyError {
			if v.encrypted {
				rec.encrypted = v.assertion
			}
			return inner(v)
		}
	}
	return inner
}

func (rec *recorder) ran(v *verification, name string, _ *Report) {
	rec.v = v
	if name == "xml" {
		rec.root = v.root
	}
}

// read is for a connection with which no check can run.
func (rec *recorder) read(v *verification) {
	if rec.v = v; v.decode() == nil && v.read() == nil {
		rec.root = v.root
	}
}

// look finds out whether the digest that the signature of e covers holds,
// whoever signed: the connection may be corrected later on. For that alone the
// certificate in the message serves too.
func (rec *recorder) look(v *verification, e *etree.Element) {
	certs := v.c.IdP.Certificates
	if own := namedCertificate(e); own != nil {
		certs = append(slices.Clip(certs), own)
	}
	if _, err := xmlsig.Verify(e, certs, xmlsig.Options{AllowSHA1: true, AllowShortRSA: true}); err == nil {
		rec.intact = append(rec.intact, e.Tag)
	}
}

// namedCertificate is the certificate in the signature of e, nil if there is
// none. Nothing is trusted because of it.
func namedCertificate(e *etree.Element) *x509.Certificate {
	for _, name := range []string{"Signature", "KeyInfo", "X509Data", "X509Certificate"} {
		if e, _ = samlxml.Child(e, samlxml.DSig, name); e == nil {
			return nil
		}
	}
	text, _ := value(e)
	if len(text) > maxPaste {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert
}

// A replay takes from a redacted trace what cannot be computed again.
type replay struct {
	trace *Trace
	note  string // on the check that runs
}

const (
	notedDigest     = "a signature that verifies over its digest; that the digest held is the trace's word, as values were replaced since"
	notedAssertion  = "an assertion that was decrypted when it came and is in the trace"
	notedRefusal    = "as it was when it came: the keys are not in the trace"
	hintDigestKnown = "record the attempt again without redaction, which is FullTrace"
)

func (p *replay) wrap(k *check) func(*verification) *VerifyError {
	inner := k.run
	switch k.name {
	case "response signature":
		return func(v *verification) (err *VerifyError) {
			v.rootSigned, err = p.signature(v, v.root, "Response", k.name)
			return err
		}
	case "assertion signature":
		return func(v *verification) (err *VerifyError) {
			v.innerSigned, err = p.signature(v, v.assertion, "Assertion", k.name)
			return err
		}
	case "decryption":
		return p.decryption
	case "subject", "attributes":
		return func(v *verification) *VerifyError {
			err := inner(v)
			if err != nil && (err.Reason == ReasonEncrypted || err.Reason == ReasonDecryption) {
				return p.refusal(k.name, err)
			}
			return err
		}
	}
	return inner
}

func (p *replay) ran(_ *verification, _ string, r *Report) {
	if p.note != "" {
		line := &r.Checks[len(r.Checks)-1]
		line.Got = strings.TrimPrefix(line.Got+"; "+p.note, "; ")
		p.note = ""
	}
}

// signature is verifySignature, except that a digest that does not hold is what
// redaction makes of one that does.
func (p *replay) signature(v *verification, e *etree.Element, what, name string) (bool, *VerifyError) {
	signed, refusal := v.verifySignature(e, what)
	if refusal == nil {
		return signed, nil
	}
	for _, cert := range v.c.IdP.Certificates {
		_, err := xmlsig.Verify(e, []*x509.Certificate{cert}, xmlsig.Options{AllowSHA1: v.c.InsecureAllowSHA1, AllowShortRSA: v.c.InsecureAllowShortRSA})
		var xe *xmlsig.Error
		if !errors.As(err, &xe) || xe.Kind != xmlsig.KindDigest {
			continue
		}
		// The key signed this SignedInfo; only its digest is in question.
		if slices.Contains(p.trace.Intact, what) {
			v.pin(cert)
			p.note = notedDigest
			return true, nil
		}
		if k := p.find(name); k == nil || k.Reason != ReasonSignature {
			// It was never known, as no certificate fitted then.
			return false, &VerifyError{Reason: ReasonSignature, Got: what + ": the certificate fits, and whether the digest held is not in the trace", Hint: hintDigestKnown}
		}
		return false, refusal
	}
	return false, refusal
}

// decryption puts the assertion in the trace where the encrypted one stands, as
// checkDecryption does with what it decrypts.
func (p *replay) decryption(v *verification) *VerifyError {
	if !v.encrypted {
		return nil
	}
	if p.trace.Assertion == "" {
		return p.refusal("decryption", &VerifyError{Reason: ReasonDecryption, Got: "an encrypted assertion that the trace does not have", Hint: hintDigestKnown})
	}
	data, err := base64.StdEncoding.DecodeString(p.trace.Assertion)
	if err == nil {
		var e *etree.Element
		if e, err = xmltree.ParseIn(v.assertion, data, xmltree.Limits{Bytes: MaxResponseSize}); err == nil {
			at := v.assertion.Index()
			v.root.RemoveChildAt(at)
			v.root.InsertChildAt(at, e)
			v.assertion = e
		}
	}
	if err != nil {
		return &VerifyError{Reason: ReasonDecryption, Got: "a trace that was damaged", Err: err, Hint: hintDigestKnown}
	}
	p.note = notedAssertion
	if dup := strayOrDuplicate(v.root, true); dup != "" {
		return &VerifyError{Reason: ReasonAssertion, Got: dup, Want: "every ID once, and each signature and assertion in its place", Hint: v.idp.notResponse()}
	}
	return nil
}

// refusal is the one that was written for a check, or else.
func (p *replay) refusal(name string, or *VerifyError) *VerifyError {
	if k := p.find(name); k != nil && k.Status == CheckFailed {
		p.note = notedRefusal
		return &VerifyError{Reason: k.Reason, Got: strings.TrimSuffix(k.Got, "; "+notedRefusal), Want: k.Want, Hint: k.Hint}
	}
	return or
}

func (p *replay) find(name string) *Check {
	for i := 0; p.trace.Report != nil && i < len(p.trace.Report.Checks); i++ {
		if k := &p.trace.Report.Checks[i]; k.Name == name {
			return k
		}
	}
	return nil
}
