//go:build ignore

// Generate makes the metadata of identity providers for the tests: in the shape
// that each product gives it, with the keys of testdata/keys.
//
//	cd testdata/metadata && go run generate.go
package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

func main() {
	shapes, err := filepath.Glob("shapes/*.xml")
	if err != nil || len(shapes) == 0 {
		log.Fatal("no shapes: ", err)
	}
	for _, shape := range shapes {
		name := filepath.Base(shape)
		if err := write(shape, name); err != nil {
			log.Fatal(name, ": ", err)
		}
	}
}

func write(shape, name string) error {
	t, err := template.New(name).Funcs(template.FuncMap{
		"cert": func(name string) string { return base64.StdEncoding.EncodeToString(der(name + ".crt.pem")) },
		"wrap": func(width int, end, s string) string {
			var b strings.Builder
			for ; len(s) > width; s = s[width:] {
				b.WriteString(s[:width] + end)
			}
			return b.String() + s
		},
	}).ParseFiles(shape)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, nil); err != nil {
		return err
	}
	data := out.Bytes()
	switch name {
	case "entra.xml": // with a byte order mark, and signed
		if data, err = sign(data); err != nil {
			return err
		}
		data = append([]byte("\ufeff"), data...)
	case "adfs.xml":
		if data, err = sign(data); err != nil {
			return err
		}
	}
	return os.WriteFile(name, data, 0o644)
}

func der(file string) []byte {
	data, err := os.ReadFile("../keys/" + file)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(data)
	return block.Bytes
}

// sign signs with a key of its own: metadata is not signed with the key that
// signs assertions.
func sign(data []byte) ([]byte, error) {
	root, err := xmltree.Parse(data, xmltree.Limits{})
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der("idp2.key.pem"))
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der("idp2.crt.pem"))
	if err != nil {
		return nil, err
	}
	if err := xmlsig.Sign(root, key.(crypto.Signer), cert, "rsa-sha256", 0); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="utf-8"?>`)
	root.WriteTo(&out, &etree.WriteSettings{CanonicalAttrVal: true, CanonicalText: true})
	return out.Bytes(), nil
}
