package interop

import (
	"crypto"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
)

// crewjamSP hands out the metadata of the one service provider.
type crewjamSP struct{ metadata *saml.EntityDescriptor }

func (p crewjamSP) GetServiceProvider(*http.Request, string) (*saml.EntityDescriptor, error) {
	if p.metadata == nil {
		return nil, os.ErrNotExist
	}
	return p.metadata, nil
}

// crewjamSession signs one person in without asking.
type crewjamSession struct{}

func (crewjamSession) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &saml.Session{ID: "1", Index: "s-1", NameID: "alice@example.com", NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour), UserName: "alice", UserEmail: "alice@example.com",
		UserGivenName: "Алиса 🐇", UserSurname: "Лидделл", UserCommonName: "Алиса Лидделл", Groups: []string{"Продажи", "R&D"}}
}

// startCrewjam serves crewjam's IdP and returns a connection to it.
func startCrewjam(t *testing.T, encrypted bool) *sso.Connection {
	t.Helper()
	sp := serviceProvider(t)
	if !encrypted {
		sp.DecryptionKeys = nil
	}
	conn := &sso.Connection{ID: "crewjam", SP: sp}
	md, err := conn.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	var theirs saml.EntityDescriptor
	if err := xml.Unmarshal(md, &theirs); err != nil {
		t.Fatal(err)
	}
	key := keyPair(t, "idp")
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	idp := &saml.IdentityProvider{
		Key: key.Private.(crypto.Signer), Certificate: key.Certificate, MetadataURL: *base.JoinPath("metadata"), SSOURL: *base.JoinPath("sso"),
		ServiceProviderProvider: crewjamSP{&theirs}, SessionProvider: crewjamSession{},
		SignatureMethod: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", // SHA-1 unless told otherwise
	}
	mux.HandleFunc("/metadata", idp.ServeMetadata)
	mux.HandleFunc("/sso", idp.ServeSSO)
	mux.HandleFunc("/start", func(w http.ResponseWriter, r *http.Request) { idp.ServeIDPInitiated(w, r, entityID, "handle") })
	_, body := fetch(t, srv.URL+"/metadata")
	if conn.IdP, err = sso.ParseIdPMetadata([]byte(body)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestCrewjamLogin(t *testing.T) {
	for _, v := range []struct {
		name                        string
		encrypted, post, idpStarted bool
	}{
		{name: "redirect"}, {name: "POST", post: true}, {name: "encrypted", encrypted: true}, {name: "encrypted, POST", encrypted: true, post: true},
		{name: "IdP-initiated", idpStarted: true}, {name: "IdP-initiated, encrypted", idpStarted: true, encrypted: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			l := login{idp: "crewjam/saml", version: moduleVersion("github.com/crewjam/saml"), variant: v.name}
			l.record(t)
			conn := startCrewjam(t, v.encrypted)
			page, o := begin(t, conn, v.idpStarted, v.post)
			a := l.verify(t, conn, page, o)
			// crewjam sends the groups as eduPersonAffiliation, which are roles
			// in an organisation, so they are taken only when named.
			want := alice
			want.Name, want.Groups, want.GroupsState = "Алиса Лидделл", nil, sso.GroupsMissing
			sameProfile(t, conn, a, want)
			conn.Attributes.Groups = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"
			if diff := cmp.Diff([]string{"Продажи", "R&D"}, conn.Profile(a).Groups); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

// moduleVersion is the version of a module that this one requires.
func moduleVersion(path string) string {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 && f[0] == path {
			return strings.TrimPrefix(f[1], "v")
		}
	}
	return "?"
}
