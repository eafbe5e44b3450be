package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

const knotConfig = `server:
    rundir: %[1]q
    listen: 127.0.0.1@%[2]d
    udp-workers: 1
    tcp-workers: 2
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: %[1]q
template:
  - id: default
    storage: %[1]q
`

// StartKnot starts Knot DNS, an authoritative server to compare with, with
// further sections of knot.conf: remote, acl and zone.
func StartKnot(tb testing.TB, config string) *Server {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	path := write(tb, dir, "knot.conf", fmt.Sprintf(knotConfig, dir, port)+config)

	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	s.Process = Start(tb, exec.Command(Need(tb, "knotd"), "-c", path))
	s.ready(tb)
	return s
}

// Knot starts Knot DNS as the primary of one zone, and lets loopback transfer
// it. It serves as soon as the zone file is read.
func Knot(tb testing.TB, zone, file string) *Server {
	tb.Helper()
	s := StartKnot(tb, fmt.Sprintf(`acl:
  - id: all
    address: 127.0.0.1
    action: transfer
zone:
  - domain: %q
    file: %q
    acl: all
`, zone, file))
	s.WaitLog(tb, "loaded, serial")
	return s
}
