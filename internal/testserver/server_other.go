//go:build !unix

package testserver

import (
	"testing"

	"github.com/ssoconn/sso/internal/testtool"
)

// A Server is a server that this process started. On this system there is none.
type Server struct{ t testing.TB }

func startPostgres(t testing.TB) *Server { t.Helper(); testtool.Missing(t, hintPostgres); return nil }
func startRedis(t testing.TB) *Server    { t.Helper(); testtool.Missing(t, hintRedis); return nil }

func createDatabase(t testing.TB, _ string) string {
	t.Helper()
	testtool.Missing(t, hintPostgres)
	return ""
}
func psql(testing.TB, string, string) {}
func withDatabase(testing.TB, string, string) string {
	return ""
}

// Addr is the server's address.
func (s *Server) Addr() string { return "" }

// URL is the server's address as its clients take it.
func (s *Server) URL() string { return "" }

// NewDatabase makes an empty database.
func (s *Server) NewDatabase() string { return "" }

// Start starts the server again.
func (s *Server) Start() {}

// Stop ends the server in good order.
func (s *Server) Stop() {}

// Kill ends the server at once.
func (s *Server) Kill() {}

func (s *Server) remove() {}
