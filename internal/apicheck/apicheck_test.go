// Package apicheck compares the exported names of every public package with a
// list that was looked at, so that none comes or goes unnoticed.
package apicheck

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden list")

const (
	root   = "../.."
	golden = root + "/testdata/api.txt"
	// budget is how many functions, types, methods and variables the root
	// package may export. The values of its enumerations are not counted: they
	// are read where their type is.
	budget = 135
)

func TestExportedNames(t *testing.T) {
	t.Parallel()
	names := exported(t)
	if len(names) == 0 {
		t.Fatal("found no exported names")
	}
	got := strings.Join(names, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("exported names changed (-want +got); if meant, run go test ./internal/apicheck -update:\n%s", diff)
	}
	n := 0
	for _, name := range names {
		if strings.HasPrefix(name, "sso: ") && !strings.HasPrefix(name, "sso: const") {
			n++
		}
	}
	t.Logf("the root package exports %d names", n)
	if n > budget {
		t.Errorf("the root package exports %d names, the budget is %d", n, budget)
	}
}

func exported(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		switch base := d.Name(); {
		case path != root && strings.HasPrefix(base, "."), base == "testdata", base == "internal", base == "node_modules",
			base == "examples", base == "bench", base == "interop", base == "tools":
			return filepath.SkipDir
		}
		found, err := packageNames(path)
		names = append(names, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func packageNames(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if f.Name.Name == "main" {
			continue
		}
		for _, decl := range f.Decls {
			for _, name := range declNames(decl) {
				names = append(names, f.Name.Name+": "+name)
			}
		}
	}
	return names, nil
}

func declNames(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() {
			return nil
		}
		if d.Recv == nil {
			return []string{"func " + d.Name.Name}
		}
		recv := d.Recv.List[0].Type
		if star, ok := recv.(*ast.StarExpr); ok {
			recv = star.X
		}
		if id, ok := recv.(*ast.Ident); ok && id.IsExported() {
			names = append(names, fmt.Sprintf("method %s.%s", id.Name, d.Name.Name))
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					names = append(names, "type "+s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.IsExported() {
						names = append(names, d.Tok.String()+" "+id.Name)
					}
				}
			}
		}
	}
	return names
}
