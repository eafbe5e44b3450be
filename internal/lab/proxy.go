package lab

import (
	"net"
	"sync"
	"testing"
)

// A Proxy passes TCP connections on to a server, and can lose them.
type Proxy struct {
	l      net.Listener
	target string

	mu    sync.Mutex
	cut   func([]byte) Cut
	down  bool
	conns map[net.Conn]bool
}

// A Cut is what a proxy does with what a client sent.
type Cut int

const (
	Pass     Cut = iota
	Lose         // the server does not get it, and both sides lose the connection
	Swallow      // the server gets it; the client never gets an answer
	HalfOpen     // the server does not get it, nor learns that the client has gone
)

// StartProxy starts a proxy in front of the server at target.
func StartProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{l: l, target: target, conns: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.pass(c) })
		}
	})
	tb.Cleanup(func() {
		l.Close()
		p.Down(true)
		running.Wait()
	})
	return p
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// Cut has fn say what becomes of what clients send; nil: all of it passes.
func (p *Proxy) Cut(fn func([]byte) Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = fn
}

// Down has the proxy lose all connections and refuse new ones, or no longer.
func (p *Proxy) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	if down {
		for c := range p.conns {
			c.Close()
		}
	}
}

// keep reports whether a connection may live.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return !p.down
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *Proxy) verdict(b []byte) Cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == nil {
		return Pass
	}
	return p.cut(b)
}

func (p *Proxy) pass(client net.Conn) {
	defer p.forget(client)
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.forget(server)
	if !p.keep(server) {
		return
	}
	muted, answered := make(chan struct{}), make(chan struct{})
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		defer client.Close()
		defer close(answered)
		answer(client, server, muted)
	})
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			break
		}
		switch p.verdict(buf[:n]) {
		case Pass:
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
			continue
		case Swallow:
			close(muted)
			server.Write(buf[:n])
			<-answered
		case HalfOpen:
			close(muted)
			client.Close()
			<-answered // when the server gives up
		}
		break
	}
	server.Close()
}

// answer passes on what a server says, until it is muted and says something more.
func answer(client, server net.Conn, muted <-chan struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-muted:
			return
		default:
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}
