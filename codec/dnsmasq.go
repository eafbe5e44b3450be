package codec

import (
	"io"
	"strings"
)

func init() {
	register(Format{Name: "dnsmasq", Media: "text/plain; charset=utf-8",
		Describe: "a configuration of dnsmasq: local= for a domain with what is beneath it, host-record= for one host",
		Looks: func(h head) bool {
			return looksLikeOption(h.line, "=", "address", "server", "local", "host-record") && strings.Contains(h.line, "/") ||
				looksLikeOption(h.line, "=", "host-record")
		},
		Read: byLine(readDnsmasq), List: writeDnsmasq})
}

// writeDnsmasq writes what dnsmasq(8) reads from a file of its own. A domain is
// answered with NXDOMAIN for all that is beneath it. There is no such line for
// one host, so a host gets addresses that lead nowhere, and other questions about
// it go on to the next server.
func writeDnsmasq(w io.Writer, l List) error {
	return writeList(w, l.Items(names...), func(out *listWriter, i Item) {
		switch {
		case !isName(i.Text):
		case i.Kind == domainKind:
			out.line("local=/", i.Text, "/")
		default:
			out.line("host-record=", i.Text, ",0.0.0.0,::")
		}
	}, endComment("#"))
}

// readDnsmasq reads a line of dnsmasq's configuration. address=/NAME/, with
// nothing or an address that leads nowhere after it, local=/NAME/ and
// server=/NAME/ block NAME and all beneath it.
func readDnsmasq(s *sink) {
	text := uncommented(s.line.text)
	if text == "" {
		return
	}
	option, value, _ := strings.Cut(strings.TrimPrefix(text, "--"), "=")
	option, value = strings.TrimSpace(option), strings.TrimSpace(value)
	switch option {
	case "host-record":
		readHostRecord(s, value)
		return
	case "address", "server", "local":
	default:
		s.lose("it is no line that blocks a name, such as address=/evil.example/")
		return
	}
	end := strings.LastIndexByte(value, '/')
	if !strings.HasPrefix(value, "/") || end < 1 {
		s.lose("it names no domain between slashes")
		return
	}
	if why := dnsmasqTarget(option, value[end+1:]); why != "" {
		s.lose(why)
		return
	}
	for name := range strings.SplitSeq(value[1:end], "/") {
		switch {
		case name == "#":
			s.lose(whyAll)
		case strings.HasPrefix(name, "*"):
			s.lose(whyBeneath)
		case name == "":
			s.lose("it names an empty domain")
		default:
			s.draft(Draft{Type: "domain", Text: strings.TrimPrefix(name, ".")})
		}
	}
}

// dnsmasqTarget says why what stands behind the names blocks nothing, or "".
func dnsmasqTarget(option, target string) string {
	switch {
	case target == "", option == "address" && target == "#":
		return ""
	case option != "address" && target == "#":
		return whyException
	case option != "address":
		return "it sends questions to another server and blocks nothing"
	case !nowhere(target):
		return whyReal
	}
	return ""
}

// readHostRecord reads host-record=NAME,…,ADDRESS,… with an optional TTL.
func readHostRecord(s *sink, value string) {
	parts := strings.Split(value, ",")
	var hosts []string
	answers := false
	for _, p := range parts {
		p = strings.TrimSpace(p)
		switch {
		case nowhere(p):
			answers = true
		case strings.Trim(p, "0123456789") == "":
		case strings.Trim(p, "0123456789.") == "", strings.Contains(p, ":"):
			s.lose(whyReal)
			return
		default:
			hosts = append(hosts, p)
		}
	}
	if !answers || len(hosts) == 0 {
		s.lose("it gives a host no address that leads nowhere")
		return
	}
	for _, h := range hosts {
		s.draft(Draft{Type: "hostname", Text: h})
	}
}
