package xmlsig

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// signedDoc is assertionDoc with a signed assertion.
func signedDoc(t testing.TB, keyName string, o SignOptions) string {
	t.Helper()
	key, cert := pair(t, keyName)
	root := parse(t, assertionDoc)
	if err := SignWith(find(t, root, "Assertion"), key, cert, o, 2); err != nil {
		t.Fatal(err)
	}
	return serialize(t, root)
}

func set(t testing.TB, e *etree.Element, attr, value string) {
	t.Helper()
	if e.SelectAttr(attr) == nil {
		t.Fatalf("%s has no %s", e.Tag, attr)
	}
	e.CreateAttr(attr, value)
}

// in parses a fragment with the prefixes of a signature.
func in(t testing.TB, fragment string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(fragment); err != nil {
		t.Fatal(err)
	}
	return doc.Root()
}

// TestSignedInfoShape has the pinned key sign each SignedInfo, so that nothing
// but its shape can be the reason of a refusal.
func TestSignedInfoShape(t *testing.T) {
	t.Parallel()
	type info = *etree.Element
	transform := func(n int, uri string) func(info) {
		return func(e info) { set(t, find(t, e, "Transforms").ChildElements()[n], "Algorithm", uri) }
	}
	uri := func(v string) func(info) {
		return func(e info) { set(t, find(t, e, "Reference"), "URI", v) }
	}
	add := func(parent, fragment string) func(info) {
		return func(e info) { find(t, e, parent).AddChild(in(t, fragment)) }
	}
	text := func(tag, v string) func(info) {
		return func(e info) { find(t, e, tag).CreateText(v) }
	}
	setText := func(tag, v string) func(info) {
		return func(e info) { find(t, e, tag).SetText(v) }
	}
	attr := func(tag, key, v string) func(info) {
		return func(e info) { find(t, e, tag).CreateAttr(key, v) }
	}
	alg := func(tag, v string) func(info) {
		return func(e info) { set(t, find(t, e, tag), "Algorithm", v) }
	}
	drop := func(tag string) func(info) {
		return func(e info) { c := find(t, e, tag); c.Parent().RemoveChild(c) }
	}
	double := func(tag string) func(info) {
		return func(e info) { c := find(t, e, tag); c.Parent().AddChild(c.Copy()) }
	}
	const ds = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	sha1 := Options{AllowSHA1: true}
	for _, c := range []struct {
		name string
		edit func(info)
		sign SignOptions
		o    Options
		want Kind
		// after has the edit made after signing: where it cannot be signed, or
		// the value is what is to fail.
		after bool
	}{
		{name: "as it is"},
		{name: "white space", edit: text("Transforms", "\r\n\t ")},
		{name: "text", edit: text("Transforms", "x"), want: KindMalformed},
		{name: "text in SignedInfo", edit: text("SignedInfo", "x"), want: KindMalformed},
		{name: "comment between elements", edit: func(e info) { e.CreateComment("x") }},
		{name: "comment signed", edit: func(e info) { e.CreateComment("x") }, sign: SignOptions{C14N: ExcC14NWithComments}},
		{name: "processing instruction", edit: func(e info) { e.CreateProcInst("x", "y") }, after: true, want: KindMalformed},

		{name: "URI empty", edit: uri(""), want: KindMalformed},
		{name: "URI bare hash", edit: uri("#"), want: KindMalformed},
		{name: "URI without hash", edit: uri("_a1"), want: KindMalformed},
		{name: "URI other first character", edit: uri("X_a1"), want: KindMalformed},
		{name: "URI of another element", edit: uri("#_r"), want: KindMalformed},
		{name: "URI longer", edit: uri("#_a1x"), want: KindMalformed},
		{name: "URI with a blank", edit: uri("#_a1 "), want: KindMalformed},
		{name: "URI xpointer", edit: uri("#xpointer(id('_a1'))"), want: KindMalformed},
		{name: "URI xpointer of all", edit: uri("#xpointer(/)"), want: KindMalformed},
		{name: "URI escaped", edit: uri("#%5Fa1"), want: KindMalformed},
		{name: "URI remote", edit: uri("https://example.com/#_a1"), want: KindMalformed},
		{name: "URI of a file", edit: uri("file:///etc/passwd"), want: KindMalformed},
		{name: "URI absent", edit: func(e info) { find(t, e, "Reference").RemoveAttr("URI") }, want: KindMalformed},
		{name: "URI prefixed", edit: func(e info) {
			r := find(t, e, "Reference")
			r.RemoveAttr("URI")
			r.CreateAttr("ds:URI", "#_a1")
		}, want: KindMalformed},
		{name: "Reference twice", edit: double("Reference"), want: KindMalformed},
		{name: "Reference absent", edit: drop("Reference"), want: KindMalformed},
		{name: "text in Reference", edit: text("Reference", "x"), want: KindMalformed},
		{name: "Reference with Id", edit: attr("Reference", "Id", "_ref")},
		{name: "Reference with the signed Id", edit: attr("Reference", "Id", "_a1"), want: KindMalformed},
		{name: "Reference with Type", edit: attr("Reference", "Type", "http://www.w3.org/2000/09/xmldsig#Object"), want: KindMalformed},
		{name: "Reference with xml:id", edit: attr("Reference", "xml:id", "x"), want: KindMalformed},
		{name: "SignedInfo with Id", edit: attr("SignedInfo", "Id", "_si")},
		{name: "SignedInfo with ID", edit: attr("SignedInfo", "ID", "_si"), want: KindMalformed},
		{name: "SignedInfo with a declaration", edit: attr("SignedInfo", "xmlns:x", "urn:x")},
		{name: "foreign child", edit: add("SignedInfo", "<x/>"), want: KindMalformed},
		{name: "Object in SignedInfo", edit: add("SignedInfo", "<ds:Object "+ds+"/>"), want: KindMalformed},
		{name: "Manifest in Reference", edit: add("Reference", "<ds:Manifest "+ds+"/>"), want: KindMalformed},
		{name: "Reference in another namespace", edit: func(e info) {
			find(t, e, "Reference").Attr = append(find(t, e, "Reference").Attr, etree.Attr{Space: "xmlns", Key: "ds", Value: "urn:x"})
		}, want: KindMalformed},
		{name: "Reference with another prefix", edit: func(e info) {
			r := find(t, e, "Reference")
			r.Space = "other"
			r.CreateAttr("xmlns:other", dsigSpace)
		}},
		{name: "Reference without a prefix", edit: func(e info) { find(t, e, "Reference").Space = "" }, want: KindMalformed},

		{name: "Transforms absent", edit: drop("Transforms"), want: KindMalformed},
		{name: "Transforms empty", edit: func(e info) { find(t, e, "Transforms").Child = nil }, want: KindMalformed},
		{name: "Transforms with an attribute", edit: attr("Transforms", "x", "y"), want: KindMalformed},
		{name: "no canonical form", edit: func(e info) { find(t, e, "Transforms").RemoveChildAt(1) }, want: KindMalformed},
		{name: "not enveloped", edit: drop("Transform"), want: KindMalformed},
		{name: "three transforms", edit: double("Transform"), want: KindMalformed},
		{name: "enveloped twice", edit: transform(1, enveloped), want: KindAlgorithm},
		{name: "canonical form twice", edit: transform(0, ExcC14N), want: KindAlgorithm},
		{name: "first transform without algorithm", edit: func(e info) { find(t, e, "Transform").Attr = nil }, want: KindMalformed},
		{name: "first transform with another attribute", edit: attr("Transform", "x", "y"), want: KindMalformed},
		{name: "xslt", edit: transform(1, "http://www.w3.org/TR/1999/REC-xslt-19991116"), want: KindAlgorithm},
		{name: "xpath", edit: transform(0, "http://www.w3.org/TR/1999/REC-xpath-19991116"), want: KindAlgorithm},
		{name: "xpath filter", edit: transform(1, "http://www.w3.org/2002/06/xmldsig-filter2"), want: KindAlgorithm},
		{name: "base64", edit: transform(1, "http://www.w3.org/2000/09/xmldsig#base64"), want: KindAlgorithm},
		{name: "decrypt", edit: transform(1, "http://www.w3.org/2002/07/decrypt#XML"), want: KindAlgorithm},
		{name: "transform empty", edit: transform(1, ""), want: KindAlgorithm},
		{name: "transform in capitals", edit: transform(1, strings.ToUpper(ExcC14N)), want: KindAlgorithm},
		{name: "enveloped with a child", edit: add("Transform", "<ds:XPath "+ds+">1</ds:XPath>"), want: KindMalformed},
		{name: "XPath in the canonical form", edit: func(e info) {
			find(t, e, "Transforms").ChildElements()[1].AddChild(in(t, "<ds:XPath "+ds+">1</ds:XPath>"))
		}, want: KindMalformed},
		{name: "PrefixList", sign: SignOptions{InclusivePrefixes: []string{"xs", "#default"}}},
		{name: "PrefixList of 64", sign: SignOptions{InclusivePrefixes: strings.Fields(strings.Repeat("xs ", maxPrefixes))}},
		{name: "PrefixList of 65", sign: SignOptions{InclusivePrefixes: strings.Fields(strings.Repeat("xs ", maxPrefixes+1))}, want: KindMalformed},
		{name: "PrefixList empty", sign: SignOptions{InclusivePrefixes: []string{""}}},
		{name: "PrefixList of a form without", sign: SignOptions{InclusivePrefixes: []string{"xs"}},
			edit: transform(1, C14N10), want: KindMalformed},
		{name: "PrefixList twice", sign: SignOptions{InclusivePrefixes: []string{"xs"}}, edit: double("InclusiveNamespaces"), want: KindMalformed},
		{name: "PrefixList with text", sign: SignOptions{InclusivePrefixes: []string{"xs"}}, edit: text("InclusiveNamespaces", "x"), want: KindMalformed},
		{name: "PrefixList with an attribute", sign: SignOptions{InclusivePrefixes: []string{"xs"}},
			edit: attr("InclusiveNamespaces", "x", "y"), want: KindMalformed},
		{name: "InclusiveNamespaces of signatures", edit: add("CanonicalizationMethod",
			"<ds:InclusiveNamespaces "+ds+" PrefixList='xs'/>"), want: KindMalformed},

		{name: "SHA-1 digest", sign: SignOptions{DigestURI: DigestSHA1}, want: KindAlgorithm},
		{name: "SHA-1 digest allowed", sign: SignOptions{DigestURI: DigestSHA1}, o: sha1},
		{name: "MD5 digest", edit: alg("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"), o: sha1, want: KindAlgorithm},
		{name: "digest method empty", edit: alg("DigestMethod", ""), want: KindAlgorithm},
		{name: "digest method absent", edit: drop("DigestMethod"), want: KindMalformed},
		{name: "digest method without algorithm", edit: func(e info) { find(t, e, "DigestMethod").Attr = nil }, want: KindMalformed},
		{name: "digest method with a child", edit: add("DigestMethod", "<x/>"), want: KindMalformed},
		{name: "digest value blank around", edit: func(e info) {
			d := find(t, e, "DigestValue")
			d.SetText("\r\n\t " + d.Text()[:7] + " \n" + d.Text()[7:] + "\n")
		}},
		{name: "digest value empty", edit: setText("DigestValue", ""), want: KindMalformed},
		{name: "digest value blank", edit: setText("DigestValue", " \n "), want: KindMalformed},
		{name: "digest value too short", edit: setText("DigestValue", "AAAA"), want: KindMalformed},
		{name: "digest value too long", edit: func(e info) {
			d := find(t, e, "DigestValue")
			d.SetText("AAAA" + d.Text())
		}, want: KindMalformed},
		{name: "digest value of another document", edit: setText("DigestValue", strings.Repeat("A", 43)+"="), want: KindDigest},
		{name: "digest value with a comment", edit: func(e info) { find(t, e, "DigestValue").CreateComment("x") }, want: KindMalformed},
		{name: "digest value with an element", edit: add("DigestValue", "<x/>"), want: KindMalformed},
		{name: "digest value with an attribute", edit: attr("DigestValue", "Id", "x"), want: KindMalformed},
		{name: "digest value twice", edit: double("DigestValue"), want: KindMalformed},
		{name: "digest value absent", edit: drop("DigestValue"), want: KindMalformed},

		{name: "canonicalization method unknown", edit: alg("CanonicalizationMethod", "urn:x"), want: KindAlgorithm},
		{name: "canonicalization method enveloped", edit: alg("CanonicalizationMethod", enveloped), want: KindAlgorithm},
		{name: "canonicalization method absent", edit: drop("CanonicalizationMethod"), want: KindMalformed},
		{name: "canonicalization method twice", edit: double("CanonicalizationMethod"), want: KindMalformed},

		{name: "SHA-1 signature", sign: SignOptions{Method: "rsa-sha1", DigestURI: DigestSHA256}, want: KindAlgorithm},
		{name: "SHA-1 signature allowed", sign: SignOptions{Method: "rsa-sha1", DigestURI: DigestSHA256}, o: sha1},
		{name: "HMAC", edit: alg("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), want: KindAlgorithm},
		{name: "HMAC with SHA-1", edit: alg("SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"), o: sha1, want: KindAlgorithm},
		{name: "DSA", edit: alg("SignatureMethod", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"), o: sha1, want: KindAlgorithm},
		{name: "MD5", edit: alg("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"), o: sha1, want: KindAlgorithm},
		{name: "no method", edit: alg("SignatureMethod", ""), want: KindAlgorithm},
		{name: "PSS with parameters", edit: alg("SignatureMethod", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"), want: KindAlgorithm},
		{name: "PSS for PKCS1", edit: alg("SignatureMethod", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), after: true, want: KindKey},
		{name: "another hash", edit: alg("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"), after: true, want: KindKey},
		{name: "ECDSA for an RSA key", edit: alg("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"), after: true, want: KindKey},
		{name: "HMACOutputLength", edit: add("SignatureMethod", "<ds:HMACOutputLength "+ds+">1</ds:HMACOutputLength>"), want: KindMalformed},
		{name: "signature method absent", edit: drop("SignatureMethod"), want: KindMalformed},
		{name: "signature method twice", edit: double("SignatureMethod"), want: KindMalformed},
		{name: "empty", edit: func(e info) { e.Child = nil }, want: KindMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, cert := pair(t, "idp")
			root := parse(t, assertionDoc)
			el := find(t, root, "Assertion")
			if !c.after {
				c.sign.Edit = c.edit
			}
			if err := SignWith(el, key, cert, c.sign, 2); err != nil {
				t.Fatal(err)
			}
			if c.after {
				c.edit(find(t, el, "SignedInfo"))
			}
			_, err := Verify(el, pinned(cert), c.o)
			if k := kindOf(t, err); k != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
