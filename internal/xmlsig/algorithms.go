package xmlsig

import (
	"crypto"
	_ "crypto/sha1" // for crypto.SHA1, behind Options.AllowSHA1
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// Namespaces and identifiers of XML signatures.
const (
	dsigSpace = "http://www.w3.org/2000/09/xmldsig#"
	excSpace  = "http://www.w3.org/2001/10/xml-exc-c14n#" // of InclusiveNamespaces
	xmlSpace  = "http://www.w3.org/XML/1998/namespace"
	xmlnsURI  = "http://www.w3.org/2000/xmlns/"

	enveloped = dsigSpace + "enveloped-signature"
)

// Canonical forms.
const (
	ExcC14N             = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExcC14NWithComments = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
	C14N10              = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	C14N10WithComments  = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
	C14N11              = "http://www.w3.org/2006/12/xml-c14n11"
	C14N11WithComments  = "http://www.w3.org/2006/12/xml-c14n11#WithComments"
)

// form is a canonical form taken apart.
type form struct {
	exclusive, comments, v11 bool
}

func formOf(uri string) (f form, ok bool) {
	switch uri {
	case ExcC14N:
		return form{exclusive: true}, true
	case ExcC14NWithComments:
		return form{exclusive: true, comments: true}, true
	case C14N10:
		return form{}, true
	case C14N10WithComments:
		return form{comments: true}, true
	case C14N11:
		return form{v11: true}, true
	case C14N11WithComments:
		return form{v11: true, comments: true}, true
	}
	return form{}, false
}

// Digest methods.
const (
	DigestSHA1   = "http://www.w3.org/2000/09/xmldsig#sha1"
	DigestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	DigestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	DigestSHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
)

func digestOf(uri string) (crypto.Hash, bool) {
	switch uri {
	case DigestSHA256:
		return crypto.SHA256, true
	case DigestSHA384:
		return crypto.SHA384, true
	case DigestSHA512:
		return crypto.SHA512, true
	case DigestSHA1:
		return crypto.SHA1, true
	}
	return 0, false
}

// scheme is what a key does to a hash.
type scheme uint8

const (
	pkcs1   scheme = iota + 1 // RSASSA-PKCS1-v1_5
	pss                       // RSASSA-PSS, MGF1 with the same hash, salt as long as the hash
	ecdsaRS                   // ECDSA, the value is r‖s
)

// method is a signature method. name is what Sign and SignBytes call it.
type method struct {
	name, uri string
	scheme    scheme
	hash      crypto.Hash
}

// methods is the allow-list. SHA-1 stands in it for Options.AllowSHA1; HMAC
// must never: with it the public certificate would be the key.
var methods = [...]method{
	{"rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", pkcs1, crypto.SHA256},
	{"rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", pkcs1, crypto.SHA384},
	{"rsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", pkcs1, crypto.SHA512},
	{"ecdsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", ecdsaRS, crypto.SHA256},
	{"ecdsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", ecdsaRS, crypto.SHA384},
	{"ecdsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", ecdsaRS, crypto.SHA512},
	{"rsa-pss-sha256", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", pss, crypto.SHA256},
	{"rsa-pss-sha384", "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", pss, crypto.SHA384},
	{"rsa-pss-sha512", "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", pss, crypto.SHA512},
	{"rsa-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", pkcs1, crypto.SHA1},
	{"ecdsa-sha1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", ecdsaRS, crypto.SHA1},
}

func methodOf(uri string) (*method, bool) {
	for i := range methods {
		if methods[i].uri == uri {
			return &methods[i], true
		}
	}
	return nil, false
}

func methodNamed(name string) (*method, bool) {
	for i := range methods {
		if methods[i].name == name {
			return &methods[i], true
		}
	}
	return nil, false
}

// acceptMethod and acceptDigest apply the options to the allow-list.
func acceptMethod(uri string, o Options) (*method, *Error) {
	m, ok := methodOf(uri)
	if !ok || m.hash == crypto.SHA1 && !o.AllowSHA1 {
		return nil, unaccepted("signature method", uri)
	}
	return m, nil
}

func acceptDigest(uri string, o Options) (crypto.Hash, *Error) {
	h, ok := digestOf(uri)
	if !ok || h == crypto.SHA1 && !o.AllowSHA1 {
		return 0, unaccepted("digest method", uri)
	}
	return h, nil
}
