package xmlsig

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// TestBase64Of: the value of an element is all of its text, in however many
// pieces a tree holds it, up to a length, and nothing but text.
func TestBase64Of(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("QUJD", maxBase64/4)
	for _, c := range []struct {
		name   string
		pieces []string
		want   string // "" is a refusal
	}{
		{"one piece", []string{"QUJD"}, "ABC"},
		{"two pieces", []string{"QU", "JD"}, "ABC"},
		{"three pieces", []string{"QUJD", "\n", "REVG"}, "ABCDEF"},
		{"white space", []string{" Q\tU\rJ\nD "}, "ABC"},
		{"nothing", nil, ""},
		{"only white space", []string{" "}, ""},
		{"another alphabet", []string{"QU-_"}, ""},
		{"stray bits", []string{"QUF="}, ""},
		{"no padding", []string{"QUE"}, ""},
		{"as long as it may be", []string{long}, strings.Repeat("ABC", maxBase64/4)},
		{"longer", []string{long + " "}, ""},
		{"longer in two pieces", []string{long, " "}, ""},
	} {
		e := etree.NewElement("x")
		for _, p := range c.pieces {
			e.AddChild(etree.NewText(p))
		}
		got, err := base64Of(e)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %d bytes, %v", c.name, len(got), err)
		}
		if err != nil && kindOf(t, err) != KindMalformed {
			t.Errorf("%s: %v", c.name, err)
		}
		e.CreateComment("c")
		if _, err := base64Of(e); kindOf(t, err) != KindMalformed {
			t.Errorf("%s, and a comment: %v", c.name, err)
		}
	}
}
