package peer

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestNobodyHoldsUpPublishing sends to subscribers that are silent, that speak
// something else, and that never take what they subscribed to.
func TestNobodyHoldsUpPublishing(t *testing.T) {
	z, err := ListenZMQ("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := dial(t, z)
	stranger := dial(t, z)
	stranger.Write([]byte("GET / HTTP/1.1\r\nHost: exchange.example\r\nUser-Agent: something that is longer than a greeting\r\n\r\n"))
	if _, err := io.Copy(io.Discard, stranger); err != nil && !isReset(err) {
		t.Errorf("a stranger is not sent away: %v", err)
	}
	stuck := dial(t, z)
	stuck.Write(greeting)
	stuck.Write(frame(isCommand, []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB")))
	stuck.Write(frame(0, []byte("\x01misp")))
	for subscribed := false; !subscribed; time.Sleep(time.Millisecond) {
		z.mu.Lock()
		for s := range z.subs {
			subscribed = subscribed || s.wants("misp_json")
		}
		z.mu.Unlock()
	}
	begun := time.Now()
	for range 10 * maxWaiting {
		if err := z.Publish("misp_json", make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(begun); d > takeWithin/2 {
		t.Errorf("publishing took %v", d)
	}
	if err := z.Close(); err != nil {
		t.Error(err)
	}
	silent.Close()
}

func dial(t *testing.T, z *ZMQ) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", z.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func isReset(err error) bool {
	_, ok := err.(*net.OpError)
	return ok
}
