package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

// Config is a subscriber's configuration for a resolver that wants it in two
// places: BIND wants some statements inside its only options block and others
// outside.
type Config struct {
	Options string // response-policy { … };
	Zones   string // zone "…" { … }; key "…" { … };
}

// A forwarder is the only way to send all of BIND's recursion to a port other
// than 53: hints and static-stub zones can't name one.
const bindConfig = `options {
	directory %[1]q;
	pid-file none;
	session-keyfile none;
	managed-keys-directory %[1]q;
	listen-on { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion yes;
	forward only;
	forwarders { %[2]s port %[3]s; };
	dnssec-validation no;
	empty-zones-enable no;
	max-cache-size 16M;
	notify no;
%[4]s
};
controls { };
%[5]s
`

// StartBIND starts named above root with a subscriber's configuration.
//
// Start the primaries first, or send a NOTIFY: without one, a BIND that found
// none at start is slow to try again.
func StartBIND(tb testing.TB, root *Root, config Config) *Resolver {
	tb.Helper()
	dir, port := tb.TempDir(), strconv.Itoa(Port(tb))
	host, rootPort, _ := net.SplitHostPort(root.Addr())
	path := write(tb, dir, "named.conf",
		fmt.Sprintf(bindConfig, dir, host, rootPort, config.Options, config.Zones))

	cmd := exec.Command(unconfined(tb, Need(tb, "named"), dir), "-g", "-n", "2", "-p", port, "-c", path)
	r := &Resolver{Server{addr: net.JoinHostPort("127.0.0.1", port)}}
	r.Process = Start(tb, cmd)
	r.ready(tb)
	return r
}
