package rpz

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Server answers questions over UDP and TCP. Its fields are set before it
// serves, and not changed afterwards.
type Server struct {
	Zones Zones
	Keys  Keys // nil: nobody signs

	// Served, if set, is called after each transfer, also one that failed.
	// It holds up the connection it tells of.
	Served func(Handover)

	Log *slog.Logger     // nil: slog.Default()
	Now func() time.Time // nil: time.Now

	// Patience is how long a connection may take to ask; ten seconds if zero
	// (RFC 7766, 6.2.3). Stall is how long it may take to accept the next
	// message of an answer; thirty seconds if zero.
	Patience, Stall time.Duration

	// Conns and ConnsEach bound the connections in all and those of one
	// address, for IPv6 of one /64; 1024 and 64 if zero. Beyond them new ones
	// are closed at once.
	Conns, ConnsEach int

	mu     sync.Mutex
	open   int
	openBy map[netip.Prefix]int
}

// maxQuestion is far above any honest question; a stranger can't make us
// hold more.
const maxQuestion = 4096

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}

// ListenAndServe answers on the addresses, UDP and TCP, until ctx ends. Name
// each address of a machine that has several: a datagram's answer must leave
// from where the question came in.
func (s *Server) ListenAndServe(ctx context.Context, addrs ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	var lc net.ListenConfig
	for _, addr := range addrs {
		udp, err := lc.ListenPacket(ctx, "udp", addr)
		if err != nil {
			cancel(err)
			return err
		}
		wg.Go(func() { cancel(s.ServeUDP(ctx, udp.(*net.UDPConn))) })
		tcp, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			cancel(err)
			return err
		}
		wg.Go(func() { cancel(s.ServeTCP(ctx, tcp)) })
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// ServeUDP answers datagrams until ctx ends. It closes c.
func (s *Server) ServeUDP(ctx context.Context, c *net.UDPConn) error {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	buf := make([]byte, maxQuestion)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // of one datagram, such as an ICMP error for an earlier answer
		}
		s.handle(buf[:n], from, false, func(msg []byte) error {
			_, err := c.WriteToUDPAddrPort(msg[lengthLen:], from)
			return err
		})
	}
}

// ServeTCP answers connections until ctx ends, and returns when the last of
// them is closed. It closes l. A TLS listener makes it serve transfers over
// TLS (RFC 9103).
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return context.Cause(ctx)
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			s.log().Warn("dns accept", "err", err)
			select { // most likely out of file descriptors
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		from := netip.AddrPort{}
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			from = a.AddrPort()
		}
		if !s.enter(from) {
			c.Close()
			continue
		}
		wg.Go(func() {
			defer s.leave(from)
			s.serve(ctx, c, from)
		})
	}
}

// serve answers the questions of one connection, one after the other.
func (s *Server) serve(ctx context.Context, c net.Conn, from netip.AddrPort) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	send := func(msg []byte) error {
		c.SetWriteDeadline(time.Now().Add(or(s.Stall, 30*time.Second)))
		_, err := c.Write(msg)
		return err
	}
	for {
		c.SetReadDeadline(time.Now().Add(or(s.Patience, 10*time.Second)))
		msg, err := readMessage(c)
		if err != nil || s.handle(msg, from, true, send) != nil {
			return
		}
	}
}

var errTooLong = errors.New("message too long for a question")

func readMessage(c io.Reader) ([]byte, error) {
	var length [lengthLen]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(length[:])
	if n > maxQuestion {
		return nil, errTooLong
	}
	msg := make([]byte, n)
	_, err := io.ReadFull(c, msg)
	return msg, err
}

// enter counts a connection, unless there are too many.
func (s *Server) enter(from netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	net := neighbourhood(from)
	if s.open >= or(s.Conns, 1024) || s.openBy[net] >= or(s.ConnsEach, 64) {
		return false
	}
	if s.openBy == nil {
		s.openBy = map[netip.Prefix]int{}
	}
	s.open++
	s.openBy[net]++
	return true
}

func (s *Server) leave(from netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	net := neighbourhood(from)
	s.open--
	if s.openBy[net]--; s.openBy[net] == 0 {
		delete(s.openBy, net)
	}
}

// neighbourhood is how much of an address one party usually has for itself.
func neighbourhood(from netip.AddrPort) netip.Prefix {
	ip := from.Addr().Unmap()
	p, _ := ip.Prefix(min(ip.BitLen(), 64))
	return p
}

func or[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}
