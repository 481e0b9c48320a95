package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ssoconn/sso"
)

// pysaml2Variant is one way to configure pysaml2's IdP.
type pysaml2Variant struct {
	name                        string
	signResponse, signAssertion bool
	encrypt                     bool
	signRequests                bool
	post                        bool
	idpStarted, denies, nobody  bool
	signAlg, digestAlg          string
	encryption                  []string   // content algorithm and xmlsec1's name for its key
	reason                      sso.Reason // of the refusal, empty for a sign-in
}

// pysaml2Version is what Debian's package says of itself.
var pysaml2Version = sync.OnceValue(func() string {
	out, err := exec.Command("/usr/bin/python3", "-c", "from importlib.metadata import version; print(version('pysaml2'))").Output()
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(out))
})

// startPysaml2 runs the IdP and returns a connection to it, made from its own
// metadata.
func startPysaml2(t *testing.T, v pysaml2Variant) *sso.Connection {
	t.Helper()
	python := "/usr/bin/python3"
	need(t, exec.Command(python, "-c", "import saml2").Run() == nil, "pysaml2 (Debian: python3-pysaml2)")
	xmlsec, err := exec.LookPath("xmlsec1")
	need(t, err == nil, "xmlsec1")
	// Not t.TempDir: it takes the comma of a variant's name into the path, at
	// which xmlsec1 splits it.
	dir, err := os.MkdirTemp("", "pysaml2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conn := &sso.Connection{ID: "pysaml2", SP: serviceProvider(t), SignRequests: v.signRequests}
	conn.RequireSignedAssertion = v.signAssertion
	md, err := conn.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sp.xml"), md, 0o600); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "../testdata/keys/idp.key.pem", filepath.Join(dir, "idp.key.pem"))
	copyFile(t, "../testdata/keys/idp.crt.pem", filepath.Join(dir, "idp.crt.pem"))
	port := freePort(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	config, err := json.Marshal(map[string]any{
		"port": port, "base": base, "dir": dir, "xmlsec1": xmlsec,
		"sign_response": v.signResponse, "sign_assertion": v.signAssertion, "encrypt_assertion": v.encrypt,
		"want_signed": v.signRequests, "want_signed_post": v.signRequests && v.post, "encryption": v.encryption, "sign_alg": v.signAlg, "digest_alg": v.digestAlg,
		"name_id": "алиса@example.com", "sp_slo": sloURL, "sp_entity_id": entityID, "acs": acsURL, "denies": v.denies, "nobody": v.nobody,
		"identity": map[string]any{"givenName": "Алиса 🐇", "sn": "Лидделл", "mail": "alice@example.com", "isMemberOf": []string{"Продажи", "Support", "R&D <core>"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(python, "pysaml2/idp.py", file), base+"/healthy")
	resp, body := fetch(t, base+"/metadata")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("metadata: %s\n%s", resp.Status, tail(body))
	}
	if conn.IdP, err = sso.ParseIdPMetadata([]byte(body)); err != nil {
		t.Fatalf("%v\n%s", err, tail(body))
	}
	return conn
}

func TestPysaml2Login(t *testing.T) {
	const (
		rsa   = "http://www.w3.org/2001/04/xmldsig-more#rsa-"
		enc   = "http://www.w3.org/2001/04/xmlenc#"
		enc11 = "http://www.w3.org/2009/xmlenc11#"
	)
	for _, v := range []pysaml2Variant{
		{name: "signed response", signResponse: true},
		{name: "signed assertion", signAssertion: true},
		{name: "both signed", signResponse: true, signAssertion: true},
		{name: "both signed, SHA-512", signResponse: true, signAssertion: true, signAlg: rsa + "sha512", digestAlg: "http://www.w3.org/2001/04/xmlenc#sha512"},
		{name: "IdP-initiated", signAssertion: true, idpStarted: true},
		{name: "signed request by redirect", signAssertion: true, signRequests: true},
		{name: "signed request by POST", signAssertion: true, signRequests: true, post: true},
		{name: "signed response, encrypted assertion", signResponse: true, encrypt: true},
		{name: "both signed, encrypted assertion", signResponse: true, signAssertion: true, encrypt: true},
		{name: "signed assertion, encrypted", signAssertion: true, encrypt: true},
		{name: "AES-128-GCM", signResponse: true, encrypt: true, encryption: []string{enc11 + "aes128-gcm", "aes-128"}},
		{name: "AES-256-CBC, signed response", signResponse: true, encrypt: true, encryption: []string{enc + "aes256-cbc", "aes-256"}},
		{name: "AES-256-CBC, signed assertion only", signAssertion: true, encrypt: true, encryption: []string{enc + "aes256-cbc", "aes-256"}, reason: sso.ReasonEncrypted},
		{name: "3DES, pysaml2's own choice", signResponse: true, encrypt: true, encryption: []string{"", ""}, reason: sso.ReasonEncrypted},
		{name: "SHA-1, pysaml2's own choice", signResponse: true, signAlg: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", digestAlg: "http://www.w3.org/2000/09/xmldsig#sha1", reason: sso.ReasonAlgorithm},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			l := login{"pysaml2", pysaml2Version(), v.name, v.reason}
			l.record(t)
			if v.signAlg == "" {
				// pysaml2 7.0 signs with SHA-1 unless told otherwise.
				v.signAlg, v.digestAlg = rsa+"sha256", "http://www.w3.org/2001/04/xmlenc#sha256"
			}
			conn := startPysaml2(t, v)
			page, o := begin(t, conn, v.idpStarted, v.post)
			action, fields := form(t, page)
			if action != acsURL || fields.Get("RelayState") != "handle" {
				t.Errorf("posts to %q with RelayState %q", action, fields.Get("RelayState"))
			}
			a := l.verify(t, conn, page, o)
			if a == nil {
				return
			}
			sameProfile(t, conn, a, alice)
			if a.Subject.Value != "алиса@example.com" {
				t.Errorf("NameID %q", a.Subject.Value)
			}
			if _, err := conn.VerifyResponse(context.Background(), fields.Get("SAMLResponse"), sso.VerifyOptions{RequestID: "_other"}); err == nil {
				t.Error("the answer was taken for that to another request")
			}
		})
	}
}
