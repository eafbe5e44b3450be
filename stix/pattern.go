package stix

import (
	"strings"

	"tocsin"
)

// A Test is one comparison of a pattern: a path into an object, how it is
// compared, and with what.
type Test struct {
	Path   string // object type and path, as file:hashes.MD5
	Op     string // =, IN, ISSUBSET …
	Not    bool
	Values []string
}

// maxTests is how many comparisons one pattern may have, and maxDepth how deep
// its parentheses may go.
const (
	maxTests = 1_000
	maxDepth = 32
)

// Tests returns the comparisons of a pattern in their order (STIX 2.1, section
// 9). Whether they are joined by AND or OR, or follow each other, is left out: the
// indicators that they name are the same.
func Tests(pattern string) ([]Test, error) {
	p := &patternReader{rest: pattern}
	p.next()
	p.observations(0)
	if p.err == nil && p.tok.text != "" {
		p.fail("there is %q where it should end", p.tok.text)
	}
	return p.tests, p.err
}

// A token is a word, a sign, or a text in quotes.
type token struct {
	text   string
	quoted bool
}

type patternReader struct {
	rest  string
	tok   token
	tests []Test
	err   error
}

func (p *patternReader) fail(format string, args ...any) {
	if p.err == nil {
		p.err = tocsin.Errorf(tocsin.Invalid, "pattern: "+format, args...)
	}
	p.rest, p.tok = "", token{}
}

// signs are those that stand for themselves. The longer ones come first.
var signs = []string{"!=", ">=", "<=", "[", "]", "(", ")", "=", ">", "<", ","}

// next reads a token on.
func (p *patternReader) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		p.tok = token{}
		return
	}
	for _, s := range signs {
		if rest, ok := strings.CutPrefix(p.rest, s); ok {
			p.tok, p.rest = token{text: s}, rest
			return
		}
	}
	if p.rest[0] == '\'' {
		p.tok = token{p.quoted(), true}
		return
	}
	n := p.word()
	if n == 0 {
		p.fail("%q can't be read", first(p.rest, 20))
		return
	}
	p.tok, p.rest = token{text: p.rest[:n]}, p.rest[n:]
}

// word is how long the word is that comes: a path may have parts in quotes and
// in brackets, as file:hashes.'SHA-256' and email-message:to_refs[*].value, and a
// literal one, as t'2020-01-01T00:00:00Z'.
func (p *patternReader) word() int {
	inPath := false
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == ':':
			inPath = true
		case c == '\'':
			end := strings.IndexByte(p.rest[i+1:], '\'')
			if end < 0 {
				return 0
			}
			i += end + 1
		case c == '[' && inPath:
			end := strings.IndexByte(p.rest[i:], ']')
			if end < 0 {
				return 0
			}
			i += end
		case strings.IndexByte(" \t\r\n()[],=!<>", c) >= 0:
			return i
		}
	}
	return len(p.rest)
}

// quoted reads a text in single quotes, in which \ stands before ' and itself.
func (p *patternReader) quoted() string {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\'':
			p.rest = p.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	p.fail("a text in quotes does not end")
	return ""
}

// is reports whether the token is a word of the language, and if so reads on.
func (p *patternReader) is(words ...string) bool {
	for _, w := range words {
		if !p.tok.quoted && strings.EqualFold(p.tok.text, w) {
			p.next()
			return true
		}
	}
	return false
}

func (p *patternReader) want(word string) {
	if !p.is(word) && p.err == nil {
		p.fail("there is %q where %q should be", p.tok.text, word)
	}
}

// observations reads [ … ] or ( … ), joined and qualified.
func (p *patternReader) observations(depth int) {
	if depth > maxDepth {
		p.fail("it is more than %d parentheses deep", maxDepth)
	}
	for p.err == nil {
		if p.is("(") {
			p.observations(depth + 1)
			p.want(")")
		} else {
			p.want("[")
			p.comparisons(0)
			p.want("]")
		}
		p.qualifiers()
		if !p.is("AND", "OR", "FOLLOWEDBY") {
			return
		}
	}
}

// qualifiers passes over START … STOP …, WITHIN … SECONDS and REPEATS … TIMES.
func (p *patternReader) qualifiers() {
	for p.is("START", "STOP", "WITHIN", "REPEATS") {
		p.next()
		p.is("SECONDS", "TIMES")
	}
}

func (p *patternReader) comparisons(depth int) {
	if depth > maxDepth {
		p.fail("it is more than %d parentheses deep", maxDepth)
	}
	for p.err == nil {
		if p.is("(") {
			p.comparisons(depth + 1)
			p.want(")")
		} else {
			p.comparison()
		}
		if !p.is("AND", "OR") {
			return
		}
	}
}

func (p *patternReader) comparison() {
	not := p.is("NOT")
	if p.is("EXISTS") {
		p.next()
		return
	}
	t := Test{Path: strings.ReplaceAll(p.tok.text, "'", ""), Not: not}
	if !strings.Contains(t.Path, ":") {
		p.fail("%q is no path of an object", p.tok.text)
		return
	}
	p.next()
	t.Not = p.is("NOT") || t.Not
	t.Op = strings.ToUpper(p.tok.text)
	p.next()
	switch t.Op {
	case "IN":
		p.want("(")
		for p.err == nil {
			t.Values = append(t.Values, p.literal())
			if !p.is(",") {
				break
			}
		}
		p.want(")")
	case "=", "!=", "<", ">", "<=", ">=", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
		t.Values = []string{p.literal()}
	default:
		p.fail("%q does not compare", t.Op)
	}
	if len(p.tests) >= maxTests {
		p.fail("there are more than %d comparisons", maxTests)
	}
	if p.err == nil {
		p.tests = append(p.tests, t)
	}
}

// literal reads a text, a number, a bool, or a typed literal as t'…'.
func (p *patternReader) literal() string {
	text := p.tok.text
	if !p.tok.quoted {
		if text == "" || strings.ContainsAny(text, "[]()=,<>") {
			p.fail("there is %q where a value should be", text)
			return ""
		}
		if len(text) > 3 && text[1] == '\'' {
			text = strings.Trim(text[1:], "'")
		}
	}
	p.next()
	return text
}

func first(s string, n int) string { return s[:min(n, len(s))] }
