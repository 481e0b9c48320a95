// Command gen writes testdata/vectors anew, from the fixed keys in
// testdata/keys and a fixed clock.
//
//	go run ./internal/vectors/gen
//
// The same cases give the same bytes. Where a signature or an encryption is
// random by nature, the file that is there stays, unless its header changed:
// delete it to have it made again.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssoconn/sso/internal/vectors"
)

func main() {
	root := flag.String("root", ".", "root of the module")
	flag.Parse()
	log.SetFlags(0)
	files, err := generate(*root)
	if err != nil {
		log.Fatal(err)
	}
	if err := writeAll(filepath.Join(*root, "testdata", "vectors"), files); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d files\n", len(files))
}

// generate returns every file by its path under testdata/vectors.
func generate(root string) (map[string][]byte, error) {
	g := &generator{root: root, keys: map[string]*keyFile{}}
	files := map[string][]byte{}
	for name, c := range connections() {
		data, err := c.encode()
		if err != nil {
			return nil, fmt.Errorf("connection %s: %w", name, err)
		}
		files["connections/"+name+".json"] = data
	}
	for _, c := range cases() {
		path := c.name + ".txt"
		if files[path] != nil {
			return nil, fmt.Errorf("%s: two cases of that name", c.name)
		}
		v, err := g.vector(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if c.random {
			v.Body, err = kept(filepath.Join(root, "testdata", "vectors", path), v)
			if err != nil {
				return nil, err
			}
		}
		files[path] = v.Format()
	}
	return files, nil
}

// kept is the body of the file that is there, if it has the same header, and
// else the new one.
func kept(path string, v *vectors.Vector) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v.Body, nil
	}
	if err != nil {
		return nil, err
	}
	old, err := vectors.Parse(v.Name, data)
	if err != nil {
		return v.Body, nil
	}
	body := v.Body
	v.Body = old.Body
	if bytes.Equal(v.Format(), data) {
		return old.Body, nil
	}
	return body, nil
}

// writeAll makes the directory hold these files and no others.
func writeAll(dir string, files map[string][]byte) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if files[name] == nil && (strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".json")) {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "connections"), 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
