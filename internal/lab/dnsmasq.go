package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

const dnsmasqConfig = `no-daemon
port=%[1]d
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
no-poll
user=
pid-file=
log-facility=-
log-queries
server=%[2]s
`

// StartDnsmasq starts dnsmasq before root with a subscriber's configuration:
// lines of dnsmasq.conf.
func StartDnsmasq(tb testing.TB, root *Root, config string) *Resolver {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	host, rootPort, _ := net.SplitHostPort(root.Addr())
	path := write(tb, dir, "dnsmasq.conf", fmt.Sprintf(dnsmasqConfig, port, host+"#"+rootPort)+config)

	r := &Resolver{Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}
	r.Process = Start(tb, exec.Command(Need(tb, "dnsmasq"), "--conf-file="+path))
	r.ready(tb)
	return r
}
