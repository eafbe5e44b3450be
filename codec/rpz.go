package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tocsin/indicator"
)

func init() {
	register(Format{Name: "rpz", Media: "text/dns", Extensions: []string{".zone", ".rpz"},
		Describe: "a response policy zone as a master file, answering NXDOMAIN",
		Looks:    looksLikeZone, Read: readRPZ, List: writeRPZ})
}

func looksLikeZone(h head) bool {
	if strings.HasPrefix(h.line, "$TTL") || strings.HasPrefix(h.line, "$ORIGIN") {
		return true
	}
	if strings.ContainsAny(h.line, `":`) {
		return false // Unbound has such records too
	}
	f := strings.Fields(strings.ToUpper(h.line))
	for i, w := range f {
		if (w == "SOA" || w == "CNAME") && i > 0 && i < len(f)-1 {
			return true
		}
	}
	return false
}

// maxOwner leaves 32 octets of a name's 253 for the zone's own: one owner that
// does not fit makes some refuse the whole zone.
const maxOwner = 253 - 32

// writeRPZ writes a master file (RFC 1035, section 5) without an origin: it takes
// that of the zone it is loaded as. Addresses are written in the one form that
// BIND takes for canonical.
func writeRPZ(w io.Writer, l List) error {
	out := &listWriter{Writer: newBuffer(w)}
	fmt.Fprintf(out, "$TTL 60\n@ SOA localhost. hostmaster.localhost. %d 3600 600 86400 60\n@ NS localhost.\n", max(l.Serial, 1))
	var buf []byte
	kinds := []indicator.Kind{indicator.Domain, indicator.Host, indicator.Prefix}
	return out.write(l.Items(kinds...), func(out *listWriter, i Item) {
		const nxdomain = " CNAME ."
		switch {
		case i.Kind == indicator.Prefix && i.Prefix.IsValid():
			buf = AppendReversed(buf[:0], i.Prefix.Masked())
			out.line("", buf, ".rpz-ip"+nxdomain)
		case i.Kind == indicator.Prefix || !isName(i.Text) || len(i.Text) > maxOwner:
		default:
			out.line("", i.Text, nxdomain)
			if i.Kind == domainKind && len(i.Text)+len("*.") <= maxOwner {
				out.line("*.", i.Text, nxdomain)
			}
		}
	}, func(out *listWriter) { fmt.Fprintf(out, "; end of zone, records: %d\n", out.entries) })
}

// AppendReversed appends a prefix as the owner of an rpz-ip trigger begins: its
// length, then the address backwards, "zz" for the longest run of zero words, the
// first of several as in RFC 5952. BIND drops a record that is written otherwise.
func AppendReversed(b []byte, p netip.Prefix) []byte {
	b = strconv.AppendInt(b, int64(p.Bits()), 10)
	if p.Addr().Is4() {
		a := p.Addr().As4()
		for i := 3; i >= 0; i-- {
			b = strconv.AppendInt(append(b, '.'), int64(a[i]), 10)
		}
		return b
	}
	raw := p.Addr().As16()
	var w [8]uint16
	for i := range w {
		w[i] = binary.BigEndian.Uint16(raw[2*i:])
	}
	from, n := 0, 1
	for i := 0; i < 8; i++ {
		j := i
		for j < 8 && w[j] == 0 {
			j++
		}
		if j-i > n {
			from, n = i, j-i
		}
		i = max(i, j-1)
	}
	for i := 7; i >= 0; i-- {
		b = append(b, '.')
		if n > 1 && i == from+n-1 {
			b = append(b, "zz"...)
			i = from
			continue
		}
		b = strconv.AppendUint(b, uint64(w[i]), 16)
	}
	return b
}

// readRPZ reads a master file's policies. The records of a name become one claim:
// a name with its wildcard is a domain with all that is beneath it, a name alone
// one host. What lets names through is no claim, nor is what acts on
// clients or name servers.
func readRPZ(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		z := zoneReader{pairs: pairs{at: map[string]int{}}}
		s := sink{yield: yield}
		var end error
		for l, err := range lines(r) {
			lost, ok := errors.AsType[*LineError](err)
			switch {
			case ok:
				if z.open > 0 {
					z.lose(z.first, "one of its lines can't be read")
					z.open = 0
				}
				z.lose(line{number: lost.Number, text: lost.Text}, lost.Why)
			case err != nil:
				end = err
			default:
				z.line(l)
			}
			if z.flush(&s, pairWindow); s.stopped {
				return
			}
		}
		if end == nil && z.open > 0 {
			z.lose(z.first, whyOpen)
		}
		if z.flush(&s, 0); end != nil && !s.stopped {
			yield(Draft{}, end)
		}
	}
}

const whyOpen = "its parentheses are opened and not closed"

// policy reads a record of the owner.
func (z *zoneReader) policy(typ string, data []string) {
	switch typ {
	case "SOA":
		if !z.known && z.owner != "@" && strings.HasSuffix(z.owner, ".") {
			z.apex = z.owner
		}
		z.known = true
		return
	case "NS", "TXT", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "ZONEMD", "CDS", "CDNSKEY":
		return
	}
	trigger, why := z.trigger()
	if why == "" && len(data) == 0 {
		why = "it has no data"
	}
	action := ""
	if why == "" {
		action, why = z.action(typ, data[0], trigger)
	}
	if why != "" {
		z.lose(z.first, why)
		return
	}
	z.act(trigger, action)
}

// trigger is the owner without the name of the zone.
func (z *zoneReader) trigger() (t, why string) {
	switch {
	case z.owner == "" || z.owner == "@" || z.owner == z.apex:
		return "", whyAll
	case z.apex == "" || z.apex == ".":
		// Some write names with a final dot in a zone that has no name.
		return strings.ToLower(strings.TrimSuffix(z.owner, ".")), ""
	}
	t, ok := cutSuffixFold(z.owner, "."+z.apex)
	if !ok {
		return "", "it is not in the zone " + z.apex
	}
	return strings.ToLower(t), ""
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n >= 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n], true
	}
	return s, false
}

// action says what a policy does beside blocking, or why it doesn't block.
func (z *zoneReader) action(typ, data, trigger string) (action, why string) {
	switch {
	case typ == "A" || typ == "AAAA":
		if nowhere(data) {
			return "", ""
		}
		return "answered with " + data, ""
	case typ != "CNAME":
		return "", "a record of type " + beginning([]byte(typ)) + " is no policy that blocks"
	}
	switch target := strings.ToLower(data); {
	case target == ".":
		return "", ""
	case target == "*.":
		return "answered without data", ""
	case target == "rpz-drop.":
		return "dropped", ""
	case target == "rpz-tcp-only.":
		return "", "it only makes the client ask over TCP"
	case target == "rpz-passthru.", strings.TrimSuffix(target, ".") == trigger: // the second is how it was said once
		return "", whyException
	default:
		return "sent to " + data, ""
	}
}

// act files a policy under what triggers it.
func (z *zoneReader) act(trigger, action string) {
	comment := z.note
	if action != "" && comment != "" {
		comment = action + "; " + comment
	} else if action != "" {
		comment = action
	}
	if i := strings.LastIndex(trigger, ".rpz-"); i >= 0 || strings.HasPrefix(trigger, "rpz-") {
		z.special(trigger[:max(i, 0)], trigger[i+1:], comment)
		return
	}
	name, beneath := strings.CutPrefix(trigger, "*.")
	switch {
	case trigger == "*":
		z.lose(z.first, whyAll)
	case strings.ContainsAny(name, `*\`):
		z.lose(z.first, "it is no name that one asks for")
	default:
		z.name(z.first, name, beneath, comment)
	}
}

// special files a policy whose trigger is not the name that is asked for.
func (z *zoneReader) special(what, trigger, comment string) {
	switch trigger {
	case "rpz-ip":
		p, ok := parseReversed(what)
		if !ok {
			z.lose(z.first, "it is no address as in 24.0.2.0.192.rpz-ip")
			return
		}
		text := p.String()
		if p.IsSingleIP() {
			text = p.Addr().String()
		}
		z.address(z.first, text, comment)
	case "rpz-client-ip":
		z.lose(z.first, "it is about who asks, not about what is asked for")
	case "rpz-nsip", "rpz-nsdname":
		z.lose(z.first, "it is about name servers, and there is no type for these")
	default:
		z.lose(z.first, "there is no such trigger")
	}
}

// parseReversed reads what [AppendReversed] writes, and other spellings of it.
func parseReversed(s string) (netip.Prefix, bool) {
	f := strings.Split(s, ".")
	bits, err := strconv.Atoi(f[0])
	slices.Reverse(f)
	words := f[:len(f)-1]
	var a netip.Addr
	switch zz := slices.Index(words, "zz"); {
	case err != nil || len(words) < 1 || len(words) > 8:
		return netip.Prefix{}, false
	case zz >= 0:
		a, err = netip.ParseAddr(strings.Join(words[:zz], ":") + "::" + strings.Join(words[zz+1:], ":"))
	case len(words) == 4:
		a, err = netip.ParseAddr(strings.Join(words, "."))
	default:
		a, err = netip.ParseAddr(strings.Join(words, ":"))
	}
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}
