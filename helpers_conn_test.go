package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// testKey reads one of the fixed keys.
func testKey(tb testing.TB, name string) *KeyPair {
	tb.Helper()
	key, err := x509.ParsePKCS8PrivateKey(testPEM(tb, name+".key.pem"))
	if err != nil {
		tb.Fatal(err)
	}
	return &KeyPair{Private: key.(crypto.PrivateKey), Certificate: testCert(tb, name)}
}

func testCert(tb testing.TB, name string) *x509.Certificate {
	tb.Helper()
	cert, err := x509.ParseCertificate(testPEM(tb, name+".crt.pem"))
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func testPEM(tb testing.TB, file string) []byte {
	tb.Helper()
	block, _ := pem.Decode(testFile(tb, "keys", file))
	if block == nil {
		tb.Fatalf("%s is not PEM", file)
	}
	return block.Bytes
}

func testFile(tb testing.TB, path ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// goodConnection is a connection that Validate finds nothing wrong with.
func goodConnection(tb testing.TB) *Connection {
	tb.Helper()
	return &Connection{
		ID:   "acme",
		Name: "Acme",
		SP: ServiceProvider{
			EntityID: "https://app.example.com/saml/acme",
			ACSURL:   "https://app.example.com/saml/acme/acs",
		},
		IdP: IdentityProvider{
			EntityID:     "https://idp.example.com/metadata",
			SSOURL:       "https://idp.example.com/sso",
			Certificates: Certificates{testCert(tb, "idp")},
		},
	}
}

func rsaKey(tb testing.TB, name string) *rsa.PrivateKey {
	tb.Helper()
	return testKey(tb, name).Private.(*rsa.PrivateKey)
}

func ecdsaKey(tb testing.TB, name string) *ecdsa.PrivateKey {
	tb.Helper()
	return testKey(tb, name).Private.(*ecdsa.PrivateKey)
}
