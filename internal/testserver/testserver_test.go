//go:build unix

package testserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso/internal/testtool"
)

// say sends one command to Redis and returns the first line of the answer.
func say(t *testing.T, addr, command string) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
	fmt.Fprintf(c, "%s\r\n", command)
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestRedisKeepsItsDataAndPort(t *testing.T) {
	t.Parallel()
	s := NewRedis(t)
	addr := s.Addr()
	if got, err := say(t, addr, "SET a b"); got != "+OK" {
		t.Fatalf("SET: %q, %v", got, err)
	}
	for _, end := range []func(){s.Stop, s.Kill} {
		end()
		if got, err := say(t, addr, "EXISTS a"); err == nil {
			t.Fatalf("a server that was ended answers %q", got)
		}
		s.Start()
		if got, err := say(t, addr, "EXISTS a"); got != ":1" {
			t.Errorf("after the restart: %q, %v, want the key", got, err)
		}
	}
}

func TestPostgresKeepsItsData(t *testing.T) {
	t.Parallel()
	s := NewPostgres(t)
	u := s.NewDatabase()
	psql(t, u, "CREATE TABLE kept (n int)")
	for _, end := range []func(){s.Stop, s.Kill} {
		end()
		if err := s.ready(); err == nil {
			t.Fatal("a server that was ended answers")
		}
		s.Start()
		psql(t, u, "SELECT n FROM kept")
	}
}

func TestPostgresDatabasesAreEmpty(t *testing.T) {
	t.Parallel()
	a, b := Postgres(t), Postgres(t)
	if a == b {
		t.Fatalf("the same database twice: %s", a)
	}
	psql(t, a, "CREATE TABLE same (n int)")
	psql(t, b, "CREATE TABLE same (n int)")
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := NewRedis(t)
	p := NewProxy(t, s.Addr())
	if got, err := say(t, p.Addr(), "PING"); got != "+PONG" {
		t.Fatalf("through the proxy: %q, %v", got, err)
	}
	p.Mute()
	if got, err := say(t, p.Addr(), "SET muted 1"); err == nil {
		t.Errorf("muted, it answers %q", got)
	}
	if got, err := say(t, s.Addr(), "EXISTS muted"); got != ":1" {
		t.Errorf("the request did not get through: %q, %v", got, err)
	}
	p.Resume()
	if got, err := say(t, p.Addr(), "PING"); got != "+PONG" {
		t.Errorf("after Resume: %q, %v", got, err)
	}
	p.Cut()
	if got, err := say(t, p.Addr(), "PING"); err == nil {
		t.Errorf("cut, it answers %q", got)
	}
	p.Resume()
	if got, err := say(t, p.Addr(), "PING"); got != "+PONG" {
		t.Errorf("after Cut and Resume: %q, %v", got, err)
	}
}

// TestChild is what the child of TestServersEndWithTheProcess runs, and nothing
// elsewhere.
func TestChild(t *testing.T) {
	if os.Getenv("SSO_TESTSERVER_HOLD") == "" {
		return
	}
	s := NewRedis(t)
	fmt.Printf("\n%s %s\n", s.Addr(), s.dir)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestServersEndWithTheProcess(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		testtool.Missing(t, hintRedis)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "SSO_TESTSERVER_HOLD=1")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var addr, dir string
	lines := bufio.NewScanner(out)
	for addr == "" && lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "127.0.0.1:%s %s", &addr, &dir)
	}
	addr = "127.0.0.1:" + addr
	if err := ping(addr); err != nil {
		t.Fatalf("the child's server does not run: %v", err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, statErr := os.Stat(dir)
		if ping(addr) != nil && os.IsNotExist(statErr) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("10 s after its process was killed: answers: %v, directory: %v", ping(addr) == nil, statErr)
		}
	}
}
