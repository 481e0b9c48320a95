package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestUpToDate makes every file anew and compares it with the one that is
// there: the vectors are what their cases say, and nothing else.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "testdata", "vectors")
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%v; run go run ./internal/vectors/gen", err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its case makes; run go run ./internal/vectors/gen", name)
		}
	}
	for _, pattern := range []string{"*.txt", "connections/*.json"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range found {
			name, _ := filepath.Rel(dir, file)
			if files[filepath.ToSlash(name)] == nil {
				t.Errorf("%s belongs to no case", name)
			}
		}
	}
}
