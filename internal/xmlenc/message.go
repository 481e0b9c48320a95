package xmlenc

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// maxKeys bounds the EncryptedKeys of one element: one for each recipient.
const maxKeys = 8

// A message is an encrypted element, taken apart.
type message struct {
	enc, data  *etree.Element // EncryptedAssertion or the like, and its EncryptedData
	expected   string         // local name of what is in it
	content    *content
	ciphertext []byte // nil if it is no base64
	keys       []wrappedKey
}

// wrappers are the elements that we decrypt, and what must come out. An
// EncryptedID may also hold a BaseID or an Assertion (SAML 2.0 Core, 2.2.4): the
// first is abstract, the other a way to smuggle in a second assertion.
var wrappers = [...]struct{ wrapper, content string }{
	{"EncryptedAssertion", "Assertion"},
	{"EncryptedID", "NameID"},
	{"EncryptedAttribute", "Attribute"},
}

func contentOf(wrapper string) string {
	for _, w := range wrappers {
		if w.wrapper == wrapper {
			return w.content
		}
	}
	return ""
}

func malformed(got string) *Error {
	return refused(got, "EncryptedData with one CipherValue, and its EncryptedKey in KeyInfo or beside it",
		"the message is not encrypted as SAML allows it; if it comes from your IdP, send its support this text")
}

// read takes an encrypted element apart and refuses what it can without a key.
func read(enc *etree.Element, o Options) (*message, *Error) {
	m := &message{enc: enc, expected: contentOf(enc.Tag)}
	if m.expected == "" || !samlxml.Is(enc, samlxml.Assertion, enc.Tag) {
		return nil, malformed("element " + quote(enc.Tag) + " where an encrypted one is expected")
	}
	var siblings []*etree.Element
	if err := children(enc, func(e *etree.Element) bool {
		switch {
		case samlxml.Is(e, xencSpace, "EncryptedData") && m.data == nil:
			m.data = e
		case samlxml.Is(e, xencSpace, "EncryptedKey"):
			siblings = append(siblings, e)
		default:
			return false
		}
		return true
	}); err != nil {
		return nil, err
	}
	if m.data == nil {
		return nil, malformed("no EncryptedData")
	}
	if t, ok := samlxml.Attr(m.data, "Type"); ok && t != typeElement {
		return nil, malformed("EncryptedData of Type " + quote(t))
	}
	p, err := readParts(m.data)
	if err != nil {
		return nil, err
	}
	if err := m.readContent(p, o); err != nil {
		return nil, err
	}
	if err := m.readKeys(p.keyInfo, siblings, o); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *message) readContent(p parts, o Options) *Error {
	uri, _ := samlxml.Attr(p.method, "Algorithm")
	var err *Error
	if m.content, err = acceptContent(uri, o); err != nil {
		return err
	}
	if size, n := samlxml.Child(p.method, xencSpace, "KeySize"); n > 0 {
		if text, err := plainText(size); err != nil || n > 1 || strings.Trim(text, xmlSpaces) != strconv.Itoa(8*m.content.keySize) {
			return malformed("a KeySize that contradicts the algorithm " + quote(uri))
		}
	}
	m.ciphertext = decodeBase64(p.value)
	const overhead = gcmNonce + gcmTag + 32 // of one mode or the other, with padding
	if most := o.Limits.Bytes; most > 0 && len(m.ciphertext) > most+overhead {
		return refused("a ciphertext of "+strconv.Itoa(len(m.ciphertext))+" bytes", "at most "+strconv.Itoa(most)+" bytes of XML", "have the IdP send fewer attributes or groups")
	}
	return nil
}

// readKeys collects the wrapped keys, those in KeyInfo and those beside the
// EncryptedData. A key with a transport that is refused may be somebody else's,
// so it is an error only if no other is left.
func (m *message) readKeys(info *etree.Element, siblings []*etree.Element, o Options) *Error {
	var all, references []*etree.Element
	if info != nil {
		all = samlxml.Children(info, xencSpace, "EncryptedKey")
		references = samlxml.Children(info, dsigSpace, "RetrievalMethod")
	}
	all = append(all, siblings...)
	switch {
	case len(all) == 0 && len(references) == 0:
		return malformed("no EncryptedKey")
	case len(all) > maxKeys || len(references) > maxKeys:
		return malformed("more than " + strconv.Itoa(maxKeys) + " EncryptedKeys")
	}
	for _, r := range references {
		if err := checkReference(r, all); err != nil {
			return err
		}
	}
	var first *Error
	for _, e := range all {
		p, err := readParts(e)
		if err != nil {
			return err
		}
		w := wrappedKey{value: decodeBase64(p.value)}
		if err := w.readTransport(p.method, o); err == nil {
			m.keys = append(m.keys, w)
		} else if first == nil {
			first = err
		}
	}
	if len(m.keys) == 0 {
		return first
	}
	return nil
}

// checkReference refuses a RetrievalMethod to anything but one of the keys that
// we have anyway. Following it elsewhere would be a way to have us fetch
// addresses (XML Signature 1.1, 4.5.3, lets it name any).
func checkReference(r *etree.Element, keys []*etree.Element) *Error {
	if t, ok := samlxml.Attr(r, "Type"); ok && t != typeEncryptedKey {
		return malformed("RetrievalMethod of Type " + quote(t))
	}
	if len(r.ChildElements()) > 0 {
		return malformed("RetrievalMethod with Transforms")
	}
	uri, _ := samlxml.Attr(r, "URI")
	n := 0
	for _, k := range keys {
		if id, ok := samlxml.Attr(k, "Id"); ok && id != "" && uri == "#"+id {
			n++
		}
	}
	if n != 1 {
		return malformed("RetrievalMethod to " + quote(uri) + ", which is not the one EncryptedKey of that Id here")
	}
	return nil
}

// parts are the children of an EncryptedData or EncryptedKey.
type parts struct {
	method, keyInfo *etree.Element
	value           string // the text of CipherValue
}

func readParts(of *etree.Element) (parts, *Error) {
	var p parts
	var data, value *etree.Element
	if err := children(of, func(e *etree.Element) bool {
		var slot **etree.Element
		switch {
		case samlxml.Is(e, xencSpace, "EncryptionMethod"):
			slot = &p.method
		case samlxml.Is(e, dsigSpace, "KeyInfo"):
			slot = &p.keyInfo
		case samlxml.Is(e, xencSpace, "CipherData"):
			slot = &data
		case samlxml.Is(e, xencSpace, "EncryptionProperties"),
			of.Tag == "EncryptedKey" && samlxml.Is(e, xencSpace, "ReferenceList"),
			of.Tag == "EncryptedKey" && samlxml.Is(e, xencSpace, "CarriedKeyName"):
			return true
		default:
			return false
		}
		if *slot != nil {
			return false
		}
		*slot = e
		return true
	}); err != nil {
		return p, err
	}
	if p.method == nil || data == nil {
		return p, malformed(of.Tag + " without EncryptionMethod or CipherData")
	}
	// A CipherReference would have us fetch the ciphertext.
	if err := children(data, func(e *etree.Element) bool {
		first := value == nil
		value = e
		return first && samlxml.Is(e, xencSpace, "CipherValue")
	}); err != nil {
		return p, err
	}
	if value == nil {
		return p, malformed("CipherData without CipherValue")
	}
	var err *Error
	p.value, err = plainText(value)
	return p, err
}

const xmlSpaces = " \t\r\n"

// children calls take with each child element, and refuses those that it does
// not take, and text.
func children(of *etree.Element, take func(*etree.Element) bool) *Error {
	if samlxml.HasText(of) {
		return malformed("text in " + of.Tag)
	}
	for _, t := range of.Child {
		if e, ok := t.(*etree.Element); ok && !take(e) {
			return malformed("element " + quote(e.Tag) + " in " + of.Tag + ", where there is no place for it or it is a second one")
		}
	}
	return nil
}

// plainText is the text of e, which has nothing but text in it.
func plainText(e *etree.Element) (string, *Error) {
	if len(e.Child) == 1 {
		if d, ok := e.Child[0].(*etree.CharData); ok {
			return d.Data, nil
		}
	}
	if len(e.Child) > 0 {
		return "", malformed(e.Tag + " with more than text in it")
	}
	return "", nil
}
