package sso

import (
	"crypto"
	"crypto/x509"
	"time"
)

// A Connection joins one customer's identity provider (IdP) to one account of
// the application. It is plain data: what an administrator typed and what the
// application stores as one row. It is JSON both ways, certificates as PEM;
// private keys are never part of the JSON.
//
// The methods do not change a Connection except where they say so, and a
// Connection that is not being changed may be used by many goroutines at once.
type Connection struct {
	// ID names the connection within the application: it keys stored state and
	// appears in addresses. The IdP never sees it.
	ID string `json:"id"`
	// Name is what administrators call the connection. It decides nothing.
	Name string `json:"name,omitempty"`

	SP  ServiceProvider  `json:"sp"`
	IdP IdentityProvider `json:"idp"`

	// DefaultRole is the role of a user who is created through an invitation
	// that names no role of its own.
	DefaultRole string `json:"defaultRole,omitempty"`
	// AllowedGroups are the application's user groups whose members may enter.
	// Empty admits nobody: an application without groups says so with AdmitAll.
	AllowedGroups []string `json:"allowedGroups,omitempty"`
	// Attributes says which attributes carry e-mail, names and groups. The zero
	// value knows the names that the common IdPs use.
	Attributes AttributeMap `json:"attributes,omitzero"`
	// KeepNames stops the user's name from following the IdP at each sign-in.
	KeepNames bool `json:"keepNames,omitempty"`

	// ClockSkew is how far the IdP's clock may be off, both ways. Zero means
	// DefaultClockSkew; more than MaxClockSkew is a configuration error. Each
	// minute of it is a minute for which an expired assertion still works.
	ClockSkew time.Duration `json:"clockSkew,omitempty"`

	// SignRequests signs AuthnRequests with SP.SigningKey. Some IdPs demand it.
	SignRequests bool `json:"signRequests,omitempty"`
	// SignatureMethod is the algorithm of our own signatures. Empty means
	// SHA-256 with the kind of key at hand.
	SignatureMethod SignatureMethod `json:"signatureMethod,omitempty"`
	// Request holds the defaults for every AuthnRequest of this connection.
	Request RequestOptions `json:"request,omitzero"`

	// AllowIdPInitiated lets people enter from the IdP's own portal, without a
	// request of ours. It costs the protection against login CSRF that a
	// request gives, and needs replay memory.
	AllowIdPInitiated bool `json:"allowIdPInitiated,omitempty"`

	// RequireSignedResponse and RequireSignedAssertion demand that particular
	// signature. By default either will do, and every one present must hold.
	RequireSignedResponse  bool `json:"requireSignedResponse,omitempty"`
	RequireSignedAssertion bool `json:"requireSignedAssertion,omitempty"`
	// RefuseExpiredCertificates refuses signatures by a pinned certificate that
	// is past its date. By default such a certificate still verifies, with a
	// warning: what is pinned is the key.
	RefuseExpiredCertificates bool `json:"refuseExpiredCertificates,omitempty"`

	// InsecureAllowSHA1 accepts SHA-1 in signatures and digests. Collisions in
	// SHA-1 are practical: use it only while the IdP is being reconfigured.
	InsecureAllowSHA1 bool `json:"insecureAllowSHA1,omitempty"`
	// InsecureAllowShortRSA accepts RSA keys from 1024 up to 2047 bits.
	InsecureAllowShortRSA bool `json:"insecureAllowShortRSA,omitempty"`
	// InsecureAllowRSA15 accepts RSA PKCS #1 v1.5 key transport in encrypted
	// assertions, which has a history of padding oracles.
	InsecureAllowRSA15 bool `json:"insecureAllowRSA15,omitempty"`
	// InsecureUnauthenticatedCBC decrypts AES-CBC content that no signature of
	// the Response covers, which is a padding oracle by construction.
	InsecureUnauthenticatedCBC bool `json:"insecureUnauthenticatedCBC,omitempty"`
	// InsecureIgnoreInResponseTo accepts an IdP-initiated Response that names a
	// request all the same, as Rippling's do. It has no effect on the answer to
	// a request of ours, and none without AllowIdPInitiated.
	InsecureIgnoreInResponseTo bool `json:"insecureIgnoreInResponseTo,omitempty"`

	// Enabled says that the connection is on. Set it with Enable.
	Enabled bool `json:"enabled,omitempty"`
	// LastTest is the record of the last test, nil for a connection that was
	// never tested.
	LastTest *TestRecord `json:"lastTest,omitempty"`
}

// Limits of Connection.ClockSkew.
const (
	DefaultClockSkew = 2 * time.Minute
	MaxClockSkew     = 10 * time.Minute
)

// A ServiceProvider is our side of a connection: the data for the identity
// provider.
type ServiceProvider struct {
	// EntityID is our name, an absolute URI. Administrators know it as issuer,
	// audience URI, identifier, or SP entity ID.
	EntityID string `json:"entityID"`
	// ACSURL is the assertion consumer service: where the IdP posts Responses.
	// Administrators know it as SSO URL, reply URL, or callback URL.
	ACSURL string `json:"acsURL"`
	// SLOURL takes logout messages. Empty: no single logout.
	SLOURL string `json:"sloURL,omitempty"`

	// SigningKey signs what we send. Nil: nothing can be signed.
	SigningKey *KeyPair `json:"-"`
	// NextSigningKey is published in our metadata beside SigningKey and signs
	// nothing, so that IdPs know it before it is used: its certificate is
	// enough. Signing moves over when the application puts it into SigningKey.
	// Nil: no change is coming.
	NextSigningKey *KeyPair `json:"-"`
	// DecryptionKeys decrypt what the IdP encrypts, each tried in turn, so that
	// the next key can be published before the present one goes. Empty:
	// encrypted assertions are refused. A pair without a certificate decrypts
	// and is not published: a key that is being retired.
	DecryptionKeys []KeyPair `json:"-"`
}

// A KeyPair is a private key with its certificate. Private is a crypto.Signer
// to sign with and a crypto.Decrypter to decrypt with, so that a key in an HSM
// or a KMS serves as well as one in memory.
type KeyPair struct {
	Private     crypto.PrivateKey
	Certificate *x509.Certificate
}

// An IdentityProvider is the customer's side of a connection: the data for the
// application.
type IdentityProvider struct {
	// EntityID is the IdP's name, compared exactly. Administrators know it as
	// issuer or IdP entity ID; http:// and a final slash may well be right.
	EntityID string `json:"entityID"`
	// SSOURL is where browsers go to sign in: login URL, sign-on URL.
	SSOURL string `json:"ssoURL"`
	// SSOPostURL is the sign-in address for the HTTP-POST binding, where it
	// differs from SSOURL. Empty: SSOURL serves both. The same as SSOURL: the
	// IdP takes requests by HTTP-POST alone, so send them with PostForm.
	SSOPostURL string `json:"ssoPostURL,omitempty"`
	// SLOURL takes our logout messages. Empty: no single logout.
	SLOURL string `json:"sloURL,omitempty"`
	// ArtifactURL is the IdP's artifact resolution service. Empty: no artifacts.
	ArtifactURL string `json:"artifactURL,omitempty"`
	// MetadataURL is where the IdP publishes its metadata. Empty: it is never
	// fetched.
	MetadataURL string `json:"metadataURL,omitempty"`
	// Certificates are the pinned signing certificates: trust comes from their
	// keys alone. Two at once see a rollover through.
	Certificates Certificates `json:"certificates"`
	// CertificateUse is what is known of each, by SHA-256 fingerprint: see
	// NoteSignIn. A certificate that has verified a sign-in since the test counts
	// as tested; it decides nothing else.
	CertificateUse map[string]CertificateUse `json:"certificateUse,omitempty"`
}

// An AttributeMap names the attributes that carry a person's profile. An empty
// field means the names that the common IdPs use.
type AttributeMap struct {
	Email     string `json:"email,omitempty"`
	Name      string `json:"name,omitempty"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Groups    string `json:"groups,omitempty"`
	// GroupSeparator splits each group value, for IdPs that send all groups in
	// one string. Empty: values are taken as they are.
	GroupSeparator string `json:"groupSeparator,omitempty"`
}
