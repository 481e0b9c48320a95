package xmlsig

import (
	"encoding/base64"
	"errors"

	"github.com/beevik/etree"
)

var errBase64 = errors.New("not base64")

// base64Of decodes the text of e, which has nothing but text: a comment or an
// element in it would let two readers see two values.
func base64Of(e *etree.Element) ([]byte, error) {
	var text string
	for i, t := range e.Child {
		d, ok := t.(*etree.CharData)
		if !ok {
			return nil, malformed("%s holds more than text", e.Tag)
		}
		if i == 0 {
			text = d.Data
		} else {
			text += d.Data // rare: CDATA next to text
		}
		if len(text) > maxBase64 {
			return nil, malformed("%s is too long", e.Tag)
		}
	}
	b, err := decodeBase64(text)
	if err != nil || len(b) == 0 {
		return nil, malformed("%s is not base64", e.Tag)
	}
	return b, nil
}

// maxBase64 leaves room for a value of 2,048 bytes (RSA of 16,384 bits) with
// blanks.
const maxBase64 = 16 << 10

// decodeBase64 takes white space wherever it stands, indented lines and &#13;
// among it, but no other alphabet, padding or stray bits.
func decodeBase64(s string) ([]byte, error) {
	src := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
		default:
			src = append(src, s[i])
		}
	}
	n, err := base64.StdEncoding.Strict().Decode(src, src)
	if err != nil {
		return nil, errBase64
	}
	return src[:n], nil
}
