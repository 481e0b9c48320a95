package ssotest

import (
	"crypto"
	"fmt"

	"github.com/ssoconn/sso/internal/xmlenc"
)

// encrypt puts an EncryptedAssertion in the place of the assertion.
func (m *message) encrypt() error {
	o := xmlenc.EncryptOptions{Content: m.o.EncryptionMethod, KeyTransport: m.o.KeyTransport}
	if o.KeyTransport == "rsa-oaep" {
		// The method of XML Encryption 1.1 is what IdPs use for SHA-256.
		o.Digest, o.MGF = crypto.SHA256, crypto.SHA256
	}
	encrypted, err := xmlenc.Encrypt(m.assertion, "EncryptedAssertion", m.o.EncryptTo, o)
	if err != nil {
		return fmt.Errorf("ssotest: encrypt: %w", err)
	}
	m.replaceAssertion(encrypted)
	m.assertion = nil
	return nil
}
