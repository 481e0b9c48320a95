package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/ssoconn/sso/ssohttp"
)

// Chi mounts each handler by itself. Register them for all methods, so that a
// wrong one gets the page that says so.
func Chi(c ssohttp.Config, app http.Handler) (http.Handler, error) {
	c.ConnectionID = func(r *http.Request) string { return chi.URLParam(r, "id") }
	h, err := ssohttp.New(c)
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Route("/sso/{id}", func(r chi.Router) {
		r.Handle("/login", h.Login())
		r.Handle("/invite", h.Invite())
		r.Handle("/acs", h.ACS())
		r.Handle("/metadata", h.Metadata())
		r.Handle("/test", h.Test())
		r.Handle("/test/result", h.TestResult())
	})
	router.Handle("/*", app)
	return router, nil
}
