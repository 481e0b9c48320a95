// Package sealed turns the secret under which a store keeps something into the
// name that the store sees, and into the key that the value is encrypted with.
// Neither leads back to the secret: who reads the store's tables or a backup of
// them can redeem nothing that is in them.
//
// That holds for secrets that cannot be guessed. Where the key is no secret, or
// a short one, the name still has a fixed length whatever is fed in.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
)

// Name is what the store calls key. Different kinds of things have different
// names under the same key.
func Name(kind, key string) []byte {
	sum := derive("name", kind, key)
	return sum[:]
}

// Seal encrypts value under key.
func Seal(kind, key string, value []byte) ([]byte, error) {
	a, err := aead(kind, key)
	if err != nil {
		return nil, err
	}
	return a.Seal(nil, nil, value, nil), nil
}

// Open decrypts what Seal made. What was changed in the store, or sealed under
// another key, is an error.
func Open(kind, key string, sealed []byte) ([]byte, error) {
	a, err := aead(kind, key)
	if err != nil {
		return nil, err
	}
	value, err := a.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errors.New("the stored value was changed, or is not ours")
	}
	return value, nil
}

// aead draws a nonce for each message: a key may be put more than once.
func aead(kind, key string) (cipher.AEAD, error) {
	sum := derive("value", kind, key)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// derive hashes key under a label. No label holds a NUL and key comes last, so
// that two different triples never hash the same text: the name, which the
// store shows, says nothing of the key that encrypts.
func derive(use, kind, key string) [sha256.Size]byte {
	h := make([]byte, 0, 128)
	h = append(h, "sso/"+use+"/"+kind+"\x00"...)
	h = append(h, key...)
	return sha256.Sum256(h)
}
