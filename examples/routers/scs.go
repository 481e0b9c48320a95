package routers

import (
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/ssoconn/sso/ssohttp"
)

// SCS opens a session of alexedwards/scs for whoever signs in.
func SCS(c ssohttp.Config, app http.Handler, sessions *scs.SessionManager) (http.Handler, error) {
	c.SignedIn = func(_ http.ResponseWriter, r *http.Request, l *ssohttp.Login) error {
		// A new token, so that nobody can have planted the one that is signed in.
		if err := sessions.RenewToken(r.Context()); err != nil {
			return err
		}
		sessions.Put(r.Context(), "user", l.Outcome.User.ID)
		return nil
	}
	h, err := ssohttp.New(c)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sso/", h.Mount("/sso"))
	mux.Handle("/", app)
	return sessions.LoadAndSave(mux), nil
}
