package xmlenc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// BenchmarkDecrypt has the floor beside it: one operation with the private key,
// which nobody gets below.
func BenchmarkDecrypt(b *testing.B) {
	key, cert := pair(b, "sp-encryption")
	next, _ := pair(b, "sp-next")
	b.Run("floor/OAEP-2048", func(b *testing.B) {
		wrapped, err := rsa.EncryptOAEP(crypto.SHA1.New(), rand.Reader, key.Public().(*rsa.PublicKey), make([]byte, 32), nil)
		if err != nil {
			b.Fatal(err)
		}
		o := &rsa.OAEPOptions{Hash: crypto.SHA1}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := key.Decrypt(nil, wrapped, o); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(name, doc string, keys ...crypto.Decrypter) {
		b.Run(name, func(b *testing.B) {
			enc := find(b, parse(b, doc))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecryptElement(enc, keys, lax); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	typical := typicalAssertion(5)
	run("aes256-gcm/5KB", wrapped(b, cert, typical, EncryptOptions{}), key)
	run("aes256-gcm/5KB/second key", wrapped(b, cert, typical, EncryptOptions{}), next, key)
	run("aes256-cbc/5KB", wrapped(b, cert, typical, EncryptOptions{Content: "aes256-cbc"}), key)
	run("rsa-1_5/5KB", wrapped(b, cert, typical, EncryptOptions{KeyTransport: "rsa-1_5"}), key)
	run("aes256-gcm/100KB", wrapped(b, cert, typicalAssertion(1100), EncryptOptions{}), key)
}

// typicalAssertion has n groups, and 5 KB with five.
func typicalAssertion(n int) string {
	groups := strings.Repeat(`<saml:AttributeValue>a group with a name that is not too short, as in a directory</saml:AttributeValue>`, n)
	return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1"><x>` + strings.Repeat("MIIC", 1000) + `</x><saml:AttributeStatement><saml:Attribute Name="groups">` +
		groups + `</saml:Attribute></saml:AttributeStatement></saml:Assertion>`
}

// BenchmarkFailures: each way to fail takes the same time, up to what the reader
// takes for plaintexts that only the sender of the session key can make.
func BenchmarkFailures(b *testing.B) {
	key, cert := pair(b, "sp-encryption")
	for name, doc := range failures(b, cert) {
		b.Run(name, func(b *testing.B) {
			enc := find(b, parse(b, doc))
			for b.Loop() {
				if _, err := DecryptElement(enc, []crypto.Decrypter{key}, lax); err == nil {
					b.Fatal("no failure")
				}
			}
		})
	}
}

// BenchmarkHostile is the most that 1 MiB from anybody costs.
func BenchmarkHostile(b *testing.B) {
	key, cert := pair(b, "sp-encryption")
	next, _ := pair(b, "sp-next")
	fill := func(doc string) string {
		return strings.Replace(doc, "<saml:EncryptedAssertion", "<!--"+strings.Repeat("x", max(0, 1<<20-len(doc)-10))+"--><saml:EncryptedAssertion", 1)
	}
	big := strings.Repeat("x", 720_000)
	elements := `<saml:Assertion xmlns:saml="` + samlxml.Assertion + `">` + strings.Repeat("<a/>", 99_000) + `</saml:Assertion><x/>`
	eight := func(doc string) string {
		k := between(b, doc, "<xenc:EncryptedKey", "</xenc:EncryptedKey>")
		return strings.Replace(doc, k, strings.Repeat(k, maxKeys), 1)
	}
	var also []Recipient
	for range maxKeys - 1 {
		also = append(also, Recipient{Certificate: cert})
	}
	root := parse(b, strings.TrimSuffix(elements, "<x/>"))
	root.Tag = "Foo"
	enc, err := Encrypt(root, "EncryptedAssertion", cert, EncryptOptions{Content: "aes256-cbc", Also: also})
	if err != nil {
		b.Fatal(err)
	}
	for _, tt := range []struct {
		name, doc string
		keys      []crypto.Decrypter
		o         Options
	}{
		{"one key, small", wrapped(b, cert, "x", EncryptOptions{}), []crypto.Decrypter{key}, Options{}},
		{"8 keys for 2", eight(alter(b, wrapped(b, cert, "x", EncryptOptions{}), 0, flip(9, 1))), []crypto.Decrypter{key, next}, Options{}},
		{"8 keys for 2, large", eight(alter(b, wrapped(b, cert, big, EncryptOptions{}), 0, flip(9, 1))), []crypto.Decrypter{key, next}, Options{}},
		{"elements", wrapped(b, cert, elements, EncryptOptions{}), []crypto.Decrypter{key}, Options{}},
		{"elements, 8 keys, insecure CBC", response(serialize(enc)), []crypto.Decrypter{key, next}, Options{AllowUnauthenticatedCBC: true}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			doc := []byte(fill(tt.doc))
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				root, err := xmltree.Parse(doc, xmltree.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := DecryptElement(find(b, root), tt.keys, tt.o); err == nil {
					b.Fatal("no failure")
				}
			}
		})
	}
}
