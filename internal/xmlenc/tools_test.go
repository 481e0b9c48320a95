package xmlenc

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/testtool"
)

// xmlsecKeys are the session keys that xmlsec1 makes.
var xmlsecKeys = map[string]string{
	"aes128-gcm": "aes-128", "aes192-gcm": "aes-192", "aes256-gcm": "aes-256",
	"aes128-cbc": "aes-128", "aes192-cbc": "aes-192", "aes256-cbc": "aes-256",
}

// template is what xmlsec1 fills in. It stands alone: xmlsec1 writes the
// EncryptedData over it.
func template(content, transport, params string) string {
	return `<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element">
  <xenc:EncryptionMethod Algorithm="` + contentNamed(content).uri + `"/>
  <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
    <xenc:EncryptedKey>
      <xenc:EncryptionMethod Algorithm="` + transport + `">` + params + `</xenc:EncryptionMethod>
      <ds:KeyInfo><ds:KeyName/></ds:KeyInfo>
      <xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
    </xenc:EncryptedKey>
  </ds:KeyInfo>
  <xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
</xenc:EncryptedData>`
}

// xmlsecEncrypt has xmlsec1 encrypt the Assertion of a Response in its place,
// as pysaml2 does.
func xmlsecEncrypt(t testing.TB, content, transport, params string) (string, error) {
	t.Helper()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	doc := `<ns0:Response xmlns:ns0="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:ns1="urn:oasis:names:tc:SAML:2.0:assertion"><ns1:EncryptedAssertion>` + assertionXML + `</ns1:EncryptedAssertion></ns0:Response>`
	return testtool.Run("", xmlsec, "encrypt",
		"--pubkey-cert-pem", filepath.Join(keyDir, "sp-encryption.crt.pem"),
		"--session-key", xmlsecKeys[content],
		"--xml-data", testtool.File(t, "data.xml", doc),
		"--node-xpath", `/*[local-name()="Response"]/*/*[local-name()="Assertion"]`,
		testtool.File(t, "template.xml", template(content, transport, params)))
}

const label = `<xenc:OAEPparams>bGFiZWw=</xenc:OAEPparams>`

func digestMethod(uri string) string {
	return `<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="` + uri + `"/>`
}

// TestXMLSecEncrypts: what xmlsec1 encrypts decrypts, and no byte of it can be
// changed.
func TestXMLSecEncrypts(t *testing.T) {
	t.Parallel()
	key, _ := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	for _, transport := range []struct{ name, uri, params string }{
		{"oaep", oaepMGF1P, ""},
		{"oaep sha1", oaepMGF1P, digestMethod(hashes[0].digest)},
		{"oaep label", oaepMGF1P, label},
		{"rsa-1_5", rsa15, ""},
	} {
		for _, c := range contents {
			t.Run(transport.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				doc, err := xmlsecEncrypt(t, c.name, transport.uri, transport.params)
				if err != nil {
					t.Fatal(err)
				}
				wantPlain(t, doc, keys, lax, assertionXML)
				if transport.uri == rsa15 {
					wantRefusal(t, doc, keys, Options{CBCAuthenticated: true}, "RSA PKCS #1 v1.5")
				}
				if !c.gcm {
					wantRefusal(t, doc, keys, Options{AllowRSA15: true}, "AES-CBC")
				}
				tamper(t, doc, keys, c)
			})
		}
	}
}

// tamper changes bytes of the two values at several places. In CBC a change may
// hit a text and leave well-formed XML, which is why it needs a signature:
// there only the first block, the last and the padding are sure to fail.
func tamper(t *testing.T, doc string, keys []crypto.Decrypter, c content) {
	t.Helper()
	for n := range values(t, doc) {
		var size int
		doc := alterSpaced(t, doc, n, func(b []byte) []byte { size = len(b); return b })
		places := []int{0, 1, 15, size - 17, size - 1}
		if n == 0 || c.gcm {
			for i := 16; i < size; i += 29 {
				places = append(places, i)
			}
		} else {
			places = []int{0, 16, size - 17} // first of the IV, of the first block, last before the last block
		}
		for _, at := range places {
			wantFailure(t, alter(t, doc, n, flip(at, 0x81)), keys, lax)
		}
	}
}

// alterSpaced is alter for base64 with line ends.
func alterSpaced(t testing.TB, doc string, n int, change func([]byte) []byte) string {
	t.Helper()
	at := values(t, doc)[n]
	value := strings.NewReplacer("&#13;", "", "\n", "").Replace(doc[at[0]:at[1]])
	return alter(t, doc[:at[0]]+value+doc[at[1]:], n, change)
}

// TestXMLSecCannot pins what this xmlsec1 cannot make, so that a newer one makes
// somebody look.
func TestXMLSecCannot(t *testing.T) {
	t.Parallel()
	if out, _ := testtool.Run("", testtool.Path(t, "xmlsec1", "xmlsec1"), "--version"); !strings.Contains(out, "xmlsec1 1.2.") {
		t.Skipf("about xmlsec1 1.2, not %s", out)
	}
	for _, tt := range []struct{ transport, params, want string }{
		{oaepMGF1P, digestMethod(hashes[1].digest), "xmlenc#sha256\" is not supported"},
		{oaepMGF1P, digestMethod(hashes[2].digest), "xmlenc#sha384\" is not supported"},
		{oaepMGF1P, digestMethod(hashes[3].digest), "xmlenc#sha512\" is not supported"},
		{oaep11, "", "xmlenc11#rsa-oaep"},
	} {
		if _, err := xmlsecEncrypt(t, "aes256-gcm", tt.transport, tt.params); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("xmlsec1 with %s %s: error %v, want one with %s; if there is none, move it to TestXMLSecEncrypts", tt.transport, tt.params, err, tt.want)
		}
	}
}

// TestXMLSecRecipients: xmlsec1 encrypts for two, and either decrypts.
func TestXMLSecRecipients(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	one := template("aes256-gcm", oaepMGF1P, "")
	k := strings.Replace(between(t, one, "<xenc:EncryptedKey", "</xenc:EncryptedKey>"), "<ds:KeyName/>", "<ds:KeyName>%s</ds:KeyName>", 1)
	two := strings.Replace(one, between(t, one, "<xenc:EncryptedKey", "</xenc:EncryptedKey>"), fmt.Sprintf(k+k, "other", "sp"), 1)
	doc, err := testtool.Run("", xmlsec, "encrypt",
		"--pubkey-cert-pem:other", filepath.Join(keyDir, "idp2.crt.pem"), "--pubkey-cert-pem:sp", filepath.Join(keyDir, "sp-encryption.crt.pem"),
		"--session-key", "aes-256", "--xml-data", testtool.File(t, "data.xml", response(`<saml:EncryptedAssertion xmlns:saml="`+samlxml.Assertion+`">`+assertionXML+`</saml:EncryptedAssertion>`)),
		"--node-xpath", `//*[local-name()="Assertion"]`, testtool.File(t, "template.xml", two))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"idp2", "sp-encryption"} {
		key, _ := pair(t, name)
		wantPlain(t, doc, []crypto.Decrypter{key}, Options{}, assertionXML)
	}
	stranger, _ := pair(t, "sp-next")
	wantFailure(t, doc, []crypto.Decrypter{stranger}, Options{})
}

// TestXMLSecDecrypts: xmlsec1 decrypts what Encrypt makes.
func TestXMLSecDecrypts(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	_, cert := pair(t, "sp-encryption")
	for _, o := range []EncryptOptions{{}, {KeyTransport: "rsa-1_5"}, {Label: []byte("label")}} {
		for _, c := range contents {
			o.Content = c.name
			t.Run(o.withDefaults().KeyTransport+"/"+c.name+"/"+string(o.Label), func(t *testing.T) {
				t.Parallel()
				doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, o)
				out, err := testtool.Run("", xmlsec, "decrypt", "--privkey-pem", filepath.Join(keyDir, "sp-encryption.key.pem"), testtool.File(t, "doc.xml", doc))
				if err != nil {
					t.Fatal(err)
				}
				a := parse(t, out).FindElement("./EncryptedAssertion/Assertion")
				if a == nil {
					t.Fatalf("xmlsec1 wrote no Assertion:\n%s", out)
				}
				if got, want := strings.Join(dump(a, nil), "\n"), strings.Join(dump(parse(t, assertionXML), nil), "\n"); got != want {
					t.Errorf("xmlsec1 read\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestOpenSSLWraps: OpenSSL makes the key transports that xmlsec1 cannot, with
// every digest and mask.
func TestOpenSSLWraps(t *testing.T) {
	t.Parallel()
	openssl := testtool.Path(t, "openssl", "openssl")
	key, cert := pair(t, "sp-encryption")
	der, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := testtool.File(t, "public.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	names := map[crypto.Hash]string{crypto.SHA1: "sha1", crypto.SHA256: "sha256", crypto.SHA384: "sha384", crypto.SHA512: "sha512"}
	for _, d := range hashes {
		for _, g := range hashes {
			t.Run(fmt.Sprintf("%v/%v", d.hash, g.hash), func(t *testing.T) {
				t.Parallel()
				session := make([]byte, 16)
				rand.Read(session)
				wrappedKey, err := testtool.Run(string(session), openssl, "pkeyutl", "-encrypt", "-pubin", "-inkey", public,
					"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:"+names[d.hash], "-pkeyopt", "rsa_mgf1_md:"+names[g.hash],
					"-pkeyopt", "rsa_oaep_label:"+hex.EncodeToString([]byte("label")))
				if err != nil {
					t.Fatal(err)
				}
				c := contentNamed("aes128-gcm")
				ciphertext, err := c.seal(session, []byte(assertionXML))
				if err != nil {
					t.Fatal(err)
				}
				doc := response(`<saml:EncryptedAssertion xmlns:saml="` + samlxml.Assertion + `"><xenc:EncryptedData xmlns:xenc="` + xencSpace + `"><xenc:EncryptionMethod Algorithm="` + c.uri + `"/>` +
					`<xenc:CipherData><xenc:CipherValue>` + base64.StdEncoding.EncodeToString(ciphertext) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>` +
					`<xenc:EncryptedKey xmlns:xenc="` + xencSpace + `"><xenc:EncryptionMethod Algorithm="` + oaep11 + `">` + digestMethod(d.digest) + `<MGF xmlns="` + xenc11Space + `" Algorithm="` + g.mgf + `"/>` +
					`<xenc:OAEPparams>bGFiZWw=</xenc:OAEPparams></xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>` + base64.StdEncoding.EncodeToString([]byte(wrappedKey)) + `</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></saml:EncryptedAssertion>`)
				keys := []crypto.Decrypter{key}
				wantPlain(t, doc, keys, Options{}, assertionXML)
				if g.hash == crypto.SHA1 {
					mgf := `<MGF xmlns="` + xenc11Space + `" Algorithm="` + g.mgf + `"/>`
					wantPlain(t, edit{oaep11, oaepMGF1P}.apply(t, edit{mgf, ""}.apply(t, doc)), keys, Options{}, assertionXML)
				}
				wantFailure(t, edit{"bGFiZWw=", "bGFiZW0="}.apply(t, doc), keys, Options{})
			})
		}
	}
}
