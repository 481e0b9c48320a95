package xmlsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
)

// rsSigner turns what a crypto.Signer makes of ECDSA, which is ASN.1, into the
// r‖s of XML signatures. RSA passes through. Only Public and Sign of the key are
// used, so that it may live in a KMS.
type rsSigner struct {
	key crypto.Signer
}

func (s rsSigner) Public() crypto.PublicKey { return s.key.Public() }

func (s rsSigner) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	value, err := s.key.Sign(random, digest, o)
	if err != nil {
		return nil, err
	}
	pub, ok := s.key.Public().(*ecdsa.PublicKey)
	if !ok {
		return value, nil
	}
	n := curveBytes(pub.Curve)
	var rs struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(value, &rs)
	if err != nil || len(rest) > 0 || rs.R.Sign() <= 0 || rs.S.Sign() <= 0 ||
		rs.R.BitLen() > 8*n || rs.S.BitLen() > 8*n {
		return nil, errors.New("xmlsig: the signer's ECDSA signature is not ASN.1 of r and s")
	}
	value = make([]byte, 2*n)
	rs.R.FillBytes(value[:n])
	rs.S.FillBytes(value[n:])
	return value, nil
}

// prepare checks a key and its certificate, which may be nil, and returns what
// signs and by which method.
func prepare(key crypto.Signer, cert *x509.Certificate, name string) (crypto.Signer, *method, error) {
	if key == nil {
		return nil, nil, errors.New("xmlsig: no key to sign with")
	}
	if v := reflect.ValueOf(key); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil, fmt.Errorf("xmlsig: the key to sign with is a nil %T", key)
	}
	pub := key.Public()
	m, err := methodFor(pub, name)
	if err != nil {
		return nil, nil, err
	}
	if m.scheme == pss || m.hash == crypto.SHA1 { // read, but never written
		return nil, nil, fmt.Errorf("xmlsig: signature method %s is not for signing", m.name)
	}
	if cert != nil {
		k, ok := pub.(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !k.Equal(cert.PublicKey) {
			return nil, nil, errors.New("xmlsig: the certificate is for another key than the one that signs")
		}
	}
	return rsSigner{key}, m, nil
}

func signHash(key crypto.Signer, m *method, digest []byte) ([]byte, error) {
	value, err := key.Sign(rand.Reader, digest, m.hash)
	if err != nil {
		return nil, fmt.Errorf("xmlsig: signing: %w", err)
	}
	return value, nil
}

// SignBytes signs data for the HTTP-Redirect binding and returns the value and
// the algorithm URI, which goes into SigAlg and is part of what is signed: ask
// MethodURI for it beforehand. method is as for Sign.
//
// Specification: SAML 2.0 Bindings, 3.4.4.1.
func SignBytes(data []byte, key crypto.Signer, method string) (sig []byte, alg string, err error) {
	signer, m, err := prepare(key, nil, method)
	if err != nil {
		return nil, "", err
	}
	h := m.hash.New()
	h.Write(data)
	if sig, err = signHash(signer, m, h.Sum(nil)); err != nil {
		return nil, "", err
	}
	return sig, m.uri, nil
}

// MethodURI returns the algorithm URI by which key signs with method, a short
// name as for Sign, or says why it cannot.
func MethodURI(key crypto.Signer, method string) (string, error) {
	_, m, err := prepare(key, nil, method)
	if err != nil {
		return "", err
	}
	return m.uri, nil
}
