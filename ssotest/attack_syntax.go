package ssotest

import (
	"bytes"
	"slices"
	"strings"
)

func ahead(text string) func([]byte) []byte {
	return func(b []byte) []byte { return append([]byte(text), b...) }
}

// doctypes: a document type, which SAML has no use for, in every form; the
// document itself is genuine.
func doctypes(g *gallery) []attack {
	name := func(entity string) func([]byte) []byte {
		return func(b []byte) []byte {
			return bytes.Replace(b, []byte(g.account+"</saml:NameID>"), []byte(entity+"</saml:NameID>"), 1)
		}
	}
	then := func(fs ...func([]byte) []byte) func([]byte) []byte {
		return func(b []byte) []byte {
			for _, f := range fs {
				b = f(b)
			}
			return b
		}
	}
	laughs := `<!ENTITY a0 "lol">`
	for i := range 30 {
		laughs += `<!ENTITY a` + string(rune('A'+i)) + ` "` + strings.Repeat("&a"+string(rune('A'+i-1))+";", 10) + `">`
	}
	var all []attack
	for n, f := range map[string]func([]byte) []byte{
		"bare":                ahead(`<!DOCTYPE Response>`),
		"empty-subset":        ahead(`<!DOCTYPE Response []>`),
		"lower-case":          ahead(`<!doctype Response>`),
		"public":              ahead(`<!DOCTYPE Response PUBLIC "-//x//y" "http://127.0.0.1:9/x.dtd">`),
		"system-file":         ahead(`<!DOCTYPE Response SYSTEM "file:///etc/passwd">`),
		"system-http":         ahead(`<!DOCTYPE Response SYSTEM "http://127.0.0.1:9/x.dtd">`),
		"entity-unused":       ahead(`<!DOCTYPE Response [<!ENTITY x "y">]>`),
		"entity-name":         then(name("&x;"), ahead(`<!DOCTYPE Response [<!ENTITY x "`+g.o.Victim+`">]>`)),
		"entity-same":         then(name("&x;"), ahead(`<!DOCTYPE Response [<!ENTITY x "`+g.account+`">]>`)),
		"entity-file":         then(name("&x;"), ahead(`<!DOCTYPE Response [<!ENTITY x SYSTEM "file:///etc/hostname">]>`)),
		"entity-http":         then(name("&x;"), ahead(`<!DOCTYPE Response [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>`)),
		"entity-jar":          then(name("&x;"), ahead(`<!DOCTYPE Response [<!ENTITY x SYSTEM "jar:http://127.0.0.1:9/x!/y">]>`)),
		"entity-redefined":    ahead(`<!DOCTYPE Response [<!ENTITY lt "&#38;#60;"><!ENTITY amp "y">]>`),
		"parameter":           ahead(`<!DOCTYPE Response [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>`),
		"parameter-inner":     ahead(`<!DOCTYPE Response [<!ENTITY % x "<!ENTITY y 'z'>"> %x;]>`),
		"default-attribute":   ahead(`<!DOCTYPE Response [<!ATTLIST samlp:Response Destination CDATA "x">]>`),
		"default-namespace":   ahead(`<!DOCTYPE Response [<!ATTLIST saml:NameID xmlns:saml CDATA "urn:example:x">]>`),
		"id-attribute":        ahead(`<!DOCTYPE Response [<!ATTLIST saml:NameID Format ID #IMPLIED>]>`),
		"notation":            ahead(`<!DOCTYPE Response [<!NOTATION n SYSTEM "n">]>`),
		"comment-in-subset":   ahead(`<!DOCTYPE Response [<!--]>--><!ENTITY x "y">]>`),
		"laughs":              then(name("&a];"), ahead(`<!DOCTYPE Response [`+laughs+`]>`)),
		"quadratic":           then(name(strings.Repeat("&x;", 10000)), ahead(`<!DOCTYPE Response [<!ENTITY x "`+strings.Repeat("x", 10000)+`">]>`)),
		"behind":              func(b []byte) []byte { return append(bytes.Clone(b), `<!DOCTYPE Response>`...) },
		"inside":              inRoot(`<!DOCTYPE Response>`),
		"declaration-inside":  inRoot(`<!ENTITY x "y">`),
		"xinclude":            then(name(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>`)),
		"stylesheet":          ahead(`<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>`),
		"conditional-section": inRoot(`<![INCLUDE[x]]>`),
	} {
		all = append(all, attack{name: n, control: "comment-ahead", o: Options{Sign: SignAssertion}, forged: hooks{written: f}, honest: hooks{written: ahead("<!-- DOCTYPE -->")}})
	}
	return sorted(all)
}

// malformed: documents that are not XML, or not for every reader the same.
func malformed(*gallery) []attack {
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	behind := func(text string) func([]byte) []byte {
		return func(b []byte) []byte { return append(bytes.Clone(b), text...) }
	}
	var all []attack
	for n, f := range map[string]func([]byte) []byte{
		"two-roots":           func(b []byte) []byte { return slices.Concat(b, b) },
		"root-behind":         behind("<a/>"),
		"root-ahead":          ahead("<a/>"),
		"text-behind":         behind("text"),
		"text-ahead":          ahead("text"),
		"reference-behind":    behind("&#32;"),
		"cdata-behind":        behind("<![CDATA[ ]]>"),
		"comment-unended":     behind("<!-- "),
		"tag-unended":         behind("<a"),
		"cut-1":               func(b []byte) []byte { return b[:len(b)-1] },
		"cut-half":            func(b []byte) []byte { return b[:len(b)/2] },
		"end-tag-missing":     swap("</samlp:Response>", ""),
		"end-tag-other":       swap("</samlp:Response>", "</samlp:Respons>"),
		"end-tag-prefix":      swap("</samlp:Response>", "</saml:Response>"),
		"end-tag-attribute":   swap("</samlp:Response>", `</samlp:Response a="b">`),
		"end-tags-crossed":    swap("</samlp:Status>", "</samlp:StatusX></samlp:Status>"),
		"attribute-unquoted":  inRootTag(`a=b`),
		"attribute-no-value":  inRootTag(`a`),
		"attribute-unended":   inRootTag(`a="`),
		"attribute-less-than": inRootTag(`a="<"`),
		"attributes-touching": inRootTag(`a="b"c="d"`),
		"comment-dashes":      inRoot("<!-- a -- b -->"),
		"comment-triple":      inRoot("<!-- a --->"),
		"comment-nested":      inRoot("<!-- <!-- a --> -->"),
		"cdata-end-in-text":   inRoot("]]>"),
		"cdata-lower-case":    inRoot("<![cdata[x]]>"),
		"cdata-text":          inRoot("<![CDATA[x]]>"),
		"instruction":         inRoot("<?x y?>"),
		"instruction-ahead":   ahead("<?x y?>"),
		"instruction-xml":     inRoot("<?xml x?>"),
		"instruction-colon":   inRoot("<?a:b x?>"),
		"space-in-tag":        swap("<samlp:Status>", "< samlp:Status>"),
		"space-in-end-tag":    swap("</samlp:Status>", "</ samlp:Status>"),
		"name-digit":          inRoot("<1/>"),
		"name-colon-only":     inRoot("<:/>"),
		"name-colon-first":    inRoot("<:a/>"),
		"name-colon-last":     inRoot("<samlp:/>"),
		"name-two-colons":     inRoot("<samlp:a:b/>"),
		"name-empty":          inRoot("<>"),
		"text-in-response":    inRoot("text"),
		"declaration-1.2":     ahead(`<?xml version="1.2"?>`),
		"declaration-empty":   ahead(`<?xml?>`),
		"declaration-turned":  ahead(`<?xml encoding="UTF-8" version="1.0"?>`),
	} {
		all = append(all, attack{name: n, control: "comments", o: Options{Sign: SignAssertion}, forged: hooks{written: f},
			honest: hooks{written: func(b []byte) []byte { return append(ahead("<!--a-->")(inRoot("<!--b-->")(b)), "<!--c-->"...) }}})
	}
	for n, text := range map[string]string{"html": "<html><body>Sign in</body></html>", "json": `{"NameID":"admin@example.com"}`, "soap": `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>`,
		"saml-1": `<Response xmlns="urn:oasis:names:tc:SAML:1.0:protocol" ResponseID="_a" MajorVersion="1" MinorVersion="1"/>`, "nothing": " ", "less-than": "<",
		"authn-request": `<AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" Version="2.0"/>`, "bare-response": `<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`} {
		all = append(all, attack{name: "root/" + n, control: "as signed", o: Options{Sign: SignAssertion}, forged: hooks{written: func([]byte) []byte { return []byte(text) }}})
	}
	return sorted(all)
}
