package sso_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"github.com/ssoconn/sso/internal/vectors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// reread takes a trace through JSON, as a store does.
func reread(t testing.TB, trace *sso.Trace) *sso.Trace {
	t.Helper()
	text, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	var back sso.Trace
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(trace, &back); diff != "" {
		t.Fatalf("round trip (-want +got):\n%s", diff)
	}
	return &back
}

// line is what a report says of a check, without the values.
type line struct {
	Name   string
	Status sso.CheckStatus
	Reason sso.Reason
}

func lines(r *sso.Report) []line {
	var out []line
	for _, k := range r.Checks {
		out = append(out, line{k.Name, k.Status, k.Reason})
	}
	return out
}

// TestTraceVectors holds traces to what they are for: read back from JSON and
// without the keys, each comes to the same, check by check.
func TestTraceVectors(t *testing.T) {
	t.Parallel()
	redacted, decrypted, dropped := 0, 0, 0
	for _, v := range loadVectors(t) {
		c := vectorConnection(t, v)
		o := sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", CurrentTime: v.Now}
		want := c.InspectResponse(t.Context(), v.FormValue(), o)

		trace := reread(t, c.Trace(t.Context(), v.FormValue(), o))
		got := trace.Inspect(t.Context())
		switch {
		case trace.Response == "":
			dropped++
			if got.OK() || trace.Note == "" {
				t.Errorf("%s: a trace without its document, note %q, vouches for it:\n%s", v.Name, trace.Note, got)
			}
			if diff := cmp.Diff(lines(want), lines(trace.Report)); diff != "" {
				t.Errorf("%s: the report written (-want +got):\n%s", v.Name, diff)
			}
		default:
			redacted++
			if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
				t.Errorf("%s: redacted (-want +got):\n%s\n%s", v.Name, diff, got)
			}
			if diff := cmp.Diff(trace.Report, got); diff != "" {
				t.Errorf("%s: the report written and the one read back (-want +got):\n%s", v.Name, diff)
			}
			if trace.Assertion != "" {
				decrypted++
			}
		}

		full := c.FullTrace(t.Context(), v.FormValue(), o)
		if len(v.FormValue()) > 256<<10 {
			continue
		}
		full = reread(t, full)
		full.Connection.SP.DecryptionKeys = c.SP.DecryptionKeys
		if full.Response == "" {
			continue
		}
		if diff := cmp.Diff(want, full.Inspect(t.Context())); diff != "" {
			t.Errorf("%s: full (-want +got):\n%s", v.Name, diff)
		}
	}
	if redacted < 250 || decrypted < 5 || dropped < 5 {
		t.Errorf("%d redacted, %d of them decrypted, %d left out: too few to mean anything", redacted, decrypted, dropped)
	}
	t.Logf("%d redacted, %d of them decrypted, %d left out", redacted, decrypted, dropped)
}

// TestTraceNamesNobody looks for everything that a message says of a person in
// the trace of it.
func TestTraceNamesNobody(t *testing.T) {
	t.Parallel()
	looked := 0
	for _, v := range loadVectors(t) {
		if v.Expect != "ok" || len(v.FormValue()) > 128<<10 {
			continue
		}
		c := vectorConnection(t, v)
		c.LastTest = &sso.TestRecord{Time: v.Now, By: "ann the administrator", UserID: "user-4711",
			Stands: &sso.TestRecord{Time: v.Now, Passed: true, By: "bob who tested before", UserID: "user-4712"}}
		o := sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", Replay: vectorReplay(""), CurrentTime: v.Now}
		a, err := c.VerifyResponse(t.Context(), v.FormValue(), o)
		if err != nil {
			t.Fatal(err)
		}
		trace := c.Trace(t.Context(), v.FormValue(), o)
		if trace.SubjectDigest == "" && c.SubjectKey(a.Subject) != "" {
			t.Errorf("%s: no digest of the subject", v.Name)
		}
		said := everything(t, trace)
		personal := []string{a.Subject.Value, a.SessionIndex, c.LastTest.By, c.LastTest.UserID, c.LastTest.Stands.By, c.LastTest.Stands.UserID}
		for _, at := range a.Attributes {
			personal = append(personal, at.Values...)
			for _, id := range at.NameIDs {
				personal = append(personal, id.Value)
			}
		}
		for _, s := range personal {
			if s = strings.TrimSpace(s); len(s) < 3 || s == c.IdP.EntityID || s == a.ID {
				continue
			}
			looked++
			if strings.Contains(said, s) {
				t.Errorf("%s: the trace says %q", v.Name, s)
			}
		}
		if c.LastTest.By == "" || c.LastTest.Stands.By == "" {
			t.Fatal("the connection itself was changed")
		}
	}
	if looked < 300 {
		t.Errorf("looked for %d values only", looked)
	}
}

// everything is the text of a trace with its documents in the clear.
func everything(t testing.TB, trace *sso.Trace) string {
	t.Helper()
	text, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	said := string(text)
	for _, doc := range []string{trace.Response, trace.Assertion} {
		data, err := base64.StdEncoding.DecodeString(doc)
		if err != nil {
			t.Fatal(err)
		}
		said += string(data)
	}
	return said
}

// vector finds one by name.
func vector(t testing.TB, name string) (*vectors.Vector, *sso.Connection, sso.VerifyOptions) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vectors.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return v, vectorConnection(t, v), sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", CurrentTime: v.Now}
}

// TestTraceWhatIf changes the connection of a redacted trace, to see what the
// change would do.
func TestTraceWhatIf(t *testing.T) {
	t.Parallel()
	v, c, o := vector(t, "basic-assertion")
	other := vectorKey(t, "idp2").Certificate
	for _, k := range []struct {
		name   string
		before func(c *sso.Connection)
		change func(c *sso.Connection)
		first  sso.Reason // before the change
		then   sso.Reason // after it, "" for accepted
	}{
		{"nothing", func(*sso.Connection) {}, func(*sso.Connection) {}, "", ""},
		{"the audience corrected", func(c *sso.Connection) { c.SP.EntityID = "https://other.example.com" }, func(d *sso.Connection) { d.SP.EntityID = c.SP.EntityID }, sso.ReasonAudience, ""},
		{"the right certificate added", func(c *sso.Connection) { c.IdP.Certificates = sso.Certificates{other} },
			func(d *sso.Connection) { d.IdP.Certificates = append(d.IdP.Certificates, c.IdP.Certificates...) }, sso.ReasonKey, ""},
		{"another wrong certificate", func(c *sso.Connection) { c.IdP.Certificates = sso.Certificates{other} },
			func(d *sso.Connection) { d.IdP.Certificates = sso.Certificates{vectorKey(t, "idp-p256").Certificate} }, sso.ReasonKey, sso.ReasonKey},
		{"the certificate taken away", func(*sso.Connection) {}, func(d *sso.Connection) { d.IdP.Certificates = sso.Certificates{other} }, "", sso.ReasonKey},
		{"a signature demanded that is not there", func(*sso.Connection) {}, func(d *sso.Connection) { d.RequireSignedResponse = true }, "", sso.ReasonUnsigned},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			own := *c
			k.before(&own)
			trace := reread(t, own.Trace(t.Context(), v.FormValue(), o))
			wantReason(t, "as it was", trace.Inspect(t.Context()), k.first)
			k.change(trace.Connection)
			wantReason(t, "changed", trace.Inspect(t.Context()), k.then)
		})
	}
}

func wantReason(t *testing.T, when string, r *sso.Report, want sso.Reason) {
	t.Helper()
	got := sso.Reason("")
	if first := firstFailure(r); first != nil {
		got = first.Reason
	}
	if got != want || r.OK() != (want == "") {
		t.Errorf("%s: first failure %q, want %q:\n%s", when, got, want, r)
	}
}

// TestTraceOfForgery: redaction makes every digest fail, so what never held must
// not pass for what did.
func TestTraceOfForgery(t *testing.T) {
	t.Parallel()
	v, c, o := vector(t, "basic-assertion")
	text := string(v.Body)
	for _, k := range []struct {
		name, from, to string
		want           sso.Reason
	}{
		{"untouched", "", "", ""},
		{"another person", v.NameID, "mallory@example.com", sso.ReasonSignature},
		{"another signature value", "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", sso.ReasonSignature},
	} {
		if k.from != "" && !strings.Contains(text, k.from) {
			t.Fatalf("%s: %q is not in the vector", k.name, k.from)
		}
		form := base64.StdEncoding.EncodeToString([]byte(strings.Replace(text, k.from, k.to, 1)))
		trace := reread(t, c.Trace(t.Context(), form, o))
		got := trace.Inspect(t.Context())
		if (len(trace.Intact) == 1) != (k.want == "") {
			t.Errorf("%s: intact: %q", k.name, trace.Intact)
		}
		if diff := cmp.Diff(lines(c.InspectResponse(t.Context(), form, o)), lines(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k.name, diff)
		}
		if k.want == "" && !got.OK() || k.want != "" && got.OK() {
			t.Errorf("%s:\n%s", k.name, got)
		}
	}
	// The key of the message itself is no key of ours, and a digest that the
	// trace knows nothing of is not taken for one that held.
	other := *c
	other.IdP.Certificates = sso.Certificates{vectorKey(t, "idp2").Certificate}
	trace := other.Trace(t.Context(), v.FormValue(), o)
	wantReason(t, "another key", trace.Inspect(t.Context()), sso.ReasonKey)
	trace.Connection.IdP.Certificates, trace.Intact = c.IdP.Certificates, nil
	wantReason(t, "a digest that nobody knows", trace.Inspect(t.Context()), sso.ReasonSignature)
}

// TestTraceBounds: a trace is small, whatever came.
func TestTraceBounds(t *testing.T) {
	t.Parallel()
	v, c, o := vector(t, "basic-assertion")
	const open = "<saml:AttributeStatement>"
	text := string(v.Body)
	if !strings.Contains(text, open) {
		t.Fatal("the vector has no attributes")
	}
	big := func(n int) string {
		many := strings.Repeat(`<saml:Attribute Name="n"><saml:AttributeValue>g</saml:AttributeValue></saml:Attribute>`, n)
		names := ""
		for i := range min(n, 1000) {
			names += `<saml:Attribute Name="attribute-number-` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `"/>`
		}
		return base64.StdEncoding.EncodeToString([]byte(strings.Replace(text, open, open+many+names, 1)))
	}
	for _, k := range []struct {
		name, form string
		kept       bool
	}{
		{"as usual", v.FormValue(), true},
		{"many attributes", big(1000), true},
		{"longer when redacted than may be read", big(20_000), false},
		{"too long to be read", strings.Repeat("QUJD", 2<<20), false},
		{"no base64", strings.Repeat("?", 100_000), false},
		{"no XML", base64.StdEncoding.EncodeToString([]byte("<html>" + strings.Repeat("a", 100_000))), false},
		{"other XML", base64.StdEncoding.EncodeToString([]byte("<html>ann@example.com</html>")), true},
		{"nothing", "", false},
	} {
		for what, trace := range map[string]*sso.Trace{"redacted": c.Trace(t.Context(), k.form, o), "full": c.FullTrace(t.Context(), k.form, o)} {
			text, err := json.Marshal(trace)
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > 320<<10 {
				t.Errorf("%s, %s: %d bytes", k.name, what, len(text))
			}
			if what == "redacted" && ((trace.Response != "") != k.kept || (trace.Note == "") != k.kept || strings.Contains(everything(t, trace), "ann@")) {
				t.Errorf("%s: kept %d bytes, note %q", k.name, len(trace.Response), trace.Note)
			}
			reread(t, trace)
			want := c.InspectResponse(t.Context(), k.form, o)
			if diff := cmp.Diff(lines(want), lines(trace.Report)); diff != "" {
				t.Errorf("%s, %s: the report (-want +got):\n%s", k.name, what, diff)
			}
			if got := trace.Inspect(t.Context()); trace.Response == "" && got.OK() {
				t.Errorf("%s, %s: no document, and\n%s", k.name, what, got)
			}
		}
	}
}

// TestTraceUnusable: what cannot be verified can still be written down.
func TestTraceUnusable(t *testing.T) {
	t.Parallel()
	v, c, o := vector(t, "basic-assertion")
	bare := *c
	bare.IdP.Certificates = nil
	for name, trace := range map[string]*sso.Trace{
		"no request":         c.Trace(t.Context(), v.FormValue(), sso.VerifyOptions{CurrentTime: v.Now}),
		"no certificate":     bare.Trace(t.Context(), v.FormValue(), o),
		"no connection":      (*sso.Connection)(nil).Trace(t.Context(), v.FormValue(), o),
		"no connection, all": (*sso.Connection)(nil).FullTrace(t.Context(), v.FormValue(), o),
		"no time":            c.Trace(t.Context(), v.FormValue(), sso.VerifyOptions{RequestID: o.RequestID}),
		"nothing at all":     {},
	} {
		if trace.Report != nil {
			reread(t, trace)
		}
		if r := trace.Inspect(t.Context()); r.OK() || firstFailure(r) == nil {
			t.Errorf("%s:\n%s", name, r)
		}
		if !strings.HasSuffix(name, "all") && strings.Contains(everything(t, trace), v.NameID) {
			t.Errorf("%s: names the person", name)
		}
	}
}

func TestTraceStatusMessage(t *testing.T) {
	t.Parallel()
	const message = `The user ann@example.com is not assigned to (bob@example.com) the application`
	form := base64.StdEncoding.EncodeToString([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0" IssueInstant="2026-03-01T09:00:00Z"><samlp:Status>` +
		`<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/><samlp:StatusMessage>` + message + `</samlp:StatusMessage></samlp:Status></samlp:Response>`))
	_, c, o := vector(t, "basic-assertion")
	trace := c.Trace(t.Context(), form, o)
	first := firstFailure(trace.Report)
	if first == nil || first.Reason != sso.ReasonStatus || !strings.Contains(first.Got, "is not assigned to") || strings.Contains(everything(t, trace), "example.com is") {
		t.Errorf("got %+v", first)
	}
	for _, name := range []string{"ann@", "bob@"} {
		if strings.Contains(everything(t, trace), name) {
			t.Errorf("the trace names %s", name)
		}
	}
}

func TestTraceJSONRefuses(t *testing.T) {
	t.Parallel()
	v, c, o := vector(t, "basic-assertion")
	text, err := json.Marshal(c.Trace(t.Context(), v.FormValue(), o))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ name, from, to, field string }{
		{"as it was", "", "", ""},
		{"a newer version", `"version":1,"time"`, `"version":2,"time"`, "version"},
		{"no version", `"version":1,"time"`, `"time"`, "version"},
		{"an unknown field", `"redacted":`, `"redactet":`, "redactet"},
		{"an unknown field of the connection", `"idp":{`, `"idp":{"ssoURI":"x",`, "connection.idp.ssoURI"},
		{"a connection of a newer version", `"connection":{"version":1`, `"connection":{"version":9`, "connection.version"},
		{"an unknown field of the report", `"report":{`, `"report":{"ok":true,`, "report.ok"},
		{"another type", `"redacted":true`, `"redacted":"yes"`, "redacted"},
	} {
		if k.from != "" && !strings.Contains(string(text), k.from) {
			t.Fatalf("%s: %s is not in %s", k.name, k.from, text)
		}
		var trace sso.Trace
		err := json.Unmarshal([]byte(strings.Replace(string(text), k.from, k.to, 1)), &trace)
		var fe *sso.FieldError
		if k.field == "" && err != nil || k.field != "" && (!errors.As(err, &fe) || fe.Field != k.field) {
			t.Errorf("%s: got %v, want a FieldError of %q", k.name, err, k.field)
		}
	}
}

// TestStoredTraces reads what releases have written: each still loads, and still
// comes to what it came to.
func TestStoredTraces(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/traces/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d stored traces, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var trace sso.Trace
		if err := json.Unmarshal(text, &trace); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := trace.Inspect(t.Context())
		if diff := cmp.Diff(lines(trace.Report), lines(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		wantReason(t, file, got, sso.Reason(trace.Reason))
	}
}

// FuzzTrace cuts a piece out of a message and puts something else there: the
// trace of it, without values and without keys, comes to the same.
func FuzzTrace(f *testing.F) {
	type original struct {
		c    *sso.Connection
		o    sso.VerifyOptions
		text string
	}
	var all []original
	for _, name := range []string{"basic-assertion", "basic-both", "basic-response", "profile-entra-ok", "encrypted-response-signed-ok", "xml-cdata-ok", "xml-namespaces-ok"} {
		v, c, o := vector(f, name)
		all = append(all, original{c, o, string(v.Body)})
	}
	for i, x := range all {
		f.Add(uint8(i), uint16(0), uint16(0), "")
		for _, at := range []string{"<saml:NameID", "</saml:NameID>", "<ds:Signature", "InResponseTo", "<saml:AttributeValue>", "</saml:AttributeValue>", "<xenc:CipherValue>"} {
			if j := strings.Index(x.text, at); j >= 0 {
				f.Add(uint8(i), uint16(j), uint16(0), "<!-- x -->")
				f.Add(uint8(i), uint16(j+len(at)), uint16(3), " &#xD;\u200b@")
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint16, put string) {
		x := all[int(which)%len(all)]
		from := int(at) % len(x.text)
		form := base64.StdEncoding.EncodeToString([]byte(x.text[:from] + put + x.text[min(from+int(cut), len(x.text)):]))
		want := x.c.InspectResponse(t.Context(), form, x.o)
		trace := x.c.Trace(t.Context(), form, x.o)
		if diff := cmp.Diff(lines(want), lines(trace.Report)); diff != "" {
			t.Fatalf("the report of the trace (-want +got):\n%s\n%s", diff, want)
		}
		trace = reread(t, trace)
		if got := trace.Inspect(t.Context()); trace.Response == "" && got.OK() || trace.Response != "" && !cmp.Equal(lines(want), lines(got)) {
			t.Fatalf("inspected again (-want +got):\n%s\n%s", cmp.Diff(lines(want), lines(got)), got)
		}
	})
}
