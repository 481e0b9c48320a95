package ssotest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// heavy is how large an attack on resources is: a mebibyte, most of it.
const heavy = 1<<20 - 32<<10

func filled(f func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < heavy; i++ {
		b.WriteString(f(i))
	}
	return b.String()
}

func always(s string) string { return filled(func(int) string { return s }) }

// depths: elements in elements.
func depths(g *gallery) []attack {
	var all []attack
	for _, depth := range []int{1000, 10_000, 100_000} {
		for where, put := range map[string]func(b []byte, what string) []byte{
			"alone":      func(_ []byte, what string) []byte { return []byte(what) },
			"in-root":    func(b []byte, what string) []byte { return inRoot(what)(b) },
			"extensions": func(b []byte, what string) []byte { return g.writeAt(b, "extensions", what) },
			"in-name":    func(b []byte, what string) []byte { return g.writeAt(b, "name-id", what) },
			"unended":    func(b []byte, what string) []byte { return inRoot(what[:len(what)/2])(b) },
		} {
			what := strings.Repeat("<a>", depth) + strings.Repeat("</a>", depth)
			honest := strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20)
			all = append(all, attack{name: fmt.Sprintf("%s/%d", where, depth), control: "twenty-deep", o: Options{Sign: SignAssertion},
				forged: hooks{written: func(b []byte) []byte { return put(b, what) }},
				honest: hooks{written: func(b []byte) []byte { return g.writeAt(b, "extensions", honest) }}})
		}
	}
	return sorted(all)
}

// widths: a genuine answer with a mebibyte of something where nothing is signed.
// Letting it in is right, as long as it costs little.
func widths(g *gallery) []attack {
	in := func(where string) func(what string) func(b []byte) []byte {
		return func(what string) func(b []byte) []byte {
			return func(b []byte) []byte { return g.writeAt(b, where, what) }
		}
	}
	extensions, root := in("extensions"), func(what string) func(b []byte) []byte { return inRootTag(what) }
	signature := func(old, put string) func(b []byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(put+old), 1) }
	}
	loads := map[string]func(b []byte) []byte{
		"siblings":          extensions(always("<a/>")),
		"attributed":        extensions(filled(func(i int) string { return fmt.Sprintf(`<a b="%d" c="" d=""/>`, i) })),
		"ids":               extensions(filled(func(i int) string { return fmt.Sprintf(`<a ID="_%d"/>`, i) })),
		"same-ids":          extensions(always(`<a ID="_a"/>`)),
		"text":              extensions(always("some text, ")),
		"references":        extensions(always("&#x41;")),
		"less-than":         extensions(always("&lt;")),
		"comments":          extensions(always("<!--c-->")),
		"one-comment":       extensions("<!--" + always("c") + "-->"),
		"cdata":             extensions(always("<![CDATA[c]]>")),
		"lines":             extensions(always("\r\n")),
		"blanks-behind":     func(b []byte) []byte { return append(bytes.Clone(b), always(" ")...) },
		"comments-behind":   func(b []byte) []byte { return append(bytes.Clone(b), always("<!---->")...) },
		"attributes":        root(filled(func(i int) string { return fmt.Sprintf(` a%d=""`, i) })),
		"namespaces":        root(filled(func(i int) string { return fmt.Sprintf(` xmlns:n%d="urn:%d"`, i, i) })),
		"one-attribute":     root(`a="` + always("&lt;") + `"`),
		"long-name":         root(`xmlns:x="urn:` + always("x") + `"`),
		"long-element":      extensions("<" + always("a") + "/>"),
		"prefix-each":       extensions(filled(func(i int) string { return fmt.Sprintf(`<p%d:a xmlns:p%d="urn:%d"/>`, i, i, i) })),
		"declared-deep":     extensions(strings.Repeat("<a>", 40) + filled(func(i int) string { return fmt.Sprintf(`<p:a xmlns:p="urn:%d"/>`, i) }) + strings.Repeat("</a>", 40)),
		"declarations-deep": extensions(declaredDeep()),
		"certificates":      signature("</ds:X509Data>", always("<ds:X509Certificate>AAAA</ds:X509Certificate>")),
		"one-certificate":   signature("</ds:X509Data>", "<ds:X509Certificate>"+always("AAAA")+"</ds:X509Certificate>"),
		"key-names":         signature("<ds:X509Data>", always("<ds:KeyName>a</ds:KeyName>")),
		"modulus":           signature("<ds:X509Data>", "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>"+always("////")+"</ds:Modulus><ds:Exponent>////</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"),
		"signature-lines": func(b []byte) []byte {
			return bytes.Replace(b, []byte("</ds:SignatureValue>"), []byte(always("\n")+"</ds:SignatureValue>"), 1)
		},
		"comments-in-name": in("name-id")(always("<!---->")),
		"comments-in-signed": func(b []byte) []byte {
			return bytes.Replace(b, []byte("<saml:Subject>"), []byte("<saml:Subject>"+always("<!---->")), 1)
		},
		"declared-in-signed": func(b []byte) []byte {
			return bytes.Replace(b, []byte("<saml:Subject>"), []byte("<saml:Subject "+filled(func(i int) string { return fmt.Sprintf(` xmlns:n%d="urn:%d"`, i, i) })+">"), 1)
		},
	}
	var all []attack
	for name, f := range loads {
		all = append(all, attack{name: name, o: Options{Sign: SignAssertion, KeyInfo: KeyInfoCertificate}, genuine: true, forged: hooks{written: f}})
	}
	return sorted(all)
}

// declaredDeep declares as many prefixes as it may on each of nested elements.
func declaredDeep() string {
	var b strings.Builder
	depth := 0
	for ; b.Len() < heavy && depth < 50; depth++ {
		b.WriteString("<a")
		for i := range 60 {
			fmt.Fprintf(&b, ` xmlns:p%d="urn:%d:%s"`, i, depth, strings.Repeat("x", 300))
		}
		b.WriteString(">")
	}
	return b.String() + strings.Repeat("</a>", depth)
}

// signatureLoads: work that is asked for before any key is used.
func signatureLoads(*gallery) []attack {
	behind := func(old, put string) func(b []byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(old+put), 1) }
	}
	const hollowSignature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>`
	var all []attack
	for name, f := range map[string]func(b []byte) []byte{
		"signatures":        behind("</saml:Issuer>", always(hollowSignature)),
		"references":        behind("</ds:Reference>", always(`<ds:Reference URI="#a"/>`)),
		"transforms":        behind("<ds:Transforms>", always(`<ds:Transform Algorithm="urn:a"/>`)),
		"comments":          behind("<ds:Transforms>", always("<!---->")),
		"digest":            behind("<ds:DigestValue>", always("AAAA")),
		"value":             behind("<ds:SignatureValue>", always("AAAA")),
		"prefix-list":       behind("<ds:Transforms>", `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="`+filled(func(i int) string { return fmt.Sprintf("p%d ", i) })+`"/></ds:Transform>`),
		"nested-signatures": behind("<ds:SignedInfo>", strings.Repeat(`<ds:Signature><ds:SignedInfo>`, 20_000)+strings.Repeat(`</ds:SignedInfo></ds:Signature>`, 20_000)),
		"one-name-prefixes": func(b []byte) []byte {
			var declared, used strings.Builder
			for i := range 20_000 {
				fmt.Fprintf(&declared, ` xmlns:n%d="urn:%d"`, i, i)
				fmt.Fprintf(&used, ` n%d:a=""`, i)
			}
			return bytes.Replace(b, []byte("<ds:SignedInfo"), []byte("<ds:SignedInfo"+declared.String()+used.String()), 1)
		},
		"assertions": func(b []byte) []byte {
			return bytes.Replace(b, []byte("</samlp:Response>"), []byte(always(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`)+"</samlp:Response>"), 1)
		},
		"encrypted-assertions": func(b []byte) []byte {
			return bytes.Replace(b, []byte("</samlp:Response>"), []byte(always(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`)+"</samlp:Response>"), 1)
		},
		"confirmations": behind("</saml:NameID>", always(`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>`)),
		"audiences":     behind("<saml:AudienceRestriction>", always(`<saml:Audience>x</saml:Audience>`)),
		"status-codes":  behind("<samlp:Status>", strings.Repeat("<samlp:StatusCode>", 20_000)+strings.Repeat("</samlp:StatusCode>", 20_000)),
	} {
		all = append(all, attack{name: name, o: Options{Sign: SignAssertion, KeyInfo: KeyInfoCertificate}, forged: hooks{written: f}})
	}
	return sorted(all)
}

// sizes: more than is read at all, and what grows when it is unpacked.
func sizes(*gallery) []attack {
	bomb := sync.OnceValue(func() []byte { return deflated(bytes.Repeat([]byte{' '}, 32<<20)) })
	var all []attack
	for name, f := range map[string]func(s string) string{
		"eight-megabytes":        func(s string) string { return s + strings.Repeat("AAAA", 2<<20) },
		"eight-megabytes-blank":  func(s string) string { return s + strings.Repeat(" \r\n\t", 2<<20) },
		"four-megabytes-padding": func(s string) string { return s + strings.Repeat("=", 4<<20) },
		"deflate-bomb":           func(string) string { return base64.StdEncoding.EncodeToString(bomb()) },
		"gzip-bomb": func(string) string {
			head := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
			return base64.StdEncoding.EncodeToString(slices.Concat(head, bomb()))
		},
		"zlib-bomb": func(string) string {
			return base64.StdEncoding.EncodeToString(slices.Concat([]byte{0x78, 0xda}, bomb()))
		},
		"base64-four": func(s string) string {
			for range 4 {
				s = base64.StdEncoding.EncodeToString([]byte(s))
			}
			return s
		},
		"garbage": func(string) string { return always("garb") },
	} {
		all = append(all, attack{name: name, o: Options{Sign: SignAssertion}, forged: hooks{posted: f}})
	}
	return sorted(all)
}
