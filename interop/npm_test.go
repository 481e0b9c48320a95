package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ssoconn/sso"
)

// npmVariant is one way to configure an IdP written in JavaScript.
type npmVariant struct {
	name                        string
	signResponse, signAssertion bool
	encryption, keyEncryption   string
	order                       string // of samlify's signing and encrypting
	signRequests, post          bool
	idpStarted                  bool
	reason                      sso.Reason
}

// npmVersion is the version of a package that npm install put there.
func npmVersion(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("npm", "node_modules", name, "package.json"))
	need(t, err == nil, name+" (npm install in interop/npm)")
	var p struct{ Version string }
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p.Version
}

func startNPM(t *testing.T, name string, v npmVariant) *sso.Connection {
	t.Helper()
	node, err := exec.LookPath("node")
	need(t, err == nil, "node")
	dir := t.TempDir()
	sp := serviceProvider(t)
	if v.encryption == "" {
		sp.DecryptionKeys = nil
	}
	conn := &sso.Connection{ID: name, SP: sp, SignRequests: v.signRequests}
	md, err := conn.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sp.xml"), md, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"idp.key.pem", "idp.crt.pem", "sp-encryption.crt.pem", "sp-signing.crt.pem"} {
		copyFile(t, "../testdata/keys/"+file, filepath.Join(dir, file))
	}
	port := freePort(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	config, err := json.Marshal(map[string]any{
		"port": port, "base": base, "dir": dir, "acs": acsURL, "slo": sloURL, "entity_id": entityID, "sign_response": v.signResponse, "sign_assertion": v.signAssertion,
		"encryption": v.encryption, "key_encryption": v.keyEncryption, "order": v.order, "want_signed": v.signRequests,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(node, "--no-deprecation", "npm/"+name+".js", file), base+"/healthy")
	resp, body := fetch(t, base+"/metadata")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("metadata: %s\n%s", resp.Status, tail(body))
	}
	if conn.IdP, err = sso.ParseIdPMetadata([]byte(body)); err != nil {
		t.Fatalf("%v\n%s", err, tail(body))
	}
	return conn
}

func npmLogin(t *testing.T, name string, v npmVariant, want sso.Profile) {
	t.Helper()
	l := login{name + " (npm)", npmVersion(t, name), v.name, v.reason}
	l.record(t)
	conn := startNPM(t, name, v)
	page, o := begin(t, conn, v.idpStarted, v.post)
	a := l.verify(t, conn, page, o)
	if a == nil {
		return
	}
	sameProfile(t, conn, a, want)
	if a.Subject.Value != "алиса@example.com" {
		t.Errorf("NameID %q", a.Subject.Value)
	}
}

const (
	xmlenc   = "http://www.w3.org/2001/04/xmlenc#"
	xmlenc11 = "http://www.w3.org/2009/xmlenc11#"
)

func TestSamlpLogin(t *testing.T) {
	for _, v := range []npmVariant{
		{name: "signed assertion", signAssertion: true},
		{name: "signed response", signResponse: true},
		{name: "both signed", signResponse: true, signAssertion: true},
		{name: "POST", signAssertion: true, post: true},
		{name: "IdP-initiated", signAssertion: true, idpStarted: true},
		{name: "AES-256-GCM", signAssertion: true, encryption: xmlenc11 + "aes256-gcm"},
		{name: "AES-128-GCM, response signed", signResponse: true, encryption: xmlenc11 + "aes128-gcm"},
		{name: "AES-256-CBC, both signed", signResponse: true, signAssertion: true, encryption: xmlenc + "aes256-cbc"},
		{name: "AES-256-CBC, assertion signed", signAssertion: true, encryption: xmlenc + "aes256-cbc", reason: sso.ReasonEncrypted},
		{name: "nothing signed", reason: sso.ReasonUnsigned},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			npmLogin(t, "samlp", v, alice)
		})
	}
}

func TestSamlifyLogin(t *testing.T) {
	want := alice
	want.Groups = []string{"R&D <core>"}
	for _, v := range []npmVariant{
		{name: "signed assertion"},
		{name: "both signed", signResponse: true},
		{name: "POST", post: true},
		{name: "signed request", signRequests: true},
		{name: "signed request, POST", signRequests: true, post: true},
		{name: "IdP-initiated", idpStarted: true},
		{name: "AES-256-GCM, encrypted and then signed", signResponse: true, encryption: xmlenc11 + "aes256-gcm", keyEncryption: xmlenc + "rsa-oaep-mgf1p", order: "encrypt-then-sign"},
		// The Response is signed with the plain assertion in it and sent with
		// the encrypted one: its signature does not hold for what was sent.
		{name: "AES-256-GCM, signed and then encrypted", signResponse: true, encryption: xmlenc11 + "aes256-gcm", keyEncryption: xmlenc + "rsa-oaep-mgf1p", reason: sso.ReasonSignature},
		{name: "AES-256-CBC, encrypted and then signed", signResponse: true, encryption: xmlenc + "aes256-cbc", keyEncryption: xmlenc + "rsa-oaep-mgf1p", order: "encrypt-then-sign"},
		{name: "RSA 1.5", signResponse: true, order: "encrypt-then-sign", encryption: xmlenc11 + "aes256-gcm", keyEncryption: xmlenc + "rsa-1_5", reason: sso.ReasonEncrypted},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			npmLogin(t, "samlify", v, want)
		})
	}
}
