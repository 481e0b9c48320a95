package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/ssoconn/sso"
)

// maxInput bounds what is read: three times the largest answer, for its base64
// and percent-encoding.
const maxInput = 3*sso.MaxResponseSize + 1<<20

// read reads the one file, or the standard input, without the blanks around.
func (c *command) read(files []string) (string, error) {
	in := c.in
	if len(files) == 1 && files[0] != "-" {
		f, err := os.Open(files[0])
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxInput {
		return "", fmt.Errorf("the input is longer than %d bytes", maxInput)
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	if text == "" {
		return "", errors.New("the input is empty")
	}
	return text, nil
}

// formValue turns what people paste into the value of the form field.
func formValue(s string) (string, error) {
	switch {
	case strings.HasPrefix(s, "<"):
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	case strings.HasPrefix(s, "SAMLResponse="), strings.Contains(s, "&SAMLResponse="):
		// A + that came as it is belongs to the base64: no blank ever does.
		form, err := url.ParseQuery(strings.ReplaceAll(s, "+", "%2B"))
		if err != nil {
			return "", fmt.Errorf("the form cannot be read: %w", err)
		}
		if n := len(form["SAMLResponse"]); n != 1 {
			return "", fmt.Errorf("the form has %d fields SAMLResponse", n)
		}
		return form.Get("SAMLResponse"), nil
	case strings.Contains(s, "%"):
		value, err := url.PathUnescape(s)
		if err != nil {
			return "", fmt.Errorf("the value is not percent-encoded as it should be: %w", err)
		}
		return value, nil
	}
	return s, nil
}

func readConnection(file string) (*sso.Connection, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := new(sso.Connection)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

func readKeys(file string) ([]sso.KeyPair, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var keys []sso.KeyPair
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: a private key that cannot be read", file) // and is not repeated
			}
			keys = append(keys, sso.KeyPair{Private: key})
		case "RSA PRIVATE KEY":
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: a private key that cannot be read", file)
			}
			keys = append(keys, sso.KeyPair{Private: key})
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: there is no PRIVATE KEY in it, in PEM", file)
	}
	return keys, nil
}

// document writes the XML of what would be inspected, the decrypted assertion of
// a trace behind it.
func (c *command) document(t *sso.Trace) error {
	if t.Response == "" {
		return errors.New("the trace has no document: " + t.Note)
	}
	for _, value := range []string{t.Response, t.Assertion} {
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
		if err != nil {
			return errors.New("the answer is not base64")
		}
		if len(data) == 0 {
			continue
		}
		if _, err := fmt.Fprintln(c.out, printable(string(data))); err != nil {
			return err
		}
	}
	return nil
}
