package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
	"github.com/ssoconn/sso/ssotest"
)

var differential = flag.String("differential", "", "write the table of what libraries read differently into this `file`")

// sample is one honest answer.
type sample struct {
	source string // vector, profile, live
	name   string
	conn   *sso.Connection
	form   string
	o      sso.VerifyOptions
	keys   []sso.KeyPair
}

// reading is what a library made of it.
type reading struct {
	OK         bool                `json:"ok"`
	Error      string              `json:"error"`
	NameID     string              `json:"name_id"`
	Format     string              `json:"format"`
	Session    string              `json:"session"`
	Attributes map[string][]string `json:"attributes"`
}

func ours(s sample) reading {
	a, err := s.conn.VerifyResponse(context.Background(), s.form, s.o)
	if err != nil {
		return reading{Error: err.Error()}
	}
	r := reading{OK: true, NameID: a.Subject.Value, Format: a.Subject.Format, Session: a.SessionIndex, Attributes: map[string][]string{}}
	for _, at := range a.Attributes {
		r.Attributes[at.Name] = at.Values
	}
	return r
}

// crewjamReads has crewjam/saml read it. Its clock is one for the process, so
// this does not run beside other tests.
func crewjamReads(s sample) (r reading) {
	defer func() {
		if recover() != nil {
			r = reading{Error: "it ends without an answer"}
		}
	}()
	saml.TimeNow = func() time.Time { return s.o.CurrentTime }
	saml.Clock = dsig.NewFakeClockAt(s.o.CurrentTime)
	defer func() { saml.TimeNow, saml.Clock = func() time.Time { return time.Now().UTC() }, nil }()
	saml.MaxClockSkew = skewOf(s.conn)
	md := &saml.EntityDescriptor{EntityID: s.conn.IdP.EntityID}
	idp := saml.IDPSSODescriptor{}
	for _, c := range s.conn.IdP.Certificates {
		idp.KeyDescriptors = append(idp.KeyDescriptors, saml.KeyDescriptor{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{
			X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(c.Raw)}}}}})
	}
	md.IDPSSODescriptors = []saml.IDPSSODescriptor{idp}
	acs, err := url.Parse(s.conn.SP.ACSURL)
	if err != nil {
		return reading{Error: err.Error()}
	}
	sp := saml.ServiceProvider{EntityID: s.conn.SP.EntityID, AcsURL: *acs, IDPMetadata: md, AllowIDPInitiated: s.o.AllowIdPInitiated}
	for _, k := range s.keys {
		if key, ok := k.Private.(*rsa.PrivateKey); ok {
			sp.Key, sp.Certificate = key, k.Certificate
		}
	}
	document, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s.form), ""))
	if err != nil {
		return reading{Error: err.Error()}
	}
	a, err := sp.ParseXMLResponse(document, []string{s.o.RequestID}, *acs)
	if err != nil {
		var private *saml.InvalidResponseError
		if errors.As(err, &private) {
			err = private.PrivateErr
		}
		return reading{Error: err.Error()}
	}
	r = reading{OK: true, Attributes: map[string][]string{}}
	if a.Subject != nil && a.Subject.NameID != nil {
		r.NameID, r.Format = a.Subject.NameID.Value, a.Subject.NameID.Format
	}
	if len(a.AuthnStatements) > 0 {
		r.Session = a.AuthnStatements[0].SessionIndex
	}
	for _, st := range a.AttributeStatements {
		for _, at := range st.Attributes {
			for _, v := range at.Values {
				r.Attributes[at.Name] = append(r.Attributes[at.Name], v.Value)
			}
			if len(at.Values) == 0 && r.Attributes[at.Name] == nil {
				r.Attributes[at.Name] = []string{}
			}
		}
	}
	return r
}

func skewOf(c *sso.Connection) time.Duration {
	if c.ClockSkew == 0 {
		return sso.DefaultClockSkew
	}
	return c.ClockSkew
}

// nodeSAML is a process that reads with @node-saml/node-saml.
type nodeSAML struct {
	in  io.WriteCloser
	out *bufio.Scanner
}

func startNodeSAML() (*nodeSAML, func(), error) {
	cmd := exec.Command("node", "--no-deprecation", "npm/nodesaml.js")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 16<<20)
	return &nodeSAML{in, scanner}, func() { _ = in.Close(); _ = cmd.Wait() }, nil
}

func (n *nodeSAML) read(s sample) (r reading) {
	q := map[string]any{
		"message": s.form, "now": s.o.CurrentTime.UnixMilli(), "acs": s.conn.SP.ACSURL, "entity_id": s.conn.SP.EntityID,
		"idp_entity_id": s.conn.IdP.EntityID, "skew": skewOf(s.conn).Milliseconds(), "request": s.o.RequestID,
	}
	var certificates []string
	for _, c := range s.conn.IdP.Certificates {
		certificates = append(certificates, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	q["certificates"] = certificates
	if len(s.keys) > 0 {
		der, err := x509.MarshalPKCS8PrivateKey(s.keys[0].Private)
		if err != nil {
			return reading{Error: err.Error()}
		}
		q["decryption_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	line, err := json.Marshal(q)
	if err == nil {
		_, err = n.in.Write(append(line, '\n'))
	}
	if err != nil || !n.out.Scan() {
		return reading{Error: fmt.Sprintf("the process ended: %v %v", err, n.out.Err())}
	}
	if err := json.Unmarshal(n.out.Bytes(), &r); err != nil {
		return reading{Error: err.Error()}
	}
	return r
}

// samples are the honest answers of the vectors, of the practice IdP, and of
// live ones.
func samples(live []capturedMessage) ([]sample, error) {
	all, err := vectorSamples()
	if err != nil {
		return nil, err
	}
	profiles, err := profileSamples()
	if err != nil {
		return nil, err
	}
	all = append(all, profiles...)
	for _, l := range live {
		s := sample{"live", l.idp + ", " + l.variant, l.conn, l.message, l.o, l.conn.SP.DecryptionKeys}
		if !ours(s).OK {
			continue // refusals are no honest sign-in
		}
		all = append(all, s)
	}
	return all, nil
}

func testKey(name string) (sso.KeyPair, error) {
	read := func(suffix string) []byte {
		data, err := os.ReadFile("../testdata/keys/" + name + suffix)
		if err != nil {
			return nil
		}
		block, _ := pem.Decode(data)
		if block == nil {
			return nil
		}
		return block.Bytes
	}
	cert, err := x509.ParseCertificate(read(".crt.pem"))
	if err != nil {
		return sso.KeyPair{}, fmt.Errorf("%s: %w", name, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(read(".key.pem"))
	if err != nil {
		return sso.KeyPair{}, fmt.Errorf("%s: %w", name, err)
	}
	return sso.KeyPair{Private: key.(crypto.PrivateKey), Certificate: cert}, nil
}

func vectorSamples() ([]sample, error) {
	list, err := vectors.Load("../testdata/vectors")
	if err != nil {
		return nil, err
	}
	var all []sample
	for _, v := range list {
		if v.Expect != "ok" {
			continue
		}
		data, err := os.ReadFile(filepath.Join("../testdata/vectors/connections", v.Connection+".json"))
		if err != nil {
			return nil, err
		}
		var file struct {
			Certificates []string
			Connection   sso.Connection
		}
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(&file); err != nil {
			return nil, err
		}
		c := file.Connection
		for _, name := range file.Certificates {
			k, err := testKey(name)
			if err != nil {
				return nil, err
			}
			c.IdP.Certificates = append(c.IdP.Certificates, k.Certificate)
		}
		for _, name := range v.Keys {
			k, err := testKey(name)
			if err != nil {
				return nil, err
			}
			c.SP.DecryptionKeys = append(c.SP.DecryptionKeys, k)
		}
		all = append(all, sample{"vector", v.Name, &c, v.FormValue(),
			sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", Replay: onlyOnce{}, CurrentTime: v.Now}, c.SP.DecryptionKeys})
	}
	return all, nil
}

func profileSamples() ([]sample, error) {
	key, err := testKey("idp")
	if err != nil {
		return nil, err
	}
	decryption, err := testKey("sp-encryption")
	if err != nil {
		return nil, err
	}
	now := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	var many []string
	for i := range 800 {
		many = append(many, fmt.Sprintf("Группа %d", i))
	}
	people := []struct {
		name  string
		login ssotest.Login
	}{
		{"groups", ssotest.Login{Email: "anna@example.com", FirstName: "Анна", LastName: "Ли 🐇", Groups: []string{"Продажи", "R&D <core>"}}},
		{"one group", ssotest.Login{Email: "anna@example.com", FirstName: "Ann", LastName: "Lee", Groups: []string{"Sales"}}},
		{"no group", ssotest.Login{Email: "anna@example.com", FirstName: "Ann", LastName: "Lee"}},
		{"800 groups", ssotest.Login{Email: "anna@example.com", FirstName: "Ann", LastName: "Lee", Groups: many}},
	}
	var all []sample
	for _, profile := range ssotest.Profiles() {
		idp := ssotest.NewIdP(ssotest.Config{Profile: profile, Key: &key, Now: now})
		for _, sign := range []ssotest.Signed{ssotest.SignAssertion, ssotest.SignResponse, ssotest.SignBoth} {
			for _, p := range people {
				if len(p.login.Groups) > 100 && (profile != ssotest.Okta && profile != ssotest.Keycloak || sign == ssotest.SignBoth) {
					continue // it takes seconds each
				}
				for _, encrypt := range []bool{false, true} {
					conn := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{decryption}})
					o := ssotest.Options{Sign: sign}
					name := fmt.Sprintf("%s, %s signed, %s", orText(string(profile), "plain"), sign, p.name)
					if encrypt {
						o.EncryptTo = decryption.Certificate
						if sign != ssotest.SignAssertion {
							o.EncryptionMethod = "aes256-cbc" // under a signature
						}
						name += ", encrypted"
					}
					form, err := idp.Respond(ssotest.RequestTo(conn, "_request"), p.login, o)
					if err != nil {
						return nil, err
					}
					all = append(all, sample{"profile", name, conn, form, sso.VerifyOptions{RequestID: "_request", CurrentTime: now()}, conn.SP.DecryptionKeys})
				}
			}
		}
	}
	return all, nil
}

// disagreement is one message that a library reads otherwise than we do.
type disagreement struct {
	library string
	s       sample
	what    string // accepted, NameID, attributes …
	ours    reading
	theirs  reading
	xml     string
}

func compare(library string, s sample, a, b reading) (all []disagreement) {
	document, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s.form), ""))
	add := func(what string) {
		all = append(all, disagreement{library, s, what, a, b, string(document)})
	}
	switch {
	case a.OK != b.OK:
		add("accepted")
		return all
	case !a.OK:
		return nil
	}
	if a.NameID != b.NameID {
		add("NameID")
	}
	if a.Format != b.Format {
		add("NameID format")
	}
	if a.Session != b.Session {
		add("session index")
	}
	names := slices.Sorted(maps.Keys(a.Attributes))
	if !cmp.Equal(names, slices.Sorted(maps.Keys(b.Attributes))) {
		add("attribute names")
		return all
	}
	for _, n := range names {
		if !slices.Equal(a.Attributes[n], b.Attributes[n]) {
			add("attribute values")
			break
		}
	}
	return all
}

// readAll has all three read every sample.
func readAll(live []capturedMessage) (list []sample, all []disagreement, err error) {
	list, err = samples(live)
	if err != nil {
		return nil, nil, err
	}
	node, stop, err := startNodeSAML()
	if err != nil {
		return nil, nil, err
	}
	defer stop()
	for _, s := range list {
		mine := ours(s)
		if !mine.OK {
			return nil, nil, fmt.Errorf("%s %s is no honest answer here: %s", s.source, s.name, mine.Error)
		}
		all = append(all, compare("crewjam/saml", s, mine, crewjamReads(s))...)
		all = append(all, compare("node-saml", s, mine, node.read(s))...)
	}
	return list, all, nil
}

// rule explains one kind of disagreement.
type rule struct {
	library, what string
	fits          func(d disagreement) bool
	theirs        string // what the library does
	why           string // why the two differ, and what we do
	live          string // the live IdP that alone sends it
}

func errorHas(text string) func(disagreement) bool {
	return func(d disagreement) bool { return strings.Contains(d.theirs.Error, text) }
}

func documentHas(texts ...string) func(disagreement) bool {
	return func(d disagreement) bool {
		return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(d.xml, s) })
	}
}

// repeated says that an attribute comes in several Attribute elements.
func repeated(d disagreement) bool {
	for name := range d.ours.Attributes {
		if strings.Count(d.xml, ` Name="`+name+`"`) > 1 {
			return true
		}
	}
	return len(d.s.keys) > 0 && strings.Contains(d.xml, "EncryptedAssertion") && strings.HasPrefix(d.s.name, "keycloak")
}

var rules = []rule{
	{"crewjam/saml", "accepted", errorHas("xmlenc11#aes256-gcm"), "does not implement AES-256-GCM", "XML Encryption 1.1, 5.2.4: AES-128-GCM is required of everybody, AES-256-GCM is what many IdPs choose. We take both.", ""},
	{"crewjam/saml", "accepted", errorHas("Unknown signature method"), "does not implement RSA-PSS", "RFC 6931, 2.3.10. We take it with SHA-256, SHA-384 and SHA-512.", ""},
	{"crewjam/saml", "accepted", errorHas("ECDSA verification failure"), "expects an ECDSA signature in ASN.1", "XML Signature 1.1, 6.4.3: the value is r and s, one behind the other, as IdPs send it.", ""},
	{"crewjam/saml", "accepted", errorHas("Signature could not be verified"), "keeps comments in what was signed, where the form is one with comments", "XML Signature 1.1, 4.4.3.3: a reference by ID selects no comments, whatever the form does. xmlsec1 and the JDK agree.", ""},
	{"crewjam/saml", "accepted", errorHas("crypto/rsa: verification error"), "writes SignedInfo without regard to the PrefixList of its CanonicalizationMethod", "Exclusive XML Canonicalization 1.0, 3: the prefixes listed are written as the inclusive form writes them.", ""},
	{"crewjam/saml", "accepted", errorHas("malformed certificate"), "reads the certificate that the message names", "The pinned keys decide here; what a message says of its own key adds nothing, so it need not even be a certificate.", ""},
	{"crewjam/saml", "accepted", errorHas("Missing x509 Element"), "with several pinned certificates, expects the message to name one", "KeyInfo may be absent (Core 5.4.5). We try each pinned key.", ""},
	{"crewjam/saml", "accepted", errorHas("Cert is not valid at this time"), "refuses a pinned certificate past its date", "The certificate is a container for the key here: we warn, and refuse if RefuseExpiredCertificates says so.", ""},
	{"crewjam/saml", "accepted", errorHas("Conditions is expired"), "expects NotOnOrAfter in Conditions", "Core 2.5.1: both times are optional; the confirmation has one that is not (Profiles 4.1.4.2).", ""},
	{"crewjam/saml", "accepted", errorHas("Recipient is not"), "expects every confirmation to fit", "Profiles 4.1.4.3: one that fits is enough, whole by itself.", ""},
	{"crewjam/saml", "accepted", errorHas("IssueInstant expired"), "takes a Response of at most 90 seconds and the clock skew", "Nothing sets a bound; the assertion has times of its own. Ours is 15 minutes and the skew.", ""},
	{"crewjam/saml", "accepted", errorHas("expired on "), "takes an assertion of at most 90 seconds and the clock skew", "As for the Response.", ""},
	{"crewjam/saml", "accepted", errorHas("it ends without an answer"), "gives no answer to hundreds of groups", "Its signature library bounds the elements that it goes through to about a thousand. We bound bytes and time, and read 10,000 groups.", ""},
	{"crewjam/saml", "accepted", errorHas("expected element <Response> in name space"), "expects a prefix to mean one namespace in the whole document", "Namespaces in XML 1.0, 6.1: an element inside may bind it again, as pysaml2's encrypted answers do.", "pysaml2"},
	{"crewjam/saml", "attribute values", documentHas("<x:", "<saml:Assertion", "<saml:NameID", "<saml:Subject", "AttributeValue><"), "reads the text of a value that holds elements", "Core 2.7.3.1.1 lets a value be any XML. We hand on the XML as text.", ""},

	{"node-saml", "accepted", func(d disagreement) bool {
		return d.theirs.Error == "Invalid signature" && (strings.Contains(d.xml, "sha384") || strings.Contains(d.xml, "ecdsa"))
	}, "does not implement SHA-384 or ECDSA", "XML Signature 1.1, 6.2 and 6.4.3. We take both.", ""},
	{"node-saml", "accepted", func(d disagreement) bool {
		return d.theirs.Error == "Invalid signature" && strings.Contains(d.xml, "-MGF1")
	}, "implements RSA-PSS with SHA-256 only", "RFC 6931, 2.3.10. We take SHA-384 and SHA-512 too.", ""},
	{"node-saml", "accepted", errorHas("xml-c14n11"), "does not implement Canonical XML 1.1", "XML Signature 1.1, 6.5.2 requires it.", ""},
	{"node-saml", "accepted", errorHas("xmlenc11#rsa-oaep not supported"), "does not implement RSA-OAEP of XML Encryption 1.1", "XML Encryption 1.1, 5.5.2: the form with a mask of SHA-256.", ""},
	{"node-saml", "accepted", errorHas("oaep decoding error"), "has one decryption key", "We try each: a key is replaced while the old one is still in use.", ""},
	{"node-saml", "accepted", errorHas("RSA_PKCS1_PADDING"), "runs on a Node without RSA 1.5", "We take it behind InsecureAllowRSA15 only, with implicit rejection.", ""},
	{"node-saml", "attribute names", func(d disagreement) bool { return strings.Count(d.xml, "<saml:AttributeStatement") > 1 }, "reads the first AttributeStatement", "Core 2.3.3: there may be several.", ""},
	{"node-saml", "attribute names", documentHas(`Name="x"/>`, `Name="x"></`, "<saml:AttributeValue/>"), "leaves out an attribute without values", "Core 2.7.3.1: it may have none. A group attribute without values says that a person is in no group, which is not the same as saying nothing.", ""},
	{"node-saml", "attribute values", repeated, "keeps the last of several attributes of one name", "Keycloak sends one Attribute for each role unless told otherwise. We join them in their order.", ""},
	{"node-saml", "attribute values", documentHas("<x:", "<saml:Assertion", "<saml:NameID", "<saml:Subject", "AttributeValue><"), "hands on an object for a value that holds elements", "We hand on the XML as text.", ""},
}

// explain finds the rule for each disagreement. What none explains is a fault,
// and so is, where everything was tried, a rule that explains nothing.
func explain(all []disagreement, everything bool) (byRule map[int][]disagreement, faults []string) {
	byRule = map[int][]disagreement{}
next:
	for _, d := range all {
		for i, r := range rules {
			if r.library == d.library && r.what == d.what && r.fits(d) {
				byRule[i] = append(byRule[i], d)
				continue next
			}
		}
		faults = append(faults, fmt.Sprintf("%s, %s (%s): %s differs, and nothing explains it: %.200s", d.library, d.s.name, d.s.source, d.what, d.theirs.Error+cmp.Diff(d.ours, d.theirs)))
	}
	for i, r := range rules {
		sent := r.live == "" || slices.ContainsFunc(captured, func(c capturedMessage) bool { return c.idp == r.live })
		if everything && sent && len(byRule[i]) == 0 {
			faults = append(faults, fmt.Sprintf("the rule for %s, %q, explains nothing", r.library, r.theirs))
		}
	}
	return byRule, faults
}

// writeDifferential writes the table.
func writeDifferential(file string, list []sample, all []disagreement, byRule map[int][]disagreement) error {
	differ := map[string]bool{}
	for _, d := range all {
		differ[d.s.source+d.s.name] = true
	}
	counts := map[string]int{}
	for _, s := range list {
		counts[s.source]++
	}
	node := "?"
	var p struct{ Version string }
	if text, err := os.ReadFile("npm/node_modules/@node-saml/node-saml/package.json"); err == nil && json.Unmarshal(text, &p) == nil {
		node = p.Version
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# What libraries read differently

Honest answers, read by this library, by crewjam/saml %s and by @node-saml/node-saml %s. %d answers: %d accepted test vectors, %d of the
practice IdP's in the manner of 14 products, %d of live identity providers. All three read %d of them as the same: accepted, with the same
NameID and format, session index, and attributes with their values in order. The table has every disagreement there was about the others,
by kind. It is written by the test that it speaks of, which fails on a disagreement that nothing explains:

    cd interop && go test . -differential ../docs/differential.md

All answers are signed and honest, and each library is set to take either signature. What is dealt with here is reading, and nothing else.

| library | answers | what it does | why we differ |
|---|---|---|---|
`, moduleVersion("github.com/crewjam/saml"), node, len(list), counts["vector"], counts["profile"], counts["live"], len(list)-len(differ))
	for i, r := range rules {
		if n := len(byRule[i]); n > 0 {
			fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", r.library, n, r.theirs, r.why)
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// TestDifferential has three libraries read the vectors and what the practice
// IdP sends. What live IdPs sent is read in TestMain, once it was captured.
func TestDifferential(t *testing.T) {
	_, err := exec.LookPath("node")
	need(t, err == nil, "node")
	npmVersion(t, "@node-saml/node-saml")
	list, all, err := readAll(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d answers, %d disagreements", len(list), len(all))
	if _, faults := explain(all, false); len(faults) > 0 {
		t.Errorf("%d faults:\n%s", len(faults), strings.Join(faults, "\n"))
	}
}

// differentialLive reads everything, with what the tests have captured.
func differentialLive() error {
	list, all, err := readAll(captured)
	if err != nil {
		return err
	}
	byRule, faults := explain(all, true)
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	fmt.Printf("three libraries read %d answers, %d of them live; %d disagreements, each explained\n", len(list), len(captured), len(all))
	if *differential != "" {
		return writeDifferential(*differential, list, all, byRule)
	}
	return nil
}
