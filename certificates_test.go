package sso

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"html"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// testChain makes a certificate and the authority that issued it.
func testChain(tb testing.TB) (leaf, ca *x509.Certificate) {
	tb.Helper()
	caKey, leafKey := testKey(tb, "idp-p384"), testKey(tb, "idp-p256")
	issue := func(template, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
		template.SerialNumber = big.NewInt(1)
		template.NotBefore, template.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, caKey.Private)
		if err != nil {
			tb.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			tb.Fatal(err)
		}
		return cert
	}
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca = issue(authority, authority, caKey.Certificate.PublicKey)
	leaf = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}}, ca, leafKey.Certificate.PublicKey)
	return leaf, ca
}

func wrapAt(width int, end, s string) string {
	var b strings.Builder
	for ; len(s) > width; s = s[width:] {
		b.WriteString(s[:width] + end)
	}
	return b.String() + s
}

func TestParseCertificates(t *testing.T) {
	t.Parallel()
	one, two := testCert(t, "idp"), testCert(t, "idp2")
	p, b64 := pemOf(one), base64.StdEncoding.EncodeToString(one.Raw)
	leaf, ca := testChain(t)
	body := strings.TrimSuffix(strings.TrimPrefix(p, "-----BEGIN CERTIFICATE-----\n"), "-----END CERTIFICATE-----\n")
	utf16 := "\xff\xfe"
	for _, c := range []byte(p) {
		utf16 += string([]byte{c, 0})
	}
	tests := []struct {
		name, text string
		want       Certificates
	}{
		{"PEM", p, Certificates{one}},
		{"PEM with CRLF", strings.ReplaceAll(p, "\n", "\r\n"), Certificates{one}},
		{"PEM with CR", strings.ReplaceAll(p, "\n", "\r"), Certificates{one}},
		{"PEM in UTF-16", utf16, Certificates{one}},
		{"byte order mark", "\ufeff" + p, Certificates{one}},
		{"blanks around", "\n\t  " + p + "  \n", Certificates{one}},
		{"indented", "  " + strings.ReplaceAll(p, "\n", "\n\t  "), Certificates{one}},
		{"blank lines", strings.ReplaceAll(p, "\n", "\n\n"), Certificates{one}},
		{"no-break spaces", strings.ReplaceAll(p, "\n", "\u00a0\n\u200b"), Certificates{one}},
		{"on one line", strings.ReplaceAll(p, "\n", ""), Certificates{one}},
		{"on one line with blanks", strings.ReplaceAll(p, "\n", " "), Certificates{one}},
		{"escaped line ends", strings.ReplaceAll(p, "\n", `\n`), Certificates{one}},
		{"escaped twice", strings.ReplaceAll(p, "\n", `\\r\\n`), Certificates{one}},
		{"JSON string", `"` + strings.ReplaceAll(strings.ReplaceAll(p, "\n", `\r\n`), "/", `\/`) + `"`, Certificates{one}},
		{"in quotes", "'" + p + "'", Certificates{one}},
		{"in curly quotes", "“" + b64 + "”", Certificates{one}},
		{"lines continued", strings.ReplaceAll(p, "\n", "\\\n"), Certificates{one}},
		{"entities", strings.ReplaceAll(p, "\n", "&#13;\n"), Certificates{one}},
		{"entities in hex", strings.ReplaceAll(p, "\n", "&#xD;&#xA;"), Certificates{one}},
		{"entities without line ends", strings.ReplaceAll(p, "\n", "&#10;"), Certificates{one}},
		{"entities twice", html.EscapeString(strings.ReplaceAll(p, "\n", "&#13;\n")), Certificates{one}},
		{"entity for a blank", strings.ReplaceAll(p, "\n", "&nbsp;"), Certificates{one}},
		{"base64 on one line", b64, Certificates{one}},
		{"base64 wrapped", wrapAt(76, "\r\n", b64), Certificates{one}},
		{"base64 with blanks", wrapAt(10, " ", b64), Certificates{one}},
		{"base64 without padding", strings.TrimRight(b64, "="), Certificates{one}},
		{"base64 for addresses", strings.NewReplacer("+", "-", "/", "_").Replace(b64), Certificates{one}},
		{"base64 of PEM", base64.StdEncoding.EncodeToString([]byte(p)), Certificates{one}},
		{"DER", string(one.Raw), Certificates{one}},
		{"header only", "-----BEGIN CERTIFICATE-----\n" + body, Certificates{one}},
		{"footer only", body + "-----END CERTIFICATE-----", Certificates{one}},
		{"header with blanks", strings.ReplaceAll(p, "-----", " - - --- "), Certificates{one}},
		{"header without blanks", strings.ReplaceAll(p, " CERT", "CERT"), Certificates{one}},
		{"header with a line end", strings.ReplaceAll(p, " CERT", "\nCERT"), Certificates{one}},
		{"header with dashes of a word processor", strings.ReplaceAll(p, "-----", "—–-"), Certificates{one}},
		{"header with fewer dashes", strings.ReplaceAll(p, "-----", "--"), Certificates{one}},
		{"header without closing dashes", strings.Replace(p, "CERTIFICATE-----\n", "CERTIFICATE\n", 1), Certificates{one}},
		{"header in lower case", strings.ReplaceAll(strings.ReplaceAll(p, "BEGIN CERTIFICATE", "begin certificate"), "END CERTIFICATE", "end certificate"), Certificates{one}},
		{"X509 header", strings.ReplaceAll(p, "CERTIFICATE", "X509 CERTIFICATE"), Certificates{one}},
		{"trusted certificate", strings.ReplaceAll(pemOf(&x509.Certificate{Raw: append(bytes.Clone(one.Raw), 0x30, 0x00)}), "CERTIFICATE", "TRUSTED CERTIFICATE"), Certificates{one}},
		{"two", p + pemOf(two), Certificates{one, two}},
		{"two without a line end", strings.TrimSpace(p) + pemOf(two), Certificates{one, two}},
		{"two in base64", b64 + "\n\n" + base64.StdEncoding.EncodeToString(two.Raw), Certificates{one, two}},
		{"two in base64 with a comma", b64 + "," + base64.StdEncoding.EncodeToString(two.Raw), Certificates{one, two}},
		{"two in one block", base64.StdEncoding.EncodeToString(append(bytes.Clone(one.Raw), two.Raw...)), Certificates{one, two}},
		{"PEM and base64", p + base64.StdEncoding.EncodeToString(two.Raw), Certificates{one, two}},
		{"one twice", p + p + b64, Certificates{one}},
		{"chain", pemOf(leaf) + pemOf(ca), Certificates{leaf}},
		{"chain upside down", pemOf(ca) + pemOf(leaf), Certificates{leaf}},
		{"an authority alone", pemOf(ca), Certificates{ca}},
		{"comments of OpenSSL", "Bag Attributes\n    localKeyID: 01 00 00 00\nsubject=CN = idp\nissuer=CN = idp\n" + p, Certificates{one}},
		{"text of OpenSSL", "Certificate:\n    Data:\n        X509v3 Private Key Usage Period: critical\n" + p, Certificates{one}},
		{"with a public key", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n" + p, Certificates{one}},
		{"curve and expiry do not matter", pemOf(testCert(t, "idp-p521")) + pemOf(testCert(t, "expired")) + pemOf(testCert(t, "weak")), Certificates{testCert(t, "idp-p521"), testCert(t, "expired"), testCert(t, "weak")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCertificates(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseCertificatesErrors(t *testing.T) {
	t.Parallel()
	p := pemOf(testCert(t, "idp"))
	key := testPEM(t, "idp.key.pem")
	keyPEM := string(testFile(t, "keys", "idp.key.pem"))
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(testCert(t, "idp").PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalECPrivateKey(ecdsaKey(t, "idp-p256"))
	if err != nil {
		t.Fatal(err)
	}
	rsa1 := x509.MarshalPKCS1PrivateKey(rsaKey(t, "idp"))
	b64 := base64.StdEncoding.EncodeToString
	block := func(name string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der}))
	}
	print := Fingerprint(testCert(t, "idp"))
	colons := strings.ToUpper(wrapAt(2, ":", print))
	pkcs7 := []byte("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x02\x30\x00")
	encrypted := []byte("\x30\x14\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x05\x00\x04\x03abc")
	pfx, err := asn1.Marshal(struct {
		Version int
		Content struct {
			Type asn1.ObjectIdentifier
			Data []byte
		}
	}{3, struct {
		Type asn1.ObjectIdentifier
		Data []byte
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, make([]byte, 300)}})
	if err != nil {
		t.Fatal(err)
	}
	// The key in it is no longer a SEQUENCE.
	broken := bytes.Replace(testCert(t, "idp").Raw, []byte("\x0f\x00\x30\x82\x01\x0a\x02"), []byte("\x0f\x00\x31\x82\x01\x0a\x02"), 1)

	tests := []struct {
		name, text string
		want       pasted
	}{
		{"private key", keyPEM, pastePrivateKey},
		{"private key after the certificate", p + keyPEM, pastePrivateKey},
		{"private key before the certificate", keyPEM + p, pastePrivateKey},
		{"private key in bare base64", b64(key), pastePrivateKey},
		{"private key in DER", string(key), pastePrivateKey},
		{"private key without headers beside the certificate", p + b64(key), pastePrivateKey},
		{"private key in the certificate's clothes", block("CERTIFICATE", key), pastePrivateKey},
		{"PKCS #1", b64(rsa1), pastePrivateKey},
		{"PKCS #1 with header", block("RSA PRIVATE KEY", rsa1), pastePrivateKey},
		{"SEC 1", b64(ec), pastePrivateKey},
		{"SEC 1 with header", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + block("EC PRIVATE KEY", ec), pastePrivateKey},
		{"encrypted", b64(encrypted), pastePrivateKey},
		{"PKCS #12", string(pfx), pastePrivateKey},
		{"damaged header", strings.ReplaceAll(keyPEM, "PRIVATE KEY", "PRI\nVATE  k-e-y"), pastePrivateKey},
		{"half a header", strings.ReplaceAll(keyPEM, "-----BEGIN ", ""), pastePrivateKey},
		{"header in entities", strings.ReplaceAll(keyPEM, "V", "&#86;"), pastePrivateKey},
		{"PEM in base64", b64([]byte(keyPEM)), pastePrivateKey},
		{"PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 14\nAAAA", pastePrivateKey},
		{"JWK", `{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"secret"}`, pastePrivateKey},
		{"request", block("CERTIFICATE REQUEST", csr), pasteRequest},
		{"request in base64", b64(csr), pasteRequest},
		{"request of old", block("NEW CERTIFICATE REQUEST", []byte("x")), pasteRequest},
		{"PKCS #7", block("PKCS7", pkcs7), pastePKCS7},
		{"PKCS #7 in base64", b64(pkcs7), pastePKCS7},
		{"public key", block("PUBLIC KEY", public), pastePublicKey},
		{"public key in base64", b64(public), pastePublicKey},
		{"public key of PKCS #1", b64(x509.MarshalPKCS1PublicKey(&rsaKey(t, "idp").PublicKey)), pastePublicKey},
		{"public key of SSH", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC idp@example.com", pastePublicKey},
		{"fingerprint", print, pasteFingerprint},
		{"fingerprint with colons", colons, pasteFingerprint},
		{"fingerprint with a name", "SHA256 Fingerprint=" + colons, pasteFingerprint},
		{"fingerprint of SHA-1", "SHA-1: " + colons[:59], pasteFingerprint},
		{"fingerprint with blanks", wrapAt(4, " ", print[:40]), pasteFingerprint},
		{"fingerprint of SSH", "SHA256:" + b64(make([]byte, 32))[:43], pasteFingerprint},
		{"metadata", plainMetadata(t), pasteXML},
		{"element", "<ds:X509Certificate>" + b64(testCert(t, "idp").Raw) + "</ds:X509Certificate>", pasteXML},
		{"escaped metadata", html.EscapeString(plainMetadata(t)), pasteXML},
		{"address", " https://idp.example.com/cert.pem", pasteURL},
		{"empty", "", pasteEmpty},
		{"blanks", " \r\n\t\u00a0\ufeff", pasteEmpty},
		{"words", "see the attached file", pasteOther},
		{"word that is base64", "password", pasteOther},
		{"headers alone", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", pasteOther},
		{"cut off", b64(testCert(t, "idp").Raw)[:600], pasteCut},
		{"cut off PEM", p[:700], pasteCut},
		{"second one cut off", p + p[:700], pasteCut},
		{"damaged", block("CERTIFICATE", broken), pasteBroken},
		{"second one damaged", p + "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----", pasteBroken},
		{"something after it", block("CERTIFICATE", append(bytes.Clone(testCert(t, "idp").Raw), 1, 2, 3)), pasteBroken},
		{"too long", strings.Repeat(" ", maxPaste) + p, pasteTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCertificates(tt.text)
			var fe *FieldError
			if got != nil || !errors.As(err, &fe) {
				t.Fatalf("got %v, %v", got, err)
			}
			if diff := cmp.Diff(certificateError(tt.want), error(fe)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if tt.want == pastePrivateKey && !strings.Contains(fe.Hint, "replace that key") {
				t.Errorf("no word of replacing the key: %s", fe.Hint)
			}
		})
	}
}

func TestParseCertificatesCount(t *testing.T) {
	t.Parallel()
	template := *testCert(t, "idp-p256")
	key := testKey(t, "idp-p256").Private
	var text string
	for i := range maxCertificates + 1 {
		template.SerialNumber = big.NewInt(int64(i + 1))
		der, err := x509.CreateCertificate(rand.Reader, &template, &template, template.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseCertificates(text)
		if i > 0 && (err != nil || len(got) != i) {
			t.Errorf("%d certificates: %d, %v", i, len(got), err)
		}
		text += block64(der)
	}
	if got, err := ParseCertificates(text); got != nil || !cmp.Equal(err, certificateError(pasteTooMany)) {
		t.Errorf("%d certificates: %v, %v", maxCertificates+1, got, err)
	}
}

func block64(der []byte) string { return base64.StdEncoding.EncodeToString(der) + "\n" }

// TestParseCertificatesLenient reads a certificate that crypto/x509 refuses,
// for a part that decides nothing.
func TestParseCertificatesLenient(t *testing.T) {
	t.Parallel()
	der := bytes.Clone(testCert(t, "idp").Raw)
	i := bytes.Index(der, []byte{0x02, 0x10}) + 2 // the serial number
	der[i] |= 0x80                                // makes it negative
	if _, err := x509.ParseCertificate(der); err == nil {
		t.Fatal("crypto/x509 takes it now: the test shows nothing")
	}
	got, err := ParseCertificates(block64(der))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	want := testCert(t, "idp")
	if !sameKey(got[0].PublicKey, want.PublicKey) || !got[0].NotAfter.Equal(want.NotAfter) || got[0].Subject.CommonName != want.Subject.CommonName {
		t.Errorf("got %v, want %v", got, Certificates{want})
	}
	text, err := got.MarshalText()
	var again Certificates
	if err != nil || again.UnmarshalText(text) != nil || !cmp.Equal(got, again) {
		t.Errorf("%v: came back as %v", err, again)
	}
}

// TestEndsOfChains leaves out authorities, and nothing else.
func TestEndsOfChains(t *testing.T) {
	t.Parallel()
	leaf, ca := testChain(t)
	named := func(subject, issuer string, ca bool) *x509.Certificate {
		return &x509.Certificate{Raw: []byte(subject + issuer), RawSubject: []byte(subject), RawIssuer: []byte(issuer), BasicConstraintsValid: true, IsCA: ca}
	}
	one, two := named("idp", "idp", true), named("idp", "idp", true)
	a, b := named("a", "b", true), named("b", "a", true)
	mid, root := named("mid", "root", true), named("root", "root", true)
	end := named("end", "mid", false)
	noCA := named("root", "root", false)
	for _, tt := range []struct {
		name     string
		in, want Certificates
	}{
		{"none", nil, nil},
		{"one", Certificates{ca}, Certificates{ca}},
		{"made ones", Certificates{ca, leaf}, Certificates{leaf}},
		{"self-signed ones of one name", Certificates{one, two}, Certificates{one, two}},
		{"three long", Certificates{root, end, mid}, Certificates{end}},
		{"the end is missing", Certificates{root, mid}, Certificates{mid}},
		{"the middle is missing", Certificates{root, end}, Certificates{root, end}},
		{"not an authority", Certificates{noCA, mid}, Certificates{noCA, mid}},
		{"each other", Certificates{a, b}, Certificates{a}},
	} {
		if got := endsOfChains(tt.in); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %d certificates, want %d others", tt.name, len(got), len(tt.want))
		}
	}
}

func TestCertificatesString(t *testing.T) {
	t.Parallel()
	cs := Certificates{testCert(t, "idp"), nil}
	want := "CN=idp.example.com,O=sso tests, expires 2045-01-01, SHA-256 8e8041f4fba27120b954ce9ca2f9596a961eac1283196a3e8ad33bf4c99d1867\nno certificate"
	if diff := cmp.Diff(want, cs.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
}

func TestCertificatesJSON(t *testing.T) {
	t.Parallel()
	leaf, ca := testChain(t)
	for _, cs := range []Certificates{nil, {testCert(t, "idp")}, {testCert(t, "idp"), testCert(t, "idp"), leaf, ca}} {
		data, err := json.Marshal(IdentityProvider{Certificates: cs})
		if err != nil {
			t.Fatal(err)
		}
		var got IdentityProvider
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(cs, got.Certificates); diff != "" {
			t.Errorf("certificates (-want +got):\n%s", diff)
		}
		if len(cs) > 0 && !bytes.Contains(data, []byte(`"certificates":"-----BEGIN CERTIFICATE-----\n`)) {
			t.Errorf("not PEM: %s", data)
		}
	}
	if _, err := json.Marshal(Certificates{nil}); err == nil {
		t.Error("a nil certificate was written")
	}
	var cs Certificates
	var fe *FieldError
	if err := json.Unmarshal([]byte(`"nonsense"`), &cs); !errors.As(err, &fe) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseCertificates(f *testing.F) {
	one := testCert(f, "idp-p256")
	f.Add(pemOf(one))
	f.Add(pemOf(one) + pemOf(testCert(f, "weak")))
	f.Add(base64.StdEncoding.EncodeToString(one.Raw))
	f.Add(string(one.Raw))
	f.Add(strings.ReplaceAll(pemOf(one), "\n", "&#13;\\n"))
	f.Add(string(testFile(f, "keys", "idp-p256.key.pem")))
	f.Fuzz(func(t *testing.T, text string) {
		certs, err := ParseCertificates(text)
		if (len(certs) == 0) == (err == nil) {
			t.Fatalf("%v with error %v", certs, err)
		}
		if err != nil {
			fieldsOf(t, err)
			return
		}
		again, err := certs.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseCertificates(string(again))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(certs, got); diff != "" {
			t.Errorf("written and read again (-want +got):\n%s", diff)
		}
		_ = certs.String()
	})
}
