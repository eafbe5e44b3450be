package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"tocsin"
	"tocsin/indicator"
)

var errNoValue = tocsin.Errorf(tocsin.Invalid, `a line is a value, a JSON string, or an object with a "value" that is one`)

// readValue reads one line of a lookup. It returns the value, and the JSON in
// which it was given, if it was. Most lines need no decoding and get none.
func readValue(line []byte) (text, given []byte, err error) {
	switch line[0] {
	case '"':
		if text, n := plainString(line); n == len(line) {
			return text, line, nil
		}
		var s string
		if json.Unmarshal(line, &s) != nil {
			return nil, nil, errNoValue
		}
		if !utf8.Valid(line) {
			return []byte(s), nil, nil // it was mended, and is not to go out as it came
		}
		return []byte(s), line, nil
	case '{':
		if text, given := plainObject(line); given != nil {
			return text, given, nil
		}
		var o struct{ Value *string }
		if json.Unmarshal(line, &o) != nil || o.Value == nil {
			return nil, nil, errNoValue
		}
		return []byte(*o.Value), nil, nil
	}
	return line, nil, nil
}

// plainString reads a JSON string without escapes at the beginning of b and
// returns what is in it and how long it is, 0 if it is not one.
func plainString(b []byte) (text []byte, n int) {
	if len(b) < 2 || b[0] != '"' {
		return nil, 0
	}
	ascii := true
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			text = b[1:i]
			if !ascii && !utf8.Valid(text) {
				return nil, 0
			}
			return text, i + 1
		case c == '\\' || c < ' ':
			return nil, 0
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, 0
}

// plainObject reads {"value":"…"} with nothing else in it and returns what is in
// the string, and the string.
func plainObject(b []byte) (text, given []byte) {
	b = blanks(b[1:])
	if !bytes.HasPrefix(b, []byte(`"value"`)) {
		return nil, nil
	}
	b = blanks(b[len(`"value"`):])
	if len(b) == 0 || b[0] != ':' {
		return nil, nil
	}
	b = blanks(b[1:])
	text, n := plainString(b)
	if n == 0 || !bytes.Equal(blanks(b[n:]), []byte("}")) {
		return nil, nil
	}
	return text, b[:n]
}

func blanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// Most values of most lookups are names in normal form. They are told from the
// rest here at a glance, since [indicator.Detect] asks eight questions first.
//
// endings remembers of last labels whether a name may end with them: Detect
// knows that bad.exe is a file.
type endings struct {
	known atomic.Pointer[map[string]bool]
	mu    sync.Mutex
}

const (
	maxEndings = 4096 // there are about 1,500 top-level domains
	maxName    = 253  // RFC 1035, section 2.3.4, without the root
	maxLabel   = 63
)

// plainName reports whether text is a name as Detect would have it, in normal
// form already. It doesn't know public suffixes: nobody can claim one, so asking
// for one finds nothing.
func (e *endings) plainName(text []byte) bool {
	if len(text) > maxName {
		return false
	}
	start, labels := 0, 0
	for i, c := range text {
		switch {
		case c-'a' < 26 || c-'0' < 10:
		case c == '.':
			if i == start || i-start > maxLabel {
				return false
			}
			start = i + 1
			labels++
		case c == '-' && i > start:
		default: // also "_", which begins keys of the Windows registry
			return false
		}
	}
	last := text[start:]
	return labels > 0 && len(last) > 0 && len(last) <= maxLabel && e.may(last)
}

func (e *endings) may(ending []byte) bool {
	if m := e.known.Load(); m != nil {
		if ok, known := (*m)[string(ending)]; known {
			return ok
		}
	}
	return e.learn(string(ending))
}

func (e *endings) learn(ending string) bool {
	v, err := indicator.Detect("a." + ending)
	ok := err == nil && strings.HasPrefix(string(v.Keys()[0]), "d:")
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.known.Load()
	m := map[string]bool{ending: ok}
	if old != nil && len(*old) < maxEndings { // else somebody plays: start anew
		for k, v := range *old {
			m[k] = v
		}
	}
	e.known.Store(&m)
	return ok
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= utf8.RuneSelf:
			b = append(b, "\ufffd"...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
