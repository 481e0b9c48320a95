package sso_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// artifactOf is an artifact of type 4 that the IdP of this name gives.
func artifactOf(entityID string) string {
	source := sha1.Sum([]byte(entityID))
	raw := append([]byte{0, 4, 0, 0}, source[:]...)
	return base64.StdEncoding.EncodeToString(append(raw, make([]byte, 20)...))
}

var resolveID = regexp.MustCompile(`ArtifactResolve[^>]* ID="([^"]+)"`)

func TestVerifyArtifact(t *testing.T) {
	t.Parallel()
	const head = `<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_ar" Version="2.0" IssueInstant="2026-03-01T12:00:00Z" InResponseTo="%s"><saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`
	soap := func(body string) string {
		return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` + body + `</soap:Body></soap:Envelope>`
	}
	type world struct {
		conn   *sso.Connection
		signed ssotest.Signed
		reply  func(w http.ResponseWriter, id, response string)
		client *http.Client
		art    string
		ctx    context.Context
	}
	answer := func(w http.ResponseWriter, issuer, id, response string) {
		io.WriteString(w, soap(fmt.Sprintf(head, id, issuer)+response+"</samlp:ArtifactResponse>"))
	}
	for _, k := range []struct {
		name   string
		change func(w *world)
		want   sso.Reason
	}{
		{"signed assertion", func(*world) {}, ""},
		{"signed response", func(w *world) { w.signed = ssotest.SignResponse }, ""},
		{"nothing signed", func(w *world) { w.signed = ssotest.SignNothing }, sso.ReasonUnsigned},
		{"an artifact of another IdP", func(w *world) { w.art = artifactOf("https://other.example.com") }, sso.ReasonIssuer},
		{"no artifact", func(w *world) { w.art = "AAA=" }, sso.ReasonEncoding},
		{"an artifact of another type", func(w *world) { w.art = base64.StdEncoding.EncodeToString(make([]byte, 44)) }, sso.ReasonEncoding},
		{"the answer to another question", func(w *world) {
			w.reply = func(rw http.ResponseWriter, id, r string) { answer(rw, w.conn.IdP.EntityID, "_x", r) }
		}, sso.ReasonInResponseTo},
		{"another issuer", func(w *world) {
			w.reply = func(rw http.ResponseWriter, id, r string) { answer(rw, "https://evil", id, r) }
		}, sso.ReasonIssuer},
		{"nothing for the artifact", func(w *world) {
			w.reply = func(rw http.ResponseWriter, id, r string) { answer(rw, w.conn.IdP.EntityID, id, "") }
		}, sso.ReasonMessage},
		{"two responses", func(w *world) {
			w.reply = func(rw http.ResponseWriter, id, r string) { answer(rw, w.conn.IdP.EntityID, id, r+r) }
		}, sso.ReasonMessage},
		{"a SOAP fault", func(w *world) {
			w.reply = func(rw http.ResponseWriter, _, _ string) {
				rw.WriteHeader(500)
				io.WriteString(rw, soap(`<soap:Fault><faultcode>x</faultcode><faultstring>no</faultstring></soap:Fault>`))
			}
		}, sso.ReasonBackChannel},
		{"a web page", func(w *world) {
			w.reply = func(rw http.ResponseWriter, _, _ string) { io.WriteString(rw, "<html></html>") }
		}, sso.ReasonMessage},
		{"rubbish", func(w *world) {
			w.reply = func(rw http.ResponseWriter, _, _ string) { io.WriteString(rw, "rubbish") }
		}, sso.ReasonXML},
		{"not found", func(w *world) { w.reply = func(rw http.ResponseWriter, _, _ string) { rw.WriteHeader(404) } }, sso.ReasonBackChannel},
		{"a redirect", func(w *world) {
			w.reply = func(rw http.ResponseWriter, _, _ string) {
				rw.Header().Set("Location", "https://evil.example.com")
				rw.WriteHeader(307)
			}
		}, sso.ReasonBackChannel},
		{"too much", func(w *world) {
			w.reply = func(rw http.ResponseWriter, _, _ string) { rw.Write(make([]byte, sso.MaxResponseSize+100<<10)) }
		}, sso.ReasonTooLarge},
		{"too slow", func(w *world) {
			ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
			t.Cleanup(cancel)
			w.ctx = ctx
			w.reply = func(rw http.ResponseWriter, _, _ string) { time.Sleep(300 * time.Millisecond) }
		}, sso.ReasonBackChannel},
		{"a second ID in the envelope", func(w *world) {
			w.reply = func(rw http.ResponseWriter, id, r string) {
				answer(rw, w.conn.IdP.EntityID, id, regexp.MustCompile(` ID="[^"]+"`).ReplaceAllStringFunc(r, func(string) string { return ` ID="_ar"` }))
			}
		}, sso.ReasonMessage},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			idp := testIdP()
			w := &world{conn: idp.Connection(sso.ServiceProvider{}), signed: ssotest.SignAssertion, client: http.DefaultClient, ctx: t.Context()}
			w.art = artifactOf(w.conn.IdP.EntityID)
			w.reply = func(rw http.ResponseWriter, id, r string) { answer(rw, w.conn.IdP.EntityID, id, r) }
			k.change(w)
			form, err := idp.Respond(ssotest.RequestTo(w.conn, "_r1"), alice, ssotest.Options{Sign: w.signed})
			if err != nil {
				t.Fatal(err)
			}
			response, err := base64.StdEncoding.DecodeString(form)
			if err != nil {
				t.Fatal(err)
			}
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				m := resolveID.FindSubmatch(body)
				if m == nil || !strings.Contains(string(body), ">"+w.art+"<") {
					t.Errorf("the question is %s", body)
					m = [][]byte{nil, nil}
				}
				w.reply(rw, string(m[1]), strings.TrimPrefix(string(response), `<?xml version="1.0" encoding="UTF-8"?>`))
			}))
			defer srv.Close()
			w.conn.IdP.ArtifactURL = srv.URL
			a, err := w.conn.VerifyArtifact(w.ctx, w.client, w.art, sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon})
			if diff := cmp.Diff(k.want, reasonOf(err)); diff != "" {
				t.Fatalf("reason (-want +got):\n%s%v", diff, err)
			}
			if (a == nil) != (err != nil) || a != nil && a.Subject.Value != "alice@example.com" {
				t.Errorf("got %+v with %v", a, err)
			}
		})
	}
}
