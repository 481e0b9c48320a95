package xmlenc

import (
	"crypto"
	"strings"
	"testing"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

// An edit is one replacement in a document that decrypts.
type edit struct{ old, new string }

func (e edit) apply(t testing.TB, doc string) string {
	t.Helper()
	if e.old == "" {
		return doc
	}
	if strings.Count(doc, e.old) == 0 {
		t.Fatalf("nothing to replace: no %q in\n%.600s", e.old, doc)
	}
	return strings.Replace(doc, e.old, e.new, 1)
}

const (
	gcm256 = `Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"`
	mgf1p  = `Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"`
	sha1   = `Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"`
	method = `<xenc:EncryptionMethod ` + gcm256 + `/>`
)

// TestRefused: what is refused by looking, before a private key is used. Each
// has a control that differs in one point and decrypts.
func TestRefused(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	ec, _ := pair(t, "sp-p256")
	rsaKeys := []crypto.Decrypter{key}
	for _, tt := range []struct {
		name    string
		make    EncryptOptions
		options Options
		keys    []crypto.Decrypter
		ok, bad edit
		// control, where it is not an edit of the document.
		okOptions *Options
		okKeys    []crypto.Decrypter
		got       string
	}{
		// Content encryption.
		{name: "3DES", ok: edit{}, bad: edit{gcm256, `Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc"`}, got: `content encryption "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"`},
		{name: "3DES under every switch", options: Options{true, true, true, xmltree.Limits{}}, bad: edit{gcm256, `Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc"`}, got: "tripledes-cbc"},
		{name: "unknown content", bad: edit{gcm256, `Algorithm="urn:x"`}, got: `content encryption "urn:x"`},
		{name: "content without algorithm", bad: edit{gcm256, ``}, got: `content encryption ""`},
		{name: "content by another attribute", bad: edit{gcm256, `xenc:` + gcm256}, got: `content encryption ""`},
		{name: "blank in algorithm", bad: edit{gcm256, `Algorithm=" http://www.w3.org/2009/xmlenc11#aes256-gcm"`}, got: `content encryption " http`},
		{name: "GCM in the namespace of CBC", bad: edit{gcm256, `Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-gcm"`}, got: "xmlenc#aes256-gcm"},
		{name: "ChaCha20", bad: edit{gcm256, `Algorithm="http://www.w3.org/2021/04/xmldsig-more#chacha20poly1305"`}, got: "chacha20"},
		{name: "long algorithm", bad: edit{gcm256, `Algorithm="` + strings.Repeat("x", 1000) + `"`}, got: strings.Repeat("x", 100) + "…"},
		{name: "no content method", bad: edit{method, ""}, got: "EncryptedData without EncryptionMethod"},
		{name: "two content methods", bad: edit{method, method + method}, got: `element "EncryptionMethod" in EncryptedData`},
		{name: "KeySize", ok: edit{method, `<xenc:EncryptionMethod ` + gcm256 + `><xenc:KeySize> 256 </xenc:KeySize></xenc:EncryptionMethod>`},
			bad: edit{method, `<xenc:EncryptionMethod ` + gcm256 + `><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>`}, got: "KeySize that contradicts"},
		{name: "two KeySizes", ok: edit{method, `<xenc:EncryptionMethod ` + gcm256 + `><xenc:KeySize>256</xenc:KeySize></xenc:EncryptionMethod>`},
			bad: edit{method, `<xenc:EncryptionMethod ` + gcm256 + `><xenc:KeySize>256</xenc:KeySize><xenc:KeySize>256</xenc:KeySize></xenc:EncryptionMethod>`}, got: "KeySize that contradicts"},
		{name: "CBC that nobody signed", make: EncryptOptions{Content: "aes256-cbc"}, okOptions: &Options{CBCAuthenticated: true}, got: "AES-CBC, and no signature"},
		{name: "CBC by switch", make: EncryptOptions{Content: "aes192-cbc"}, okOptions: &Options{AllowUnauthenticatedCBC: true}, got: "AES-CBC, and no signature"},
		{name: "CBC with the other switch", make: EncryptOptions{Content: "aes128-cbc"}, options: Options{AllowRSA15: true}, okOptions: &lax, got: "AES-CBC, and no signature"},
		{name: "GCM relabelled as CBC (One Bad Apple)", bad: edit{gcm256, `Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"`}, got: "AES-CBC, and no signature"},
		{name: "ciphertext over the limit", options: Options{Limits: xmltree.Limits{Bytes: 100}}, okOptions: &Options{Limits: xmltree.Limits{Bytes: len(assertionXML)}}, got: "bytes"},

		// Key transport.
		{name: "RSA 1.5", make: EncryptOptions{KeyTransport: "rsa-1_5"}, okOptions: &Options{AllowRSA15: true}, got: "RSA PKCS #1 v1.5"},
		{name: "RSA 1.5 with the other switches", make: EncryptOptions{KeyTransport: "rsa-1_5"}, options: Options{CBCAuthenticated: true, AllowUnauthenticatedCBC: true}, okOptions: &lax, got: "RSA PKCS #1 v1.5"},
		{name: "OAEP relabelled as RSA 1.5", bad: edit{mgf1p, `Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"`}, got: "RSA PKCS #1 v1.5"},
		{name: "key wrap", bad: edit{mgf1p, `Algorithm="http://www.w3.org/2001/04/xmlenc#kw-aes256"`}, got: `key transport "http://www.w3.org/2001/04/xmlenc#kw-aes256"`},
		{name: "unknown transport", bad: edit{mgf1p, `Algorithm="urn:x"`}, got: `key transport "urn:x"`},
		{name: "transport without algorithm", bad: edit{mgf1p, ``}, got: `key transport ""`},
		{name: "MD5", bad: edit{sha1, `Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"`}, got: `OAEP digest "http://www.w3.org/2001/04/xmldsig-more#md5"`},
		{name: "SHA-224", bad: edit{sha1, `Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha224"`}, got: "OAEP digest"},
		{name: "digest without algorithm", bad: edit{sha1, ``}, got: `OAEP digest ""`},
		{name: "two digests", bad: edit{`<ds:DigestMethod`, `<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ` + sha1 + `/><ds:DigestMethod`}, got: "DigestMethod twice"},
		{name: "digest in another namespace", ok: edit{`<ds:DigestMethod xmlns:ds`, `<d:DigestMethod xmlns:d`}, bad: edit{`<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, `<ds:DigestMethod xmlns:ds="urn:x"`}, got: `parameter "DigestMethod" of RSA-OAEP`},
		{name: "mask of mgf1p", ok: edit{`<ds:DigestMethod`, `<x:MGF xmlns:x="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha1"/><ds:DigestMethod`},
			bad: edit{`<ds:DigestMethod`, `<x:MGF xmlns:x="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/><ds:DigestMethod`}, got: "rsa-oaep-mgf1p with another mask"},
		{name: "mask", make: EncryptOptions{KeyTransport: "rsa-oaep", MGF: crypto.SHA256}, bad: edit{"xmlenc11#mgf1sha256", "xmlenc11#mgf1md5"}, got: `OAEP mask "http://www.w3.org/2009/xmlenc11#mgf1md5"`},
		{name: "parameter", bad: edit{`<ds:DigestMethod`, `<x:Tweak xmlns:x="urn:x"/><ds:DigestMethod`}, got: `parameter "Tweak"`},
		{name: "label not base64", make: EncryptOptions{Label: []byte("abc")}, bad: edit{">YWJj<", ">YWJ_<"}, got: "OAEPparams that are not base64"},
		{name: "label with an element", make: EncryptOptions{Label: []byte("abc")}, bad: edit{">YWJj<", ">YWJj<x/><"}, got: "OAEPparams with more than text"},
		{name: "long label", make: EncryptOptions{Label: []byte(strings.Repeat("x", maxLabel))}, bad: edit{"<xenc:OAEPparams>", "<xenc:OAEPparams>eHh4"}, got: "OAEPparams of 1027 bytes"},
		{name: "huge label", make: EncryptOptions{Label: []byte("abc")}, bad: edit{">YWJj<", ">" + strings.Repeat("YWJj", 100_000) + "<"}, got: "OAEPparams of 400000 characters"},

		// Structure.
		{name: "Type Content", ok: edit{` Type="http://www.w3.org/2001/04/xmlenc#Element"`, ``}, bad: edit{"xmlenc#Element", "xmlenc#Content"}, got: `EncryptedData of Type "http://www.w3.org/2001/04/xmlenc#Content"`},
		{name: "Type empty", bad: edit{"http://www.w3.org/2001/04/xmlenc#Element", ""}, got: `of Type ""`},
		{name: "EncryptedData in another namespace", bad: edit{`EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"`, `EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc"`}, got: `element "EncryptedData" in EncryptedAssertion`},
		{name: "encrypted element in another namespace", bad: edit{`EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, `EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion"`}, got: `element "EncryptedAssertion" where an encrypted one is expected`},
		{name: "text", ok: edit{`<xenc:EncryptedData`, "\n <!-- x --><xenc:EncryptedData"}, bad: edit{`<xenc:EncryptedData`, "x<xenc:EncryptedData"}, got: "text in EncryptedAssertion"},
		{name: "Assertion beside", bad: edit{`<xenc:EncryptedData`, "<saml:Assertion/><xenc:EncryptedData"}, got: `element "Assertion" in EncryptedAssertion`},
		{name: "element in EncryptedData", ok: edit{`</xenc:EncryptedData>`, `<xenc:EncryptionProperties/></xenc:EncryptedData>`}, bad: edit{`</xenc:EncryptedData>`, `<xenc:ReferenceList/></xenc:EncryptedData>`}, got: `element "ReferenceList"`},

		// References.
		{name: "ReferenceList of a key", ok: edit{`</xenc:EncryptedKey>`, `<xenc:ReferenceList/><xenc:CarriedKeyName/></xenc:EncryptedKey>`},
			bad: edit{`</xenc:EncryptedKey>`, `<xenc:ReferenceList/><xenc:EncryptedKey/></xenc:EncryptedKey>`}, got: `element "EncryptedKey" in EncryptedKey`},
		{name: "CipherReference", bad: edit{"<xenc:CipherValue>", `<xenc:CipherReference URI="http://127.0.0.1/"/><xenc:CipherValue>`}, got: `element "CipherReference" in CipherData`},
		{name: "two CipherValues", bad: edit{"<xenc:CipherValue>", `<xenc:CipherValue>AAAA</xenc:CipherValue><xenc:CipherValue>`}, got: `element "CipherValue" in CipherData`},
		{name: "comment in CipherValue", bad: edit{"<xenc:CipherValue>", "<xenc:CipherValue><!-- -->"}, got: "CipherValue with more than text"},
		{name: "RetrievalMethod to the network", make: EncryptOptions{Place: Referenced}, bad: edit{`URI="#`, `URI="http://127.0.0.1/#`}, got: `RetrievalMethod to "http://127.0.0.1/#`},
		{name: "RetrievalMethod to nothing", make: EncryptOptions{Place: Referenced}, bad: edit{`URI="#`, `URI="#x`}, got: `RetrievalMethod to "#x`},
		{name: "RetrievalMethod to the document", make: EncryptOptions{Place: Referenced}, bad: edit{`URI="#`, `URI="" x="#`}, got: `RetrievalMethod to "", `},
		{name: "RetrievalMethod to another place", make: EncryptOptions{Place: Referenced}, bad: edit{`URI="#`, `URI="#_r1" x="#`}, got: `RetrievalMethod to "#_r1"`},
		{name: "RetrievalMethod of another Type", make: EncryptOptions{Place: Referenced}, ok: edit{`Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey"`, ``}, bad: edit{`xmlenc#EncryptedKey"`, `xmlenc#DerivedKey"`}, got: "RetrievalMethod of Type"},
		{name: "RetrievalMethod with Transforms", make: EncryptOptions{Place: Referenced}, bad: edit{`<ds:RetrievalMethod `, `<ds:RetrievalMethod Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey" URI="#x"><ds:Transforms/></ds:RetrievalMethod><ds:RetrievalMethod `}, got: "RetrievalMethod with Transforms"},

		// Keys of ours.
		{name: "no key", keys: []crypto.Decrypter{}, okKeys: rsaKeys, got: "no RSA key to decrypt with"},
		{name: "nil key", keys: []crypto.Decrypter{nil}, okKeys: rsaKeys, got: "no RSA key to decrypt with"},
		{name: "EC key", keys: []crypto.Decrypter{ec}, okKeys: rsaKeys, got: "no RSA key to decrypt with"},
		{name: "too many trials", keys: manyKeys(key, maxTrials+1), okKeys: manyKeys(key, maxTrials), got: "17 pairs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, tt.make)
			keys, okKeys, okOptions := rsaKeys, rsaKeys, tt.options
			if tt.keys != nil {
				keys = tt.keys
			}
			if tt.okKeys != nil {
				okKeys = tt.okKeys
			}
			if tt.okOptions != nil {
				okOptions = *tt.okOptions
			}
			if tt.bad.old == "" && tt.okOptions == nil && tt.okKeys == nil {
				t.Fatal("the case has no difference from its control")
			}
			wantPlain(t, tt.ok.apply(t, doc), okKeys, okOptions, assertionXML)
			bad := tt.bad.apply(t, doc)
			wantRefusal(t, bad, keys, tt.options, tt.got)
		})
	}
}

func manyKeys(k crypto.Decrypter, n int) []crypto.Decrypter {
	ks := make([]crypto.Decrypter, n)
	for i := range ks {
		ks[i] = k
	}
	return ks
}

// between cuts a piece out of a document.
func between(t testing.TB, doc, from, to string) string {
	t.Helper()
	i := strings.Index(doc, from)
	if i < 0 {
		t.Fatalf("no %q in\n%.2000s", from, doc)
	}
	n := strings.Index(doc[i:], to)
	if n < 0 {
		t.Fatalf("no %q after %q", to, from)
	}
	return doc[i : i+n+len(to)]
}

// TestStructure arranges the pieces of one message anew. The letters stand for
// K the EncryptedKey, D the EncryptedData with KeyInfo, d the same without,
// I the KeyInfo, M the method, C the CipherData.
func TestStructure(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{})
	whole := between(t, doc, "<xenc:EncryptedData", "</xenc:EncryptedData>")
	info := between(t, whole, "<ds:KeyInfo", "</ds:KeyInfo>")
	k := between(t, info, "<xenc:EncryptedKey", "</xenc:EncryptedKey>")
	rest := strings.Replace(whole, info, "", 1)
	data := between(t, rest, "<xenc:CipherData", "</xenc:CipherData>")
	head := between(t, whole, "<xenc:EncryptedData", ">")
	const tail = "</xenc:EncryptedData>"
	expand := strings.NewReplacer("K", k, "D", whole, "d", rest, "I", info, "M", method, "C", data, "{", head, "}", tail,
		"i", `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`, "j", `</ds:KeyInfo>`, "e", `<CipherData/>`,
		"A", `<xenc:AgreementMethod/>`, "n", `<ds:KeyName>k</ds:KeyName>`, "w", `<xenc:CipherData/>`,
		"x", `<xenc:CipherData><xenc:CipherValue><!--AAAA--></xenc:CipherValue></xenc:CipherData>`,
		"y", `<xenc:CipherData><xenc:CipherValue><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherValue></xenc:CipherData>`)
	for _, tt := range []struct{ pieces, got string }{
		{"D", ""},
		{"dK", ""},
		{"Kd", ""},
		{"{MIC}", ""},
		{"{MiKjC}", ""},
		{"{MinKnjC}", ""}, // what names the key besides is not needed
		{"{MinjC}K", ""},
		{"{CIM}", ""},                      // the order says nothing
		{"D" + strings.Repeat("K", 7), ""}, // as many as are tried
		{"{Mi" + strings.Repeat("K", 8) + "jC}", ""},

		{"D" + strings.Repeat("K", 8), "more than 8 EncryptedKeys"},
		{"{Mi" + strings.Repeat("K", 9) + "jC}", "more than 8 EncryptedKeys"},
		{"", "no EncryptedData"},
		{"K", "no EncryptedData"},
		{"d", "no EncryptedKey"},
		{"{MijC}", "no EncryptedKey"},
		{"{MinjC}", "no EncryptedKey"},
		{"DD", `element "EncryptedData" in EncryptedAssertion`},
		{"Dd", `element "EncryptedData" in EncryptedAssertion`},
		{"DI", `element "KeyInfo" in EncryptedAssertion`},
		{"{MIIC}", `element "KeyInfo" in EncryptedData`},
		{"{MICC}", `element "CipherData" in EncryptedData`},
		{"{MID}", `element "EncryptedData" in EncryptedData`},
		{"{MKC}", `element "EncryptedKey" in EncryptedData`},
		{"{MI}", "EncryptedData without EncryptionMethod or CipherData"},
		{"{IC}", "EncryptedData without EncryptionMethod or CipherData"},
		{"dA", `element "AgreementMethod" in EncryptedAssertion`},
		{"{MiAjC}", "no EncryptedKey"},
		{"{MIe}", `element "CipherData" in EncryptedData`},
		{"{MIx}", "CipherValue with more than text in it"},
		{"{MIy}", "CipherValue with more than text in it"},
		{"{MIw}", "CipherData without CipherValue"},
		{"{MiijjC}", "no EncryptedKey"}, // not looked for any deeper
		{"{MiiKjjC}", "no EncryptedKey"},
	} {
		t.Run(tt.pieces, func(t *testing.T) {
			t.Parallel()
			doc := response(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` +
				expand.Replace(tt.pieces) + `</saml:EncryptedAssertion>`)
			if tt.got == "" {
				wantPlain(t, doc, []crypto.Decrypter{key}, Options{}, assertionXML)
			} else {
				wantRefusal(t, doc, []crypto.Decrypter{key}, Options{}, tt.got)
			}
		})
	}
}

// TestOtherTransports: a key that we would refuse beside one that we take may be
// somebody else's. It is never used.
func TestOtherTransports(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	doc := mustEncrypt(t, assertionXML, "EncryptedAssertion", cert, EncryptOptions{Place: Beside, Also: []Recipient{{"b", cert}}})
	counted := &counter{Decrypter: key}
	for _, alg := range []string{`Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"`, `Algorithm="http://www.w3.org/2001/04/xmlenc#kw-aes256"`, `Algorithm="urn:x"`} {
		one := strings.Replace(doc, mgf1p, alg, 1)
		wantPlain(t, one, []crypto.Decrypter{counted}, Options{}, assertionXML)
		if n := counted.n.Swap(0); n != 1 {
			t.Errorf("%s: the private key was used %d times, want 1", alg, n)
		}
		wantRefusal(t, strings.Replace(doc, mgf1p, alg, 2), []crypto.Decrypter{key}, Options{}, "key transport")
	}
}

// TestAmbiguousReference: an Id that two keys have names neither.
func TestAmbiguousReference(t *testing.T) {
	t.Parallel()
	key, cert := pair(t, "sp-encryption")
	doc := mustEncrypt(t, nameIDXML, "EncryptedID", cert, EncryptOptions{Place: Referenced, Also: []Recipient{{"b", cert}}})
	wantPlain(t, doc, []crypto.Decrypter{key}, Options{}, nameIDXML)
	enc := find(t, parse(t, doc))
	var ids []string
	for _, k := range samlxml.Children(enc, xencSpace, "EncryptedKey") {
		id, _ := samlxml.Attr(k, "Id")
		ids = append(ids, id)
	}
	if len(ids) != 2 || ids[0] == ids[1] {
		t.Fatalf("Ids %q, want two", ids)
	}
	wantRefusal(t, strings.ReplaceAll(doc, ids[1], ids[0]), []crypto.Decrypter{key}, Options{}, "RetrievalMethod to")
}
