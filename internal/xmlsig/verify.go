package xmlsig

import (
	"crypto/subtle"
	"crypto/x509"
	"fmt"

	"github.com/beevik/etree"
)

// Verify checks the enveloped signature that is a direct child of el with the
// keys of the pinned certificates. The element verified is el itself: nothing
// is copied, nothing is found by ID, and nothing is parsed again.
//
// The signature value is checked before the digest. So KindKey says that the
// signature is not by a pinned key, or that SignedInfo or SignatureValue was
// changed; KindDigest that a pinned key signed another version of el. Errors
// are *Error.
//
// Specification: XML Signature 1.1, 3.2; SAML 2.0 Core, 5.4.
func Verify(el *etree.Element, pinned []*x509.Certificate, o Options) (Result, error) {
	sig, err := Signature(el)
	if err != nil {
		return Result{}, err
	}
	if sig == nil {
		return Result{}, &Error{Kind: KindMissing, Msg: el.Tag + " has no Signature"}
	}
	c := new(canon)
	p, err := c.readSignature(el, sig, o)
	if err != nil {
		return Result{}, err
	}

	var sum [64]byte
	h := p.method.hash.New()
	if err := c.run(h, p.signedInfo, p.infoForm, p.infoPrefixes, nil); err != nil {
		return Result{}, malformed("SignedInfo: %v", err)
	}
	i, refusal := matchKey(pinned, p.method, h.Sum(sum[:0]), p.value, o)
	if refusal != nil {
		if refusal.Kind == KindKey {
			refusal.KeyInfoSHA256 = fingerprint(p.keyInfo)
		}
		return Result{}, refusal
	}

	// From here on SignedInfo is what the identity provider wrote.
	h = p.digest.New()
	if err := c.run(h, el, p.refForm, p.refPrefixes, sig); err != nil {
		return Result{}, malformed("%s: %v", el.Tag, err)
	}
	if subtle.ConstantTimeCompare(h.Sum(sum[:0]), p.digestValue) != 1 {
		return Result{}, &Error{Kind: KindDigest, KeyInfoSHA256: fingerprint(p.keyInfo),
			Msg: fmt.Sprintf("%s was changed after it was signed", el.Tag)}
	}
	return Result{Certificate: i, SignatureMethod: p.method.uri, DigestMethod: p.digestURI}, nil
}

// VerifyBytes checks a detached signature, as the HTTP-Redirect binding has it.
// alg is the value of SigAlg. An ECDSA value is r‖s here too.
//
// Specification: SAML 2.0 Bindings, 3.4.4.1.
func VerifyBytes(data, sig []byte, alg string, pinned []*x509.Certificate, o Options) (Result, error) {
	if len(sig) == 0 {
		return Result{}, &Error{Kind: KindMissing, Msg: "no signature"}
	}
	m, refusal := acceptMethod(alg, o)
	if refusal != nil {
		return Result{}, refusal
	}
	h := m.hash.New()
	h.Write(data)
	i, refusal := matchKey(pinned, m, h.Sum(nil), sig, o)
	if refusal != nil {
		return Result{}, refusal
	}
	return Result{Certificate: i, SignatureMethod: m.uri}, nil
}
