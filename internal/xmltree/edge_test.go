package xmltree

import (
	"testing"
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
