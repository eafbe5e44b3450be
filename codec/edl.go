package codec

import (
	"bytes"
	"io"
	"iter"

	"tocsin/indicator"
)

// External dynamic lists are what firewalls fetch: one sort of thing a list, one
// a line, and nothing else, since not every firewall knows comments.
func init() {
	const plain = "text/plain; charset=utf-8"
	register(Format{Name: "edl-domain", Media: plain, Read: readText,
		Describe: "domains for a firewall's external list; what is beneath a domain as a line of its own, *.evil.example", List: writeEDLDomain})
	register(Format{Name: "edl-ip", Media: plain, Read: readText,
		Describe: "addresses and ranges for a firewall's external list", List: writeEDLAddress})
	register(Format{Name: "edl-url", Media: plain, Read: readText,
		Describe: "URLs without their scheme for a firewall's external list", List: writeEDLURL})
}

func nothingMore(*listWriter) {}

// writeEDLDomain writes a line for a host and two for a domain: firewalls take a
// name for that name alone.
func writeEDLDomain(w io.Writer, l List) error {
	return writeList(w, l.Items(names...), func(out *listWriter, i Item) {
		if !isName(i.Text) {
			return
		}
		out.line("", i.Text, "")
		if i.Kind == domainKind {
			out.line("*.", i.Text, "")
		}
	}, nothingMore)
}

// writeEDLAddress writes prefixes (CIDR), a single address without its length.
func writeEDLAddress(w io.Writer, l List) error {
	var buf []byte
	return writeList(w, l.Items(indicator.Prefix), func(out *listWriter, i Item) {
		if !i.Prefix.IsValid() {
			return
		}
		buf = appendPrefix(buf[:0], i)
		out.line("", buf, "")
	}, nothingMore)
}

// appendPrefix appends an address, or a range as CIDR.
func appendPrefix(b []byte, i Item) []byte {
	if i.Prefix.IsSingleIP() {
		return i.Prefix.Addr().AppendTo(b)
	}
	return i.Prefix.AppendTo(b)
}

// writeEDLURL leaves out what would not stay one entry: blanks end it, and to
// some "*", "^" and "#" mean something.
func writeEDLURL(w io.Writer, l List) error {
	return writeList(w, l.Items(indicator.URL), func(out *listWriter, i Item) {
		u := schemeless(i.Text)
		if len(u) == 0 || bytes.ContainsFunc(u, notInURL) {
			return
		}
		out.line("", u, "")
	}, nothingMore)
}

func notInURL(r rune) bool {
	return r <= ' ' || r >= 0x7f || r == '*' || r == '^' || r == '#' || r == '"' || r == '<' || r == '>' || r == '\\'
}

// A Shard is one of several parts that a list is cut into, for firewalls that take
// no more than so many lines. What is in which part depends on nothing but the
// thing itself, so parts that are fetched at different times lose nothing
// between them.
type Shard struct{ Part, Of int } // Part counts from 1

// List returns the items of l that are in the shard.
func (s Shard) List(l List) List {
	if s.Of < 2 {
		return l
	}
	all := l.Items
	l.Items = func(kinds ...indicator.Kind) iter.Seq2[Item, error] {
		return func(yield func(Item, error) bool) {
			for i, err := range all(kinds...) {
				if (err != nil || s.has(i)) && !yield(i, err) {
					return
				}
			}
		}
	}
	return l
}

// has uses FNV-1a, 32 bits, which is the same on every node and after an upgrade.
func (s Shard) has(i Item) bool {
	h := uint32(2166136261)
	for _, c := range i.Text {
		h = (h ^ uint32(c)) * 16777619
	}
	h ^= h >> 16
	return int(h%uint32(s.Of)) == s.Part-1
}
