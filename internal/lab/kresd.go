package lab

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
)

// The subscriber's configuration comes before the rule that sends everything to
// root: the first rule with an action decides.
const kresdConfig = `net.listen('127.0.0.1', %[1]d, { kind = 'dns' })
cache.size = 10 * MB
trust_anchors.remove('.')
log_level('info')
modules = { 'policy' }
%[3]s
policy.add(policy.all(policy.STUB({ '%[2]s' })))
`

// StartKresd starts Knot Resolver 5 above root with a subscriber's
// configuration: statements of kresd.conf.
func StartKresd(tb testing.TB, root *Root, lua string) *Resolver {
	tb.Helper()
	dir, port := tb.TempDir(), Port(tb)
	host, rootPort, _ := net.SplitHostPort(root.Addr())
	path := write(tb, dir, "kresd.conf", fmt.Sprintf(kresdConfig, port, host+"@"+rootPort, lua))

	r := &Resolver{Server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}
	r.Process = Start(tb, exec.Command(Need(tb, "kresd"), "-n", "-c", path, dir))
	r.ready(tb)
	return r
}
