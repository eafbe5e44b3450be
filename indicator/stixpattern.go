package indicator

import "strings"

// STIX 2 patterns
//
// The shape is checked: observations in brackets, each with a comparison,
// joined by operators (STIX 2.1, section 9).

var stixPattern = form{parse: parseSTIXPattern, keys: textKeys, verbatim: true}

const (
	errPattern      = why("it is no STIX pattern: it wants [domain-name:value = 'evil.example']")
	errPatternEnd   = why("it has no end: a bracket, a parenthesis or an apostrophe is missing")
	errPatternEmpty = why("an observation in it holds no comparison such as file:size > 100")
	errPatternWord  = why("between observations it wants AND, OR, FOLLOWEDBY or a qualifier")
)

var patternWords = map[string]bool{
	"AND": true, "OR": true, "FOLLOWEDBY": true, "WITHIN": true, "SECONDS": true, "REPEATS": true, "TIMES": true, "START": true, "STOP": true, "t": true,
}

func parseSTIXPattern(s string) (string, error) {
	rest, observations, depth := s, 0, 0
	for {
		rest = strings.TrimLeft(rest, " \t\r\n")
		if rest == "" {
			break
		}
		switch c := rest[0]; {
		case c == '[':
			after, err := afterObservation(rest[1:])
			if err != nil {
				return "", err
			}
			rest = after
			observations++
		case c == '(':
			depth++
			rest = rest[1:]
		case c == ')' && depth > 0:
			depth--
			rest = rest[1:]
		case c == '\'':
			after, ok := afterApostrophe(rest[1:])
			if !ok {
				return "", errPatternEnd
			}
			rest = after
		case isWordByte(c):
			n := 1
			for n < len(rest) && (isWordByte(rest[n]) || rest[n] == '.') {
				n++
			}
			if word := rest[:n]; observations == 0 {
				return "", errPattern
			} else if !patternWords[word] && !isFloat(word) {
				return "", errPatternWord
			}
			rest = rest[n:]
		default:
			return "", errPattern
		}
	}
	switch {
	case depth > 0:
		return "", errPatternEnd
	case observations == 0:
		return "", errPattern
	}
	return s, nil
}

// afterObservation reads to the bracket that ends an observation. There are
// brackets in paths too: network-traffic:x.y[0].
func afterObservation(s string) (rest string, err error) {
	depth, parens, path := 1, 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			depth++
		case ']':
			depth--
		case '(':
			parens++
		case ')':
			parens--
		case ':':
			path = true
		case '\'':
			after, ok := afterApostrophe(s[i+1:])
			if !ok {
				return "", errPatternEnd
			}
			i = len(s) - len(after) - 1
		}
		switch {
		case depth > 0:
		case parens != 0:
			return "", errPatternEnd
		case !path:
			return "", errPatternEmpty
		default:
			return s[i+1:], nil
		}
	}
	return "", errPatternEnd
}

func afterApostrophe(s string) (rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			return s[i+1:], true
		}
	}
	return "", false
}
