package xmlsig

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/xmltree"
)

// TestSignatureShape changes what the signature value does not cover.
func TestSignatureShape(t *testing.T) {
	t.Parallel()
	base := signedDoc(t, "idp", SignOptions{})
	_, cert := pair(t, "idp")
	sub := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	cut := func(s, from, to string) (before, inner, after string) {
		i, j := strings.Index(s, from), strings.Index(s, to)+len(to)
		return s[:i], s[i:j], s[j:]
	}
	const ds = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	for _, c := range []struct {
		name string
		edit func(string) string
		want Kind
	}{
		{name: "white space in Signature", edit: sub("</ds:SignedInfo>", "</ds:SignedInfo>\n ")},
		{name: "text in Signature", edit: sub("</ds:SignedInfo>", "</ds:SignedInfo>x"), want: KindMalformed},
		{name: "comment in Signature", edit: sub("</ds:SignedInfo>", "</ds:SignedInfo><!-- x -->")},
		{name: "Signature with Id", edit: sub("<ds:Signature ", `<ds:Signature Id="_s" `)},
		{name: "Signature with the signed Id", edit: sub("<ds:Signature ", `<ds:Signature Id="_a1" `), want: KindMalformed},
		{name: "Signature with ID", edit: sub("<ds:Signature ", `<ds:Signature ID="_s" `), want: KindMalformed},
		{name: "Signature with xml:lang", edit: sub("<ds:Signature ", `<ds:Signature xml:lang="en" `), want: KindMalformed},
		{name: "Signature with a prefixed Id", edit: sub("<ds:Signature ", `<ds:Signature ds:Id="_s" `), want: KindMalformed},

		{name: "no Signature", edit: func(s string) string {
			a, _, b := cut(s, "<ds:Signature ", "</ds:Signature>")
			return a + b
		}, want: KindMissing},
		{name: "Signature of the parent only", edit: func(s string) string {
			a, sig, b := cut(s, "<ds:Signature ", "</ds:Signature>")
			return strings.Replace(a+b, "</samlp:Response>", sig+"</samlp:Response>", 1)
		}, want: KindMissing},
		{name: "Signature deeper down", edit: func(s string) string {
			a, sig, b := cut(s, "<ds:Signature ", "</ds:Signature>")
			return strings.Replace(a+b, "<saml:Subject>", "<saml:Subject>"+sig, 1)
		}, want: KindMissing},
		{name: "two Signatures", edit: func(s string) string {
			a, sig, b := cut(s, "<ds:Signature ", "</ds:Signature>")
			return a + sig + sig + b
		}, want: KindMalformed},
		{name: "an empty Signature before", edit: sub("<ds:Signature ", "<ds:Signature "+ds+"/><ds:Signature "), want: KindMalformed},
		{name: "an empty Signature", edit: func(s string) string {
			a, _, b := cut(s, "<ds:Signature ", "</ds:Signature>")
			return a + "<ds:Signature " + ds + "/>" + b
		}, want: KindMalformed},
		{name: "a foreign Signature beside", edit: sub("<ds:Signature ", "<Signature/><ds:Signature "), want: KindMalformed},
		{name: "a Signature in a look-alike namespace", edit: func(s string) string {
			return strings.ReplaceAll(s, "http://www.w3.org/2000/09/xmldsig#\"", "http://www.w3.org/2000/09/xmldsig\"")
		}, want: KindMalformed},

		{name: "Object", edit: sub("</ds:Signature>", "<ds:Object/></ds:Signature>"), want: KindMalformed},
		{name: "Object without KeyInfo", edit: func(s string) string {
			a, _, b := cut(s, "<ds:KeyInfo>", "</ds:KeyInfo>")
			return a + "<ds:Object/>" + b
		}, want: KindMalformed},
		{name: "SignedInfo twice", edit: func(s string) string {
			a, info, b := cut(s, "<ds:SignedInfo>", "</ds:SignedInfo>")
			return a + info + info + b
		}, want: KindMalformed},
		{name: "SignedInfo absent", edit: func(s string) string {
			a, _, b := cut(s, "<ds:SignedInfo>", "</ds:SignedInfo>")
			return a + b
		}, want: KindMalformed},
		{name: "SignedInfo in Object", edit: func(s string) string {
			a, info, b := cut(s, "<ds:SignedInfo>", "</ds:SignedInfo>")
			return a + "<ds:Object>" + info + "</ds:Object>" + b
		}, want: KindMalformed},
		{name: "SignedInfo in another namespace first", edit: sub("<ds:SignedInfo>", "<SignedInfo/><ds:SignedInfo>"), want: KindMalformed},
		{name: "SignatureValue first", edit: func(s string) string {
			a, info, b := cut(s, "<ds:SignedInfo>", "</ds:SignedInfo>")
			return a + strings.Replace(b, "</ds:SignatureValue>", "</ds:SignatureValue>"+info, 1)
		}, want: KindMalformed},
		{name: "SignatureValue absent", edit: func(s string) string {
			a, _, b := cut(s, "<ds:SignatureValue>", "</ds:SignatureValue>")
			return a + b
		}, want: KindMalformed},
		{name: "SignatureValue twice", edit: func(s string) string {
			a, v, b := cut(s, "<ds:SignatureValue>", "</ds:SignatureValue>")
			return a + v + v + b
		}, want: KindMalformed},
		{name: "SignatureValue empty", edit: func(s string) string {
			a, _, b := cut(s, "<ds:SignatureValue>", "</ds:SignatureValue>")
			return a + "<ds:SignatureValue/>" + b
		}, want: KindMalformed},
		{name: "SignatureValue with Id", edit: sub("<ds:SignatureValue>", `<ds:SignatureValue Id="_v">`)},
		{name: "SignatureValue with another attribute", edit: sub("<ds:SignatureValue>", `<ds:SignatureValue x="_v">`), want: KindMalformed},
		{name: "SignatureValue with blanks", edit: sub("<ds:SignatureValue>", "<ds:SignatureValue>\r\n\t &#13;\n")},
		{name: "SignatureValue in CDATA", edit: func(s string) string {
			s = strings.Replace(s, "<ds:SignatureValue>", "<ds:SignatureValue> <![CDATA[", 1)
			return strings.Replace(s, "</ds:SignatureValue>", "]]></ds:SignatureValue>", 1)
		}},
		{name: "SignatureValue with a no-break space", edit: sub("<ds:SignatureValue>", "<ds:SignatureValue>\u00a0"), want: KindMalformed},
		{name: "SignatureValue with a comment", edit: sub("<ds:SignatureValue>", "<ds:SignatureValue><!-- -->"), want: KindMalformed},
		{name: "SignatureValue with an element", edit: sub("<ds:SignatureValue>", "<ds:SignatureValue><x/>"), want: KindMalformed},
		{name: "SignatureValue padded", edit: sub("</ds:SignatureValue>", "=</ds:SignatureValue>"), want: KindMalformed},
		{name: "SignatureValue longer", edit: sub("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"), want: KindKey},
		{name: "SignatureValue shorter", edit: func(s string) string {
			i := strings.Index(s, "<ds:SignatureValue>") + len("<ds:SignatureValue>")
			return s[:i] + s[i+4:]
		}, want: KindKey},

		{name: "KeyInfo absent", edit: func(s string) string {
			a, _, b := cut(s, "<ds:KeyInfo>", "</ds:KeyInfo>")
			return a + b
		}},
		{name: "KeyInfo with Id", edit: sub("<ds:KeyInfo>", `<ds:KeyInfo Id="_k">`)},
		{name: "KeyInfo with the signed Id", edit: sub("<ds:KeyInfo>", `<ds:KeyInfo Id="_a1">`), want: KindMalformed},
		{name: "KeyInfo with another attribute", edit: sub("<ds:KeyInfo>", `<ds:KeyInfo x="_k">`), want: KindMalformed},
		{name: "KeyInfo twice", edit: sub("<ds:KeyInfo>", "<ds:KeyInfo/><ds:KeyInfo>"), want: KindMalformed},
		{name: "KeyInfo with more", edit: sub("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>k</ds:KeyName><x xmlns='urn:x'><y/></x>")},
		{name: "KeyInfo with another certificate first", edit: sub("<ds:X509Certificate>", "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>")},
		{name: "assertion in KeyInfo", edit: sub("<ds:KeyInfo>", `<ds:KeyInfo><saml:Assertion ID="_evil"/>`), want: KindMalformed},
		{name: "assertion deep in KeyInfo", edit: sub("<ds:KeyInfo>",
			`<ds:KeyInfo><x><Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/></x>`), want: KindMalformed},
		{name: "response in KeyInfo", edit: sub("<ds:KeyInfo>", `<ds:KeyInfo><samlp:Response/>`), want: KindMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := c.edit(base)
			if doc == base {
				t.Fatal("the edit changed nothing")
			}
			_, err := Verify(find(t, parse(t, doc), "Assertion"), pinned(cert), Options{})
			if k := kindOf(t, err); k != c.want {
				t.Errorf("got %v, want %q\n%s", err, c.want, doc)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "idp")
	for _, c := range []struct {
		name, attrs string
		ok          bool
	}{
		{"plain", `ID="_a1"`, true},
		{"letter", `ID="a-1.b"`, true},
		{"digit first", `ID="1a"`, true},
		{"URN", `ID="urn:uuid:0f1e"`, true},
		{"base64", `ID="aB+/~0=="`, true},
		{"Cyrillic", `ID="_ы"`, true},
		{"the last byte of ASCII", "ID=\"_\u007F\"", false},
		{"the first bytes beyond it", "ID=\"_\u0080\"", true},
		{"the edges of letters", `ID="azAZ"`, true},
		{"as long as it may be", `ID="` + strings.Repeat("a", 1024) + `"`, true},
		{"another prefixed one after", `ID="_a1" x:ID="_b"`, true},
		{"none", `Id="_a1"`, false},
		{"xml:id", `xml:id="_a1"`, false},
		{"prefixed", `x:ID="_a1"`, false},
		{"empty", `ID=""`, false},
		{"hash", `ID="#a"`, false},
		{"blank", `ID="_a 1"`, false},
		{"quote", `ID="_a')"`, false},
		{"percent", `ID="%20"`, false},
		{"xpointer", `ID="xpointer(/)"`, false},
		{"long", `ID="` + strings.Repeat("a", 1025) + `"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			el := parse(t, `<A xmlns:x="urn:x" `+c.attrs+`><B/></A>`)
			err := Sign(el, key, cert, "", 0)
			if (err == nil) != c.ok {
				t.Fatalf("Sign: got %v", err)
			}
			if err != nil { // as somebody else would have signed it
				other := parse(t, `<A ID="_a1"><B/></A>`)
				if err := Sign(other, key, cert, "", 0); err != nil {
					t.Fatal(err)
				}
				find(t, other, "Reference").CreateAttr("URI", "#"+el.Attr[len(el.Attr)-1].Value)
				el.InsertChildAt(0, find(t, other, "Signature").Copy())
			}
			_, err = Verify(el, pinned(cert), Options{})
			if want := map[bool]Kind{true: "", false: KindMalformed}[c.ok]; kindOf(t, err) != want {
				t.Errorf("Verify: got %v, want %q", err, want)
			}
		})
	}
}

// The reader lets no attribute stand twice; should another tree ever come in,
// the first ID is not better than the second.
func TestTwoIDs(t *testing.T) {
	t.Parallel()
	el := &etree.Element{Tag: "A", Attr: []etree.Attr{{Key: "ID", Value: "_a"}, {Key: "ID", Value: "_b"}}}
	if id, err := elementID(el); kindOf(t, err) != KindMalformed {
		t.Errorf("got %q, %v", id, err)
	}
}

// Verify reads the tree that the application goes on with: it must not touch it.
func TestVerifyLeavesTheTree(t *testing.T) {
	t.Parallel()
	for _, form := range []string{ExcC14N, C14N10, C14N11WithComments} {
		doc := signedDoc(t, "idp", SignOptions{C14N: form})
		_, cert := pair(t, "idp")
		root := parse(t, doc)
		before := serialize(t, root)
		if _, err := Verify(find(t, root, "Assertion"), pinned(cert), Options{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, serialize(t, root)); diff != "" {
			t.Errorf("the tree changed (-before +after):\n%s", diff)
		}
	}
}

// TestEveryByte changes each byte of a signed document: it no longer parses, is
// refused, or says the same.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	doc := signedDoc(t, "idp", SignOptions{})
	_, cert := pair(t, "idp")
	want := signedBytes(t, find(t, parse(t, doc), "Assertion"))
	refused, same := 0, 0
	for i := range len(doc) {
		for _, x := range []byte{0x01, 0x20, ' ', '<', '"'} {
			b := []byte(doc)
			if x > 0x20 {
				b[i] = x
			} else {
				b[i] ^= x
			}
			if string(b) == doc {
				continue
			}
			root, err := xmltree.Parse(b, xmltree.Limits{})
			if err != nil {
				continue
			}
			for _, el := range root.ChildElements() {
				if el.Tag != "Assertion" {
					continue
				}
				if _, err := Verify(el, pinned(cert), Options{}); err != nil {
					kindOf(t, err)
					refused++
					continue
				}
				same++
				if got := signedBytes(t, el); got != want {
					t.Fatalf("byte %d to %q is accepted:\n%s", i, b[i], b)
				}
			}
		}
	}
	if refused < 1000 || same < 10 {
		t.Errorf("only %d refused, %d the same: the test does not test", refused, same)
	}
}

// signedBytes is the canonical form without the signature, as a reader sees it.
func signedBytes(t testing.TB, e *etree.Element) string {
	t.Helper()
	sig, err := Signature(e)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := new(canon).run(&b, e, form{exclusive: true}, nil, sig); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBase64(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"AQID", "\x01\x02\x03", true},
		{" A\tQ\r\nI D\n", "\x01\x02\x03", true},
		{"AQI=", "\x01\x02", true},
		{"AQ = =", "\x01", true},
		{"AQ==", "\x01", true},
		{"AR==", "", false}, // stray bits
		{"AQI", "", false},
		{"AQ=", "", false},
		{"AQID=", "", false},
		{"AQ==AQ==", "", false},
		{"A-_D", "", false},
		{"AQ\x00D", "", false},
		{"AQ\fID", "", false},
		{"AQ\u00a0ID", "", false},
	} {
		got, err := decodeBase64(c.in)
		if (err == nil) != c.ok || string(got) != c.want {
			t.Errorf("%q: got %q, %v", c.in, got, err)
		}
		if err == nil {
			if again, _ := decodeBase64(base64.StdEncoding.EncodeToString(got)); string(again) != c.want {
				t.Errorf("%q: not the same again", c.in)
			}
		}
	}
}
