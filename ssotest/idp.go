package ssotest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ssoconn/sso"
)

// Config says what an IdP is. The zero value is good.
type Config struct {
	// Profile is the product to answer as. Zero: a plain IdP that signs the
	// assertion and sends short attribute names.
	Profile Profile
	// BaseURL is where Handler is served, such as http://127.0.0.1:8081. Zero:
	// nowhere.
	BaseURL string
	// EntityID is the IdP's issuer. Zero: one shaped as the profile's are, and
	// for the plain one the address of its metadata.
	EntityID string
	// SSOURL is where requests are sent, SLOURL where logout messages are.
	// Zero: an address shaped as the profile's are, under BaseURL if there is
	// one, and no logout.
	SSOURL, SLOURL string
	// Key signs. Zero: an RSA-2048 key made once for the process.
	Key *sso.KeyPair
	// OldKey is the key that goes away in a rollover: metadata and
	// IdentityProvider name its certificate too. Zero: none.
	OldKey *sso.KeyPair
	// Now is the IdP's clock. Zero: time.Now.
	Now func() time.Time
	// NewID makes the IDs of messages, each an XML name that no other message
	// has. Zero: random. Set it where output must be the same at each run.
	NewID func() string

	// Admin serves an administration page at /admin/ of Handler, where whoever
	// reaches it changes Applications and People.
	Admin bool
	// Applications may ask for a sign-in at Handler. Respond needs none.
	Applications []Application
	// People are offered by Handler. Zero: three of them, in a few groups.
	People []Person
}

// An IdP is an identity provider that does as it is told. It may be used by
// many goroutines at once.
type IdP struct {
	config Config
	key    sso.KeyPair

	mu     sync.RWMutex
	apps   []Application
	people []Person
}

// NewIdP returns an IdP. It panics if the key of the configuration cannot
// sign: that is a mistake in the test.
func NewIdP(c Config) *IdP {
	base := c.Profile.settings()
	if c.EntityID == "" {
		c.EntityID = base.entityID
		if c.Profile == Plain {
			c.EntityID = rebase(base.entityID, c.BaseURL)
		}
	}
	if c.SSOURL == "" {
		c.SSOURL = rebase(base.ssoURL, c.BaseURL)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = randomID
	}
	key := processKey()
	if c.Key != nil {
		key = *c.Key
	}
	if _, ok := key.Private.(crypto.Signer); !ok || key.Certificate == nil {
		panic("ssotest: Config.Key needs a crypto.Signer and its certificate")
	}
	p := &IdP{config: c, key: key}
	p.SetApplications(c.Applications...)
	people := c.People
	if people == nil {
		people = somePeople()
	}
	p.SetPeople(people...)
	return p
}

// rebase puts the path of an address under another base.
func rebase(address, base string) string {
	if base == "" {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.TrimSuffix(base, "/") + u.RequestURI()
}

// Certificate is the certificate of the key that signs.
func (p *IdP) Certificate() *x509.Certificate { return p.key.Certificate }

// EntityID is the IdP's issuer.
func (p *IdP) EntityID() string { return p.config.EntityID }

// IdentityProvider is what an administrator would type of this IdP into a
// connection.
func (p *IdP) IdentityProvider() sso.IdentityProvider {
	idp := sso.IdentityProvider{
		EntityID:     p.config.EntityID,
		SSOURL:       p.config.SSOURL,
		SLOURL:       p.config.SLOURL,
		Certificates: sso.Certificates{p.key.Certificate},
	}
	if p.config.OldKey != nil {
		idp.Certificates = append(idp.Certificates, p.config.OldKey.Certificate)
	}
	return idp
}

// Connection is a connection of an application to this IdP. Zero fields of sp
// become https://app.example.com/saml/metadata and
// https://app.example.com/saml/acs.
func (p *IdP) Connection(sp sso.ServiceProvider) *sso.Connection {
	if sp.EntityID == "" {
		sp.EntityID = "https://app.example.com/saml/metadata"
	}
	if sp.ACSURL == "" {
		sp.ACSURL = "https://app.example.com/saml/acs"
	}
	return &sso.Connection{ID: "test", Name: "Test", SP: sp, IdP: p.IdentityProvider()}
}

// randomID is an XML name with 160 random bits.
func randomID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return "_" + hex.EncodeToString(b[:])
}

// processKey is the key of every IdP that was not given one. It is made in the
// process, not shipped: a private key that everybody has would open any
// connection in which a practice IdP was forgotten.
var processKey = sync.OnceValue(func() sso.KeyPair { return mustKey("ssotest practice IdP") })

// attackerKey is a key that no connection pins.
var attackerKey = sync.OnceValue(func() sso.KeyPair { return mustKey("ssotest practice IdP") })

func mustKey(name string) sso.KeyPair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("ssotest: " + err.Error())
	}
	pair, err := selfSigned(key, name)
	if err != nil {
		panic("ssotest: " + err.Error())
	}
	return pair
}

// selfSigned makes a certificate for the key, good for ten years from
// yesterday.
func selfSigned(key crypto.Signer, name string) (sso.KeyPair, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return sso.KeyPair{}, fmt.Errorf("ssotest: %w", err)
	}
	sum := sha256.Sum256(public)
	start := time.Now().Add(-24 * time.Hour)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:15]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    start,
		NotAfter:     start.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return sso.KeyPair{}, fmt.Errorf("ssotest: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return sso.KeyPair{}, fmt.Errorf("ssotest: %w", err)
	}
	return sso.KeyPair{Private: key, Certificate: certificate}, nil
}
