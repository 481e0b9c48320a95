package xmlsig

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// excForm is our exclusive form as goxmldsig takes one. Its own sorts
// attributes of several namespaces wrongly, changes the element, and does not
// see what is declared above it.
type excForm struct{}

func (excForm) Algorithm() dsig.AlgorithmID { return ExcC14N }

func (excForm) Canonicalize(el *etree.Element) ([]byte, error) {
	var b bytes.Buffer
	err := Canonicalize(&b, el, ExcC14N, nil)
	return b.Bytes(), err
}

// Sign signs el, which has an ID attribute, and puts the Signature among its
// children at index at: right after Issuer, in SAML. method is one of
// "rsa-sha256", "rsa-sha384", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384" and
// "ecdsa-sha512"; empty is SHA-256 of the key's kind. cert may be nil: then no
// KeyInfo is written.
//
// el is signed as it stands, so it must not be changed afterwards, and what is
// declared above it must stay.
func Sign(el *etree.Element, key crypto.Signer, cert *x509.Certificate, method string, at int) error {
	signer, m, err := prepare(key, cert, method)
	if err != nil {
		return err
	}
	id, err := signable(el, at)
	if err != nil {
		return err
	}
	var certs [][]byte
	if cert != nil {
		certs = [][]byte{cert.Raw}
	}
	ctx, err := dsig.NewSigningContext(signer, certs)
	if err != nil {
		return fmt.Errorf("xmlsig: %w", err)
	}
	ctx.Canonicalizer = excForm{}
	if err := ctx.SetSignatureMethod(m.uri); err != nil {
		return fmt.Errorf("xmlsig: %w", err)
	}
	sig, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return fmt.Errorf("xmlsig: signing: %w", err)
	}
	// goxmldsig takes the first attribute called ID, of whatever namespace.
	if ref := sig.FindElement("./SignedInfo/Reference"); ref == nil || ref.SelectAttrValue("URI", "") != "#"+id {
		return errors.New("xmlsig: another ID attribute stands before the element's own")
	}
	if cert == nil { // an empty X509Data is not schema-valid
		if k := sig.SelectElement("KeyInfo"); k != nil {
			sig.RemoveChild(k)
		}
	}
	el.InsertChildAt(at, sig)
	return nil
}

// signable returns the ID of an element that Verify would read after signing.
func signable(el *etree.Element, at int) (string, error) {
	if el == nil {
		return "", errors.New("xmlsig: no element to sign")
	}
	if at < 0 || at > len(el.Child) {
		return "", fmt.Errorf("xmlsig: no child index %d in %s", at, el.Tag)
	}
	sig, err := Signature(el)
	if err == nil && sig != nil {
		err = malformed("%s is signed already", el.Tag)
	}
	if err != nil {
		return "", fmt.Errorf("xmlsig: %w", err)
	}
	id, err := elementID(el)
	if err != nil {
		return "", fmt.Errorf("xmlsig: %w", err)
	}
	return id, nil
}
