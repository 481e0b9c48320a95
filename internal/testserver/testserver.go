// Package testserver starts PostgreSQL and Redis for tests, on loopback, with
// nothing but the standard library.
//
// [Postgres] and [Redis] share one server among the tests of a process. It ends
// with the process, however that ends. [NewPostgres] and [NewRedis] start a
// server of the test's own, to stop and to kill; a [Proxy] stands before one
// and loses its answers; a [Fleet] is many processes that use one at once.
//
// SSO_TEST_POSTGRES and SSO_TEST_REDIS name servers to use in place of the
// shared ones: a postgres:// URL of a role that may create databases, and a
// redis:// URL. Where there is neither such a variable nor the server's
// programs, the test is skipped, or fails if SSO_TEST_REQUIRE is not empty.
package testserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// How to get what is missing.
const (
	hintPostgres = "no PostgreSQL programs found: apt-get install postgresql, or set SSO_TEST_POSTGRES"
	hintRedis    = "no redis-server found: apt-get install redis-server, or set SSO_TEST_REDIS"
)

// shared holds the servers that the tests of this process have in common.
var shared struct {
	sync.Mutex
	postgres, redis *Server
}

// Postgres returns the URL of a new, empty database.
func Postgres(t testing.TB) string {
	t.Helper()
	if u := os.Getenv("SSO_TEST_POSTGRES"); u != "" {
		name := createDatabase(t, u)
		t.Cleanup(func() { psql(t, u, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
		return withDatabase(t, u, name)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.postgres == nil {
		shared.postgres = startPostgres(t)
	}
	u := shared.postgres.URL()
	return withDatabase(t, u, createDatabase(t, u))
}

// Redis returns the URL of a server. What is in it is not this test's alone:
// use key prefixes that nobody else does.
func Redis(t testing.TB) string {
	t.Helper()
	if u := os.Getenv("SSO_TEST_REDIS"); u != "" {
		return u
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		shared.redis = startRedis(t)
	}
	return shared.redis.URL()
}

// NewPostgres starts a server of the test's own. It goes with the test.
func NewPostgres(t testing.TB) *Server {
	t.Helper()
	s := startPostgres(t)
	t.Cleanup(s.remove)
	return s
}

// NewRedis starts a server of the test's own. It goes with the test.
func NewRedis(t testing.TB) *Server {
	t.Helper()
	s := startRedis(t)
	t.Cleanup(s.remove)
	return s
}

// program finds one of PostgreSQL's programs: Debian keeps them off the PATH,
// in a directory for each version. The newest is taken; "" if there is none.
func program(name string) string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return debianVersion(b) - debianVersion(a) })
	for _, d := range dirs {
		if p := filepath.Join(d, name); executable(p) {
			return p
		}
	}
	p, _ := exec.LookPath(name)
	return p
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// debianVersion reads 15 out of /usr/lib/postgresql/15/bin.
func debianVersion(dir string) int {
	n, _ := strconv.Atoi(strings.Trim(strings.TrimSuffix(strings.TrimPrefix(dir, "/usr/lib/postgresql"), "/bin"), "/"))
	return n
}
