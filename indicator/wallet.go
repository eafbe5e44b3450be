package indicator

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/crypto/sha3"
)

// Wallets of cryptocurrencies
//
// All carry a checksum, so what fails it was mistyped and nobody can be paid
// there.

var (
	bitcoin = form{parse: parseBitcoin, keys: textKeys}
	dash    = form{parse: parseDash, keys: textKeys}
	monero  = form{parse: parseMonero, keys: textKeys}
)

const (
	errBitcoin = why("it is no Bitcoin address: its checksum is wrong, or it does not begin as one does (1, 3 or bc1)")
	errDash    = why("it is no Dash address: its checksum is wrong, or it does not begin as one does (X or 7)")
	errMonero  = why("it is no Monero address: its checksum is wrong, or it does not begin as one does (4 or 8)")
)

func parseBitcoin(s string) (string, error) {
	s = withoutScheme(bare(s), "bitcoin")
	if address := strings.ToLower(s); isSegwit(address) && (s == address || s == strings.ToUpper(s)) {
		return address, nil
	}
	if version, ok := base58Version(s); ok && slices.Contains([]byte{0, 5, 0x6f, 0xc4}, version) {
		return s, nil
	}
	return "", errBitcoin
}

func parseDash(s string) (string, error) {
	s = withoutScheme(bare(s), "dash")
	if version, ok := base58Version(s); ok && slices.Contains([]byte{0x4c, 0x10, 0x8c, 0x13}, version) {
		return s, nil
	}
	return "", errDash
}

// withoutScheme takes a payment link apart (BIP 21).
func withoutScheme(s, scheme string) string {
	if len(s) > len(scheme) && s[len(scheme)] == ':' && strings.EqualFold(s[:len(scheme)], scheme) {
		s, _, _ = strings.Cut(s[len(scheme)+1:], "?")
	}
	return s
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Version checks an address of 21 octets and four of double SHA-256, and
// returns the first, which tells what it is for.
func base58Version(s string) (version byte, ok bool) {
	if len(s) < 25 || len(s) > 36 {
		return 0, false
	}
	var b [25]byte
	n, ok := base58Number(s)
	if !ok || n.BitLen() > 8*len(b) {
		return 0, false
	}
	n.FillBytes(b[:])
	// A leading zero octet is written as one "1" and nothing else.
	if zeros := len(s) - len(strings.TrimLeft(s, "1")); zeros != leadingZeros(b[:]) {
		return 0, false
	}
	sum := sha256.Sum256(b[:21])
	sum = sha256.Sum256(sum[:])
	return b[0], [4]byte(sum[:4]) == [4]byte(b[21:])
}

func base58Number(s string) (*big.Int, bool) {
	n, radix := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		d := strings.IndexByte(base58, s[i])
		if d < 0 {
			return nil, false
		}
		n.Mul(n, radix).Add(n, big.NewInt(int64(d)))
	}
	return n, true
}

func leadingZeros(b []byte) (n int) {
	for n < len(b) && b[n] == 0 {
		n++
	}
	return n
}

const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// isSegwit knows the addresses of BIP 173 (version 0) and BIP 350 (later ones).
func isSegwit(s string) bool {
	at := strings.LastIndexByte(s, '1')
	if len(s) > 90 || at < 1 || len(s)-at-1 < 8 || !slices.Contains([]string{"bc", "tb", "bcrt"}, s[:at]) {
		return false
	}
	sum := bech32Sum{1}
	for i := range at {
		sum.add(s[i] >> 5)
	}
	sum.add(0)
	for i := range at {
		sum.add(s[i] & 31)
	}
	data := s[at+1:]
	for i := range len(data) {
		d := strings.IndexByte(bech32, data[i])
		if d < 0 {
			return false
		}
		sum.add(byte(d))
	}
	program, version := (len(data)-7)*5/8, strings.IndexByte(bech32, data[0])
	if version == 0 {
		return sum.n == 1 && (program == 20 || program == 32)
	}
	return sum.n == 0x2bc830a3 && version <= 16 && program >= 2 && program <= 40
}

// bech32Sum is the BCH code of BIP 173.
type bech32Sum struct{ n uint32 }

func (c *bech32Sum) add(v byte) {
	top := c.n >> 25
	c.n = c.n&0x1ffffff<<5 ^ uint32(v)
	for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			c.n ^= g
		}
	}
}

// parseMonero takes addresses of the main, test and stage networks: a network
// octet, two keys, perhaps a payment id, and four octets of Keccak-256.
func parseMonero(s string) (string, error) {
	s = withoutScheme(bare(s), "monero")
	b, ok := moneroBytes(s)
	if !ok || len(b) != 69 && len(b) != 77 || !slices.Contains([]byte{18, 19, 42, 53, 54, 63, 24, 25, 36}, b[0]) {
		return "", errMonero
	}
	keccak := sha3.NewLegacyKeccak256()
	keccak.Write(b[:len(b)-4])
	if [4]byte(keccak.Sum(nil)) != [4]byte(b[len(b)-4:]) {
		return "", errMonero
	}
	return s, nil
}

// moneroBytes undoes Monero's own base58, which writes eight octets as eleven
// characters and what remains as fewer.
func moneroBytes(s string) (b []byte, ok bool) {
	size := map[int]int{11: 8, 7: 5, 2: 1}
	if len(s) > 106 {
		return nil, false
	}
	for len(s) > 0 {
		block := s[:min(11, len(s))]
		s = s[len(block):]
		n, ok := base58Number(block)
		octets := size[len(block)]
		if !ok || octets == 0 || n.BitLen() > 8*octets {
			return nil, false
		}
		b = append(b, n.FillBytes(make([]byte, octets))...)
	}
	return b, true
}
