package lab_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"tocsin/internal/lab"
)

// A witness is a test that notes how it was ended.
type witness struct {
	testing.TB
	said string
}

func (w *witness) Skipf(format string, args ...any)  { w.end("skip: "+format, args...) }
func (w *witness) Fatalf(format string, args ...any) { w.end("fail: "+format, args...) }
func (w *witness) Helper()                           {}

func (w *witness) end(format string, args ...any) {
	w.said = fmt.Sprintf(format, args...)
	panic(w)
}

func TestNeed(t *testing.T) {
	for _, c := range []struct{ program, requireAll, says, path string }{
		{program: "sh", path: "/sh"},
		{program: "no-such-program", says: "skip: SKIP-NEED no-such-program"},
		{program: "no-such-program", requireAll: "1", says: "fail: no-such-program is not installed"},
	} {
		t.Setenv("REQUIRE_ALL", c.requireAll)
		w := &witness{TB: t}
		var path string
		func() {
			defer func() { recover() }()
			path = lab.Need(w, c.program)
		}()
		if !strings.HasPrefix(w.said, c.says) || (c.says == "") != (w.said == "") || !strings.HasSuffix(path, c.path) {
			t.Errorf("Need(%q) with REQUIRE_ALL=%q: path %q, %q; want %q, %q",
				c.program, c.requireAll, path, w.said, c.path, c.says)
		}
	}
}

func TestPort(t *testing.T) {
	seen := make(map[int]bool)
	for range 500 {
		port := lab.Port(t)
		if seen[port] {
			t.Fatalf("port %d was given out twice", port)
		}
		seen[port] = true
		if !free(port) {
			t.Errorf("port %d is not free", port)
		}
	}
}

// free tells whether a port can be bound for UDP and TCP.
func free(port int) bool {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}
