package sso_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/ssoconn/sso"
)

// The application's own sessions, and where it keeps the ID of a logout.
var (
	sessions = map[string]sso.LogoutSession{}
	pending  = map[string]string{}
)

// Example_logoutStartedHere is docs/logout.md, "Started here".
func Example_logoutStartedHere() {
	startLogout := func(w http.ResponseWriter, r *http.Request, conn *sso.Connection, session sso.LogoutSession) error {
		delete(sessions, session.Subject.Value) // our own session first
		req, err := conn.NewLogoutRequest(session, sso.LogoutOptions{})
		if err != nil {
			return err
		}
		handle := "a random key"
		pending[handle] = req.ID
		to, err := req.RedirectURL(handle)
		if err != nil {
			return err
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	answer := func(r *http.Request, conn *sso.Connection) error {
		handle := r.URL.Query().Get("RelayState")
		id := pending[handle]
		delete(pending, handle) // once
		return conn.VerifyLogoutResponse(r.Context(), sso.LogoutInput{RawQuery: r.URL.RawQuery}, id, sso.LogoutOptions{})
	}
	fmt.Println(startLogout != nil, answer != nil)
	// Output: true true
}

// Example_logoutStartedThere is docs/logout.md, "Started at the IdP".
func Example_logoutStartedThere() {
	slo := func(w http.ResponseWriter, r *http.Request, conn *sso.Connection, replay sso.ReplayCache) error {
		answer, err := conn.HandleLogoutRequest(r.Context(), sso.LogoutInput{RawQuery: r.URL.RawQuery}, sso.LogoutOptions{Replay: replay},
			func(ctx context.Context, s sso.LogoutSession) error {
				delete(sessions, s.Subject.Value) // those of s.SessionIndexes, or all
				return nil
			})
		if err != nil {
			return err // no answer: it was forged, replayed, or meant for another
		}
		to, err := answer.RedirectURL(r.URL.Query().Get("RelayState"))
		if err != nil {
			return err
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	fmt.Println(slo != nil)
	// Output: true
}

// Example_keyRollover is docs/key-rollover.md.
func Example_keyRollover() {
	idp := testIdP()
	conn := idp.Connection(sso.ServiceProvider{})

	// Every day: whom to remind.
	for _, e := range conn.Expiring(time.Now(), 60*24*time.Hour) {
		fmt.Println(e.Field, e.NotAfter)
	}

	// The administrator pastes the next certificate beside the present one.
	next, err := sso.ParseCertificates(string(nextCertificate()))
	if err != nil {
		panic(err)
	}
	present := sso.Fingerprint(conn.IdP.Certificates[0])
	conn.IdP.Certificates = append(conn.IdP.Certificates, next...)

	// At each sign-in: which of them verified it. Store the connection if true.
	conn.NoteSignIn(&sso.Assertion{CertificateSHA256: present}, noon)

	// Too early: the next one has never been seen to work.
	fmt.Println(conn.RemoveCertificate(present, false) != nil)

	// After somebody came in with the next one.
	conn.NoteSignIn(&sso.Assertion{CertificateSHA256: sso.Fingerprint(next[0])}, noon)
	fmt.Println(conn.RemoveCertificate(present, false), len(conn.IdP.Certificates))
	// Output:
	// true
	// <nil> 1
}

func nextCertificate() []byte {
	text, err := os.ReadFile("testdata/keys/idp2.crt.pem")
	if err != nil {
		panic(err)
	}
	return text
}
