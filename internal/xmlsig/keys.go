package xmlsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
)

// Sizes of RSA keys. Above maxRSA one verification takes longer than a whole
// login should.
const (
	minRSA      = 2048
	minShortRSA = 1024
	maxRSA      = 16384
)

// matchKey tries each pinned key on the signature value and returns the index
// of the one that verifies it. A key is only tried with a method of its own
// type: what an RSA key is for an ECDSA or HMAC method is the attacker's choice.
//
// The refusal is KindAlgorithm when every key of the type is of a size that is
// not accepted, else KindKey.
func matchKey(pinned []*x509.Certificate, m *method, digest, value []byte, o Options) (int, *Error) {
	tried, sizes := 0, 0
	var size string
	for i, cert := range pinned {
		if cert == nil {
			continue
		}
		switch k := cert.PublicKey.(type) {
		case *rsa.PublicKey:
			if m.scheme == ecdsaRS || k.N == nil {
				continue
			}
			if n := k.N.BitLen(); n > maxRSA || n < minRSA && !(o.AllowShortRSA && n >= minShortRSA) {
				size = fmt.Sprintf("RSA %d bits", n)
				sizes++
				continue
			}
			tried++
			if verifyRSA(k, m, digest, value) {
				return i, nil
			}
		case *ecdsa.PublicKey:
			if m.scheme != ecdsaRS || curveBytes(k.Curve) == 0 {
				continue
			}
			tried++
			if verifyECDSA(k, digest, value) {
				return i, nil
			}
		}
	}
	switch {
	case len(pinned) == 0:
		return 0, &Error{Kind: KindKey, Msg: "no certificate is pinned"}
	case tried == 0 && sizes > 0:
		return 0, &Error{Kind: KindAlgorithm, Msg: "the certificate's key is not accepted: " + size, Got: size}
	case tried == 0:
		return 0, &Error{Kind: KindKey, Got: m.uri,
			Msg: "no certificate of the connection has a key for " + m.uri}
	}
	msg := fmt.Sprintf("no certificate of the connection matches (%d tried)", tried)
	if sizes > 0 {
		msg += fmt.Sprintf("; %d not tried for the size of its key (%s)", sizes, size)
	}
	return 0, &Error{Kind: KindKey, Msg: msg}
}

func verifyRSA(k *rsa.PublicKey, m *method, digest, value []byte) bool {
	if m.scheme == pss {
		// The MGF1 methods have no parameters: the salt is as long as the hash
		// (RFC 6931, 2.3.10).
		return rsa.VerifyPSS(k, m.hash, digest, value,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.hash}) == nil
	}
	return rsa.VerifyPKCS1v15(k, m.hash, digest, value) == nil
}

// verifyECDSA takes r‖s, each as long as the order of the curve (RFC 6931,
// 2.3.6). The ASN.1 form, or a shortened one, is another encoding of a
// signature and is not accepted.
func verifyECDSA(k *ecdsa.PublicKey, digest, value []byte) bool {
	n := curveBytes(k.Curve)
	if len(value) != 2*n {
		return false
	}
	r, s := new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:])
	return ecdsa.Verify(k, digest, r, s)
}

// curveBytes is the length of r and of s, 0 for a curve that is not accepted.
func curveBytes(c elliptic.Curve) int {
	switch c {
	case elliptic.P256():
		return 32
	case elliptic.P384():
		return 48
	case elliptic.P521():
		return 66
	}
	return 0
}

// keyScheme returns the kind of methods that a public key is for, 0 for none.
func keyScheme(pub crypto.PublicKey) scheme {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil {
			return pkcs1
		}
	case *ecdsa.PublicKey:
		if k != nil && curveBytes(k.Curve) > 0 {
			return ecdsaRS
		}
	}
	return 0
}

// methodFor returns the signature method called name, for a key. Empty is
// SHA-256 of the key's kind.
func methodFor(pub crypto.PublicKey, name string) (*method, error) {
	kind := keyScheme(pub)
	if kind == 0 {
		return nil, fmt.Errorf("xmlsig: cannot sign with a key of type %T", pub)
	}
	if name == "" {
		name = "rsa-sha256"
		if kind == ecdsaRS {
			name = "ecdsa-sha256"
		}
	}
	m, ok := methodNamed(strings.ToLower(name))
	if !ok {
		return nil, fmt.Errorf("xmlsig: signature method %q is not known", shorten(name))
	}
	if (m.scheme == ecdsaRS) != (kind == ecdsaRS) {
		return nil, fmt.Errorf("xmlsig: signature method %s does not fit a key of type %T", m.name, pub)
	}
	return m, nil
}
