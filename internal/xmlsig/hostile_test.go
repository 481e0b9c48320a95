package xmlsig

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
)

const mib = 1 << 20

// hostile is a document of about 1 MiB that is built to cost.
type hostile struct {
	name string
	// body is inside of the signed element A, which declares what head says.
	head, body string
	opts       SignOptions
	// edit changes the document after signing, when not nil.
	edit func(doc string) string
	want Kind // of Verify; "" accepts
	// swells says that the canonical form itself is refused, so that nobody can
	// sign such an element.
	swells bool
}

func fill(format string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		if strings.Contains(format, "%") {
			fmt.Fprintf(&b, format, i)
		} else {
			b.WriteString(format)
		}
	}
	return b.String()
}

// declared is n declarations of prefixes from letter+from, the names size long.
func declared(letter string, from, n, size int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, ` xmlns:%s%d="urn:%s%08d"`, letter, i, strings.Repeat("x", size), i)
	}
	return b.String()
}

func nested(depth int, attrs func(i int) string, inner string) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString("<e" + attrs(i) + ">")
	}
	b.WriteString(inner)
	for range depth {
		b.WriteString("</e>")
	}
	return b.String()
}

func inSignedInfo(s string) func(string) string {
	return func(doc string) string { return strings.Replace(doc, "<ds:SignedInfo>", "<ds:SignedInfo>"+s, 1) }
}

func hostiles() []hostile {
	chain := func(leaf string) string {
		return nested(55, func(i int) string { return declared("p", 63*i, 63, 0) }, fill(leaf, 850<<10))
	}
	wide := func(n int) string {
		var b strings.Builder
		b.WriteString("<e")
		for i := range n {
			fmt.Fprintf(&b, ` p%d:a=""`, n-i)
		}
		return b.String() + "/>"
	}
	return []hostile{
		{name: "declarations by depth, one prefix", body: chain("<p7:e/>")},
		{name: "declarations by depth, inclusive", body: chain("<p7:e/>"), opts: SignOptions{C14N: C14N10}},
		{name: "declarations by depth, each prefix", body: nested(55, func(i int) string { return declared("p", 63*i, 63, 0) },
			fill("<e xmlns:p1000=\"urn:a\"><p1000:e/></e>", 850<<10))},
		{name: "long name, many uses", head: ` xmlns:p="urn:` + strings.Repeat("x", 500<<10) + `"`,
			body: fill("<p:e/>", 500<<10), swells: true},
		{name: "long names, many attributes", head: declared("p", 0, 60, 8<<10), body: fill(wide(50), 500<<10), swells: true},
		{name: "long names compared, inclusive", head: declared("p", 0, 60, 8<<10), body: fill(wide(50), 500<<10),
			opts: SignOptions{C14N: C14N10}, swells: true},
		{name: "names declared and used again", head: declared("p", 0, 60, 0), body: fill(wide(50), mib-10<<10)},
		{name: "64 attributes", body: fill("<e"+fill(` b%d="&quot;&#10;"`, 64*14)+"/>", mib)},
		{name: "quotes", body: "<e a='" + strings.Repeat(`"`, mib) + "'/>"},
		{name: "text", body: strings.Repeat("я ", mib/3)},
		{name: "escaped text", body: strings.Repeat("&amp;&gt;", mib/9)},
		{name: "elements", body: fill("<e/>", 4*99_000)},
		{name: "comments", body: fill("<!---->", mib), opts: SignOptions{C14N: ExcC14NWithComments}},
		{name: "comments in SignedInfo", edit: inSignedInfo(fill("<!---->", mib)), opts: SignOptions{C14N: ExcC14NWithComments}, want: KindKey},
		{name: "blanks in SignedInfo", edit: inSignedInfo(strings.Repeat(" ", mib)), want: KindKey},
		{name: "elements in SignedInfo", edit: inSignedInfo(fill("<ds:Reference/>", mib)), want: KindMalformed},
		{name: "PrefixList", opts: SignOptions{InclusivePrefixes: strings.Fields(fill("p%d ", mib/2))}, want: KindMalformed},
		{name: "certificates", edit: func(doc string) string {
			return strings.Replace(doc, "<ds:X509Certificate>", fill("<ds:X509Certificate>AAAA</ds:X509Certificate>", mib)+"<ds:X509Certificate>", 1)
		}},
		{name: "one certificate, wrong key", edit: func(doc string) string {
			doc = strings.Replace(doc, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1)
			return strings.Replace(doc, "<ds:X509Certificate>", "<ds:X509Certificate>"+strings.Repeat("A", mib), 1)
		}, want: KindKey},
		{name: "declarations in KeyInfo", edit: func(doc string) string {
			return strings.Replace(doc, "<ds:X509Certificate>", nested(50, func(i int) string { return declared("p", 60*i, 60, 0) },
				fill("<p7:e/>", 700<<10))+"<ds:X509Certificate>", 1)
		}},
		{name: "blanks in base64", edit: func(doc string) string {
			return strings.Replace(doc, "<ds:SignatureValue>", "<ds:SignatureValue>"+strings.Repeat("\n ", mib/2), 1)
		}, want: KindMalformed},
		{name: "CDATA in base64", edit: func(doc string) string {
			return strings.Replace(doc, "<ds:SignatureValue>", "<ds:SignatureValue>"+strings.Repeat("<![CDATA[]]>", mib/12), 1)
		}},
		{name: "signatures", edit: func(doc string) string {
			return strings.Replace(doc, "</A>", fill("<ds:Signature xmlns:ds='"+dsigSpace+"'/>", mib)+"</A>", 1)
		}, want: KindMalformed},
		{name: "foreign signatures", head: declared("p", 0, 60, 0), edit: func(doc string) string {
			return strings.Replace(doc, "</A>", fill("<p1:Signature/>", mib)+"</A>", 1)
		}, want: KindMalformed},
	}
}

func (h *hostile) build(tb testing.TB) (*etree.Element, *x509.Certificate) {
	tb.Helper()
	key, cert := pair(tb, "idp")
	el := find(tb, parseLoosely(tb, "<R><A ID='_a'"+h.head+">"+h.body+"</A></R>"), "A")
	if h.swells {
		return el, cert
	}
	if err := SignWith(el, key, cert, h.opts, 0); err != nil {
		tb.Fatal(err)
	}
	doc := serialize(tb, el.Parent())
	if h.edit != nil {
		changed := h.edit(doc)
		if changed == doc {
			tb.Fatal("the edit changed nothing")
		}
		doc = changed
	}
	return find(tb, parseLoosely(tb, doc), "A"), cert
}

// parseLoosely reads past the limits of the strict reader: the work has to be
// bounded without them too.
func parseLoosely(tb testing.TB, text string) *etree.Element {
	tb.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		tb.Fatal(err)
	}
	return doc.Root()
}

// run verifies once, or canonicalizes what nobody could sign.
func (h *hostile) run(tb testing.TB, el *etree.Element, cert *x509.Certificate) {
	if h.swells {
		form := h.opts.C14N
		if form == "" {
			form = ExcC14N
		}
		if err := Canonicalize(discard{}, el, form, nil); err != errNamespaces {
			tb.Fatalf("got %v, want %v", err, errNamespaces)
		}
		return
	}
	_, err := Verify(el, pinned(cert), Options{})
	if k := kindOf(tb, err); k != h.want {
		tb.Fatalf("got %v, want %q", err, h.want)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Every hostile document is answered, and soon: the bound is for a busy machine
// under the race detector, the benchmark of the same name tells the real time.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, h := range hostiles() {
		t.Run(h.name, func(t *testing.T) {
			el, cert := h.build(t)
			start := time.Now()
			h.run(t, el, cert)
			if d := time.Since(start); d > 30*time.Second { // a hang; times are for the benchmarks
				t.Errorf("took %v", d)
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, h := range hostiles() {
		b.Run(h.name, func(b *testing.B) {
			el, cert := h.build(b)
			b.ReportAllocs()
			for b.Loop() {
				h.run(b, el, cert)
			}
		})
	}
}
