package xmltree

import (
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
