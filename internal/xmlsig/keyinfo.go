package xmlsig

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/beevik/etree"
)

const samlPrefix = "urn:oasis:names:tc:SAML:"

// checkKeyInfo refuses SAML inside KeyInfo (nil is fine). KeyInfo stands outside
// the signature, so an assertion in it is a forged one that waits for a reader
// who searches the tree. What else is in there is not read.
func (c *canon) checkKeyInfo(keyInfo *etree.Element) error {
	if keyInfo == nil {
		return nil
	}
	c.scope.reset()
	c.form = form{exclusive: true}
	if err := c.ancestors(keyInfo); err != nil {
		return &Error{Kind: KindMalformed, Msg: err.Error()}
	}
	return c.noSAML(keyInfo, 0)
}

func (c *canon) noSAML(e *etree.Element, depth int) error {
	if depth > maxDepth {
		return malformed("KeyInfo: %v", errDeep)
	}
	mark := c.mark()
	for i := range e.Attr {
		if prefix, uri, ok := declaration(&e.Attr[i]); ok {
			if _, err := c.bind(prefix, uri); err != nil {
				return malformed("KeyInfo: %v", err)
			}
		}
	}
	if strings.HasPrefix(c.bound[c.slot(e.Space)].uri, samlPrefix) {
		return malformed("%s in KeyInfo", shorten(e.Tag))
	}
	for _, t := range e.Child {
		if child, ok := t.(*etree.Element); ok {
			if err := c.noSAML(child, depth+1); err != nil {
				return err
			}
		}
	}
	c.leave(mark)
	return nil
}

// maxCertificate bounds the text of a certificate that is only hashed for a hint.
const maxCertificate = 64 << 10

// fingerprint returns the SHA-256 of the first X509Certificate in KeyInfo, in
// hexadecimal, or "". It is for telling the administrator which certificate the
// identity provider uses now; whoever sent the document can write anything there.
func fingerprint(keyInfo *etree.Element) string {
	if keyInfo == nil {
		return ""
	}
	data := firstChild(keyInfo, "X509Data")
	if data == nil {
		return ""
	}
	cert := firstChild(data, "X509Certificate")
	if cert == nil || len(cert.Child) != 1 {
		return ""
	}
	text, ok := cert.Child[0].(*etree.CharData)
	if !ok || len(text.Data) > maxCertificate {
		return ""
	}
	der, err := decodeBase64(text.Data)
	if err != nil || len(der) == 0 {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func firstChild(e *etree.Element, tag string) *etree.Element {
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok && c.Tag == tag {
			return c
		}
	}
	return nil
}
