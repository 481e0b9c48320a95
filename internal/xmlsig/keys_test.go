package xmlsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func certOf(pub crypto.PublicKey) *x509.Certificate { return &x509.Certificate{PublicKey: pub} }

func TestPinnedKeys(t *testing.T) {
	t.Parallel()
	_, idp := pair(t, "idp")
	_, idp2 := pair(t, "idp2")
	_, expired := pair(t, "expired")
	_, weak := pair(t, "weak")
	_, p224 := pair(t, "idp-p224")
	_, p256 := pair(t, "idp-p256")
	_, p384 := pair(t, "idp-p384")
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	huge := certOf(&rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), maxRSA), big.NewInt(1)), E: 65537})
	short := Options{AllowShortRSA: true}
	for _, c := range []struct {
		name, signer, method string
		pinned               []*x509.Certificate
		o                    Options
		want                 Kind
		index                int
	}{
		{name: "its own", signer: "idp", pinned: pinned(idp)},
		{name: "second of two", signer: "idp", pinned: pinned(idp2, idp), index: 1},
		{name: "twice", signer: "idp", pinned: pinned(idp, idp)},
		{name: "among others", signer: "idp", pinned: pinned(nil, certOf(nil), certOf(&rsa.PublicKey{}), certOf(ed), p256, weak, huge, idp), index: 7},
		{name: "another", signer: "idp", pinned: pinned(idp2), want: KindKey},
		{name: "none", signer: "idp", want: KindKey},
		{name: "nil", signer: "idp", pinned: pinned(nil), want: KindKey},
		{name: "expired but pinned", signer: "expired", pinned: pinned(expired)},
		{name: "the fingerprint is not the key", signer: "idp", pinned: pinned(&x509.Certificate{Raw: idp.Raw, PublicKey: idp2.PublicKey}), want: KindKey},
		{name: "1,024 bits", signer: "weak", pinned: pinned(weak), want: KindAlgorithm},
		{name: "1,024 bits allowed", signer: "weak", pinned: pinned(weak), o: short},
		{name: "1,024 bits beside a stranger", signer: "weak", pinned: pinned(weak, idp), want: KindKey},
		{name: "too large", signer: "idp", pinned: pinned(huge), o: short, want: KindAlgorithm},
		{name: "EC key for RSA", signer: "idp", pinned: pinned(p256), want: KindKey},
		{name: "RSA key for EC", signer: "idp-p256", pinned: pinned(idp), want: KindKey},
		{name: "EC", signer: "idp-p256", pinned: pinned(idp, p256), index: 1},
		{name: "EC on another curve", signer: "idp-p256", pinned: pinned(p384), want: KindKey},
		{name: "P-384 with SHA-256", signer: "idp-p384", method: "ecdsa-sha256", pinned: pinned(p384)},
		{name: "P-224", signer: "idp-p256", pinned: pinned(p224), want: KindKey},
		{name: "Ed25519", signer: "idp", pinned: pinned(certOf(ed)), want: KindKey},
		{name: "PSS", signer: "idp", method: "rsa-pss-sha384", pinned: pinned(idp2, idp), index: 1},
		{name: "PSS, another", signer: "idp", method: "rsa-pss-sha384", pinned: pinned(idp2), want: KindKey},
		{name: "PSS, 1,024 bits", signer: "weak", method: "rsa-pss-sha256", pinned: pinned(weak), want: KindAlgorithm},
		{name: "SHA-1 with ECDSA", signer: "idp-p256", method: "ecdsa-sha1", pinned: pinned(p256), want: KindAlgorithm},
		{name: "SHA-1 with ECDSA allowed", signer: "idp-p256", method: "ecdsa-sha1", pinned: pinned(p256), o: Options{AllowSHA1: true}},
		{name: "SHA-1 allowed alone", signer: "weak", method: "rsa-sha1", pinned: pinned(weak), o: Options{AllowSHA1: true}, want: KindAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := signedDoc(t, c.signer, SignOptions{Method: c.method})
			got, err := Verify(find(t, parse(t, doc), "Assertion"), c.pinned, c.o)
			if k := kindOf(t, err); k != c.want {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if got.Certificate != c.index {
				t.Errorf("certificate: got %d, want %d", got.Certificate, c.index)
			}
			var e *Error
			if errors.As(err, &e) {
				_, cert := pair(t, c.signer)
				sum := sha256.Sum256(cert.Raw)
				want := hex.EncodeToString(sum[:])
				if c.want != KindKey {
					want = ""
				}
				if e.KeyInfoSHA256 != want {
					t.Errorf("KeyInfoSHA256: got %q, want %q", e.KeyInfoSHA256, want)
				}
			}

			// The redirect binding decides alike.
			key, _ := pair(t, c.signer)
			value, uri, err := signBytes("data", key, c.method)
			if err != nil {
				t.Fatal(err)
			}
			got, err = VerifyBytes([]byte("data"), value, uri, c.pinned, c.o)
			if k := kindOf(t, err); k != c.want || got.Certificate != c.index {
				t.Errorf("VerifyBytes: got %v, %v, want %q, %d", got, err, c.want, c.index)
			}
			if c.want == "" {
				if _, err = VerifyBytes([]byte("dato"), value, uri, c.pinned, c.o); kindOf(t, err) != KindKey {
					t.Errorf("VerifyBytes of other data: got %v, want %s", err, KindKey)
				}
			}
		})
	}
}

// TestKeyMessages: what a refusal says of the keys that are pinned.
func TestKeyMessages(t *testing.T) {
	t.Parallel()
	_, idp := pair(t, "idp")
	_, idp2 := pair(t, "idp2")
	_, weak := pair(t, "weak")
	_, p224 := pair(t, "idp-p224")
	_, p256 := pair(t, "idp-p256")
	_, p384 := pair(t, "idp-p384")
	ofBits := func(n uint) *x509.Certificate {
		return certOf(&rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), n-1), big.NewInt(1)), E: 65537})
	}
	const (
		rsa256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
		ecdsa256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	)
	for _, c := range []struct {
		name, method string
		pinned       []*x509.Certificate
		want         Error
	}{
		{"none", rsa256, nil, Error{Kind: KindKey, Msg: "no certificate is pinned"}},
		{"another", rsa256, pinned(idp), Error{Kind: KindKey, Msg: "no certificate of the connection matches (1 tried)"}},
		{"two others", rsa256, pinned(idp, p256, idp2), Error{Kind: KindKey, Msg: "no certificate of the connection matches (2 tried)"}},
		{"two others of EC", ecdsa256, pinned(idp, p256, p384), Error{Kind: KindKey, Msg: "no certificate of the connection matches (2 tried)"}},
		{"EC key for RSA", rsa256, pinned(p256), Error{Kind: KindKey, Got: rsa256, Msg: "no certificate of the connection has a key for " + rsa256}},
		{"RSA key for EC", ecdsa256, pinned(idp), Error{Kind: KindKey, Got: ecdsa256, Msg: "no certificate of the connection has a key for " + ecdsa256}},
		{"P-224", ecdsa256, pinned(p224), Error{Kind: KindKey, Got: ecdsa256, Msg: "no certificate of the connection has a key for " + ecdsa256}},
		{"short", rsa256, pinned(weak), Error{Kind: KindAlgorithm, Got: "RSA 1024 bits", Msg: "the certificate's key is not accepted: RSA 1024 bits"}},
		{"short beside another", rsa256, pinned(weak, idp), Error{Kind: KindKey,
			Msg: "no certificate of the connection matches (1 tried); 1 not tried for the size of its key (RSA 1024 bits)"}},
		{"as long as it may be", rsa256, pinned(ofBits(16384)), Error{Kind: KindKey, Msg: "no certificate of the connection matches (1 tried)"}},
		{"longer", rsa256, pinned(ofBits(16385)), Error{Kind: KindAlgorithm, Got: "RSA 16385 bits", Msg: "the certificate's key is not accepted: RSA 16385 bits"}},
		{"as short as it may be", rsa256, pinned(ofBits(2048)), Error{Kind: KindKey, Msg: "no certificate of the connection matches (1 tried)"}},
		{"shorter", rsa256, pinned(ofBits(2047)), Error{Kind: KindAlgorithm, Got: "RSA 2047 bits", Msg: "the certificate's key is not accepted: RSA 2047 bits"}},
	} {
		_, err := VerifyBytes([]byte("data"), make([]byte, 64), c.method, c.pinned, Options{})
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: got %v", c.name, err)
		} else if diff := cmp.Diff(c.want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// signBytes is SignBytes without its allow-list.
func signBytes(data string, key crypto.Signer, name string) ([]byte, string, error) {
	m, err := methodFor(key.Public(), name)
	if err != nil {
		return nil, "", err
	}
	h := m.hash.New()
	h.Write([]byte(data))
	value, err := signAny(rsSigner{key}, m, h.Sum(nil))
	return value, m.uri, err
}

// KeyInfo helps to say which certificate it was, and nothing else.
func TestKeyInfo(t *testing.T) {
	t.Parallel()
	_, idp := pair(t, "idp")
	_, idp2 := pair(t, "idp2")
	for _, c := range []struct {
		name, signer string
		mode         KeyInfo
	}{
		{"certificate", "idp", KeyInfoCertificate},
		{"none", "idp", KeyInfoNone},
		{"name", "idp", KeyInfoName},
		{"value", "idp", KeyInfoValue},
		{"EC value", "idp-p521", KeyInfoValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, cert := pair(t, c.signer)
			el := find(t, parse(t, signedDoc(t, c.signer, SignOptions{KeyInfo: c.mode})), "Assertion")
			if _, err := Verify(el, pinned(idp2, cert), Options{}); err != nil {
				t.Errorf("two pinned: %v", err)
			}
			if _, err := Verify(el, pinned(idp2), Options{}); kindOf(t, err) != KindKey {
				t.Errorf("a stranger's: got %v, want %s", err, KindKey)
			}
		})
	}
	t.Run("attacker names the pinned certificate", func(t *testing.T) {
		t.Parallel()
		el := find(t, parse(t, signedDoc(t, "idp2", SignOptions{})), "Assertion")
		b := builder{}
		find(t, el, "X509Certificate").SetText(b.base64(idp.Raw))
		if _, err := Verify(el, pinned(idp), Options{}); kindOf(t, err) != KindKey {
			t.Errorf("got %v, want %s", err, KindKey)
		}
	})
	t.Run("hints are bounded and harmless", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "!", strings.Repeat("A", maxCertificate+4)} {
			el := find(t, parse(t, signedDoc(t, "idp2", SignOptions{})), "Assertion")
			find(t, el, "X509Certificate").SetText(text)
			_, err := Verify(el, pinned(idp), Options{})
			var e *Error
			if !errors.As(err, &e) || e.Kind != KindKey || e.KeyInfoSHA256 != "" {
				t.Errorf("got %+v", e)
			}
		}
	})
	t.Run("hint as long as it may be", func(t *testing.T) {
		t.Parallel()
		el := find(t, parse(t, signedDoc(t, "idp2", SignOptions{})), "Assertion")
		find(t, el, "X509Certificate").SetText(strings.Repeat("A", maxCertificate))
		_, err := Verify(el, pinned(idp), Options{})
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindKey || len(e.KeyInfoSHA256) != 64 {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("changed after signing", func(t *testing.T) {
		t.Parallel()
		el := find(t, parse(t, signedDoc(t, "idp", SignOptions{})), "Assertion")
		find(t, el, "NameID").SetText("eve")
		_, err := Verify(el, pinned(idp), Options{})
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindDigest || len(e.KeyInfoSHA256) != 64 {
			t.Errorf("got %+v", e)
		}
	})
}

// An ECDSA value has exactly one form.
func TestECDSAForm(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "idp-p256")
	const uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	data := []byte("data")
	good, _, err := SignBytes(data, key, "")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	asn1, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	plusN := func(v []byte) []byte {
		x := new(big.Int).Add(new(big.Int).SetBytes(v), n)
		if x.BitLen() > 256 {
			return nil
		}
		return x.FillBytes(make([]byte, 32))
	}
	for _, c := range []struct {
		name  string
		value []byte
		want  Kind
	}{
		{"r‖s", good, ""},
		{"ASN.1", asn1, KindKey},
		{"s‖r", append(append([]byte{}, good[32:]...), good[:32]...), KindKey},
		{"short", good[:63], KindKey},
		{"long", append(append([]byte{}, good...), 0), KindKey},
		{"leading zeros", append(append(make([]byte, 1), good[:32]...), append(make([]byte, 1), good[32:]...)...), KindKey},
		{"zero before s", append(append(append([]byte{}, good[:32]...), 0), good[32:]...), KindKey},
		{"zero", make([]byte, 64), KindKey},
		{"r zero", append(make([]byte, 32), good[32:]...), KindKey},
		{"all ones", []byte(strings.Repeat("\xff", 64)), KindKey},
		{"s plus n", append(append([]byte{}, good[:32]...), plusN(good[32:])...), KindKey},
		{"empty", nil, KindMissing},
	} {
		if _, err := VerifyBytes(data, c.value, uri, pinned(cert), Options{}); kindOf(t, err) != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	for _, alg := range []string{"", "ecdsa-sha256", uri + " ", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"} {
		if _, err := VerifyBytes(data, good, alg, pinned(cert), Options{}); kindOf(t, err) != KindAlgorithm {
			t.Errorf("%q: got %v, want %s", alg, err, KindAlgorithm)
		}
	}
}

// kms signs somewhere else: it has no other methods than those of a Signer.
type kms struct {
	pub  crypto.PublicKey
	sign func(digest []byte, o crypto.SignerOpts) ([]byte, error)
}

func (k kms) Public() crypto.PublicKey { return k.pub }

func (k kms) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.sign(digest, o)
}

func remote(k crypto.Signer) kms {
	return kms{k.Public(), func(d []byte, o crypto.SignerOpts) ([]byte, error) { return k.Sign(rand.Reader, d, o) }}
}

func TestSignFaults(t *testing.T) {
	t.Parallel()
	idp, idpCert := pair(t, "idp")
	p256, p256Cert := pair(t, "idp-p256")
	p224, _ := pair(t, "idp-p224")
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	failing := kms{idp.Public(), func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, errors.New("no quota") }}
	garbled := func(value string) kms {
		return kms{p256.Public(), func([]byte, crypto.SignerOpts) ([]byte, error) { return []byte(value), nil }}
	}
	const plain = `<A xmlns:x="urn:x" ID="_a"><B/></A>`
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		cert   *x509.Certificate
		method string
		doc    string
		at     int
		ok     bool
	}{
		{name: "control", key: idp, cert: idpCert, ok: true},
		{name: "at the end", key: idp, at: 1, ok: true},
		{name: "in capitals", key: idp, method: "RSA-SHA256", ok: true},
		{name: "KMS", key: remote(idp), cert: idpCert, ok: true},
		{name: "KMS with EC", key: remote(p256), cert: p256Cert, ok: true},
		{name: "no key", key: nil},
		{name: "nil RSA key", key: (*rsa.PrivateKey)(nil)},
		{name: "nil EC key", key: (*ecdsa.PrivateKey)(nil)},
		{name: "KMS without a public key", key: kms{}},
		{name: "KMS with a nil public key", key: kms{pub: (*rsa.PublicKey)(nil)}},
		{name: "P-224", key: p224},
		{name: "Ed25519", key: ed},
		{name: "EC method for RSA", key: idp, method: "ecdsa-sha256"},
		{name: "RSA method for EC", key: p256, method: "rsa-sha256"},
		{name: "PSS", key: idp, method: "rsa-pss-sha256"},
		{name: "SHA-1", key: idp, method: "rsa-sha1"},
		{name: "unknown method", key: idp, method: "hmac-sha256"},
		{name: "URI for a name", key: idp, method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"},
		{name: "another's certificate", key: idp, cert: p256Cert},
		{name: "failing KMS", key: failing},
		{name: "KMS with no ASN.1", key: garbled("x")},
		{name: "KMS with junk after ASN.1", key: garbled("\x30\x06\x02\x01\x01\x02\x01\x01x")},
		{name: "KMS with a negative number", key: garbled("\x30\x06\x02\x01\xff\x02\x01\x01")},
		{name: "KMS with zero", key: garbled("\x30\x06\x02\x01\x00\x02\x01\x01")},
		{name: "KMS of another curve", key: garbled("\x30\x27\x02\x22" + strings.Repeat("\x01", 34) + "\x02\x01\x01")},
		{name: "before the beginning", key: idp, at: -1},
		{name: "past the end", key: idp, at: 2},
		{name: "signed already", key: idp, doc: `<A ID="_a"><Signature xmlns="` + dsigSpace + `"/></A>`},
		{name: "no ID", key: idp, doc: `<A/>`},
		{name: "another ID first", key: idp, doc: `<A xmlns:x="urn:x" x:ID="_b" ID="_a"><B/></A>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.doc == "" {
				c.doc = plain
			}
			el := parse(t, c.doc)
			before := serialize(t, el)
			err := Sign(el, c.key, c.cert, c.method, c.at)
			if (err == nil) != c.ok {
				t.Fatalf("Sign: got %v", err)
			}
			if err != nil {
				if got := serialize(t, el); got != before {
					t.Errorf("a failed Sign left %s", got)
				}
			} else if got := el.ChildElements()[c.at].Tag; got != "Signature" {
				t.Errorf("child %d: got %s", c.at, got)
			}
			if err != nil && c.doc == plain && c.at == 0 && c.cert == nil {
				if _, _, err := SignBytes([]byte("x"), c.key, c.method); err == nil {
					t.Error("SignBytes: no error")
				}
			}
		})
	}
	if err := Sign(nil, idp, nil, "", 0); err == nil {
		t.Error("no element: no error")
	}
}

func TestMethodURI(t *testing.T) {
	t.Parallel()
	key, _ := pair(t, "idp")
	_, want, err := SignBytes([]byte("x"), key, "rsa-sha384")
	if err != nil {
		t.Fatal(err)
	}
	got, err := MethodURI(key, "rsa-sha384")
	if err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := MethodURI(key, "ecdsa-sha384"); err == nil {
		t.Error("a method of another key: no error")
	}
}
