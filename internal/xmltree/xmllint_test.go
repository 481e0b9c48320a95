package xmltree

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/testtool"
)

// xmllint runs libxml2's tool and returns what it wrote and what it complained
// of, which is empty for a document that it takes.
func xmllint(t *testing.T, doc string, args ...string) (out, complaint string) {
	t.Helper()
	path := testtool.Path(t, "xmllint", "libxml2-utils")
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(path, append(args, "--nonet", "-")...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(doc), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", stderr.String() + err.Error()
	}
	for _, d := range diagnosis.FindAllStringSubmatch(stderr.String(), -1) {
		if d[1] != "parser warning" {
			return stdout.String(), stderr.String()
		}
	}
	return stdout.String(), ""
}

// diagnosis matches what xmllint says; a "parser warning" is about something
// that is well-formed, as an unknown xml:space.
var diagnosis = regexp.MustCompile(`(parser warning|error|warning) : `)

// outside matches the comments that canonical form keeps beside the root.
var outside = regexp.MustCompile(`(?s)\A(?:<!--.*?-->\n)*(.*?)(?:\n<!--.*?-->)*\z`)

// TestXMLLint holds the reader against libxml2: what we take, it takes without
// a complaint and gives the same canonical form, which shows every reference,
// line end and white space. What we refuse it refuses too, or the pair says
// why not.
func TestXMLLint(t *testing.T) {
	t.Parallel()
	for _, p := range pairs {
		t.Run(p.rule, func(t *testing.T) {
			t.Parallel()
			sameCanonicalForm(t, p.ok)
			_, complaint := xmllint(t, p.bad, "--noout")
			switch {
			case complaint == "" && p.stricter == "":
				t.Errorf("xmllint takes %q, which we refuse without a reason", p.bad)
			case complaint != "" && p.stricter != "" && !strings.Contains(complaint, "namespace warning"):
				t.Errorf("xmllint refuses %q, so there is no need for a reason:\n%s", p.bad, complaint)
			}
		})
	}
	for _, doc := range []string{
		string(typicalResponse(t)),
		string(manyGroups(5)),
		"<a>1\r\n2\r3\n\r4\r\r\n5&#13;&#xD;\n<![CDATA[\r\n\r]]><!--\r\n--></a>",
		"<a b=' 1\t2\n3\r\n4\r5 &#9;&#10;&#13;&#32;&lt;&#60;&quot;&#39;&amp;' c='\">\"'/>",
		"<a>&lt;b&gt;&#x26;amp;&#1087;&#x1F511;]]&gt;</a>",
		"<a xmlns='u:1'><b xmlns=''><c xmlns='u:2' xml:lang='x'/></b><p:d xmlns:p='u:3' p:x='' x=''/></a>",
	} {
		sameCanonicalForm(t, doc)
	}
}

// TestXMLLintNames compares which characters may begin and continue a name, at
// the edges of the ranges of productions 4 and 4a.
func TestXMLLintNames(t *testing.T) {
	t.Parallel()
	edges := []rune{
		0xB7, 0xBF, 0xC0, 0xD6, 0xD7, 0xD8, 0xF6, 0xF7, 0xF8, 0x2FF, 0x300, 0x36F, 0x370, 0x37D, 0x37E, 0x37F, 0x1FFF,
		0x2000, 0x200B, 0x200C, 0x200D, 0x200E, 0x203E, 0x203F, 0x2040, 0x2041, 0x206F, 0x2070, 0x218F, 0x2190, 0x2BFF,
		0x2C00, 0x2FEF, 0x2FF0, 0x3000, 0x3001, 0xD7FF, 0xE000, 0xF8FF, 0xF900, 0xFDCF, 0xFDD0, 0xFDEF, 0xFDF0, 0xFFFD,
		0x10000, 0xEFFFF, 0xF0000, 0x10FFFF,
	}
	for c := rune('!'); c <= '~'; c++ {
		if !strings.ContainsRune("!/>?", c) { // these end the name, or are no name's matter
			edges = append(edges, c)
		}
	}
	taken := 0
	for _, r := range edges {
		for _, doc := range []string{"<" + string(r) + "a/>", "<a" + string(r) + "a/>"} {
			_, err := Parse([]byte(doc), Limits{})
			_, complaint := xmllint(t, doc, "--noout")
			if (err == nil) != (complaint == "") {
				t.Errorf("%q (U+%04X): our error %v, xmllint's %q", doc, r, err, complaint)
			}
			if err == nil {
				taken++
			}
		}
	}
	if taken == 0 || taken == 2*len(edges) {
		t.Errorf("%d of %d names taken", taken, 2*len(edges))
	}
}

// TestXMLLintMixed does the same with documents put together from pieces of the
// pairs, the same at each run.
func TestXMLLintMixed(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"<a>", "</a>", "<b/>", "<p:c>", "</p:c>", " xmlns:p='u:p'", " xmlns='u:d'", " xmlns=''", " p:x='1'", " x='2'", "<a", ">", "/>",
		"<!-- c -->", "<![CDATA[", "]]>", "]]", "&lt;", "&#13;", "&#xA;", "&amp;", "\r\n", "\r", "\n", "\t", " ", "é", "'", "\"", "x",
		"<?xml version='1.0'?>", "\uFEFF", "-", "--", "&", "#", ";", "=", ":", "%41", " xml:lang=''", "\u00B7", "\u3007", "\u0300",
		" xmlns:p='http://a:80/?b#c'", "&#x10FFFF;", "\uFFFD", "\u0085", "\u2028", "\x7F",
	}
	r := rand.New(rand.NewPCG(1, 2))
	one := func() string { return pairs[r.IntN(len(pairs))].ok }
	const documents = 300
	taken := 0
	for tries := 0; taken < documents; tries++ {
		if tries > 1000*documents {
			t.Fatalf("only %d of %d documents taken", taken, tries)
		}
		doc := one()
		for range 1 + r.IntN(4) {
			piece := pieces[r.IntN(len(pieces))]
			if r.IntN(3) == 0 {
				piece = one()
			}
			i := r.IntN(len(doc) + 1)
			j := min(len(doc), i+r.IntN(2)*r.IntN(4)) // half of the time some of it goes
			doc = doc[:i] + piece + doc[j:]
		}
		if _, err := Parse([]byte(doc), Limits{}); err == nil {
			sameCanonicalForm(t, doc)
			taken++
		}
	}
}

func sameCanonicalForm(t *testing.T, doc string) {
	t.Helper()
	root := mustParse(t, doc)
	want, complaint := xmllint(t, doc, "--c14n")
	if complaint != "" {
		t.Errorf("xmllint refuses %q, which we take:\n%s", doc, complaint)
		return
	}
	got, complaint := xmllint(t, serialize(root), "--c14n")
	if complaint != "" {
		t.Fatalf("xmllint refuses what we wrote: %s", complaint)
	}
	if diff := cmp.Diff(outside.FindStringSubmatch(want)[1], got); diff != "" {
		t.Errorf("canonical form of %q (-as xmllint reads it +as we do):\n%s", doc, diff)
	}
}
