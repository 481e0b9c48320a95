//go:build ignore

// Generate makes the fixed keys and certificates of the tests. It writes only
// what is not there: delete a pair of files to have it made anew. The keys are
// public, and good for nothing but tests.
//
//	cd testdata/keys && go run generate.go
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"os"
	"time"
)

type spec struct {
	name string // of the files: name.key.pem, name.crt.pem
	cn   string
	make func() (crypto.Signer, error)
	from int // years, the first of January
	to   int
}

func rsaKey(bits int) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

func ecKey(c elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(c, rand.Reader) }
}

var specs = []spec{
	{"idp", "idp.example.com", rsaKey(2048), 2020, 2045},
	{"idp2", "idp2.example.com", rsaKey(2048), 2020, 2045},
	{"idp-p256", "idp-p256.example.com", ecKey(elliptic.P256()), 2020, 2045},
	{"idp-p384", "idp-p384.example.com", ecKey(elliptic.P384()), 2020, 2045},
	{"idp-p521", "idp-p521.example.com", ecKey(elliptic.P521()), 2020, 2045},
	{"idp-p224", "idp-p224.example.com", ecKey(elliptic.P224()), 2020, 2045},
	{"weak", "weak.example.com", rsaKey(1024), 2020, 2045},
	{"expired", "expired.example.com", rsaKey(2048), 2020, 2021},
	{"sp-signing", "sp-signing.example.com", rsaKey(2048), 2020, 2045},
	{"sp-encryption", "sp-encryption.example.com", rsaKey(2048), 2020, 2045},
	{"sp-next", "sp-next.example.com", rsaKey(2048), 2020, 2045},
	{"sp-p256", "sp-p256.example.com", ecKey(elliptic.P256()), 2020, 2045},
}

func main() {
	for _, s := range specs {
		if _, err := os.Stat(s.name + ".key.pem"); err == nil {
			continue
		}
		if err := write(s); err != nil {
			log.Fatal(s.name, ": ", err)
		}
	}
}

func write(s spec) error {
	key, err := s.make()
	if err != nil {
		return err
	}
	serial := sha256.Sum256([]byte(s.name))
	serial[0] &= 0x7f
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:16]),
		Subject:      pkix.Name{CommonName: s.cn, Organization: []string{"sso tests"}},
		NotBefore:    time.Date(s.from, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(s.to, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	err = os.WriteFile(s.name+".key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o644)
	if err != nil {
		return err
	}
	err = os.WriteFile(s.name+".crt.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	if err == nil {
		fmt.Println("wrote", s.name)
	}
	return err
}
