//go:build unix

package testserver

import (
	"crypto/rand"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssoconn/sso/internal/testtool"
)

func startPostgres(t testing.TB) *Server {
	t.Helper()
	initdb, postgres, isReady := program("initdb"), program("postgres"), program("pg_isready")
	if initdb == "" || postgres == "" || isReady == "" || program("psql") == "" {
		testtool.Missing(t, hintPostgres)
	}
	s := newServer(t, "postgres", "postgres")
	data := filepath.Join(s.dir, "data")
	// Waiting for the disk matters to the figures that benchmarks print, and to
	// no test: a killed process loses nothing that the system has taken over.
	cmd := exec.Command(initdb, "-D", data, "-U", "sso", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	s.prepare(cmd)
	if _, err := output(cmd); err != nil {
		s.remove()
		t.Fatal(err)
	}
	s.command = func(port int) []string {
		return []string{postgres, "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB"}
	}
	s.url = func() string { return "postgres://sso@" + s.Addr() + "/postgres?sslmode=disable" }
	s.ready = func() error {
		_, err := output(exec.Command(isReady, "-q", "-t", "5", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)))
		return err
	}
	// An immediate shutdown leaves recovery to the next start, as a crash does;
	// SIGKILL would leave the backends running for a while, in the way of it.
	s.crash, s.halt = syscall.SIGQUIT, syscall.SIGINT
	if err := s.start(); err != nil {
		s.remove()
		t.Fatal(err)
	}
	return s
}

// NewDatabase makes an empty database on a PostgreSQL server and returns its URL.
func (s *Server) NewDatabase() string {
	s.t.Helper()
	return withDatabase(s.t, s.URL(), createDatabase(s.t, s.URL()))
}

func createDatabase(t testing.TB, server string) string {
	t.Helper()
	name := "sso_test_" + strings.ToLower(rand.Text())
	psql(t, server, "CREATE DATABASE "+name)
	return name
}

func psql(t testing.TB, server, statement string) {
	t.Helper()
	p := program("psql")
	if p == "" {
		testtool.Missing(t, "no psql to make a database with: apt-get install postgresql-client")
	}
	ctx, cancel := timeout(30 * time.Second)
	defer cancel()
	if _, err := output(exec.CommandContext(ctx, p, "-X", "-q", "-d", server, "-c", statement)); err != nil {
		t.Fatal(err)
	}
}

func withDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		t.Fatal("SSO_TEST_POSTGRES is not a postgres:// URL")
	}
	u.Path = "/" + name
	return u.String()
}
