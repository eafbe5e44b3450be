package export

import (
	"net/netip"
	"strconv"
	"strings"
)

// Rules of network sensors
//
// A rule is put together from words of ours and from values, which stand in it
// only between quotation marks, each octet that means something there written as
// |hex| (Snort and Suricata, "content") or \xHH (PCRE). What stands outside of
// quotation marks is an address or a number and is written by us.

// A dialect is what a sensor understands.
type dialect struct {
	name  string
	rules map[string]func(*ruler, *Claim)
}

// A ruler writes the rules of one claim.
type ruler struct {
	w    *Writer
	a    *Answer
	sid  int64
	mark string // what every message begins with
	tail string // what every rule ends with
}

// firstSID is where the numbers of rules begin: an attribute has ten.
const firstSID = 4_000_000

// writeRules writes rules in one dialect.
func writeRules(d *dialect) func(*Writer, *Answer) error {
	return func(w *Writer, a *Answer) error {
		w.add(`# MISP export of IDS rules - optimized for `, d.name, `
#
# These NIDS rules contain some variables that need to exist in your configuration.
# Make sure you have set:
#
# $HOME_NET     - Your internal network range
# $EXTERNAL_NET - The network considered as outside
# $SMTP_SERVERS - All your internal SMTP servers
# $HTTP_PORTS   - The ports used to contain HTTP traffic (not required with suricata export)
# `)
		r := &ruler{w: w, a: a}
		err := a.each(w, nil, func(c *Claim) {
			if rule := d.rules[c.Value.TypeName()]; rule != nil {
				r.about(c)
				rule(r, c)
			}
		})
		if err == nil {
			err = w.End()
		}
		return err
	}
}

// about prepares for the rules of a claim.
func (r *ruler) about(c *Claim) {
	r.sid = (firstSID + c.ID*10) % (1 << 32)
	event := strconv.FormatInt(c.In.ID, 10)
	tags := append(r.a.Names(c.Tags), r.a.Names(c.In.Tags)...)
	r.mark = "MISP e" + event + " [" + strings.Join(tags, ",") + "] "
	r.tail = "; rev:1; priority:" + strconv.Itoa(int(c.In.Threat)) + "; reference:url," + r.a.Base + "/events/view/" + event + ";) "
}

// A flow is where the traffic goes that a rule is about.
type flow struct{ protocol, from, fromPort, to, toPort string }

const (
	home, outside, mail = "$HOME_NET", "$EXTERNAL_NET", "$SMTP_SERVERS"
	session             = "tag:session,600,seconds;"
)

// rule writes one rule. message is a value, content a list of options of ours.
func (r *ruler) rule(f flow, message, content, tag string) {
	r.sid++
	r.w.add("\nalert ", f.protocol, " ", f.from, " ", f.fromPort, " -> ", f.to, " ", f.toPort, ` (msg: "`)
	r.w.B = appendMessage(r.w.B, r.mark+message)
	r.w.add(`"; `, content, " ", tag, " classtype:trojan-activity; sid:")
	r.w.B = strconv.AppendInt(r.w.B, r.sid, 10)
	r.w.add(r.tail)
}

// appendMessage appends what a sensor logs with a hit. Its marks can't be written
// there, so others stand for them; what is not printable goes.
func appendMessage(b []byte, s string) []byte {
	for _, c := range s {
		switch {
		case c == '"':
			b = append(b, '\'')
		case c == ';' || c == '\\' || c == '(' || c == ')':
			b = append(b, '_')
		case c >= ' ' && c < 0x7f:
			b = append(b, byte(c))
		default:
			b = append(b, '?')
		}
	}
	return b
}

// content is a value for the option of that name: octets that mean something to a
// sensor, or that are not printable, in hexadecimal between bars.
func content(s string) string {
	var b strings.Builder
	hex := false
	for i := range len(s) {
		c := s[i]
		bare := c > ' ' && c < 0x7f && !strings.ContainsRune(`";\|:()`, rune(c)) || c == ' ' && i > 0 && i < len(s)-1
		switch {
		case bare && hex:
			b.WriteByte('|')
		case !bare && !hex:
			b.WriteByte('|')
		case !bare:
			b.WriteByte(' ')
		}
		if hex = !bare; bare {
			b.WriteByte(c)
		} else {
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	if hex {
		b.WriteByte('|')
	}
	return b.String()
}

// pattern is a value for a regular expression, in which each octet stands for itself.
func pattern(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			b.WriteByte(c)
		case c == '.' || c == '-':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteString(`\x`)
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}

// endpoint is an address with its port, if it has one.
func endpoint(c *Claim) (ip, port string) {
	if ip, port = address(c), "any"; strings.HasSuffix(c.Value.TypeName(), "|port") {
		if n, err := strconv.ParseUint(c.side(1), 10, 16); err == nil {
			port = strconv.FormatUint(n, 10)
		}
	}
	return ip, port
}

func outgoing(r *ruler, c *Claim) {
	if ip, port := endpoint(c); ip != "" {
		r.rule(flow{"ip", home, "any", ip, port}, "Outgoing To IP: "+c.Value.String(), "", "")
	}
}

func incoming(r *ruler, c *Claim) {
	if ip, port := endpoint(c); ip != "" {
		r.rule(flow{"ip", ip, port, home, "any"}, "Incoming From IP: "+c.Value.String(), "", "")
	}
}

func both(r *ruler, c *Claim) {
	if ip := address(c); ip != "" {
		r.rule(flow{"ip", home, "any", ip, "any"}, "Outgoing To IP: "+ip, "", "")
		r.rule(flow{"ip", ip, "any", home, "any"}, "Incoming From IP: "+ip, "", "")
	}
}

var toMail = flow{"tcp", outside, "any", mail, "25"}

// mailRule is about a line of a mail or of the talk before it.
func mailRule(before, message string, quotes bool) func(*ruler, *Claim) {
	return func(r *ruler, c *Claim) {
		said := message
		if strings.HasSuffix(said, ": ") {
			said += c.Value.String()
		}
		after := ""
		if quotes {
			after = "|22|"
		}
		r.rule(toMail, said, `flow:established,to_server; content:"`+before+`"; nocase; content:"`+content(c.Value.String())+after+
			`"; fast_pattern; nocase; content:"|0D 0A 0D 0A|"; within:8192;`, session)
	}
}

var (
	mailFrom       = mailRule("MAIL FROM|3A|", "Source Email Address: ", false)
	mailTo         = mailRule("RCPT TO|3A|", "Destination Email Address: ", false)
	mailSubject    = mailRule("Subject|3A|", "Bad Email Subject", false)
	mailAttachment = mailRule("Content-Disposition|3A| attachment|3B| filename|3D 22|", "Bad Email Attachment", true)
)

// named checks that a text is a name that DNS can carry.
func named(rule func(r *ruler, name string)) func(*ruler, *Claim) {
	return func(r *ruler, c *Claim) {
		if name := c.side(0); isZoneName(name) {
			rule(r, name)
		}
	}
}

// ownRule passes a rule on that somebody shared as such, under a number of ours.
func ownRule(r *ruler, c *Claim) {
	for _, text := range networkRules(c.Value.String()) {
		r.sid++
		r.w.add("\n")
		r.w.B = appendNumbered(r.w.B, text, r.sid)
	}
}

// networkRules are the rules in a text, each on one line.
func networkRules(text string) (rules []string) {
	text = strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(text)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && len(rules) < 9 {
			rules = append(rules, line)
		}
	}
	return rules
}

// appendNumbered appends a rule with its sid replaced, or added at the end.
func appendNumbered(b []byte, rule string, sid int64) []byte {
	number := "sid:" + strconv.FormatInt(sid, 10) + ";"
	from, to := optionAt(rule, "sid")
	if from < 0 {
		end := strings.LastIndexByte(rule, ')')
		if end < 0 {
			return append(b, "# "+rule...)
		}
		return append(append(append(b, rule[:end]...), " "+number...), rule[end:]...)
	}
	return append(append(append(b, rule[:from]...), number...), rule[to:]...)
}

// optionAt finds an option outside of quotation marks: where it begins and what follows
// its semicolon.
func optionAt(rule, name string) (from, to int) {
	quoted, begin := false, -1
	for i := 0; i < len(rule); i++ {
		switch c := rule[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' && begin < 0:
			begin = i + 1
		case c == ';' && begin >= 0:
			option := rule[begin:i]
			word, _, _ := strings.Cut(option, ":")
			if strings.TrimSpace(word) == name {
				return begin + len(option) - len(strings.TrimLeft(option, " \t")), i + 1
			}
			begin = i + 1
		}
	}
	return -1, -1
}

// isIP reports whether a host is an address.
func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
