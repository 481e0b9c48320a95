package routers

import (
	"net/http"

	"github.com/ssoconn/sso/ssohttp"
)

// NetHTTP mounts everything with the standard library: /sso/{id}/login and so on.
func NetHTTP(c ssohttp.Config, app http.Handler) (http.Handler, error) {
	h, err := ssohttp.New(c)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sso/", h.Mount("/sso"))
	mux.Handle("/", app)
	return mux, nil
}
