// Package vectors reads the test vectors: one file a case, a header of
// "key: value" lines, a blank line, and the message as it was sent.
//
// The keys:
//
//	expect      ok, or the Reason of the refusal
//	check       the check that refuses; not with ok
//	control     the accepted vector that differs in the one point; not with ok
//	now         when it is verified
//	request     the ID of the request, or none: an IdP-initiated sign-in
//	connection  a file of connections/, without .json
//	comment     what the case is about
//	keys        decryption keys of the connection, files of testdata/keys; optional
//	replay      seen or fails: what the replay memory answers; optional
//	body        form: what follows is the form value, not XML; optional
//	name-id, name, groups
//	            what an accepted vector must yield; name-id is required, groups
//	            are separated by "; "
//
// Everything behind the blank line is the message, to the last byte.
package vectors

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Vector is one case.
type Vector struct {
	Name       string // of the file, without .txt
	Expect     string
	Check      string
	Control    string
	Now        time.Time
	Request    string // empty: IdP-initiated
	Connection string
	Comment    string
	Keys       []string
	Replay     string
	Form       bool // Body is the form value
	NameID     string
	PersonName string
	Groups     []string
	Body       []byte
}

// FormValue is the message as a browser posts it.
func (v *Vector) FormValue() string {
	if v.Form {
		return string(v.Body)
	}
	return base64.StdEncoding.EncodeToString(v.Body)
}

// Load reads every vector of a directory. A directory without vectors is an
// error: nothing would be tested.
func Load(dir string) ([]*Vector, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("vectors: there are none in %s", dir)
	}
	slices.Sort(files)
	all := make([]*Vector, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		v, err := Parse(strings.TrimSuffix(filepath.Base(file), ".txt"), data)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// Parse reads one file. Unknown, repeated and missing keys are errors.
func Parse(name string, data []byte) (*Vector, error) {
	header, body, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("vectors: %s: no blank line after the header", name)
	}
	v := &Vector{Name: name, Body: body}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(string(header), "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if !ok || value == "" {
			return nil, fmt.Errorf("vectors: %s: %q is no header line", name, line)
		}
		if seen[key] {
			return nil, fmt.Errorf("vectors: %s: %s twice", name, key)
		}
		seen[key] = true
		if err := v.set(key, value); err != nil {
			return nil, fmt.Errorf("vectors: %s: %w", name, err)
		}
	}
	if err := v.complete(seen); err != nil {
		return nil, fmt.Errorf("vectors: %s: %w", name, err)
	}
	return v, nil
}

func (v *Vector) set(key, value string) (err error) {
	switch key {
	case "expect":
		v.Expect = value
	case "check":
		v.Check = value
	case "control":
		v.Control = value
	case "now":
		v.Now, err = time.Parse(time.RFC3339Nano, value)
	case "request":
		if v.Request = value; value == "none" {
			v.Request = ""
		}
	case "connection":
		v.Connection = value
	case "comment":
		v.Comment = value
	case "keys":
		v.Keys = strings.Fields(value)
	case "replay":
		if v.Replay = value; value != "seen" && value != "fails" {
			err = fmt.Errorf("replay: %q is neither seen nor fails", value)
		}
	case "body":
		if v.Form = value == "form"; !v.Form {
			err = fmt.Errorf("body: %q is not form", value)
		}
	case "name-id":
		v.NameID = value
	case "name":
		v.PersonName = value
	case "groups":
		v.Groups = strings.Split(value, "; ")
	default:
		err = fmt.Errorf("unknown key %q", key)
	}
	return err
}

func (v *Vector) complete(seen map[string]bool) error {
	required := []string{"expect", "now", "request", "connection", "comment"}
	forbidden := []string{"check", "control"}
	if v.Expect == "ok" {
		required = append(required, "name-id")
	} else {
		required, forbidden = append(required, forbidden...), []string{"name-id", "name", "groups"}
	}
	for _, key := range required {
		if !seen[key] {
			return fmt.Errorf("%s is missing", key)
		}
	}
	for _, key := range forbidden {
		if seen[key] {
			return fmt.Errorf("%s does not go with expect: %s", key, v.Expect)
		}
	}
	if len(v.Body) == 0 && !v.Form {
		return errors.New("there is no message")
	}
	return nil
}

// Format is the file of a vector.
func (v *Vector) Format() []byte {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\n")
		}
	}
	line("expect", v.Expect)
	line("check", v.Check)
	line("control", v.Control)
	line("now", v.Now.UTC().Format(time.RFC3339Nano))
	if v.Request == "" {
		line("request", "none")
	} else {
		line("request", v.Request)
	}
	line("connection", v.Connection)
	line("keys", strings.Join(v.Keys, " "))
	line("replay", v.Replay)
	if v.Form {
		line("body", "form")
	}
	line("name-id", v.NameID)
	line("name", v.PersonName)
	line("groups", strings.Join(v.Groups, "; "))
	line("comment", v.Comment)
	b.WriteByte('\n')
	b.Write(v.Body)
	return b.Bytes()
}
