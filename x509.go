package sso

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"
)

// parseCertificate parses a certificate as a container of a key. Where
// crypto/x509 refuses it for a part that decides nothing here, such as a
// negative serial number or an e-mail address in a PrintableString, as they
// occur in self-signed certificates of identity providers, the key and the
// dates are read all the same. The certificate keeps none of der.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	der = bytes.Clone(der) // it is a part of what was pasted, which may be long
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		return cert, nil
	}
	var outer struct {
		TBS struct {
			Raw                asn1.RawContent
			Version            int `asn1:"optional,explicit,default:0,tag:0"`
			SerialNumber       *big.Int
			SignatureAlgorithm asn1.RawValue
			Issuer             asn1.RawValue
			Validity           struct{ NotBefore, NotAfter time.Time }
			Subject            asn1.RawValue
			PublicKey          asn1.RawValue
			// Extensions follow; none of them matters.
		}
		SignatureAlgorithm asn1.RawValue
		Signature          asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 {
		return nil, errors.New("not an X.509 certificate")
	}
	key, err := x509.ParsePKIXPublicKey(outer.TBS.PublicKey.FullBytes)
	if err != nil {
		return nil, errors.New("not an X.509 certificate with a known kind of key")
	}
	cert = &x509.Certificate{
		Raw:                     der,
		RawTBSCertificate:       outer.TBS.Raw,
		RawSubjectPublicKeyInfo: outer.TBS.PublicKey.FullBytes,
		RawSubject:              outer.TBS.Subject.FullBytes,
		RawIssuer:               outer.TBS.Issuer.FullBytes,
		Version:                 outer.TBS.Version + 1,
		SerialNumber:            outer.TBS.SerialNumber,
		NotBefore:               outer.TBS.Validity.NotBefore,
		NotAfter:                outer.TBS.Validity.NotAfter,
		PublicKey:               key,
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(cert.RawSubject, &name); err == nil {
		cert.Subject.FillFromRDNSequence(&name)
	}
	return cert, nil
}
