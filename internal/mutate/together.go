package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// chosen is the variable of the environment that says which change a test binary
// has: its number from 1, nothing for none.
const chosen = "SSO_MUTANT"

// together is the code of a group with every change to a function in it at once.
// Building and linking takes seconds and most tests take less, so one build for all
// is what makes it possible to try all. Each changed function gets a copy for each
// change, and one in its place that picks the copy.
type together struct {
	dir     string
	overlay string
	broken  map[int]bool
	lines   map[string][]copied // by the name of the changed file
}

// copied says that the lines from to to, of the file as it is compiled, are the
// copy with one change.
type copied struct{ from, to, change int }

// buildTogether writes the overlay with all changes, and leaves out, one round
// after the other, those that do not compile.
func buildTogether(dir string, all []mutant) (*together, error) {
	t := &together{dir: dir, overlay: filepath.Join(dir, "together.json"), broken: map[int]bool{}}
	packages := map[string]bool{}
	for _, m := range all {
		packages["./"+filepath.Dir(m.file)] = true
	}
	for range 20 {
		if err := t.write(all); err != nil {
			return nil, err
		}
		args := []string{"build", "-gcflags=-e", "-overlay=" + t.overlay}
		for p := range packages {
			args = append(args, p)
		}
		out, err := exec.Command("go", args...).CombinedOutput()
		if err == nil {
			return t, nil
		}
		if !t.blame(string(out)) {
			return nil, fmt.Errorf("the code with all changes does not compile: %w\n%s", err, out)
		}
	}
	return nil, fmt.Errorf("the code with all changes does not compile after 20 rounds")
}

var position = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: `)

// blame finds the changes that the compiler complains of.
func (t *together) blame(out string) bool {
	found := false
	for _, at := range position.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(at[2])
		for _, c := range t.lines[filepath.Base(at[1])] {
			if c.from <= line && line <= c.to {
				t.broken[c.change] = true
				found = true
			}
		}
	}
	return found
}

// write writes the overlay for the changes that are not known to be broken.
func (t *together) write(all []mutant) error {
	t.lines = map[string][]copied{}
	replace := map[string]string{}
	byFile := map[string][]int{}
	for i, m := range all {
		if m.inFunction && !t.broken[i+1] {
			byFile[m.file] = append(byFile[m.file], i)
		}
	}
	for file, changes := range byFile {
		text, err := t.file(file, all, changes)
		if err != nil {
			return err
		}
		if err := t.put(replace, file, text); err != nil {
			return err
		}
		name := filepath.Join(filepath.Dir(file), "mutate_chosen.go")
		text = fmt.Sprintf("package %s\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar mutate__chosen, _ = strconv.Atoi(os.Getenv(%q))\n", packageOf(all[changes[0]].source), chosen)
		if err := t.put(replace, name, text); err != nil {
			return err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(t.overlay, overlay, 0o600)
}

func (t *together) put(replace map[string]string, file, text string) error {
	full, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	replace[full] = filepath.Join(t.dir, flat(file))
	return os.WriteFile(replace[full], []byte(text), 0o600)
}

// flat is the name of a changed file, outside of the tree.
func flat(file string) string { return strings.ReplaceAll(file, "/", "_") }

func packageOf(source []byte) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return f.Name.Name
}

// file is one file with a copy of a function for each change to it.
func (t *together) file(file string, all []mutant, changes []int) (string, error) {
	source := string(all[changes[0]].source)
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	at := func(p token.Pos) int { return set.Position(p).Offset }
	var head, tail strings.Builder
	done := 0
	lines := strings.Count(source, "\n") + 1
	for _, d := range tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		var cases strings.Builder
		for _, i := range changes {
			m := all[i]
			if m.from < at(fn.Body.Lbrace) || m.to > at(fn.End()) {
				continue
			}
			name := fmt.Sprintf("%s__%d", fn.Name.Name, i+1)
			text := "\n" + source[at(fn.Pos()):at(fn.Name.Pos())] + name + source[at(fn.Name.End()):m.from] + m.put + source[m.to:at(fn.End())] + "\n"
			t.lines[flat(file)] = append(t.lines[flat(file)], copied{lines + 2, lines + strings.Count(text, "\n"), i + 1})
			lines += strings.Count(text, "\n")
			tail.WriteString(text)
			fmt.Fprintf(&cases, "case %d: %s;", i+1, call(fn, name))
		}
		if cases.Len() == 0 {
			continue
		}
		head.WriteString(source[done:at(fn.Name.Pos())] + fn.Name.Name + "__0")
		done = at(fn.Name.End())
		text := "\n" + picker(fn, source, at) + " { switch mutate__chosen { " + cases.String() + "default: " + call(fn, fn.Name.Name+"__0") + " } }\n"
		if fn.Type.Results != nil {
			text = strings.TrimSuffix(text, "}\n") + "\n}\n"
		}
		lines += strings.Count(text, "\n")
		tail.WriteString(text)
	}
	head.WriteString(source[done:])
	return head.String() + "\n" + tail.String(), nil
}

// picker is the head of the function that picks a copy: every parameter has a name.
func picker(fn *ast.FuncDecl, source string, at func(token.Pos) int) string {
	text := func(n ast.Node) string { return source[at(n.Pos()):at(n.End())] }
	var b strings.Builder
	b.WriteString("func ")
	if fn.Recv != nil {
		b.WriteString("(mutate__r " + text(fn.Recv.List[0].Type) + ") ")
	}
	b.WriteString(fn.Name.Name)
	if fn.Type.TypeParams != nil {
		b.WriteString(text(fn.Type.TypeParams))
	}
	b.WriteString("(")
	for i, p := range parameters(fn) {
		fmt.Fprintf(&b, "mutate__p%d %s, ", i, text(p))
	}
	b.WriteString(")")
	if fn.Type.Results != nil {
		b.WriteString(" " + text(fn.Type.Results))
	}
	return b.String()
}

// parameters are the types of the parameters, one for each.
func parameters(fn *ast.FuncDecl) []ast.Expr {
	var types []ast.Expr
	for _, field := range fn.Type.Params.List {
		for range max(1, len(field.Names)) {
			types = append(types, field.Type)
		}
	}
	return types
}

// call calls a copy from the function that picks it.
func call(fn *ast.FuncDecl, name string) string {
	var b strings.Builder
	if fn.Type.Results != nil {
		b.WriteString("return ")
	}
	if fn.Recv != nil {
		b.WriteString("mutate__r.")
	}
	b.WriteString(name + "(")
	for i, p := range parameters(fn) {
		fmt.Fprintf(&b, "mutate__p%d", i)
		if _, ok := p.(*ast.Ellipsis); ok {
			b.WriteString("...")
		}
		b.WriteString(", ")
	}
	b.WriteString(")")
	return b.String()
}
