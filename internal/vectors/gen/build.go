package main

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
	"github.com/ssoconn/sso/ssotest"
)

const (
	spEntityID = "https://app.example.com/saml/metadata"
	acsURL     = "https://app.example.com/saml/acs"
	requestID  = "_request"
	none       = "none"
)

// issued is the IdP's clock, and now is ours, ten seconds later.
var (
	issued = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	now    = issued.Add(10 * time.Second)
)

// A testCase is one vector to make.
type testCase struct {
	name    string
	expect  string // empty: ok
	check   string
	control string // empty with a refusal: basic-assertion
	comment string

	late       time.Duration // how much later than now it is verified
	request    string        // that we sent; empty: requestID
	answered   string        // that the IdP answers; empty: the same
	connection string        // empty: basic
	keys       []string
	replay     string
	nameID     string // empty with ok: ann@example.com
	person     string
	groups     []string

	key     string // of the IdP; empty: idp
	profile ssotest.Profile
	login   ssotest.Login
	options ssotest.Options
	encrypt string // to the certificate of this name
	compact bool   // leaves out the line breaks that make it readable
	random  bool   // keep the file that is there

	// tree changes the Response before it is signed, after that after.
	tree, after func(response *etree.Element)
	// text changes the bytes.
	text func([]byte) []byte
	// form makes the form value of the bytes.
	form func([]byte) string
}

type keyFile struct {
	pair sso.KeyPair
}

type generator struct {
	root string
	keys map[string]*keyFile
}

func (g *generator) key(name string) (sso.KeyPair, error) {
	if k := g.keys[name]; k != nil {
		return k.pair, nil
	}
	read := func(file string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(g.root, "testdata", "keys", file))
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("%s: no PEM", file)
		}
		return block.Bytes, nil
	}
	der, err := read(name + ".key.pem")
	if err != nil {
		return sso.KeyPair{}, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return sso.KeyPair{}, err
	}
	if der, err = read(name + ".crt.pem"); err != nil {
		return sso.KeyPair{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return sso.KeyPair{}, err
	}
	k := &keyFile{sso.KeyPair{Private: key.(crypto.Signer), Certificate: certificate}}
	g.keys[name] = k
	return k.pair, nil
}

// vector makes the message of a case.
func (g *generator) vector(c testCase) (*vectors.Vector, error) {
	v := &vectors.Vector{
		Name: c.name, Expect: cmp.Or(c.expect, "ok"), Check: c.check, Control: c.control, Comment: c.comment,
		Now: now.Add(c.late), Request: cmp.Or(c.request, requestID), Connection: cmp.Or(c.connection, "basic"),
		Keys: c.keys, Replay: c.replay, NameID: c.nameID, PersonName: c.person, Groups: c.groups,
	}
	if c.expect == "" {
		v.NameID = cmp.Or(c.nameID, "ann@example.com")
	} else {
		v.Control = cmp.Or(c.control, "basic-assertion")
	}
	document, err := g.document(c)
	if err != nil {
		return nil, err
	}
	if c.text != nil {
		document = c.text(document)
	}
	v.Body = document
	if c.form != nil {
		v.Form, v.Body = true, []byte(c.form(document))
	}
	if v.Request == none {
		v.Request = ""
	}
	return v, nil
}

func (g *generator) document(c testCase) ([]byte, error) {
	pair, err := g.key(cmp.Or(c.key, "idp"))
	if err != nil {
		return nil, err
	}
	n := 0
	idp := ssotest.NewIdP(ssotest.Config{
		Profile: c.profile, Key: &pair,
		Now:   func() time.Time { return issued },
		NewID: func() string { n++; return fmt.Sprintf("_%s-%d", c.name, n) },
	})
	answered := cmp.Or(c.answered, c.request, requestID)
	if answered == none {
		answered = ""
	}
	login := c.login
	if login.Email == "" && login.NameID == "" {
		login = ssotest.Login{Email: "ann@example.com", FirstName: "Ann", LastName: "Lee", Groups: []string{"Sales", "Everyone"}}
	}
	o := c.options
	if !c.compact {
		o.Pretty = true
		o.Wrap = cmp.Or(o.Wrap, 76)
	}
	o.BeforeSigning, o.AfterSigning = c.tree, c.after
	if c.encrypt != "" {
		to, err := g.key(c.encrypt)
		if err != nil {
			return nil, err
		}
		o.EncryptTo = to.Certificate
	}
	document, err := idp.Document(ssotest.Request{ID: answered, Issuer: spEntityID, ACSURL: acsURL}, login, o)
	if err != nil || c.compact {
		return document, err
	}
	return append(document, '\n'), nil
}

// A fixture is one file of connections/: a connection, and which of the fixed
// certificates it pins.
type fixture struct {
	Certificates []string       `json:"certificates"`
	Connection   map[string]any `json:"connection"`
}

func (f fixture) encode() ([]byte, error) {
	data, err := json.MarshalIndent(f, "", "  ")
	return append(data, '\n'), err
}

// connections are the settings under which the vectors are verified. Each
// differs from basic in what its name says.
func connections() map[string]fixture {
	of := func(certificate string, settings ...any) fixture {
		c := map[string]any{
			"id":  "acme",
			"sp":  map[string]any{"entityID": spEntityID, "acsURL": acsURL},
			"idp": map[string]any{"entityID": "https://idp.example.com/metadata", "ssoURL": "https://idp.example.com/sso"},
		}
		for i := 0; i < len(settings); i += 2 {
			c[settings[i].(string)] = settings[i+1]
		}
		return fixture{[]string{certificate}, c}
	}
	all := map[string]fixture{
		"basic":              of("idp"),
		"p224":               of("idp-p224"),
		"p256":               of("idp-p256"),
		"p384":               of("idp-p384"),
		"p521":               of("idp-p521"),
		"weak":               of("weak"),
		"weak-allowed":       of("weak", "insecureAllowShortRSA", true),
		"sha1-allowed":       of("idp", "insecureAllowSHA1", true),
		"expired":            of("expired"),
		"expired-refused":    of("expired", "refuseExpiredCertificates", true),
		"current-only":       of("idp", "refuseExpiredCertificates", true),
		"response-signed":    of("idp", "requireSignedResponse", true),
		"assertion-signed":   of("idp", "requireSignedAssertion", true),
		"skew-10m":           of("idp", "clockSkew", 10*time.Minute),
		"request-id-ignored": of("idp", "insecureIgnoreInResponseTo", true),
		"rsa15-allowed":      of("idp", "insecureAllowRSA15", true),
		"cbc-allowed":        of("idp", "insecureUnauthenticatedCBC", true),
	}
	for _, p := range vendors {
		idp := ssotest.NewIdP(ssotest.Config{Profile: p}).IdentityProvider()
		all[string(p)] = of("idp", "idp", map[string]any{"entityID": idp.EntityID, "ssoURL": idp.SSOURL})
	}
	rollover := of("idp2")
	rollover.Certificates = append(rollover.Certificates, "idp")
	all["rollover"] = rollover
	return all
}

// vendors are the profiles that have a vector.
var vendors = []ssotest.Profile{ssotest.Okta, ssotest.Entra, ssotest.Google, ssotest.ADFS, ssotest.Keycloak, ssotest.Shibboleth}

// at changes the elements that a path finds; a path that finds nothing is a
// mistake in the case.
func at(path string, change func(*etree.Element)) func(*etree.Element) {
	return func(response *etree.Element) {
		found := response.FindElements("./" + path)
		if path == "." {
			found = []*etree.Element{response}
		}
		if len(found) == 0 {
			panic("no " + path)
		}
		for _, e := range found {
			change(e)
		}
	}
}

// all makes several changes.
func all(changes ...func(*etree.Element)) func(*etree.Element) {
	return func(e *etree.Element) {
		for _, change := range changes {
			change(e)
		}
	}
}

func set(path, name, value string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.CreateAttr(name, value) })
}

func unset(path, name string) func(*etree.Element) {
	return at(path, func(e *etree.Element) {
		if e.RemoveAttr(name) == nil {
			panic("no " + path + "/@" + name)
		}
	})
}

func text(path, value string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.SetText(value) })
}

func remove(path string) func(*etree.Element) {
	return at(path, func(e *etree.Element) {
		parent, i := e.Parent(), e.Index()
		parent.RemoveChildAt(i)
		if i < len(parent.Child) {
			if _, ok := parent.Child[i].(*etree.CharData); ok {
				parent.RemoveChildAt(i)
			}
		}
	})
}

// add appends a parsed piece of XML to an element. Prefixes are those of the
// document around it.
func add(path, xml string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.AddChild(piece(xml)) })
}

// before puts a piece in front of an element.
func before(path, xml string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.Parent().InsertChildAt(e.Index(), piece(xml)) })
}

// behind puts a piece after an element.
func behind(path, xml string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.Parent().InsertChildAt(e.Index()+1, piece(xml)) })
}

func piece(xml string) *etree.Element {
	d := etree.NewDocument()
	d.ReadSettings.PreserveCData = true
	if err := d.ReadFromString(xml); err != nil {
		panic(err)
	}
	return d.Root().Copy()
}

// twice repeats an element right behind itself.
func twice(path string) func(*etree.Element) {
	return at(path, func(e *etree.Element) { e.Parent().InsertChildAt(e.Index()+1, e.Copy()) })
}

// replace changes text of the document; text that is not there once at least
// is a mistake in the case.
func replace(old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("no " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
}

func prepend(s string) func([]byte) []byte {
	return func(b []byte) []byte { return append([]byte(s), b...) }
}

func appendText(s string) func([]byte) []byte {
	return func(b []byte) []byte { return append(bytes.Clone(b), s...) }
}
