// Command crm is a small CRM whose customers log in by single sign-on, to click
// through: an administrator connects an identity provider (IdP), tests the
// connection, switches it on, and people enter. A practice IdP runs beside it.
//
//	go run ./examples/crm
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type options struct {
	addr, idp, db, publicURL string
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&o.idp, "idp", "127.0.0.1:8081", "address of the practice IdP, or none")
	flag.StringVar(&o.db, "db", "", "a SQLite file or a postgres:// URL; empty: crm.db in the user's cache directory")
	flag.StringVar(&o.publicURL, "public-url", "", "address that browsers use, such as https://crm.example.com, if a proxy stands before this one")
	flag.Parse()
	idpGiven := false
	flag.Visit(func(f *flag.Flag) { idpGiven = idpGiven || f.Name == "idp" })
	if o.publicURL != "" && !idpGiven {
		o.idp = "none" // whoever reaches the practice IdP can be anybody
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "crm:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, o options, out io.Writer, log *slog.Logger) error {
	s, err := newServers(ctx, o, log)
	if err != nil {
		return err
	}
	defer s.close()
	s.welcome(out)
	return s.serve(ctx)
}

// servers is the application and the practice IdP, listening.
type servers struct {
	app      *app
	practice *practice // nil: none
	db       *database
	dsn      string
	password string // of the users of a new database, "" if it is not known
	appURL   string
	handlers []serving
}

type serving struct {
	listener net.Listener
	handler  http.Handler
}

func newServers(ctx context.Context, o options, log *slog.Logger) (s *servers, err error) {
	s = &servers{dsn: o.db}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	l, err := s.listen(o.addr)
	if err != nil {
		return s, err
	}
	s.appURL = "http://" + l.Addr().String()
	secure := false
	if o.publicURL != "" {
		u, err := url.Parse(o.publicURL)
		if err != nil || u.Host == "" || u.Path != "" || u.Scheme != "https" && u.Scheme != "http" {
			return s, errors.New("-public-url must look like https://crm.example.com")
		}
		s.appURL, secure = o.publicURL, u.Scheme == "https"
	}
	if s.dsn == "" {
		if s.dsn, err = defaultFile(); err != nil {
			return s, err
		}
	}
	if s.db, err = openDatabase(ctx, s.dsn); err != nil {
		return s, err
	}
	loopback := l.Addr().(*net.TCPAddr).IP.IsLoopback() && o.publicURL == ""
	if s.password, err = seed(ctx, s.db, loopback); err != nil {
		return s, err
	}
	if s.app, err = newApp(s.db, s.appURL, secure, log); err != nil {
		return s, err
	}
	if s.handlers[0].handler, err = s.app.handler(); err != nil {
		return s, err
	}
	if o.idp == "none" {
		return s, nil
	}
	l, err = s.listen(o.idp)
	if err != nil {
		return s, err
	}
	if s.practice, err = newPractice(ctx, s.app, "http://"+l.Addr().String()); err != nil {
		return s, err
	}
	s.handlers[1].handler = s.practice.idp.Handler()
	return s, nil
}

func (s *servers) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		s.handlers = append(s.handlers, serving{listener: l})
	}
	return l, err
}

func (s *servers) serve(ctx context.Context) error {
	failed := make(chan error, len(s.handlers))
	var running []*http.Server
	for _, h := range s.handlers {
		server := &http.Server{Handler: h.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
		running = append(running, server)
		go func() { failed <- server.Serve(h.listener) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, server := range running {
		err = errors.Join(err, server.Shutdown(end))
	}
	return err
}

func (s *servers) close() {
	for _, h := range s.handlers {
		_ = h.listener.Close() // closed already if it was served
	}
	if s.db != nil {
		_ = s.db.Close()
	}
}

// defaultFile is where the database is kept if nobody says where.
func defaultFile() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "ssoconn-crm")
	return filepath.Join(dir, "crm.db"), os.MkdirAll(dir, 0o700)
}

// welcome says where to go and who can log in.
func (s *servers) welcome(out io.Writer) {
	_, _ = fmt.Fprintf(out, "The CRM:       %s/\n", s.appURL)
	if s.practice != nil {
		_, _ = fmt.Fprintf(out, "Practice IdP:  %s/admin/\n", s.practice.url)
	}
	if u, err := url.Parse(s.dsn); err == nil && u.Host != "" {
		_, _ = fmt.Fprintf(out, "Database:      %s\n", u.Redacted())
	} else {
		_, _ = fmt.Fprintf(out, "Database:      %s\n", s.dsn)
	}
	if s.password != "" {
		_, _ = fmt.Fprintf(out, "\nLog in with the password %s as one of\n", s.password)
		for _, u := range seedUsers {
			_, _ = fmt.Fprintf(out, "  %-18s %s, %s\n", u.Email, u.Name, u.Role)
		}
	}
	_, _ = fmt.Fprintf(out, "\nThen: Settings → Users → ⋮ → Single sign-on. Ctrl-C ends.\n")
}
