package xmlsig

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/ssoconn/sso/internal/testtool"
	"github.com/ssoconn/sso/internal/xmltree"
)

// TestCanonicalForms has the rules of the specifications, one a case, about the
// element a.
func TestCanonicalForms(t *testing.T) {
	t.Parallel()
	const (
		exc, excC = ExcC14N, ExcC14NWithComments
		c10, c10C = C14N10, C14N10WithComments
		c11, c11C = C14N11, C14N11WithComments
	)
	for _, c := range []struct {
		name, doc, form, prefixes, want string
	}{
		{"empty element", `<a/>`, exc, "", `<a></a>`},
		{"quotes and blanks in tags", `<a  b = 'c"' ></a >`, exc, "", `<a b="c&quot;"></a>`},
		{"text", `<a>&lt;&gt;&amp;"'&#13;&#9;&#10;</a>`, exc, "", "<a>&lt;&gt;&amp;\"'&#xD;\t\n</a>"},
		{"value", `<a b="&lt;>&amp;&quot;'&#13;&#9;&#10;"/>`, exc, "", `<a b="&lt;>&amp;&quot;'&#xD;&#x9;&#xA;"></a>`},
		{"line ends", "<a b='1\r\n2'>\r\n\r</a>", exc, "", "<a b=\"1 2\">\n\n</a>"},
		{"CDATA", `<a>x<![CDATA[<&>]]>y</a>`, exc, "", `<a>x&lt;&amp;&gt;y</a>`},
		{"beyond the basic plane", `<a>&#x1F600;</a>`, exc, "", "<a>\U0001F600</a>"},
		{"comments out", `<a>x<!-- c -->y</a>`, exc, "", `<a>xy</a>`},
		{"comments in", `<a>x<!-- c -->y</a>`, excC, "", `<a>x<!-- c -->y</a>`},
		{"comments in, 1.0", `<a>x<!---->y</a>`, c10C, "", `<a>x<!---->y</a>`},
		{"comments in, 1.1", `<a>x<!---->y</a>`, c11C, "", `<a>x<!---->y</a>`},

		{"attributes by local name", `<a c="1" B="2" b="3"/>`, exc, "", `<a B="2" b="3" c="1"></a>`},
		{"attributes by namespace, not prefix", `<a xmlns:x="urn:2" xmlns:y="urn:1" x:a="1" y:b="2" z="3"/>`, exc, "",
			`<a xmlns:x="urn:2" xmlns:y="urn:1" z="3" y:b="2" x:a="1"></a>`},
		{"xml: by its namespace", `<a xmlns:x="urn:1" xmlns:h="http://www.w3.org/0" x:a="1" h:a="2" xml:lang="en"/>`, exc, "",
			`<a xmlns:h="http://www.w3.org/0" xmlns:x="urn:1" h:a="2" xml:lang="en" x:a="1"></a>`},
		{"declarations by prefix, default first", `<z:a xmlns:z="urn:1" xmlns:b="urn:2" xmlns="urn:3" b:c=""/>`, c10, "",
			`<z:a xmlns="urn:3" xmlns:b="urn:2" xmlns:z="urn:1" b:c=""></z:a>`},
		{"declaration of xml", `<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`, c10, "xml", `<a></a>`},

		{"unused declarations, exclusive", `<a xmlns="urn:1" xmlns:b="urn:2"><c/></a>`, exc, "", `<a xmlns="urn:1"><c></c></a>`},
		{"unused declarations, inclusive", `<a xmlns="urn:1" xmlns:b="urn:2"><c/></a>`, c10, "", `<a xmlns="urn:1" xmlns:b="urn:2"><c></c></a>`},
		{"declared where it is used", `<r xmlns:p="urn:1"><a><p:b/><p:c p:d=""><p:e/></p:c></a></r>`, exc, "",
			`<a><p:b xmlns:p="urn:1"></p:b><p:c xmlns:p="urn:1" p:d=""><p:e></p:e></p:c></a>`},
		{"in a value is not used", `<r xmlns:xs="urn:1"><a t="xs:string"/></r>`, exc, "", `<a t="xs:string"></a>`},
		{"PrefixList", `<r xmlns:xs="urn:1"><a t="xs:string"/></r>`, exc, "xs", `<a xmlns:xs="urn:1" t="xs:string"></a>`},
		{"PrefixList with nothing", `<r xmlns:xs="urn:1"><a/></r>`, exc, "xx", `<a></a>`},
		{"PrefixList deeper", `<a xmlns:p="urn:1"><b xmlns:q="urn:2"><c xmlns:q="urn:2"/></b></a>`, exc, "q",
			`<a><b xmlns:q="urn:2"><c></c></b></a>`},
		{"#default", `<r xmlns="urn:1"><p:a xmlns:p="urn:2"/></r>`, exc, "#default", `<p:a xmlns="urn:1" xmlns:p="urn:2"></p:a>`},
		{"#default is not p", `<r xmlns="urn:1"><p:a xmlns:p="urn:2"/></r>`, exc, "p", `<p:a xmlns:p="urn:2"></p:a>`},
		{"long PrefixList", `<r xmlns:q="urn:1" xmlns:o="urn:2"><a/></r>`, exc, "b c d e f g h i j q", `<a xmlns:q="urn:1"></a>`},
		{"PrefixList of an inclusive form", `<r xmlns:q="urn:1"><a/></r>`, c10, "b", `<a xmlns:q="urn:1"></a>`},

		{"declared again the same", `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:1"/></p:a>`, c10, "", `<p:a xmlns:p="urn:1"><p:b></p:b></p:a>`},
		{"declared again otherwise", `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"/></p:b><p:d/></p:a>`, exc, "",
			`<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"></p:c></p:b><p:d></p:d></p:a>`},
		{"same name, two prefixes", `<p:a xmlns:p="urn:1" xmlns:q="urn:1"><q:b/></p:a>`, exc, "",
			`<p:a xmlns:p="urn:1"><q:b xmlns:q="urn:1"></q:b></p:a>`},
		{"default undone", `<a xmlns="urn:1"><b xmlns=""><c xmlns=""/></b><d/></a>`, exc, "",
			`<a xmlns="urn:1"><b xmlns=""><c></c></b><d></d></a>`},
		{"default undone above", `<r xmlns="urn:1"><a xmlns=""/></r>`, exc, "", `<a></a>`},
		{"default undone above, inclusive", `<r xmlns="urn:1"><a xmlns=""/></r>`, c10, "", `<a></a>`},
		{"default undone between", `<r xmlns="urn:1"><s xmlns=""><a><b xmlns="urn:1"/></a></s></r>`, c10, "", `<a><b xmlns="urn:1"></b></a>`},
		{"default undone unseen", `<p:a xmlns="urn:1" xmlns:p="urn:2"><p:b xmlns=""><c/></p:b></p:a>`, exc, "",
			`<p:a xmlns:p="urn:2"><p:b><c></c></p:b></p:a>`},
		{"default undone, in the PrefixList", `<p:a xmlns="urn:1" xmlns:p="urn:2"><p:b xmlns=""><c/></p:b></p:a>`, exc, "#default",
			`<p:a xmlns="urn:1" xmlns:p="urn:2"><p:b xmlns=""><c></c></p:b></p:a>`},
		{"default of nothing", `<a xmlns=""/>`, c10, "", `<a></a>`},
		{"above, inclusive", `<r xmlns="urn:1" xmlns:b="urn:2"><s xmlns:b="urn:3" xmlns:c="urn:4"><a><b:b/></a></s></r>`, c11, "",
			`<a xmlns="urn:1" xmlns:b="urn:3" xmlns:c="urn:4"><b:b></b:b></a>`},
		{"above, exclusive", `<r xmlns="urn:1" xmlns:b="urn:2"><s xmlns:b="urn:3" xmlns:c="urn:4"><a><b:b/></a></s></r>`, exc, "",
			`<a xmlns="urn:1"><b:b xmlns:b="urn:3"></b:b></a>`},

		{"xml: above, exclusive", `<r xml:lang="en" xml:space="preserve"><a/></r>`, exc, "", `<a></a>`},
		{"xml: above, 1.0", `<r xml:lang="en" xml:id="i" xml:base="b"><s xml:lang="ru" xml:space="default"><a xml:space="preserve" z="" xml:foo=""/></s></r>`, c10, "",
			`<a z="" xml:base="b" xml:foo="" xml:id="i" xml:lang="ru" xml:space="preserve"></a>`},
		{"xml: above, 1.1", `<r xml:lang="en" xml:id="i" xml:foo=""><s xml:lang="ru" xml:space="default"><a xml:space="preserve" z="" xml:id="j"/></s></r>`, c11, "",
			`<a z="" xml:id="j" xml:lang="ru" xml:space="preserve"></a>`},
		{"xml: not below", `<r xml:lang="en"><a><b/></a></r>`, c10, "", `<a xml:lang="en"><b></b></a>`},
		{"xml: above, 1.1, comments in", `<r xml:id="i" xml:lang="en"><a><!--c--></a></r>`, c11C, "", `<a xml:lang="en"><!--c--></a>`},
		{"xml: above, 1.0, comments in", `<r xml:id="i" xml:lang="en"><a><!--c--></a></r>`, c10C, "", `<a xml:id="i" xml:lang="en"><!--c--></a>`},
		{"xml: not below, where there are attributes", `<r xml:lang="en"><a><b c=""/></a></r>`, c10, "", `<a xml:lang="en"><b c=""></b></a>`},
		{"xml: above and of its own", `<r xml:lang="en"><a xml:lang="ru"/></r>`, c10, "", `<a xml:lang="ru"></a>`},
		{"xml: above after others", `<r b="" xml:foo="" xml:lang="en"><a/></r>`, c11, "", `<a xml:lang="en"></a>`},
		{"attribute above in a default namespace", `<r xmlns="urn:1" b=""><a/></r>`, exc, "", `<a xmlns="urn:1"></a>`},
		{"two prefixes of one namespace", `<a xmlns:p="urn:1" xmlns:q="urn:1" p:c="" q:b=""/>`, exc, "",
			`<a xmlns:p="urn:1" xmlns:q="urn:1" q:b="" p:c=""></a>`},
		{"many attributes", `<a n="" m="" l="" k="" j="" i="" h="" g="" f="" e="" d="" c="" b="" a=""/>`, exc, "",
			`<a a="" b="" c="" d="" e="" f="" g="" h="" i="" j="" k="" l="" m="" n=""></a>`},
		{"many attributes, some of them above", `<r xml:lang="en" xml:space="default"><s xml:lang="ru"><a m="" l="" k="" j="" i="" h="" g="" f="" e="" d="" c="" b="" xml:lang="be"/></s></r>`, c10, "",
			`<a b="" c="" d="" e="" f="" g="" h="" i="" j="" k="" l="" m="" xml:lang="be" xml:space="default"></a>`},
		{"so many that they are sorted otherwise, some of them above", `<s xml:lang="ru" xml:space="default"><a` + manyAttributes(60, true) + ` xml:space="preserve" xml:lang="be"/></s>`, c10, "",
			`<a` + manyAttributes(60, false) + ` xml:lang="be" xml:space="preserve"></a>`},
		{"many prefixes", manyPrefixes(20), exc, "", strings.Replace(manyPrefixes(20), ` xmlns:p0="urn:0"`, "", 1)},
		{"xml:base of its own, 1.1", `<a xml:base="b"><c xml:base="d"/></a>`, c11, "", `<a xml:base="b"><c xml:base="d"></c></a>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := canonical(t, find(t, parse(t, c.doc), "a"), c.form, strings.Fields(c.prefixes)...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// manyAttributes is n attributes in the order of their names, or the opposite one.
func manyAttributes(n int, down bool) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(` a%03d=""`, i)
	}
	if down {
		slices.Reverse(all)
	}
	return strings.Join(all, "")
}

// manyPrefixes is a document in canonical form, but for an unused declaration: n
// prefixes in all, each declared and used inside of the one before.
func manyPrefixes(n int) string {
	var b strings.Builder
	b.WriteString(`<a xmlns:p0="urn:0">`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, `<p%d:b xmlns:p%[1]d="urn:%[1]d" xml:lang="" p%[1]d:c="">`, i)
	}
	for i := n - 1; i > 0; i-- {
		fmt.Fprintf(&b, `</p%d:b>`, i)
	}
	return b.String() + `</a>`
}

func TestCanonicalFaults(t *testing.T) {
	t.Parallel()
	deep := etree.NewElement("a")
	for range maxDepth + 1 {
		e := etree.NewElement("a")
		e.AddChild(deep)
		deep = e
	}
	leaf := deep
	for len(leaf.Child) > 0 {
		leaf = leaf.Child[0].(*etree.Element)
	}
	loose := func(doc string) *etree.Element {
		d := etree.NewDocument()
		d.ReadSettings.PreserveDuplicateAttrs = true
		if err := d.ReadFromString(doc); err != nil {
			t.Fatal(err)
		}
		return d.Root()
	}
	for _, c := range []struct {
		name string
		el   *etree.Element
		form string
		want error
	}{
		{"control", loose(`<a xmlns:p="urn:1" p:b="1" b="2"><p:c/></a>`), ExcC14N, nil},
		{"undeclared prefix", loose(`<p:a/>`), ExcC14N, errPrefix},
		{"undeclared prefix of an attribute", loose(`<a p:b=""/>`), C14N10, errPrefix},
		{"prefix undone", loose(`<a xmlns:p="urn:1"><p:b xmlns:p=""/></a>`), ExcC14N, errUnbind},
		{"xml for something else", loose(`<a xmlns:xml="urn:1"/>`), ExcC14N, errReserved},
		{"xmlns declared", loose(`<a xmlns:xmlns="urn:1"/>`), ExcC14N, errReserved},
		{"another prefix for xml", loose(`<a xmlns:p="` + xmlSpace + `"/>`), ExcC14N, errReserved},
		{"undeclared prefix above", find(t, loose(`<r xmlns:p=""><a/></r>`), "a"), ExcC14N, errUnbind},
		{"attribute twice", loose(`<a b="1" b="2"/>`), ExcC14N, errTwice},
		{"attribute twice by name", loose(`<a xmlns:p="urn:1" xmlns:q="urn:1" p:b="1" q:b="2"/>`), ExcC14N, errTwice},
		{"attribute of xml: twice", loose(`<a xml:lang="1" xml:lang="2"/>`), C14N10, errTwice},
		{"processing instruction", loose(`<a><?x y?></a>`), ExcC14N, errPI},
		{"too deep", deep, ExcC14N, errDeep},
		{"too deep above", leaf, ExcC14N, errDeep},
		{"xml:base above, 1.1", find(t, loose(`<r xml:base="x"><a/></r>`), "a"), C14N11, errBase},
		{"xml:base above, 1.0", find(t, loose(`<r xml:base="x"><a/></r>`), "a"), C14N10, nil},
	} {
		if err := Canonicalize(&bytes.Buffer{}, c.el, c.form, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for _, form := range []string{"", enveloped, "http://www.w3.org/2001/10/xml-exc-c14n"} {
		if err := Canonicalize(&bytes.Buffer{}, parse(t, `<a/>`), form, nil); err == nil {
			t.Errorf("form %q: no error", form)
		}
	}
	for _, text := range []string{"", strings.Repeat("x", 3*bufSize)} {
		if err := Canonicalize(&brokenWriter{}, parse(t, "<a>"+text+"</a>"), ExcC14N, nil); !errors.Is(err, errBroken) {
			t.Errorf("broken writer: got %v", err)
		}
	}
}

// TestCanonAgain uses one canon for one form after the other, as Verify does:
// nothing of a run shows in the next, not even of one that failed.
func TestCanonAgain(t *testing.T) {
	t.Parallel()
	doc := parse(t, `<r xmlns:p="urn:1" xmlns:q="urn:2" xml:lang="en"><a c="" b=""/></r>`)
	broken := etree.NewElement("a")
	broken.CreateAttr("xmlns", "urn:3")
	broken.CreateAttr("b", "")
	broken.CreateAttr("x:c", "")
	many := strings.Fields("b c d e f g h i j q")
	again := new(canon)
	for _, k := range []struct {
		el       *etree.Element
		form     string
		prefixes []string
		want     string
	}{
		{find(t, doc, "a"), ExcC14N, many, `<a xmlns:q="urn:2" b="" c=""></a>`},
		{find(t, doc, "a"), ExcC14N, []string{"p"}, `<a xmlns:p="urn:1" b="" c=""></a>`},
		{find(t, doc, "a"), ExcC14N, nil, `<a b="" c=""></a>`},
		{broken, ExcC14N, nil, ""},
		{find(t, doc, "a"), ExcC14N, nil, `<a b="" c=""></a>`},
		{find(t, doc, "a"), C14N10, many, `<a xmlns:p="urn:1" xmlns:q="urn:2" b="" c="" xml:lang="en"></a>`},
		{find(t, doc, "a"), ExcC14N, many, `<a xmlns:q="urn:2" b="" c=""></a>`},
		{find(t, doc, "a"), C14N10, nil, `<a xmlns:p="urn:1" xmlns:q="urn:2" b="" c="" xml:lang="en"></a>`},
	} {
		f, ok := formOf(k.form)
		if !ok {
			t.Fatalf("no form %s", k.form)
		}
		var b bytes.Buffer
		if err := again.run(&b, k.el, f, k.prefixes, nil); (err != nil) != (k.want == "") {
			t.Errorf("%s %q: got %v", k.form, k.prefixes, err)
		} else if err == nil && b.String() != k.want {
			t.Errorf("%s %q: got %s, want %s", k.form, k.prefixes, &b, k.want)
		}
	}
}

// TestLongNames: a long namespace name that each of many elements writes or
// compares again is refused, and short ones are not.
func TestLongNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64<<10)
	for _, k := range []struct {
		name, open, each string
		times            int
		want             error
	}{
		{"long names written once", `<a xmlns:p="urn:` + long + `" p:b="">`, `<c/>`, 4000, nil},
		{"long name written again", `<a xmlns:p="urn:` + long + `">`, `<p:c/>`, 32, errNamespaces},
		{"long name written again, but seldom", `<a xmlns:p="urn:` + long + `">`, `<p:c/>`, 8, nil},
		{"long names compared", `<a xmlns:p="urn:` + long + `1" xmlns:q="urn:` + long + `2" p:b="" q:b="">`, `<c p:b="" q:b=""/>`, 32, errNamespaces},
		{"one long name, compared with itself", `<a xmlns:p="urn:` + long + `1" p:b="">`, `<c p:b="" p:d=""/>`, 32, nil},
		{"short names compared", `<a xmlns:p="urn:1" xmlns:q="urn:2" xmlns:r="urn:3" xmlns:s="urn:4" xmlns:t="urn:5" xmlns:u="urn:6" p:b="" q:b="" r:b="" s:b="" t:b="" u:b="">`,
			`<c u:b="" t:b="" s:b="" r:b="" q:b="" p:b=""/>`, 4000, nil},
		{"much text beside names", `<a xmlns:p="urn:` + long + `">`, `<p:c>` + long + `</p:c>`, 40, nil},
	} {
		el := parse(t, k.open+strings.Repeat(k.each, k.times)+`</a>`)
		if err := Canonicalize(&bytes.Buffer{}, el, ExcC14N, nil); !errors.Is(err, k.want) {
			t.Errorf("%s: got %v, want %v", k.name, err, k.want)
		}
	}
}

// brokenWriter fails once: the error must not get lost by what comes after it.
type brokenWriter struct{ failed bool }

var errBroken = errors.New("broken")

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.failed {
		return len(b), nil
	}
	w.failed = true
	return 0, errBroken
}

// The buffer may end anywhere.
func TestBuffer(t *testing.T) {
	t.Parallel()
	for n := bufSize - 40; n < bufSize+40; n++ {
		text := strings.Repeat("x", n)
		want := "<a b=\"" + text + "&quot;\">" + text + "&amp;</a>"
		el := parse(t, "<a b='"+text+"\"'>"+text+"&amp;</a>")
		if got := canonical(t, el, ExcC14N); got != want {
			t.Fatalf("%d: got %d bytes, want %d", n, len(got), len(want))
		}
	}
}

// generator writes documents that use namespaces as nobody would.
type generator struct {
	*rand.Rand
	b    strings.Builder
	slot string // put in as the first child of the element A, at depth mark
	mark int
	tame bool // as goxmldsig can take it
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) uri() string { return "urn:" + g.pick("1", "2", "3", "http") }

// element writes an element; scope says which prefixes are declared.
func (g *generator) element(depth int, scope map[string]string) {
	inner := map[string]string{}
	for k, v := range scope {
		inner[k] = v
	}
	var attrs []string
	for _, p := range []string{"", "p", "q", "r", "xs"} {
		if g.IntN(4) > 0 {
			continue
		}
		uri := g.uri()
		if p == "" {
			if !g.tame && g.IntN(3) == 0 {
				uri = ""
			}
			attrs = append(attrs, fmt.Sprintf("xmlns=%q", uri))
		} else {
			attrs = append(attrs, fmt.Sprintf("xmlns:%s=%q", p, uri))
		}
		inner[p] = uri
	}
	prefixes := []string{""}
	for _, p := range []string{"p", "q", "r", "xs"} {
		if inner[p] != "" {
			prefixes = append(prefixes, p)
		}
	}
	seen := map[string]bool{}
	if g.tame {
		prefixes = []string{"", g.pick(prefixes...)}
	}
	for range g.IntN(4) {
		p, local := g.pick(prefixes...), g.pick("a", "b", "type", "Z")
		name, key := local, "{}"+local
		if p != "" {
			name, key = p+":"+local, "{"+inner[p]+"}"+local
		} else if !g.tame && g.IntN(4) == 0 {
			name = "xml:" + g.pick("lang", "space")
			key = name
		}
		if !seen[key] {
			seen[key] = true
			value := g.pick("", "x", "xs:string", "&quot;&amp;&lt;&#9;&#10;&#13;'>", "я")
			if name == "xml:space" {
				value = g.pick("preserve", "default")
			}
			attrs = append(attrs, fmt.Sprintf(`%s="%s"`, name, value))
		}
	}
	g.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
	name := g.pick("e", "f")
	if p := g.pick(prefixes...); p != "" {
		name = p + ":" + name
	}
	marked := depth == g.mark
	if marked {
		g.mark = -1
		name = "A"
		attrs = append(attrs, `ID="_a"`)
		if inner[""] != "" {
			delete(inner, "")
			kept := attrs[:0]
			for _, a := range attrs {
				if !strings.HasPrefix(a, "xmlns=") {
					kept = append(kept, a)
				}
			}
			attrs = append(kept, `xmlns=""`)
		}
	}
	g.b.WriteString("<" + name)
	for _, a := range attrs {
		g.b.WriteString(" " + a)
	}
	g.b.WriteString(">")
	if marked {
		g.b.WriteString(g.slot)
	}
	for n := 1 + g.IntN(3); n > 0 && (depth < 5 || g.mark > 0); n-- {
		g.element(depth+1, inner)
		g.b.WriteString(g.pick("", "\n  ", "text", "&lt;&amp;&gt;&#13;\"'", "<!-- c -->", "<![CDATA[<&]]>", "Анна"))
	}
	g.b.WriteString("</" + name + ">")
}

func generate(seed uint64, mark int, slot string) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), mark: mark, slot: slot}
	g.element(0, map[string]string{})
	return g.b.String()
}

// TestXmllint compares whole documents with libxml2's canonical forms.
func TestXmllint(t *testing.T) {
	t.Parallel()
	xmllint := testtool.Path(t, "xmllint", "libxml2-utils")
	docs := []string{assertionDoc, response(3), template("a", "b", "c", "d"), signedDoc(t, "idp", SignOptions{})}
	for seed := range uint64(60) {
		docs = append(docs, generate(seed, -1, ""))
	}
	for i, doc := range docs {
		for _, c := range []struct{ flag, form string }{
			{"--exc-c14n", ExcC14NWithComments}, {"--c14n", C14N10WithComments}, {"--c14n11", C14N11WithComments},
		} {
			want, err := testtool.Run(doc, xmllint, "--nonet", c.flag, "-")
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if diff := cmp.Diff(want, canonical(t, parse(t, doc), c.form)); diff != "" {
				t.Errorf("document %d, %s (-xmllint +ours):\n%s\n%s", i, c.flag, diff, doc)
			}
		}
	}
}

// TestXmlsecGenerated has xmlsec1 sign elements somewhere in generated
// documents, so that what stands above them counts.
func TestXmlsecGenerated(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	_, cert := pair(t, "idp-p256")
	kinds := []struct{ form, prefixes string }{
		{ExcC14N, ""}, {ExcC14N, "xs"}, {ExcC14NWithComments, "#default p"}, {ExcC14N, "xml q none"}, {C14N10, ""}, {C14N11, ""},
	}
	for seed := range uint64(60) {
		kind := kinds[seed%uint64(len(kinds))]
		tmpl := template(methods[3].uri, DigestSHA256, kind.form, kind.prefixes)
		i, j := strings.Index(tmpl, "<ds:Signature "), strings.Index(tmpl, "</ds:Signature>")
		sig := strings.Replace(tmpl[i:j]+"</ds:Signature>", `"#_a1"`, `"#_a"`, 1)
		doc, err := testtool.Run("", xmlsec, "--sign", "--privkey-pem", keyDir+"/idp-p256.key.pem",
			"--id-attr:ID", "A", testtool.File(t, "in.xml", generate(seed, int(seed/6%4), sig)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(find(t, parse(t, doc), "A"), pinned(cert), Options{}); err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, doc)
		}
	}
}

// theirs is goxmldsig's canonical form of a root element, false where it is
// known to be wrong.
func theirs(el *etree.Element, form, prefixes string) (string, bool) {
	if !within(el) {
		return "", false
	}
	var c dsig.Canonicalizer
	switch form {
	case ExcC14N:
		c = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes)
	case ExcC14NWithComments:
		c = dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(prefixes)
	case C14N10:
		c = dsig.MakeC14N10RecCanonicalizer()
	case C14N10WithComments:
		c = dsig.MakeC14N10WithCommentsCanonicalizer()
	case C14N11:
		c = dsig.MakeC14N11Canonicalizer()
	case C14N11WithComments:
		c = dsig.MakeC14N11WithCommentsCanonicalizer()
	}
	b, err := c.Canonicalize(el.Copy())
	return string(b), err == nil
}

// within says whether goxmldsig 1.6.1 is right about a document. It sorts
// attributes of two namespaces by prefix or local name where the namespace name
// decides; takes an undone default namespace for a new one, since it begins with
// that of xml; writes the declaration of xml; and does not know #default.
func within(e *etree.Element) bool {
	prefix := ""
	for i := range e.Attr {
		a := &e.Attr[i]
		if p, uri, ok := declaration(a); ok {
			if uri == "" || p == "xml" {
				return false
			}
			continue
		}
		if a.Space != "" && prefix != "" && a.Space != prefix {
			return false
		}
		if a.Space != "" {
			prefix = a.Space
		}
	}
	for _, c := range e.ChildElements() {
		if !within(c) {
			return false
		}
	}
	return true
}

var allForms = []string{ExcC14N, ExcC14NWithComments, C14N10, C14N10WithComments, C14N11, C14N11WithComments}

func TestGoxmldsig(t *testing.T) {
	t.Parallel()
	docs := []string{assertionDoc, response(3), signedDoc(t, "idp", SignOptions{})}
	for seed := range uint64(300) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 2)), mark: -1, tame: true}
		g.element(0, nil)
		docs = append(docs, g.b.String())
	}
	compared := 0
	for _, doc := range docs {
		root := parse(t, doc)
		for _, form := range allForms {
			want, ok := theirs(root, form, "xs q")
			if !ok {
				continue
			}
			compared++
			if diff := cmp.Diff(want, canonical(t, root, form, "xs", "q")); diff != "" {
				t.Fatalf("%s (-goxmldsig +ours):\n%s\n%s", form, diff, doc)
			}
		}
	}
	if compared < 1000 {
		t.Errorf("only %d compared", compared)
	}
}

// FuzzCanonical: our forms equal goxmldsig's where it is right, and a canonical
// form is its own canonical form.
func FuzzCanonical(f *testing.F) {
	for _, doc := range []string{assertionDoc, response(1), template("a", "b", "c", "d")} {
		f.Add([]byte(doc), "xs", uint8(0))
	}
	for seed := range uint64(20) {
		f.Add([]byte(generate(seed, -1, "")), "p #default", uint8(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte, list string, n uint8) {
		root, err := xmltree.Parse(doc, xmltree.Limits{})
		if err != nil {
			return
		}
		form := allForms[int(n)%len(allForms)]
		prefixes := strings.Fields(list)
		var b bytes.Buffer
		if err := Canonicalize(&b, root, form, prefixes); err != nil {
			if errors.Is(err, errNamespaces) {
				return
			}
			t.Fatalf("the reader takes what cannot be canonicalized: %v", err)
		}
		once := b.String()
		again, err := xmltree.Parse(b.Bytes(), xmltree.Limits{Bytes: 16 << 20})
		if err != nil {
			var e *xmltree.Error
			if errors.As(err, &e) && e.TooLarge {
				return
			}
			t.Fatalf("%s: the canonical form does not parse: %v\n%s", form, err, once)
		}
		if twice := canonical(t, again, form, prefixes...); twice != once {
			t.Fatalf("%s: not the same again:\n%q\n%q", form, once, twice)
		}
		if strings.Contains(list, "#default") || strings.Contains(list, "xml") {
			return
		}
		if want, ok := theirs(root, form, list); ok && want != once {
			t.Fatalf("%s:\ngoxmldsig %q\nours      %q", form, want, once)
		}
	})
}
