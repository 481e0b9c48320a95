package xmlsig

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/testtool"
	"github.com/ssoconn/sso/internal/xmltree"
)

// template is a SAML-like document for xmlsec1 to sign. What stands above the
// assertion matters to the inclusive forms, the comments to the forms with
// comments.
func template(sigMethod, digest, c14n, prefixList string) string {
	form := func(tag string) string {
		if prefixList == "" {
			return fmt.Sprintf(`<ds:%s Algorithm=%q/>`, tag, c14n)
		}
		return fmt.Sprintf(`<ds:%s Algorithm=%q><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList=%q/></ds:%s>`,
			tag, c14n, prefixList, tag)
	}
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:example:default" xmlns:unused="urn:example:unused" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xml:lang="ru" ID="_r" Version="2.0">
  <!-- above -->
  <saml:Assertion Version="2.0" xmlns:b="urn:example:2" xmlns:c="urn:example:1" c:z="1" b:a="2" ID="_a1" IssueInstant="2026-03-01T09:00:00Z">
    <saml:Issuer>https://idp.example.com/</saml:Issuer>
    <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
      <ds:SignedInfo>
        ` + form("CanonicalizationMethod") + `
        <!-- in SignedInfo -->
        <ds:SignatureMethod Algorithm="` + sigMethod + `"/>
        <ds:Reference URI="#_a1">
          <ds:Transforms>
            <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
            ` + form("Transform") + `
          </ds:Transforms>
          <ds:DigestMethod Algorithm="` + digest + `"/>
          <ds:DigestValue/>
        </ds:Reference>
      </ds:SignedInfo>
      <ds:SignatureValue/>
      <ds:KeyInfo><ds:X509Data/></ds:KeyInfo>
    </ds:Signature>
    <saml:Subject><saml:NameID>anna<!-- within -->@example.com</saml:NameID></saml:Subject>
    <local xmlns=""><inner xmlns="urn:example:default" xml:space="preserve"> <x/> </inner></local>
    <saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string" t="a&#9;b&#10;c&#13;d &quot;e&quot; &lt;">Анна &amp; &lt;Co&gt; "x" &#13;
 <![CDATA[<&>]]> &#x1F600;</saml:AttributeValue>
  </saml:Assertion>
</samlp:Response>
`
}

const assertionName = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"

type xmlsecCase struct {
	key, method, digest, c14n, prefixes string
}

func (c xmlsecCase) name() string {
	n := c.key + " " + c.method + " " + c.c14n[strings.LastIndexByte(c.c14n, '/')+1:]
	if c.prefixes != "" {
		n += " " + c.prefixes
	}
	return n
}

func xmlsecCases() []xmlsecCase {
	var all []xmlsecCase
	digests := []string{DigestSHA256, DigestSHA384, DigestSHA512}
	for i, m := range []struct{ key, method string }{
		{"idp", "rsa-sha256"}, {"idp", "rsa-sha384"}, {"idp", "rsa-sha512"},
		{"idp-p256", "ecdsa-sha256"}, {"idp-p256", "ecdsa-sha512"},
		{"idp-p384", "ecdsa-sha384"}, {"idp-p384", "ecdsa-sha256"},
		{"idp-p521", "ecdsa-sha512"}, {"idp-p521", "ecdsa-sha384"},
	} {
		for _, f := range []struct{ c14n, prefixes string }{
			{ExcC14N, ""}, {ExcC14NWithComments, ""},
			{ExcC14N, "xs"}, {ExcC14N, "#default xs samlp"}, {ExcC14NWithComments, "unused b none"},
			{C14N10, ""}, {C14N10WithComments, ""}, {C14N11, ""}, {C14N11WithComments, ""},
		} {
			all = append(all, xmlsecCase{m.key, m.method, digests[i%3], f.c14n, f.prefixes})
		}
	}
	return all
}

// xmlsec1 signs in every algorithm and canonical form, and we accept each; with
// one byte changed, none. RSA-PSS is not here: xmlsec 1.2 does not know it, see
// TestOpenSSLPSS.
func TestXmlsecSigns(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	for _, c := range xmlsecCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			m, _ := methodNamed(c.method)
			in := testtool.File(t, "in.xml", template(m.uri, c.digest, c.c14n, c.prefixes))
			key := filepath.Join(keyDir, c.key)
			doc, err := testtool.Run("", xmlsec, "--sign", "--privkey-pem", key+".key.pem,"+key+".crt.pem",
				"--id-attr:ID", assertionName, in)
			if err != nil {
				t.Fatal(err)
			}
			_, cert := pair(t, c.key)
			_, other := pair(t, "idp2")
			got, err := Verify(find(t, parse(t, doc), "Assertion"), pinned(other, cert), Options{})
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if want := (Result{1, m.uri, c.digest}); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			for _, b := range changes(t, doc, c) {
				root, err := xmltree.Parse([]byte(b.doc), xmltree.Limits{})
				if err != nil {
					t.Fatalf("%s: does not parse: %v", b.name, err)
				}
				_, err = Verify(find(t, root, "Assertion"), pinned(cert), Options{})
				if k := kindOf(t, err); k != b.want {
					t.Errorf("%s changed: got %v, want %s", b.name, err, b.want)
				}
			}
		})
	}
}

type change1 struct {
	name, doc string
	want      Kind
}

// changes returns the signed document with one byte changed, at several places.
func changes(t *testing.T, doc string, c xmlsecCase) []change1 {
	t.Helper()
	// In the inclusive forms, and where the PrefixList says so, the namespace is
	// in scope of SignedInfo too.
	namespace := KindDigest
	if f, _ := formOf(c.c14n); !f.exclusive || strings.Contains(c.prefixes, " b ") {
		namespace = KindKey
	}
	at := func(name, after string, skip int, want Kind) change1 {
		i := strings.Index(doc, after)
		if i < 0 {
			t.Fatalf("no %s", after)
		}
		i += len(after) + skip
		b := []byte(doc)
		switch b[i] {
		case 'A', '1':
			b[i] = '2'
		default:
			b[i] = 'A'
		}
		if string(b) == doc {
			t.Fatal("nothing changed")
		}
		return change1{name, string(b), want}
	}
	return []change1{
		at("text", "<saml:NameID>", 0, KindDigest),
		at("text after the comment", "within -->", 3, KindDigest),
		at("attribute", `IssueInstant="`, 3, KindDigest),
		at("attribute name", ` c:`, 0, KindDigest),
		at("used namespace", `xmlns:b="`, 4, namespace),
		at("white space", `</saml:Issuer>`, 0, KindDigest),
		at("DigestValue", "<ds:DigestValue>", 5, KindKey),
		at("SignatureValue", "<ds:SignatureValue>", 9, KindKey),
		at("SignedInfo white space", "<ds:SignedInfo>", 0, KindMalformed),
		at("reference", `URI="#`, 2, KindMalformed),
		at("digest method", `DigestMethod Algorithm="`, 10, KindAlgorithm),
	}
}

// And what we sign, xmlsec1 accepts.
func TestXmlsecVerifies(t *testing.T) {
	t.Parallel()
	xmlsec := testtool.Path(t, "xmlsec1", "xmlsec1")
	verify := func(t *testing.T, root *etree.Element, key string) {
		t.Helper()
		doc := serialize(t, root)
		args := []string{"--verify", "--pubkey-cert-pem", filepath.Join(keyDir, key+".crt.pem"),
			"--enabled-key-data", "x509,rsa,ecdsa,key-name", "--id-attr:ID", assertionName}
		if _, err := testtool.Run("", xmlsec, append(args, testtool.File(t, "out.xml", doc))...); err != nil {
			t.Errorf("%v\n%s", err, doc)
		}
		bad := strings.Replace(doc, "anna", "Anna", 1)
		if _, err := testtool.Run("", xmlsec, append(args, testtool.File(t, "bad.xml", bad))...); err == nil {
			t.Error("xmlsec1 accepts a changed document: the test proves nothing")
		}
	}
	for _, c := range xmlsecCases() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			doc := template("", "", "", "")
			i, j := strings.Index(doc, "<ds:Signature "), strings.Index(doc, "</ds:Signature>")
			doc = doc[:i] + doc[j+len("</ds:Signature>"):]
			key, cert := pair(t, c.key)
			if c.c14n == ExcC14N && c.prefixes == "" {
				root := parse(t, doc)
				if err := Sign(find(t, root, "Assertion"), key, cert, c.method, 2); err != nil {
					t.Fatal(err)
				}
				verify(t, root, c.key)
			}
			root := parse(t, doc)
			if err := SignWith(find(t, root, "Assertion"), key, cert, SignOptions{Method: c.method,
				DigestURI: c.digest, C14N: c.c14n, InclusivePrefixes: strings.Fields(c.prefixes), LineLength: 64,
				KeyInfo: KeyInfoNone}, 2); err != nil {
				t.Fatal(err)
			}
			verify(t, root, c.key)
		})
	}
}

// TestOpenSSLPSS has openssl make the RSA-PSS values over SignedInfo.
func TestOpenSSLPSS(t *testing.T) {
	t.Parallel()
	openssl := testtool.Path(t, "openssl", "openssl")
	for _, c := range []struct {
		hash, salt string
		want       Kind
	}{
		{"sha256", "32", ""}, {"sha384", "48", ""}, {"sha512", "64", ""},
		{"sha256", "20", KindKey}, // another salt length is another method
	} {
		t.Run(c.hash+" "+c.salt, func(t *testing.T) {
			t.Parallel()
			key, cert := pair(t, "idp")
			root := parse(t, assertionDoc)
			el := find(t, root, "Assertion")
			if err := SignWith(el, key, cert, SignOptions{Method: "rsa-pss-" + c.hash}, 2); err != nil {
				t.Fatal(err)
			}
			if _, err := Verify(el, pinned(cert), Options{}); err != nil {
				t.Fatalf("our own: %v", err)
			}
			value, err := testtool.Run(canonical(t, find(t, el, "SignedInfo"), ExcC14N), openssl, "dgst", "-"+c.hash,
				"-sign", filepath.Join(keyDir, "idp.key.pem"), "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:"+c.salt)
			if err != nil {
				t.Fatal(err)
			}
			b := builder{o: SignOptions{LineLength: 76}}
			find(t, el, "SignatureValue").SetText(b.base64([]byte(value)))
			_, err = Verify(el, pinned(cert), Options{})
			if k := kindOf(t, err); k != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
