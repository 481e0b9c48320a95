//go:build unix

package testserver

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ssoconn/sso/internal/testtool"
)

func startRedis(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		testtool.Missing(t, hintRedis)
	}
	s := newServer(t, "redis", "")
	s.command = func(port int) []string {
		// The file of appended writes is what brings the data back after Kill.
		return []string{program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", s.dir,
			"--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"}
	}
	s.url = func() string { return "redis://" + s.Addr() + "/0" }
	s.ready = func() error { return ping(s.Addr()) }
	s.crash, s.halt = syscall.SIGKILL, syscall.SIGTERM
	if err := s.start(); err != nil {
		s.remove()
		t.Fatal(err)
	}
	return s
}

// ping is nil once the server answers to commands: while it loads its data it
// takes connections and refuses commands.
func ping(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	if line != "+PONG\r\n" {
		return fmt.Errorf("answered %q", line)
	}
	return nil
}
