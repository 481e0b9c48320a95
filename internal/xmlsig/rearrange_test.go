package xmlsig

import (
	"math/rand/v2"
	"testing"

	"github.com/beevik/etree"
)

// TestRearranged wraps, moves, copies and swaps the elements of signed documents
// in thousands of ways. Each element that still verifies says what was signed.
func TestRearranged(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	docs := []string{
		signedDoc(t, "idp", SignOptions{}),
		signedDoc(t, "idp", SignOptions{C14N: C14N10}),
		signedDoc(t, "idp2", SignOptions{}),
	}
	signed := map[string]bool{}
	for _, doc := range docs[:2] {
		signed[signedBytes(t, find(t, parse(t, doc), "Assertion"))] = true
	}
	r := rand.New(rand.NewPCG(1, 1))
	verified, refused := 0, 0
	for range 3000 {
		root, other := parse(t, docs[r.IntN(len(docs))]), parse(t, docs[r.IntN(len(docs))])
		if r.IntN(2) == 0 {
			other = root
		}
		for range 1 + r.IntN(3) {
			rearrange(r, root, other)
		}
		for _, e := range all(root) {
			if _, err := Verify(e, pinned(cert), Options{}); err != nil {
				if kindOf(t, err) != KindMissing {
					refused++
				}
				continue
			}
			verified++
			if got := signedBytes(t, e); !signed[got] {
				t.Fatalf("accepted, but nobody signed it:\n%s\n%s", got, serialize(t, root))
			}
		}
	}
	if verified < 100 || refused < 100 {
		t.Errorf("%d verified, %d refused: the test does not test", verified, refused)
	}
}

func all(e *etree.Element) []*etree.Element {
	list := []*etree.Element{e}
	for _, c := range e.ChildElements() {
		list = append(list, all(c)...)
	}
	return list
}

// rearrange makes one change to root, with material from other.
func rearrange(r *rand.Rand, root, other *etree.Element) {
	to, from := all(root), all(other)
	target := to[r.IntN(len(to))]
	source := from[r.IntN(len(from))]
	switch r.IntN(6) {
	case 0: // copy
		target.InsertChildAt(r.IntN(len(target.Child)+1), source.Copy())
	case 1: // move
		c := source.Copy()
		if source.Parent() != nil && source != root {
			source.Parent().RemoveChild(source)
		}
		target.InsertChildAt(r.IntN(len(target.Child)+1), c)
	case 2: // put in place of another
		if p := target.Parent(); p != nil && target != root {
			i := target.Index()
			p.RemoveChildAt(i)
			p.InsertChildAt(i, source.Copy())
		}
	case 3: // take out
		if p := target.Parent(); p != nil && target != root {
			p.RemoveChild(target)
		}
	case 4: // give it another's attributes
		target.Attr = append([]etree.Attr(nil), source.Attr...)
	case 5: // wrap
		if p := target.Parent(); p != nil && target != root {
			i := target.Index()
			w := &etree.Element{Space: source.Space, Tag: source.Tag, Attr: append([]etree.Attr(nil), source.Attr...)}
			p.RemoveChildAt(i)
			w.AddChild(target)
			p.InsertChildAt(i, w)
		}
	}
}
