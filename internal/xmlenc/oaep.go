package xmlenc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math/big"
)

// encryptOAEP is RSAES-OAEP-ENCRYPT (RFC 8017, 7.1.1). The standard library has
// it with two different hashes from Go 1.26 on only, so these are done here.
// What this does with public key and big integers is not in constant time, which
// the encrypting side may be: its attacker sends it nothing.
func encryptOAEP(public *rsa.PublicKey, msg []byte, digest, mask crypto.Hash, label []byte) ([]byte, error) {
	if digest == mask {
		return rsa.EncryptOAEP(digest.New(), rand.Reader, public, msg, label)
	}
	k, size := public.Size(), digest.Size()
	if len(msg) > k-2*size-2 {
		return nil, errors.New("xmlenc: the RSA key is too short for this OAEP digest")
	}
	em := make([]byte, k)
	seed, db := em[1:1+size], em[1+size:]
	rand.Read(seed) // never fails
	h := digest.New()
	h.Write(label)
	copy(db, h.Sum(nil))
	db[len(db)-len(msg)-1] = 1
	copy(db[len(db)-len(msg):], msg)
	mgf1(db, seed, mask)
	mgf1(seed, db, mask)

	m := new(big.Int).SetBytes(em)
	m.Exp(m, big.NewInt(int64(public.E)), public.N)
	return m.FillBytes(em), nil
}

// mgf1 masks out with MGF1 of seed (RFC 8017, B.2.1).
func mgf1(out, seed []byte, hash crypto.Hash) {
	for counter := uint32(0); len(out) > 0; counter++ {
		h := hash.New()
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		n := subtle.XORBytes(out, out, h.Sum(nil))
		out = out[n:]
	}
}
