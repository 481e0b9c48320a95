package sso

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fullConnection(tb testing.TB) *Connection {
	tb.Helper()
	index := 3
	return &Connection{
		ID: "c1", Name: "Акме", SP: ServiceProvider{EntityID: "https://app.example.com", ACSURL: "https://app.example.com/acs", SLOURL: "https://app.example.com/slo"},
		IdP:         IdentityProvider{EntityID: "http://idp", SSOURL: "https://idp/sso", Certificates: Certificates{testKey(tb, "idp").Certificate, testKey(tb, "idp2").Certificate}},
		DefaultRole: "Agent", AllowedGroups: []string{"Sales"}, Attributes: AttributeMap{Email: "mail"}, KeepNames: true, ClockSkew: 90 * time.Second,
		SignRequests: true, SignatureMethod: RSASHA512, Request: RequestOptions{ForceAuthn: true, AttributeConsumingServiceIndex: &index, AuthnContext: []string{"urn:x"}},
		AllowIdPInitiated: true, Enabled: true,
		LastTest: &TestRecord{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), By: "admin", Passed: true, Fingerprints: map[string]string{"x": "y"}},
	}
}

func TestConnectionJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []*Connection{{}, fullConnection(t)} {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Connection
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(c, &back); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
		if !strings.Contains(string(text), `"version":1`) {
			t.Errorf("no version in %s", text)
		}
	}
}

// TestConnectionJSONHoldsNoKey walks the text of a connection with every key
// set, for any trace of them.
func TestConnectionJSONHoldsNoKey(t *testing.T) {
	t.Parallel()
	c := fullConnection(t)
	key := testKey(t, "sp-signing")
	c.SP.SigningKey, c.SP.NextSigningKey, c.SP.DecryptionKeys = key, key, []KeyPair{*key}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"PRIVATE", "signingKey", "SigningKey", "decryption", "Decryption", `"Private"`} {
		if strings.Contains(string(text), word) {
			t.Errorf("the JSON contains %q", word)
		}
	}
	back := Connection{SP: c.SP}
	if err := json.Unmarshal(text, &back); err != nil || back.SP.SigningKey != key {
		t.Errorf("the keys that the application had put in are lost: %v", err)
	}
}

// TestOldConnections loads every shape that was ever stored.
func TestOldConnections(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/connections/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("no stored connections: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c Connection
		if err := json.Unmarshal(text, &c); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if c.ID != "acme" || c.ClockSkew != 90*time.Second || len(c.IdP.Certificates) != 1 || !c.Enabled {
			t.Errorf("%s: read as %+v", file, c)
		}
		// The fingerprints of a release are stored at customers: another way
		// to make them would switch off every one of them.
		if c.LastTest != nil && !c.Ready() {
			t.Errorf("%s: no longer ready, changed %q", file, c.ChangedSinceTest())
		}
	}
}

func TestConnectionJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, field string }{
		{"an unknown field", `{"version":1,"id":"x","enabeld":true}`, "enabeld"},
		{"an unknown field inside", `{"version":1,"idp":{"ssoURL":"y","ssoUrl2":"x"}}`, "idp.ssoUrl2"},
		{"an unknown field behind a pointer", `{"version":1,"lastTest":{"passt":true}}`, "lastTest.passt"},
		{"an unknown field inside, of version 0", `{"clockSkew":5,"attributes":{"mail":"x"}}`, "attributes.mail"},
		{"a newer version", `{"version":2}`, "version"},
		{"a negative version", `{"version":-1}`, "version"},
		{"the wrong type", `{"version":1,"enabled":"yes"}`, "enabled"},
		{"the wrong type inside", `{"version":1,"idp":{"ssoURL":7}}`, "idp.ssoURL"},
		{"a private key", `{"version":1,"sp":{"signingKey":"x"}}`, "sp.signingKey"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var conn Connection
			err := json.Unmarshal([]byte(c.text), &conn)
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Field != c.field {
				t.Errorf("got %v, want a FieldError of %s", err, c.field)
			}
		})
	}
	for _, text := range []string{``, `[]`, `{"version":1`, `{"version":1,"clockSkew":"soon"}`, `{"version":1,"idp":{"certificates":"rubbish"}}`} {
		var conn Connection
		if err := json.Unmarshal([]byte(text), &conn); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

// FuzzConnectionJSON: what loads is written and loads again as the same.
func FuzzConnectionJSON(f *testing.F) {
	text, err := json.Marshal(fullConnection(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"id":"x","clockSkew":5}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Connection
		if json.Unmarshal(text, &c) != nil {
			return
		}
		again, err := json.Marshal(&c)
		if err != nil {
			t.Skip("a time out of range cannot be written")
		}
		var back Connection
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		third, err := json.Marshal(&back)
		if err != nil || string(third) != string(again) {
			t.Fatalf("%v\n%s\n%s", err, again, third)
		}
	})
}
