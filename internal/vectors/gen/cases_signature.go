package main

import (
	"encoding/base64"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/ssotest"
)

func basicCases() []testCase {
	return []testCase{
		{name: "basic-assertion", comment: "A signed assertion in an unsigned Response.", person: "Ann Lee", groups: []string{"Sales", "Everyone"}},
		{name: "basic-response", comment: "A signed Response around an unsigned assertion.", options: ssotest.Options{Sign: ssotest.SignResponse}},
		{name: "basic-both", comment: "A signed assertion in a signed Response.", options: ssotest.Options{Sign: ssotest.SignBoth}},
		{name: "basic-compact", comment: "The whole message in one line.", compact: true},
	}
}

func encodingCases() []testCase {
	encode := base64.StdEncoding.EncodeToString
	ok := func(name, comment string, form func([]byte) string) testCase {
		return testCase{name: "encoding-" + name, comment: comment, form: form, compact: true}
	}
	bad := func(name, comment string, form func([]byte) string) testCase {
		return testCase{name: "encoding-" + name, expect: "encoding", check: "encoding", control: "encoding-ok", comment: comment, form: form, compact: true}
	}
	return []testCase{
		ok("ok", "The form value as a browser posts it.", encode),
		ok("lines-ok", "Base64 in lines with CRLF, blanks and tabs.", func(b []byte) string {
			s := encode(b)
			return s[:76] + "\r\n " + s[76:152] + "\n\t" + s[152:] + "\r\n"
		}),
		bad("empty", "An empty form value.", func([]byte) string { return "" }),
		bad("plain", "The XML without base64.", func(b []byte) string { return string(b) }),
		bad("url-alphabet", "The alphabet that is safe in addresses.", func(b []byte) string {
			// A run of ">" and "?" encodes to the letters that differ.
			return base64.URLEncoding.EncodeToString(append([]byte("<!--??>>??-->"), b...))
		}),
		bad("no-padding", "The padding is missing.", func(b []byte) string {
			for len(b)%3 == 0 {
				b = append(b, '\n')
			}
			return base64.RawStdEncoding.EncodeToString(b)
		}),
		bad("garbage", "A character that is not base64 in the middle.", func(b []byte) string { s := encode(b); return s[:40] + "*" + s[40:] }),
		bad("padding-bits", "Bits in the padding, a second spelling of the same bytes.", func(b []byte) string {
			for len(b)%3 != 1 {
				b = append(b, '\n')
			}
			s := encode(b)
			last := strings.IndexByte(alphabet, s[len(s)-3])
			return s[:len(s)-3] + string(alphabet[last+1]) + "=="
		}),
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// algorithmCases are the signature methods, digests and canonical forms.
func algorithmCases() []testCase {
	var all []testCase
	add := func(name, comment string, o ssotest.Options, change func(*testCase)) {
		c := testCase{name: "signature-" + name, comment: comment, options: o}
		if change != nil {
			change(&c)
		}
		all = append(all, c)
	}
	for _, method := range []string{"rsa-sha384", "rsa-sha512"} {
		add(method+"-ok", "Signed with "+method+".", ssotest.Options{SignatureMethod: method}, nil)
	}
	for _, method := range []string{"rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512"} {
		add(method+"-ok", "Signed with "+method+".", ssotest.Options{SignatureMethod: method}, func(c *testCase) { c.random = true })
	}
	for method, curve := range map[string]string{"ecdsa-sha256": "p256", "ecdsa-sha384": "p384", "ecdsa-sha512": "p521"} {
		add(method+"-ok", "Signed with "+method+"; the value is r and s, as XML signatures have it.", ssotest.Options{SignatureMethod: method},
			func(c *testCase) { c.key, c.connection = "idp-"+curve, curve })
	}
	for _, digest := range []string{"sha384", "sha512"} {
		add("digest-"+digest+"-ok", "A digest with "+digest+".", ssotest.Options{DigestMethod: digest}, nil)
	}
	for _, c14n := range []string{"exclusive-comments", "inclusive", "inclusive-comments", "inclusive11", "inclusive11-comments"} {
		add(c14n+"-ok", "Canonical form: "+c14n+".", ssotest.Options{Canonicalization: c14n, Comments: true}, nil)
	}
	add("prefix-list-ok", "InclusiveNamespaces names two prefixes that are declared at the Response.",
		ssotest.Options{DeclareAtRoot: true, InclusivePrefixes: []string{"xs", "xsi"}, XSIType: "xs:string"}, nil)
	add("ancestors-ok", "Every namespace is declared at the Response.", ssotest.Options{DeclareAtRoot: true, Sign: ssotest.SignBoth}, nil)
	add("comments-ok", "Comments between all elements.", ssotest.Options{Comments: true, Sign: ssotest.SignBoth}, nil)
	add("split-values-ok", "A comment and a CDATA section in every value.", ssotest.Options{SplitValues: true, Sign: ssotest.SignBoth}, nil)
	add("no-keyinfo-ok", "The signature does not say with which key.", ssotest.Options{KeyInfo: ssotest.KeyInfoNone}, nil)
	add("key-name-ok", "The signature names its key by a KeyName.", ssotest.Options{KeyInfo: ssotest.KeyInfoName}, nil)
	add("key-value-ok", "The signature holds the bare key.", ssotest.Options{KeyInfo: ssotest.KeyInfoValue}, nil)
	add("rollover-ok", "Two certificates are pinned, the signature is by the second and has no KeyInfo.", ssotest.Options{KeyInfo: ssotest.KeyInfoNone},
		func(c *testCase) { c.connection = "rollover" })
	add("foreign-keyinfo-ok", "KeyInfo shows a foreign certificate, but the signature is by the pinned key: KeyInfo is not looked at.", ssotest.Options{}, func(c *testCase) {
		c.after = at("Assertion/Signature/KeyInfo/X509Data/X509Certificate", func(e *etree.Element) { e.SetText("AAAA") })
	})
	for _, prefixes := range []ssotest.Prefixes{ssotest.PrefixSAML2, ssotest.PrefixNS, ssotest.PrefixDefault, ssotest.PrefixMixed} {
		add("prefixes-"+string(prefixes)+"-ok", "Namespaces written in another way.", ssotest.Options{Prefixes: prefixes, Sign: ssotest.SignBoth, SignaturePrefix: "-"}, nil)
	}
	return append(all, sha1Cases()...)
}

func sha1Cases() []testCase {
	refuse := func(name, control, comment string, o ssotest.Options, connection, key string) testCase {
		return testCase{name: name, expect: "algorithm", check: "assertion signature", control: control, comment: comment, options: o, connection: connection, key: key}
	}
	return []testCase{
		{name: "signature-sha1-allowed-ok", comment: "SHA-1 where the connection allows it.", options: ssotest.Options{SignatureMethod: "rsa-sha1", DigestMethod: "sha1"}, connection: "sha1-allowed"},
		refuse("signature-sha1", "signature-sha1-allowed-ok", "SHA-1 throughout.", ssotest.Options{SignatureMethod: "rsa-sha1", DigestMethod: "sha1"}, "", ""),
		refuse("signature-sha1-method", "signature-sha1-allowed-ok", "A signature with SHA-1.", ssotest.Options{SignatureMethod: "rsa-sha1"}, "", ""),
		refuse("signature-sha1-digest", "signature-sha1-allowed-ok", "A digest with SHA-1.", ssotest.Options{DigestMethod: "sha1"}, "", ""),
		{name: "signature-weak-allowed-ok", comment: "A key of 1,024 bits where the connection allows it.", key: "weak", connection: "weak-allowed"},
		refuse("signature-weak", "signature-weak-allowed-ok", "A key of 1,024 bits.", ssotest.Options{}, "weak", "weak"),
		{name: "signature-p224", expect: "key", check: "assertion signature", control: "signature-ecdsa-sha256-ok", comment: "A key on a curve that is not allowed, so that no pinned key is left.",
			key: "idp-p224", connection: "p224", options: ssotest.Options{KeyInfo: ssotest.KeyInfoNone}},
	}
}

// signatureCases are the ways in which a signature does not hold. Those that
// bend a Signature after it was made cannot sign it again: for that see the
// misbehaviours, which do.
func signatureCases() []testCase {
	const inner = "assertion signature"
	assertion := func(name, expect, comment string, after func(*etree.Element)) testCase {
		return testCase{name: "signature-" + name, expect: expect, check: inner, comment: comment, after: after}
	}
	response := func(name, expect, comment string, after func(*etree.Element)) testCase {
		return testCase{name: "signature-response-" + name, expect: expect, check: "response signature", control: "basic-both", comment: comment,
			options: ssotest.Options{Sign: ssotest.SignBoth}, after: after}
	}
	bend := func(name, expect, comment string) testCase {
		return testCase{name: "signature-" + name, expect: expect, check: inner, comment: comment, options: ssotest.Options{Misbehave: ssotest.Misbehaviour(name)}}
	}
	const s = "Assertion/Signature"
	return []testCase{
		assertion("tampered", "signature", "The NameID was changed after signing.", text("Assertion/Subject/NameID", "admin@example.com")),
		assertion("tampered-attribute", "signature", "A group was added after signing.", add("Assertion/AttributeStatement/Attribute", "<saml:AttributeValue>Admins</saml:AttributeValue>")),
		assertion("tampered-time", "signature", "The assertion was prolonged after signing.", set("Assertion/Conditions", "NotOnOrAfter", "2026-03-01T10:00:00.000Z")),
		assertion("value-empty", "signature", "The SignatureValue is empty.", text(s+"/SignatureValue", "")),
		assertion("value-absent", "signature", "There is no SignatureValue.", remove(s+"/SignatureValue")),
		assertion("value-twice", "signature", "There are two SignatureValues.", twice(s+"/SignatureValue")),
		assertion("value-other", "key", "The SignatureValue is some other number.", all(text(s+"/SignatureValue", strings.Repeat("A", 342)+"=="), remove(s+"/KeyInfo"))),
		assertion("digest-empty", "signature", "The DigestValue is empty.", text(s+"/SignedInfo/Reference/DigestValue", "")),
		assertion("digest-other", "signature", "The DigestValue is some other.", text(s+"/SignedInfo/Reference/DigestValue", strings.Repeat("A", 43)+"=")),
		assertion("signed-info-twice", "signature", "There are two SignedInfos.", twice(s+"/SignedInfo")),
		assertion("signed-info-absent", "signature", "There is no SignedInfo.", remove(s+"/SignedInfo")),
		assertion("object", "signature", "The Signature holds an Object.", add(s, `<ds:Object>x</ds:Object>`)),
		bend("two-references", "signature", "The signature covers two things, and the IdP's key signed that."),
		bend("whole-document", "signature", "The Reference is to the whole document, and the IdP's key signed that."),
		bend("foreign-reference", "signature", "The Reference is to another element, and the IdP's key signed that."),
		bend("xslt", "algorithm", "A transform outside the list, and the IdP's key signed that."),
		bend("hmac", "algorithm", "The method says HMAC."),
		{name: "signature-wrong-key", expect: "key", check: inner, control: "signature-no-keyinfo-ok", comment: "Signed with another key, without KeyInfo.", key: "idp2", options: ssotest.Options{KeyInfo: ssotest.KeyInfoNone}},
		{name: "signature-attacker-certificate", expect: "key", check: inner, comment: "Signed with another key, whose certificate comes with it.", key: "idp2"},
		{name: "signature-attacker-value", expect: "key", check: inner, control: "signature-key-value-ok", comment: "Signed with another key, which comes with it.", key: "idp2", options: ssotest.Options{KeyInfo: ssotest.KeyInfoValue}},
		{name: "signature-borrowed-certificate", expect: "signature", check: inner, comment: "Signed with another key, and KeyInfo shows the pinned certificate.", options: ssotest.Options{Misbehave: "borrowed-certificate"}, random: true},
		response("tampered", "signature", "The Response was changed after signing; the assertion's own signature holds.", set(".", "IssueInstant", "2026-03-01T09:00:01.000Z")),
		response("empty", "signature", "The Response's Signature is empty; the assertion's own holds.", at("Signature", func(e *etree.Element) { e.Child = nil })),

		{name: "unsigned", expect: "unsigned", check: "signed", comment: "Nothing is signed.", options: ssotest.Options{Sign: ssotest.SignNothing}},
		{name: "signed-response-required-ok", connection: "response-signed", comment: "The connection wants the Response signed, and it is.", options: ssotest.Options{Sign: ssotest.SignResponse}},
		{name: "signed-response-required", connection: "response-signed", expect: "unsigned", check: "signed", control: "signed-response-required-ok", comment: "The connection wants the Response signed; only the assertion is."},
		{name: "signed-assertion-required-ok", connection: "assertion-signed", comment: "The connection wants the assertion signed, and it is."},
		{name: "signed-assertion-required", connection: "assertion-signed", expect: "unsigned", check: "signed", control: "signed-assertion-required-ok", comment: "The connection wants the assertion signed; only the Response is.", options: ssotest.Options{Sign: ssotest.SignResponse}},

		{name: "certificate-expired-ok", comment: "The pinned certificate is past its date, and its key is what is pinned.", key: "expired", connection: "expired"},
		{name: "certificate-current-ok", comment: "The connection wants certificates in date, and this one is.", connection: "current-only"},
		{name: "certificate-expired", expect: "certificate", check: "certificate", control: "certificate-expired-ok", comment: "The connection wants certificates in date, and this one expired.", key: "expired", connection: "expired-refused"},
	}
}

// wrappingCases are the eight classical shapes of signature wrapping and some
// that stand beside them.
func wrappingCases() []testCase {
	var all []testCase
	for _, m := range ssotest.Misbehaviours() {
		if !strings.HasPrefix(string(m), "wrapped-") {
			continue
		}
		c := testCase{name: "wrapping-" + strings.TrimPrefix(string(m), "wrapped-"), expect: string(m.Reason()), comment: m.Description(),
			check: "message", options: ssotest.Options{Misbehave: m}}
		if c.expect == "assertion" {
			c.check = "one assertion"
		}
		if m == "wrapped-1" || m == "wrapped-2" {
			c.control = "basic-response"
		}
		all = append(all, c)
	}
	return append(all,
		testCase{name: "wrapping-two-signatures", expect: "message", check: "message", control: "basic-response", comment: "The Response has two signatures.",
			options: ssotest.Options{Misbehave: "two-signatures"}},
		testCase{name: "wrapping-misplaced-signature", expect: "message", check: "message", comment: "The assertion's signature stands in its Subject.",
			options: ssotest.Options{Misbehave: "misplaced-signature"}},
		testCase{name: "wrapping-assertion-signatures", expect: "assertion", check: "assertion", comment: "The assertion has two signatures.", after: twice("Assertion/Signature")},
		testCase{name: "wrapping-in-attribute-ok", comment: "An attribute value holds what looks like an assertion, signed: it is text.",
			tree: add("Assertion/AttributeStatement", `<saml:Attribute Name="evidence"><saml:AttributeValue><x:Assertion xmlns:x="urn:x"><x:Subject><x:NameID>admin@example.com</x:NameID></x:Subject></x:Assertion></saml:AttributeValue></saml:Attribute>`)},
	)
}

// encryptionCases are encrypted assertions.
func encryptionCases() []testCase {
	keys := []string{"sp-encryption"}
	with := func(name, comment string, o ssotest.Options) testCase {
		return testCase{name: "encrypted-" + name, comment: comment, options: o, encrypt: "sp-encryption", keys: keys, random: true, compact: true}
	}
	refuse := func(c testCase, expect, control string) testCase {
		c.expect, c.check, c.control = expect, "decryption", control
		return c
	}
	gcm := with("aes256-gcm-ok", "Encrypted with AES-256-GCM to our key, and signed inside.", ssotest.Options{})
	noKey := with("no-key", "Encrypted, and the connection has no decryption key.", ssotest.Options{})
	noKey.keys = nil
	otherKey := with("other-key", "Encrypted to a key that we do not have.", ssotest.Options{})
	otherKey.encrypt = "sp-next"
	nextKey := with("next-key-ok", "Encrypted to the second of our keys.", ssotest.Options{})
	nextKey.encrypt, nextKey.keys = "sp-next", []string{"sp-encryption", "sp-next"}
	unsigned := with("unsigned", "Encrypted to our key and signed by nobody: our key is public.", ssotest.Options{Sign: ssotest.SignNothing})
	unsigned.expect, unsigned.check, unsigned.control = "unsigned", "signed", "encrypted-aes256-gcm-ok"
	rsa15 := with("rsa15-allowed-ok", "RSA 1.5 key transport where the connection allows it.", ssotest.Options{KeyTransport: "rsa-1_5"})
	rsa15.connection = "rsa15-allowed"
	cbcUnsigned := with("cbc-allowed-ok", "AES-CBC without a signature over the ciphertext, where the connection allows it.", ssotest.Options{EncryptionMethod: "aes256-cbc"})
	cbcUnsigned.connection = "cbc-allowed"
	return []testCase{
		{name: "encrypted-unreadable", expect: "encrypted", check: "decryption", comment: "There is an EncryptedAssertion, and the connection has no decryption key.",
			tree:    all(remove("Assertion"), add(".", `<saml:EncryptedAssertion `+assertionNS+`><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/></saml:EncryptedAssertion>`)),
			options: ssotest.Options{Sign: ssotest.SignResponse}, control: "basic-response"},
		gcm,
		with("aes128-gcm-ok", "Encrypted with AES-128-GCM.", ssotest.Options{EncryptionMethod: "aes128-gcm"}),
		with("oaep-sha256-ok", "The key is wrapped by OAEP with SHA-256.", ssotest.Options{KeyTransport: "rsa-oaep"}),
		with("response-signed-ok", "The Response around the encrypted assertion is signed.", ssotest.Options{Sign: ssotest.SignResponse}),
		with("cbc-signed-ok", "AES-CBC, and the Response's signature covers the ciphertext.", ssotest.Options{EncryptionMethod: "aes256-cbc", Sign: ssotest.SignResponse}),
		cbcUnsigned,
		refuse(with("cbc-unsigned", "AES-CBC, and no signature covers the ciphertext: a padding oracle.", ssotest.Options{EncryptionMethod: "aes256-cbc"}), "encrypted", "encrypted-cbc-allowed-ok"),
		rsa15,
		refuse(with("rsa15", "RSA 1.5 key transport.", ssotest.Options{KeyTransport: "rsa-1_5"}), "encrypted", "encrypted-rsa15-allowed-ok"),
		nextKey,
		refuse(noKey, "encrypted", "encrypted-aes256-gcm-ok"),
		refuse(otherKey, "decryption", "encrypted-next-key-ok"),
		unsigned,
	}
}

func profileCases() []testCase {
	var all []testCase
	for _, p := range vendors {
		c := testCase{name: "profile-" + string(p) + "-ok", comment: "An answer in the way of " + string(p) + ".", profile: p, connection: string(p), compact: p != ssotest.ADFS,
			person: "Ann Lee", groups: []string{"Sales", "Everyone"}}
		all = append(all, c)
	}
	return all
}
