package xmlenc

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// A KeyPlace is where an EncryptedKey stands.
type KeyPlace int

const (
	InKeyInfo  KeyPlace = iota // in the KeyInfo of the EncryptedData
	Beside                     // beside the EncryptedData
	Referenced                 // beside it, and named by a RetrievalMethod
)

// EncryptOptions say how to encrypt. The zero value is what every receiver of
// today can decrypt.
type EncryptOptions struct {
	// Content is aes128-gcm, aes192-gcm, aes256-gcm, or the same with -cbc.
	// Zero: aes256-gcm.
	Content string
	// KeyTransport is rsa-oaep-mgf1p, rsa-oaep (of XML Encryption 1.1), or
	// rsa-1_5, which receivers should refuse. Zero: rsa-oaep-mgf1p.
	KeyTransport string
	// Digest of OAEP. Zero: SHA-1.
	Digest crypto.Hash
	// MGF is the hash of OAEP's mask. Zero: SHA-1. Only rsa-oaep can have
	// another.
	MGF crypto.Hash
	// Label goes into OAEPparams.
	Label []byte
	Place KeyPlace
	// Recipient names who can decrypt, and is needed only with Also.
	Recipient string
	// Also are further recipients.
	Also []Recipient
}

// A Recipient is somebody who can decrypt.
type Recipient struct {
	Name        string
	Certificate *x509.Certificate
}

// Encrypt returns an element of the SAML assertion namespace, such as
// EncryptedID, with el in it, encrypted to the RSA key of a certificate. el may
// stand in a tree: the namespaces in scope go with it, so that it decrypts in
// any place.
func Encrypt(el *etree.Element, wrapper string, cert *x509.Certificate, o EncryptOptions) (*etree.Element, error) {
	return EncryptBytes(selfContained(el), wrapper, cert, o)
}

// EncryptBytes is Encrypt for a plaintext that need not be an element, for tests
// of what decrypts it.
func EncryptBytes(plain []byte, wrapper string, cert *x509.Certificate, o EncryptOptions) (*etree.Element, error) {
	if contentOf(wrapper) == "" {
		return nil, fmt.Errorf("xmlenc: %q is no element of SAML that holds an encrypted one", wrapper)
	}
	o = o.withDefaults()
	c := contentNamed(o.Content)
	if c == nil {
		return nil, fmt.Errorf("xmlenc: unknown content encryption %q", o.Content)
	}
	key := make([]byte, c.keySize)
	rand.Read(key) // never fails
	ciphertext, err := c.seal(key, plain)
	if err != nil {
		return nil, err
	}

	enc := etree.NewElement("saml:" + wrapper)
	enc.CreateAttr("xmlns:saml", samlxml.Assertion)
	data := enc.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", xencSpace)
	data.CreateAttr("Type", typeElement)
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", c.uri)
	info := etree.NewElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", dsigSpace)
	for _, r := range append([]Recipient{{o.Recipient, cert}}, o.Also...) {
		k, err := o.encryptedKey(key, r)
		if err != nil {
			return nil, err
		}
		switch o.Place {
		case InKeyInfo:
			info.AddChild(k)
		case Referenced:
			id := newID()
			k.CreateAttr("Id", id)
			m := info.CreateElement("ds:RetrievalMethod")
			m.CreateAttr("Type", typeEncryptedKey)
			m.CreateAttr("URI", "#"+id)
			fallthrough
		default:
			enc.AddChild(k)
		}
	}
	if len(info.Child) > 0 {
		data.AddChild(info)
	}
	cipherData(data, ciphertext)
	return enc, nil
}

func (o EncryptOptions) withDefaults() EncryptOptions {
	if o.Content == "" {
		o.Content = "aes256-gcm"
	}
	if o.KeyTransport == "" {
		o.KeyTransport = "rsa-oaep-mgf1p"
	}
	if o.Digest == 0 {
		o.Digest = crypto.SHA1
	}
	if o.MGF == 0 {
		o.MGF = crypto.SHA1
	}
	return o
}

func contentNamed(name string) *content {
	for i := range contents {
		if contents[i].name == name {
			return &contents[i]
		}
	}
	return nil
}

// seal is the opposite of open.
func (c *content) seal(key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if c.gcm {
		// It puts the nonce before the ciphertext and the tag after, as XML
		// Encryption does.
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		return aead.Seal(nil, nil, plain, nil), nil
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	out := make([]byte, aes.BlockSize+len(plain)+n)
	rand.Read(out[:aes.BlockSize])
	copy(out[aes.BlockSize:], plain)
	padding := out[aes.BlockSize+len(plain):]
	rand.Read(padding)
	padding[n-1] = byte(n)
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], out[aes.BlockSize:])
	return out, nil
}

// encryptedKey makes the EncryptedKey of one recipient.
func (o EncryptOptions) encryptedKey(key []byte, r Recipient) (*etree.Element, error) {
	if r.Certificate == nil {
		return nil, errors.New("xmlenc: no certificate to encrypt to")
	}
	public, ok := r.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("xmlenc: the key to encrypt to is a %T, want RSA", r.Certificate.PublicKey)
	}
	k := etree.NewElement("xenc:EncryptedKey")
	k.CreateAttr("xmlns:xenc", xencSpace)
	if r.Name != "" {
		k.CreateAttr("Recipient", r.Name)
	}
	method := k.CreateElement("xenc:EncryptionMethod")
	wrapped, err := o.wrap(method, public, key)
	if err != nil {
		return nil, err
	}
	cipherData(k, wrapped)
	return k, nil
}

// wrap encrypts a session key and writes down how.
func (o EncryptOptions) wrap(method *etree.Element, public *rsa.PublicKey, key []byte) ([]byte, error) {
	switch {
	case o.KeyTransport == "rsa-1_5":
		method.CreateAttr("Algorithm", rsa15)
		return rsa.EncryptPKCS1v15(rand.Reader, public, key) //nolint:staticcheck // it tests that receivers refuse it
	case o.KeyTransport == "rsa-oaep":
		method.CreateAttr("Algorithm", oaep11)
	case o.KeyTransport == "rsa-oaep-mgf1p" && o.MGF == crypto.SHA1:
		method.CreateAttr("Algorithm", oaepMGF1P)
	default:
		return nil, fmt.Errorf("xmlenc: unknown key transport %q, or not with MGF1 and %v", o.KeyTransport, o.MGF)
	}
	if len(o.Label) > 0 {
		method.CreateElement("xenc:OAEPparams").SetText(base64.StdEncoding.EncodeToString(o.Label))
	}
	digest, mask := "", ""
	for _, h := range hashes {
		if h.hash == o.Digest {
			digest = h.digest
		}
		if h.hash == o.MGF {
			mask = h.mgf
		}
	}
	if digest == "" || mask == "" {
		return nil, fmt.Errorf("xmlenc: OAEP with %v and MGF1 with %v has no name", o.Digest, o.MGF)
	}
	d := method.CreateElement("ds:DigestMethod")
	d.CreateAttr("xmlns:ds", dsigSpace)
	d.CreateAttr("Algorithm", digest)
	if o.MGF != crypto.SHA1 {
		m := method.CreateElement("xenc11:MGF")
		m.CreateAttr("xmlns:xenc11", xenc11Space)
		m.CreateAttr("Algorithm", mask)
	}
	return encryptOAEP(public, key, o.Digest, o.MGF, o.Label)
}

func cipherData(of *etree.Element, value []byte) {
	of.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(value))
}

// selfContained writes el with all namespace declarations in scope: names in
// values (xsi:type) need theirs, and inclusive canonical forms every one.
func selfContained(el *etree.Element) []byte {
	c := el.Copy()
	for e := el.Parent(); e != nil; e = e.Parent() {
		for _, a := range e.Attr {
			if prefix, ok := declared(a); ok {
				if _, inner := binding(c, prefix); !inner {
					c.CreateAttr(a.FullKey(), a.Value)
				}
			}
		}
	}
	var b bytes.Buffer
	c.WriteTo(&b, &etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true})
	return b.Bytes()
}

func newID() string { return "_" + rand.Text() }
