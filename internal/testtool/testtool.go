// Package testtool is for tests that ask another program: it finds the program,
// or skips the test and says why.
package testtool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Path returns where a program is. Without it the test ends, as by Missing.
func Path(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name+" is not installed (Debian: "+debian+")")
	}
	return path
}

// Missing skips the test. Where SSO_TEST_REQUIRE is set it fails it: there nothing
// may be skipped.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("SSO_TEST_REQUIRE") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Run runs a program and returns what it wrote. The error has what it complained
// of.
func Run(stdin, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", filepath.Base(name), err, errs.String())
	}
	return out.String(), nil
}

// File writes a file for the time of the test and returns its path.
func File(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Corpus returns what is kept of a fuzz target of the package under test whose
// first argument is a []byte. No corpus is a failure.
func Corpus(t testing.TB, target string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus of %s: %v", target, err)
	}
	var docs []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		if len(lines) < 2 {
			t.Fatalf("%s is no corpus file", file)
		}
		doc, err := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(lines[1], "[]byte("), ")"))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		docs = append(docs, doc)
	}
	return docs
}
