package match

import (
	"net/netip"

	"tocsin/indicator"
)

// Addresses and ranges that contain each other
//
// A record is an address in sixteen octets, IPv4 as IPv4-mapped, and the length
// of its prefix among the 128 bits. In order of records a range is followed by
// all that it contains.
const rangeSize = 17

func appendRange(dst []byte, k indicator.Key) []byte {
	p, err := netip.ParsePrefix(string(k[2:]))
	if err != nil {
		return dst
	}
	return append(dst, rangeRecord(p.Addr(), bits128(p))...)
}

func rangeRecord(a netip.Addr, bits int) []byte {
	b := a.As16()
	return append(b[:], byte(bits))
}

// bits128 is the length of p among 128 bits.
func bits128(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits() + 96
	}
	return p.Bits()
}

func rangePrefix(record []byte) netip.Prefix {
	a, bits := netip.AddrFrom16([16]byte(record)), int(record[rangeSize-1])
	if a.Is4In6() {
		return netip.PrefixFrom(a.Unmap(), bits-96)
	}
	return netip.PrefixFrom(a, bits)
}

func rangeKey(record []byte) indicator.Key {
	return indicator.Key("i:" + rangePrefix(record).String())
}

// lengths are the lengths of prefixes that there are: to find what contains an
// address, only these are asked for.
type lengths [3]uint64

func (ls *lengths) add(bits byte)     { ls[bits/64] |= 1 << (bits % 64) }
func (ls *lengths) has(bits int) bool { return ls[bits/64]&(1<<(bits%64)) != 0 }

// around yields the keys of the ranges in use that contain p, nearest first.
func (s shelf) around(p netip.Prefix, yield func(indicator.Key) bool) {
	var in lengths
	for _, r := range s {
		for i := range in {
			in[i] |= r.lengths[i]
		}
	}
	wide := bits128(p) - p.Bits()
	for bits := p.Bits() - 1; bits >= 0; bits-- {
		if !in.has(bits + wide) {
			continue
		}
		wider, err := p.Addr().Prefix(bits)
		if err != nil || !yield(indicator.Key("i:"+wider.String())) {
			return
		}
	}
}

// mapped is where IPv4 stands among the 128 bits.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// within yields the keys of what p contains, in order of addresses. No range of
// IPv6 contains IPv4 addresses, wherever they are kept.
func (s shelf) within(p netip.Prefix, yield func(indicator.Key) bool) {
	if p.IsSingleIP() {
		return
	}
	around := p.Addr().Is6() && p.Overlaps(mapped)
	start := rangeRecord(p.Addr(), bits128(p)+1)
	if around && !s.each(p, start, yield) {
		return
	}
	if around {
		start = rangeRecord(netip.MustParseAddr("::1:0:0:0"), 0)
	}
	s.each(p, start, yield)
}

// each yields keys from start on, until one is not within p.
func (s shelf) each(p netip.Prefix, start []byte, yield func(indicator.Key) bool) bool {
	for record := range from(s, start) {
		q := rangePrefix(record)
		if !p.Contains(q.Addr()) {
			return true
		}
		if !yield(indicator.Key("i:" + q.String())) {
			return false
		}
	}
	return true
}
