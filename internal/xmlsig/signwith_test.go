package xmlsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
)

// KeyInfo says what a signature tells about its key.
type KeyInfo int

const (
	KeyInfoCertificate KeyInfo = iota // X509Data, or nothing where there is no certificate
	KeyInfoNone                       // no KeyInfo
	KeyInfoName                       // KeyName only
	KeyInfoValue                      // KeyValue only: RSAKeyValue or ECKeyValue
)

// SignOptions is how SignWith signs. The zero value signs as Sign does.
type SignOptions struct {
	// Method is a short name as Sign has it, and besides "rsa-pss-sha256" and
	// its siblings, "rsa-sha1", "ecdsa-sha1". Empty: SHA-256 of the key's kind.
	Method string
	// DigestURI is the digest method. Empty: with the hash of Method.
	DigestURI string
	// C14N is the canonical form of the element; SignedInfoC14N that of
	// SignedInfo, by default the same. Empty: exclusive.
	C14N, SignedInfoC14N string
	// InclusivePrefixes is the PrefixList of the exclusive forms, for both.
	InclusivePrefixes []string
	KeyInfo           KeyInfo
	// Prefix of the Signature's elements. Empty: "ds". "#default": none.
	Prefix string
	// LineLength breaks base64 with line feeds after so many characters.
	LineLength int
	// Edit changes the finished SignedInfo before it is signed, so that a test
	// can have a key sign what it should not.
	Edit func(signedInfo *etree.Element)
}

// SignWith signs el as Sign does, in any of the forms that Verify reads.
func SignWith(el *etree.Element, key crypto.Signer, cert *x509.Certificate, o SignOptions, at int) error {
	signer := rsSigner{key}
	m, err := methodFor(key.Public(), o.Method)
	if err != nil {
		return err
	}
	id, err := signable(el, at)
	if err != nil {
		return err
	}
	if o.C14N == "" {
		o.C14N = ExcC14N
	}
	if o.SignedInfoC14N == "" {
		o.SignedInfoC14N = o.C14N
	}
	if o.DigestURI == "" {
		o.DigestURI = digestURI(m.hash)
	}
	b := builder{o: o, prefix: o.Prefix}
	switch o.Prefix {
	case "":
		b.prefix = "ds"
	case "#default":
		b.prefix = ""
	}
	sig := &etree.Element{Space: b.prefix, Tag: "Signature"}
	sig.Attr = []etree.Attr{{Key: "xmlns", Value: dsigSpace}}
	if b.prefix != "" {
		sig.Attr = []etree.Attr{{Space: "xmlns", Key: b.prefix, Value: dsigSpace}}
	}
	info, err := b.signedInfo(sig, el, id, m)
	if err != nil {
		return err
	}
	if o.Edit != nil {
		o.Edit(info)
	}
	// SignedInfo is signed where it stands: the inclusive forms take in what is
	// declared above.
	el.InsertChildAt(at, sig)
	if err := b.sign(sig, info, signer, m, cert); err != nil {
		el.RemoveChildAt(at)
		return err
	}
	return nil
}

func digestURI(h crypto.Hash) string {
	switch h {
	case crypto.SHA1:
		return DigestSHA1
	case crypto.SHA384:
		return DigestSHA384
	case crypto.SHA512:
		return DigestSHA512
	}
	return DigestSHA256
}

// signAny signs by every method that Verify knows.
func signAny(key crypto.Signer, m *method, digest []byte) ([]byte, error) {
	if m.scheme == pss {
		return key.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.hash})
	}
	return signHash(key, m, digest)
}

// builder makes the elements of a Signature.
type builder struct {
	o      SignOptions
	prefix string
}

func (b *builder) add(parent *etree.Element, tag, algorithm, text string) *etree.Element {
	e := parent.CreateElement(tag)
	e.Space = b.prefix
	if algorithm != "" {
		e.Attr = []etree.Attr{{Key: "Algorithm", Value: algorithm}}
	}
	if text != "" {
		e.SetText(text)
	}
	return e
}

// form adds a canonical form and its PrefixList.
func (b *builder) form(parent *etree.Element, tag, uri string) {
	e := b.add(parent, tag, uri, "")
	if f, ok := formOf(uri); ok && f.exclusive && len(b.o.InclusivePrefixes) > 0 {
		list := e.CreateElement("InclusiveNamespaces")
		list.Space = "ec"
		list.Attr = []etree.Attr{
			{Space: "xmlns", Key: "ec", Value: excSpace},
			{Key: "PrefixList", Value: strings.Join(b.o.InclusivePrefixes, " ")},
		}
	}
}

func (b *builder) base64(v []byte) string {
	s := base64.StdEncoding.EncodeToString(v)
	if b.o.LineLength <= 0 {
		return s
	}
	var lines strings.Builder
	for len(s) > b.o.LineLength {
		lines.WriteString(s[:b.o.LineLength])
		lines.WriteByte('\n')
		s = s[b.o.LineLength:]
	}
	lines.WriteString(s)
	return lines.String()
}

func (b *builder) signedInfo(sig, el *etree.Element, id string, m *method) (*etree.Element, error) {
	f, ok := formOf(b.o.C14N)
	if !ok {
		return nil, errors.New("xmlsig: canonical form is not known")
	}
	h, ok := digestOf(b.o.DigestURI)
	if !ok {
		return nil, errors.New("xmlsig: digest method is not known")
	}
	f.comments = false // see readTransforms
	hash := h.New()
	if err := new(canon).run(hash, el, f, b.o.InclusivePrefixes, nil); err != nil {
		return nil, fmt.Errorf("xmlsig: %s: %w", el.Tag, err)
	}
	info := b.add(sig, "SignedInfo", "", "")
	b.form(info, "CanonicalizationMethod", b.o.SignedInfoC14N)
	b.add(info, "SignatureMethod", m.uri, "")
	ref := b.add(info, "Reference", "", "")
	ref.Attr = []etree.Attr{{Key: "URI", Value: "#" + id}}
	transforms := b.add(ref, "Transforms", "", "")
	b.add(transforms, "Transform", enveloped, "")
	b.form(transforms, "Transform", b.o.C14N)
	b.add(ref, "DigestMethod", b.o.DigestURI, "")
	b.add(ref, "DigestValue", "", b.base64(hash.Sum(nil)))
	return info, nil
}

func (b *builder) sign(sig, info *etree.Element, key crypto.Signer, m *method, cert *x509.Certificate) error {
	var canonical bytes.Buffer
	if err := Canonicalize(&canonical, info, b.o.SignedInfoC14N, b.o.InclusivePrefixes); err != nil {
		return fmt.Errorf("xmlsig: SignedInfo: %w", err)
	}
	h := m.hash.New()
	h.Write(canonical.Bytes())
	value, err := signAny(key, m, h.Sum(nil))
	if err != nil {
		return err
	}
	b.add(sig, "SignatureValue", "", b.base64(value))
	b.keyInfo(sig, key.Public(), cert)
	return nil
}

func (b *builder) keyInfo(sig *etree.Element, pub crypto.PublicKey, cert *x509.Certificate) {
	switch b.o.KeyInfo {
	case KeyInfoCertificate:
		if cert != nil {
			data := b.add(b.add(sig, "KeyInfo", "", ""), "X509Data", "", "")
			b.add(data, "X509Certificate", "", b.base64(cert.Raw))
		}
	case KeyInfoName:
		b.add(b.add(sig, "KeyInfo", "", ""), "KeyName", "", "signing")
	case KeyInfoValue:
		value := b.add(b.add(sig, "KeyInfo", "", ""), "KeyValue", "", "")
		switch k := pub.(type) {
		case *rsa.PublicKey:
			r := b.add(value, "RSAKeyValue", "", "")
			b.add(r, "Modulus", "", b.base64(k.N.Bytes()))
			b.add(r, "Exponent", "", b.base64(big.NewInt(int64(k.E)).Bytes()))
		case *ecdsa.PublicKey:
			b.ecKeyValue(value, k)
		}
	}
}

// ecKeyValue is of XML Signature 1.1.
func (b *builder) ecKeyValue(value *etree.Element, k *ecdsa.PublicKey) {
	point, err := k.Bytes()
	if err != nil {
		return
	}
	oid := map[string]string{"P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35"}
	e := value.CreateElement("ECKeyValue")
	e.Space = "dsig11"
	e.Attr = []etree.Attr{{Space: "xmlns", Key: "dsig11", Value: "http://www.w3.org/2009/xmldsig11#"}}
	curve := e.CreateElement("NamedCurve")
	curve.Space = "dsig11"
	curve.Attr = []etree.Attr{{Key: "URI", Value: "urn:oid:" + oid[k.Curve.Params().Name]}}
	key := e.CreateElement("PublicKey")
	key.Space = "dsig11"
	key.SetText(b.base64(point))
}
