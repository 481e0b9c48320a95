package xmlsig

import (
	"crypto"
	"strings"

	"github.com/beevik/etree"
)

// A PrefixList longer than this is none that a signer needs; it is read before
// any key is used, so it is bounded.
const (
	maxPrefixes   = 64
	maxPrefixList = 4096
)

// parts is a Signature taken apart. Only what is in here is acted upon.
type parts struct {
	signedInfo, keyInfo *etree.Element

	infoForm     form // of SignedInfo
	infoPrefixes []string
	method       *method
	value        []byte

	refForm     form // of the signed element
	refPrefixes []string
	digest      crypto.Hash
	digestURI   string
	digestValue []byte
}

// Signature returns the one Signature child of el, nil if there is none, an
// error if there are several.
//
// A Signature deeper down signs something else and is never looked at: finding
// one by search is how a wrapped assertion passes. A child that is called
// Signature in another namespace is refused, since SAML has none and a reader
// that goes by local names would take it.
func Signature(el *etree.Element) (*etree.Element, error) {
	var found *etree.Element
	for _, t := range el.Child {
		c, ok := t.(*etree.Element)
		if !ok || c.Tag != "Signature" {
			continue
		}
		if namespace(c) != dsigSpace {
			return nil, malformed("%s has a Signature child that is not in the namespace of XML signatures", el.Tag)
		}
		if found != nil {
			return nil, malformed("%s has more than one Signature", el.Tag)
		}
		found = c
	}
	return found, nil
}

// namespace returns the namespace name of e.
func namespace(e *etree.Element) string {
	if e.Space == "xml" {
		return xmlSpace
	}
	for p := e; p != nil; p = p.Parent() {
		for i := range p.Attr {
			if prefix, uri, ok := declaration(&p.Attr[i]); ok && prefix == e.Space {
				return uri
			}
		}
	}
	return ""
}

// isDSig says whether e, a child of an element of XML signatures, is one too.
func isDSig(e, parent *etree.Element) bool {
	if e.Space != parent.Space {
		return namespace(e) == dsigSpace
	}
	for i := range e.Attr {
		if prefix, uri, ok := declaration(&e.Attr[i]); ok && prefix == e.Space {
			return uri == dsigSpace
		}
	}
	return true
}

// readSignature takes sig, the Signature child of el, apart. Whatever it does
// not expect, it refuses.
func (c *canon) readSignature(el, sig *etree.Element, o Options) (*parts, error) {
	id, err := elementID(el)
	if err != nil {
		return nil, err
	}
	ch, err := children(sig, "SignedInfo", "SignatureValue", "KeyInfo?")
	if err != nil {
		return nil, err
	}
	p := &parts{signedInfo: ch[0], keyInfo: ch[2]}
	for _, e := range [...]*etree.Element{sig, ch[0], ch[1], ch[2]} {
		if e == nil {
			continue
		}
		if _, err := attribute(e, "", id); err != nil {
			return nil, err
		}
	}
	if p.value, err = base64Of(ch[1]); err != nil {
		return nil, err
	}
	if err := c.checkKeyInfo(p.keyInfo); err != nil {
		return nil, err
	}
	info, err := children(p.signedInfo, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if err != nil {
		return nil, err
	}
	if p.infoForm, p.infoPrefixes, err = readForm(info[0], "canonicalization method"); err != nil {
		return nil, err
	}
	// No HMACOutputLength, no RSAPSSParams: parameters are not accepted.
	uri, err := leaf(info[1])
	if err != nil {
		return nil, err
	}
	m, refusal := acceptMethod(uri, o)
	if refusal != nil {
		return nil, refusal
	}
	p.method = m
	return p, p.readReference(info[2], id, o)
}

func (p *parts) readReference(ref *etree.Element, id string, o Options) error {
	// The only reference is to the parent. Anything else, a second one, an
	// empty or absent URI, an XPointer, signs something other than what is read.
	uri, err := attribute(ref, "URI", id)
	if err != nil {
		return err
	}
	if len(uri) != len(id)+1 || uri[0] != '#' || uri[1:] != id {
		return &Error{Kind: KindMalformed, Got: shorten(uri),
			Msg: "the signature is for " + quote(uri) + ", not for its parent " + quote("#"+id)}
	}
	c, err := children(ref, "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	if _, err := attribute(c[2], "", ""); err != nil {
		return err
	}
	if err := p.readTransforms(c[0]); err != nil {
		return err
	}
	if p.digestURI, err = leaf(c[1]); err != nil {
		return err
	}
	h, refusal := acceptDigest(p.digestURI, o)
	if refusal != nil {
		return refusal
	}
	p.digest = h
	if p.digestValue, err = base64Of(c[2]); err != nil {
		return err
	}
	if len(p.digestValue) != h.Size() {
		return malformed("DigestValue has %d bytes, %s has %d", len(p.digestValue), h, h.Size())
	}
	return nil
}

// readTransforms wants enveloped-signature, then one canonical form. XSLT and
// XPath compute what is signed, a repeated or reordered transform leaves that
// to the reader, and without a canonical form each library takes another one.
func (p *parts) readTransforms(e *etree.Element) error {
	if _, err := attribute(e, "", ""); err != nil {
		return err
	}
	c, err := children(e, "Transform", "Transform")
	if err != nil {
		return err
	}
	first, err := attribute(c[0], "Algorithm", "")
	if err != nil {
		return err
	}
	if first != enveloped {
		r := unaccepted("first transform", first)
		r.Msg += ", want enveloped-signature"
		return r
	}
	if _, err := leaf(c[0]); err != nil {
		return err
	}
	p.refForm, p.refPrefixes, err = readForm(c[1], "transform")
	// The reference is a bare name, #id. Such a reference selects the element
	// without its comments, before any transform sees it, so a form "with
	// comments" finds none to write (XML Signature 1.1, 4.4.3.3: only the XPointer
	// forms keep them). xmlsec1 and the JDK do the same. No value can
	// be split or hidden by this: readers join text across comments.
	p.refForm.comments = false
	return err
}

// readForm reads an element whose Algorithm is a canonical form.
func readForm(e *etree.Element, what string) (f form, prefixes []string, err error) {
	uri, err := attribute(e, "Algorithm", "")
	if err != nil {
		return f, nil, err
	}
	f, ok := formOf(uri)
	if !ok {
		return f, nil, unaccepted(what, uri)
	}
	if len(e.Child) == 0 {
		return f, nil, nil
	}
	list, err := inclusiveNamespaces(e)
	if err != nil || list == nil {
		return f, nil, err
	}
	if !f.exclusive {
		return f, nil, malformed("InclusiveNamespaces with a canonical form that is not exclusive")
	}
	if _, err := children(list); err != nil {
		return f, nil, err
	}
	value, err := attribute(list, "PrefixList", "")
	if err != nil {
		return f, nil, err
	}
	if len(value) > maxPrefixList {
		return f, nil, malformed("PrefixList is too long")
	}
	prefixes = strings.Fields(value)
	if len(prefixes) > maxPrefixes {
		return f, nil, malformed("PrefixList is too long")
	}
	return f, prefixes, nil
}

// inclusiveNamespaces returns the one child that a canonical form may have.
func inclusiveNamespaces(e *etree.Element) (*etree.Element, error) {
	var found *etree.Element
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.CharData:
			if !isSpace(t.Data) {
				return nil, malformed("text in %s", e.Tag)
			}
		case *etree.Comment:
		case *etree.Element:
			if found != nil || t.Tag != "InclusiveNamespaces" || namespace(t) != excSpace {
				return nil, malformed("unexpected %s in %s", shorten(t.Tag), e.Tag)
			}
			found = t
		default:
			return nil, malformed("processing instruction in %s", e.Tag)
		}
	}
	return found, nil
}

// elementID returns the ID of an element, the unprefixed attribute ID.
func elementID(el *etree.Element) (string, error) {
	id, n := "", 0
	for i := range el.Attr {
		if a := &el.Attr[i]; a.Space == "" && a.Key == "ID" {
			id, n = a.Value, n+1
		}
	}
	if n != 1 {
		return "", malformed("%s has %d ID attributes, want one", el.Tag, n)
	}
	if !isName(id) {
		return "", malformed("the ID of %s is not a name", el.Tag)
	}
	return id, nil
}

// isName is looser than NCName, for identity providers whose IDs begin with a
// digit, or are a URN or base64. It leaves no room for what makes a fragment
// more than a name: an XPointer, an escape, a blank.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		case c == '_', c == '-', c == '.', c == ':', c == '~', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 1024
}
