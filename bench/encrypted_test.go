package bench

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// BenchmarkVerifyEncrypted is an assertion encrypted with AES-128-CBC and
// RSA-OAEP in a signed Response, both signed: the best that all of the
// contestants take. The floor is the private key's one operation beside the
// usual ones.
func BenchmarkVerifyEncrypted(b *testing.B) {
	idp := ssotest.NewIdP(ssotest.Config{EntityID: "https://idp.example.com/metadata", SSOURL: "https://idp.example.com/sso"})
	key := newKeyPair(b)
	conn := idp.Connection(sso.ServiceProvider{EntityID: entityID, ACSURL: acs, DecryptionKeys: []sso.KeyPair{{Private: key.signer, Certificate: key.cert}}})
	m := &message{conn: conn, id: "_0123456789abcdef0123456789abcdef", when: time.Now()}
	login := person
	for i := range 5 {
		login.Groups = append(login.Groups, fmt.Sprintf("group-%05d", i))
	}
	var err error
	if m.form, err = idp.Respond(ssotest.RequestTo(conn, m.id), login,
		ssotest.Options{Sign: ssotest.SignBoth, EncryptTo: key.cert, EncryptionMethod: "aes128-cbc", KeyTransport: "rsa-oaep-mgf1p", Lifetime: time.Hour}); err != nil {
		b.Fatal(err)
	}
	if m.xml, err = base64.StdEncoding.DecodeString(m.form); err != nil {
		b.Fatal(err)
	}
	m.peer = newPeer(b, conn.IdP)
	m.peer.Key, m.peer.Certificate = key.signer, key.cert
	b.Run("encrypted/floor", func(b *testing.B) {
		f := newFloor(b)
		digest := make([]byte, 32)
		measure(b, m, func() error {
			f.run(b, m.xml, 2)
			_, err := key.signer.Sign(nil, digest, sha256Opts)
			return err
		})
	})
	b.Run("encrypted/sso", func(b *testing.B) { measure(b, m, func() error { m.verify(b); return nil }) })
	b.Run("encrypted/crewjam", func(b *testing.B) {
		measure(b, m, func() error {
			r := &http.Request{Method: http.MethodPost, PostForm: url.Values{"SAMLResponse": {m.form}}, URL: &m.peer.AcsURL}
			r.Form = r.PostForm
			_, err := m.peer.ParseResponse(r, []string{m.id})
			return err
		})
	})
}
