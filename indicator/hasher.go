package indicator

import "math/bits"

// A Hasher shortens keys to 64 bits by SipHash-2-4 (Aumasson and Bernstein,
// 2012). Its seed is the instance's secret: whoever does not know it can't
// craft values that collide. The zero Hasher works and is not secret.
type Hasher struct{ k0, k1 uint64 }

// NewHasher returns the Hasher of a seed.
func NewHasher(seed [16]byte) Hasher { return Hasher{le64(string(seed[:8])), le64(string(seed[8:]))} }

// Sum returns the hash of k.
func (h Hasher) Sum(k Key) uint64 {
	s := sip{h.k0 ^ 0x736f6d6570736575, h.k1 ^ 0x646f72616e646f6d, h.k0 ^ 0x6c7967656e657261, h.k1 ^ 0x7465646279746573}
	text := string(k)
	for ; len(text) >= 8; text = text[8:] {
		s.block(le64(text))
	}
	last := uint64(len(k)) << 56
	for i := range len(text) {
		last |= uint64(text[i]) << (8 * i)
	}
	s.block(last)
	s.v2 ^= 0xff
	for range 4 {
		s.round()
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// sip is SipHash's state.
type sip struct{ v0, v1, v2, v3 uint64 }

func (s *sip) block(m uint64) {
	s.v3 ^= m
	s.round()
	s.round()
	s.v0 ^= m
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v2 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v1
	s.v0 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func le64(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
