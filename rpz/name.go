package rpz

import "strings"

const (
	maxName  = 255 // octets of a whole name with its root (RFC 1035, 2.3.4)
	maxLabel = 63
)

// appendName appends a written name in wire form, uncompressed and in lower
// case, and reports whether it was one. It reads no escapes: it is for names
// of zones, keys and hosts, not for those that zones hold.
func appendName(b []byte, name string) ([]byte, bool) {
	start := len(b)
	for rest := strings.TrimSuffix(strings.ToLower(name), "."); rest != ""; {
		var label string
		label, rest, _ = strings.Cut(rest, ".")
		if label == "" || len(label) > maxLabel || strings.Contains(label, `\`) {
			return b[:start], false
		}
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	b = append(b, 0)
	return b, len(b)-start <= maxName
}

// readName reads the name at off, follows its compression, and returns it in
// wire form and lower case, with the offset of what comes after it.
func readName(msg []byte, off int) (name []byte, next int, ok bool) {
	limit := off // a pointer leads backwards only, so it can't go in circles
	for jumped := false; off < len(msg); {
		n := int(msg[off])
		switch {
		case n >= 0xc0:
			if off+1 >= len(msg) {
				return nil, 0, false
			}
			if !jumped {
				next, jumped = off+2, true
			}
			off = n&0x3f<<8 | int(msg[off+1])
			if off >= limit {
				return nil, 0, false
			}
			limit = off
		case n > maxLabel || off+1+n > len(msg) || len(name)+1+n > maxName:
			return nil, 0, false
		default:
			name = append(name, msg[off:off+1+n]...)
			off += 1 + n
			if n == 0 {
				if !jumped {
					next = off
				}
				return lower(name), next, true
			}
		}
	}
	return nil, 0, false
}

// lower folds name in place. Octets that say a label's length are at most 63
// and so are never letters.
func lower(name []byte) []byte {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c + 'a' - 'A'
		}
	}
	return name
}

// legal reports whether name is a row of labels without the root that is at
// most room octets long. The empty row is the apex, which is nobody's to
// block: its wildcard would take away every name there is.
func legal(name []byte, room int) bool {
	if len(name) > room {
		return false
	}
	end := 0
	for end < len(name) {
		n := int(name[end])
		if n == 0 || n > maxLabel {
			return false
		}
		end += 1 + n
	}
	return end > 0 && end == len(name)
}

// appendText appends the labels of name, each followed by a dot. Octets that
// are no part of a host name are written as \DDD (RFC 1035, 5.1), so that
// nothing in a name can end a line, begin a comment or be taken for a
// directive. A name that came with its root ends there.
func appendText(b, name []byte) []byte {
	for len(name) > 0 && name[0] > 0 {
		label := name[1 : 1+name[0]]
		name = name[1+len(label):]
		if len(label) == 1 && label[0] == '*' {
			b = append(b, '*')
			label = nil
		}
		for _, c := range label {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
				b = append(b, c)
			default:
				b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
			}
		}
		b = append(b, '.')
	}
	return b
}

// nameText is name as people write it, in full, with the final dot.
func nameText(name []byte) string {
	if len(name) < 2 {
		return "."
	}
	return string(appendText(nil, name))
}
