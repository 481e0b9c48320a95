//go:build unix

package testserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTime is how long a server may take to answer. Recovery after Kill on a
// busy machine takes seconds.
const startTime = 60 * time.Second

// A Server is a PostgreSQL or Redis server that this process started.
type Server struct {
	t    testing.TB
	name string
	dir  string // everything it writes
	port int
	cred *syscall.Credential // who runs it; nil: whoever runs the test

	command func(port int) []string // what to run
	ready   func() error            // nil once it answers
	url     func() string
	crash   syscall.Signal // ends it as a crash does
	halt    syscall.Signal // ends it in good order

	mu   sync.Mutex
	proc *process // nil while it is stopped
}

// A process is one run of a server, and the shell that ends it when the test
// process is gone without having done so.
type process struct {
	cmd   *exec.Cmd
	guard io.WriteCloser
	done  chan struct{}
}

// Addr is the server's address, host:port. It stays the same over Stop and Start.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address as its clients take it.
func (s *Server) URL() string { return s.url() }

// Start starts the server again after Stop or Kill and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.t.Fatalf("%s runs already", s.name)
	}
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

// Stop ends the server in good order, which a crash is not. Its data stays.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(s.halt)
}

// Kill ends the server at once, as a crash does. Its data stays as it is.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(s.crash)
}

func (s *Server) end(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return
	}
	if err := s.proc.stop(sig); err != nil {
		s.t.Errorf("%s: %v", s.name, err)
	}
	s.proc = nil
}

// remove ends the server and deletes its data.
func (s *Server) remove() {
	s.end(s.crash)
	os.RemoveAll(s.dir)
}

// newServer makes the directory. owner is the account to run under if this is
// root, which PostgreSQL refuses to run as; "" for whoever runs the test.
func newServer(t testing.TB, name, owner string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "sso-test-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, name: name, dir: dir}
	if owner == "" || os.Geteuid() != 0 {
		return s
	}
	u, err := user.Lookup(owner)
	if err != nil {
		t.Fatalf("%s does not run as root, and there is nobody else to run it: %v", name, err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return s
}

// start runs the server on its port, or on a free one if it has none yet.
func (s *Server) start() error {
	var err error
	for range 5 {
		port := s.port
		if port == 0 {
			if port, err = freePort(); err != nil {
				return err
			}
		}
		// Between freePort and here somebody else may have taken the port.
		if err = s.run(port); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) run(port int) error {
	args := s.command(port)
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p, err := s.launch(args, log)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	before := s.port
	s.port, s.proc = port, p
	deadline := time.Now().Add(startTime)
	for {
		if err = s.ready(); err == nil {
			return nil
		}
		ended := false
		select {
		case <-p.done:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
		if ended || time.Now().After(deadline) {
			_ = p.stop(syscall.SIGKILL)
			s.port, s.proc = before, nil
			return fmt.Errorf("%s does not answer: %w\n%s", s.name, err, tail(s.log()))
		}
	}
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// guard waits for a line, which says that all is in order, or for the end of
// its input, which says that the test process is gone.
const guard = `read -r _ && exit
kill -QUIT "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.2; done
rm -rf "$2"`

// launch starts the server and its guard. Neither holds the test's output,
// which would keep `go test` waiting, and neither hears the terminal's ^C.
func (s *Server) launch(args []string, log *os.File) (*process, error) {
	p := &process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	s.prepare(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	g := exec.Command("sh", "-c", guard, "sh", strconv.Itoa(p.cmd.Process.Pid), s.dir)
	s.prepare(g)
	in, err := g.StdinPipe()
	if err == nil {
		err = g.Start()
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	if err != nil {
		_ = p.cmd.Process.Kill()
		return nil, err
	}
	go func() { _ = g.Wait() }()
	p.guard = in
	return p, nil
}

// prepare gives a program the server's account, directory and no settings that
// happen to be in the test's environment.
func (s *Server) prepare(cmd *exec.Cmd) {
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.cred}
}

// stop ends the run with sig and, where that does not do, by force.
func (p *process) stop(sig syscall.Signal) error {
	_ = p.cmd.Process.Signal(sig)
	var err error
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		err = fmt.Errorf("did not end on %v", sig)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	_, _ = io.WriteString(p.guard, "\n")
	_ = p.guard.Close()
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// output runs a program to its end.
func output(cmd *exec.Cmd) (string, error) {
	b, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, b)
	}
	return string(b), nil
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
