package main

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
)

const xmlDecl = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// outside is a place that the assertion's signature does not cover: text there
// can be broken without breaking the signature.
const outside = "<samlp:Status>"

// xmlCases are the rules of the strict reader: what it takes, and what it
// refuses beside it.
func xmlCases() []testCase { return slices.Concat(xmlDocuments(), xmlTexts(), xmlStructures()) }

func ok(name, comment string, text func([]byte) []byte) testCase {
	return testCase{name: "xml-" + name, comment: comment, text: text}
}

func bad(name, control, comment string, text func([]byte) []byte) testCase {
	return testCase{name: "xml-" + name, expect: "xml", check: "xml", control: control, comment: comment, text: text}
}

func inStatus(s string) func([]byte) []byte { return replace(outside, outside+s) }

// detail is a place for foreign elements.
func detail(s string) func([]byte) []byte {
	return replace("</samlp:Status>", "<samlp:StatusDetail>"+s+"</samlp:StatusDetail></samlp:Status>")
}

// xmlDocuments are about encodings and what stands around the root.
func xmlDocuments() []testCase {
	return []testCase{
		ok("declaration-ok", "An XML declaration that says UTF-8.", prepend(xmlDecl)),
		ok("declaration-lower-case-ok", "An XML declaration that says utf-8.", prepend(strings.Replace(xmlDecl, "UTF-8", "utf-8", 1))),
		ok("bom-ok", "A byte order mark before the document, as Windows tools write it.", prepend("\xef\xbb\xbf"+xmlDecl)),
		bad("latin-1", "xml-declaration-ok", "A declaration of another encoding.", prepend(strings.Replace(xmlDecl, "UTF-8", "ISO-8859-1", 1))),
		bad("utf-16-declared", "xml-declaration-ok", "A declaration of UTF-16 over UTF-8.", prepend(strings.Replace(xmlDecl, "UTF-8", "UTF-16", 1))),
		bad("utf-16", "xml-bom-ok", "The document in UTF-16 with its byte order mark.", toUTF16),
		bad("version-1.1", "xml-declaration-ok", "XML 1.1, in which more characters are line ends.", prepend(strings.Replace(xmlDecl, "1.0", "1.1", 1))),
		bad("late-declaration", "xml-declaration-ok", "A blank before the XML declaration.", prepend(" "+xmlDecl)),
		bad("declaration-twice", "xml-declaration-ok", "Two XML declarations.", prepend(xmlDecl+xmlDecl)),

		ok("prolog-comment-ok", "A comment before the document and one behind.", func(b []byte) []byte { return appendText("<!-- end -->\n")(prepend("<!-- begin -->\n")(b)) }),
		bad("doctype", "xml-prolog-comment-ok", "A document type without anything in it.", prepend("<!DOCTYPE samlp:Response>\n")),
		bad("doctype-entity", "xml-prolog-comment-ok", "A document type with an entity.", prepend("<!DOCTYPE samlp:Response [<!ENTITY e \"admin\">]>\n")),
		bad("doctype-external", "xml-prolog-comment-ok", "A document type that would be fetched.", prepend("<!DOCTYPE samlp:Response SYSTEM \"https://attacker.example/x.dtd\">\n")),
		bad("processing-instruction", "xml-prolog-comment-ok", "A processing instruction before the document.", prepend("<?xml-stylesheet href=\"a.xsl\"?>\n")),
		bad("processing-instruction-inside", "xml-comment-inside-ok", "A processing instruction inside the document.", inStatus("<?x y?>")),
		ok("comment-inside-ok", "A comment in the unsigned part.", inStatus("<!-- x -->")),
		ok("comment-in-name-id-ok", "A comment in the NameID, added after signing: canonical form drops it. The value is the whole text.", replace("ann@example.com</saml:NameID>", "ann<!-- x -->@example.com</saml:NameID>")),
		bad("comment-dashes", "xml-comment-inside-ok", "Two dashes in a comment.", inStatus("<!-- x -- y -->")),
		bad("comment-open", "xml-comment-inside-ok", "A comment that never ends.", inStatus("<!-- x ")),
	}
}

// xmlTexts are about characters, references and line ends.
func xmlTexts() []testCase {
	return []testCase{
		ok("cdata-ok", "The NameID in a CDATA section, which canonical form writes as text.", replace("ann@example.com</saml:NameID>", "<![CDATA[ann@example.com]]></saml:NameID>")),
		ok("character-reference-ok", "A character of the NameID as a reference.", replace("ann@example.com</saml:NameID>", "&#97;nn&#x40;example.com</saml:NameID>")),
		bad("character-reference-zero", "xml-character-reference-ok", "A reference to the character zero.", inStatus("&#0;")),
		bad("character-reference-surrogate", "xml-character-reference-ok", "A reference to half a character.", inStatus("&#xD800;")),
		bad("character-reference-large", "xml-character-reference-ok", "A reference beyond Unicode.", inStatus("&#x110000;")),
		bad("character-reference-open", "xml-character-reference-ok", "A reference without a semicolon.", inStatus("&#97 ")),
		ok("entity-predefined-ok", "One of the five entities that XML knows, in the unsigned part.", detail(`<x:d xmlns:x="urn:x">a &amp; b &lt; c &gt; d &quot; &apos;</x:d>`)),
		bad("entity-unknown", "xml-entity-predefined-ok", "An entity that nobody declared.", detail(`<x:d xmlns:x="urn:x">a &nbsp; b</x:d>`)),
		bad("ampersand", "xml-entity-predefined-ok", "A bare ampersand.", detail(`<x:d xmlns:x="urn:x">a & b</x:d>`)),
		bad("cdata-end", "xml-entity-predefined-ok", "The end of a CDATA section in text.", detail(`<x:d xmlns:x="urn:x">a ]]> b</x:d>`)),
		bad("less-in-attribute", "xml-entity-predefined-ok", "A < in an attribute.", detail(`<x:d xmlns:x="urn:x" a="<"></x:d>`)),
		bad("control-character", "xml-entity-predefined-ok", "A control character, which XML has no place for.", detail("<x:d xmlns:x=\"urn:x\">a \x01 b</x:d>")),
		bad("nul", "xml-entity-predefined-ok", "A NUL byte.", detail("<x:d xmlns:x=\"urn:x\">a \x00 b</x:d>")),
		bad("invalid-utf-8", "xml-entity-predefined-ok", "A byte that is not UTF-8.", detail("<x:d xmlns:x=\"urn:x\">a \xff b</x:d>")),
		bad("overlong-utf-8", "xml-entity-predefined-ok", "A slash in two bytes of UTF-8.", detail("<x:d xmlns:x=\"urn:x\">a \xc0\xaf b</x:d>")),
		bad("surrogate-utf-8", "xml-entity-predefined-ok", "Half a character in UTF-8.", detail("<x:d xmlns:x=\"urn:x\">a \xed\xa0\x80 b</x:d>")),
		bad("noncharacter", "xml-entity-predefined-ok", "U+FFFF, which is no character.", detail("<x:d xmlns:x=\"urn:x\">a \uffff b</x:d>")),

		ok("crlf-ok", "Line ends as Windows writes them; XML reads them as line feeds, so the signature holds.", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }),
		ok("attribute-blanks-ok", "A line feed in an attribute, which XML reads as a blank, in the unsigned part.", detail("<x:d xmlns:x=\"urn:x\" a=\"b\nc\"></x:d>")),
		ok("single-quotes-ok", "Attributes in single quotes.", replace(`Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"`, `Method='urn:oasis:names:tc:SAML:2.0:cm:bearer'`)),
	}
}

// xmlStructures are about tags, attributes, namespaces and limits.
func xmlStructures() []testCase {
	return []testCase{
		bad("unclosed", "basic-assertion", "The end tag of the Response is missing.", replace("</samlp:Response>", "")),
		bad("mismatched", "basic-assertion", "An end tag of another name.", replace("</samlp:Status>", "</samlp:Statut>")),
		bad("mismatched-prefix", "basic-assertion", "An end tag of another prefix.", replace("</samlp:Status>", "</saml:Status>")),
		bad("two-roots", "basic-assertion", "A second element behind the Response.", appendText("<x/>")),
		bad("text-behind", "basic-assertion", "Text behind the Response.", appendText("x")),
		bad("text-before", "basic-assertion", "Text before the Response.", prepend("x")),
		bad("attribute-twice", "basic-assertion", "An attribute given twice.", replace(` Version="2.0"`, ` Version="2.0" Version="2.0"`)),
		bad("attribute-unquoted", "basic-assertion", "An attribute without quotes.", replace(` Version="2.0"`, ` Version=2.0`)),
		bad("attribute-joined", "basic-assertion", "No blank between two attributes.", replace(` Version="2.0" `, ` Version="2.0"`)),

		ok("namespaces-ok", "Foreign namespaces in the unsigned part, one prefix for two of them in turn.", detail(`<x:d xmlns:x="urn:x" xmlns:y="urn:y" x:a="1" y:a="2"><x:e xmlns:x="urn:z" xml:lang="en"/></x:d>`)),
		bad("prefix-undeclared", "xml-namespaces-ok", "A prefix that nobody declared.", detail(`<x:d/>`)),
		bad("attribute-prefix-undeclared", "xml-namespaces-ok", "An attribute with a prefix that nobody declared.", detail(`<x:d xmlns:x="urn:x" y:a="2"/>`)),
		bad("attribute-twice-expanded", "xml-namespaces-ok", "One attribute under two prefixes of one namespace.", detail(`<x:d xmlns:x="urn:x" xmlns:y="urn:x" x:a="1" y:a="2"/>`)),
		bad("prefix-unbound", "xml-namespaces-ok", "A prefix bound to nothing.", detail(`<x:d xmlns:x="urn:x"><e xmlns:x=""/></x:d>`)),
		bad("prefix-xml", "xml-namespaces-ok", "The prefix xml bound to another namespace.", detail(`<x:d xmlns:x="urn:x" xmlns:xml="urn:y"/>`)),
		bad("prefix-xmlns", "xml-namespaces-ok", "The prefix xmlns declared.", detail(`<x:d xmlns:x="urn:x" xmlns:xmlns="urn:y"/>`)),
		bad("namespace-xml", "xml-namespaces-ok", "Another prefix for the namespace of xml.", detail(`<x:d xmlns:x="http://www.w3.org/XML/1998/namespace"/>`)),
		bad("namespace-xmlns", "xml-namespaces-ok", "A default namespace that is reserved.", detail(`<d xmlns="http://www.w3.org/2000/xmlns/"/>`)),
		bad("namespace-relative", "xml-namespaces-ok", "A relative namespace name, for which canonical form is undefined.", detail(`<x:d xmlns:x="x"/>`)),
		bad("colons", "xml-namespaces-ok", "A name with two colons.", detail(`<x:d:e xmlns:x="urn:x"/>`)),
		bad("colon-first", "xml-namespaces-ok", "A name that begins with a colon.", detail(`<:d xmlns:x="urn:x"/>`)),
		bad("name-digit", "xml-namespaces-ok", "A name that begins with a digit.", detail(`<x:1 xmlns:x="urn:x"/>`)),

		{name: "xml-deep-ok", comment: "Elements sixty deep.", text: detail(nested(57))},
		{name: "xml-too-deep", expect: "too_large", check: "xml", control: "xml-deep-ok", comment: "Elements seventy deep.", text: detail(nested(67))},
		{name: "xml-attributes-ok", comment: "An element with sixty attributes.", text: detail(attributes(60))},
		{name: "xml-too-many-attributes", expect: "too_large", check: "xml", control: "xml-attributes-ok", comment: "An element with seventy attributes.", text: detail(attributes(70))},
	}
}

// toUTF16 is the document in UTF-16, big end first, with its mark.
func toUTF16(b []byte) []byte {
	out := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(string(b))) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

func nested(depth int) string {
	return `<x:d xmlns:x="urn:x">` + strings.Repeat("<x:d>", depth-1) + strings.Repeat("</x:d>", depth)
}

// attributes is an element with n of them, its namespace declaration among
// them.
func attributes(n int) string {
	var b strings.Builder
	b.WriteString(`<x:d xmlns:x="urn:x"`)
	for i := range n - 1 {
		b.WriteString(" a" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + `=""`)
	}
	return b.String() + "/>"
}
