package collection

import (
	"bytes"
	"net/netip"
	"strconv"

	"tocsin/indicator"
)

// A policy zone acts on names and on addresses. In the table of a collection
// both are keys: a name is its row of labels, an address or network is packed
// behind an octet that is no label's length. A zone writes each key as the owner
// name that means it there (draft-vixie-dnsop-dns-rpz-00, section 4): a domain is
// itself in one zone and "evil.example.rpz-nsdname" in another.
const (
	packed4 = 0xf4
	packed6 = 0xf6
)

// The widest networks that a zone takes. A /8 is more than one attacker ever has,
// and a /19 of IPv6 is all that a large carrier has: whatever is wider is a slip,
// and would take a country off the net.
const (
	widest4 = 8
	widest6 = 19
)

// pack returns the key of a network, and false for one too wide to block.
func pack(p netip.Prefix) ([]byte, bool) {
	a, n := p.Addr(), p.Bits()
	if a.Is4In6() && n >= 96 {
		a, n = a.Unmap(), n-96 // BIND knows only one of the two
	}
	p, err := a.WithZone("").Prefix(n) // with host bits BIND drops the record
	switch {
	case err != nil:
		return nil, false
	case a.Is4():
		return append([]byte{packed4, byte(n)}, p.Addr().AsSlice()...), n >= widest4
	}
	return append([]byte{packed6, byte(n)}, p.Addr().AsSlice()...), n >= widest6
}

// isPrefix reports whether a key is a network rather than a name.
func isPrefix(key []byte) bool { return key[0] >= packed4 }

// isName reports whether a row of labels from a stranger may be a key.
func isName(wire []byte) bool { return len(wire) > 0 && !isPrefix(wire) }

// unpack is the network of a key.
func unpack(key []byte) netip.Prefix {
	a, _ := netip.AddrFromSlice(key[2:])
	return netip.PrefixFrom(a, int(key[1]))
}

// What an owner name ends in that is no name to be asked for.
const (
	rpzIP     = "\x06rpz-ip"
	rpzNSIP   = "\x08rpz-nsip"
	rpzNSName = "\x0brpz-nsdname"
)

// holds reports whether a key is for zone z at all.
func (z zone) holds(key []byte) bool {
	switch z {
	case ns:
		return true
	case ip:
		return isPrefix(key)
	}
	return !isPrefix(key)
}

// owner appends the name that stands for a key in zone z.
func (z zone) owner(b, key []byte) []byte {
	switch {
	case z == ip:
		return append(reversed(b, unpack(key)), rpzIP...)
	case z == ns && isPrefix(key):
		return append(reversed(b, unpack(key)), rpzNSIP...)
	case z == ns:
		return append(append(b, key...), rpzNSName...)
	}
	return append(b, key...)
}

// key returns what an owner name of zone z stands for, and false if it is not
// one as [zone.owner] writes it.
func (z zone) key(owner []byte) ([]byte, bool) {
	cut := func(suffix string) ([]byte, bool) { return bytes.CutSuffix(owner, []byte(suffix)) }
	suffix := rpzIP
	switch z {
	case ns:
		if name, ok := cut(rpzNSName); ok {
			return name, isName(name)
		}
		suffix = rpzNSIP
	case ip:
	default:
		return owner, isName(owner)
	}
	labels, ok := cut(suffix)
	p, read := readReversed(labels)
	if !ok || !read {
		return nil, false
	}
	key, ok := pack(p)
	return key, ok && bytes.Equal(z.owner(nil, key), owner)
}

// reversed appends a network as labels: its length, then its address from the
// end. Of IPv6 the longest run of two or more words of zero is the one label
// "zz", of equally long runs the one that is first in the address. That is the
// form which BIND writes itself, and it drops whatever differs from that.
func reversed(b []byte, p netip.Prefix) []byte {
	b = label(b, uint64(p.Bits()), 10)
	if p.Addr().Is4() {
		a := p.Addr().As4()
		for i := 3; i >= 0; i-- {
			b = label(b, uint64(a[i]), 10)
		}
		return b
	}
	words := wordsOf(p.Addr())
	from, n := longestZeros(words)
	for i := 7; i >= 0; i-- {
		if n > 1 && i == from+n-1 {
			b = append(b, "\x02zz"...)
			i = from
			continue
		}
		b = label(b, uint64(words[i]), 16)
	}
	return b
}

func label(b []byte, n uint64, base int) []byte {
	at := len(b)
	b = strconv.AppendUint(append(b, 0), n, base)
	b[at] = byte(len(b) - at - 1)
	return b
}

func wordsOf(a netip.Addr) (words [8]uint16) {
	for i, o := range a.As16() {
		words[i/2] = words[i/2]<<8 | uint16(o)
	}
	return words
}

// longestZeros finds the first of the longest runs of zeros.
func longestZeros(words [8]uint16) (from, n int) {
	run := 0
	for i, w := range words {
		if w != 0 {
			run = 0
			continue
		}
		if run++; run > n {
			from, n = i-run+1, run
		}
	}
	return from, n
}

// readReversed reads what reversed writes, and more: who asks for a name may have
// written anything.
func readReversed(labels []byte) (p netip.Prefix, ok bool) {
	var parts [10]string
	n := 0
	for len(labels) > 0 {
		size := int(labels[0])
		if n == len(parts) || size >= len(labels) {
			return p, false
		}
		parts[n], labels = string(labels[1:1+size]), labels[1+size:]
		n++
	}
	if n < 2 {
		return p, false
	}
	bits, err := strconv.ParseUint(parts[0], 10, 8)
	if err != nil {
		return p, false
	}
	a, ok := addressOf(parts[1:n])
	return netip.PrefixFrom(a, int(bits)), ok
}

// addressOf reads an address from its parts, which begin at its end.
func addressOf(parts []string) (netip.Addr, bool) {
	text := make([]byte, 0, 40)
	sep := byte('.')
	if four := len(parts) == 4; !four || containsZZ(parts) {
		sep = ':'
	}
	for i := len(parts) - 1; i >= 0; i-- {
		switch {
		case parts[i] != "zz":
			text = append(text, parts[i]...)
			if i > 0 {
				text = append(text, sep)
			}
		case i == len(parts)-1:
			text = append(text, "::"...)
		default:
			text = append(text, ':')
		}
	}
	a, err := netip.ParseAddr(string(text))
	return a, err == nil && a.Zone() == ""
}

func containsZZ(parts []string) bool {
	for _, p := range parts {
		if p == "zz" {
			return true
		}
	}
	return false
}

// kindOf is what a value in a list names, given its key and triggers.
func kindOf(key []byte, t Trigger) indicator.Kind {
	switch {
	case isPrefix(key):
		return indicator.Prefix
	case t&Beneath != 0:
		return indicator.Domain
	}
	return indicator.Host
}

// appendText appends a key as people write it. Names in collections are letters,
// digits, hyphens and underscores only, so nothing needs escaping.
func appendText(b, key []byte) []byte {
	if isPrefix(key) {
		if p := unpack(key); p.IsSingleIP() {
			return p.Addr().AppendTo(b)
		} else {
			return p.AppendTo(b)
		}
	}
	for len(key) > 0 {
		n := int(key[0])
		b = append(b, key[1:1+n]...)
		if key = key[1+n:]; len(key) > 0 {
			b = append(b, '.')
		}
	}
	return b
}
