package xmlsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// TestMethodFor: only keys that are verified with are signed with.
func TestMethodFor(t *testing.T) {
	t.Parallel()
	ec := func(c elliptic.Curve) crypto.PublicKey {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return &k.PublicKey
	}
	idp, _ := pair(t, "idp")
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		name   string
		key    crypto.PublicKey
		method string
		want   string // "" is a refusal
	}{
		{"RSA", idp.Public(), "", "rsa-sha256"},
		{"RSA, named", idp.Public(), "RSA-SHA512", "rsa-sha512"},
		{"RSA, PSS", idp.Public(), "rsa-pss-sha384", "rsa-pss-sha384"},
		{"RSA for ECDSA", idp.Public(), "ecdsa-sha256", ""},
		{"RSA, unknown", idp.Public(), "rsa-md5", ""},
		{"RSA, nil", (*rsa.PublicKey)(nil), "", ""},
		{"RSA, empty", &rsa.PublicKey{}, "", ""},
		{"P-256", ec(elliptic.P256()), "", "ecdsa-sha256"},
		{"P-384", ec(elliptic.P384()), "ecdsa-sha384", "ecdsa-sha384"},
		{"P-521", ec(elliptic.P521()), "", "ecdsa-sha256"},
		{"P-224", ec(elliptic.P224()), "", ""},
		{"ECDSA for RSA", ec(elliptic.P256()), "rsa-sha256", ""},
		{"ECDSA, nil", (*ecdsa.PublicKey)(nil), "", ""},
		{"ECDSA, empty", &ecdsa.PublicKey{}, "", ""},
		{"Ed25519", ed, "", ""},
		{"nothing", nil, "", ""},
	} {
		m, err := methodFor(k.key, k.method)
		if (err == nil) != (k.want != "") || err == nil && m.name != k.want {
			t.Errorf("%s: got %v, %v, want %q", k.name, m, err, k.want)
		}
	}
}
