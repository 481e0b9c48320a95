package sso

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssoconn/sso/internal/testtool"
)

const (
	schemaProtocol = "saml-schema-protocol-2.0.xsd"
	schemaMetadata = "saml-schema-metadata-2.0.xsd"
)

// checkSchema validates documents, by name, against one of OASIS's schemas, and
// returns what is wrong with each. Nothing is fetched.
func checkSchema(tb testing.TB, schema string, documents map[string][]byte) map[string]string {
	tb.Helper()
	const opensaml, xmltooling = "/usr/share/xml/opensaml/", "/usr/share/xml/xmltooling/"
	xmllint := testtool.Path(tb, "xmllint", "libxml2-utils")
	for _, file := range []string{opensaml + schema, xmltooling + "xmldsig-core-schema.xsd"} {
		if _, err := os.Stat(file); err != nil {
			testtool.Missing(tb, file+" is missing (Debian: opensaml-schemas, xmltooling-schemas)")
		}
	}
	if len(documents) == 0 {
		tb.Fatal("no documents to check")
	}
	dir := tb.TempDir()
	catalog := `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">`
	for address, file := range map[string]string{
		"http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd": "xmldsig-core-schema.xsd",
		"http://www.w3.org/TR/2002/REC-xmlenc-core-20021210/xenc-schema.xsd":          "xenc-schema.xsd",
		"http://www.w3.org/2001/xml.xsd":                                              "xml.xsd",
	} {
		catalog += fmt.Sprintf(`<system systemId="%s" uri="file://%s"/>`, address, xmltooling+file)
		catalog += fmt.Sprintf(`<uri name="%s" uri="file://%s"/>`, address, xmltooling+file)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	catalogFile := write("catalog.xml", []byte(catalog+`</catalog>`))

	args := []string{"--nonet", "--noout", "--schema", opensaml + schema}
	names := make(map[string]string)
	for name, data := range documents {
		path := write(fmt.Sprintf("%d.xml", len(names)), data)
		names[path] = name
		args = append(args, path)
	}
	cmd := exec.Command(xmllint, args...)
	cmd.Env = append(os.Environ(), "XML_CATALOG_FILES="+catalogFile)
	out, _ := cmd.CombinedOutput() // its status says what each line says

	wrong := make(map[string]string)
	valid := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		path, said, _ := strings.Cut(line, " ")
		name, ok := names[strings.Split(path, ":")[0]]
		switch {
		case ok && said == "validates":
			valid++
		case ok:
			wrong[name] += line[strings.LastIndex(path, "/")+1:] + "\n"
		}
	}
	if valid+len(wrong) != len(documents) {
		tb.Fatalf("xmllint spoke of %d valid and %d other documents of %d:\n%.2000s", valid, len(wrong), len(documents), out)
	}
	return wrong
}

// TestSchemaCheckRefuses shows that the judge judges.
func TestSchemaCheckRefuses(t *testing.T) {
	t.Parallel()
	const good = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0" IssueInstant="2026-03-01T09:00:00Z"/>`
	wrong := checkSchema(t, schemaProtocol, map[string][]byte{
		"good":      []byte(good),
		"no ID":     []byte(strings.Replace(good, ` ID="_1"`, "", 1)),
		"digit":     []byte(strings.Replace(good, `"_1"`, `"1"`, 1)),
		"no XML":    []byte("<"),
		"other tag": []byte(strings.Replace(good, `AuthnRequest`, `Authn`, 1)),
	})
	if wrong["good"] != "" {
		t.Errorf("a good request: %s", wrong["good"])
	}
	for _, name := range []string{"no ID", "digit", "no XML", "other tag"} {
		if wrong[name] == "" {
			t.Errorf("%s passed", name)
		}
	}
}
