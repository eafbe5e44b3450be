package codec

import (
	"io"
	"iter"
	"strings"
)

func init() {
	register(Format{Name: "unbound", Media: "text/plain; charset=utf-8",
		Describe: "a server clause of Unbound: a local-zone for a domain with what is beneath it, local-data for one host",
		Looks: func(h head) bool {
			return strings.HasPrefix(h.line, "server:") || looksLikeOption(h.line, ":", "local-zone", "local-data")
		},
		Read: readUnbound, List: writeUnbound})
}

// writeUnbound writes what unbound.conf(5) includes. A domain is answered with
// NXDOMAIN for all that is beneath it. One host can't be: it gets an address that
// leads nowhere, and no data for what else is asked about it.
func writeUnbound(w io.Writer, l List) error {
	begun := false
	begin := func(out *listWriter) {
		if !begun {
			out.WriteString("server:\n")
		}
		begun = true
	}
	end := endComment("#")
	return writeList(w, l.Items(names...), func(out *listWriter, i Item) {
		begin(out)
		switch {
		case !isName(i.Text):
		case i.Kind == domainKind:
			out.line(`local-zone: "`, i.Text, `." always_nxdomain`)
		default:
			out.line(`local-data: "`, i.Text, `. A 0.0.0.0"`)
		}
	}, func(out *listWriter) { begin(out); end(out) })
}

// unboundZones are the types of a local-zone that block, and those that don't.
var unboundZones = map[string]bool{
	"always_nxdomain": true, "always_null": true, "always_nodata": true, "always_refuse": true, "always_deny": true,
	"static": true, "deny": true, "refuse": true, "redirect": true, "inform_deny": true, "inform_redirect": true,
	"transparent": false, "typetransparent": false, "always_transparent": false, "nodefault": false, "inform": false,
	"block_a": false, "noview": false, "ipset": false, "truncate": false,
}

// readUnbound reads the lines of unbound.conf that block. A zone of type redirect
// or static blocks if the data that may follow it leads nowhere.
func readUnbound(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		u := unboundReader{}
		s := &sink{yield: yield, before: u.flush}
		s.each(r, u.line)
		u.flush(s)
	}
}

type unboundReader struct {
	zone *Draft // a zone whose data, if it has any, says what it does
	last string // the name before
}

func (u *unboundReader) line(s *sink) {
	text := uncommented(s.line.text)
	if text == "" {
		return
	}
	option, value, _ := strings.Cut(text, ":")
	switch option {
	case "local-data":
		u.data(s, plainly(value))
		return
	case "local-zone":
		u.flush(s)
		u.local(s, value)
		return
	case "server":
		if strings.TrimSpace(value) == "" {
			return
		}
	}
	u.flush(s)
	s.lose("it is no line that blocks a name, such as local-zone: \"evil.example\" always_nxdomain")
}

// flush yields the zone that waited for its data.
func (u *unboundReader) flush(s *sink) {
	if z := u.zone; z != nil {
		u.zone = nil
		s.stopped = s.stopped || !s.yield(*z, nil)
	}
}

func (u *unboundReader) local(s *sink, value string) {
	f := strings.Fields(value)
	if len(f) != 2 {
		s.lose("it is not a name and a type")
		return
	}
	name := strings.TrimSuffix(plainly(f[0]), ".")
	blocks, known := unboundZones[f[1]]
	u.last = strings.ToLower(name)
	switch {
	case !known:
		s.lose("Unbound has no such type of zone")
	case !blocks && strings.HasSuffix(f[1], "transparent"):
		s.lose(whyException)
	case !blocks:
		s.lose("a zone of this type blocks nothing")
	case name == "":
		s.lose(whyAll)
	case f[1] == "redirect" || f[1] == "inform_redirect" || f[1] == "static":
		u.zone = &Draft{Line: s.line.number, Type: "domain", Text: name}
	default:
		s.draft(Draft{Type: "domain", Text: name})
	}
}

// data reads "NAME [TTL] [IN] TYPE DATA".
func (u *unboundReader) data(s *sink, record string) {
	f := strings.Fields(record)
	if len(f) < 3 {
		u.flush(s)
		s.lose("it is no record of a name, a type and data")
		return
	}
	name := strings.TrimSuffix(f[0], ".")
	same := strings.ToLower(name) == u.last
	typ, data := strings.ToUpper(f[len(f)-2]), f[len(f)-1]
	switch {
	case typ != "A" && typ != "AAAA":
		u.flush(s)
		s.lose("it answers a question and blocks nothing")
	case !nowhere(data):
		u.zone = nil // which only sends people elsewhere
		s.lose(whyReal)
	case u.zone != nil && same:
		u.flush(s)
	case !same:
		u.flush(s)
		s.draft(Draft{Type: "hostname", Text: name})
	}
	u.last = strings.ToLower(name)
}

// plainly is a value without quotes of either sort around it.
func plainly(s string) string {
	s = strings.TrimSpace(s)
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}
