// Package peer hands what is shared to other parties that follow it.
//
// The package knows how to reach them. What each of them may have is asked by
// whoever sends.
package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A ZMQ is a socket on which programs beside the exchange subscribe to what
// happens, as to MISP's ZeroMQ plugin: each message is one frame, a topic, a
// space, and JSON. It is a PUB socket of ZMTP 3.0 (rfc.zeromq.org/spec/23) with the
// NULL mechanism.
//
// There is no asking who subscribes, so it belongs on an address that only the
// operator's own programs reach. A subscriber that can't keep up misses messages,
// and holds nobody up.
type ZMQ struct {
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	ended bool
	subs  map[*subscription]bool
}

// What a subscriber may ask of us.
const (
	maxSubscribers = 100
	maxTopics      = 1_000
	maxFrame       = 64 << 10 // that a subscriber sends
	maxWaiting     = 100      // messages that it has not taken yet
	greetWithin    = 10 * time.Second
	takeWithin     = 30 * time.Second
)

// ListenZMQ opens a socket for subscribers at an address as 127.0.0.1:50000,
// which has MISP's usual port.
func ListenZMQ(addr string) (*ZMQ, error) {
	l, err := net.Listen("tcp", strings.TrimPrefix(addr, "tcp://"))
	if err != nil {
		return nil, err
	}
	z := &ZMQ{listener: l, subs: map[*subscription]bool{}}
	z.running.Go(z.accept)
	return z, nil
}

// Addr is where it listens.
func (z *ZMQ) Addr() string { return z.listener.Addr().String() }

// Publish sends a message to whoever subscribes to its topic now. It does not wait.
func (z *ZMQ) Publish(topic string, body []byte) error {
	message := frame(0, append([]byte(topic+" "), body...))
	z.mu.Lock()
	defer z.mu.Unlock()
	for s := range z.subs {
		if s.wants(topic) {
			select {
			case s.waiting <- message:
			default:
			}
		}
	}
	return nil
}

// Close ends the socket and all that is connected to it.
func (z *ZMQ) Close() error {
	err := z.listener.Close()
	z.mu.Lock()
	z.ended = true
	for s := range z.subs {
		s.conn.Close()
	}
	z.mu.Unlock()
	z.running.Wait()
	return err
}

func (z *ZMQ) accept() {
	for {
		conn, err := z.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(100 * time.Millisecond) // the machine is out of something; it will pass
			continue
		}
		s := &subscription{conn: conn, waiting: make(chan []byte, maxWaiting), topics: map[string]bool{}}
		if !z.add(s) {
			conn.Close()
			continue
		}
		z.running.Go(func() {
			defer z.remove(s)
			s.serve()
		})
	}
}

func (z *ZMQ) add(s *subscription) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.ended || len(z.subs) >= maxSubscribers {
		return false
	}
	z.subs[s] = true
	return true
}

func (z *ZMQ) remove(s *subscription) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.subs, s)
	s.conn.Close()
}

// A subscription is one connection, with what it wants to hear.
type subscription struct {
	conn    net.Conn
	waiting chan []byte

	mu     sync.Mutex
	topics map[string]bool
}

// wants reports whether a topic begins with one that is subscribed to.
func (s *subscription) wants(topic string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.topics {
		if strings.HasPrefix(topic, t) {
			return true
		}
	}
	return false
}

// serve greets, then sends what comes and hears what is wanted until either ends.
func (s *subscription) serve() {
	in := bufio.NewReader(s.conn)
	if s.greet(in) != nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.hear(in)
	}()
	defer func() { s.conn.Close(); <-ended }()
	for {
		select {
		case <-ended:
			return
		case message := <-s.waiting:
			s.conn.SetWriteDeadline(time.Now().Add(takeWithin))
			if _, err := s.conn.Write(message); err != nil {
				return
			}
		}
	}
}

// greeting is what both sides say first (section Greeting): signature, version 3.0,
// mechanism NULL, not as a server, filler.
var greeting = append(append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0}, "NULL"...), make([]byte, 48)...)

// greet exchanges greetings and readiness.
func (s *subscription) greet(in *bufio.Reader) error {
	s.conn.SetDeadline(time.Now().Add(greetWithin))
	defer s.conn.SetDeadline(time.Time{})
	if _, err := s.conn.Write(greeting); err != nil {
		return err
	}
	theirs := make([]byte, len(greeting))
	if _, err := io.ReadFull(in, theirs); err != nil {
		return err
	}
	if theirs[0] != 0xff || theirs[10] < 3 || strings.TrimRight(string(theirs[12:32]), "\x00") != "NULL" {
		return errors.New("no ZMTP 3 with the NULL mechanism")
	}
	if _, err := s.conn.Write(frame(isCommand, []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB"))); err != nil {
		return err
	}
	flags, body, err := readFrame(in)
	if err == nil && (flags&isCommand == 0 || !strings.HasPrefix(string(body), "\x05READY")) {
		err = errors.New("it is not ready")
	}
	return err
}

// hear takes note of what is subscribed to and no longer.
func (s *subscription) hear(in *bufio.Reader) {
	for {
		flags, body, err := readFrame(in)
		if err != nil {
			return
		}
		if flags&isCommand != 0 || len(body) == 0 {
			continue // of commands ZMTP 3.0 has READY and ERROR alone
		}
		s.mu.Lock()
		switch topic := string(body[1:]); {
		case body[0] == 0:
			delete(s.topics, topic)
		case body[0] == 1 && len(s.topics) < maxTopics:
			s.topics[topic] = true
		}
		s.mu.Unlock()
	}
}

// Flags of a frame (section Framing).
const (
	isLong    = 2
	isCommand = 4
)

// frame writes a frame that nothing follows.
func frame(flags byte, body []byte) []byte {
	if len(body) <= 255 {
		return append([]byte{flags, byte(len(body))}, body...)
	}
	return append(binary.BigEndian.AppendUint64([]byte{flags | isLong}, uint64(len(body))), body...)
}

func readFrame(in *bufio.Reader) (flags byte, body []byte, err error) {
	if flags, err = in.ReadByte(); err != nil {
		return 0, nil, err
	}
	size := make([]byte, 8)
	if flags&isLong == 0 {
		_, err = io.ReadFull(in, size[7:])
	} else {
		_, err = io.ReadFull(in, size)
	}
	if err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint64(size)
	if n > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d octets", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(in, body)
	return flags, body, err
}
