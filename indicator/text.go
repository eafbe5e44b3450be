package indicator

import (
	"encoding/json"
	"strings"
)

// Text

var (
	text     = form{parse: func(s string) (string, error) { return s, nil }, keys: textKeys}
	line     = form{parse: parseLine, keys: textKeys}
	fileName = form{parse: parseLine, facets: fileFacets, keys: fileKeys}
	pair     = form{parse: parsePair, keys: pairKeys, cut: cutFirst}
)

func textKeys(dst []Key, s string) []Key { return append(dst, Key("t:"+strings.ToLower(s))) }
func fileKeys(dst []Key, s string) []Key { return append(dst, Key("f:"+strings.ToLower(s))) }
func fileFacets(s string) Facets         { return Facets{Names: []Name{{Kind: File, Text: s}}} }

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

func pairKeys(dst []Key, s string) []Key {
	a, b := cutFirst(s)
	if dst = textKeys(dst, a); b != "" {
		dst = textKeys(dst, b)
	}
	return dst
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
	service  = rewritten(same, isService, "it wants at most 256 octets on one line, without slashes")
	jsonText = form{parse: parseJSON, keys: textKeys}
	method   = rewritten(strings.ToUpper, isMethod, "it is no HTTP method")
)

func isService(s string) bool {
	return len(s) <= 256 && !strings.ContainsAny(s, `/\`) && oneLine(s) == nil
}

func parseJSON(s string) (string, error) {
	if !json.Valid([]byte(s)) {
		return "", why("it is not valid JSON")
	}
	return s, nil
}

// isMethod takes any token (RFC 9110, section 9.1): methods are not a closed set.
func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789") == ""
}
