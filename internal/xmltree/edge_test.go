package xmltree

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTextOfPieces: whatever a value is written of, text, CDATA and references in
// any order, it is one piece that holds all of it.
func TestTextOfPieces(t *testing.T) {
	t.Parallel()
	pieces := []struct{ written, means string }{
		{"x", "x"}, {"<![CDATA[y]]>", "y"}, {"&amp;", "&"}, {"<![CDATA[]]>", ""}, {"&#65;z", "Az"},
	}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				written, want := a.written+b.written+c.written, a.means+b.means+c.means
				e, err := Parse([]byte("<e>"+written+"</e>"), Limits{})
				if err != nil {
					t.Fatalf("%s: %v", written, err)
				}
				if got := e.Text(); got != want || len(e.Child) != min(len(want), 1) {
					t.Errorf("%s: got %q in %d pieces, want %q", written, got, len(e.Child), want)
				}
			}
		}
	}
}

// nameTable is production 4 of XML 1.0 beyond ASCII, and what 4a adds to it,
// written down once more from the specification.
var nameTable = []struct {
	from, to rune
	first    bool
}{
	{0xB7, 0xB7, false}, {0xC0, 0xD6, true}, {0xD8, 0xF6, true}, {0xF8, 0x2FF, true}, {0x300, 0x36F, false},
	{0x370, 0x37D, true}, {0x37F, 0x1FFF, true}, {0x200C, 0x200D, true}, {0x203F, 0x2040, false},
	{0x2070, 0x218F, true}, {0x2C00, 0x2FEF, true}, {0x3001, 0xD7FF, true}, {0xF900, 0xFDCF, true},
	{0xFDF0, 0xFFFD, true}, {0x10000, 0xEFFFF, true},
}

// TestNamespaceNames has the edges of what is an absolute URI (RFC 3986, 3).
func TestNamespaceNames(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]bool{
		"u:p": true, "a:": true, "z:p": true, "A:p": true, "Z:p": true, "aAzZ:p": true, "a09:p": true, "a+-.:p": true,
		"": false, ":": false, ":p": false, "p": false, "0u:p": false, "9:p": false, "+:p": false, "-:p": false, ".:p": false,
		"@:p": false, "`:p": false, "[:p": false, "{:p": false, "u@:p": false, "u`:p": false, "u[:p": false, "u{:p": false,
		"u/:p": false, "u,:p": false, "u*:p": false, "u_:p": false, "\u00E9:p": false,

		"u:%00": true, "u:%9a": true, "u:%aA": true, "u:%fF": true, "u:%41b": true, "u:-._~:/?@!$&'()*+,;=": true, "u:#": true, "u:p#q": true,
		"u:%": false, "u:%4": false, "u:%g0": false, "u:%0g": false, "u:%G0": false, "u:%@0": false, "u:%0@": false, "u:%`0": false, "u:%0`": false,
		"u:%/0": false, "u:%:0": false, "u:%4x": false, "u:%41|": false, "u:%41%": false, "u:p#q#r": false, "u:##": false,
		"u:[": false, "u:]": false, "u:|": false, "u:\\": false, "u:^": false, "u: ": false, "u:\"": false, "u:\u00E9": false,

		"u://": true, "u://a": true, "u://a/": true, "u:///p": true, "u:///p@q@r": true, "u:///p:q": true, "u://a?b:c": true, "u://a#b:c": true,
		"u://u@a": true, "u://u:p@a": true, "u://u:p@a:8": true, "u://a:09": true, "u://a:12345": true, "u://a/b@c@d": true,
		"u://a:": false, "u://a:/": false, "u://a:123456": false, "u://a:1a": false, "u://a:1:2": false, "u://a:-1": false,
		"u://a@b@c": false, "u://@@b": false, "u://u@a:": false, "u://u@a:x": false,
	} {
		if got := isAbsolute(uri); got != want {
			t.Errorf("%q: %v", uri, got)
		}
	}
}

// TestLongElementName: a name is cut where an error repeats it.
func TestLongElementName(t *testing.T) {
	t.Parallel()
	for n, cut := range map[int]string{39: "", 40: "", 41: "…", 1000: "…"} {
		_, err := Parse([]byte("<"+strings.Repeat("n", n)+" "), Limits{})
		want := fmt.Sprintf("the document ends inside the tag of %q%s", strings.Repeat("n", min(n, 40)), cut)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%d bytes: got %v, want %s", n, err, want)
		}
	}
}

// TestNames has every character there is, at the start of a name and in it.
func TestNames(t *testing.T) {
	t.Parallel()
	at := 0
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		for at < len(nameTable) && r > nameTable[at].to {
			at++
		}
		in := at < len(nameTable) && r >= nameTable[at].from
		if got := isNameRune(r, false); got != in {
			t.Errorf("%U in a name: %v", r, got)
		}
		if got := isNameRune(r, true); got != (in && nameTable[at].first) {
			t.Errorf("%U at the start of a name: %v", r, got)
		}
	}
}

// TestDuplicates has two attributes of one expanded name among more than are
// compared each with each, of names of all lengths, in any order.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		var attrs []string
		for i := range 12 + random.IntN(8) {
			attrs = append(attrs, fmt.Sprintf("%s%d=''", strings.Repeat("n", 1+random.IntN(6)), i))
		}
		attrs = append(attrs, "p:nnn=''")
		for _, k := range []struct {
			other string
			ok    bool
		}{{"q:nnn=''", false}, {"r:nnn=''", true}} {
			with := append([]string{k.other}, attrs...)
			random.Shuffle(len(with), func(i, j int) { with[i], with[j] = with[j], with[i] })
			doc := "<a xmlns:p='u:1' xmlns:q='u:1' xmlns:r='u:2' " + strings.Join(with, " ") + "/>"
			if _, err := Parse([]byte(doc), Limits{}); (err == nil) != k.ok {
				t.Fatalf("%s: got %v, want it taken: %v", doc, err, k.ok)
			}
		}
	}
}

// TestLineEnds: each way to end a line is one \n in the tree, wherever it stands.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r", "\r\n"} {
		for _, before := range []string{"", end, end + end} {
			doc := before + "<a>" + end + "1" + end + end + "2</a>" + end
			e, err := Parse([]byte(doc), Limits{})
			if err != nil {
				t.Fatalf("%q: %v", doc, err)
			}
			if got, want := e.Text(), "\n1\n\n2"; got != want {
				t.Errorf("%q: got %q, want %q", doc, got, want)
			}
		}
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	for before, want := range map[string][2]int{
		"": {1, 1}, "ab": {1, 3}, "\n": {2, 1}, "\r": {2, 1}, "\r\n": {2, 1}, "\n\r": {3, 1}, "\r\r": {3, 1}, "a\rb": {2, 2},
		"\r\na\r\nbc": {3, 3}, "a\r\n\r\n": {3, 1},
	} {
		if line, column := position(before); line != want[0] || column != want[1] {
			t.Errorf("%q: got line %d, column %d, want %v", before, line, column, want)
		}
	}
}
