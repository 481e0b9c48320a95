package testserver

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A Proxy passes connections on to a server until it is told to misbehave.
type Proxy struct {
	target   string
	listener net.Listener

	mu    sync.Mutex
	cond  *sync.Cond
	mute  bool
	cut   bool
	ended bool
	conns map[net.Conn]bool
}

// NewProxy listens on a free port of loopback and passes what comes on to
// target, host:port. It goes with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: l, conns: map[net.Conn]bool{}}
	p.cond = sync.NewCond(&p.mu)
	var loops sync.WaitGroup
	loops.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			loops.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.set(func() { p.ended = true })
		p.closeAll()
		loops.Wait()
	})
	return p
}

// Addr is the address to connect to, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Mute holds every answer back, while requests still get through: the server
// acts, and the client never learns of it.
func (p *Proxy) Mute() { p.set(func() { p.mute = true }) }

// Cut breaks every connection and each new one.
func (p *Proxy) Cut() {
	p.set(func() { p.cut = true })
	p.closeAll()
}

// Resume ends Mute and Cut.
func (p *Proxy) Resume() { p.set(func() { p.mute, p.cut = false, false }) }

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.cond.Broadcast()
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(client, server) {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close()
	})
	p.answers(client, server)
	client.Close()
	wg.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// answers passes on what the server says, unless it is muted.
func (p *Proxy) answers(client, server net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := server.Read(buf)
		p.mu.Lock()
		for p.mute && !p.ended {
			p.cond.Wait()
		}
		p.mu.Unlock()
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut || p.ended {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *Proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}
