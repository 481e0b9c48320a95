package xmlenc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"strconv"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// maxLabel bounds OAEPparams. Nobody is known to send any.
const maxLabel = 1024

// A wrappedKey is the session key, encrypted to somebody.
type wrappedKey struct {
	value []byte
	oaep  *rsa.OAEPOptions // nil for PKCS #1 v1.5
}

// unwrap decrypts a session key of a size. If that fails, it returns a random
// one, and nothing says so: the content is then decrypted with it and fails as
// with any wrong key (implicit rejection). For PKCS #1 v1.5 the standard library
// does the same inside, in constant time, so that Bleichenbacher's question, was
// the padding right, has no answer here; for OAEP it closes the smaller gap of
// Manger's attack, and of a key of another size.
func (w *wrappedKey) unwrap(private crypto.Decrypter, size int) []byte {
	key := make([]byte, size)
	rand.Read(key) // never fails
	var o crypto.DecrypterOpts = &rsa.PKCS1v15DecryptOptions{SessionKeyLen: size}
	if w.oaep != nil {
		o = w.oaep
	}
	got, err := private.Decrypt(rand.Reader, w.value, o)
	ok := 1
	if err != nil || len(got) != size {
		got, ok = make([]byte, size), 0
	}
	subtle.ConstantTimeCopy(ok, key, got)
	return key
}

// readTransport reads the EncryptionMethod of an EncryptedKey into w.
func (w *wrappedKey) readTransport(method *etree.Element, o Options) *Error {
	uri, _ := samlxml.Attr(method, "Algorithm")
	switch {
	case uri == oaepMGF1P || uri == oaep11:
	case uri == rsa15 && o.AllowRSA15:
		return nil
	case uri == rsa15:
		return refused("key transport with RSA PKCS #1 v1.5", "RSA-OAEP", "set the IdP to encrypt the key with RSA-OAEP")
	default:
		return refused("key transport "+quote(uri), "RSA-OAEP", "set the IdP to encrypt the key with RSA-OAEP")
	}
	// XML Encryption 1.1, 5.5.2: SHA-1 is the default of both.
	digest, mask := crypto.SHA1, crypto.SHA1
	var label []byte
	var refusal *Error
	seen := map[string]bool{}
	for _, p := range method.ChildElements() {
		if seen[p.Tag] {
			return malformed(p.Tag + " twice in an EncryptionMethod")
		}
		seen[p.Tag] = true
		alg, _ := samlxml.Attr(p, "Algorithm")
		switch {
		case samlxml.Is(p, dsigSpace, "DigestMethod"):
			digest, refusal = acceptDigest(alg)
		case samlxml.Is(p, xenc11Space, "MGF"):
			mask, refusal = acceptMGF(alg)
		case samlxml.Is(p, xencSpace, "OAEPparams"):
			label, refusal = readLabel(p)
		case samlxml.Is(p, xencSpace, "KeySize"): // of the RSA key; the key itself tells
		default:
			refusal = malformed("parameter " + quote(p.Tag) + " of RSA-OAEP")
		}
		if refusal != nil {
			return refusal
		}
	}
	if uri == oaepMGF1P && mask != crypto.SHA1 {
		return refused("rsa-oaep-mgf1p with another mask than MGF1 with SHA-1", "the algorithm "+oaep11+" for that", useGCM)
	}
	w.oaep = &rsa.OAEPOptions{Hash: digest, Label: label}
	if mask != digest {
		w.oaep.MGFHash = mask // left out where it says nothing: not every HSM knows it
	}
	return nil
}

func readLabel(e *etree.Element) ([]byte, *Error) {
	text, err := plainText(e)
	if err != nil {
		return nil, err
	}
	if len(text) > 2*maxLabel {
		return nil, refused("OAEPparams of "+strconv.Itoa(len(text))+" characters", "at most "+strconv.Itoa(maxLabel)+" bytes", useGCM)
	}
	label := decodeBase64(text)
	switch {
	case label == nil:
		return nil, malformed("OAEPparams that are not base64")
	case len(label) > maxLabel:
		return nil, refused("OAEPparams of "+strconv.Itoa(len(label))+" bytes", "at most "+strconv.Itoa(maxLabel), useGCM)
	}
	return label, nil
}
