package xmlsig

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// TestTreesNotRead has trees that the strict reader would never hand over, since
// what is verified here need not have come from it. Each is refused, and not by
// chance: the same document without the change is accepted.
func TestTreesNotRead(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	for _, k := range []struct {
		name string
		o    SignOptions
		edit func(assertion *etree.Element)
		want Kind
	}{
		{"nothing", SignOptions{}, func(*etree.Element) {}, ""},
		{"nothing, no KeyInfo", SignOptions{KeyInfo: KeyInfoNone}, func(*etree.Element) {}, ""},
		{"reserved prefix above, KeyInfo", SignOptions{}, func(a *etree.Element) { a.Parent().CreateAttr("xmlns:xml", "urn:x") }, KindMalformed},
		{"reserved prefix above, no KeyInfo", SignOptions{KeyInfo: KeyInfoNone}, func(a *etree.Element) { a.Parent().CreateAttr("xmlns:xml", "urn:x") }, KindMalformed},
		{"reserved name above", SignOptions{KeyInfo: KeyInfoNone}, func(a *etree.Element) { a.Parent().CreateAttr("xmlns:x", xmlnsURI) }, KindMalformed},
		{"unbound prefix above", SignOptions{KeyInfo: KeyInfoNone}, func(a *etree.Element) { a.Parent().CreateAttr("xmlns:x", "") }, KindMalformed},
		{"another namespace in KeyInfo", SignOptions{}, func(a *etree.Element) {
			e := a.FindElement("./Signature/KeyInfo").CreateElement("x")
			e.CreateAttr("xmlns", "urn:x")
			e.CreateAttr("ID", "y")
		}, ""},
		{"SAML in KeyInfo, as the default namespace, with an attribute", SignOptions{}, func(a *etree.Element) {
			e := a.FindElement("./Signature/KeyInfo").CreateElement("x")
			e.CreateAttr("xmlns", samlPrefix+"2.0:assertion")
			e.CreateAttr("ID", "y")
		}, KindMalformed},
		{"reserved prefix in KeyInfo", SignOptions{}, func(a *etree.Element) {
			a.FindElement("./Signature/KeyInfo").CreateElement("x").CreateAttr("xmlns:xml", "urn:x")
		}, KindMalformed},
		{"deep KeyInfo", SignOptions{}, func(a *etree.Element) {
			e := a.FindElement("./Signature/KeyInfo")
			for range maxDepth + 2 {
				e = e.CreateElement("x")
			}
		}, KindMalformed},
		{"as deep as it may be", SignOptions{}, func(a *etree.Element) {
			e := a.FindElement("./Signature/KeyInfo")
			for range maxDepth {
				e = e.CreateElement("x")
			}
		}, ""},
		{"processing instruction in the assertion", SignOptions{}, func(a *etree.Element) { a.CreateProcInst("x", "y") }, KindMalformed},
		{"processing instruction in the signature", SignOptions{}, func(a *etree.Element) { a.SelectElement("Signature").CreateProcInst("x", "y") }, KindMalformed},
		{"signature of the prefix xml", SignOptions{}, func(a *etree.Element) { a.SelectElement("Signature").Space = "xml" }, KindMalformed},
		{"signature of no namespace", SignOptions{}, func(a *etree.Element) { a.SelectElement("Signature").Space = "nowhere" }, KindMalformed},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			a := find(t, parse(t, signedDoc(t, "idp", k.o)), "Assertion")
			k.edit(a)
			_, err := Verify(a, pinned(cert), Options{})
			if got := kindOf(t, err); got != k.want {
				t.Errorf("got %v, want %q", err, k.want)
			}
		})
	}
}

// TestTransformChildren: white space and comments mean nothing in a transform,
// anything else is refused. Where SignedInfo was changed the value fails in the
// end; what matters is that it gets so far.
func TestTransformChildren(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	for _, k := range []struct {
		name string
		edit func(transform *etree.Element)
		want Kind
	}{
		{"white space", func(e *etree.Element) { e.CreateText(" \n") }, KindKey},
		{"comment", func(e *etree.Element) { e.CreateComment("c") }, ""}, // SignedInfo has no comments in its canonical form
		{"text", func(e *etree.Element) { e.CreateText("x") }, KindMalformed},
		{"processing instruction", func(e *etree.Element) { e.CreateProcInst("x", "y") }, KindMalformed},
		{"an element", func(e *etree.Element) { e.CreateElement("x") }, KindMalformed},
		{"a list in another namespace", func(e *etree.Element) { e.CreateElement("InclusiveNamespaces") }, KindMalformed},
		{"a list", func(e *etree.Element) { list(e) }, KindKey},
		{"two lists", func(e *etree.Element) { list(e); list(e) }, KindMalformed},
		{"a list with text", func(e *etree.Element) { list(e).CreateText("x") }, KindMalformed},
		{"a list with another attribute", func(e *etree.Element) { list(e).CreateAttr("x", "y") }, KindMalformed},
		{"64 prefixes", func(e *etree.Element) { set(t, list(e), "PrefixList", strings.Repeat("a ", maxPrefixes)) }, KindKey},
		{"65 prefixes", func(e *etree.Element) { set(t, list(e), "PrefixList", strings.Repeat("a ", maxPrefixes+1)) }, KindMalformed},
		{"4096 bytes", func(e *etree.Element) { set(t, list(e), "PrefixList", strings.Repeat("a", maxPrefixList)) }, KindKey},
		{"4097 bytes", func(e *etree.Element) { set(t, list(e), "PrefixList", strings.Repeat("a", maxPrefixList+1)) }, KindMalformed},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			a := find(t, parse(t, signedDoc(t, "idp", SignOptions{})), "Assertion")
			k.edit(a.FindElements(".//Transform")[1])
			_, err := Verify(a, pinned(cert), Options{})
			if got := kindOf(t, err); got != k.want {
				t.Errorf("got %v, want %q", err, k.want)
			}
		})
	}
}

func list(e *etree.Element) *etree.Element {
	l := e.CreateElement("ec:InclusiveNamespaces")
	l.CreateAttr("xmlns:ec", excSpace)
	l.CreateAttr("PrefixList", "a")
	return l
}

// TestErrorsAreShort: a value of a hostile message is cut where an error names it.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	for _, n := range []int{maxGot, maxGot + 1, 100_000} {
		a := find(t, parse(t, signedDoc(t, "idp", SignOptions{})), "Assertion")
		set(t, a.FindElement(".//SignatureMethod"), "Algorithm", strings.Repeat("x", n))
		_, err := Verify(a, pinned(cert), Options{})
		if kindOf(t, err) != KindAlgorithm {
			t.Fatalf("got %v", err)
		}
		if cut := strings.Contains(err.Error(), "…"); cut != (n > maxGot) || len(err.Error()) > 3*maxGot {
			t.Errorf("%d bytes make an error of %d, cut: %v", n, len(err.Error()), cut)
		}
	}
}

// TestTransformMessage: who reads the refusal learns which transform was expected.
func TestTransformMessage(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	a := find(t, parse(t, signedDoc(t, "idp", SignOptions{})), "Assertion")
	set(t, a.FindElement(".//Transform"), "Algorithm", ExcC14N)
	_, err := Verify(a, pinned(cert), Options{})
	if kindOf(t, err) != KindAlgorithm || !strings.HasSuffix(err.Error(), ", want enveloped-signature") {
		t.Errorf("got %v", err)
	}
}

// TestReferenceMessage: who reads the refusal learns which ID was signed.
func TestReferenceMessage(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "idp")
	a := find(t, parse(t, signedDoc(t, "idp", SignOptions{})), "Assertion")
	id := a.SelectAttrValue("ID", "")
	set(t, find(t, a, "Reference"), "URI", "#other")
	_, err := Verify(a, pinned(cert), Options{})
	if want := `the signature is for "#other", not for its parent "#` + id + `"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
