package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const example = `package p

type T struct{ n int }

var table = []int{1, 2}

func (t *T) add(a, b int, _ string, more ...int) (sum int, ok bool) {
	if a == b {
		return 1, true
	}
loop:
	for _, m := range more {
		if m > 2 {
			break loop
		}
		sum += m
	}
	return sum + t.n, len(table) < 3
}

func first[E any](list []E, _ int) E { return list[0] }

func (T) nothing() { println(first(table, 1) == 1) }
`

// TestTogether: the code with all changes is right Go once those are left out that
// the compiler complains of, each complaint is put down to one change, and only
// changes that cannot compile are left out.
func TestTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.go")
	if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := mutantsIn(file)
	if err != nil {
		t.Fatal(err)
	}
	var changes []int
	for i, m := range all {
		if m.inFunction {
			changes = append(changes, i)
		}
	}
	if len(changes) < 20 || len(changes) == len(all) {
		t.Fatalf("%d of %d changes are in functions", len(changes), len(all))
	}
	code := &together{broken: map[int]bool{}}
	for range 5 {
		code.lines = map[string][]copied{}
		kept := changes[:0:0]
		for _, i := range changes {
			if !code.broken[i+1] {
				kept = append(kept, i)
			}
		}
		text, err := code.file(file, all, kept)
		if err != nil {
			t.Fatal(err)
		}
		complaints := check(t, flat(file), text)
		if complaints == "" {
			break
		}
		if !code.blame(complaints) {
			t.Fatalf("no change is to blame for\n%s", complaints)
		}
	}
	for _, i := range changes {
		m := all[i]
		alone := check(t, "alone.go", string(m.text())) != ""
		if alone != code.broken[i+1] {
			t.Errorf("%s: does not compile alone: %v, together: %v", m, alone, code.broken[i+1])
		}
	}
}

// check has the compiler's complaints of a file, in its form.
func check(t *testing.T, name, text string) string {
	t.Helper()
	set := token.NewFileSet()
	if strings.Contains(text, "mutate__chosen") {
		text += "\nvar mutate__chosen int\n"
	}
	tree, err := parser.ParseFile(set, "x/"+name, text, 0)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	conf := types.Config{Error: func(err error) { b.WriteString(err.Error() + "\n") }}
	_, _ = conf.Check("p", set, []*ast.File{tree}, nil)
	return b.String()
}

// TestKeys: a change has the same name wherever its line stands, and another on
// another line.
func TestKeys(t *testing.T) {
	t.Parallel()
	m := mutant{file: "a.go", function: "f", source: []byte("x\n\tif a == b {\n"), from: 8, to: 10, kind: "k"}
	moved := m
	moved.source, moved.from, moved.to = []byte("x\ny\n\t\tif a == b {\n"), 11, 13
	other := m
	other.source = []byte("x\n\tif a == c {\n")
	if m.key() != moved.key() || m.key() == other.key() {
		t.Errorf("%q, moved %q, other %q", m.key(), moved.key(), other.key())
	}
}

// TestReasons: each change in survivors.txt has a reason, and is one that is made.
func TestReasons(t *testing.T) {
	t.Chdir("../..")
	reasons, err := parseReasons(explained)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, g := range groups {
		all, err := mutantsOf(g)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			known[m.key()] = true
		}
	}
	for key := range reasons {
		if !known[key] {
			t.Errorf("survivors.txt explains a change that is not made any more: %s", key)
		}
	}
	if _, err := parseReasons("a | b | c @0\n"); err == nil {
		t.Error("a change without a reason is taken")
	}
}
