package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

const (
	acs      = "https://app.example.com/saml/acs"
	entityID = "https://app.example.com/saml/metadata"
)

// message is one Response, ready for each of the contestants.
type message struct {
	conn *sso.Connection
	form string
	xml  []byte
	id   string
	when time.Time
	peer *saml.ServiceProvider
}

func newMessage(tb testing.TB, groups int, signed ssotest.Signed) *message {
	tb.Helper()
	idp := ssotest.NewIdP(ssotest.Config{EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso"})
	conn := idp.Connection(sso.ServiceProvider{EntityID: entityID, ACSURL: acs})
	m := &message{conn: conn, id: "_0123456789abcdef0123456789abcdef", when: time.Now()}
	login := ssotest.Login{Email: "alice.liddell@example.com", FirstName: "Alice", LastName: "Liddell", Name: "Alice Liddell"}
	for i := range groups {
		login.Groups = append(login.Groups, fmt.Sprintf("group-%05d", i))
	}
	form, err := idp.Respond(ssotest.RequestTo(conn, m.id), login, ssotest.Options{Sign: signed, XSIType: "xs:string", Lifetime: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	m.form = form
	if m.xml, err = base64.StdEncoding.DecodeString(form); err != nil {
		tb.Fatal(err)
	}
	m.peer = newPeer(tb, conn.IdP)
	return m
}

// newPeer is crewjam's service provider for the same connection.
func newPeer(tb testing.TB, p sso.IdentityProvider) *saml.ServiceProvider {
	tb.Helper()
	// The message is made once and verified for as long as the benchmark runs.
	saml.MaxIssueDelay = 24 * time.Hour
	cert := base64.StdEncoding.EncodeToString(p.Certificates[0].Raw)
	md, err := samlsp.ParseMetadata([]byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + p.EntityID + `">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
		`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + cert + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + p.SSOURL + `"/></IDPSSODescriptor></EntityDescriptor>`))
	if err != nil {
		tb.Fatal(err)
	}
	return &saml.ServiceProvider{EntityID: entityID, AcsURL: mustURL(acs), MetadataURL: mustURL(entityID), IDPMetadata: md}
}

func mustURL(s string) url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return *u
}

func (m *message) verify(tb testing.TB) {
	if _, err := m.conn.VerifyResponse(context.Background(), m.form, sso.VerifyOptions{RequestID: m.id, CurrentTime: m.when}); err != nil {
		tb.Fatal(err)
	}
}

// floor is the least that any verifier has to do: hash the bytes, verify one
// RSA signature.
type floor struct {
	key *rsa.PublicKey
	sig []byte
	sum [32]byte
}

func newFloor(tb testing.TB) *floor {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	f := &floor{key: &key.PublicKey, sum: sha256.Sum256([]byte("floor"))}
	if f.sig, err = key.Sign(nil, f.sum[:], crypto.SHA256); err != nil {
		tb.Fatal(err)
	}
	return f
}

func (f *floor) run(tb testing.TB, data []byte, signatures int) {
	for range signatures {
		if sum := sha256.Sum256(data); sum == f.sum {
			tb.Fatal("impossible")
		}
		if err := rsa.VerifyPKCS1v15(f.key, crypto.SHA256, f.sum[:], f.sig); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkVerify is the whole way from the form value to the assertion.
func BenchmarkVerify(b *testing.B) {
	for _, c := range []struct {
		name   string
		groups int
		signed ssotest.Signed
	}{
		{"5groups", 5, ssotest.SignAssertion},
		{"5groups2signatures", 5, ssotest.SignBoth},
		{"100groups", 100, ssotest.SignAssertion},
		{"800groups", 800, ssotest.SignAssertion},
		{"10000groups", 10000, ssotest.SignAssertion},
	} {
		m := newMessage(b, c.groups, c.signed)
		signatures := 1
		if c.signed == ssotest.SignBoth {
			signatures = 2
		}
		b.Run(c.name+"/floor", func(b *testing.B) {
			f := newFloor(b)
			measure(b, m, func() error { f.run(b, m.xml, signatures); return nil })
		})
		b.Run(c.name+"/sso", func(b *testing.B) {
			measure(b, m, func() error { m.verify(b); return nil })
		})
		b.Run(c.name+"/crewjam", func(b *testing.B) {
			measure(b, m, func() error {
				r := &http.Request{Method: http.MethodPost, PostForm: url.Values{"SAMLResponse": {m.form}}, URL: &m.peer.AcsURL}
				r.Form = r.PostForm
				_, err := m.peer.ParseResponse(r, []string{m.id})
				return err
			})
		})
		b.Run(c.name+"/goxmldsig", func(b *testing.B) {
			store := &dsig.MemoryX509CertificateStore{Roots: m.conn.IdP.Certificates}
			measure(b, m, func() error {
				doc := etree.NewDocument()
				if err := doc.ReadFromBytes(m.xml); err != nil {
					return err
				}
				_, err := dsig.NewDefaultValidationContext(store).Validate(doc.Root().FindElement("./Assertion"))
				return err
			})
		})
	}
}

// measure runs one contestant. One that cannot do the job is shown as that:
// skipped, with its reason, and never as a time.
func measure(b *testing.B, m *message, run func() error) {
	b.Helper()
	if err := attempt(run); err != nil {
		cause := err
		if ire, ok := err.(*saml.InvalidResponseError); ok {
			cause = ire.PrivateErr
		}
		b.Skipf("FAILS: %.200s", strings.ReplaceAll(cause.Error(), "\n", " "))
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(m.xml)))
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

// attempt is one run whose panic is an error: what cannot do the job must not
// end the run of the others.
func attempt(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run()
}
