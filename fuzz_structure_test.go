package sso_test

import (
	"bytes"
	"encoding/base64"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
	"github.com/ssoconn/sso/internal/xmltree"
)

// FuzzRearranged takes accepted messages apart as trees: elements are copied,
// moved, taken out, wrapped, swapped and renamed, between two messages. Whatever
// comes of it is refused, or says what one of the genuine ones says.
func FuzzRearranged(f *testing.F) {
	type original struct {
		v    *vectors.Vector
		c    *sso.Connection
		o    sso.VerifyOptions
		data []byte
		a    *sso.Assertion
	}
	var all []original
	for _, v := range loadVectors(f) {
		data, err := base64.StdEncoding.DecodeString(v.FormValue())
		if v.Expect != "ok" || err != nil || len(data) > 32<<10 {
			continue
		}
		x := original{v: v, c: vectorConnection(f, v), data: data,
			o: sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", Replay: vectorReplay(""), CurrentTime: v.Now}}
		if x.a, err = x.c.VerifyResponse(f.Context(), v.FormValue(), x.o); err != nil {
			f.Fatalf("%s: %v", v.Name, err)
		}
		all = append(all, x)
	}
	if len(all) < 50 {
		f.Fatalf("%d accepted vectors", len(all))
	}
	for op := range byte(rearrangements) {
		for i := byte(0); i < 24; i += 3 {
			f.Add(uint16(i), uint16(i+1), []byte{op, i, i + 5, 2})
			f.Add(uint16(i), uint16(i), []byte{op, i, i + 3, 0, (op + 1) % rearrangements, i + 2, i, 1})
		}
	}
	f.Fuzz(func(t *testing.T, which, with uint16, program []byte) {
		x, y := all[int(which)%len(all)], all[int(with)%len(all)]
		root, err := xmltree.Parse(x.data, xmltree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		other := root
		if which != with {
			if other, err = xmltree.Parse(y.data, xmltree.Limits{}); err != nil {
				t.Fatal(err)
			}
		}
		for len(program) >= 4 && len(descendants(root)) < 2000 {
			rearrange(root, other, program[0], program[1], program[2], program[3])
			program = program[4:]
		}
		var b bytes.Buffer
		root.WriteTo(&b, &etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true})
		a, err := x.c.VerifyResponse(t.Context(), base64.StdEncoding.EncodeToString(b.Bytes()), x.o)
		if err != nil {
			return
		}
		for _, o := range all {
			if cmp.Equal(o.a, a, cmpopts.IgnoreFields(sso.Assertion{}, "Warnings", "InResponseTo")) {
				return
			}
		}
		t.Fatalf("%s and %s: nobody said this (-original +rearranged):\n%s\n%s", x.v.Name, y.v.Name, cmp.Diff(x.a, a), b.Bytes())
	})
}

func descendants(e *etree.Element) []*etree.Element {
	list := []*etree.Element{e}
	for _, c := range e.ChildElements() {
		list = append(list, descendants(c)...)
	}
	return list
}

// rearrangements is how many things rearrange does.
const rearrangements = 9

// rearrange makes one change to root, with material from other.
func rearrange(root, other *etree.Element, op, where, what, at byte) {
	to, from := descendants(root), descendants(other)
	target, source := to[int(where)%len(to)], from[int(what)%len(from)]
	parent := target.Parent()
	place := int(at) % (len(target.Child) + 1)
	switch op % rearrangements {
	case 0: // copy in
		target.InsertChildAt(place, source.Copy())
	case 1: // move in
		c := source.Copy()
		if source.Parent() != nil {
			source.Parent().RemoveChild(source)
		}
		target.InsertChildAt(min(place, len(target.Child)), c)
	case 2: // put in place of
		if parent != nil {
			i := target.Index()
			parent.RemoveChildAt(i)
			parent.InsertChildAt(i, source.Copy())
		}
	case 3: // take out
		if parent != nil {
			parent.RemoveChild(target)
		}
	case 4: // give it another's attributes
		target.Attr = append([]etree.Attr(nil), source.Attr...)
	case 5: // give it one attribute of another's
		if len(source.Attr) > 0 {
			a := source.Attr[int(at)%len(source.Attr)]
			target.CreateAttr(a.FullKey(), a.Value)
		}
	case 6: // wrap it
		if parent != nil {
			i := target.Index()
			w := &etree.Element{Space: source.Space, Tag: source.Tag, Attr: append([]etree.Attr(nil), source.Attr...)}
			parent.RemoveChildAt(i)
			w.AddChild(target)
			parent.InsertChildAt(i, w)
		}
	case 7: // give it another's name
		target.Space, target.Tag = source.Space, source.Tag
	case 8: // give it another's text, or part of it
		text := source.Text()
		target.SetText(text[:len(text)*int(at)/255])
	}
}

// FuzzCost holds what any input may cost to a bound that grows with its length
// only: the design's 24 MB for a mebibyte, and the same for each byte less.
func FuzzCost(f *testing.F) {
	conn := testIdP().Connection(sso.ServiceProvider{})
	for _, v := range loadVectors(f) {
		if data, err := base64.StdEncoding.DecodeString(v.FormValue()); err == nil && len(data) < 16<<10 {
			f.Add(data, uint8(0))
		}
	}
	for _, piece := range []string{"<a>", "<a/>", "<a b=''/>", "<p:a xmlns:p='u:p'/>", "<!---->", "&lt;", "\r\n", " ID='_a'", " xmlns:p='u:p'", "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo/></ds:Signature>"} {
		f.Add([]byte(piece), uint8(255))
		f.Add([]byte("<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol'>"+piece), uint8(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, times uint8) {
		// A piece repeated is what hostile input is made of.
		if len(data) > 64<<10 {
			return
		}
		form := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(data), 1+int(times))))
		o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}
		// The constant is for the error, its hint, and the blocks in which the
		// allocator counts.
		most := uint64(1<<20 + 24*len(form))
		used := most + 1
		// The counter is the process's, and the fuzzer's own work is in it: only
		// what is too much again and again is ours.
		for try := 0; used > most && try < 4; try++ {
			before := allocatedBytes()
			_, err := conn.VerifyResponse(t.Context(), form, o)
			used = allocatedBytes() - before
			if err == nil {
				t.Fatal("accepted")
			}
		}
		if used > most {
			t.Errorf("%d bytes allocated for %d of input, want at most %d", used, len(form), most)
		}
	})
}

func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
