package ssotest

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlenc"
)

// sealed is an EncryptedAssertion with these bytes in it.
func (g *gallery) sealed(plain []byte, o xmlenc.EncryptOptions) (*etree.Element, error) {
	e, err := xmlenc.EncryptBytes(plain, "EncryptedAssertion", g.o.EncryptTo, o)
	if err != nil {
		return nil, fmt.Errorf("ssotest: encrypt: %w", err)
	}
	return e, nil
}

// sealInPlace puts the assertion, as it is now, encrypted in its place.
func (g *gallery) sealInPlace(m *message, plain []byte, o xmlenc.EncryptOptions) error {
	e, err := g.sealed(plain, o)
	if err != nil {
		return err
	}
	m.replaceAssertion(e)
	m.assertion = e
	return nil
}

// encryptedForged: encryption authenticates nothing, since the public key is
// public. What is inside needs a signature of the IdP, or one around it.
func encryptedForged(g *gallery) []attack {
	seal := func(f func(m *message) error) hooks {
		return hooks{after: func(m *message) error {
			if err := f(m); err != nil {
				return err
			}
			return g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{})
		}}
	}
	honest := seal(func(*message) error { return nil })
	one := func(name string, f func(m *message) error) attack {
		return attack{name: name, o: Options{Sign: SignAssertion}, honest: honest, forged: seal(f)}
	}
	return []attack{
		one("unsigned", func(m *message) error { drop(path(m.assertion, "Signature")); return nil }),
		one("unsigned-victim", func(m *message) error { drop(path(m.assertion, "Signature")); m.rename(m.assertion); return nil }),
		one("tampered", func(m *message) error { m.rename(m.assertion); return nil }),
		one("attacker-signed", func(m *message) error {
			m.rename(m.assertion)
			drop(path(m.assertion, "Signature"))
			s, err := m.attackerSignature(m.assertion)
			if err != nil {
				return err
			}
			m.assertion.InsertChildAt(afterIssuer(m.assertion), s)
			return nil
		}),
		{name: "attacker-signs-around", o: Options{Sign: SignAssertion}, honest: honest, forged: hooks{after: func(m *message) error {
			m.rename(m.assertion)
			drop(path(m.assertion, "Signature"))
			if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}); err != nil {
				return err
			}
			s, err := m.attackerSignature(m.response)
			if err != nil {
				return err
			}
			m.response.InsertChildAt(afterIssuer(m.response), s)
			return nil
		}}},
		{name: "beside-genuine", o: Options{Sign: SignAssertion}, honest: honest, forged: g.besideSealed(false)},
		{name: "beside-genuine-first", o: Options{Sign: SignAssertion}, honest: honest, forged: g.besideSealed(true)},
		{name: "plain-beside-sealed", o: Options{Sign: SignAssertion}, honest: honest, forged: hooks{after: func(m *message) error {
			forged := m.forge(m.assertion, "new-id", false)
			if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}); err != nil {
				return err
			}
			m.response.AddChild(forged)
			return nil
		}}},
		{name: "encrypted-after-signing", o: Options{Sign: SignResponse}, control: "signed-around", honest: g.signedAround(), forged: seal(func(*message) error { return nil })},
		{name: "instead-under-signature", o: Options{Sign: SignResponse}, control: "signed-around", honest: g.signedAround(), forged: seal(func(m *message) error { m.rename(m.assertion); return nil })},
		{name: "stripped-signature-around", o: Options{Sign: SignResponse}, control: "signed-around", honest: g.signedAround(), forged: hooks{after: func(m *message) error {
			if err := g.signedAround().after(m); err != nil {
				return err
			}
			drop(path(m.response, "Signature"))
			return nil
		}}},
		{name: "moved-ciphertext", o: Options{Sign: SignResponse}, control: "signed-around", honest: g.signedAround(), forged: hooks{after: func(m *message) error {
			// The ciphertext of an assertion that has no signature of its own
			// is put under the signature of another Response.
			if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}); err != nil {
				return err
			}
			other := m.assertion
			m.build()
			if err := m.sign(m.response); err != nil {
				return err
			}
			m.replaceAssertion(other)
			return nil
		}}},
	}
}

// signedAround is an honest answer: an unsigned assertion is encrypted, and the
// Response is signed with it.
func (g *gallery) signedAround() hooks {
	return hooks{after: func(m *message) error {
		drop(path(m.response, "Signature"))
		if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}); err != nil {
			return err
		}
		return m.sign(m.response)
	}}
}

// besideSealed puts a forged encrypted assertion beside the genuine one.
func (g *gallery) besideSealed(first bool) hooks {
	return hooks{after: func(m *message) error {
		forged, err := g.sealed(write(m.forge(m.assertion, "new-id", false)), xmlenc.EncryptOptions{})
		if err != nil {
			return err
		}
		if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}); err != nil {
			return err
		}
		at := m.assertion.Index()
		if !first {
			at++
		}
		m.response.InsertChildAt(at, forged)
		return nil
	}}
}

// encryptedPlain: what decrypts is not one signed assertion.
func encryptedPlain(g *gallery) []attack {
	type plain = func(m *message) ([]byte, error)
	plainly := func(f func(text string, m *message) string) plain {
		return func(m *message) ([]byte, error) { return []byte(f(string(write(m.assertion)), m)), nil }
	}
	inside := func(name string, of func(m *message) ([]byte, error)) plain {
		return func(m *message) ([]byte, error) {
			text, err := of(m)
			if err != nil {
				return nil, err
			}
			e, err := g.sealed(text, xmlenc.EncryptOptions{})
			if err != nil || name == "" {
				return write(e), err
			}
			wrapper := etree.NewElement("saml:" + name)
			wrapper.CreateAttr("xmlns:saml", samlxml.Assertion)
			wrapper.AddChild(e)
			return write(wrapper), nil
		}
	}
	same := plainly(func(text string, _ *message) string { return text })
	all := []attack{}
	for name, f := range map[string]plain{
		"encrypted-again": inside("", same),
		"in-advice":       inside("Advice", same),
		"two":             plainly(func(text string, _ *message) string { return text + text }),
		"forged-behind": plainly(func(text string, m *message) string {
			return text + string(write(m.forge(m.assertion, "new-id", false)))
		}),
		"forged-ahead": plainly(func(text string, m *message) string {
			return string(write(m.forge(m.assertion, "new-id", false))) + text
		}),
		"response":        plainly(func(_ string, m *message) string { return string(write(m.response)) }),
		"name-id":         plainly(func(_ string, m *message) string { return string(write(path(m.assertion, "Subject", "NameID"))) }),
		"wrapped":         plainly(func(text string, _ *message) string { return "<x>" + text + "</x>" }),
		"doctype":         plainly(func(text string, _ *message) string { return "<!DOCTYPE x>" + text }),
		"entity":          plainly(func(text string, _ *message) string { return `<!DOCTYPE x [<!ENTITY y "z">]>` + text }),
		"instruction":     plainly(func(text string, _ *message) string { return "<?x y?>" + text }),
		"declared-utf-16": plainly(func(text string, _ *message) string { return declaration("UTF-16") + text }),
		"text-behind":     plainly(func(text string, _ *message) string { return text + "x" }),
		"nul-behind":      plainly(func(text string, _ *message) string { return text + "\x00" }),
		"empty":           plainly(func(string, *message) string { return "" }),
		"blank":           plainly(func(string, *message) string { return strings.Repeat(" ", 16) }),
		"cut":             plainly(func(text string, _ *message) string { return text[:len(text)-1] }),
		"base64":          plainly(func(text string, _ *message) string { return base64.StdEncoding.EncodeToString([]byte(text)) }),
		"deflated":        func(m *message) ([]byte, error) { return deflated(write(m.assertion)), nil },
		"deflate-bomb":    func(*message) ([]byte, error) { return deflated(bytes.Repeat([]byte("<a>"), 2<<20)), nil },
		"deep":            plainly(func(string, *message) string { return strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000) }),
		"undeclared-prefix": plainly(func(text string, _ *message) string {
			return strings.Replace(text, "<saml:Subject>", "<nope:Subject>", 1)
		}),
		"id-of-response": plainly(func(text string, m *message) string {
			return strings.Replace(text, m.assertion.SelectAttrValue("ID", ""), m.response.SelectAttrValue("ID", ""), -1)
		}),
		"saml-1": plainly(func(text string, _ *message) string {
			return strings.Replace(text, "SAML:2.0:assertion", "SAML:1.0:assertion", 1)
		}),
		"encrypted-deep-bomb": nestedBomb(g, same),
	} {
		all = append(all, attack{name: name, o: Options{Sign: SignAssertion},
			forged: hooks{after: func(m *message) error {
				text, err := f(m)
				if err != nil {
					return err
				}
				return g.sealInPlace(m, text, xmlenc.EncryptOptions{})
			}},
			honest: hooks{after: func(m *message) error { return g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{}) }}})
	}
	return sorted(all)
}

// nestedBomb encrypts twenty times over.
func nestedBomb(g *gallery, inner func(m *message) ([]byte, error)) func(m *message) ([]byte, error) {
	return func(m *message) ([]byte, error) {
		text, err := inner(m)
		for range 8 {
			if err != nil {
				return nil, err
			}
			var e *etree.Element
			if e, err = g.sealed(text, xmlenc.EncryptOptions{}); err == nil {
				text = write(e)
			}
		}
		return text, err
	}
}

func deflated(plain []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is valid
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

// encryptedBent: the ciphertext is bent, or what says how to decrypt it. Every
// one of these, once a key is used, has to look the same from outside.
func encryptedBent(g *gallery) []attack {
	var all []attack
	data := func(e *etree.Element) *etree.Element { return path(e, "EncryptedData") }
	key := func(e *etree.Element) *etree.Element { return path(data(e), "KeyInfo", "EncryptedKey") }
	content := func(e *etree.Element) *etree.Element { return path(data(e), "CipherData", "CipherValue") }
	wrapped := func(e *etree.Element) *etree.Element { return path(key(e), "CipherData", "CipherValue") }
	bytesOf := func(e *etree.Element, f func(b []byte) []byte) {
		b, _ := base64.StdEncoding.DecodeString(e.Text()) // it was encoded a moment ago
		e.SetText(base64.StdEncoding.EncodeToString(f(b)))
	}
	flip := func(at func(b []byte) int) func(b []byte) []byte {
		return func(b []byte) []byte { b[at(b)] ^= 1; return b }
	}
	for name, f := range map[string]func(b []byte) []byte{
		"first-bit":  flip(func([]byte) int { return 0 }),
		"second":     flip(func([]byte) int { return aes.BlockSize }),
		"middle-bit": flip(func(b []byte) int { return len(b) / 2 }),
		"last-bit":   flip(func(b []byte) int { return len(b) - 1 }),
		"padding":    flip(func(b []byte) int { return len(b) - aes.BlockSize - 1 }),
		"cut-1":      func(b []byte) []byte { return b[:len(b)-1] },
		"cut-16":     func(b []byte) []byte { return b[:len(b)-16] },
		"no-vector":  func(b []byte) []byte { return b[16:] },
		"only-16":    func(b []byte) []byte { return b[:16] },
		"only-32":    func(b []byte) []byte { return b[:32] },
		"only-1":     func(b []byte) []byte { return b[:1] },
		"nothing":    func([]byte) []byte { return nil },
		"zeros":      func(b []byte) []byte { return make([]byte, len(b)) },
		"longer":     func(b []byte) []byte { return append(b, 0) },
		"turned":     func(b []byte) []byte { slices.Reverse(b); return b },
	} {
		for _, method := range []string{"aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"} {
			all = append(all, g.bentCipher("content/"+method+"/"+name, method, func(e *etree.Element) { bytesOf(content(e), f) }))
		}
		if name != "second" {
			all = append(all, g.bentCipher("key/"+name, "aes256-gcm", func(e *etree.Element) { bytesOf(wrapped(e), f) }))
		}
	}
	algorithm := func(e *etree.Element, uri string) { set(path(e, "EncryptionMethod"), "Algorithm", uri) }
	for name, f := range map[string]func(e *etree.Element){
		"content-3des":      func(e *etree.Element) { algorithm(data(e), samlxml.XEnc+"tripledes-cbc") },
		"content-unknown":   func(e *etree.Element) { algorithm(data(e), "urn:example:x") },
		"content-none":      func(e *etree.Element) { drop(path(data(e), "EncryptionMethod")) },
		"content-cbc":       func(e *etree.Element) { algorithm(data(e), samlxml.XEnc+"aes256-cbc") },
		"content-other-key": func(e *etree.Element) { algorithm(data(e), "http://www.w3.org/2009/xmlenc11#aes128-gcm") },
		"key-rsa-15":        func(e *etree.Element) { algorithm(key(e), samlxml.XEnc+"rsa-1_5") },
		"key-unknown":       func(e *etree.Element) { algorithm(key(e), "urn:example:x") },
		"key-none":          func(e *etree.Element) { drop(path(key(e), "EncryptionMethod")) },
		"key-symmetric":     func(e *etree.Element) { algorithm(key(e), samlxml.XEnc+"kw-aes256") },
		"key-digest": func(e *etree.Element) {
			set(path(key(e), "EncryptionMethod").CreateElement("ds:DigestMethod"), "Algorithm", moreDSig+"md5")
		},
		"reference":      func(e *etree.Element) { cipherReference(data(e), "http://127.0.0.1:9/") },
		"reference-file": func(e *etree.Element) { cipherReference(data(e), "file:///etc/hostname") },
		"key-reference":  func(e *etree.Element) { cipherReference(key(e), "http://127.0.0.1:9/") },
		"key-elsewhere":  func(e *etree.Element) { retrieval(e, "http://127.0.0.1:9/") },
		"key-missing":    func(e *etree.Element) { retrieval(e, "#_nowhere") },
		"no-key":         func(e *etree.Element) { drop(key(e)) },
		"no-key-info":    func(e *etree.Element) { drop(path(data(e), "KeyInfo")) },
		"no-data":        func(e *etree.Element) { drop(data(e)) },
		"two-data":       func(e *etree.Element) { e.AddChild(data(e).Copy()) },
		"no-cipher-data": func(e *etree.Element) { drop(path(data(e), "CipherData")) },
		"type-content":   func(e *etree.Element) { set(data(e), "Type", samlxml.XEnc+"Content") },
		"foreign-data":   func(e *etree.Element) { data(e).CreateAttr("xmlns:xenc", nsForeign) },
	} {
		all = append(all, g.bentCipher("structure/"+name, "aes256-gcm", f))
	}
	return sorted(all)
}

// bentCipher encrypts a signed assertion, and bends what comes of it. CBC is
// decrypted under a signature only, so there is one around, made afterwards: the
// worst that an IdP could do.
func (g *gallery) bentCipher(name, method string, bend func(e *etree.Element)) attack {
	seal := func(m *message, bend func(e *etree.Element)) error {
		drop(path(m.response, "Signature"))
		if err := g.sealInPlace(m, write(m.assertion), xmlenc.EncryptOptions{Content: method}); err != nil {
			return err
		}
		bend(m.assertion)
		return m.sign(m.response)
	}
	return attack{name: name, control: method, o: Options{Sign: SignBoth},
		forged: hooks{after: func(m *message) error { return seal(m, bend) }},
		honest: hooks{after: func(m *message) error { return seal(m, func(*etree.Element) {}) }}}
}

func cipherReference(of *etree.Element, uri string) {
	data := path(of, "CipherData")
	hollow(data)
	data.CreateElement("xenc:CipherReference").CreateAttr("URI", uri)
}

func retrieval(e *etree.Element, uri string) {
	info := path(e, "EncryptedData", "KeyInfo")
	hollow(info)
	info.CreateElement("ds:RetrievalMethod").CreateAttr("URI", uri)
}

// encryptedReplays: an assertion that was used is encrypted, or encrypted anew.
func encryptedReplays(g *gallery) []attack {
	// What is encrypted is what was signed, whichever answer it is for.
	seal := func(m *message, plain []byte) error { return g.sealInPlace(m, plain, xmlenc.EncryptOptions{}) }
	var first []byte
	return []attack{
		{name: "encrypted-the-second-time", control: "plain", o: Options{Sign: SignAssertion},
			again: hooks{after: func(m *message) error { return seal(m, write(m.assertion)) }}},
		{name: "encrypted-anew", o: Options{Sign: SignAssertion},
			both: hooks{after: func(m *message) error {
				first = write(m.assertion)
				return seal(m, first)
			}},
			again: hooks{after: func(m *message) error { return seal(m, first) }}},
		{name: "decrypted-the-second-time", o: Options{Sign: SignAssertion},
			both: hooks{after: func(m *message) error {
				first = write(m.assertion)
				return seal(m, first)
			}},
			again: hooks{after: func(m *message) error {
				doc := etree.NewDocument()
				if err := doc.ReadFromBytes(first); err != nil {
					return err
				}
				m.replaceAssertion(doc.Root())
				return nil
			}}},
	}
}
