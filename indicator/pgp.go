package indicator

import (
	"encoding/base64"
	"strings"
)

// OpenPGP keys in ASCII armour (RFC 9580, section 6)

var (
	publicKey  = form{parse: armoured("PUBLIC", 6), keys: textKeys, verbatim: true}
	privateKey = form{parse: armoured("PRIVATE", 5), keys: textKeys, verbatim: true}
)

const (
	errArmourEnd  = why("its armour has no end: the line -----END PGP … KEY BLOCK----- is missing")
	errArmourText = why("what stands in its armour is no base64: it was changed on the way")
	errArmourSum  = why("the checksum of its armour is wrong: it was changed on the way")
	errArmourKind = why("what its armour holds is no key of that kind")
)

// armoured reads blocks of a kind, whose first packet has a tag. What stands
// around them, as in a mail, is kept.
func armoured(kind string, tag byte) func(string) (string, error) {
	head, tail := "-----BEGIN PGP "+kind+" KEY BLOCK-----", "-----END PGP "+kind+" KEY BLOCK-----"
	missing := why("it is no key in ASCII armour: it wants " + head)
	return func(s string) (string, error) {
		_, rest, ok := strings.Cut(s, head)
		if !ok {
			return "", missing
		}
		body, _, ok := strings.Cut(rest, tail)
		if !ok {
			return "", errArmourEnd
		}
		return s, checkArmour(body, tag)
	}
}

// checkArmour reads what stands between the first and the last line: headers,
// base64, and perhaps a checksum.
func checkArmour(body string, tag byte) error {
	var b64, sum strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, ": "): // Version: …
		case len(line) == 5 && line[0] == '=':
			sum.WriteString(line[1:])
		default:
			b64.WriteString(line)
		}
	}
	data, err := base64.StdEncoding.DecodeString(b64.String())
	switch {
	case err != nil || len(data) == 0:
		return errArmourText
	case packetTag(data[0]) != tag:
		return errArmourKind
	case sum.Len() > 0 && sum.String() != crc24(data):
		return errArmourSum
	}
	return nil
}

// packetTag reads the first octet of a packet, of the present or the old form.
func packetTag(b byte) byte {
	switch {
	case b&0xc0 == 0xc0:
		return b & 0x3f
	case b&0x80 != 0:
		return b >> 2 & 0xf
	}
	return 0
}

// crc24 is the checksum in base64.
func crc24(data []byte) string {
	sum := uint32(0xb704ce)
	for _, b := range data {
		sum ^= uint32(b) << 16
		for range 8 {
			if sum <<= 1; sum&0x1000000 != 0 {
				sum ^= 0x1864cfb
			}
		}
	}
	return base64.StdEncoding.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)})
}
