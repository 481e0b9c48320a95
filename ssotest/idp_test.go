package ssotest

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

var ann = Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee", Groups: []string{"Sales", "Everyone"}}

const requestID = "_request"

func fixedNow() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// fixedKey loads one of the test keys of the repository.
func fixedKey(t *testing.T, name string) *sso.KeyPair {
	t.Helper()
	read := func(file string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "testdata", "keys", file))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if block == nil {
			t.Fatalf("%s: no PEM", file)
		}
		return block.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(read(name + ".key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(read(name + ".crt.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &sso.KeyPair{Private: key.(crypto.Signer), Certificate: certificate}
}

// memory is a replay memory.
type memory struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (m *memory) Remember(_ context.Context, key string, _ time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	fresh := !m.seen[key]
	m.seen[key] = true
	return fresh, nil
}

func verify(t *testing.T, c *sso.Connection, message string, replay sso.ReplayCache) (*sso.Assertion, error) {
	t.Helper()
	return c.VerifyResponse(t.Context(), message, sso.VerifyOptions{RequestID: requestID, Replay: replay, CurrentTime: fixedNow()})
}

func respond(t *testing.T, idp *IdP, c *sso.Connection, login Login, o Options) string {
	t.Helper()
	message, err := idp.Respond(RequestTo(c, requestID), login, o)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// TestProfiles has every profile sign Ann in.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, profile := range Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			idp := NewIdP(Config{Profile: profile, Key: fixedKey(t, "idp"), Now: fixedNow})
			c := idp.Connection(sso.ServiceProvider{})
			if profile == Auth0 {
				c.Attributes.Groups = "http://schemas.auth0.com/groups" // an administrator's own name for it
			}
			a, err := verify(t, c, respond(t, idp, c, ann, Options{}), nil)
			if err != nil {
				t.Fatal(err)
			}
			p := c.Profile(a)
			if p.Email != ann.Email {
				t.Errorf("email %q", p.Email)
			}
			if profile != Authentik && (p.FirstName != "Ann" || p.LastName != "Lee") {
				t.Errorf("names %q and %q", p.FirstName, p.LastName)
			}
			if p.Name != "Ann Lee" {
				t.Errorf("name %q", p.Name)
			}
			if diff := cmp.Diff([]string{"Sales", "Everyone"}, p.Groups); diff != "" && profile != Zitadel {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

// variations are honest ways to write an answer.
func variations() map[string]Options {
	all := map[string]Options{
		"plain":            {},
		"no KeyInfo":       {KeyInfo: KeyInfoNone},
		"KeyName":          {KeyInfo: KeyInfoName},
		"KeyValue":         {KeyInfo: KeyInfoValue},
		"wrapped":          {Wrap: 64},
		"pretty":           {Pretty: true, Wrap: 76},
		"comments":         {Comments: true},
		"declared at root": {DeclareAtRoot: true, XSIType: "xs:string"},
		"prefix list":      {DeclareAtRoot: true, XSIType: "xs:string", InclusivePrefixes: []string{"xs", "xsi"}},
		"default prefix":   {InclusivePrefixes: []string{"#default"}, Prefixes: PrefixDefault},
		"repeated":         {RepeatAttributes: true},
		"split values":     {SplitValues: true},
		"long life":        {Lifetime: time.Hour, Early: time.Hour, SessionLifetime: time.Hour},
	}
	for name := range signatureMethods {
		if name != "rsa-sha1" && name != "ecdsa-sha1" {
			all[name] = Options{SignatureMethod: name}
		}
	}
	for name := range canonicalizations {
		all[name] = Options{Canonicalization: name, Comments: true, DeclareAtRoot: true, XSIType: "xs:string"}
	}
	for name := range digestMethods {
		if name != "sha1" {
			all["digest "+name] = Options{DigestMethod: name}
		}
	}
	for _, prefixes := range []Prefixes{PrefixSAML, PrefixSAML2, PrefixNS, PrefixDefault, PrefixMixed} {
		all["prefixes "+string(prefixes)] = Options{Prefixes: prefixes, XSIType: "xs:string"}
		all["prefixes at root "+string(prefixes)] = Options{Prefixes: prefixes, DeclareAtRoot: true, SignaturePrefix: "-"}
	}
	return all
}

// keyFor is the fixed key that fits the signature method.
func keyFor(o Options) string {
	switch o.SignatureMethod {
	case "ecdsa-sha256":
		return "idp-p256"
	case "ecdsa-sha384":
		return "idp-p384"
	case "ecdsa-sha512":
		return "idp-p521"
	}
	return "idp"
}

// TestVariations has one honest answer written and signed in many ways.
func TestVariations(t *testing.T) {
	t.Parallel()
	for name, o := range variations() {
		for _, element := range []Signed{SignAssertion, SignResponse, SignBoth} {
			o := o
			o.Sign = element
			t.Run(name+"/"+string(element), func(t *testing.T) {
				t.Parallel()
				idp := NewIdP(Config{Key: fixedKey(t, keyFor(o)), Now: fixedNow})
				c := idp.Connection(sso.ServiceProvider{})
				a, err := verify(t, c, respond(t, idp, c, ann, o), nil)
				if err != nil {
					t.Fatal(err)
				}
				if a.Subject.Value != ann.Email {
					t.Errorf("got %q, want %q", a.Subject.Value, ann.Email)
				}
				if diff := cmp.Diff(ann.Groups, a.Attributes.Values("groups")); diff != "" {
					t.Errorf("groups (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestEncrypted has every method of encryption decrypted, with a signature
// over the ciphertext and without.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	decryption := fixedKey(t, "sp-encryption")
	for _, method := range []string{"", "aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"} {
		for _, transport := range []string{"", "rsa-oaep-mgf1p", "rsa-oaep", "rsa-1_5"} {
			t.Run(method+"/"+transport, func(t *testing.T) {
				t.Parallel()
				idp := NewIdP(Config{Profile: Shibboleth, Key: fixedKey(t, "idp"), Now: fixedNow})
				c := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{*decryption}})
				c.InsecureAllowRSA15 = transport == "rsa-1_5"
				a, err := verify(t, c, respond(t, idp, c, ann, Options{Sign: SignBoth, EncryptTo: decryption.Certificate, EncryptionMethod: method, KeyTransport: transport}), nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Profile(a).Email; got != ann.Email {
					t.Errorf("got %q", got)
				}
			})
		}
	}
	idp := NewIdP(Config{Key: fixedKey(t, "idp"), Now: fixedNow})
	c := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{*decryption}})
	for _, m := range Misbehaviours() {
		replay := &memory{}
		o := Options{EncryptTo: decryption.Certificate, Misbehave: m}
		_, err := verify(t, c, respond(t, idp, c, ann, o), replay)
		if m == "replayed" {
			_, err = verify(t, c, respond(t, idp, c, ann, o), replay)
		}
		if refusal, ok := err.(*sso.VerifyError); !ok || refusal.Reason != m.Reason() {
			t.Errorf("%s: got %v, want %s", m, err, m.Reason())
		}
	}
	for name, o := range map[string]Options{
		"method":    {EncryptTo: decryption.Certificate, EncryptionMethod: "rot13"},
		"transport": {EncryptTo: decryption.Certificate, KeyTransport: "pigeon"},
		"key":       {EncryptTo: fixedKey(t, "idp-p256").Certificate},
	} {
		if _, err := idp.Respond(RequestTo(c, requestID), ann, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestMisbehaviours has every profile misbehave in every way, each beside the
// same answer without the misbehaviour.
func TestMisbehaviours(t *testing.T) {
	t.Parallel()
	for _, profile := range Profiles() {
		idp := NewIdP(Config{Profile: profile, Key: fixedKey(t, "idp"), Now: fixedNow})
		c := idp.Connection(sso.ServiceProvider{})
		for _, m := range Misbehaviours() {
			t.Run(string(profile)+"/"+string(m), func(t *testing.T) {
				t.Parallel()
				var replay memory
				if m == "replayed" {
					if _, err := verify(t, c, respond(t, idp, c, ann, Options{Misbehave: m}), &replay); err != nil {
						t.Fatalf("first use: %v", err)
					}
				}
				a, err := verify(t, c, respond(t, idp, c, ann, Options{Misbehave: m}), &replay)
				var refusal *sso.VerifyError
				if !errors.As(err, &refusal) || a != nil {
					t.Fatalf("got (%v, %v), want a refusal", a, err)
				}
				if refusal.Reason != m.Reason() {
					t.Errorf("got %v, want %s", err, m.Reason())
				}
				if m.Description() == "" {
					t.Error("no description")
				}
			})
		}
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	idp := NewIdP(Config{Key: fixedKey(t, "idp"), Now: fixedNow})
	c := idp.Connection(sso.ServiceProvider{})
	for name, o := range map[string]Options{
		"misbehave": {Misbehave: "no-such-thing"},
		"sign":      {Sign: "everything"},
		"method":    {SignatureMethod: "rsa-md5"},
		"digest":    {DigestMethod: "md5"},
		"c14n":      {Canonicalization: "none"},
		"keyinfo":   {KeyInfo: "photo"},
		"prefixes":  {Prefixes: "soap"},
		"key":       {SignatureMethod: "ecdsa-sha256"},
		"both":      {Status: "AuthnFailed", Misbehave: "second-audience"},
		"nothing":   {Sign: SignNothing, Misbehave: "two-references"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := idp.Respond(RequestTo(c, requestID), ann, o); err == nil {
				t.Error("got no error")
			}
			if _, err := idp.Respond(RequestTo(c, requestID), ann, Options{}); err != nil {
				t.Errorf("the control fails: %v", err)
			}
		})
	}
}

func TestSameOutputFromSameInput(t *testing.T) {
	t.Parallel()
	var documents []string
	for range 2 {
		n := 0
		idp := NewIdP(Config{Key: fixedKey(t, "idp-p256"), Now: fixedNow, NewID: func() string { n++; return "_" + string(rune('a'+n)) }})
		documents = append(documents, respond(t, idp, idp.Connection(sso.ServiceProvider{}), ann, Options{Sign: SignBoth}))
	}
	if documents[0] != documents[1] {
		t.Error("two answers differ")
	}
}
