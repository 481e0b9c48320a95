package xmltree

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// typicalResponse is a Response with one signed assertion and five groups, as
// Okta writes it (key material replaced by random bytes).
func typicalResponse(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/response.xml")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// manyGroups is the shape of a Response with n groups, pretty-printed.
func manyGroups(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"` +
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><a:Attribute Name="groups">` + "\n")
	for i := range n {
		fmt.Fprintf(&b, "  <a:AttributeValue xsi:type=\"xs:string\">group number %d with a name that is not too short, as in a directory</a:AttributeValue>\n", i)
	}
	b.WriteString("</a:Attribute></p:Response>")
	return b.Bytes()
}

// fill repeats a unit between head and tail, to n bytes or a little less.
func fill(n int, head, unit, tail string) []byte {
	times := (n - len(head) - len(tail)) / len(unit)
	return []byte(head + strings.Repeat(unit, times) + tail)
}

// series is fill with a number in each unit.
func series(n int, head, format, tail string) []byte {
	b := []byte(head)
	for i := 0; ; i++ {
		unit := fmt.Sprintf(format, i)
		if len(b)+len(unit)+len(tail) > n {
			return append(b, tail...)
		}
		b = append(b, unit...)
	}
}

// nested puts units on each of depth elements, and body inside.
func nested(n, depth, perLevel int, body string) []byte {
	var b bytes.Buffer
	k := 0
	for range depth {
		b.WriteString("<a")
		for range perLevel {
			fmt.Fprintf(&b, ` xmlns:n%d="u:%d"`, k, k)
			k++
		}
		b.WriteString(">")
	}
	tail := strings.Repeat("</a>", depth)
	for b.Len()+len(body)+len(tail) <= n {
		b.WriteString(body)
	}
	b.WriteString(tail)
	return b.Bytes()
}

// hostile are the documents of 1 MiB that cost the most, each in its way.
func hostile() []struct {
	name string
	data []byte
} {
	const n = 1 << 20
	return []struct {
		name string
		data []byte
	}{
		{"elements", fill(n, "<a>", "<a/>", "</a>")},
		{"elements just taken", fill(4*99_990, "<a>", "<a/>", "</a>")},
		{"elements and text", fill(n, "<a>", "b<a/>", "</a>")},
		{"elements with attribute", fill(n, "<a>", `<a b=""/>`, "</a>")},
		{"elements with 64 attributes", fill(n, "<a>", "<a"+string(series(64*7-8, "", ` b%d=""`, ""))+"/>", "</a>")},
		{"end tags", fill(n, "<a>", "<a></a>", "</a>")},
		{"one element of attributes", series(n, "<a", ` b%d=""`, "/>")},
		{"depth", fill(n, "", "<a>", "")},
		{"comments", fill(n, "<a>", "<!---->", "</a>")},
		{"comments and text", fill(n, "<a>", "b<!---->", "</a>")},
		{"comments outside", fill(n, "", "<!---->", "<a/>")},
		{"cdata", fill(n, "<a>", "<![CDATA[]]>", "</a>")},
		{"cdata with text", fill(n, "<a>", "b<![CDATA[c]]>", "</a>")},
		{"references in text", fill(n, "<a>", "&lt;", "</a>")},
		{"references in a value", fill(n, `<a b="`, "&lt;", `"/>`)},
		{"one text", fill(n, "<a>", "abcdefgh", "</a>")},
		{"white space", fill(n, "<a>", "\n", "</a>")},
		{"line ends", fill(n, "<a>", "\r", "</a>")},
		{"cyrillic", fill(n, "<a>", "ы", "</a>")},
		{"brackets", fill(n, "<a>", "]]", "</a>")},
		{"less-than signs", fill(n, "", "<", "")},
		{"equal signs", fill(n, "<a>", "=", "</a>")},
		{"namespaces", nested(n, 60, 4, "<n1:b/>")},
		{"too many namespaces", nested(n, 60, 60, "<n1:b/>")},
		{"long name", fill(n, "<", "a", "/>")},
		{"long prefix", append(fill(n/2, "<", "a", ":b "), fill(n/2, "xmlns:", "a", "='u:x'/>")...)},
	}
}

func BenchmarkParse(b *testing.B) {
	raised := Limits{Bytes: 64 << 20}
	run := func(name string, data []byte, l Limits) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Parse(data, l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("typical", typicalResponse(b), Limits{})
	run("groups=800", manyGroups(800), Limits{})
	run("groups=10000", manyGroups(10_000), raised)
}

func BenchmarkHostile(b *testing.B) {
	for _, h := range hostile() {
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(h.data)))
			for b.Loop() {
				_, _ = Parse(h.data, Limits{})
			}
		})
	}
}
