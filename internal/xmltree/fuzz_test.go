package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
)

// FuzzParse holds the reader against encoding/xml: what we take, it takes, and
// sees the same. What we take also survives writing and reading again.
func FuzzParse(f *testing.F) {
	for _, p := range pairs {
		f.Add([]byte(p.ok))
		f.Add([]byte(p.bad))
	}
	f.Add(typicalResponse(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := Parse(data, Limits{})
		if err != nil {
			var xe *Error
			if root != nil || !errors.As(err, &xe) || xe.Line < 1 || xe.Column < 1 {
				t.Fatalf("element %v with error %#v", root, err)
			}
			if text := err.Error(); len(text) > 300 {
				t.Fatalf("an error text of %d bytes: %s", len(text), text)
			}
			return
		}
		checkLinks(t, root)
		want, err := readStd(data)
		switch {
		case err != nil && !oldNames(root):
			t.Fatalf("encoding/xml refuses what we take: %v", err)
		case err == nil:
			if diff := cmp.Diff(want, dumpStd(root)); diff != "" {
				t.Fatalf("encoding/xml reads another tree (-encoding/xml +ours):\n%s", diff)
			}
		}
		again, err := Parse([]byte(serialize(root)), Limits{Bytes: 8 << 20})
		if err != nil {
			t.Fatalf("what was taken is refused once written: %v", err)
		}
		if diff := cmp.Diff(dump(root), dump(again)); diff != "" {
			t.Fatalf("another tree once written (-first +again):\n%s", diff)
		}
	})
}

// FuzzParseIn: an element read in its own place is itself, and whatever is read
// there means the same when the whole document is read.
func FuzzParseIn(f *testing.F) {
	const around = `<o xmlns="u:o" xmlns:p="u:p" xmlns:q="u:q"><p:m xmlns:q="u:r">%s</p:m></o>`
	root := mustParse(f, fmt.Sprintf(around, "<old/>"))
	old := root.FindElement("//old")
	for _, p := range pairs {
		f.Add([]byte(p.ok))
		f.Add([]byte(p.bad))
	}
	f.Add([]byte("<q:a p:b='' q:b=''/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseIn(old, data, Limits{})
		if err != nil {
			return
		}
		whole, err := Parse(fmt.Appendf(nil, around, serialize(e)), Limits{Bytes: 8 << 20})
		if err != nil {
			t.Fatalf("taken in its place, and refused in the document: %v", err)
		}
		parent := root.Copy().SelectElement("m")
		parent.RemoveChildAt(0)
		parent.AddChild(e)
		if diff := cmp.Diff(dump(whole.SelectElement("m").ChildElements()[0]), dump(e)); diff != "" {
			t.Fatalf("another element than in the document (-document +in place):\n%s", diff)
		}
	})
}

// oldNames tells whether a tree has names beyond ASCII. encoding/xml knows the
// name characters of XML 1.0's fourth edition; the fifth, ours, has more.
func oldNames(e *etree.Element) bool {
	ascii := func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
	}
	if !ascii(e.Space + e.Tag) {
		return true
	}
	for _, a := range e.Attr {
		if !ascii(a.Space + a.Key) {
			return true
		}
	}
	for _, c := range e.ChildElements() {
		if oldNames(c) {
			return true
		}
	}
	return false
}

// plainSpace maps the white space that XML normalises in attribute values to
// blanks. encoding/xml leaves it, and does not tell it from references, so the
// comparison has to overlook the difference; TestXMLLint sees it.
var plainSpace = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// dumpStd is dump in what encoding/xml can tell: expanded names, no prefixes.
func dumpStd(e *etree.Element) []string {
	lines := []string{fmt.Sprintf("<{%s}%s", Namespace(e), e.Tag)}
	for _, a := range e.Attr {
		space := AttrNamespace(e, a)
		if space == xmlnsNamespace {
			space = a.Space // as encoding/xml has it
		}
		lines = append(lines, fmt.Sprintf("@{%s}%s %q", space, a.Key, plainSpace.Replace(a.Value)))
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Element:
			lines = append(lines, dumpStd(t)...)
		case *etree.CharData:
			lines = append(lines, fmt.Sprintf("%q", t.Data))
		case *etree.Comment:
			lines = append(lines, fmt.Sprintf("#%q", t.Data))
		}
	}
	return append(lines, ">")
}

// readStd reads with encoding/xml into the lines of dumpStd.
func readStd(data []byte) ([]string, error) {
	// It takes a byte order mark for text before the declaration.
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	var lines []string
	text := ""
	depth := 0
	line := func(format string, args ...any) {
		if text != "" {
			lines = append(lines, fmt.Sprintf("%q", text))
			text = ""
		}
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			line("<{%s}%s", t.Name.Space, t.Name.Local)
			for _, a := range t.Attr {
				line("@{%s}%s %q", a.Name.Space, a.Name.Local, plainSpace.Replace(a.Value))
			}
		case xml.EndElement:
			depth--
			line(">")
		case xml.CharData:
			if depth > 0 { // CDATA comes as a token of its own
				text += string(t)
			}
		case xml.Comment:
			if depth > 0 { // its line ends come as they are
				line("#%q", strings.ReplaceAll(strings.ReplaceAll(string(t), "\r\n", "\n"), "\r", "\n"))
			}
		}
	}
}
