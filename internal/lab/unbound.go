package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

// Unbound refuses to talk to loopback and would pick outgoing ports from the
// range of [Port]. module-config is left alone: a subscriber's snippet must
// bring "respip", without which Unbound does not start with an rpz clause.
const unboundConfig = `server:
	directory: %[1]q
	chroot: ""
	username: ""
	pidfile: ""
	do-daemonize: no
	use-syslog: no
	logfile: ""
	verbosity: 2
	num-threads: 1
	interface: 127.0.0.1
	port: %[2]d
	outgoing-port-avoid: %[4]d-%[5]d
	do-not-query-localhost: no
	qname-minimisation: no
	harden-glue: no
	harden-referral-path: no
	harden-below-nxdomain: no
	harden-dnssec-stripped: no
	aggressive-nsec: no
	prefetch: no
	serve-expired: no
remote-control:
	control-enable: no
stub-zone:
	name: "."
	stub-addr: %[3]s
	stub-prime: no
	stub-first: no
`

// StartUnbound starts Unbound above root with a subscriber's configuration: any
// clauses of unbound.conf. A later server clause overrides an earlier one, so
// the subscriber's has the last word.
//
// Start the primaries first: an Unbound that has never reached one tries again
// about 6 and 15 seconds after its start, and a NOTIFY may not hurry it.
func StartUnbound(tb testing.TB, root *Root, config string) *Resolver {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	host, rootPort, _ := net.SplitHostPort(root.Addr())
	path := write(tb, dir, "unbound.conf",
		fmt.Sprintf(unboundConfig, dir, port, host+"@"+rootPort, firstPort, lastPort)+config)

	cmd := exec.Command(unconfined(tb, Need(tb, "unbound"), dir), "-d", "-c", path)
	r := &Resolver{Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}
	r.Process = Start(tb, cmd)
	r.ready(tb)
	return r
}
