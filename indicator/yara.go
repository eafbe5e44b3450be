package indicator

import "strings"

// YARA rules
//
// The shape of the text is checked, not the meaning of its words: modules,
// external variables and the dialects of YARA and YARA-X are the business of
// who runs a rule. What is refused loads nowhere: a rule without a condition,
// or a text, a comment or a pair of braces without its end.

var yara = form{parse: parseYARA, keys: textKeys, verbatim: true}

const (
	errYARA       = why(`it is no YARA rule: it wants rule name { condition: … }`)
	errYARAEnd    = why("it ends within a rule: a \"}\" is missing")
	errYARAName   = why("a rule in it has no name, or no \"{\" after it")
	errYARANone   = why("a rule in it has no condition")
	errYARAText   = why("a text or a pattern in it has no end")
	errYARAImport = why("after import or include it wants a text in quotation marks")
)

func parseYARA(s string) (string, error) {
	_, _, err := YARADeclares(s)
	if err != nil {
		return "", err
	}
	return s, nil
}

// YARADeclares returns the names of the rules in a text, and what it imports or
// includes: one file loads no two rules of one name, and nothing that is not there.
func YARADeclares(s string) (rules, needs []string, err error) {
	r := ruleReader{text: s}
	for {
		switch word := r.next(); word {
		case "":
			if len(rules) == 0 || r.err != nil {
				return nil, nil, r.or(errYARA)
			}
			return rules, needs, nil
		case "import", "include":
			r.blank()
			before := r.text
			if r.next() != quoted {
				return nil, nil, r.or(errYARAImport)
			}
			need := strings.Trim(before[:len(before)-len(r.text)], `"`)
			if word == "include" {
				need = "include " + need
			}
			needs = append(needs, need)
		case "global", "private":
		case "rule":
			r.blank()
			name := r.text
			if err := r.yaraRule(); err != nil {
				return nil, nil, err
			}
			rules = append(rules, name[:len(name)-len(strings.TrimLeftFunc(name, isWordRune))])
		default:
			return nil, nil, r.or(errYARA)
		}
	}
}

func isWordRune(c rune) bool { return c < 0x80 && isWordByte(byte(c)) }

// yaraRule reads from a rule's name to the brace that ends it.
func (r *ruleReader) yaraRule() error {
	if !isWord(r.next()) {
		return r.or(errYARAName)
	}
	token := r.next()
	for token == ":" || isWord(token) { // its tags
		token = r.next()
	}
	if token != "{" {
		return r.or(errYARAName)
	}
	section, before := "", token
	for {
		if token = r.next(); token == "{" && before == "=" {
			token = r.hexadecimal()
		}
		switch {
		case token == "":
			return r.or(errYARAEnd)
		case token == "}" && section != "condition":
			return errYARANone
		case token == "}" && before == ":":
			return errYARANone
		case token == "}":
			return nil
		case token == ":" && (before == "meta" || before == "strings" || before == "condition"):
			if section != "condition" {
				section = before
			}
		}
		before = token
	}
}

// A ruleReader reads the tokens of YARA: words, texts, patterns, and single
// characters for the rest.
type ruleReader struct {
	text string
	err  error
}

// The tokens of which nobody needs the text.
const (
	quoted  = `"`
	pattern = "/"
)

func (r *ruleReader) or(err why) error {
	if r.err != nil {
		return r.err
	}
	return err
}

func (r *ruleReader) fail(err error) string {
	r.err, r.text = err, ""
	return ""
}

// blank skips blanks and comments.
func (r *ruleReader) blank() {
	for {
		r.text = strings.TrimLeft(r.text, " \t\r\n")
		switch {
		case strings.HasPrefix(r.text, "//"):
			_, r.text, _ = strings.Cut(r.text, "\n")
		case strings.HasPrefix(r.text, "/*"):
			_, after, ok := strings.Cut(r.text[2:], "*/")
			if r.text = after; !ok {
				r.fail(why("a comment in it has no end"))
				return
			}
		default:
			return
		}
	}
}

// next returns a token, "" at the end or after an error. A slash begins a
// regular expression wherever it stands: YARA divides by a backslash.
func (r *ruleReader) next() string {
	r.blank()
	switch {
	case r.text == "":
		return ""
	case r.text[0] == '"':
		return r.until('"', quoted)
	case r.text[0] == '/':
		return r.until('/', pattern)
	}
	n := 0
	for n < len(r.text) && isWordByte(r.text[n]) {
		n++
	}
	word := r.text[:max(n, 1)]
	r.text = r.text[len(word):]
	return word
}

// hexadecimal reads to the brace that ends a pattern of octets.
func (r *ruleReader) hexadecimal() string {
	for {
		switch r.next() {
		case "}":
			return pattern
		case "":
			return r.fail(errYARAText)
		}
	}
}

// until skips what begins and ends with a mark, on one line, and may hold it
// after a backslash.
func (r *ruleReader) until(mark byte, token string) string {
	for i := 1; i < len(r.text); i++ {
		switch r.text[i] {
		case '\\':
			i++
		case '\n':
			return r.fail(errYARAText)
		case mark:
			r.text = r.text[i+1:]
			return token
		}
	}
	return r.fail(errYARAText)
}

func isWord(s string) bool { return s != "" && isWordByte(s[0]) }

func isWordByte(c byte) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}
