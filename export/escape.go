package export

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// appendJSON appends a text as a JSON string.
func appendJSON(b []byte, s string) []byte {
	t, err := json.Marshal(s) // a string always can be
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, t...)
}

// appendXML appends a text as the content of an element or an attribute (XML 1.0,
// section 2.4). What no XML document may hold becomes U+FFFD.
func appendXML(b []byte, s string) []byte {
	if plainXML(s) {
		return append(b, s...)
	}
	for _, c := range s {
		switch {
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c == '"':
			b = append(b, "&quot;"...)
		case c == '\'':
			b = append(b, "&#39;"...)
		case c == '\r':
			b = append(b, "&#13;"...)
		case c < ' ' && c != '\t' && c != '\n', c == 0xFFFE, c == 0xFFFF:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

func plainXML(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' || c >= 0x7f || strings.IndexByte(`&<>"'`, c) >= 0 {
			return false
		}
	}
	return true
}
