package codec

import "strings"

// A zoneReader reads a master file (RFC 1035, section 5.1): it joins the lines of a
// record, and fills in what a record leaves out.
type zoneReader struct {
	pairs

	origin string // to which names are relative, with its final dot; "": that of whoever loads it
	apex   string // the zone's name, likewise; "" if the file does not say it
	known  bool   // the apex is settled
	owner  string // of the record before

	first  line // of the record that is read
	fields []string
	blank  bool // it begins with a blank: the owner is the one before
	open   int  // parentheses
	size   int
	note   string // its last comment
}

// line reads one line; a record is done when its parentheses are closed.
func (z *zoneReader) line(l line) {
	if z.open == 0 {
		z.first, z.fields, z.size, z.note = l, z.fields[:0], 0, ""
		z.blank = l.text != "" && (l.text[0] == ' ' || l.text[0] == '\t')
	}
	z.size += len(l.text)
	switch why := z.split(l.text); {
	case z.size > MaxLine:
		z.lose(z.first, whyOpen)
		z.open = 0
	case why != "":
		z.lose(z.first, why)
		z.open = 0
	case z.open == 0 && len(z.fields) > 0:
		z.record()
	}
}

// split appends the words of a line.
func (z *zoneReader) split(text string) (why string) {
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			i++
		case ';':
			z.note = strings.TrimSpace(text[i+1:])
			return ""
		case '(':
			z.open++
			i++
		case ')':
			if z.open == 0 {
				return "a parenthesis is closed and not opened"
			}
			z.open--
			i++
		case '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return `a quote (") is opened and not closed`
			}
			z.fields = append(z.fields, text[i:i+end+2])
			i += end + 2
		default:
			end := i
			for end < len(text) && !endsWord[text[end]] {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(text))
			z.fields = append(z.fields, text[i:end])
			i = end
		}
	}
	return ""
}

var endsWord = [256]bool{' ': true, '\t': true, '\r': true, ';': true, '(': true, ')': true, '"': true}

// record reads a directive or a record.
func (z *zoneReader) record() {
	f := z.fields
	if !z.blank && f[0][0] == '$' {
		z.directive(strings.ToUpper(f[0]), f[1:])
		return
	}
	if !z.blank {
		z.owner, f = z.absolute(f[0]), f[1:]
	}
	for len(f) > 0 && isClassOrTTL(f[0]) {
		f = f[1:]
	}
	if len(f) == 0 {
		z.lose(z.first, "it has no type")
		return
	}
	z.policy(strings.ToUpper(f[0]), f[1:])
}

func (z *zoneReader) directive(name string, args []string) {
	switch {
	case name == "$TTL":
	case name == "$ORIGIN" && len(args) == 1:
		z.origin = z.absolute(args[0])
		if !z.known {
			z.apex, z.known = z.origin, true
		}
	default:
		z.lose(z.first, "there is no reading other files or generating records here")
	}
}

func isClassOrTTL(w string) bool {
	switch strings.ToUpper(w) {
	case "IN", "CH", "HS":
		return true
	}
	return w[0] >= '0' && w[0] <= '9' && strings.Trim(w, "0123456789smhdwSMHDW") == ""
}

// absolute returns a name with its final dot if the origin is known, and relative
// to the unknown origin if it is not. The origin itself is "@" then.
func (z *zoneReader) absolute(name string) string {
	switch {
	case name == "@" && z.origin == "":
		return "@"
	case name == "@":
		return z.origin
	case strings.HasSuffix(name, ".") || z.origin == "":
		return name
	case z.origin == ".":
		return name + "."
	}
	return name + "." + z.origin
}
