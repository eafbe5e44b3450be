package indicator

import (
	"encoding/json"
	"strings"
)

// Text

var (
	text = form{parse: func(s string) (string, error) { return s, nil }, keys: textKeys, verbatim: true}
	line = form{parse: parseLine, keys: textKeys, verbatim: true}
)

func textKeys(dst []Key, s string) []Key { return append(dst, Key("t:"+strings.ToLower(s))) }

// parseLine takes anything that would not break out of its line in an export.
func parseLine(s string) (string, error) { return s, oneLine(s) }

func oneLine(s string) error {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n' || c == '\r':
			return errNewline
		case c < ' ' && c != '\t' || c == 0x7f:
			return errControl
		}
	}
	if s == "" {
		return errEmpty
	}
	return nil
}

func parsePair(s string) (string, error) {
	if strings.IndexByte(s, '|') < 1 {
		return "", errNoPipe
	}
	return s, oneLine(s)
}

// rewritten is a form of text that rewrite brings into normal form and ok checks.
func rewritten(rewrite func(string) string, ok func(string) bool, wrong why) form {
	return form{
		parse: func(s string) (string, error) {
			if s = rewrite(bare(s)); !ok(s) {
				return "", wrong
			}
			return s, nil
		},
		keys: textKeys,
	}
}

func same(s string) string { return s }

var (
	jsonText = form{parse: parseJSON, keys: textKeys, verbatim: true}
	method   = rewritten(strings.ToUpper, isMethod, "it is no HTTP method, such as GET or POST")
	folded   = form{parse: func(s string) (string, error) { return strings.ToLower(s), nil }, keys: textKeys, verbatim: true}
	uri      = form{parse: parseLine, facets: uriFacets, keys: uriKeys}
)

func parseJSON(s string) (string, error) {
	if !json.Valid([]byte(s)) {
		return "", why("it is not valid JSON")
	}
	return s, nil
}

// isShort takes a line of at most max octets.
func isShort(max int) func(string) bool {
	return func(s string) bool { return len(s) <= max && oneLine(s) == nil }
}

// uri is what a program asked a server for: mostly a path, sometimes a whole
// URL, which then has to do with the same URL elsewhere.
func wholeURL(s string) bool {
	l := locate(s)
	return l.slash && l.normalize() == nil && l.String() == s
}

func uriFacets(s string) Facets {
	if !wholeURL(s) {
		return Facets{}
	}
	return urlFacets(s)
}

func uriKeys(dst []Key, s string) []Key {
	if !wholeURL(s) {
		return textKeys(dst, s)
	}
	return urlKeys(dst, s)
}

// isMethod takes any token (RFC 9110, section 9.1): methods are not a closed set.
func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789") == ""
}
