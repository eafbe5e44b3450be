package codec

import (
	"io"
	"iter"
	"net/netip"
	"strings"
)

func init() {
	register(Format{Name: "hosts", Media: "text/plain; charset=utf-8",
		Describe: "a hosts file that points names at nothing", Read: readHosts})
}

// readHosts reads a hosts(5) file as block lists are published: the address
// points at nothing, the names after it are to be blocked. Such a line blocks
// that one host and nothing beneath it.
func readHosts(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		for l, err := range lines(r) {
			if err != nil {
				if !yield(Draft{Line: l.number}, err) {
					return
				}
				continue
			}
			text, _, _ := strings.Cut(l.text, "#")
			names := strings.Fields(text)
			if len(names) == 0 {
				continue
			}
			if why := notNowhere(names); why != "" {
				if !yield(Draft{Line: l.number}, &LineError{l.number, beginning([]byte(l.text)), why}) {
					return
				}
				continue
			}
			for _, name := range names[1:] {
				if !ownNames[strings.ToLower(name)] && !yield(Draft{Line: l.number, Type: "hostname", Text: name}, nil) {
					return
				}
			}
		}
	}
}

// notNowhere says why a line of a hosts file blocks nothing, or "".
func notNowhere(fields []string) string {
	a, err := netip.ParseAddr(fields[0])
	switch {
	case err != nil:
		return "it does not begin with an address such as 0.0.0.0; is the file a plain list?"
	case len(fields) == 1:
		return "it names no host after the address"
	case !a.IsLoopback() && !a.IsUnspecified() && a != broadcast && !a.IsMulticast() && !a.IsLinkLocalUnicast():
		return "it points at a real address; a block list points at 0.0.0.0"
	}
	return ""
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// ownNames are what every machine's own hosts file holds, which lists copy.
var ownNames = map[string]bool{
	"localhost": true, "localhost.localdomain": true, "local": true, "broadcasthost": true, "0.0.0.0": true,
	"ip6-localhost": true, "ip6-loopback": true, "ip6-localnet": true, "ip6-mcastprefix": true,
	"ip6-allnodes": true, "ip6-allrouters": true, "ip6-allhosts": true,
}
