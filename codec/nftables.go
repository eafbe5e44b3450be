package codec

import (
	"io"
	"iter"
	"net/netip"
	"strings"

	"tocsin/indicator"
)

func init() {
	register(Format{Name: "nftables", Media: "text/plain; charset=utf-8", Extensions: []string{".nft"},
		Describe: "sets of addresses for nft -f, in the table inet tocsin: bad4 and bad6",
		Looks: func(h head) bool {
			f := strings.Fields(h.line)
			return len(f) > 1 && (nftCommands[f[0]] || f[0] == "table" || f[0] == "define")
		},
		Read: readNftables, List: writeNftables})
}

// nftCommands are the words that begin a command about a table or a set.
var nftCommands = map[string]bool{"add": true, "create": true, "flush": true, "delete": true, "destroy": true}

// writeNftables replaces the content of two sets in one transaction. Rules that
// use them are the operator's and stay. All elements stand within one pair
// of braces, so nft(8) refuses a file that was cut short.
func writeNftables(w io.Writer, l List) error {
	out := &listWriter{Writer: newBuffer(w)}
	out.WriteString(`# rules of yours use the sets: ip daddr @bad4 drop
table inet tocsin {
	set bad4 { type ipv4_addr; flags interval; auto-merge; }
	set bad6 { type ipv6_addr; flags interval; auto-merge; }
}
flush set inet tocsin bad4
flush set inet tocsin bad6
table inet tocsin {
`)
	if err := out.set("bad4", "ipv4_addr", l, netip.Addr.Is4); err != nil {
		return err
	}
	if err := out.set("bad6", "ipv6_addr", l, netip.Addr.Is6); err != nil {
		return err
	}
	out.WriteString("}\n")
	endComment("#")(out)
	return out.Flush()
}

// set writes a set of the addresses of one family.
func (w *listWriter) set(name, typ string, l List, family func(netip.Addr) bool) error {
	w.WriteString("\tset " + name + " {\n\t\ttype " + typ + "; flags interval; auto-merge;\n")
	var buf []byte
	before := "\t\telements = {\n\t\t\t"
	for i, err := range l.Items(indicator.Prefix) {
		if err != nil {
			return err
		}
		if !i.Prefix.IsValid() || !family(i.Prefix.Addr()) {
			continue
		}
		buf = append(buf[:0], before...)
		buf = appendPrefix(buf, i)
		if _, err := w.Write(buf); err != nil {
			return err
		}
		w.entries++
		before = ",\n\t\t\t"
	}
	if before[0] == ',' {
		w.WriteString("\n\t\t}\n")
	}
	w.WriteString("\t}\n")
	return nil
}

// readNftables reads the elements of sets of addresses, wherever they stand:
// addresses, prefixes, ranges, with what may follow an element (timeout, expires,
// counter, comment). Other commands block nothing by themselves and are passed over.
func readNftables(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		n := nftReader{}
		eachLine(r, yield, n.line)
	}
}

// An nftReader follows the braces of a file.
type nftReader struct {
	words   []string // since the last ";", line end or brace, outside of elements
	depth   int      // braces within elements
	element []string // the words of the element that is read
}

func (n *nftReader) line(s *sink) {
	text := s.line.text
	for {
		token, rest, quoted := nftToken(text)
		if token == "" && !quoted {
			break
		}
		text = rest
		n.token(s, token, quoted)
		if s.stopped {
			return
		}
	}
	if n.depth == 0 && !strings.HasSuffix(strings.TrimSpace(s.line.text), `\`) {
		n.words = n.words[:0]
	}
}

func (n *nftReader) token(s *sink, token string, quoted bool) {
	switch {
	case quoted:
		n.word(token)
	case token == "{" && n.depth == 0 && !n.elements():
		n.words = n.words[:0]
	case token == "{":
		n.depth++
	case token == "}" && n.depth > 0:
		n.end(s)
		n.depth--
		n.words = n.words[:0]
	case token == "," && n.depth > 0:
		n.end(s)
	case token == ";" || token == "}":
		n.words = n.words[:0]
	default:
		n.word(token)
	}
}

// maxWords bounds what is kept of a file that is not what it says it is.
const maxWords = 64

func (n *nftReader) word(w string) {
	switch {
	case n.depth > 0 && len(n.element) < maxWords:
		n.element = append(n.element, w)
	case n.depth == 0 && len(n.words) < maxWords:
		n.words = append(n.words, w)
	}
}

// elements reports whether a brace that opens here holds elements: after
// "elements =", "add element inet filter bad" or "define bad =".
func (n *nftReader) elements() bool {
	w := n.words
	switch {
	case len(w) == 0:
		return false
	case w[len(w)-1] == "=":
		return w[0] == "elements" || w[0] == "define"
	}
	return len(w) > 1 && (w[0] == "add" || w[0] == "create") && w[1] == "element"
}

// end takes the element that was read.
func (n *nftReader) end(s *sink) {
	e := n.element
	n.element = n.element[:0]
	if len(e) == 0 {
		return
	}
	for _, w := range e {
		switch w {
		case ".", ":":
			s.lose("an element of several parts is more than an address")
			return
		}
	}
	text := e[0]
	if len(e) > 2 && e[1] == "-" {
		text = e[0] + "-" + e[2]
	}
	comment := ""
	for i, w := range e {
		if w == "comment" && i+1 < len(e) {
			comment = e[i+1]
		}
	}
	if from, to, ok := strings.Cut(text, "-"); ok {
		n.span(s, from, to, comment)
		return
	}
	if _, err := netip.ParseAddr(text); err != nil {
		if _, err := netip.ParsePrefix(text); err != nil {
			s.lose(nftWhy(text))
			return
		}
	}
	s.draft(Draft{Type: "ip-dst", Text: text, Comment: comment})
}

func nftWhy(text string) string {
	switch {
	case strings.HasPrefix(text, "$"), strings.HasPrefix(text, "@"):
		return "it stands for elements that are defined elsewhere"
	}
	return "an element is no address: is it a set of something else?"
}

// span takes a range as the fewest prefixes that make it up.
func (n *nftReader) span(s *sink, from, to, comment string) {
	a, err := netip.ParseAddr(strings.TrimSpace(from))
	b, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err != nil || err2 != nil || a.BitLen() != b.BitLen() || b.Less(a) {
		s.lose("it is no range of addresses")
		return
	}
	for _, p := range prefixes(a, b) {
		text := p.String()
		if p.IsSingleIP() {
			text = p.Addr().String()
		}
		s.draft(Draft{Type: "ip-dst", Text: text, Comment: comment})
		if s.stopped {
			return
		}
	}
}

// prefixes returns the fewest prefixes that cover a to b and nothing else, at
// most twice as many as an address has bits.
func prefixes(a, b netip.Addr) (ps []netip.Prefix) {
	for {
		size := a.BitLen()
		for size > 0 {
			p := netip.PrefixFrom(a, size-1)
			if p.Masked().Addr() != a || b.Less(lastOf(p)) {
				break
			}
			size--
		}
		p := netip.PrefixFrom(a, size)
		ps = append(ps, p)
		last := lastOf(p)
		if last == b {
			return ps
		}
		a = last.Next()
	}
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// nftToken returns the next word of a line: text in quotes, one of { } , ; = or
// what stands between them and blanks. A "#" ends the line.
func nftToken(s string) (token, rest string, quoted bool) {
	s = strings.TrimLeft(s, " \t\r")
	if s == "" || s[0] == '#' {
		return "", "", false
	}
	switch s[0] {
	case '{', '}', ',', ';', '=':
		return s[:1], s[1:], false
	case '"':
		if end := strings.IndexByte(s[1:], '"'); end >= 0 {
			return s[1 : end+1], s[end+2:], true
		}
		return s[1:], "", true
	}
	end := strings.IndexAny(s, " \t\r{},;=\"#")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], false
}
