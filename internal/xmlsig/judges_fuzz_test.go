package xmlsig

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"github.com/ssoconn/sso/internal/testtool"
	"github.com/ssoconn/sso/internal/xmltree"
)

// changed changes a document in places where a signature may not notice, or
// anywhere.
func changed(r *rand.Rand, doc string) string {
	at := func(mark string) int { // behind one of the marks
		n := strings.Count(doc, mark)
		if n == 0 {
			return len(doc)
		}
		i := 0
		for range 1 + r.IntN(n) {
			i += strings.Index(doc[i:], mark) + len(mark)
		}
		return i
	}
	insert := func(i int, s string) { doc = doc[:i] + s + doc[i:] }
	for range 1 + r.IntN(3) {
		switch r.IntN(9) {
		case 0:
			insert(at(">"), "<!-- c -->")
		case 1:
			insert(at(">"), []string{" ", "\n", "\r\n"}[r.IntN(3)])
		case 2: // in a start or end tag, or anywhere before a blank
			insert(max(0, at(" ")-1), []string{" ", "\n", `  xmlns:zz="urn:zz"`, ` zz="1"`}[r.IntN(4)])
		case 3:
			if i := at("</"); i < len(doc) {
				insert(i+strings.IndexByte(doc[i:]+">", '>'), " ")
			}
		case 4: // a character as a reference, or in CDATA
			if i := at("a"); i < len(doc) {
				doc = doc[:i-1] + []string{"&#97;", "&#x61;", "<![CDATA[a]]>"}[r.IntN(3)] + doc[i:]
			}
		case 5: // in base64
			if i := at("Value>"); i < len(doc) {
				insert(min(len(doc), i+r.IntN(60)), []string{"\n", " ", "\t", "&#13;"}[r.IntN(4)])
			}
		case 6: // outside the assertion
			if i := strings.Index(doc, "Assertion"); i > 0 {
				i = r.IntN(i)
				doc = doc[:i] + string(rune(' '+r.IntN(95))) + doc[i+r.IntN(2):]
			}
		case 7:
			i := at("\"")
			doc = doc[:i] + doc[min(len(doc), i+r.IntN(2)):]
		case 8:
			i := r.IntN(len(doc) + 1)
			doc = doc[:i] + string(rune(' '+r.IntN(95))) + doc[min(len(doc), i+1):]
		}
	}
	return doc
}

// TestXmllintFuzzed compares the canonical forms of what fuzzing kept, and of
// thousands of changed documents, with libxml2's.
func TestXmllintFuzzed(t *testing.T) {
	t.Parallel()
	seeds := testtool.Corpus(t, "FuzzCanonical")
	for seed := range uint64(200) {
		seeds = append(seeds, generate(seed, -1, ""))
	}
	seeds = append(seeds, assertionDoc, response(3), signedDoc(t, "idp", SignOptions{}))
	var roots []*etree.Element
	var docs []string
	seen := map[string]bool{}
	take := func(doc string) {
		root, err := xmltree.Parse([]byte(doc), xmltree.Limits{})
		if err == nil && !seen[doc] {
			seen[doc] = true
			roots, docs = append(roots, root), append(docs, doc)
		}
	}
	for _, doc := range seeds {
		take(doc)
	}
	kept := len(docs)
	r := rand.New(rand.NewPCG(5, 6))
	const want = 700
	for tries := 0; len(docs) < kept+want; tries++ {
		if tries > 100*want {
			t.Fatalf("only %d documents taken", len(docs))
		}
		take(changed(r, seeds[r.IntN(len(seeds))]))
	}
	for _, k := range []struct{ flag, form string }{{"--exc-c14n", ExcC14NWithComments}, {"--c14n", C14N10WithComments}, {"--c14n11", C14N11WithComments}} {
		theirs, said, err := testtool.CanonicalForms(t, k.flag, docs)
		if err != nil {
			t.Fatalf("xmllint: %v\n%s", err, said)
		}
		compared := 0
		for i, root := range roots {
			var b bytes.Buffer
			if err := Canonicalize(&b, root, k.form, nil); err != nil {
				t.Errorf("%s: %q: %v", k.form, docs[i], err)
				continue
			}
			compared++
			if diff := cmp.Diff(withoutOutside(theirs[i]), b.String()); diff != "" {
				t.Errorf("%s of %q (-xmllint +ours):\n%s", k.flag, docs[i], diff)
			}
		}
		t.Logf("%s: %d documents compared", k.flag, compared)
	}
}

// withoutOutside takes away the comments that stand beside the root.
func withoutOutside(s string) string {
	for strings.HasPrefix(s, "<!--") {
		_, s, _ = strings.Cut(s, "-->\n")
	}
	for {
		i := strings.LastIndex(s, "\n<!--")
		if i < 0 || !strings.HasSuffix(s, "-->") || strings.Contains(s[i:len(s)-3], "-->") {
			return s
		}
		s = s[:i]
	}
}

// A variant is a document in which we accept one signed element.
type variant struct {
	doc  string
	el   *etree.Element
	cert *x509.Certificate
	key  string
}

// variants changes signed documents until so many are still accepted.
func variants(t *testing.T, want int) (accepted []variant, tried int) {
	t.Helper()
	type base struct{ doc, key string }
	var bases []base
	for _, c := range []struct {
		key string
		o   SignOptions
	}{
		{"idp", SignOptions{}}, {"idp", SignOptions{KeyInfo: KeyInfoNone}}, {"idp", SignOptions{LineLength: 76, KeyInfo: KeyInfoValue}},
		{"idp", SignOptions{C14N: ExcC14NWithComments, LineLength: 64}},
		{"idp", SignOptions{C14N: ExcC14NWithComments, InclusivePrefixes: []string{"xs", "#default"}}},
		{"idp", SignOptions{C14N: C14N10}}, {"idp", SignOptions{C14N: C14N11WithComments, Prefix: "#default"}},
		{"idp", SignOptions{Method: "rsa-sha512", DigestURI: DigestSHA384}}, {"idp-p256", SignOptions{}},
	} {
		bases = append(bases, base{signedDoc(t, c.key, c.o), c.key})
	}
	for _, doc := range testtool.Corpus(t, "FuzzVerifyMutation") {
		bases = append(bases, base{doc, "idp"}, base{doc, "idp-p256"})
	}
	signable := map[string]bool{"Assertion": true, "Response": true}
	r := rand.New(rand.NewPCG(7, 8))
	seen := map[string]bool{}
	var good []base
	for n := 0; len(accepted) < want; n++ {
		if n > 200*want {
			t.Fatalf("only %d of %d accepted", len(accepted), n)
		}
		var b base
		if n < len(bases) {
			b = bases[n]
		} else {
			b = good[r.IntN(len(good))]
			b.doc = changed(r, b.doc)
		}
		doc := b.doc
		tried++
		root, err := xmltree.Parse([]byte(doc), xmltree.Limits{})
		if err != nil || seen[doc+b.key] {
			continue
		}
		seen[doc+b.key] = true
		_, cert := pair(t, b.key)
		for _, e := range all(root) {
			if _, err := Verify(e, pinned(cert), Options{}); err == nil && signable[e.Tag] {
				accepted = append(accepted, variant{doc, e, cert, b.key})
				if n < len(bases) {
					good = append(good, b)
				}
				break
			}
		}
	}
	return accepted, tried
}

// TestJudgesFuzzed changes signed documents, seeded. What we still accept,
// xmlsec1 and goxmldsig accept too, or one of the reasons below says why not; a
// reason that no document needs fails as well.
func TestJudgesFuzzed(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	accepted, tried := variants(t, 350)
	var mu sync.Mutex
	agree, reasons := map[string]int{}, map[string]int{}
	judge := func(who string, v variant, err error, why func(*testing.T, variant) string) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			agree[who]++
		} else if reason := why(t, v); reason != "" {
			reasons[who+": "+reason]++
		} else {
			t.Errorf("%s refuses what we accept: %v\n%s", who, err, v.doc)
		}
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, 4)
	for i, v := range accepted {
		path := testtool.File(t, fmt.Sprint(i, ".xml"), v.doc)
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			key := filepath.Join(keyDir, v.key+".crt.pem")
			_, err := testtool.Run("", xmlsec, "--verify", "--pubkey-cert-pem", key, "--enabled-key-data", "x509,rsa,ecdsa,key-name",
				"--id-attr:ID", assertionName, path)
			judge("xmlsec1", v, err, whyNotXmlsec)
		})
		ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{v.cert}})
		// It wants the element by itself, with what is declared above it.
		scope, err := etreeutils.NSBuildParentContext(v.el)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := etreeutils.NSDetatch(scope, v.el)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ctx.Validate(alone)
		judge("goxmldsig", v, err, whyNotGoxmldsig)
	}
	wg.Wait()
	t.Logf("%d documents tried, %d accepted; of these xmlsec1 accepts %d, goxmldsig %d", tried, len(accepted), agree["xmlsec1"], agree["goxmldsig"])
	for _, who := range []string{"xmlsec1: " + reasonKeyInfo, "goxmldsig: " + reasonKeyInfo, "goxmldsig: " + reasonECDSA, "goxmldsig: " + reasonBlank, "goxmldsig: " + reasonPrefixes, "goxmldsig: " + reasonComment} {
		t.Logf("%d times: %s", reasons[who], who)
		if reasons[who] == 0 {
			t.Errorf("no document needs the reason %q", who)
		}
	}
}

// The reasons why a judge may refuse what we accept. Each is a fact about the
// document, and is looked for only where the judge did refuse.
const (
	reasonKeyInfo  = "KeyInfo holds another certificate, a damaged one or none; we do not read it"
	reasonECDSA    = "an ECDSA value as XML Signature writes it, r and s, where ASN.1 is expected"
	reasonBlank    = "a blank or tab in base64, which the schema allows"
	reasonPrefixes = "SignedInfo has a form with a PrefixList"
	reasonComment  = "a comment under a reference to #id, which leaves comments out (XML Signature, 4.4.3.3)"
)

func whyNotXmlsec(t *testing.T, v variant) string {
	if otherKeyInfo(t, v) {
		return reasonKeyInfo
	}
	return ""
}

func whyNotGoxmldsig(t *testing.T, v variant) string {
	sig, err := Signature(v.el)
	if err != nil {
		t.Fatal(err)
	}
	form := find(t, sig, "CanonicalizationMethod").SelectAttrValue("Algorithm", "")
	switch {
	case v.key == "idp-p256":
		return reasonECDSA
	case otherKeyInfo(t, v):
		return reasonKeyInfo
	case strings.ContainsAny(find(t, sig, "SignatureValue").Text()+find(t, sig, "DigestValue").Text(), " \t"):
		return reasonBlank
	case len(all(find(t, sig, "CanonicalizationMethod"))) > 1:
		return reasonPrefixes
	case strings.HasSuffix(form, "WithComments") && commented(v.el):
		return reasonComment
	}
	return ""
}

func commented(e *etree.Element) bool {
	for _, d := range all(e) {
		for _, c := range d.Child {
			if _, ok := c.(*etree.Comment); ok {
				return true
			}
		}
	}
	return false
}

// otherKeyInfo says whether the signature has a KeyInfo and in it anything but the
// certificate that is pinned.
func otherKeyInfo(t *testing.T, v variant) bool {
	sig, err := Signature(v.el)
	if err != nil {
		t.Fatal(err)
	}
	info := sig.SelectElement("KeyInfo")
	if info == nil {
		return false
	}
	for _, e := range all(info) {
		if e.Tag == "X509Certificate" {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text()), ""))
			return err != nil || !bytes.Equal(der, v.cert.Raw)
		}
	}
	return true
}
