package interop

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testtool"
)

const (
	acsURL   = "https://app.example.com/saml/acs"
	sloURL   = "https://app.example.com/saml/slo"
	entityID = "https://app.example.com/saml/metadata"
)

// need skips a test whose IdP is not there; where CI demands all of them, it
// fails it.
func need(t *testing.T, ok bool, what string) {
	t.Helper()
	if !ok {
		testtool.Missing(t, what+" is not installed")
	}
}

// keyPair reads one of the repository's test keys.
func keyPair(t *testing.T, name string) sso.KeyPair {
	t.Helper()
	dir := "../testdata/keys/"
	keyPEM, err := os.ReadFile(dir + name + ".key.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(keyPEM)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	certPEM, err := os.ReadFile(dir + name + ".crt.pem")
	if err != nil {
		t.Fatal(err)
	}
	certs, err := sso.ParseCertificates(string(certPEM))
	if err != nil {
		t.Fatal(err)
	}
	return sso.KeyPair{Private: key.(crypto.PrivateKey), Certificate: certs[0]}
}

// serviceProvider is our side of every connection here.
func serviceProvider(t *testing.T) sso.ServiceProvider {
	t.Helper()
	signing, encryption := keyPair(t, "sp-signing"), keyPair(t, "sp-encryption")
	return sso.ServiceProvider{EntityID: entityID, ACSURL: acsURL, SLOURL: sloURL, SigningKey: &signing, DecryptionKeys: []sso.KeyPair{encryption}}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a server until the test ends and waits until it answers at ready.
func start(t *testing.T, cmd *exec.Cmd, ready string) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), tail(out.String()))
		}
	})
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(ready); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-done:
			t.Fatalf("%s ended:\n%s", cmd.Path, tail(out.String()))
		default:
		}
	}
	t.Fatalf("%s did not answer at %s", cmd.Path, ready)
}

func tail(s string) string {
	if len(s) > 4000 {
		s = "…" + s[len(s)-4000:]
	}
	return s
}

// browser follows no redirect: what leads to our addresses, where nothing
// listens, is what the tests want to look at.
var browser = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func fetch(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return resp, readBody(t, resp)
}

func readBody(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var (
	inputTag = regexp.MustCompile(`(?is)<input\s[^>]*>`)
	formTag  = regexp.MustCompile(`(?is)<form\s[^>]*>`)
	tagAttr  = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// form reads the first form of a page: where it goes and what it posts.
func form(t *testing.T, page string) (action string, fields url.Values) {
	t.Helper()
	fields = url.Values{}
	tag := formTag.FindString(page)
	if tag == "" {
		t.Fatalf("no form on the page:\n%s", tail(page))
	}
	action = tagAttrs(tag)["action"]
	for _, in := range inputTag.FindAllString(page, -1) {
		if a := tagAttrs(in); a["name"] != "" {
			fields.Add(a["name"], a["value"])
		}
	}
	return action, fields
}

func tagAttrs(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range tagAttr.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3])
	}
	return out
}

// table is where the outcome of every variant is written, as docs/interop.md:
//
//	go test ./interop -table ../docs/interop.md
var table = flag.String("table", "", "write the table of what passed into this `file`")

// results are the lines of the table, guarded by resultsMu.
var (
	resultsMu sync.Mutex
	results   []string
)

// record notes how one variant of one IdP came out, when its test ends.
func record(t *testing.T, idp, version, variant, expected string) {
	t.Helper()
	t.Cleanup(func() {
		outcome := expected
		switch {
		case t.Failed():
			outcome = "**failed**"
		case t.Skipped():
			outcome = "not run"
		}
		resultsMu.Lock()
		defer resultsMu.Unlock()
		results = append(results, fmt.Sprintf("| %s | %s | %s | %s |", idp, version, variant, outcome))
	})
}

// capturedMessage is an answer that a live IdP gave, for others to read too.
type capturedMessage struct {
	idp, variant string
	conn         *sso.Connection
	message      string
	o            sso.VerifyOptions
}

var captured []capturedMessage // guarded by resultsMu

func capture(idp, variant string, conn *sso.Connection, message string, o sso.VerifyOptions) {
	o.CurrentTime = time.Now()
	resultsMu.Lock()
	defer resultsMu.Unlock()
	captured = append(captured, capturedMessage{idp, variant, conn, message, o})
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if len(captured) > 0 && (*differential != "" || os.Getenv("SSO_TEST_REQUIRE") != "") {
		if err := differentialLive(); err != nil {
			fmt.Fprintln(os.Stderr, "differential:", err)
			code = 1
		}
	}
	if *table != "" {
		slices.Sort(results)
		text := interopHead + strings.Join(results, "\n") + "\n"
		if err := os.WriteFile(*table, []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const interopHead = `# Interoperability

What signed in, or was refused as it should be, at identity providers that others wrote. Each ran on loopback, in the
version given. This table is written by the tests that it speaks of:

    cd interop && go test . -table ../docs/interop.md

| identity provider | version | variant | outcome |
|---|---|---|---|
`
