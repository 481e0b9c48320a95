package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"reflect"
	"strings"

	"github.com/ssoconn/sso/internal/xmlsig"
)

// publicKeyProblem says why a key is not good enough, "" if it is. least is the
// shortest RSA key, in bits.
func publicKeyProblem(pub crypto.PublicKey, least int) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < least:
			return fmt.Sprintf("has an RSA key of %d bits, which is too short", bits)
		case bits > 16384:
			return fmt.Sprintf("has an RSA key of %d bits, which is too long", bits)
		case k.E < 3 || k.E%2 == 0:
			return "has an RSA key that is no RSA key"
		}
		return ""
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return ""
		}
		return "has a key on the curve " + k.Curve.Params().Name + ", which SAML has no signatures for"
	}
	if pub == nil {
		return "has a key of an unknown kind"
	}
	return fmt.Sprintf("has a key of type %s, which SAML has no signatures for", strings.TrimPrefix(fmt.Sprintf("%T", pub), "*"))
}

// publicOf returns the public key of a private one, nil if it has none.
func publicOf(private crypto.PrivateKey) crypto.PublicKey {
	k, ok := private.(interface{ Public() crypto.PublicKey })
	if v := reflect.ValueOf(private); !ok || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return k.Public()
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// keyPair checks one of our own key pairs. Decryption needs RSA, signing takes
// either kind.
func (v *validator) keyPair(field string, k *KeyPair, decrypts bool) {
	pub := publicOf(k.Private)
	switch {
	case k.Private == nil || pub == nil:
		v.add(field+".Private", "is missing", "set the private key; it is never part of the connection's JSON, so load it after the connection")
		return
	case k.Certificate != nil && !sameKey(pub, k.Certificate.PublicKey):
		v.add(field+".Certificate", "is the certificate of another key", "set the certificate that was made for this private key")
		return
	}
	if _, ok := k.Private.(crypto.Signer); !ok && !decrypts {
		v.add(field+".Private", fmt.Sprintf("is a %T, which cannot sign", k.Private), "set a crypto.Signer")
	}
	if _, ok := k.Private.(crypto.Decrypter); !ok && decrypts {
		v.add(field+".Private", fmt.Sprintf("is a %T, which cannot decrypt", k.Private), "set a crypto.Decrypter with an RSA key")
		return
	}
	if problem := publicKeyProblem(pub, 2048); problem != "" {
		v.add(field+".Private", problem, "make a new key: RSA with 2048 bits or more, or P-256 to sign with")
	}
}

// ownKeys checks all keys of our side.
func (v *validator) ownKeys(c *Connection) {
	if k := c.SP.SigningKey; k != nil {
		v.keyPair("SP.SigningKey", k, false)
		v.signatureMethod(c)
	}
	if k := c.SP.NextSigningKey; k != nil && k.Private != nil {
		v.keyPair("SP.NextSigningKey", k, false)
	} else if k != nil && k.Certificate == nil {
		v.add("SP.NextSigningKey", "has neither a key nor a certificate", "set the certificate to publish, or leave it nil")
	}
	for i := range c.SP.DecryptionKeys {
		v.keyPair(fmt.Sprintf("SP.DecryptionKeys[%d]", i), &c.SP.DecryptionKeys[i], true)
	}
}

// signatureMethod checks that the method is known and that our key can do it.
func (v *validator) signatureMethod(c *Connection) {
	switch c.SignatureMethod {
	case "", RSASHA256, RSASHA384, RSASHA512, ECDSASHA256, ECDSASHA384, ECDSASHA512:
	default:
		v.add("SignatureMethod", "is not a signature method: "+quote(string(c.SignatureMethod)),
			"choose one of the SignatureMethod constants, or leave it empty")
		return
	}
	if c.SP.SigningKey == nil || c.SignatureMethod == "" {
		return
	}
	_, rsaKey := publicOf(c.SP.SigningKey.Private).(*rsa.PublicKey)
	if strings.HasPrefix(string(c.SignatureMethod), "rsa-") != rsaKey {
		v.add("SignatureMethod", "does not fit SP.SigningKey: "+string(c.SignatureMethod),
			"leave it empty, or choose a method of the key's kind")
	}
}

// idpCertificates checks the pinned certificates.
func (v *validator) idpCertificates(c *Connection) {
	const field = "IdP.Certificates"
	if len(c.IdP.Certificates) == 0 {
		v.add(field, "is empty", "paste the X.509 certificate from the identity provider: nothing it sends can be trusted without")
		return
	}
	if len(c.IdP.Certificates) > maxCertificates {
		v.add(field, fmt.Sprintf("holds %d certificates", len(c.IdP.Certificates)), "keep only those that the identity provider signs with")
	}
	least := 2048
	if c.InsecureAllowShortRSA {
		least = 1024
	}
	inDate := false
	for i, cert := range c.IdP.Certificates {
		field := fmt.Sprintf("%s[%d]", field, i)
		if cert == nil {
			v.add(field, "is nil", "remove it, or paste the certificate again")
			inDate = true
			continue
		}
		inDate = inDate || v.now.Before(cert.NotAfter)
		if problem := publicKeyProblem(cert.PublicKey, least); problem != "" {
			v.add(field, problem, "have the identity provider sign with RSA of 2048 bits or more, or with P-256, P-384 or P-521")
		}
		if c.SP.holds(cert) {
			v.add(field, "is our own certificate", "paste the identity provider's: with ours, we would believe what we sign ourselves")
		}
	}
	if c.RefuseExpiredCertificates && !inDate {
		v.add(field, "is expired, and RefuseExpiredCertificates is on", "paste the identity provider's present certificate")
	}
}

// holds says whether cert has one of our own keys.
func (sp *ServiceProvider) holds(cert *x509.Certificate) bool {
	for _, own := range sp.published() {
		if sameKey(cert.PublicKey, own.PublicKey) {
			return true
		}
	}
	return false
}

// published are the certificates of all our keys.
func (sp *ServiceProvider) published() Certificates {
	return append(sp.signingCertificates(), sp.decryptionCertificates()...)
}

func (sp *ServiceProvider) signingCertificates() Certificates {
	var certs Certificates
	for _, k := range []*KeyPair{sp.SigningKey, sp.NextSigningKey} {
		if k != nil && k.Certificate != nil {
			certs = append(certs, k.Certificate)
		}
	}
	return withoutRepeats(certs)
}

func (sp *ServiceProvider) decryptionCertificates() Certificates {
	var certs Certificates
	for i := range sp.DecryptionKeys {
		if cert := sp.DecryptionKeys[i].Certificate; cert != nil {
			certs = append(certs, cert)
		}
	}
	return withoutRepeats(certs)
}

// signer is what signs for a connection.
type signer struct {
	key    crypto.Signer
	cert   *x509.Certificate // may be nil
	method string
	uri    string // of the method
}

// signer returns what signs for this connection, or a *FieldError.
func (c *Connection) signer() (*signer, error) {
	k := c.SP.SigningKey
	if k == nil {
		return nil, &FieldError{Field: "SP.SigningKey", Problem: "is nil, so nothing can be signed",
			Hint: "load the key into the connection, or switch signing off"}
	}
	key, ok := k.Private.(crypto.Signer)
	if !ok {
		return nil, &FieldError{Field: "SP.SigningKey.Private", Problem: fmt.Sprintf("is a %T, which cannot sign", k.Private), Hint: "set a crypto.Signer"}
	}
	uri, err := xmlsig.MethodURI(key, string(c.SignatureMethod))
	if err != nil {
		return nil, &FieldError{Field: "SignatureMethod", Problem: "cannot be used: " + err.Error(),
			Hint: "leave it empty, or choose a method of the key's kind"}
	}
	return &signer{key: key, cert: k.Certificate, method: string(c.SignatureMethod), uri: uri}, nil
}
