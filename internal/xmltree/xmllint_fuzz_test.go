package xmltree

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/testtool"
)

// TestXMLLintFuzzed feeds libxml2 what fuzzing kept, and thousands of changed
// documents, the same at each run: what we take, it takes, and sees the same
// tree, as canonical XML shows it.
func TestXMLLintFuzzed(t *testing.T) {
	t.Parallel()
	seeds := testtool.Corpus(t, "FuzzParse")
	for _, p := range pairs {
		seeds = append(seeds, p.ok, p.bad)
	}
	seeds = append(seeds, string(typicalResponse(t)), string(manyGroups(3)))
	docs := map[string]string{} // as it came: as we write it
	var order []string
	tried := 0
	take := func(doc string) {
		tried++
		root, err := Parse([]byte(doc), Limits{})
		if _, again := docs[doc]; err != nil || again {
			return
		}
		docs[doc] = serialize(root)
		order = append(order, doc)
	}
	for _, doc := range seeds {
		take(doc)
	}
	kept := len(docs)
	const want = 3000
	for r := rand.New(rand.NewPCG(3, 4)); len(docs) < kept+want; {
		if tried > 1000*want {
			t.Fatalf("only %d of %d documents taken", len(docs), tried)
		}
		take(mutated(r, seeds))
	}
	var files []string
	for _, doc := range order {
		files = append(files, doc, docs[doc])
	}
	forms := xmllintForms(t, files)
	for i, doc := range order {
		theirs, ours := forms[2*i], forms[2*i+1]
		if theirs.complaint != "" || ours.complaint != "" {
			t.Errorf("xmllint refuses what we take, %q:\n%s%s", doc, theirs.complaint, ours.complaint)
			continue
		}
		m := outside.FindStringSubmatch(theirs.canonical)
		if diff := cmp.Diff(m[1], ours.canonical); diff != "" {
			t.Errorf("canonical form of %q (-as xmllint reads it +as we do):\n%s", doc, diff)
		}
	}
	t.Logf("%d documents tried, %d taken and compared, %d of them seeds", tried, len(docs), kept)
}

// mutated cuts pieces out of a document, and puts in pieces of others.
func mutated(r *rand.Rand, seeds []string) string {
	doc := seeds[r.IntN(len(seeds))]
	for range 1 + r.IntN(3) {
		other := seeds[r.IntN(len(seeds))]
		i, from := r.IntN(len(doc)+1), r.IntN(len(other)+1)
		cut, put := r.IntN(8), r.IntN(24)
		switch r.IntN(4) {
		case 0:
			put = 0
		case 1:
			cut = 0
		case 2: // whole tokens, as far as there are any
			if j := strings.IndexByte(other[from:], '<'); j >= 0 {
				from += j
				if end := strings.IndexByte(other[from:], '>'); end >= 0 {
					put, cut = end+1, 0
				}
			}
			if j := strings.IndexByte(doc[i:], '<'); j >= 0 {
				i += j
			}
		}
		doc = doc[:i] + other[from:min(len(other), from+put)] + doc[min(len(doc), i+cut):]
	}
	return doc
}

type canonicalForm struct{ canonical, complaint string }

// complaints finds what xmllint says of a file; see diagnosis.
var complaints = regexp.MustCompile(`(?m)^(\d+)\.xml:\d+: (.*?) : .*$`)

// xmllintForms has xmllint read many documents.
func xmllintForms(t *testing.T, docs []string) []canonicalForm {
	t.Helper()
	texts, said, _ := testtool.CanonicalForms(t, "--c14n", docs) // the error is that it complains of one
	forms := make([]canonicalForm, len(texts))
	for i, text := range texts {
		forms[i].canonical = text
	}
	for _, m := range complaints.FindAllStringSubmatch(said, -1) {
		i, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if m[2] != "parser warning" {
			forms[i].complaint += m[0] + "\n"
		}
	}
	return forms
}
