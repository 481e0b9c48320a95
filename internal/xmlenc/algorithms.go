package xmlenc

import (
	"crypto"
	_ "crypto/sha1" // for OAEP
	_ "crypto/sha256"
	_ "crypto/sha512"
	"strconv"
	"strings"
)

// Namespaces and identifiers of XML Encryption.
const (
	xencSpace   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11Space = "http://www.w3.org/2009/xmlenc11#"
	dsigSpace   = "http://www.w3.org/2000/09/xmldsig#"
	moreSpace   = "http://www.w3.org/2001/04/xmldsig-more#"

	typeElement      = xencSpace + "Element"
	typeEncryptedKey = xencSpace + "EncryptedKey"

	oaepMGF1P = xencSpace + "rsa-oaep-mgf1p" // mask with SHA-1 always
	oaep11    = xenc11Space + "rsa-oaep"     // mask as MGF says
	rsa15     = xencSpace + "rsa-1_5"
)

// A content is a way to encrypt content. name is what EncryptOptions call it.
type content struct {
	name, uri string
	keySize   int // bytes
	gcm       bool
}

// contents is the allow-list; CBC in it is for Options.
var contents = [...]content{
	{"aes256-gcm", xenc11Space + "aes256-gcm", 32, true},
	{"aes192-gcm", xenc11Space + "aes192-gcm", 24, true},
	{"aes128-gcm", xenc11Space + "aes128-gcm", 16, true},
	{"aes256-cbc", xencSpace + "aes256-cbc", 32, false},
	{"aes192-cbc", xencSpace + "aes192-cbc", 24, false},
	{"aes128-cbc", xencSpace + "aes128-cbc", 16, false},
}

const useGCM = "set the IdP to encrypt with AES-256-GCM, and its key with RSA-OAEP"

// acceptContent applies the options to the allow-list.
func acceptContent(uri string, o Options) (*content, *Error) {
	for i := range contents {
		c := &contents[i]
		if c.uri != uri {
			continue
		}
		if !c.gcm && !o.CBCAuthenticated && !o.AllowUnauthenticatedCBC {
			// Jager and Somorovsky: see the package comment.
			return nil, refused("AES-CBC, and no signature that holds covers the ciphertext", "AES-GCM, or a signed Response around AES-CBC",
				"set the IdP to sign the Response as well as the assertion, or to encrypt with AES-GCM")
		}
		return c, nil
	}
	return nil, refused("content encryption "+quote(uri), "AES-GCM with 128, 192 or 256 bits", useGCM)
}

// hashes are the digests of OAEP. SHA-384 has a second name: XML Encryption 1.1
// has one of its own for what XML Signature already named.
var hashes = [...]struct {
	hash             crypto.Hash
	digest, alt, mgf string
}{
	{crypto.SHA1, dsigSpace + "sha1", "", xenc11Space + "mgf1sha1"},
	{crypto.SHA256, xencSpace + "sha256", "", xenc11Space + "mgf1sha256"},
	{crypto.SHA384, xencSpace + "sha384", moreSpace + "sha384", xenc11Space + "mgf1sha384"},
	{crypto.SHA512, xencSpace + "sha512", "", xenc11Space + "mgf1sha512"},
}

func acceptDigest(uri string) (crypto.Hash, *Error) {
	for _, h := range hashes {
		if uri == h.digest || uri == h.alt && uri != "" {
			return h.hash, nil
		}
	}
	return 0, refused("OAEP digest "+quote(uri), "SHA-256, or SHA-1, SHA-384, SHA-512", useGCM)
}

func acceptMGF(uri string) (crypto.Hash, *Error) {
	for _, h := range hashes {
		if uri == h.mgf {
			return h.hash, nil
		}
	}
	return 0, refused("OAEP mask "+quote(uri), "MGF1 with SHA-256, or SHA-1, SHA-384, SHA-512", useGCM)
}

// quote shortens a value from a message and quotes it.
func quote(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(s)
}
