package xmlenc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// lax switches everything on, for what is not about switches.
var lax = Options{AllowRSA15: true, CBCAuthenticated: true}

var oaepHashes = []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}

// TestContents has the ways to encrypt content once more, by their names in XML
// Encryption 1.1, 5.2.
func TestContents(t *testing.T) {
	t.Parallel()
	var want []content
	for _, size := range []int{256, 192, 128} {
		want = append(want, content{fmt.Sprintf("aes%d-gcm", size), fmt.Sprintf("http://www.w3.org/2009/xmlenc11#aes%d-gcm", size), size / 8, true})
	}
	for _, size := range []int{256, 192, 128} {
		want = append(want, content{fmt.Sprintf("aes%d-cbc", size), fmt.Sprintf("http://www.w3.org/2001/04/xmlenc#aes%d-cbc", size), size / 8, false})
	}
	if diff := cmp.Diff(want, contents[:], cmp.AllowUnexported(content{})); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

// transports are all key transports that Encrypt knows, by a readable name.
func transports() map[string]EncryptOptions {
	m := map[string]EncryptOptions{"rsa-1_5": {KeyTransport: "rsa-1_5"}}
	for _, d := range oaepHashes {
		m[fmt.Sprintf("rsa-oaep-mgf1p/%v", d)] = EncryptOptions{KeyTransport: "rsa-oaep-mgf1p", Digest: d}
		for _, g := range oaepHashes {
			m[fmt.Sprintf("rsa-oaep/%v/%v", d, g)] = EncryptOptions{KeyTransport: "rsa-oaep", Digest: d, MGF: g}
		}
	}
	return m
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	for name, o := range transports() {
		for _, c := range contents {
			o.Content = c.name
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				wantPlain(t, mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, o), keys, lax, assertionXML)
			})
		}
	}
}

func TestRoundTripShapes(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	other, otherCert := pair(t, "idp2")
	for _, place := range []KeyPlace{InKeyInfo, Beside, Referenced} {
		for _, label := range []string{"", "l", strings.Repeat("l", maxLabel)} {
			for wrapper, plain := range map[string]string{
				"EncryptedAssertion": assertionXML, "EncryptedID": nameIDXML, "EncryptedAttribute": attributeXML,
			} {
				o := EncryptOptions{Place: place, Label: []byte(label)}
				doc := mustEncrypt(t, plain, wrapper, cert, o)
				wantPlain(t, doc, []crypto.Decrypter{key}, Options{}, plain)

				// Two recipients, either of which can decrypt.
				o.Recipient, o.Also = "https://sp.example.com/", []Recipient{{"https://other.example.com/", otherCert}}
				doc = mustEncrypt(t, plain, wrapper, cert, o)
				wantPlain(t, doc, []crypto.Decrypter{key}, Options{}, plain)
				wantPlain(t, doc, []crypto.Decrypter{other}, Options{}, plain)
			}
		}
	}
}

// TestKeys: every key is tried, whatever its place among keys that cannot.
func TestKeys(t *testing.T) {
	t.Parallel()
	current, currentCert := pair(t, "sp-encryption")
	next, nextCert := pair(t, "sp-next")
	ec, _ := pair(t, "sp-p256")
	short, _ := pair(t, "weak")
	keys := []crypto.Decrypter{nil, ec, short, current, next}
	wantPlain(t, mustEncrypt(t, nameIDXML, "EncryptedID", currentCert, EncryptOptions{}), keys, Options{}, nameIDXML)
	wantPlain(t, mustEncrypt(t, nameIDXML, "EncryptedID", nextCert, EncryptOptions{}), keys, Options{}, nameIDXML)
	// With implicit rejection the first key gives a random session key, no error.
	wantPlain(t, mustEncrypt(t, nameIDXML, "EncryptedID", nextCert, EncryptOptions{KeyTransport: "rsa-1_5"}), keys, lax, nameIDXML)
	wantPlain(t, mustEncrypt(t, nameIDXML, "EncryptedID", nextCert, EncryptOptions{KeyTransport: "rsa-1_5", Content: "aes128-cbc"}), keys, lax, nameIDXML)
}

// TestSizes: every length of plaintext, so that every length of padding comes up.
func TestSizes(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	for n := range 20 {
		plain := strings.Replace(nameIDXML, "anna", strings.Repeat("a", n), 1)
		for _, c := range []string{"aes256-gcm", "aes128-cbc"} {
			wantPlain(t, mustEncrypt(t, plain, "EncryptedID", cert, EncryptOptions{Content: c}), []crypto.Decrypter{key}, lax, plain)
		}
	}
	big := strings.Replace(nameIDXML, "anna", strings.Repeat("анна", 300_000), 1) // 2.4 MB
	wantPlain(t, mustEncrypt(t, big, "EncryptedID", cert, EncryptOptions{}), []crypto.Decrypter{key}, Options{}, big)
}

// TestWrap holds our OAEP with two hashes against the standard library's
// decryption, and that with one against itself.
func TestWrap(t *testing.T) {
	t.Parallel()
	key, _ := pair(t, "sp-encryption")
	public := key.Public().(*rsa.PublicKey)
	want := make([]byte, 32)
	rand.Read(want)
	for _, d := range oaepHashes {
		for _, g := range oaepHashes {
			for _, label := range []string{"", "label"} {
				c, err := encryptOAEP(public, want, d, g, []byte(label))
				if err != nil {
					t.Fatal(err)
				}
				got, err := key.Decrypt(nil, c, &rsa.OAEPOptions{Hash: d, MGFHash: g, Label: []byte(label)})
				if err != nil || string(got) != string(want) {
					t.Errorf("%v with MGF1 %v: %x, %v, want %x", d, g, got, err, want)
				}
			}
		}
	}
}

func TestEncryptRefuses(t *testing.T) {
	t.Parallel()
	_, cert := pair(t, "sp-encryption")
	_, ec := pair(t, "sp-p256")
	_, weak := pair(t, "weak")
	for _, tt := range []struct {
		name, wrapper string
		o             EncryptOptions
		want          string
	}{
		{"wrapper", "Response", EncryptOptions{}, `"Response" is no element`},
		{"content", "EncryptedID", EncryptOptions{Content: "tripledes-cbc"}, `unknown content encryption "tripledes-cbc"`},
		{"transport", "EncryptedID", EncryptOptions{KeyTransport: "kw-aes256"}, `unknown key transport "kw-aes256"`},
		{"mask of mgf1p", "EncryptedID", EncryptOptions{MGF: crypto.SHA256}, "or not with MGF1 and SHA-256"},
		{"digest", "EncryptedID", EncryptOptions{Digest: crypto.SHA224}, "OAEP with SHA-224 and MGF1 with SHA-1 has no name"},
		{"no certificate", "EncryptedID", EncryptOptions{Also: []Recipient{{}}}, "no certificate"},
		{"EC key", "EncryptedID", EncryptOptions{Also: []Recipient{{"", ec}}}, "*ecdsa.PublicKey, want RSA"},
		{"short key", "EncryptedID", EncryptOptions{KeyTransport: "rsa-oaep", Digest: crypto.SHA512, Also: []Recipient{{"", weak}}}, "too short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := Encrypt(parse(t, nameIDXML), tt.wrapper, cert, tt.o)
			if e != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Encrypt = %v, %v, want an error with %q", e, err, tt.want)
			}
		})
	}
}

// TestEncryptInPlace: an element that lives on its ancestors' declarations
// decrypts where they are not.
func TestEncryptInPlace(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	doc := parse(t, `<r xmlns="urn:d" xmlns:p="urn:outer"><p:x xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:p="urn:p" xmlns:xs="http://www.w3.org/2001/XMLSchema"><a:NameID p:q="xs:string">anna</a:NameID></p:x></r>`)
	el := doc.ChildElements()[0].ChildElements()[0]
	before := serialize(doc)
	enc, err := Encrypt(el, "EncryptedID", cert, EncryptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, serialize(doc)); diff != "" {
		t.Errorf("Encrypt changed the tree (-before +after):\n%s", diff)
	}
	e, xe := decrypt(t, response(serialize(enc)), []crypto.Decrypter{key}, Options{})
	if xe != nil {
		t.Fatal(xe)
	}
	want := `<a:NameID p:q="xs:string" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:p="urn:p" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:d" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">anna</a:NameID>` // saml is of the EncryptedID
	if diff := cmp.Diff(want, serialize(e)); diff != "" {
		t.Errorf("decrypted element (-want +got):\n%s", diff)
	}
}

// TestNamespaces: what a prefix means in the plaintext, in messages as IdPs
// write them.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	const saml, samlp = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
	for _, tt := range []struct {
		name, plain string
		outer       string // around the encrypted element, which is %s
		wrapper     string // with the EncryptedData, which is %s
		fails       bool
		want        []string // namespace of the element and of its child
		lifted      int      // attributes of the element: its own, and declarations given to it
	}{
		{
			name:    "ns0 again (pysaml2)",
			outer:   `<ns0:Response xmlns:ns0="` + samlp + `">%s</ns0:Response>`,
			wrapper: `<ns1:EncryptedAssertion xmlns:ns1="` + saml + `">%s</ns1:EncryptedAssertion>`,
			plain:   `<ns0:Assertion xmlns:ns0="` + saml + `"><ns0:Issuer/></ns0:Assertion>`,
			want:    []string{saml, saml},
			lifted:  2,
		},
		{
			name:    "ns0 again, the other way around",
			outer:   `<ns1:Response xmlns:ns0="` + saml + `" xmlns:ns1="` + samlp + `">%s</ns1:Response>`,
			wrapper: `<ns0:EncryptedAssertion>%s</ns0:EncryptedAssertion>`,
			plain:   `<ns1:Assertion xmlns:ns1="` + saml + `"><ns0:Issuer/></ns1:Assertion>`,
			want:    []string{saml, saml},
			lifted:  1,
		},
		{
			name:    "declared on the Response only",
			outer:   `<p:Response xmlns:p="` + samlp + `" xmlns:a="` + saml + `">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion>%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><a:Issuer/></a:Assertion>`,
			want:    []string{saml, saml},
		},
		{
			name:    "declared on the encrypted element only",
			outer:   `<p:Response xmlns:p="` + samlp + `">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion xmlns:a="` + saml + `" xmlns:b="urn:b">%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><b:Issuer/></a:Assertion>`,
			want:    []string{saml, "urn:b"},
			lifted:  2,
		},
		{
			name:    "declared anew on the encrypted element",
			outer:   `<n:Response xmlns:n="` + samlp + `">%s</n:Response>`,
			wrapper: `<n:EncryptedAssertion xmlns:n="` + saml + `">%s</n:EncryptedAssertion>`,
			plain:   `<n:Assertion><n:Issuer/></n:Assertion>`,
			want:    []string{saml, saml},
			lifted:  1,
		},
		{
			name:    "attributes among the declarations",
			outer:   `<p:Response xmlns:p="` + samlp + `" Version="2.0">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion Id="x" xmlns:b="urn:0" xmlns:a="` + saml + `">%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion ID="y" xmlns:b="urn:b"><b:Issuer/></a:Assertion>`,
			want:    []string{saml, "urn:b"},
			lifted:  3,
		},
		{
			name:    "an attribute before the default namespace",
			outer:   `<p:Response xmlns:p="` + samlp + `">%s</p:Response>`,
			wrapper: `<EncryptedAssertion xmlns="` + saml + `">%s</EncryptedAssertion>`,
			plain:   `<Assertion ID="y" xmlns="` + saml + `"><Issuer/></Assertion>`,
			want:    []string{saml, saml},
			lifted:  2,
		},
		{
			name:    "declared two elements above",
			outer:   `<p:Response xmlns:p="` + samlp + `" xmlns:a="` + saml + `"><p:Extensions xmlns:c="urn:c">%s</p:Extensions></p:Response>`,
			wrapper: `<a:EncryptedAssertion xmlns:a="` + saml + `">%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><a:Issuer/></a:Assertion>`,
			want:    []string{saml, saml},
		},
		{
			name:    "default namespace of the encrypted element",
			outer:   `<Response xmlns="` + samlp + `">%s</Response>`,
			wrapper: `<EncryptedAssertion xmlns="` + saml + `">%s</EncryptedAssertion>`,
			plain:   `<Assertion><Issuer/></Assertion>`,
			want:    []string{saml, saml},
			lifted:  1,
		},
		{
			name:    "default namespace undeclared by the encrypted element",
			outer:   `<Response xmlns="` + samlp + `">%s</Response>`,
			wrapper: `<a:EncryptedAssertion xmlns:a="` + saml + `" xmlns="">%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><Issuer/></a:Assertion>`,
			want:    []string{saml, ""},
			lifted:  2,
		},
		{
			name:    "declared twice with the same meaning",
			outer:   `<p:Response xmlns:p="` + samlp + `" xmlns:a="` + saml + `">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion xmlns:a="` + saml + `">%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><a:Issuer/></a:Assertion>`,
			want:    []string{saml, saml},
		},
		{
			name:    "default namespace is another one",
			outer:   `<Response xmlns="` + samlp + `">%s</Response>`,
			wrapper: `<a:EncryptedAssertion xmlns:a="` + saml + `">%s</a:EncryptedAssertion>`,
			plain:   `<Assertion><Issuer/></Assertion>`,
			fails:   true,
		},
		{
			name:    "declared on the EncryptedData, which goes away",
			outer:   `<p:Response xmlns:p="` + samlp + `" xmlns:a="` + saml + `">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion>%s</a:EncryptedAssertion>`,
			plain:   `<xenc:Assertion><a:Issuer/></xenc:Assertion>`,
			fails:   true,
		},
		{
			name:    "prefix declared nowhere",
			outer:   `<p:Response xmlns:p="` + samlp + `" xmlns:a="` + saml + `">%s</p:Response>`,
			wrapper: `<a:EncryptedAssertion>%s</a:EncryptedAssertion>`,
			plain:   `<a:Assertion><b:Issuer/></a:Assertion>`,
			fails:   true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// What the EncryptedData declares goes away with it, and says nothing
			// about the plaintext: pysaml2 gives ns1 another meaning there.
			const others = ` xmlns="urn:o" xmlns:a="urn:o" xmlns:b="urn:o" xmlns:n="urn:o" xmlns:ns0="urn:o" xmlns:ns1="urn:o" xmlns:p="urn:o"`
			data := strings.Replace(encryptedData(t, cert, tt.plain, EncryptOptions{}), "<xenc:EncryptedData", "<xenc:EncryptedData"+others, 1)
			doc := fmt.Sprintf(tt.outer, fmt.Sprintf(tt.wrapper, data))
			if tt.fails {
				wantFailure(t, doc, []crypto.Decrypter{key}, Options{})
				return
			}
			root := parse(t, doc)
			enc := root.FindElement(".//EncryptedAssertion")
			e, err := DecryptElement(enc, []crypto.Decrypter{key}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(e.Attr); tt.lifted != n {
				t.Errorf("%d attributes on the element, want %d: %s", n, tt.lifted, serialize(e))
			}
			// As the caller does it.
			parent, at := enc.Parent(), enc.Index()
			parent.RemoveChildAt(at)
			parent.InsertChildAt(at, e)
			got := []string{xmltree.Namespace(e), xmltree.Namespace(e.ChildElements()[0])}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("namespaces (-want +got):\n%s\n%s", diff, serialize(root))
			}
			// What it means must survive writing and reading.
			again := parse(t, serialize(root)).FindElement(".//Assertion")
			if diff := cmp.Diff(got, []string{xmltree.Namespace(again), xmltree.Namespace(again.ChildElements()[0])}); diff != "" {
				t.Errorf("namespaces once written and read (-want +got):\n%s", diff)
			}
		})
	}
}

// encryptedData encrypts any bytes, also such as Encrypt never would, and
// returns the EncryptedData, with its EncryptedKey inside, as text.
func encryptedData(t testing.TB, cert certificate, plain string, o EncryptOptions) string {
	t.Helper()
	o = o.withDefaults()
	c := contentNamed(o.Content)
	key := make([]byte, c.keySize)
	rand.Read(key)
	ciphertext, err := c.seal(key, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return encryptedDataOf(t, cert, key, ciphertext, c.uri, o)
}

func encryptedDataOf(t testing.TB, cert certificate, key, ciphertext []byte, uri string, o EncryptOptions) string {
	t.Helper()
	data := etree.NewElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", xencSpace)
	data.CreateAttr("Type", typeElement)
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", uri)
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", dsigSpace)
	k, err := o.withDefaults().encryptedKey(key, Recipient{Certificate: cert})
	if err != nil {
		t.Fatal(err)
	}
	info.AddChild(k)
	cipherData(data, ciphertext)
	return serialize(data)
}

// wrapped is encryptedData in an EncryptedAssertion in a Response.
func wrapped(t testing.TB, cert certificate, plain string, o EncryptOptions) string {
	t.Helper()
	return response(`<saml:EncryptedAssertion xmlns:saml="` + samlxml.Assertion + `">` + encryptedData(t, cert, plain, o) + `</saml:EncryptedAssertion>`)
}

// TestSpellings: one value, in the ways in which IdPs write it.
func TestSpellings(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	keys := []crypto.Decrypter{key}
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{})
	for name, spell := range map[string]func(string) string{
		"lines of 76":       func(s string) string { return lines(s, 76, "\n") },
		"indented lines":    func(s string) string { return "\n    " + lines(s, 64, "\n    ") + "\n  " },
		"&#13; at line end": func(s string) string { return lines(s, 76, "&#13;\n") },
		"tabs":              func(s string) string { return lines(s, 10, "\t") },
		"CDATA":             func(s string) string { return "<![CDATA[" + s + "]]>" },
		"CDATA in part":     func(s string) string { return s[:10] + "<![CDATA[" + s[10:20] + "]]>" + s[20:] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := values(t, doc)
			for n := len(at) - 1; n >= 0; n-- {
				one := doc[:at[n][0]] + spell(doc[at[n][0]:at[n][1]]) + doc[at[n][1]:]
				wantPlain(t, one, keys, Options{}, assertionXML)
			}
		})
	}
	sha384 := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{Digest: crypto.SHA384})
	wantPlain(t, sha384, keys, Options{}, assertionXML)
	wantPlain(t, edit{"xmlenc#sha384", "xmldsig-more#sha384"}.apply(t, sha384), keys, Options{}, assertionXML)
	noDigest := between(t, doc, "<ds:DigestMethod", "/>")
	wantPlain(t, edit{noDigest, ""}.apply(t, doc), keys, Options{}, assertionXML)
	mgf := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{KeyTransport: "rsa-oaep"})
	wantPlain(t, mgf, keys, Options{}, assertionXML)
	wantPlain(t, edit{"<ds:DigestMethod", `<x:MGF xmlns:x="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha1"/><ds:DigestMethod`}.apply(t, mgf), keys, Options{}, assertionXML)
}

func lines(s string, n int, sep string) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + sep)
		s = s[n:]
	}
	return b.String() + s
}
