package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
)

// TestMain lets the test binary be the command, so that tests run it as people
// do: in a process of its own, with its exit code.
func TestMain(m *testing.M) {
	if os.Getenv("SSO_TEST_COMMAND") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

type result struct {
	code     int
	out, err string
}

func runSSO(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "SSO_TEST_COMMAND=1", "NO_COLOR=")
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

const traces = "../../testdata/traces/"

func TestTrace(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"refused", []string{traces + "audience.json"}, 1, []string{"trace of connection \"acme\" (Acme), flow login, reference K7QWE-22MPA", "refused at 2026-03-01T09:00:10Z", "failed   audience", "→ the audience differs only by the final slash"}},
		{"accepted, decrypted", []string{traces + "encrypted.json"}, 0, []string{"accepted at 2026-03-01T09:00:10Z"}},
		{"another key", []string{traces + "wrong-key.json"}, 1, []string{"failed   assertion signature"}},
		{"expired", []string{traces + "expired.json"}, 1, []string{"failed   validity"}},
		{"at another time", []string{"-time", "2026-03-01T09:00:30Z", traces + "expired.json"}, 0, []string{"accepted at 2026-03-01T09:00:30Z"}},
		{"to another request", []string{"-request", "_other", traces + "encrypted.json"}, 1, []string{"failed   in response to"}},
		{"to no request", []string{"-idp-initiated", traces + "encrypted.json"}, 1, []string{"failed   in response to"}},
		{"not compared", []string{"-request", "any", traces + "encrypted.json"}, 0, []string{"warning  in response to", "accepted"}},
		{"with another connection", []string{"-connection", "../../testdata/connections/version1.json", traces + "encrypted.json"}, 1, []string{"failed   destination", "failed   issuer"}},
		{"the document", []string{"-xml", traces + "encrypted.json"}, 0, []string{"<samlp:Response", "<saml:NameID", "@redacted.invalid"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			check(t, runSSO(t, "", append([]string{"inspect"}, k.args...)...), k.code, k.says...)
		})
	}
}

func check(t *testing.T, r result, code int, says ...string) {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf(format+"\noutput:\n%s\nerrors:\n%s", append(args, r.out, r.err)...)
	}
	if r.code != code {
		bad("exit code %d, want %d", r.code, code)
	}
	for _, s := range says {
		if !strings.Contains(r.out+r.err, s) {
			bad("nothing says %q", s)
		}
	}
	if strings.Contains(r.out+r.err, "\x1b") {
		bad("colours, and no terminal")
	}
	if code == exitUsage && r.out != "" {
		bad("a mistake is told on the standard output")
	}
}

// pasted is a vector with its connection in a file.
func pasted(t *testing.T, name string) (v *vectors.Vector, connection string) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/vectors/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	if v, err = vectors.Parse(name, data); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile("../../testdata/vectors/connections/" + v.Connection + ".json"); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Certificates []string
		Connection   sso.Connection
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range file.Certificates {
		data, err := os.ReadFile("../../testdata/keys/" + name + ".crt.pem")
		if err != nil {
			t.Fatal(err)
		}
		certs, err := sso.ParseCertificates(string(data))
		if err != nil {
			t.Fatal(err)
		}
		file.Connection.IdP.Certificates = append(file.Connection.IdP.Certificates, certs...)
	}
	text, err := json.Marshal(&file.Connection)
	if err != nil {
		t.Fatal(err)
	}
	connection = filepath.Join(t.TempDir(), "conn.json")
	if err := os.WriteFile(connection, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return v, connection
}

// TestPasted takes an answer in every shape in which people have it.
func TestPasted(t *testing.T) {
	t.Parallel()
	v, conn := pasted(t, "basic-assertion")
	form, at := v.FormValue(), v.Now.Format(time.RFC3339Nano)
	for name, input := range map[string]string{
		"the form value":        form,
		"in lines":              strings.Join(strings.SplitAfter(form, "a"), "\r\n"),
		"percent-encoded":       url.QueryEscape(form),
		"the body":              "SAMLResponse=" + url.QueryEscape(form) + "&RelayState=x%2By",
		"the body, other order": "RelayState=x&SAMLResponse=" + url.QueryEscape(form),
		"the body, decoded":     "RelayState=x&SAMLResponse=" + form,
		"XML":                   string(v.Body),
		"XML with a BOM":        "\ufeff\n" + string(v.Body) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, runSSO(t, input, "inspect", "-connection", conn, "-request", v.Request, "-time", at), 0, "accepted at")
			check(t, runSSO(t, input, "inspect", "-connection", conn, "-request", "_other", "-time", at, "-"), 1, "failed   in response to")
			check(t, runSSO(t, input, "inspect", "-connection", conn, "-request", "any", "-time", at), 0, "warning  in response to", "not compared")
		})
	}
	file := filepath.Join(t.TempDir(), "response.xml")
	if err := os.WriteFile(file, v.Body, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, runSSO(t, "", "inspect", "-connection", conn, "-request", v.Request, file), 1, "failed   issue instant", "failed   validity")
	check(t, runSSO(t, form, "inspect", "-xml"), 0, "<samlp:Response")

	un, conn := pasted(t, "unsolicited-ok")
	at = un.Now.Format(time.RFC3339Nano)
	check(t, runSSO(t, un.FormValue(), "inspect", "-connection", conn, "-idp-initiated", "-time", at), 0, "accepted at")
	check(t, runSSO(t, un.FormValue(), "inspect", "-connection", conn, "-request", "any", "-time", at), 0, "accepted at")
	check(t, runSSO(t, un.FormValue(), "inspect", "-connection", conn, "-request", "_request", "-time", at), 1, "failed   in response to")
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	v, conn := pasted(t, "encrypted-response-signed-ok")
	args := []string{"inspect", "-connection", conn, "-request", v.Request, "-time", v.Now.Format(time.RFC3339Nano)}
	check(t, runSSO(t, v.FormValue(), append(args, "-key", "../../testdata/keys/"+v.Keys[0]+".key.pem")...), 0, "accepted at")
	check(t, runSSO(t, v.FormValue(), args...), 1, "failed   decryption")
	check(t, runSSO(t, v.FormValue(), append(args, "-key", "../../testdata/keys/idp.crt.pem")...), 2, "there is no PRIVATE KEY")
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for file, accepted := range map[string]bool{"audience.json": false, "encrypted.json": true} {
		r := runSSO(t, "", "inspect", "-json", "-color", "always", traces+file)
		var got struct {
			Accepted *bool `json:"accepted"`
			sso.Report
		}
		d := json.NewDecoder(strings.NewReader(r.out))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%v\n%s", err, r.out)
		}
		if got.Accepted == nil || *got.Accepted != accepted || got.OK() != accepted || (r.code == 0) != accepted {
			t.Errorf("%s: exit code %d with\n%s", file, r.code, r.out)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	v, conn := pasted(t, "basic-assertion")
	form := v.FormValue()
	private := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(private, []byte("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"nothing", "", nil, 2, "usage:"},
		{"help", "", []string{"help"}, 0, "usage:"},
		{"help of inspect", "", []string{"inspect", "-h"}, 0, "SAMLResponse, which needs -connection"},
		{"another command", "", []string{"verify"}, 2, `there is no command "verify"`},
		{"another flag", "", []string{"inspect", "-jsonn"}, 2, "-jsonn"},
		{"another colour", form, []string{"inspect", "-color", "red"}, 2, "-color red"},
		{"two files", "", []string{"inspect", traces + "audience.json", "-json"}, 2, "flags stand before it"},
		{"no such file", "", []string{"inspect", "/nowhere.json"}, 2, "/nowhere.json"},
		{"no input", " \n", []string{"inspect"}, 2, "empty"},
		{"too much input", strings.Repeat("A", 8<<20), []string{"inspect"}, 2, "longer than"},
		{"no connection", form, []string{"inspect", "-request", "x"}, 2, "-connection"},
		{"no request", form, []string{"inspect", "-connection", conn}, 2, "-request any"},
		{"two kinds", form, []string{"inspect", "-connection", conn, "-request", "x", "-idp-initiated"}, 2, "exclude each other"},
		{"no time", form, []string{"inspect", "-connection", conn, "-request", "x", "-time", "yesterday"}, 2, "-time yesterday"},
		{"a trace for a connection", form, []string{"inspect", "-connection", traces + "audience.json", "-request", "x"}, 2, "is not a field of a connection"},
		{"a connection for a trace", "", []string{"inspect", "../../testdata/connections/version1.json"}, 2, "is not a field of a trace"},
		{"JSON that is neither", "{}", []string{"inspect"}, 2, "version"},
		{"a bad key", form, []string{"inspect", "-connection", conn, "-request", "x", "-key", private}, 2, "cannot be read"},
		{"a bad form", "SAMLResponse=%zz", []string{"inspect", "-connection", conn, "-request", "x"}, 2, "cannot be read"},
		{"two answers", "SAMLResponse=a&SAMLResponse=b", []string{"inspect", "-connection", conn, "-request", "x"}, 2, "2 fields"},
		{"no answer at all", "hello", []string{"inspect", "-connection", conn, "-request", "x"}, 1, "failed   encoding"},
		{"no document", "???", []string{"inspect", "-xml"}, 2, "not base64"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := runSSO(t, k.stdin, k.args...)
			check(t, r, k.code, k.says)
			if strings.Contains(r.err, "c2VjcmV0") || strings.Contains(r.err, "secret") {
				t.Error("the private key is repeated")
			}
		})
	}
}

func TestColour(t *testing.T) {
	t.Parallel()
	plain := runSSO(t, "", "inspect", traces+"audience.json").out
	if never := runSSO(t, "", "inspect", "-color", "never", traces+"audience.json").out; never != plain {
		t.Errorf("never and a pipe differ:\n%s", cmp.Diff(plain, never))
	}
	painted := runSSO(t, "", "inspect", "-color", "always", traces+"audience.json").out
	for _, want := range []string{"\x1b[1m\x1b[31mfailed\x1b[0m   audience", "\x1b[32mpassed\x1b[0m   xml", "\x1b[36m         →"} {
		if !strings.Contains(painted, want) {
			t.Errorf("there is no %q in\n%s", want, painted)
		}
	}
	stripped := painted
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"} {
		stripped = strings.ReplaceAll(stripped, code, "")
	}
	if diff := cmp.Diff(plain, stripped); diff != "" {
		t.Errorf("colours change the text (-plain +painted):\n%s", diff)
	}
}

// TestTerminalIsSafe: what a sender writes does not reach the terminal as a
// command to it.
func TestTerminalIsSafe(t *testing.T) {
	t.Parallel()
	v, conn := pasted(t, "basic-assertion")
	hostile := strings.Replace(string(v.Body), "</saml:Audience>", "\u009b31m\u202e</saml:Audience>", 1)
	if hostile == string(v.Body) {
		t.Fatal("nothing was replaced")
	}
	form := base64.StdEncoding.EncodeToString([]byte(hostile))
	for _, args := range [][]string{{"inspect", "-connection", conn, "-request", v.Request}, {"inspect", "-xml"}} {
		if r := runSSO(t, form, args...); strings.ContainsAny(r.out, "\u009b\u202e") || r.out == "" {
			t.Errorf("%q lets control characters through:\n%q", args, r.out)
		}
	}
}

// TestColourful: colours go to terminals only, and not if the environment says no.
func TestColourful(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.Open(os.DevNull) // a character device, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if colourful(file) || !colourful(device) {
		t.Errorf("a file: %v, a device: %v", colourful(file), colourful(device))
	}
	t.Setenv("NO_COLOR", "1")
	if colourful(device) {
		t.Error("NO_COLOR is not heeded")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if colourful(device) {
		t.Error("colours on a dumb terminal")
	}
}
