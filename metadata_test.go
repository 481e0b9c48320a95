package sso

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// described is our metadata as an IdP reads it.
type described struct {
	EntityID, ValidUntil, CacheDuration string
	RequestsSigned, WantSigned          string
	Signing, Encryption                 Certificates
	Endpoints                           []string // tag, binding, location, index
	NameIDFormats                       []string
	ServiceName                         string
	Requested                           []string
}

func readMetadata(tb testing.TB, data []byte) described {
	tb.Helper()
	e := parseElement(tb, data)
	attr := func(e *etree.Element, name string) string { v, _ := samlxml.Attr(e, name); return v }
	sp, n := samlxml.Child(e, samlxml.Metadata, "SPSSODescriptor")
	if !samlxml.Is(e, samlxml.Metadata, "EntityDescriptor") || n != 1 {
		tb.Fatalf("%s with %d SPSSODescriptor", e.Tag, n)
	}
	d := described{
		EntityID: attr(e, "entityID"), ValidUntil: attr(e, "validUntil"), CacheDuration: attr(e, "cacheDuration"),
		RequestsSigned: attr(sp, "AuthnRequestsSigned"), WantSigned: attr(sp, "WantAssertionsSigned"),
	}
	for _, c := range sp.ChildElements() {
		switch c.Tag {
		case "KeyDescriptor":
			der, err := base64.StdEncoding.DecodeString(c.FindElement(".//X509Certificate").Text())
			if err != nil {
				tb.Fatal(err)
			}
			cert, err := parseCertificate(der)
			if err != nil {
				tb.Fatal(err)
			}
			switch attr(c, "use") {
			case "signing":
				d.Signing = append(d.Signing, cert)
			case "encryption":
				d.Encryption = append(d.Encryption, cert)
				if got := attr(c.SelectElement("EncryptionMethod"), "Algorithm"); got != "http://www.w3.org/2009/xmlenc11#aes256-gcm" {
					tb.Errorf("first EncryptionMethod is %s", got)
				}
			default:
				tb.Errorf("a key without use")
			}
		case "NameIDFormat":
			d.NameIDFormats = append(d.NameIDFormats, c.Text())
		case "AttributeConsumingService":
			d.ServiceName = c.SelectElement("ServiceName").Text()
			for _, r := range c.SelectElements("RequestedAttribute") {
				d.Requested = append(d.Requested, attr(r, "Name"))
			}
		default:
			binding := strings.TrimPrefix(attr(c, "Binding"), "urn:oasis:names:tc:SAML:2.0:bindings:")
			d.Endpoints = append(d.Endpoints, strings.TrimSpace(fmt.Sprint(c.Tag, " ", binding, " ", attr(c, "Location"), " ", attr(c, "index"))))
		}
	}
	return d
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	signing, next, encryption := testKey(t, "sp-signing"), testKey(t, "sp-next"), testKey(t, "sp-encryption")
	until := time.Date(2040, 5, 6, 7, 8, 9, 0, time.UTC)
	acs := "AssertionConsumerService HTTP-POST https://app.example.com/saml/acme/acs 0"
	tests := []struct {
		name   string
		change func(*Connection, *MetadataOptions)
		want   func(*described)
	}{
		{"least", func(*Connection, *MetadataOptions) {}, func(*described) {}},
		{"nothing of the IdP", func(c *Connection, _ *MetadataOptions) { c.IdP = IdentityProvider{} }, func(*described) {}},
		{"signing key", func(c *Connection, _ *MetadataOptions) { c.SP.SigningKey = signing }, func(d *described) { d.Signing = Certificates{signing.Certificate} }},
		{"signing keys, present and next", func(c *Connection, _ *MetadataOptions) { c.SP.SigningKey, c.SP.NextSigningKey = signing, next },
			func(d *described) { d.Signing = Certificates{signing.Certificate, next.Certificate} }},
		{"next as a certificate alone", func(c *Connection, _ *MetadataOptions) {
			c.SP.SigningKey, c.SP.NextSigningKey = signing, &KeyPair{Certificate: next.Certificate}
		}, func(d *described) { d.Signing = Certificates{signing.Certificate, next.Certificate} }},
		{"next is the present one", func(c *Connection, _ *MetadataOptions) { c.SP.SigningKey, c.SP.NextSigningKey = signing, signing },
			func(d *described) { d.Signing = Certificates{signing.Certificate} }},
		{"decryption keys, present and next", func(c *Connection, _ *MetadataOptions) { c.SP.DecryptionKeys = []KeyPair{*encryption, *next} },
			func(d *described) { d.Encryption = Certificates{encryption.Certificate, next.Certificate} }},
		{"decryption key that retires", func(c *Connection, _ *MetadataOptions) {
			c.SP.DecryptionKeys = []KeyPair{*next, {Private: encryption.Private}}
		}, func(d *described) { d.Encryption = Certificates{next.Certificate} }},
		{"one key for both", func(c *Connection, _ *MetadataOptions) {
			c.SP.SigningKey, c.SP.DecryptionKeys = signing, []KeyPair{*signing}
		}, func(d *described) {
			d.Signing, d.Encryption = Certificates{signing.Certificate}, Certificates{signing.Certificate}
		}},
		{"signed requests", func(c *Connection, _ *MetadataOptions) { c.SP.SigningKey, c.SignRequests = signing, true }, func(d *described) {
			d.Signing, d.RequestsSigned = Certificates{signing.Certificate}, "true"
		}},
		{"signed assertions", func(c *Connection, _ *MetadataOptions) { c.RequireSignedAssertion = true }, func(d *described) { d.WantSigned = "true" }},
		{"logout", func(c *Connection, _ *MetadataOptions) { c.SP.SLOURL = "https://app.example.com/slo?a=1&b=2" }, func(d *described) {
			d.Endpoints = []string{"SingleLogoutService HTTP-Redirect https://app.example.com/slo?a=1&b=2", "SingleLogoutService HTTP-POST https://app.example.com/slo?a=1&b=2", acs}
		}},
		{"NameID format", func(c *Connection, _ *MetadataOptions) { c.Request.NameIDFormat = samlxml.NameIDEmail }, func(d *described) { d.NameIDFormats = []string{samlxml.NameIDEmail} }},
		{"artifact", func(_ *Connection, o *MetadataOptions) { o.Artifact = true }, func(d *described) {
			d.Endpoints = append(d.Endpoints, "AssertionConsumerService HTTP-Artifact https://app.example.com/saml/acme/acs 1")
		}},
		{"attributes", func(_ *Connection, o *MetadataOptions) {
			o.ServiceName, o.Attributes = "Acme & Co", []string{"email", "urn:oid:2.5.4.42"}
		}, func(d *described) {
			d.ServiceName, d.Requested = "Acme & Co", []string{"email", "urn:oid:2.5.4.42"}
		}},
		{"validity", func(_ *Connection, o *MetadataOptions) {
			o.ValidUntil, o.CacheDuration = until, 36*time.Hour+500*time.Millisecond
		}, func(d *described) {
			d.ValidUntil, d.CacheDuration = "2040-05-06T07:08:09.000Z", "PT129600S"
		}},
	}
	documents := make(map[string][]byte)
	for _, tt := range tests {
		for _, sign := range []bool{false, true} {
			name := fmt.Sprintf("%s, signed %v", tt.name, sign)
			c, o := goodConnection(t), MetadataOptions{Sign: sign}
			tt.change(c, &o)
			want := described{EntityID: c.SP.EntityID, RequestsSigned: "false", Endpoints: []string{acs}}
			tt.want(&want)
			if sign && c.SP.SigningKey == nil {
				c.SP.SigningKey = signing
				want.Signing = Certificates{signing.Certificate}
			}
			data, err := c.MetadataWith(o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if diff := cmp.Diff(want, readMetadata(t, data)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			documents[name] = data
			e := parseElement(t, data)
			if _, err := xmlsig.Verify(e, Certificates{signing.Certificate}, xmlsig.Options{}); (err == nil) != sign {
				t.Errorf("%s: signature: %v", name, err)
			}
			if sign && e.ChildElements()[0].Tag != "Signature" {
				t.Errorf("%s: the signature is not the first child", name)
			}
		}
	}
	for name, wrong := range checkSchema(t, schemaMetadata, documents) {
		t.Errorf("%s: %s\n%s", name, wrong, documents[name])
	}
}

func TestMetadataSignsWithEveryKind(t *testing.T) {
	t.Parallel()
	for key, method := range map[string]SignatureMethod{"sp-signing": RSASHA512, "idp-p521": ECDSASHA384} {
		c := goodConnection(t)
		c.SP.SigningKey, c.SignatureMethod = testKey(t, key), method
		data, err := c.MetadataWith(MetadataOptions{Sign: true})
		if err != nil {
			t.Fatal(err)
		}
		res, err := xmlsig.Verify(parseElement(t, data), Certificates{testCert(t, key)}, xmlsig.Options{})
		if err != nil || !strings.HasSuffix(res.SignatureMethod, string(method)) {
			t.Errorf("%s: signed by %s, %v", method, res.SignatureMethod, err)
		}
	}
}

func TestMetadataErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Connection, *MetadataOptions)
		want   []string
	}{
		{"control", func(*Connection, *MetadataOptions) {}, nil},
		{"no entity ID", func(c *Connection, _ *MetadataOptions) { c.SP.EntityID = "" }, []string{"SP.EntityID"}},
		{"bad addresses", func(c *Connection, _ *MetadataOptions) {
			c.SP.ACSURL, c.SP.SLOURL = "http://app.example.com/acs", "javascript:alert(1)"
		}, []string{"SP.ACSURL", "SP.SLOURL"}},
		{"nothing to sign with", func(_ *Connection, o *MetadataOptions) { o.Sign = true }, []string{"SP.SigningKey"}},
		{"certificate of another key", func(c *Connection, o *MetadataOptions) {
			c.SP.SigningKey = &KeyPair{Private: testKey(t, "sp-signing").Private, Certificate: testCert(t, "sp-next")}
			o.Sign = true
		}, []string{"SP.SigningKey.Certificate"}},
		{"nothing next", func(c *Connection, _ *MetadataOptions) { c.SP.NextSigningKey = &KeyPair{} }, []string{"SP.NextSigningKey"}},
		{"past", func(_ *Connection, o *MetadataOptions) { o.ValidUntil = requestTime.AddDate(-5, 0, 0) }, []string{"MetadataOptions.ValidUntil"}},
		{"no time to cache", func(_ *Connection, o *MetadataOptions) { o.CacheDuration = time.Millisecond }, []string{"MetadataOptions.CacheDuration"}},
		{"attributes without a service", func(_ *Connection, o *MetadataOptions) { o.Attributes = []string{"email", ""} },
			[]string{"MetadataOptions.ServiceName", "MetadataOptions.Attributes[1]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, o := goodConnection(t), MetadataOptions{}
			tt.change(c, &o)
			data, err := c.MetadataWith(o)
			if diff := cmp.Diff(tt.want, fieldsOf(t, err)); diff != "" {
				t.Errorf("%v: fields (-want +got):\n%s", err, diff)
			}
			if (data == nil) != (err != nil) {
				t.Errorf("%d bytes with error %v", len(data), err)
			}
		})
	}
}

// TestMetadataIsNotAnIdPs closes the circle: what we publish, given back to us.
func TestMetadataIsNotAnIdPs(t *testing.T) {
	t.Parallel()
	data, err := goodConnection(t).Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseIdPMetadata(data); err == nil || !strings.Contains(err.Error(), "describes a service provider") {
		t.Errorf("got %v", err)
	}
}
