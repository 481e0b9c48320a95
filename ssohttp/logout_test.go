package ssohttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

func ecKey(t *testing.T) *sso.KeyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: start.Add(-time.Hour), NotAfter: start.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &sso.KeyPair{Private: key, Certificate: cert}
}

// sloWorld has connections with single logout, and the other side of "acme",
// which is a connection with the roles exchanged.
func sloWorld(t *testing.T, ended *string, result error) (w *world, idp *sso.Connection) {
	t.Helper()
	w = newWorld(t, func(c *Config) {
		c.EndSessions = func(_ context.Context, _ *sso.Connection, s sso.LogoutSession) error {
			*ended += fmt.Sprint(s.Subject.Value, s.SessionIndexes)
			return result
		}
	})
	ours, theirs := ecKey(t), ecKey(t)
	for id, c := range w.conns {
		c.SP.SLOURL = appSite + "/sso/" + id + "/slo"
		c.SP.SigningKey = ours
		c.IdP.SLOURL = idpSite + "/slo"
		c.IdP.Certificates = append(c.IdP.Certificates, theirs.Certificate)
	}
	acme := w.conns["acme"]
	idp = &sso.Connection{SP: sso.ServiceProvider{EntityID: acme.IdP.EntityID, ACSURL: "x", SLOURL: acme.IdP.SLOURL, SigningKey: theirs},
		IdP: sso.IdentityProvider{EntityID: acme.SP.EntityID, SLOURL: acme.SP.SLOURL, Certificates: sso.Certificates{ours.Certificate}}}
	return w, idp
}

// get asks the application and returns the status and where it sends us.
func (w *world) slo(method, target, form string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	w.app.ServeHTTP(rec, r)
	return rec.Code, rec.Header().Get("Location")
}

func (w *world) lastCode() Code {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.refused) == 0 {
		return ""
	}
	return w.refused[len(w.refused)-1].Code
}

func rawQuery(address string) string {
	_, raw, _ := strings.Cut(address, "?")
	return raw
}

func TestLogoutByIdP(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		result error
		status sso.Reason
	}{{"done", nil, ""}, {"partial", sso.ErrPartialLogout, sso.ReasonStatus}, {"failed", errors.New("down"), sso.ReasonStatus}} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			ended := ""
			w, idp := sloWorld(t, &ended, k.result)
			req, err := idp.NewLogoutRequest(sso.LogoutSession{Subject: sso.NameID{Value: "ann"}, SessionIndexes: []string{"s1"}}, sso.LogoutOptions{CurrentTime: start})
			if err != nil {
				t.Fatal(err)
			}
			to, err := req.RedirectURL("their state")
			if err != nil {
				t.Fatal(err)
			}
			code, back := w.slo(http.MethodGet, to, "")
			if code != http.StatusSeeOther || ended != "ann[s1]" {
				t.Fatalf("got %d to %q, ended %q, refused %v", code, back, ended, w.refused)
			}
			u, err := url.Parse(back)
			if err != nil || u.Query().Get("RelayState") != "their state" {
				t.Errorf("the answer goes to %q", back)
			}
			err = idp.VerifyLogoutResponse(t.Context(), sso.LogoutInput{RawQuery: rawQuery(back)}, req.ID, sso.LogoutOptions{CurrentTime: start})
			var ve *sso.VerifyError
			got := sso.Reason("")
			if errors.As(err, &ve) {
				got = ve.Reason
			}
			if diff := cmp.Diff(k.status, got); diff != "" {
				t.Errorf("the answer (-want +got):\n%s%v", diff, err)
			}
			if code, _ := w.slo(http.MethodGet, to, ""); code != http.StatusForbidden || w.lastCode() != CodeResponse || ended != "ann[s1]" {
				t.Errorf("replayed: %d, %s, ended %q", code, w.lastCode(), ended)
			}
		})
	}
}

func TestStartLogout(t *testing.T) {
	t.Parallel()
	ended := ""
	w, idp := sloWorld(t, &ended, nil)
	h, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	begin := func() string {
		t.Helper()
		rec := httptest.NewRecorder()
		if err := h.StartLogout(rec, httptest.NewRequest(http.MethodPost, "/logout", nil), w.conns["acme"], sso.LogoutSession{Subject: sso.NameID{Value: "ann"}}, "/bye"); err != nil {
			t.Fatal(err)
		}
		return rec.Header().Get("Location")
	}
	answer := func(to string) string {
		t.Helper()
		m, err := idp.HandleLogoutRequest(t.Context(), sso.LogoutInput{RawQuery: rawQuery(to)}, sso.LogoutOptions{Replay: w.store.replay, CurrentTime: start}, func(context.Context, sso.LogoutSession) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		back, err := m.RedirectURL(u.Query().Get("RelayState"))
		if err != nil {
			t.Fatal(err)
		}
		return back
	}
	first := answer(begin())
	if code, to := w.slo(http.MethodGet, first, ""); code != http.StatusSeeOther || to != "/bye" {
		t.Errorf("got %d to %q, refused %v", code, to, w.refused)
	}
	if code, _ := w.slo(http.MethodGet, first, ""); code != http.StatusForbidden || w.lastCode() != CodeStateUnknown {
		t.Errorf("a second time: %d, %s", code, w.lastCode())
	}
	second := answer(begin())
	if code, _ := w.slo(http.MethodGet, strings.Replace(second, "/acme/", "/beta/", 1), ""); code != http.StatusForbidden || w.lastCode() != CodeStateMismatch {
		t.Errorf("at another connection: %d, %s", code, w.lastCode())
	}
	third, fourth := answer(begin()), answer(begin())
	swapped := strings.Replace(third, "RelayState=", "Other=", 1) + "&RelayState=" + url.QueryEscape(mustQuery(t, fourth).Get("RelayState"))
	if code, _ := w.slo(http.MethodGet, swapped, ""); code != http.StatusForbidden || w.lastCode() != CodeResponse {
		t.Errorf("with another RelayState: %d, %s", code, w.lastCode())
	}
}

func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestLogoutRefuses(t *testing.T) {
	t.Parallel()
	ended := ""
	w, _ := sloWorld(t, &ended, nil)
	for _, k := range []struct {
		name, method, target, form string
		status                     int
		code                       Code
	}{
		{"nothing", "GET", "/sso/acme/slo", "", 400, CodeForm},
		{"an unsigned request", "GET", "/sso/acme/slo?SAMLRequest=x", "", 403, CodeResponse},
		{"rubbish posted", "POST", "/sso/acme/slo", "SAMLRequest=rubbish", 403, CodeResponse},
		{"a repeated field", "POST", "/sso/acme/slo", "SAMLRequest=a&SAMLRequest=b", 400, CodeForm},
		{"too much", "POST", "/sso/acme/slo", "SAMLRequest=" + strings.Repeat("A", maxLogoutBody), 413, CodeTooLarge},
		{"an answer to nothing", "GET", "/sso/acme/slo?SAMLResponse=x&RelayState=y", "", 403, CodeStateUnknown},
		{"another method", "PUT", "/sso/acme/slo", "", 405, CodeMethod},
		{"an unknown connection", "GET", "/sso/nobody/slo?SAMLRequest=x", "", 404, CodeConnection},
	} {
		code, _ := w.slo(k.method, k.target, k.form)
		if code != k.status || w.lastCode() != k.code || ended != "" {
			t.Errorf("%s: got %d and %s, want %d and %s; ended %q", k.name, code, w.lastCode(), k.status, k.code, ended)
		}
	}
}

// TestArtifactRefuses: an artifact is taken only with the state and the cookie
// of a sign-in; the rest of the way is VerifyArtifact's.
func TestArtifactRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, k := range []struct {
		name, method, target string
		status               int
		code                 Code
	}{
		{"none", "GET", "/sso/acme/artifact", 400, CodeForm},
		{"two", "GET", "/sso/acme/artifact?SAMLart=a&SAMLart=b", 400, CodeForm},
		{"enormous", "GET", "/sso/acme/artifact?SAMLart=" + strings.Repeat("A", 101), 400, CodeForm},
		{"unsolicited", "GET", "/sso/acme/artifact?SAMLart=AAQ", 403, CodeUnsolicited},
		{"posted", "POST", "/sso/acme/artifact?SAMLart=AAQ", 405, CodeMethod},
	} {
		code, _ := w.slo(k.method, k.target, "")
		if code != k.status || w.lastCode() != k.code {
			t.Errorf("%s: got %d and %s, want %d and %s", k.name, code, w.lastCode(), k.status, k.code)
		}
	}
}

// TestArtifact signs in by an artifact: the answer is fetched from the IdP.
func TestArtifact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var response string
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m := regexp.MustCompile(`ArtifactResolve[^>]* ID="([^"]+)"`).FindSubmatch(body)
		if m == nil {
			t.Errorf("the question is %s", body)
			return
		}
		fmt.Fprintf(rw, `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_ar" Version="2.0" IssueInstant="2026-03-01T09:00:00Z" InResponseTo="%s"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>%s</samlp:ArtifactResponse></soap:Body></soap:Envelope>`, m[1], response)
	}))
	defer srv.Close()
	w.conns["acme"].IdP.ArtifactURL = srv.URL
	w.conns["acme"].RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, start, "root", "")
	rec := httptest.NewRecorder()
	w.app.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/sso/acme/login?to=/deals", nil))
	req, err := ssotest.ParseRequest(rec.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	form, err := w.idp.Respond(req, ann, ssotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(form)
	if err != nil {
		t.Fatal(err)
	}
	response = strings.TrimPrefix(string(text), `<?xml version="1.0" encoding="UTF-8"?>`)
	source := sha1.Sum([]byte(w.conns["acme"].IdP.EntityID))
	art := base64.StdEncoding.EncodeToString(append(append([]byte{0, 4, 0, 0}, source[:]...), make([]byte, 20)...))
	visit := func(cookies []*http.Cookie) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/sso/acme/artifact?"+url.Values{"SAMLart": {art}, "RelayState": {req.RelayState}}.Encode(), nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		got := httptest.NewRecorder()
		w.app.ServeHTTP(got, r)
		return got.Code, got.Header().Get("Location")
	}
	if code, _ := visit(nil); code != http.StatusForbidden || w.lastCode() != CodeNoCookie {
		t.Errorf("without the cookie: %d, %s", code, w.lastCode())
	}
	if code, to := visit(rec.Result().Cookies()); code != http.StatusSeeOther || to != "/deals" || len(w.logins) != 1 {
		t.Fatalf("got %d to %q, refused %v", code, to, w.refused)
	}
	if code, _ := visit(rec.Result().Cookies()); code != http.StatusForbidden || w.lastCode() != CodeStateUsed || len(w.logins) != 1 {
		t.Errorf("a second time: %d, %s", code, w.lastCode())
	}
}
