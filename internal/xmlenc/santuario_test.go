package xmlenc

import (
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/testtool"
	"github.com/ssoconn/sso/internal/xmlsig"
	"github.com/ssoconn/sso/internal/xmltree"
)

// santuario runs testdata/Santuario.java: Apache Santuario is what Shibboleth,
// Keycloak and most of Java encrypt with, and it knows all that we do.
func santuario(t *testing.T, args ...string) {
	t.Helper()
	java := testtool.Path(t, "java", "default-jdk-headless")
	const jars = "/usr/share/java"
	if _, err := os.Stat(jars + "/xmlsec.jar"); err != nil {
		testtool.Missing(t, "Apache Santuario is not installed (Debian: libxml-security-java)")
	}
	if out, err := testtool.Run("", java, "--list-modules"); err != nil || !strings.Contains(out, "jdk.compiler") {
		testtool.Missing(t, "java cannot compile (Debian: default-jdk-headless)")
	}
	class := jars + "/xmlsec.jar:" + jars + "/slf4j-api.jar:" + jars + "/commons-codec.jar"
	if _, err := testtool.Run("", java, append([]string{"-cp", class, "testdata/Santuario.java"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

// TestSantuarioEncrypts: every content encryption with every key transport,
// digest and mask, named and by default.
func TestSantuarioEncrypts(t *testing.T) {
	t.Parallel()
	key, _ := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	var list strings.Builder
	contentOf := map[string]content{}
	add := func(c content, rest string) {
		file := fmt.Sprintf("%d.xml", len(contentOf))
		contentOf[file] = c
		fmt.Fprintln(&list, file, c.uri, rest)
	}
	for _, c := range contents {
		add(c, rsa15+" - - -")
		add(c, oaepMGF1P+" - - -")
		add(c, oaep11+" - - -")
		for _, d := range hashes {
			digest := d.digest
			if d.alt != "" {
				digest = d.alt // the one name of SHA-384 that it knows
			}
			add(c, oaepMGF1P+" "+digest+" - label")
			add(c, oaep11+" "+digest+" - -")
			for _, g := range hashes {
				add(c, oaep11+" "+digest+" "+g.mgf+" label")
			}
		}
	}
	dir := t.TempDir()
	doc := response(`<a:EncryptedAssertion xmlns:a="` + samlxml.Assertion + `">` + assertionXML + `</a:EncryptedAssertion>`)
	santuario(t, "encrypt", filepath.Join(keyDir, "sp-encryption.crt.pem"), testtool.File(t, "doc.xml", doc), testtool.File(t, "list", list.String()), dir)
	for file, c := range contentOf {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		wantPlain(t, string(data), keys, lax, assertionXML)
		tamper(t, string(data), keys, c)
	}
	t.Logf("%d messages", len(contentOf))
}

// TestSantuarioDecrypts: what Encrypt makes.
func TestSantuarioDecrypts(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "sp-encryption")
	dir := t.TempDir()
	names := map[string]string{}
	for name, o := range transports() {
		for _, c := range contents {
			o.Content = c.name
			file := strings.ReplaceAll(name, "/", "_") + "_" + c.name
			names[file] = name
			doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, o)
			// Santuario knows SHA-384 by one of its two names.
			doc = strings.Replace(doc, "xmlenc#sha384", "xmldsig-more#sha384", 1)
			if err := os.WriteFile(filepath.Join(dir, file), []byte(doc), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	santuario(t, "decrypt", filepath.Join(keyDir, "sp-encryption.key.pem"), dir)
	for file := range names {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		a := parse(t, string(data)).FindElement("./EncryptedAssertion/Assertion")
		if a == nil {
			t.Fatalf("%s: no Assertion in\n%s", file, data)
		}
		// The declaration may have stayed on the EncryptedAssertion.
		if diff := cmp.Diff(dump(parse(t, assertionXML), nil), dump(a, map[string]string{"saml": samlxml.Assertion})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestMessages decrypts what is in testdata/messages, and verifies what is
// signed there: a signature holds only if the plaintext is read in the right
// context.
func TestMessages(t *testing.T) {
	t.Parallel()
	key, _ := pair(t, "sp-encryption")
	_, idp := pair(t, "idp")
	files, err := filepath.Glob("testdata/messages/*.xml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root := parse(t, string(data))
			enc := find(t, root)
			e, err := DecryptElement(enc, []crypto.Decrypter{key}, lax)
			if err != nil {
				t.Fatal(err)
			}
			parent, at := enc.Parent(), enc.Index()
			parent.RemoveChildAt(at)
			parent.InsertChildAt(at, e)
			if ns := xmltree.Namespace(e); e.Tag != "Assertion" || ns != samlxml.Assertion {
				t.Errorf("decrypted to %s of %q", e.Tag, ns)
			}
			sig, err := xmlsig.Signature(e)
			if err != nil || (sig != nil) != strings.HasPrefix(filepath.Base(file), "pysaml2") {
				t.Fatalf("signature %v, %v", sig, err)
			}
			if sig == nil {
				wantPlain(t, string(data), []crypto.Decrypter{key}, lax, assertionXML)
				return
			}
			if _, err := xmlsig.Verify(e, []certificate{idp}, xmlsig.Options{AllowSHA1: true}); err != nil {
				t.Errorf("the signature of the decrypted assertion: %v", err)
			}
		})
	}
}
