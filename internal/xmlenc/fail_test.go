package xmlenc

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// values returns the places of all CipherValue texts of a document.
func values(t testing.TB, doc string) [][2]int {
	t.Helper()
	const open, end = "<xenc:CipherValue>", "</xenc:CipherValue>"
	var found [][2]int
	for at := 0; ; {
		i := strings.Index(doc[at:], open)
		if i < 0 {
			break
		}
		i += at + len(open)
		n := strings.Index(doc[i:], end)
		found = append(found, [2]int{i, i + n})
		at = i + n
	}
	if len(found) == 0 {
		t.Fatal("no CipherValue")
	}
	return found
}

// alter changes the n-th CipherValue as bytes.
func alter(t testing.TB, doc string, n int, change func([]byte) []byte) string {
	t.Helper()
	at := values(t, doc)[n]
	b, err := base64.StdEncoding.DecodeString(doc[at[0]:at[1]])
	if err != nil {
		t.Fatal(err)
	}
	return doc[:at[0]] + base64.StdEncoding.EncodeToString(change(b)) + doc[at[1]:]
}

func flip(at int, mask byte) func([]byte) []byte {
	return func(b []byte) []byte {
		if at < 0 {
			at += len(b)
		}
		b[at] ^= mask
		return b
	}
}

// TestEveryByte changes every byte of the wrapped key and of the content (nonce,
// ciphertext, tag), and every character of their base64.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	for _, o := range []EncryptOptions{{}, {KeyTransport: "rsa-oaep", Content: "aes128-gcm", Digest: crypto.SHA256, MGF: crypto.SHA256}, {KeyTransport: "rsa-1_5"}} {
		t.Run(o.withDefaults().KeyTransport, func(t *testing.T) {
			t.Parallel()
			doc := mustEncrypt(t, nameIDXML, "EncryptedID", cert, o)
			wantPlain(t, doc, keys, lax, nameIDXML)
			for n, at := range values(t, doc) {
				size := base64.StdEncoding.DecodedLen(at[1]-at[0]) - strings.Count(doc[at[0]:at[1]], "=")
				for i := range size {
					wantFailure(t, alter(t, doc, n, flip(i, 1<<(i%8))), keys, lax)
				}
				for i := at[0]; i < at[1]; i++ {
					c := "A"
					if doc[i] == 'A' {
						c = "B"
					}
					if i%3 == 0 {
						c = "_" // no base64
					}
					wantFailure(t, doc[:i]+c+doc[i+1:], keys, lax)
				}
			}
		})
	}
}

// TestEveryLength cuts and extends the wrapped key and the content.
func TestEveryLength(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	for _, c := range []string{"aes256-gcm", "aes256-cbc"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			doc := mustEncrypt(t, nameIDXML, "EncryptedID", cert, EncryptOptions{Content: c})
			wantPlain(t, doc, keys, lax, nameIDXML)
			for n := range values(t, doc) {
				size := 0
				alter(t, doc, n, func(b []byte) []byte { size = len(b); return b })
				for i := range size {
					wantFailure(t, alter(t, doc, n, func(b []byte) []byte { return b[:i] }), keys, lax)
				}
				for _, more := range []int{1, 15, 16, 17, 32, 1000} {
					wantFailure(t, alter(t, doc, n, func(b []byte) []byte { return append(b, make([]byte, more)...) }), keys, lax)
				}
				wantFailure(t, alter(t, doc, n, func(b []byte) []byte { return append([]byte{0}, b...) }), keys, lax)
			}
		})
	}
}

// rewrap is a message with a session key of our choice.
func rewrap(t testing.TB, cert certificate, key, plain []byte, c *content, sealWith []byte, o EncryptOptions) string {
	t.Helper()
	ciphertext, err := c.seal(sealWith, plain)
	if err != nil {
		t.Fatal(err)
	}
	return response(`<saml:EncryptedAssertion xmlns:saml="` + samlxml.Assertion + `">` + encryptedDataOf(t, cert, key, ciphertext, c.uri, o) + `</saml:EncryptedAssertion>`)
}

// failures are messages that fail in each way that a message can once a key has
// been used, all with a wrapped key of the right length.
func failures(t testing.TB, cert certificate) map[string]string {
	t.Helper()
	_, otherCert := pair(t, "idp2")
	encrypt := func(o EncryptOptions) string { return mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, o) }
	doc := encrypt(EncryptOptions{})
	cbc := encrypt(EncryptOptions{Content: "aes256-cbc"})
	old := encrypt(EncryptOptions{KeyTransport: "rsa-1_5"})
	oldCBC := encrypt(EncryptOptions{KeyTransport: "rsa-1_5", Content: "aes128-cbc"})
	short, long := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{1}, 32)
	gcm, plain := contentNamed("aes256-gcm"), []byte(assertionXML)
	m := map[string]string{
		"encrypted for somebody else":          mustEncrypt(t, assertionXML, "EncryptedAssertion", otherCert, EncryptOptions{}),
		"encrypted for somebody else, RSA 1.5": mustEncrypt(t, assertionXML, "EncryptedAssertion", otherCert, EncryptOptions{KeyTransport: "rsa-1_5"}),
		"encrypted for somebody else, CBC":     mustEncrypt(t, assertionXML, "EncryptedAssertion", otherCert, EncryptOptions{Content: "aes256-cbc"}),
		"wrapped key of zeros":                 alter(t, doc, 0, func(b []byte) []byte { return make([]byte, len(b)) }),
		"wrapped key above the modulus":        alter(t, doc, 0, func(b []byte) []byte { return bytes.Repeat([]byte{255}, len(b)) }),
		"wrapped key above the modulus, 1.5":   alter(t, old, 0, func(b []byte) []byte { return bytes.Repeat([]byte{255}, len(b)) }),
		"RSA 1.5 padding":                      alter(t, old, 0, flip(17, 1)),
		"RSA 1.5 padding, CBC":                 alter(t, oldCBC, 0, flip(17, 1)),
		"OAEP padding":                         alter(t, doc, 0, flip(17, 1)),
		"OAEP padding, CBC":                    alter(t, cbc, 0, flip(17, 1)),
		"OAEP digest":                          edit{sha1, `Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"`}.apply(t, doc),
		"OAEP label":                           edit{`<ds:DigestMethod`, `<xenc:OAEPparams>AA==</xenc:OAEPparams><ds:DigestMethod`}.apply(t, doc),
		"OAEP read as RSA 1.5":                 edit{mgf1p, `Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"`}.apply(t, doc),
		"RSA 1.5 read as OAEP":                 edit{`Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"`, mgf1p}.apply(t, old),
		"GCM read as CBC":                      edit{gcm256, `Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"`}.apply(t, alignedGCM(t, cert)),
		"CBC read as GCM":                      edit{`Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"`, gcm256}.apply(t, cbc),
		"session key too short":                rewrap(t, cert, short, plain, gcm, long, EncryptOptions{}),
		"session key too long":                 rewrap(t, cert, long, plain, contentNamed("aes128-gcm"), short, EncryptOptions{}),
		"session key too short, 1.5":           rewrap(t, cert, short, plain, gcm, long, EncryptOptions{KeyTransport: "rsa-1_5"}),
		"session key empty":                    rewrap(t, cert, nil, plain, gcm, long, EncryptOptions{}),
		"session key of zeros for none":        alter(t, rewrap(t, cert, long, plain, gcm, make([]byte, 32), EncryptOptions{}), 0, flip(17, 1)),
		"session key of zeros for short":       rewrap(t, cert, short, plain, gcm, make([]byte, 32), EncryptOptions{}),
		"another session key":                  rewrap(t, cert, bytes.Repeat([]byte{2}, 32), plain, gcm, long, EncryptOptions{}),
		"nonce":                                alter(t, doc, 1, flip(0, 1)),
		"ciphertext":                           alter(t, doc, 1, flip(20, 1)),
		"tag":                                  alter(t, doc, 1, flip(-1, 1)),
		"no tag":                               alter(t, doc, 1, func(b []byte) []byte { return b[:len(b)-16] }),
		"tag of 96 bits":                       alter(t, doc, 1, func(b []byte) []byte { return b[:len(b)-4] }),
		"content empty":                        alter(t, doc, 1, func(b []byte) []byte { return nil }),
		"nonce only":                           alter(t, doc, 1, func(b []byte) []byte { return b[:12] }),
		"CBC content empty":                    alter(t, cbc, 1, func(b []byte) []byte { return nil }),
		"IV only":                              alter(t, cbc, 1, func(b []byte) []byte { return b[:16] }),
		"partial block":                        alter(t, cbc, 1, func(b []byte) []byte { return b[:len(b)-1] }),
		"last block missing":                   alter(t, cbc, 1, func(b []byte) []byte { return b[:len(b)-16] }),
		"padding":                              alter(t, cbc, 1, flip(-17, 0x80)),
		"first block":                          alter(t, cbc, 1, flip(0, 1)),
		"not base64":                           strings.Replace(doc, doc[values(t, doc)[1][0]:][:4], "????", 1),
	}
	for name, text := range plaintexts(t) {
		m["plaintext: "+name] = wrapped(t, cert, text, EncryptOptions{})
		m["plaintext in CBC: "+name] = wrapped(t, cert, text, EncryptOptions{Content: "aes128-cbc"})
	}
	return m
}

// alignedGCM is a message in GCM whose content is a number of whole blocks, as
// CBC wants it.
func alignedGCM(t testing.TB, cert certificate) string {
	t.Helper()
	plain := assertionXML
	for (gcmNonce+gcmTag+len(plain))%16 != 0 {
		plain += "\n"
	}
	return wrapped(t, cert, plain, EncryptOptions{})
}

// plaintexts decrypt to something else than one Assertion.
func plaintexts(t testing.TB) map[string]string {
	t.Helper()
	const ns = ` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`
	m := map[string]string{
		"empty":                     "",
		"white space":               " \n",
		"text":                      "anna@example.com",
		"NUL":                       "\x00",
		"not well-formed":           strings.TrimSuffix(assertionXML, ">"),
		"end tag":                   "</saml:Assertion>",
		"out of EncryptedData":      `</xenc:EncryptedData></saml:EncryptedAssertion>` + assertionXML + `<saml:EncryptedAssertion><xenc:EncryptedData>`,
		"two assertions":            assertionXML + assertionXML,
		"assertion and element":     assertionXML + "<x/>",
		"trailing text":             assertionXML + "x",
		"trailing NUL":              assertionXML + "\x00",
		"leading text":              "x" + assertionXML,
		"DOCTYPE":                   `<!DOCTYPE saml:Assertion>` + assertionXML,
		"entity":                    `<!DOCTYPE a [<!ENTITY e "anna@example.com">]>` + strings.Replace(assertionXML, "anna@example.com", "&e;", 1),
		"processing instruction":    `<?p?>` + assertionXML,
		"UTF-16":                    utf16le(assertionXML),
		"Latin-1":                   `<?xml version="1.0" encoding="ISO-8859-1"?>` + assertionXML,
		"invalid UTF-8":             strings.Replace(assertionXML, "anna", "\xff", 1),
		"deflate":                   deflated(t, assertionXML),
		"gzip":                      gzipped(t, assertionXML),
		"base64":                    base64.StdEncoding.EncodeToString([]byte(assertionXML)),
		"Response":                  response(assertionXML),
		"NameID":                    nameIDXML,
		"Attribute":                 attributeXML,
		"EncryptedAssertion":        `<saml:EncryptedAssertion` + ns + `/>`,
		"EncryptedData":             `<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/>`,
		"Assertion of SAML 1":       `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion"/>`,
		"Assertion of the protocol": `<samlp:Assertion/>`,
		"Assertion of no namespace": `<Assertion/>`,
		"assertion":                 `<saml:assertion` + ns + `/>`,
		"undeclared prefix":         `<q:Assertion/>`,
		"depth":                     strings.Repeat(`<saml:Assertion`+ns+`>`, 100) + strings.Repeat(`</saml:Assertion>`, 100),
		"attributes":                `<saml:Assertion` + ns + manyAttributes(100) + `/>`,
	}
	return m
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strconv.Itoa(i) + `=""`)
	}
	return b.String()
}

func utf16le(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func deflated(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func gzipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

// TestFailures: one error, and as many uses of each private key, however a
// message fails. The exception is a session key that was right (the tag of GCM
// fits): the sender has it, and sees nothing new.
func TestFailures(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	next, _ := pair(t, "sp-next")
	wantPlain(t, mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{}), []crypto.Decrypter{key}, lax, assertionXML)
	for name, doc := range failures(t, cert) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := &counter{Decrypter: next}, &counter{Decrypter: key}
			wantFailure(t, doc, []crypto.Decrypter{a, b}, lax)
			if a.n.Load() != 1 || b.n.Load() != 1 {
				t.Errorf("the private keys were used %d and %d times, want once each", a.n.Load(), b.n.Load())
			}
			// The place of the right key among them makes no difference but
			// with a session key that was right.
			a.n.Store(0)
			b.n.Store(0)
			wantFailure(t, doc, []crypto.Decrypter{b, a}, lax)
			want := int32(1)
			if strings.HasPrefix(name, "plaintext: ") {
				want = 0
			}
			if b.n.Load() != 1 || a.n.Load() != want {
				t.Errorf("the private keys were used %d and %d times, want 1 and %d", b.n.Load(), a.n.Load(), want)
			}
		})
	}
}

// TestPlaintextsTaken are neighbours of what plaintexts has.
func TestPlaintextsTaken(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	for name, plain := range map[string]string{
		"declaration":      `<?xml version="1.0" encoding="UTF-8"?>` + assertionXML,
		"byte order mark":  "\uFEFF" + assertionXML,
		"white space":      "\n" + assertionXML + "\n",
		"comments outside": "<!-- a -->" + assertionXML + "<!-- b -->",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range contents {
				wantPlain(t, wrapped(t, cert, plain, EncryptOptions{Content: c.name}), []crypto.Decrypter{key}, lax, assertionXML)
			}
		})
	}
}

// TestWrongElement: each encrypted element holds its own kind, and no other.
func TestWrongElement(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	const baseID = `<saml:BaseID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`
	for wrapper, right := range map[string]string{"EncryptedAssertion": assertionXML, "EncryptedID": nameIDXML, "EncryptedAttribute": attributeXML} {
		for _, plain := range []string{assertionXML, nameIDXML, attributeXML, baseID} {
			doc := mustEncrypt(t, plain, wrapper, cert, EncryptOptions{})
			if plain == right {
				wantPlain(t, doc, keys, Options{}, plain)
			} else {
				wantFailure(t, doc, keys, Options{})
			}
		}
	}
	// What is encrypted twice is not decrypted twice.
	inner, err := Encrypt(parse(t, assertionXML), "EncryptedAssertion", cert, EncryptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, mustEncrypt(t, serialize(inner), "EncryptedAssertion", cert, EncryptOptions{}), keys, Options{})
	wantFailure(t, wrapped(t, cert, serialize(inner.ChildElements()[0]), EncryptOptions{}), keys, Options{})
}

// TestLimits: the limits hold for the plaintext, as a failure like any other.
func TestLimits(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{})
	for _, tt := range []struct{ ok, bad xmltree.Limits }{
		{xmltree.Limits{Depth: 6}, xmltree.Limits{Depth: 5}}, // Response, EncryptedAssertion, and four
		{xmltree.Limits{Attributes: 4}, xmltree.Limits{Attributes: 3}},
		{xmltree.Limits{Elements: 50}, xmltree.Limits{Elements: 5}},
		{xmltree.Limits{Bytes: len(assertionXML) + 10}, xmltree.Limits{Bytes: len(assertionXML) - 1}},
	} {
		wantPlain(t, doc, keys, Options{Limits: tt.ok}, assertionXML)
		wantFailure(t, doc, keys, Options{Limits: tt.bad})
	}
}

// TestPadding: all legal lengths, whatever the other bytes, and no others.
func TestPadding(t *testing.T) {
	t.Parallel()
	for size := 16; size <= 48; size += 16 {
		for n := range 256 {
			plain := make([]byte, size)
			rand.Read(plain)
			plain[size-1] = byte(n)
			got, sound := unpad(plain)
			want, legal := size-1, n >= 1 && n <= 16
			if legal {
				want = size - n
			}
			if len(got) != want || (sound == 1) != legal {
				t.Errorf("padding byte %d of %d: %d bytes, sound %d, want %d, %v", n, size, len(got), sound, want, legal)
			}
		}
	}
}

// TestPaddingOverXML: what is left of the plaintext is an Assertion, but the
// padding is wrong.
func TestPaddingOverXML(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	c := contentNamed("aes256-cbc")
	for pad, fails := range map[byte]bool{'\t': false, '\n': false, ' ': true} { // 9, 10 and 32
		session := make([]byte, c.keySize)
		rand.Read(session)
		plain := []byte(assertionXML)
		for len(plain)%16 != 0 || len(plain) < len(assertionXML)+16 {
			plain = append(plain, ' ')
		}
		plain[len(plain)-1] = pad
		sealed, err := c.seal(session, plain)
		if err != nil {
			t.Fatal(err)
		}
		sealed = sealed[:len(sealed)-16] // the block that seal pads with
		doc := response(`<saml:EncryptedAssertion xmlns:saml="` + samlxml.Assertion + `">` + encryptedDataOf(t, cert, session, sealed, c.uri, EncryptOptions{}) + `</saml:EncryptedAssertion>`)
		if fails {
			wantFailure(t, doc, []crypto.Decrypter{key}, lax)
		} else {
			wantPlain(t, doc, []crypto.Decrypter{key}, lax, assertionXML)
		}
	}
}

// TestWrappedLength: a wrapped key is as long as the modulus, even if it begins
// with zeros.
func TestWrappedLength(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	for range 10_000 {
		doc := mustEncrypt(t, nameIDXML, "EncryptedID", cert, EncryptOptions{})
		first := byte(1)
		short := alter(t, doc, 0, func(b []byte) []byte { first = b[0]; return b[1:] })
		if first == 0 {
			wantPlain(t, doc, keys, Options{}, nameIDXML)
			wantFailure(t, short, keys, Options{})
			return
		}
	}
	t.Fatal("no wrapped key begins with zero")
}

// TestDeviceErrors: keys in devices fail in their own ways.
func TestDeviceErrors(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{})
	for _, d := range []device{
		{Decrypter: key, err: errors.New("session closed")},
		{Decrypter: key, err: errors.New("decryption error"), out: make([]byte, 32)},
		{Decrypter: key},
		{Decrypter: key, out: make([]byte, 31)},
		{Decrypter: key, out: make([]byte, 33)},
		{Decrypter: key, out: make([]byte, 32)},
	} {
		wantFailure(t, doc, []crypto.Decrypter{d}, Options{})
		wantPlain(t, doc, []crypto.Decrypter{d, key}, Options{}, assertionXML)
	}
}

// TestErrorText leaves out what there is nothing of.
func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*Error{
		"xmlenc: refused":                      {Kind: KindRefused},
		"xmlenc: refused: got a":               {Kind: KindRefused, Got: "a"},
		"xmlenc: refused: got a, want b":       {Kind: KindRefused, Got: "a", Want: "b"},
		"xmlenc: decrypt: got a, want b; do c": {Kind: KindDecrypt, Got: "a", Want: "b", Hint: "do c"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestErrorWithPlaintext: what comes with an error is not a key.
func TestErrorWithPlaintext(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	zeros := make([]byte, 32)
	doc := rewrap(t, cert, zeros, []byte(assertionXML), contentNamed("aes256-gcm"), zeros, EncryptOptions{})
	wantPlain(t, doc, []crypto.Decrypter{device{Decrypter: key, out: zeros}}, Options{}, assertionXML)
	wantFailure(t, doc, []crypto.Decrypter{device{Decrypter: key, out: zeros, err: errors.New("decryption error")}}, Options{})
}

type device struct {
	crypto.Decrypter
	out []byte
	err error
}

func (d device) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) { return d.out, d.err }

// TestDecrypterOptions: what a private key is asked for.
func TestDecrypterOptions(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	for _, tt := range []struct {
		o    EncryptOptions
		want crypto.DecrypterOpts
	}{
		{EncryptOptions{}, &rsa.OAEPOptions{Hash: crypto.SHA1}},
		{EncryptOptions{Digest: crypto.SHA256}, &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}},
		{EncryptOptions{KeyTransport: "rsa-oaep", Digest: crypto.SHA256, MGF: crypto.SHA256}, &rsa.OAEPOptions{Hash: crypto.SHA256}},
		{EncryptOptions{Label: []byte("l")}, &rsa.OAEPOptions{Hash: crypto.SHA1, Label: []byte("l")}},
		{EncryptOptions{KeyTransport: "rsa-1_5", Content: "aes192-gcm"}, &rsa.PKCS1v15DecryptOptions{SessionKeyLen: 24}},
	} {
		r := &recorder{Decrypter: key}
		wantPlain(t, mustEncrypt(t, nameIDXML, "EncryptedID", cert, tt.o), []crypto.Decrypter{r}, lax, nameIDXML)
		if diff := cmp.Diff(tt.want, r.o); diff != "" {
			t.Errorf("options of the private key (-want +got):\n%s", diff)
		}
	}
}

type recorder struct {
	crypto.Decrypter
	o crypto.DecrypterOpts
}

func (r *recorder) Decrypt(rd io.Reader, msg []byte, o crypto.DecrypterOpts) ([]byte, error) {
	r.o = o
	return r.Decrypter.Decrypt(rd, msg, o)
}
