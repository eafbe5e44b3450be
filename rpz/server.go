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
	// The next question waits until it returns.
	Served func(Handover)

	Log *slog.Logger     // nil: slog.Default()
	Now func() time.Time // nil: time.Now

	// Patience is how long a connection may take to ask, and for a handshake; ten
	// seconds if zero. Stall is how long it may take to accept the next
	// message of an answer; thirty seconds if zero.
	Patience, Stall time.Duration

	// Conns and ConnsEach bound the connections in all and those of one
	// address, for IPv6 of one /64; 1024 and 64 if zero. An address that has
	// its share gets no more. When all are taken, whoever has not asked for
	// longest makes room (RFC 7766, 6.2.3).
	Conns, ConnsEach int

	conns      conns
	complaints complaints
}

// patience is how long a connection may take to ask (RFC 7766, 6.2.3).
const patience = 10 * time.Second

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
		s.handle(buf[:n], Peer{Addr: from}, false, func(msg []byte) error {
			_, err := c.WriteToUDPAddrPort(msg[lengthLen:], from)
			return err
		})
	}
}

// ServeTCP answers connections until ctx ends, and returns when the last of
// them is closed. It closes l.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	return s.accept(ctx, l, func(c net.Conn) (net.Conn, Peer, error) { return c, Peer{}, nil })
}

// accept serves the connections of l, after greet has found out what there is to
// know of the other side beside its address.
func (s *Server) accept(ctx context.Context, l net.Listener, greet func(net.Conn) (net.Conn, Peer, error)) error {
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
		if !s.conns.enter(c, from, or(s.Conns, 1024), or(s.ConnsEach, 64)) {
			c.Close()
			continue
		}
		wg.Go(func() {
			defer s.conns.leave(c, from)
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			over, who, err := greet(c)
			if err != nil {
				s.log().Debug("dns over tls", "from", from, "err", err)
				return
			}
			who.Addr = from
			s.serve(c, over, who)
		})
	}
}

// serve answers the questions of one connection, one after the other. They come
// over c or what is spoken on it; raw is what is counted.
func (s *Server) serve(raw, c net.Conn, who Peer) {
	send := func(msg []byte) error {
		c.SetWriteDeadline(time.Now().Add(or(s.Stall, 30*time.Second)))
		_, err := c.Write(msg)
		return err
	}
	for {
		c.SetReadDeadline(time.Now().Add(or(s.Patience, patience)))
		msg, err := readMessage(c)
		s.conns.asks(raw)
		if err != nil || s.handle(msg, who, true, send) != nil {
			return
		}
		s.conns.waits(raw)
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

func or[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}
