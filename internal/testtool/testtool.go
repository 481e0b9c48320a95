// Package testtool is for tests that ask another program: it finds the program,
// or skips the test and says why.
package testtool

import (
	"bytes"
	"errors"
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

// CanonicalForms has xmllint write many documents in a canonical form, which is one
// of its flags, hundreds in one process. It returns the forms, what xmllint said,
// in which document i is i.xml, and an error if it refused one.
func CanonicalForms(t testing.TB, flag string, docs []string) (forms []string, said string, err error) {
	t.Helper()
	xmllint, dir := Path(t, "xmllint", "libxml2-utils"), t.TempDir()
	const mark = "<a-mark-that-no-document-has></a-mark-that-no-document-has>"
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mark.xml", mark)
	var stderr strings.Builder
	for len(forms) < len(docs) {
		args := []string{"--nonet", flag}
		for i := len(forms); i < min(len(docs), len(forms)+500); i++ {
			name := fmt.Sprint(i, ".xml")
			write(name, docs[i])
			args = append(args, name, "mark.xml")
		}
		var stdout bytes.Buffer
		cmd := exec.Command(xmllint, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
		err = errors.Join(err, cmd.Run())
		parts := strings.Split(stdout.String(), mark)
		if len(parts) != (len(args)-2)/2+1 {
			t.Fatalf("xmllint wrote %d documents of %d:\n%s", len(parts)-1, (len(args)-2)/2, stderr.String())
		}
		forms = append(forms, parts[:len(parts)-1]...)
	}
	return forms, stderr.String(), err
}
