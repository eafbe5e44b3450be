package codec

import (
	"io"
	"net/netip"
	"strings"
)

func init() {
	register(Format{Name: "adblock", Media: "text/plain; charset=utf-8",
		Describe: "domain rules of ad blockers: ||evil.example^ with what is beneath it, |evil.example^ for one host",
		Looks: func(h head) bool {
			return strings.HasPrefix(h.line, "||") || strings.HasPrefix(h.line, "@@||") || strings.HasPrefix(h.line, "[Adblock")
		},
		Read: byLine(readAdblock), List: writeAdblock})
}

// writeAdblock writes rules as AdGuard's DNS filtering reads them. Others read
// the rule of a domain alike; that of one host holds in AdGuard only.
func writeAdblock(w io.Writer, l List) error {
	return writeList(w, l.Items(names...), func(out *listWriter, i Item) {
		switch {
		case !isName(i.Text):
		case i.Kind == domainKind:
			out.line("||", i.Text, "^")
		default:
			out.line("|", i.Text, "^")
		}
	}, endComment("!"))
}

// cosmetic are the marks of rules that change pages and block no name.
var cosmetic = []string{"##", "#@#", "#?#", "#@?#", "#$#", "#@$#", "#$?#", "#%#", "#@%#", "$$"}

// readAdblock reads a rule that blocks a name whatever asks for it. Rules that
// hide parts of pages, match paths, or hold under conditions say nothing that a
// resolver could do.
func readAdblock(s *sink) {
	rule := strings.TrimSpace(s.line.text)
	switch {
	case rule == "", rule[0] == '!', rule[0] == '[' && strings.HasSuffix(rule, "]"), rule == "#", strings.HasPrefix(rule, "# "):
		return
	case strings.HasPrefix(rule, "@@"):
		s.lose(whyException)
		return
	}
	for _, mark := range cosmetic {
		if strings.Contains(rule, mark) {
			s.lose("it is a cosmetic rule, which hides parts of pages and blocks no name")
			return
		}
	}
	if len(rule) > 1 && rule[0] == '/' && strings.LastIndexByte(rule, '/') > 0 {
		s.lose("it is a regular expression, not a name")
		return
	}
	pattern, options, _ := strings.Cut(rule, "$")
	if why := adblockOptions(options); why != "" {
		s.lose(why)
		return
	}
	readPattern(s, pattern)
}

// readPattern reads what a rule matches.
func readPattern(s *sink, pattern string) {
	if f := strings.Fields(pattern); len(f) > 1 && nowhere(f[0]) {
		for _, name := range f[1:] { // a line of a hosts file, which AdGuard reads too
			if strings.HasPrefix(name, "#") {
				break
			}
			s.draft(Draft{Type: "hostname", Text: name})
		}
		return
	}
	name, anchored := strings.CutPrefix(pattern, "||")
	typ := "domain"
	if !anchored {
		name = strings.TrimPrefix(pattern, "|")
		typ = "hostname"
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "|"), "^")
	switch {
	case strings.HasPrefix(name, "*.") && strings.IndexByte(name[1:], '*') < 0:
		s.lose(whyBeneath)
		return
	case strings.Contains(name, "*"):
		s.lose("it is a pattern with *, not a name")
		return
	case strings.ContainsAny(name, "/^?=&"), strings.Contains(name, "://"):
		s.lose("it matches a path, not a whole name; blocking the name would stop more")
		return
	case name == "":
		s.lose("it names nothing")
		return
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		typ, name = "ip-dst", strings.Trim(name, "[]")
	}
	s.draft(Draft{Type: typ, Text: name})
}

// adblockOptions says why a rule with these options blocks a name only under
// conditions, or "".
func adblockOptions(options string) string {
	if options == "" {
		return ""
	}
	for o := range strings.SplitSeq(options, ",") {
		switch o = strings.TrimSpace(o); o {
		case "important", "all", "document", "doc", "":
			continue
		case "badfilter":
			return whyException
		}
		if target, ok := strings.CutPrefix(o, "dnsrewrite="); ok && rewritesToNothing(target) {
			continue
		}
		return "it blocks only under the condition $" + beginning([]byte(o)) + ", which a name can't say"
	}
	return ""
}

func rewritesToNothing(target string) bool {
	return strings.HasPrefix(target, "NXDOMAIN") || strings.HasPrefix(target, "REFUSED") || nowhere(target)
}
