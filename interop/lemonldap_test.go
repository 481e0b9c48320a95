package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssoconn/sso"
)

const lemonldapApp = "/usr/share/lemonldap-ng/portal/htdocs/index.psgi"

// lemonldapVariant is one way to configure LemonLDAP::NG for us.
type lemonldapVariant struct {
	name                        string
	encryption                  string // of LemonLDAP::NG: none, nameid, assertion
	method                      string // its name for the signature method
	format                      string // its name for the NameID format
	signRequests, post, passive bool
	idpStarted                  bool
	unsigned                    bool // it does not sign the Response
	reason                      sso.Reason
}

func lemonldapVersion() string {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "liblemonldap-ng-portal-perl").Output()
	if err != nil {
		return "?"
	}
	return string(out)
}

// lemonldap is a running portal.
type lemonldap struct {
	conn *sso.Connection
	base string
}

// startLemonldap serves a portal with one person, dwho, and a configuration of
// its own. Nothing of it is outside a temporary directory.
func startLemonldap(t *testing.T, v lemonldapVariant) *lemonldap {
	t.Helper()
	starman, err := exec.LookPath("starman")
	_, err2 := os.Stat(lemonldapApp)
	need(t, err == nil && err2 == nil, "LemonLDAP::NG (Debian: liblemonldap-ng-portal-perl liblasso-perl starman libxml-simple-perl libio-string-perl)")
	dir := t.TempDir()
	sp := serviceProvider(t)
	if v.encryption == "" || v.encryption == "none" {
		sp.DecryptionKeys = nil
	}
	conn := &sso.Connection{ID: "lemonldap", SP: sp, SignRequests: v.signRequests}
	md, err := conn.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	l := &lemonldap{conn: conn, base: fmt.Sprintf("http://127.0.0.1:%d", port)}
	for _, d := range []string{"conf", "cache", "sessions/lock", "persistent/lock"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config, err := json.Marshal(lemonldapConfig(t, l.base, dir, string(md), v))
	if err != nil {
		t.Fatal(err)
	}
	ini := fmt.Sprintf(`[all]
logLevel = warn
[configuration]
type = File
dirName = %[1]s/conf
localStorage = Cache::FileCache
localStorageOptions = {'namespace'=>'c','default_expires_in'=>600,'directory_umask'=>'007','cache_root'=>'%[1]s/cache','cache_depth'=>1}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
`, dir)
	for name, text := range map[string]string{"conf/lmConf-1.json": string(config), "lemonldap-ng.ini": ini} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	here, err := filepath.Abs("lemonldap")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(starman, "-I", here, "--workers", "1", "--listen", fmt.Sprintf("127.0.0.1:%d", port), lemonldapApp)
	cmd.Env = append(os.Environ(), "LLNG_DEFAULTCONFFILE="+filepath.Join(dir, "lemonldap-ng.ini"))
	start(t, cmd, l.base+"/saml/metadata")
	_, body := fetch(t, l.base+"/saml/metadata")
	if conn.IdP, err = sso.ParseIdPMetadata([]byte(body)); err != nil {
		t.Fatalf("%v\n%s", err, tail(body))
	}
	return l
}

// lemonldapConfig is the portal's configuration as its own tool stores it.
func lemonldapConfig(t *testing.T, base, dir, metadata string, v lemonldapVariant) map[string]any {
	t.Helper()
	read := func(name string) string {
		data, err := os.ReadFile("../testdata/keys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	storage := func(name string) map[string]string {
		return map[string]string{"Directory": filepath.Join(dir, name), "LockDirectory": filepath.Join(dir, name, "lock")}
	}
	key, certificate := read("idp.key.pem"), read("idp.crt.pem")
	const app = "app"
	return map[string]any{
		"cfgNum": 1, "cfgAuthor": "test", "cfgDate": 1, "cfgVersion": "2.0.16", "domain": "127.0.0.1", "portal": base + "/", "key": "interoperability",
		"authentication": "Demo", "userDB": "Same", "passwordDB": "Null", "registerDB": "Null", "captcha": "NoCaptcha",
		"requireToken": 0, "securedCookie": 0, "https": 0, "port": -1, "locationRules": map[string]any{}, "exportedHeaders": map[string]any{}, "whatToTrace": "uid",
		"demoExportedVars": map[string]string{"mail": "mail", "uid": "uid"}, "exportedVars": map[string]string{},
		"macros":        map[string]string{"first": `"Алиса 🐇"`, "last": `"Лидделл"`, "teams": `"Продажи; Support; R&D <core>"`},
		"globalStorage": "Apache::Session::File", "globalStorageOptions": storage("sessions"),
		"persistentStorage": "Apache::Session::File", "persistentStorageOptions": storage("persistent"),
		"issuerDBSAMLActivation": 1, "issuerDBSAMLRule": 1, "samlServiceUseCertificateInResponse": 1,
		"samlServiceSignatureMethod": "RSA_SHA256",
		"samlServicePrivateKeySig":   key, "samlServicePublicKeySig": certificate, "samlServicePrivateKeyEnc": key, "samlServicePublicKeyEnc": certificate,
		"samlSPMetaDataXML": map[string]any{app: map[string]string{"samlSPMetaDataXML": metadata}},
		"samlSPMetaDataOptions": map[string]any{app: map[string]any{
			"samlSPMetaDataOptionsEncryptionMode":           orText(v.encryption, "none"),
			"samlSPMetaDataOptionsSignatureMethod":          orText(v.method, "RSA_SHA256"),
			"samlSPMetaDataOptionsNameIDFormat":             orText(v.format, "email"),
			"samlSPMetaDataOptionsSignSSOMessage":           flag(!v.unsigned),
			"samlSPMetaDataOptionsSignSLOMessage":           1,
			"samlSPMetaDataOptionsCheckSSOMessageSignature": flag(v.signRequests),
			"samlSPMetaDataOptionsCheckSLOMessageSignature": 1,
			"samlSPMetaDataOptionsEnableIDPInitiatedURL":    1,
			"samlSPMetaDataOptionsForceUTF":                 1,
		}},
		"samlSPMetaDataExportedAttributes": map[string]any{app: map[string]string{"mail": "1;email", "first": "1;firstName", "last": "1;lastName", "teams": "1;groups"}},
	}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// visitor is a browser at the portal: it keeps cookies, follows redirects, and
// types a password when it is asked to.
type visitor struct {
	t       *testing.T
	base    string
	cookies map[string]string
}

func (l *lemonldap) visitor(t *testing.T) *visitor {
	return &visitor{t: t, base: l.base, cookies: map[string]string{}}
}

// go to an address, and on to what leaves the portal: the form for us, or the
// address that the browser is sent to.
func (v *visitor) open(method, address string, fields url.Values) (page, leaves string) {
	v.t.Helper()
	for range 10 {
		var body io.Reader
		if fields != nil {
			body = strings.NewReader(fields.Encode())
		}
		r, err := http.NewRequest(method, address, body)
		if err != nil {
			v.t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		if fields != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for name, value := range v.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		resp, err := browser.Do(r)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, c := range resp.Cookies() {
			v.cookies[c.Name] = c.Value
		}
		page = readBody(v.t, resp)
		if to := resp.Header.Get("Location"); to != "" {
			if !strings.HasPrefix(to, v.base) {
				return page, to
			}
			method, address, fields = http.MethodGet, to, nil
			continue
		}
		if !strings.Contains(page, `name="password"`) {
			return page, ""
		}
		action, login := form(v.t, page)
		login.Set("user", "dwho")
		login.Set("password", "dwho")
		if !strings.HasPrefix(action, "http") {
			action = v.base + "/"
		}
		method, address, fields = http.MethodPost, action, login
	}
	v.t.Fatalf("ten pages and no end:\n%s", tail(page))
	return "", ""
}

func TestLemonldapLogin(t *testing.T) {
	want := alice
	want.Email = "dwho@badwolf.org"
	for _, v := range []lemonldapVariant{
		{name: "redirect"},
		{name: "POST", post: true},
		{name: "signed request by redirect", signRequests: true},
		{name: "signed request by POST", signRequests: true, post: true},
		{name: "SHA-384", method: "RSA_SHA384"},
		{name: "SHA-512", method: "RSA_SHA512"},
		{name: "SHA-1", method: "RSA_SHA1", reason: sso.ReasonAlgorithm},
		{name: "Response not signed", unsigned: true},
		{name: "encrypted assertion", encryption: "assertion"},
		{name: "encrypted NameID", encryption: "nameid"},
		{name: "persistent NameID", format: "persistent"},
		{name: "transient NameID", format: "transient"},
		{name: "IdP-initiated", idpStarted: true},
		// It knows no IsPassive, and asks for the password all the same.
		{name: "IsPassive, nobody signed in", passive: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			row := login{"LemonLDAP::NG", lemonldapVersion(), v.name, v.reason}
			row.record(t)
			l := startLemonldap(t, v)
			o := sso.VerifyOptions{}
			var page string
			if v.idpStarted {
				o.AllowIdPInitiated, o.Replay = true, onlyOnce{}
				page, _ = l.visitor(t).open("GET", l.base+"/saml/singleSignOn?IDPInitiated=1&sp="+url.QueryEscape(entityID), nil)
			} else {
				ro := sso.RequestOptions{IsPassive: v.passive}
				if v.format == "persistent" {
					ro.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" // it makes one when it is asked only
				}
				req, err := l.conn.NewAuthnRequest(ro)
				if err != nil {
					t.Fatal(err)
				}
				o.RequestID = req.ID
				page = l.take(t, req, v.post)
			}
			if action, _ := form(t, page); action != acsURL {
				t.Fatalf("it posts to %q:\n%s", action, tail(page))
			}
			a := row.verify(t, l.conn, page, o)
			if a == nil {
				return
			}
			sameProfile(t, l.conn, a, want)
			if v.format == "" && a.Subject.Value != "dwho@badwolf.org" {
				t.Errorf("NameID %q", a.Subject.Value)
			}
		})
	}
}

// take takes a request to the portal and signs in there.
func (l *lemonldap) take(t *testing.T, req *sso.AuthnRequest, post bool) string {
	t.Helper()
	v := l.visitor(t)
	page, _ := v.send(req, post)
	return page
}

func (v *visitor) send(req *sso.AuthnRequest, post bool) (page, leaves string) {
	v.t.Helper()
	if post {
		text, err := req.PostForm("handle")
		if err != nil {
			v.t.Fatal(err)
		}
		action, fields := form(v.t, string(text))
		return v.open("POST", action, fields)
	}
	to, err := req.RedirectURL("handle")
	if err != nil {
		v.t.Fatal(err)
	}
	return v.open("GET", to, nil)
}
