package xmltree

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
)

// dump writes a tree as lines: everything that a reader of it can see.
func dump(e *etree.Element) []string {
	lines := []string{fmt.Sprintf("<%s:%s {%s}", e.Space, e.Tag, Namespace(e))}
	for _, a := range e.Attr {
		lines = append(lines, fmt.Sprintf("@%s:%s {%s} %q", a.Space, a.Key, AttrNamespace(e, a), a.Value))
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Element:
			lines = append(lines, dump(t)...)
		case *etree.CharData:
			lines = append(lines, fmt.Sprintf("%q", t.Data))
		case *etree.Comment:
			lines = append(lines, fmt.Sprintf("#%q", t.Data))
		}
	}
	return append(lines, ">")
}

// checkLinks fails if the tree does not hang together as one that etree built.
func checkLinks(tb testing.TB, e *etree.Element) {
	tb.Helper()
	for i := range e.Attr {
		if e.Attr[i].Element() != e {
			tb.Errorf("attribute %s of %s belongs to another element", e.Attr[i].FullKey(), e.FullTag())
		}
	}
	for i, t := range e.Child {
		if t.Parent() != e || t.Index() != i {
			tb.Errorf("child %d of %s has another parent, or the index %d", i, e.FullTag(), t.Index())
		}
		if c, ok := t.(*etree.Element); ok {
			checkLinks(tb, c)
		}
	}
}

func serialize(e *etree.Element) string {
	var b strings.Builder
	e.WriteTo(&b, &etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true, CanonicalEndTags: true})
	return b.String()
}

func mustParse(tb testing.TB, doc string) *etree.Element {
	tb.Helper()
	e, err := Parse([]byte(doc), Limits{})
	if err != nil {
		tb.Fatalf("Parse(%.200q): %v", doc, err)
	}
	return e
}

func TestPairs(t *testing.T) {
	t.Parallel()
	rules := map[string]bool{}
	for _, p := range pairs {
		if rules[p.rule] {
			t.Errorf("rule %q is there twice", p.rule)
		}
		rules[p.rule] = true
		t.Run(p.rule, func(t *testing.T) {
			t.Parallel()
			root := mustParse(t, p.ok)
			if root.Parent() != nil || root.Index() != -1 {
				t.Errorf("the root has the parent %v and the index %d, want none", root.Parent(), root.Index())
			}
			checkLinks(t, root)

			e, err := Parse([]byte(p.bad), Limits{})
			if e != nil {
				t.Errorf("Parse(%q) = %s, want no element", p.bad, dump(e))
			}
			var xe *Error
			if !errors.As(err, &xe) || !strings.Contains(err.Error(), p.want) {
				t.Fatalf("Parse(%q): error %v, want %q", p.bad, err, p.want)
			}
			if xe.TooLarge {
				t.Errorf("Parse(%q): %v counts as too large", p.bad, err)
			}
		})
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, doc string
		want      []string
	}{
		{"names and namespaces",
			`<p:a xmlns:p="u:p" xmlns="u:d" p:x="1" y="2" xml:lang="en"><b xmlns=""><p:c/></b><d xmlns:p="u:q"><p:e/></d><p:f/></p:a>`,
			[]string{
				"<p:a {u:p}", `@xmlns:p {http://www.w3.org/2000/xmlns/} "u:p"`, `@:xmlns {http://www.w3.org/2000/xmlns/} "u:d"`,
				`@p:x {u:p} "1"`, `@:y {} "2"`, `@xml:lang {http://www.w3.org/XML/1998/namespace} "en"`,
				"<:b {}", `@:xmlns {http://www.w3.org/2000/xmlns/} ""`, "<p:c {u:p}", ">", ">",
				"<:d {u:d}", `@xmlns:p {http://www.w3.org/2000/xmlns/} "u:q"`, "<p:e {u:q}", ">", ">",
				"<p:f {u:p}", ">", ">",
			}},
		{"an element named by xml", `<xml:a/>`, []string{"<xml:a {http://www.w3.org/XML/1998/namespace}", ">"}},
		{"line ends in text", "<a>1\r\n2\r3\n\r4\r\r\n5&#13;&#xD;\n</a>", []string{"<:a {}", `"1\n2\n3\n\n4\n\n5\r\r\n"`, ">"}},
		{"line ends in CDATA and comments", "<a><![CDATA[1\r\n2\r]]><!--\r\n--></a>", []string{"<:a {}", `"1\n2\n"`, `#"\n"`, ">"}},
		{"white space in values", "<a b=' 1\t2\n3\r\n4\r5 '/>", []string{"<:a {}", `@:b {} " 1 2 3 4 5 "`, ">"}},
		{"references in values", "<a b='&#9;&#10;&#13;&#32;&lt;&#60;\t&quot;&#39;'/>", []string{"<:a {}", `@:b {} "\t\n\r << \"'"`, ">"}},
		{"the other quote", `<a b='"' c="'"/>`, []string{"<:a {}", `@:b {} "\""`, `@:c {} "'"`, ">"}},
		{"> in a value", `<a b='/>' c="]]>"/>`, []string{"<:a {}", `@:b {} "/>"`, `@:c {} "]]>"`, ">"}},
		{"references in text", "<a>&lt;b&gt;&#x26;amp;&#1087;&#x1F511;</a>", []string{"<:a {}", `"<b>&amp;п🔑"`, ">"}},
		{"text is whole", "<a>1<![CDATA[2<&]]>3&#52;<![CDATA[]]><![CDATA[5]]></a>", []string{"<:a {}", `"12<&345"`, ">"}},
		{"text begins in CDATA", "<a><![CDATA[1]]>2</a>", []string{"<:a {}", `"12"`, ">"}},
		{"text begins with a reference", "<a>&#49;<![CDATA[2]]>3</a>", []string{"<:a {}", `"123"`, ">"}},
		{"empty CDATA is no text", "<a><![CDATA[]]></a>", []string{"<:a {}", ">"}},
		{"CDATA end in pieces", "<a>]]<![CDATA[>]]]]><![CDATA[>]]></a>", []string{"<:a {}", `"]]>]]>"`, ">"}},
		{"comments are kept", "<a>1<!-- 2 -->3<!----></a>", []string{"<:a {}", `"1"`, `#" 2 "`, `"3"`, `#""`, ">"}},
		{"comments outside are not", "<!--1--><a/><!--2-->", []string{"<:a {}", ">"}},
		{"mixed content", "<a>1<b>2</b>3<c/>\n</a>", []string{"<:a {}", `"1"`, "<:b {}", `"2"`, ">", `"3"`, "<:c {}", ">", `"\n"`, ">"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := mustParse(t, tt.doc)
			checkLinks(t, root)
			if diff := cmp.Diff(tt.want, dump(root)); diff != "" {
				t.Errorf("Parse(%q) mismatch (-want +got):\n%s", tt.doc, diff)
			}
		})
	}
}

// TestWholeText is the attack on comments in values: a value must not be read
// up to the comment.
func TestWholeText(t *testing.T) {
	t.Parallel()
	const want = "admin@example.com.evil"
	for _, doc := range []string{
		"<a>admin@example.com.evil</a>",
		"<a>admin@example.com<!-- -->.evil</a>",
		"<a>admin@example.com<![CDATA[.evil]]></a>",
		"<a><![CDATA[admin@example.com]]>.evil</a>",
		"<a>admin@example.com&#46;evil</a>",
		"<a><!-- -->admin@example.com<!-- --><![CDATA[.]]><!-- -->evil</a>",
	} {
		if got := mustParse(t, doc).Text(); got != want {
			t.Errorf("text of %q is %q, want %q", doc, got, want)
		}
	}
}

// TestParts checks that slices cut from one allocation do not run into each
// other, nor into the input.
func TestParts(t *testing.T) {
	t.Parallel()
	data := []byte("<a><b x='1'>t</b><c y='2'>u</c></a>")
	root, err := Parse(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b := root.SelectElement("b")
	b.CreateAttr("z", "3")
	b.CreateElement("d")
	root.CreateElement("e")
	clear(data)
	want := "<a><b x=\"1\" z=\"3\">t<d></d></b><c y=\"2\">u</c><e></e></a>"
	if got := serialize(root); got != want {
		t.Errorf("the tree became %s, want %s", got, want)
	}
	checkLinks(t, root)
}

func TestParseIn(t *testing.T) {
	t.Parallel()
	root := mustParse(t, string(typicalResponse(t)))
	before := dump(root)
	old := root.SelectElement("Assertion").SelectElement("Subject")
	e, err := ParseIn(old, []byte(serialize(old)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Parent() != nil {
		t.Errorf("the new element has a parent")
	}
	if diff := cmp.Diff(before, dump(root)); diff != "" {
		t.Errorf("ParseIn changed the tree (-want +got):\n%s", diff)
	}
	parent, index := old.Parent(), old.Index()
	parent.RemoveChildAt(index)
	parent.InsertChildAt(index, e)
	if diff := cmp.Diff(before, dump(root)); diff != "" {
		t.Errorf("the tree with the new element in place (-want +got):\n%s", diff)
	}
	checkLinks(t, root)
}

func TestParseInScope(t *testing.T) {
	t.Parallel()
	var many strings.Builder // so many that they are found by the map
	for i := range 30 {
		fmt.Fprintf(&many, " xmlns:n%d='u:%d'", i, i)
	}
	root := mustParse(t, "<o xmlns:p='u:p' xmlns:r='u:r'><q:m xmlns:q='u:q' xmlns:r='u:s'"+many.String()+"><old xmlns:own='u:o'/></q:m></o>")
	old := root.FindElement("//old")
	for _, tt := range []struct {
		name, data, want string // want is the error, or "" for none
		limits           Limits
	}{
		{name: "none", data: "<a/>"},
		{name: "declared around", data: "<p:a q:b='' n29:c=''/>"},
		{name: "declared nowhere", data: "<x:a/>", want: `prefix "x" of element "a" is not declared`},
		{name: "old's own", data: "<own:a/>", want: `prefix "own" of element "a" is not declared`},
		{name: "hidden declaration", data: "<a xmlns:z='u:r' r:b='' z:b=''/>"},
		{name: "hiding declaration", data: "<a xmlns:z='u:s' r:b='' z:b=''/>", want: `attribute "z:b" is there twice`},
		{name: "declared again and back", data: "<a><b xmlns:p='u:1'/><p:c xmlns:z='u:1' p:x='' z:x=''/></a>"},
		{name: "a document", data: "\uFEFF<?xml version='1.0'?><!-- --><a/>\n"},
		{name: "two elements", data: "<a/><b/>", want: "a second root element"},
		{name: "text", data: "a", want: "text outside the root element"},
		{name: "empty", data: "", want: "no element in the document"},
		{name: "end of the parent", data: "<a/></q:m><b/>", want: "an end tag without a start tag"},
		{name: "depth", data: "<a/>", limits: Limits{Depth: 3}},
		{name: "depth passed", data: "<a><b/></a>", limits: Limits{Depth: 3}, want: "nested more than 3 deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := ParseIn(old, []byte(tt.data), tt.limits)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("ParseIn(%q): %v", tt.data, err)
			case tt.want != "" && (e != nil || err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("ParseIn(%q): element %v, error %v, want %q", tt.data, e, err, tt.want)
			}
		})
	}
	t.Run("below a document of etree", func(t *testing.T) {
		t.Parallel()
		doc := etree.NewDocument()
		if err := doc.ReadFromString("<p:o xmlns:p='u:p'><old/></p:o>"); err != nil {
			t.Fatal(err)
		}
		l := Limits{Depth: 2}
		if _, err := ParseIn(doc.FindElement("//old"), []byte("<p:a/>"), l); err != nil {
			t.Error(err)
		}
		if _, err := ParseIn(doc.Root(), []byte("<p:a/>"), l); err == nil {
			t.Error("what the root declares is in scope in its place")
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	for _, tt := range []struct {
		name    string
		limits  Limits
		ok, bad string
		want    string
	}{
		{"bytes", Limits{Bytes: 8}, "<a>1</a>", "<a>12</a>", "the document has 9 bytes, at most 8 are taken"},
		{"bytes by default", Limits{}, string(fill(1<<20, "<a>", "b", "</a>")), string(fill(1<<20+1, "<a>", "b", "</a>")), "the document has 1048577 bytes"},
		{"depth", Limits{Depth: 2}, "<a><b/></a>", "<a><b><c/></b></a>", "line 1, column 7: elements are nested more than 2 deep"},
		{"depth by default", Limits{}, nest(64), nest(65), "line 1, column 193: elements are nested more than 64 deep"},
		{"negative is default", Limits{-1, -1, -1, -1}, nest(64), nest(65), "elements are nested more than 64 deep"},
		{"attributes", Limits{Attributes: 2}, "<a b='' c=''/>", "<a b='' c='' d=''/>", `line 1, column 14: more than 2 attributes on element "a"`},
		{"attributes with declarations", Limits{Attributes: 2}, "<a b='' xmlns='u:x'/>", "<a b='' xmlns='u:x' xmlns:p='u:p'/>", `more than 2 attributes on element "a"`},
		{"attributes by default", Limits{}, "<a" + manyAttrs(64) + "/>", "<a" + manyAttrs(65) + "/>", "more than 64 attributes"},
		{"declarations in scope", Limits{Attributes: 1}, "<a xmlns='u:1'><a xmlns='u:2'><a xmlns='u:3'><a xmlns='u:4'/><a xmlns='u:4'/></a></a></a>",
			"<a xmlns='u:1'><a xmlns='u:2'><a xmlns='u:3'><a xmlns='u:4'><a xmlns='u:4'/></a></a></a></a>", "line 1, column 64: more than 4 namespace declarations in scope"},
		{"declarations in scope, two attributes", Limits{Attributes: 2}, strings.Repeat("<a xmlns='u:1' xmlns:p='u:2'>", 4) + strings.Repeat("</a>", 4),
			strings.Repeat("<a xmlns='u:1' xmlns:p='u:2'>", 5) + strings.Repeat("</a>", 5), "more than 8 namespace declarations in scope"},
		{"elements", Limits{Elements: 3}, "<a><b/><c/></a>", "<a><b/><c/><d/></a>", "line 1, column 12: more than 3 elements, attributes, comments and runs of text"},
		{"text counts", Limits{Elements: 3}, "<a>1<b/></a>", "<a>1<b/>2</a>", "more than 3 elements"},
		{"attributes count", Limits{Elements: 3}, "<a b=''><b/></a>", "<a b=''><b c=''/></a>", "more than 3 elements"},
		{"comments count", Limits{Elements: 3}, "<a><!----><b/></a>", "<a><!----><b/><!----></a>", "more than 3 elements"},
		{"comments outside count", Limits{Elements: 3}, "<!----><!----><a/>", "<!----><!----><!----><a/>", "more than 3 elements"},
		{"elements by default", Limits{}, string(fill(7+4*99_999, "<a>", "<a/>", "</a>")), string(fill(7+4*100_000, "<a>", "<a/>", "</a>")), "more than 100000 elements"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(tt.ok), tt.limits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			e, err := Parse([]byte(tt.bad), tt.limits)
			var xe *Error
			if e != nil || !errors.As(err, &xe) || !xe.TooLarge || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("beyond the limit: error %v, want too large: %s", err, tt.want)
			}
		})
	}
}

func manyAttrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " b%d=''", i)
	}
	return b.String()
}

// TestErrorText checks that errors do not repeat the document.
func TestErrorText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("secret", 100)
	for _, doc := range []string{
		"<a>" + long, "<a>" + long + "&" + long + ";</a>", "<a>&secret secret;</a>", "<a b='" + long, "<a b='" + long + "<'/>", "<a>" + long + "]]></a>",
		"<a><!--" + long + "--" + long + "--></a>", "<?xml version='1.0' encoding='" + long + "'?><a/>", "<?" + long + "?><a/>", "<!DOCTYPE " + long + "><a/>",
		"<a/>" + long, "<a xmlns:p='" + long + "'/>",
	} {
		_, err := Parse([]byte(doc), Limits{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%.60q): error %v, want one without the document's text", doc, err)
		}
	}
	for _, doc := range []string{
		"<" + long + "></" + long + "x>", "<" + long + ":" + long + "/>", "<a " + long + "='' " + long + "=''/>", "<a " + long + ":" + long + "=''/>",
		"<a " + long + "/>", "<" + long + " <", "<" + long, "<" + strings.Repeat("\U00010000", 100) + "></a>", "<a xmlns:" + long + "=''/>",
	} {
		_, err := Parse([]byte(doc), Limits{})
		if err == nil || len(err.Error()) > 300 || strings.Contains(err.Error(), long) {
			t.Errorf("Parse(%.60q): error %v, want a shortened name", doc, err)
		}
	}
}

// TestHostile bounds what a document of the default size can cost. The time is
// far above what is needed (see BenchmarkHostile), so that only growth faster
// than the input's fails it on a busy machine.
func TestHostile(t *testing.T) { // not parallel: it reads the process's allocations
	if len(hostile()) == 0 {
		t.Fatal("nothing to try")
	}
	for _, h := range hostile() {
		if len(h.data) > 1<<20 {
			t.Fatalf("%s: %d bytes, at most 1 MiB wanted", h.name, len(h.data))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Parse(h.data, Limits{})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes allocated, at most 16 MiB wanted", h.name, got)
		}
		if took > 30*time.Second { // a hang; times are for the benchmarks
			t.Errorf("%s: took %v", h.name, took)
		}
		var xe *Error
		if err != nil && !errors.As(err, &xe) {
			t.Errorf("%s: error %v, want an *Error", h.name, err)
		}
	}
}

func TestManyGroups(t *testing.T) {
	t.Parallel()
	const groups = 10_000
	root, err := Parse(manyGroups(groups), Limits{Bytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(root.ChildElements()[0].ChildElements()); got != groups {
		t.Errorf("%d groups read, want %d", got, groups)
	}
}
