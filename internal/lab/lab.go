// Package lab runs real programs for tests: Unbound, BIND and Knot DNS, a
// browser, and a small DNS root beneath which every name has an address, so
// that a resolver resolves with no Internet. Everything listens on loopback,
// keeps its files in the test's temporary folder, and ends with the test, also
// when the test panics or is killed.
//
// The lab knows nothing of the product. It takes the configuration that the
// product prints as text, as an operator pastes it into a resolver, and adds
// only what makes that resolver live in a test. Each start function says what
// that is.
package lab

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience is how long the lab waits for a thing to happen before the test
// fails. It is no measure of speed: resolvers started together on a busy
// machine take seconds for what takes milliseconds on an idle one.
const patience = 30 * time.Second

// pace is the time between two looks at a thing waited for.
const pace = 2 * time.Millisecond

// Need returns the path of a program, or skips the test with the line
// "SKIP-NEED program". With REQUIRE_ALL=1 in the environment it fails the test
// instead, so that a build that means to test everything can't skip quietly.
// Skips show in the output of go test -v and go test -json only.
func Need(tb testing.TB, program string) string {
	tb.Helper()
	path, ok := find(program)
	switch {
	case ok:
	case os.Getenv("REQUIRE_ALL") == "1":
		tb.Fatalf("%s is not installed, and REQUIRE_ALL=1 forbids skipping", program)
	default:
		tb.Skipf("SKIP-NEED %s", program)
	}
	return path
}

// NeedModule returns Debian's Python with a module of that name, or skips the test
// with the line "SKIP-NEED python3-module", as [Need].
func NeedModule(tb testing.TB, module string) string {
	tb.Helper()
	const python = "/usr/bin/python3" // another on the PATH knows nothing of Debian's packages
	switch err := exec.Command(python, "-c", "import "+module).Run(); {
	case err == nil:
	case os.Getenv("REQUIRE_ALL") == "1":
		tb.Fatalf("python3-%s is not installed, and REQUIRE_ALL=1 forbids skipping", module)
	default:
		tb.Skipf("SKIP-NEED python3-%s", module)
	}
	return python
}

// find also looks where Debian keeps daemons: the PATH of a user who is not
// root rarely names these folders.
func find(program string) (string, bool) {
	if path, err := exec.LookPath(program); err == nil {
		return path, true
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, true
		}
	}
	return "", false
}

// Port returns a port of 127.0.0.1 that is free for UDP and TCP, for a program
// that must be told its port. A server inside the test does better to listen
// on port 0 and keep the socket.
func Port(tb testing.TB) int {
	tb.Helper()
	udp, tcp := listen(tb)
	defer udp.Close()
	defer tcp.Close()
	return tcp.Addr().(*net.TCPAddr).Port
}

// Ports are taken from below Linux's ephemeral range (32768 to 60999), so that
// no outgoing connection takes one between Port's look and the program's bind.
const firstPort, lastPort = 20000, 32767

// handed holds the ports that this process has given out: a program may not
// have bound its port yet when the next one is asked for.
var handed sync.Map

// listen opens a free port for both UDP and TCP.
func listen(tb testing.TB) (net.PacketConn, net.Listener) {
	tb.Helper()
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if _, taken := handed.LoadOrStore(port, true); taken {
			continue
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var tcp net.Listener
		if tcp, err = net.Listen("tcp", addr); err != nil {
			continue
		}
		var udp net.PacketConn
		if udp, err = net.ListenPacket("udp", addr); err != nil {
			tcp.Close()
			continue
		}
		return udp, tcp
	}
	tb.Fatalf("find a free port: %v", err)
	return nil, nil
}
