package ssotest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // for the misbehaviours that use it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
)

const moreDSig = "http://www.w3.org/2001/04/xmldsig-more#"
const newDSig = "http://www.w3.org/2007/05/xmldsig-more#"

type signatureMethod struct {
	uri  string
	hash crypto.Hash
	pss  bool
}

var signatureMethods = map[string]signatureMethod{
	"rsa-sha1":       {samlxml.DSig + "rsa-sha1", crypto.SHA1, false},
	"rsa-sha256":     {moreDSig + "rsa-sha256", crypto.SHA256, false},
	"rsa-sha384":     {moreDSig + "rsa-sha384", crypto.SHA384, false},
	"rsa-sha512":     {moreDSig + "rsa-sha512", crypto.SHA512, false},
	"rsa-pss-sha256": {newDSig + "sha256-rsa-MGF1", crypto.SHA256, true},
	"rsa-pss-sha384": {newDSig + "sha384-rsa-MGF1", crypto.SHA384, true},
	"rsa-pss-sha512": {newDSig + "sha512-rsa-MGF1", crypto.SHA512, true},
	"ecdsa-sha1":     {moreDSig + "ecdsa-sha1", crypto.SHA1, false},
	"ecdsa-sha256":   {moreDSig + "ecdsa-sha256", crypto.SHA256, false},
	"ecdsa-sha384":   {moreDSig + "ecdsa-sha384", crypto.SHA384, false},
	"ecdsa-sha512":   {moreDSig + "ecdsa-sha512", crypto.SHA512, false},
}

var digestMethods = map[string]struct {
	uri  string
	hash crypto.Hash
}{
	"sha1":   {samlxml.DSig + "sha1", crypto.SHA1},
	"sha256": {samlxml.XEnc + "sha256", crypto.SHA256},
	"sha384": {moreDSig + "sha384", crypto.SHA384},
	"sha512": {samlxml.XEnc + "sha512", crypto.SHA512},
}

const nsExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"

var canonicalizations = map[string]string{
	"exclusive":            nsExclusive,
	"exclusive-comments":   nsExclusive + "WithComments",
	"inclusive":            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
	"inclusive-comments":   "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
	"inclusive11":          "http://www.w3.org/2006/12/xml-c14n11",
	"inclusive11-comments": "http://www.w3.org/2006/12/xml-c14n11#WithComments",
}

const enveloped = samlxml.DSig + "enveloped-signature"

// A signer makes enveloped signatures. It is a signer of its own, apart from
// the one that the library sends with, so that the two test each other, and it
// takes apart what a real signer keeps together: an attack builds a signature
// with reference and re-seals it after bending SignedInfo.
type signer struct {
	key         crypto.Signer
	certificate *x509.Certificate
	method      signatureMethod
	digestURI   string
	digest      crypto.Hash
	c14n        string
	inclusive   []string
	keyInfo     KeyInfo
	prefix      string // with its colon, or empty
	wrap        int
	pretty      bool
}

func (m *message) signer() (*signer, error) {
	s := &signer{certificate: m.key.Certificate, inclusive: m.o.InclusivePrefixes, keyInfo: m.o.KeyInfo, wrap: m.o.Wrap, pretty: m.o.Pretty}
	s.key, _ = m.key.Private.(crypto.Signer)
	if s.key == nil {
		return nil, errors.New("ssotest: the key cannot sign")
	}
	name := m.o.SignatureMethod
	if name == "" {
		name = defaultMethod(s.key)
	}
	var ok bool
	if s.method, ok = signatureMethods[name]; !ok {
		return nil, fmt.Errorf("ssotest: unknown SignatureMethod %q", name)
	}
	if _, isEC := s.key.Public().(*ecdsa.PublicKey); isEC != strings.HasPrefix(name, "ecdsa") {
		return nil, fmt.Errorf("ssotest: SignatureMethod %q does not fit a %T", name, s.key.Public())
	}
	d, ok := digestMethods[cmp.Or(m.o.DigestMethod, "sha256")]
	if !ok {
		return nil, fmt.Errorf("ssotest: unknown DigestMethod %q", m.o.DigestMethod)
	}
	s.digestURI, s.digest = d.uri, d.hash
	if s.c14n, ok = canonicalizations[cmp.Or(m.o.Canonicalization, "exclusive")]; !ok {
		return nil, fmt.Errorf("ssotest: unknown Canonicalization %q", m.o.Canonicalization)
	}
	if p := cmp.Or(m.o.SignaturePrefix, "ds"); p != "-" {
		s.prefix = p + ":"
	}
	return s, nil
}

// defaultMethod is the method that an IdP with this key would use.
func defaultMethod(key crypto.Signer) string {
	if k, ok := key.Public().(*ecdsa.PublicKey); ok {
		switch k.Curve {
		case elliptic.P384():
			return "ecdsa-sha384"
		case elliptic.P521():
			return "ecdsa-sha512"
		}
		return "ecdsa-sha256"
	}
	return "rsa-sha256"
}

// sign signs e and puts the signature where the schema has it, after Issuer.
func (m *message) sign(e *etree.Element) error {
	s, err := m.signer()
	if err != nil {
		return err
	}
	return s.sign(e)
}

func (s *signer) sign(e *etree.Element) error {
	signature, err := s.reference(e)
	if err != nil {
		return err
	}
	e.InsertChildAt(afterIssuer(e), signature)
	return s.seal(signature)
}

// afterIssuer is the index of the place behind the Issuer child.
func afterIssuer(e *etree.Element) int {
	for i, t := range e.Child {
		if c, ok := t.(*etree.Element); ok && c.Tag == "Issuer" {
			return i + 1
		}
	}
	return 0
}

// reference makes a Signature with a digest of e, still without a value and
// nowhere in the document.
func (s *signer) reference(e *etree.Element) (*etree.Element, error) {
	// A reference by ID selects no comments, whatever the canonical form would
	// do with them (XML Signature, 4.4.3.3).
	form := strings.TrimSuffix(s.c14n, "WithComments")
	if form != nsExclusive {
		form = strings.TrimSuffix(form, "#")
	}
	var canonical bytes.Buffer
	if err := xmlsig.Canonicalize(&canonical, e, form, s.inclusive); err != nil {
		return nil, fmt.Errorf("ssotest: canonical form: %w", err)
	}
	h := s.digest.New()
	h.Write(canonical.Bytes())

	signature := etree.NewElement(s.prefix + "Signature")
	if s.prefix == "" {
		signature.CreateAttr("xmlns", samlxml.DSig)
	} else {
		signature.CreateAttr("xmlns:"+s.prefix[:len(s.prefix)-1], samlxml.DSig)
	}
	info := s.in(signature, "SignedInfo")
	s.withPrefixes(s.algorithm(info, "CanonicalizationMethod", s.c14n))
	s.algorithm(info, "SignatureMethod", s.method.uri)
	reference := s.in(info, "Reference")
	reference.CreateAttr("URI", "#"+e.SelectAttrValue("ID", ""))
	transforms := s.in(reference, "Transforms")
	s.algorithm(transforms, "Transform", enveloped)
	s.withPrefixes(s.algorithm(transforms, "Transform", s.c14n))
	s.algorithm(reference, "DigestMethod", s.digestURI)
	s.in(reference, "DigestValue").SetText(s.base64(h.Sum(nil)))
	s.in(signature, "SignatureValue")
	if err := s.addKeyInfo(signature); err != nil {
		return nil, err
	}
	if s.pretty {
		indent(signature)
	}
	return signature, nil
}

func (s *signer) in(parent *etree.Element, name string) *etree.Element {
	return parent.CreateElement(s.prefix + name)
}

func (s *signer) algorithm(parent *etree.Element, name, uri string) *etree.Element {
	e := s.in(parent, name)
	e.CreateAttr("Algorithm", uri)
	return e
}

func (s *signer) withPrefixes(e *etree.Element) {
	if len(s.inclusive) == 0 {
		return
	}
	list := e.CreateElement("ec:InclusiveNamespaces")
	list.CreateAttr("xmlns:ec", nsExclusive)
	list.CreateAttr("PrefixList", strings.Join(s.inclusive, " "))
}

// seal fills in the SignatureValue of a Signature that stands in its document.
func (s *signer) seal(signature *etree.Element) error {
	info := childNamed(signature, "SignedInfo")
	value := childNamed(signature, "SignatureValue")
	if info == nil || value == nil {
		return errors.New("ssotest: a Signature without SignedInfo or SignatureValue")
	}
	var canonical bytes.Buffer
	if err := xmlsig.Canonicalize(&canonical, info, s.c14n, s.inclusive); err != nil {
		return fmt.Errorf("ssotest: canonical form: %w", err)
	}
	raw, err := s.signBytes(canonical.Bytes())
	if err != nil {
		return err
	}
	value.SetText(s.base64(raw))
	return nil
}

// signBytes signs in the form that XML signatures have: ECDSA as r and s, each
// as long as the curve's order.
func (s *signer) signBytes(data []byte) ([]byte, error) {
	h := s.method.hash.New()
	h.Write(data)
	sum := h.Sum(nil)
	switch public := s.key.Public().(type) {
	case *rsa.PublicKey:
		var o crypto.SignerOpts = s.method.hash
		if s.method.pss {
			o = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.method.hash}
		}
		return s.key.Sign(rand.Reader, sum, o)
	case *ecdsa.PublicKey:
		// No randomness: the nonce is derived from key and message (RFC 6979),
		// and the same message is signed the same way again.
		der, err := s.key.Sign(nil, sum, s.method.hash)
		if err != nil {
			return nil, fmt.Errorf("ssotest: sign: %w", err)
		}
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &rs); err != nil {
			return nil, fmt.Errorf("ssotest: sign: %w", err)
		}
		size := (public.Params().N.BitLen() + 7) / 8
		raw := make([]byte, 2*size)
		rs.R.FillBytes(raw[:size])
		rs.S.FillBytes(raw[size:])
		return raw, nil
	default:
		return nil, fmt.Errorf("ssotest: cannot sign with a %T", public)
	}
}

func (s *signer) addKeyInfo(signature *etree.Element) error {
	switch s.keyInfo {
	case KeyInfoCertificate:
		data := s.in(s.in(signature, "KeyInfo"), "X509Data")
		s.in(data, "X509Certificate").SetText(s.base64(s.certificate.Raw))
	case KeyInfoName:
		s.in(s.in(signature, "KeyInfo"), "KeyName").SetText(s.certificate.Subject.String())
	case KeyInfoValue:
		value := s.in(s.in(signature, "KeyInfo"), "KeyValue")
		switch k := s.key.Public().(type) {
		case *rsa.PublicKey:
			e := s.in(value, "RSAKeyValue")
			s.in(e, "Modulus").SetText(s.base64(k.N.Bytes()))
			s.in(e, "Exponent").SetText(s.base64(big.NewInt(int64(k.E)).Bytes()))
		default:
			return errors.New("ssotest: KeyInfoValue needs an RSA key")
		}
	case KeyInfoNone:
	default:
		return fmt.Errorf("ssotest: unknown KeyInfo %q", s.keyInfo)
	}
	return nil
}

// base64 breaks lines when the options say so.
func (s *signer) base64(raw []byte) string { return wrapped(raw, s.wrap) }

func wrapped(raw []byte, width int) string {
	text := base64.StdEncoding.EncodeToString(raw)
	if width <= 0 || len(text) <= width {
		return text
	}
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), width) {
		b.WriteByte('\n')
		b.Write(part)
	}
	b.WriteByte('\n')
	return b.String()
}

// childNamed is the first child element of that local name.
func childNamed(e *etree.Element, name string) *etree.Element {
	if e == nil {
		return nil
	}
	for _, c := range e.ChildElements() {
		if c.Tag == name {
			return c
		}
	}
	return nil
}

// path walks down by local names; nil where there is no such element.
func path(e *etree.Element, names ...string) *etree.Element {
	for _, name := range names {
		e = childNamed(e, name)
	}
	return e
}
