package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

const nsdConfig = `server:
	ip-address: 127.0.0.1
	port: %[2]d
	username: ""
	chroot: ""
	zonesdir: %[1]q
	database: ""
	pidfile: ""
	logfile: ""
	zonelistfile: "%[1]s/zone.list"
	xfrdfile: ""
	xfrdir: %[1]q
	server-count: 1
	verbosity: 2
	log-only-syslog: no
remote-control:
	control-enable: no
`

// StartNSD starts NSD, an authoritative server, with further clauses of
// nsd.conf: key, tls-auth and zone.
func StartNSD(tb testing.TB, config string) *Server {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	path := write(tb, dir, "nsd.conf", fmt.Sprintf(nsdConfig, dir, port)+config)

	s := &Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	s.Process = Start(tb, exec.Command(Need(tb, "nsd"), "-d", "-c", path))
	s.ready(tb)
	return s
}
