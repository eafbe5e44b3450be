package rpz

import (
	"bufio"
	"fmt"
	"io"
)

// Dnsmasq writes the names of zones as a file for dnsmasq's servers-file, for
// resolvers that have no policy zones. A name that may be asked of no server
// does not exist for dnsmasq; whatever the action of its zone is, that is all
// that dnsmasq can do. As in zones, earlier ones decide.
//
// The first line names the serials, so that equal lists are equal octets, and
// the last one says how many names there were: a list without it was cut short.
func Dnsmasq(w io.Writer, zones ...Zone) error {
	out := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprint(out, "# Names that dnsmasq is to ask nobody for:")
	for _, z := range zones {
		fmt.Fprintf(out, " %s serial %d", z.Origin(), z.Serial())
	}
	fmt.Fprintln(out)
	l := names{out: out, zones: zones}
	for i := range zones {
		zones[i].Names(func(name []byte, t Trigger) bool {
			l.write(i, name, t)
			return l.err == nil
		})
	}
	if l.err != nil {
		return l.err
	}
	fmt.Fprintf(out, "# end of list, %d names\n", l.count)
	return out.Flush()
}

// names is what Dnsmasq has written so far.
type names struct {
	out   *bufio.Writer
	zones []Zone
	count int
	line  []byte
	err   error
}

// write writes a name of the zone numbered i, unless an earlier zone decides.
// dnsmasq takes the longest pattern that fits: "/a/" is a name and what is
// beneath it, "/*.a/" only what is beneath.
func (l *names) write(i int, name []byte, t Trigger) {
	if !legal(name, maxName-1) {
		return
	}
	for _, z := range l.zones[:i] {
		t &^= z.Has(name)
	}
	if t == 0 {
		return
	}
	l.count++
	server := l.server(i)
	if t&Exact != 0 {
		l.rule("", name, server)
	}
	switch others := l.beneath(name); {
	case t == Beneath:
		l.rule("*.", name, server)
	case t == Exact && others != server:
		l.rule("*.", name, others)
	}
}

// usual stands for the servers that dnsmasq asks anyway.
const usual = "#"

// server is whom dnsmasq is to ask about what a zone has a word on: nobody, or
// the usual ones where the zone lets names pass.
func (l *names) server(zone int) string {
	if l.zones[zone].Terms().withDefaults().Action == Passthru {
		return usual
	}
	return ""
}

// beneath is whom dnsmasq is to ask about names beneath this one, as the first
// zone says that has a word on them.
func (l *names) beneath(name []byte) string {
	for i, z := range l.zones {
		for at := name; len(at) > 0; at = at[1+int(at[0]):] {
			if z.Has(at)&Beneath != 0 {
				return l.server(i)
			}
		}
	}
	return usual
}

func (l *names) rule(mark string, name []byte, server string) {
	b := append(append(l.line[:0], "server=/"...), mark...)
	b = appendText(b, name)
	b = append(b[:len(b)-1], '/') // no final dot
	b = append(append(b, server...), '\n')
	l.line = b
	if _, err := l.out.Write(b); err != nil {
		l.err = err
	}
}
