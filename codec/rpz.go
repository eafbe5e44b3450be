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
			buf = appendReversed(buf[:0], i.Prefix.Masked())
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

// appendReversed appends a prefix as the owner of an rpz-ip trigger begins: its
// length, then the address backwards, "zz" for the longest run of zero words, the
// first of several as in RFC 5952. BIND drops a record that is written otherwise.
func appendReversed(b []byte, p netip.Prefix) []byte {
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

// A zoneReader joins the lines of a record and keeps what a master file leaves out.
type zoneReader struct {
	pairs

	origin string // to which names are relative, with its final dot; "": that of whoever loads it
	apex   string // the zone's name, likewise; "" if the file does not say it
	known  bool   // the apex is settled
	owner  string // of the record before

	first  line // of the record that is read
	fields []string
	blank  bool // it begins with a blank: the owner is the one before
	open   int  // parentheses
	size   int
	note   string // its last comment
}

// line reads one line; a record is done when its parentheses are closed.
func (z *zoneReader) line(l line) {
	if z.open == 0 {
		z.first, z.fields, z.size, z.note = l, z.fields[:0], 0, ""
		z.blank = l.text != "" && (l.text[0] == ' ' || l.text[0] == '\t')
	}
	z.size += len(l.text)
	switch why := z.split(l.text); {
	case z.size > MaxLine:
		z.lose(z.first, whyOpen)
		z.open = 0
	case why != "":
		z.lose(z.first, why)
		z.open = 0
	case z.open == 0 && len(z.fields) > 0:
		z.record()
	}
}

// split appends the words of a line.
func (z *zoneReader) split(text string) (why string) {
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			i++
		case ';':
			z.note = strings.TrimSpace(text[i+1:])
			return ""
		case '(':
			z.open++
			i++
		case ')':
			if z.open == 0 {
				return "a parenthesis is closed and not opened"
			}
			z.open--
			i++
		case '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return `a quote (") is opened and not closed`
			}
			z.fields = append(z.fields, text[i:i+end+2])
			i += end + 2
		default:
			end := i
			for end < len(text) && !endsWord[text[end]] {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(text))
			z.fields = append(z.fields, text[i:end])
			i = end
		}
	}
	return ""
}

var endsWord = [256]bool{' ': true, '\t': true, '\r': true, ';': true, '(': true, ')': true, '"': true}

// record reads a directive or a record.
func (z *zoneReader) record() {
	f := z.fields
	if !z.blank && f[0][0] == '$' {
		z.directive(strings.ToUpper(f[0]), f[1:])
		return
	}
	if !z.blank {
		z.owner, f = z.absolute(f[0]), f[1:]
	}
	for len(f) > 0 && isClassOrTTL(f[0]) {
		f = f[1:]
	}
	if len(f) == 0 {
		z.lose(z.first, "it has no type")
		return
	}
	z.policy(strings.ToUpper(f[0]), f[1:])
}

func (z *zoneReader) directive(name string, args []string) {
	switch {
	case name == "$TTL":
	case name == "$ORIGIN" && len(args) == 1:
		z.origin = z.absolute(args[0])
		if !z.known {
			z.apex, z.known = z.origin, true
		}
	default:
		z.lose(z.first, "there is no reading other files or generating records here")
	}
}

func isClassOrTTL(w string) bool {
	switch strings.ToUpper(w) {
	case "IN", "CH", "HS":
		return true
	}
	return w[0] >= '0' && w[0] <= '9' && strings.Trim(w, "0123456789smhdwSMHDW") == ""
}

// absolute returns a name with its final dot if the origin is known, and relative
// to the unknown origin if it is not. The origin itself is "@" then.
func (z *zoneReader) absolute(name string) string {
	switch {
	case name == "@" && z.origin == "":
		return "@"
	case name == "@":
		return z.origin
	case strings.HasSuffix(name, ".") || z.origin == "":
		return name
	case z.origin == ".":
		return name + "."
	}
	return name + "." + z.origin
}

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

// parseReversed reads what [appendReversed] writes, and other spellings of it.
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
