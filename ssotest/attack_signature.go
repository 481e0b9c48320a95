package ssotest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"strings"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlsig"
)

// onBoth are attacks on the signature of the assertion and of the Response.
func onBoth(name string, genuine bool, h hooks) []attack {
	var all []attack
	for _, on := range []Signed{SignAssertion, SignResponse} {
		all = append(all, attack{name: string(on) + "/" + name, control: string(on), o: Options{Sign: on, KeyInfo: KeyInfoCertificate}, genuine: genuine, forged: h})
	}
	return all
}

// bent are attacks that bend the signature and either leave its value as it was,
// or have the IdP's key seal it again, so that only its structure is wrong.
func bent(name string, bend func(s *etree.Element)) []attack {
	return append(onBoth(name+"/sealed", false, hooks{after: m2(bend)}), onBoth(name+"/unsealed", false, hooks{after: m1(bend)})...)
}

// signatureNone: there is no signature where one has to be, or an empty one.
func signatureNone(*gallery) []attack {
	var all []attack
	strip := func(of ...func(m *message) *etree.Element) hooks {
		return after(func(m *message) {
			for _, f := range of {
				drop(path(f(m), "Signature"))
			}
		})
	}
	response := func(m *message) *etree.Element { return m.response }
	assertion := func(m *message) *etree.Element { return m.assertion }
	all = append(all, attack{name: "stripped/assertion", control: "assertion", o: Options{Sign: SignAssertion}, forged: strip(assertion)},
		attack{name: "stripped/response", control: "response", o: Options{Sign: SignResponse}, forged: strip(response)},
		attack{name: "stripped/both", control: "both", o: Options{Sign: SignBoth}, forged: strip(response, assertion)})
	for _, part := range []string{"SignedInfo", "SignatureValue"} {
		all = append(all, onBoth("without/"+part, false, hooks{after: m1(func(s *etree.Element) { drop(path(s, part)) })})...)
		all = append(all, onBoth("hollow/"+part, false, hooks{after: m1(func(s *etree.Element) { hollow(path(s, part)) })})...)
	}
	all = append(all, onBoth("hollow/Signature", false, hooks{after: m1(hollow)})...)
	for _, kind := range []string{"keep", "victim"} {
		all = append(all, onBoth("in-comment/"+kind, false, hooks{after: func(m *message) error {
			s := m.outerSignature()
			s.Parent().InsertChildAt(s.Index(), etree.NewComment(strings.ReplaceAll(string(write(s)), "--", "")))
			drop(s)
			if kind == "victim" {
				m.rename(m.assertion)
			}
			return nil
		}})...)
	}
	return all
}

func hollow(e *etree.Element) {
	for i := len(e.Child) - 1; i >= 0; i-- {
		e.RemoveChildAt(i)
	}
}

// signatureTamper: one signed value is another one after signing.
func signatureTamper(*gallery) []attack {
	var all []attack
	for name, f := range map[string]func(m *message){
		"name-id":   func(m *message) { path(m.assertion, "Subject", "NameID").SetText(m.victim) },
		"format":    func(m *message) { set(path(m.assertion, "Subject", "NameID"), "Format", samlxml.NameIDPersistent) },
		"qualifier": func(m *message) { set(path(m.assertion, "Subject", "NameID"), "NameQualifier", "x") },
		"attribute": func(m *message) {
			m.assertion.FindElement("./AttributeStatement/Attribute/AttributeValue").SetText(m.victim)
		},
		"added-group":  func(m *message) { m.extraValue(m.assertion).SetText("Administrators") },
		"renamed":      func(m *message) { set(m.assertion.FindElement("./AttributeStatement/Attribute"), "Name", "groups") },
		"id":           func(m *message) { set(m.assertion, "ID", "_another") },
		"issuer":       func(m *message) { path(m.assertion, "Issuer").CreateText("/") },
		"expiry":       func(m *message) { set(path(m.assertion, "Conditions"), "NotOnOrAfter", m.time(late)) },
		"confirmation": func(m *message) { set(m.confirmationData(), "NotOnOrAfter", m.time(late)) },
		"audience":     func(m *message) { path(m.assertion, "Conditions", "AudienceRestriction").RemoveChildAt(0) },
		"session":      func(m *message) { set(path(m.assertion, "AuthnStatement"), "SessionIndex", "x") },
		"context": func(m *message) {
			path(m.assertion, "AuthnStatement", "AuthnContext", "AuthnContextClassRef").SetText("x")
		},
		"added-space": func(m *message) { path(m.assertion, "Subject").CreateText(" ") },
		"moved": func(m *message) {
			s := path(m.assertion, "Subject")
			m.assertion.RemoveChild(s)
			m.assertion.AddChild(s)
		},
		"prefix": func(m *message) {
			e := path(m.assertion, "Subject")
			e.Space = "p"
			e.CreateAttr("xmlns:p", samlxml.Assertion)
		},
	} {
		all = append(all, onBoth(name, false, after(f))...)
	}
	for name, f := range map[string]func(m *message){
		"response-id":          func(m *message) { set(m.response, "ID", "_another") },
		"response-destination": func(m *message) { m.response.RemoveAttr("Destination") },
		"response-instant":     func(m *message) { set(m.response, "IssueInstant", m.time(1e9)) },
		"response-issuer":      func(m *message) { drop(path(m.response, "Issuer")) },
		"response-consent":     func(m *message) { set(m.response, "Consent", "x") },
	} {
		all = append(all, attack{name: "both/" + name, control: "both", o: Options{Sign: SignBoth}, forged: after(f)})
	}
	return sorted(all)
}

// signatureDigest: the DigestValue is not one digest.
func signatureDigest(*gallery) []attack {
	var all []attack
	value := func(s *etree.Element) *etree.Element { return path(s, "SignedInfo", "Reference", "DigestValue") }
	for name, f := range map[string]func(s *etree.Element){
		"empty":     func(s *etree.Element) { hollow(value(s)) },
		"absent":    func(s *etree.Element) { drop(value(s)) },
		"blank":     func(s *etree.Element) { value(s).SetText(" \n ") },
		"doubled":   func(s *etree.Element) { value(s).Parent().AddChild(value(s).Copy()) },
		"truncated": func(s *etree.Element) { value(s).SetText(value(s).Text()[:20]) },
		"longer":    func(s *etree.Element) { value(s).SetText("AAAA" + value(s).Text()) },
		"zeros":     func(s *etree.Element) { value(s).SetText(base64.StdEncoding.EncodeToString(make([]byte, 32))) },
		"element":   func(s *etree.Element) { value(s).CreateElement("ds:DigestValue").SetText(value(s).Text()) },
		"hex":       func(s *etree.Element) { value(s).SetText("00ff") },
	} {
		all = append(all, bent(name, f)...)
	}
	// The comment holds the digest of the forgery: a reader that takes the
	// first text finds that one, and the canonical form has only the other.
	all = append(all, onBoth("comment", false, hooks{after: m1(func(s *etree.Element) {
		old := value(s).Text()
		hollow(value(s))
		value(s).AddChild(etree.NewComment(base64.StdEncoding.EncodeToString(make([]byte, 32))))
		value(s).AddChild(etree.NewText(old + "AAAA"))
	})})...)
	return sorted(all)
}

// signedInfos: two SignedInfo, or one that is not where it has to be.
func signedInfos(*gallery) []attack {
	var all []attack
	loose := func(s *etree.Element) *etree.Element {
		second := path(s, "SignedInfo").Copy()
		path(second, "Reference", "DigestValue").SetText(base64.StdEncoding.EncodeToString(make([]byte, 32)))
		return second
	}
	for name, f := range map[string]func(s *etree.Element){
		"second-first": func(s *etree.Element) { s.InsertChildAt(0, loose(s)) },
		"second-last":  func(s *etree.Element) { s.AddChild(loose(s)) },
		"second-next":  func(s *etree.Element) { s.InsertChildAt(1, loose(s)) },
		"second-foreign": func(s *etree.Element) {
			e := loose(s)
			e.CreateAttr("xmlns:ds", nsForeign)
			s.InsertChildAt(0, e)
		},
		"in-object": func(s *etree.Element) {
			info := path(s, "SignedInfo")
			s.RemoveChild(info)
			s.CreateElement("ds:Object").AddChild(info)
		},
		"nested": func(s *etree.Element) {
			path(s, "SignedInfo").AddChild(loose(s))
		},
		"last": func(s *etree.Element) {
			info := path(s, "SignedInfo")
			s.RemoveChild(info)
			s.AddChild(info)
		},
	} {
		all = append(all, onBoth(name, false, hooks{after: m1(f)})...)
	}
	return sorted(all)
}

// references: what is signed is nothing, everything, two things, something else.
func references(*gallery) []attack {
	var all []attack
	ref := func(s *etree.Element) *etree.Element { return path(s, "SignedInfo", "Reference") }
	for name, f := range map[string]func(s *etree.Element){
		"none": func(s *etree.Element) { drop(ref(s)) },
		"two":  func(s *etree.Element) { ref(s).Parent().AddChild(ref(s).Copy()) },
		"two-first": func(s *etree.Element) {
			c := ref(s).Copy()
			set(c, "URI", "#_elsewhere")
			ref(s).Parent().InsertChildAt(ref(s).Index(), c)
		},
		"two-last": func(s *etree.Element) { c := ref(s).Copy(); set(c, "URI", "#_elsewhere"); ref(s).Parent().AddChild(c) },
		"many": func(s *etree.Element) {
			r := ref(s)
			for range 100 {
				r.Parent().AddChild(r.Copy())
			}
		},
		"uri-absent": func(s *etree.Element) { ref(s).RemoveAttr("URI") },
		"uri-prefixed": func(s *etree.Element) {
			u := ref(s).SelectAttrValue("URI", "")
			ref(s).RemoveAttr("URI")
			ref(s).CreateAttr("ds:URI", u)
		},
		"type": func(s *etree.Element) { set(ref(s), "Type", samlxml.DSig+"Object") },
		"in-manifest": func(s *etree.Element) {
			r := ref(s)
			parent := r.Parent()
			parent.RemoveChild(r)
			parent.CreateElement("ds:Manifest").AddChild(r)
		},
	} {
		all = append(all, bent(name, f)...)
	}
	for _, uri := range []string{"", "#", "_x", "##", "#xpointer(/)", "#xpointer(id('_x'))", "http://127.0.0.1:9/x", "file:///etc/passwd", "cid:x", "#_elsewhere"} {
		all = append(all, bent("uri="+uri, func(s *etree.Element) { set(ref(s), "URI", uri) })...)
	}
	for name, f := range map[string]func(id string) string{
		"no-hash":     func(id string) string { return id },
		"other-first": func(id string) string { return "X" + id },
		"pointer":     func(id string) string { return "#xpointer(id('" + id + "'))" },
		"two-hashes":  func(id string) string { return "##" + id },
		"blank":       func(id string) string { return "#" + id + " " },
		"relative":    func(id string) string { return "./#" + id },
		"query":       func(id string) string { return "?#" + id },
		"escaped":     func(id string) string { return "#%5f" + strings.TrimPrefix(id, "_") },
		"upper-case":  func(id string) string { return "#" + strings.ToUpper(id) },
		"prefix":      func(id string) string { return "#" + id[:len(id)-1] },
	} {
		all = append(all, bent("uri-"+name, func(s *etree.Element) {
			set(ref(s), "URI", f(strings.TrimPrefix(ref(s).SelectAttrValue("URI", ""), "#")))
		})...)
	}
	return sorted(all)
}

// keyInfos: another key, whose certificate, value or address comes with the
// message. The pinned key alone counts.
func keyInfos(g *gallery) []attack {
	var all []attack
	for name, set := range map[string]func(m *message){
		"no-key-info": func(m *message) { m.o.KeyInfo = KeyInfoNone },
		"certificate": func(m *message) { m.o.KeyInfo = KeyInfoCertificate },
		"key-name":    func(m *message) { m.o.KeyInfo = KeyInfoName },
		"key-value":   func(m *message) { m.o.KeyInfo = KeyInfoValue },
		"look-alike":  func(m *message) { m.key = lookAlike(m.idp.key); m.o.KeyInfo = KeyInfoCertificate },
		"borrowed": func(m *message) {
			m.key = sso.KeyPair{Private: m.key.Private, Certificate: m.idp.key.Certificate}
			m.o.KeyInfo = KeyInfoCertificate
		},
		"name-of-ours": func(m *message) {
			m.key = sso.KeyPair{Private: m.key.Private, Certificate: m.idp.key.Certificate}
			m.o.KeyInfo = KeyInfoName
		},
	} {
		for _, on := range []Signed{SignAssertion, SignResponse, SignBoth} {
			all = append(all, attack{name: string(on) + "/" + name, control: string(on), o: Options{Sign: on}, forged: hooks{request: func(m *message) {
				m.key = attackerKey()
				m.anyRSA()
				set(m)
			}, before: func(m *message) { m.rename(m.assertion) }}})
		}
	}
	ours := base64.StdEncoding.EncodeToString(g.idp.key.Certificate.Raw)
	for name, add := range map[string]func(info *etree.Element){
		"ours-first": func(info *etree.Element) {
			c := info.FindElement(".//X509Certificate")
			n := c.Copy()
			n.SetText(ours)
			c.Parent().InsertChildAt(0, n)
		},
		"ours-last": func(info *etree.Element) {
			c := info.FindElement(".//X509Certificate")
			n := c.Copy()
			n.SetText(ours)
			c.Parent().AddChild(n)
		},
		"retrieval": func(info *etree.Element) {
			info.CreateElement("ds:RetrievalMethod").CreateAttr("URI", "http://127.0.0.1:9/")
		},
		"key-reference": func(info *etree.Element) { info.CreateElement("ds:KeyName").SetText("file:///etc/ssl/key") },
	} {
		all = append(all, onBoth("added/"+name, false, hooks{
			request: func(m *message) { m.key = attackerKey(); m.anyRSA() },
			after:   m1(func(s *etree.Element) { add(path(s, "KeyInfo")) }),
		})...)
	}
	return sorted(all)
}

// lookAlike is a certificate of another key with the names of a genuine one.
func lookAlike(genuine sso.KeyPair) sso.KeyPair {
	mine := attackerKey()
	pair, err := selfSigned(mine.Private.(crypto.Signer), genuine.Certificate.Subject.CommonName)
	if err != nil {
		return mine
	}
	return pair
}

// methods: algorithms that are not on the list, or not of the key's kind.
func methods(g *gallery) []attack {
	var all []attack
	for _, uri := range []string{samlxml.DSig + "rsa-sha1", samlxml.DSig + "dsa-sha1", samlxml.DSig + "hmac-sha1", moreDSig + "hmac-sha256", moreDSig + "hmac-sha512", moreDSig + "rsa-md5",
		moreDSig + "rsa-ripemd160", moreDSig + "ecdsa-sha1", newDSig + "sha1-rsa-MGF1", newDSig + "rsa-pss", "http://www.w3.org/2009/xmldsig11#dsa-sha256", moreDSig + "RSA-SHA256", moreDSig + "rsa-sha256 ",
		"", "none", "urn:example:none"} {
		all = append(all, bent("method="+uri, func(s *etree.Element) { set(path(s, "SignedInfo", "SignatureMethod"), "Algorithm", uri) })...)
	}
	// The right kind of another kind of key: confusion between the two.
	other := map[bool]string{true: moreDSig + "rsa-sha256", false: moreDSig + "ecdsa-sha256"}
	_, isRSA := g.idp.key.Certificate.PublicKey.(*rsa.PublicKey)
	all = append(all, bent("method-of-another-key", func(s *etree.Element) {
		set(path(s, "SignedInfo", "SignatureMethod"), "Algorithm", other[!isRSA])
	})...)
	for _, uri := range []string{samlxml.DSig + "sha1", moreDSig + "md5", moreDSig + "sha224", samlxml.XEnc + "ripemd160", "", "urn:example:none", "http://www.w3.org/2001/04/xmlenc#SHA256"} {
		all = append(all, bent("digest="+uri, func(s *etree.Element) { set(path(s, "SignedInfo", "Reference", "DigestMethod"), "Algorithm", uri) })...)
	}
	all = append(all, bent("output-length", func(s *etree.Element) {
		path(s, "SignedInfo", "SignatureMethod").CreateElement("ds:HMACOutputLength").SetText("8")
	})...)
	all = append(all, bent("no-method", func(s *etree.Element) { drop(path(s, "SignedInfo", "SignatureMethod")) })...)
	all = append(all, bent("two-methods", func(s *etree.Element) {
		e := path(s, "SignedInfo", "SignatureMethod")
		e.Parent().InsertChildAt(e.Index(), e.Copy())
	})...)
	for name, key := range map[string][]byte{
		"der":        g.idp.key.Certificate.Raw,
		"pem":        pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.idp.key.Certificate.Raw}),
		"public-key": g.idp.key.Certificate.RawSubjectPublicKeyInfo,
		"empty":      {},
	} {
		all = append(all, onBoth("hmac-with-"+name, false, hooks{after: func(m *message) error { return m.hmac(key) }})...)
	}
	return sorted(all)
}

// hmac seals the outermost signature, over a forged assertion, with a key that
// everybody has.
func (m *message) hmac(key []byte) error {
	s, err := m.signer()
	if err != nil {
		return err
	}
	of := m.signed()
	drop(path(of, "Signature"))
	m.rename(m.assertion)
	signature, err := s.reference(of)
	if err != nil {
		return err
	}
	of.InsertChildAt(afterIssuer(of), signature)
	set(path(signature, "SignedInfo", "SignatureMethod"), "Algorithm", moreDSig+"hmac-sha256")
	var info strings.Builder
	if err := xmlsig.Canonicalize(&info, path(signature, "SignedInfo"), s.c14n, s.inclusive); err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(info.String()))
	path(signature, "SignatureValue").SetText(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}
