package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

// One thread for queries, as the machine has few cores, and no DNSSEC, as Root
// has none. AAAA and A of a forwarded zone are asked for as the client asks.
const powerDNSConfig = `config-dir=%[1]s
socket-dir=%[1]s
local-address=127.0.0.1
local-port=%[2]d
forward-zones-recurse=.=%[3]s
lua-config-file=%[4]s
threads=1
daemon=no
disable-syslog=yes
write-pid=no
security-poll-suffix=
hint-file=no
dnssec=off
loglevel=6
%[5]s

`

// StartPowerDNS starts PowerDNS Recursor above root with a subscriber's
// configuration: lines of recursor.conf, and statements of its Lua configuration
// file, which says what zones it takes.
func StartPowerDNS(tb testing.TB, root *Root, config Config) *Resolver {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	write(tb, dir, "recursor.conf", fmt.Sprintf(powerDNSConfig, dir, port, root.Addr(),
		write(tb, dir, "tocsin.lua", config.Zones), config.Options))

	r := &Resolver{Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}
	r.Process = Start(tb, exec.Command(Need(tb, "pdns_recursor"), "--config-dir="+dir))
	r.ready(tb)
	return r
}
