package codec

import (
	"io"
	"net/netip"
	"strings"
)

func init() {
	register(Format{Name: "hosts", Media: "text/plain; charset=utf-8",
		Describe: "a hosts file that points names at nothing; it covers each name and nothing beneath it",
		Looks:    func(h head) bool { return looksLikeHosts(h.line) }, Read: byLine(readHosts), List: writeHosts})
}

// writeHosts writes a line for each name. A hosts file can't cover what is
// beneath a name, so of a domain it blocks only the domain itself.
func writeHosts(w io.Writer, l List) error {
	return writeList(w, l.Items(names...), func(out *listWriter, i Item) {
		if isName(i.Text) {
			out.line("0.0.0.0 ", i.Text, "")
		}
	}, endComment("#"))
}

// readHosts reads a line of a hosts(5) file as block lists are published: the
// address points at nothing, the names after it are to be blocked. Such a line
// blocks that one host and nothing beneath it.
func readHosts(s *sink) {
	text, _, _ := strings.Cut(s.line.text, "#")
	names := strings.Fields(text)
	if len(names) == 0 {
		return
	}
	if why := notNowhere(names); why != "" {
		s.lose(why)
		return
	}
	for _, name := range names[1:] {
		if !ownNames[strings.ToLower(name)] {
			s.draft(Draft{Type: "hostname", Text: name})
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
	case !leadsNowhere(a):
		return whyReal
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

func looksLikeHosts(first string) bool {
	f := strings.Fields(first)
	return len(f) > 1 && !strings.Contains(f[0], ",") && notNowhere(f) == ""
}
