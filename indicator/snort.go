package indicator

import "strings"

// Rules of Snort and Suricata
//
// Each rule is a header and options in parentheses, on a line of its own, with
// comments between them. The keywords of options are not checked: they differ
// by version and plugin, and a sensor says itself what it does not know.

var networkRule = form{parse: parseNetworkRules, keys: textKeys, verbatim: true}

const (
	errRule        = why(`it is no rule: it wants alert tcp any any -> any any (msg:"…"; sid:1;)`)
	errRuleNone    = why("it holds no rule, only comments")
	errRuleHeader  = why("a rule's header wants a protocol, addresses and ports on both sides of \"->\"")
	errRuleEnd     = why("a rule's options have no end: a \")\" or a quotation mark is missing")
	errRuleOption  = why("one of a rule's options has no name")
	errRuleBracket = why("a list of addresses or ports in a rule has no end: a \"]\" is missing")
)

var ruleActions = map[string]bool{
	"alert": true, "block": true, "config": true, "drop": true, "log": true, "pass": true, "react": true, "reject": true, "rejectsrc": true,
	"rejectdst": true, "rejectboth": true, "rewrite": true, "sdrop": true, "activate": true, "dynamic": true, "file_id": true,
}

var continued = strings.NewReplacer("\\\r\n", " ", "\\\n", " ")

func parseNetworkRules(s string) (string, error) {
	rest, rules := continued.Replace(s), 0
	for {
		rest = strings.TrimLeft(rest, " \t\r\n")
		switch {
		case rest == "" && rules == 0:
			return "", errRuleNone
		case rest == "":
			return s, nil
		case rest[0] == '#':
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		}
		var err error
		if rest, err = afterRule(rest); err != nil {
			return "", err
		}
		rules++
	}
}

// afterRule checks the rule that s begins with and returns what follows it.
func afterRule(s string) (rest string, err error) {
	header, rest, options := s, "", false
	if i := strings.IndexAny(s, "(\n"); i >= 0 {
		header, rest, options = s[:i], s[i+1:], s[i] == '('
	}
	if err := checkRuleHeader(header, options); err != nil {
		return "", err
	}
	if !options { // Snort takes a rule that is a header alone
		return rest, nil
	}
	return afterOptions(rest)
}

func checkRuleHeader(s string, options bool) error {
	words, err := ruleWords(s)
	switch {
	case err != nil:
		return err
	case len(words) == 0 || !ruleActions[words[0]]:
		return errRule
	case options && len(words) <= 2: // Snort 3: alert http ( … )
		return nil
	case len(words) != 7:
		return errRuleHeader
	}
	switch words[4] {
	case "->", "<>", "<-", "=>":
		return nil
	}
	return errRuleHeader
}

// ruleWords splits at blanks that are not in a list: [192.0.2.1, 192.0.2.2].
func ruleWords(s string) (words []string, err error) {
	from, depth := -1, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case (c == ' ' || c == '\t' || c == '\r') && depth == 0:
			if from >= 0 {
				words = append(words, s[from:i])
			}
			from = -1
			continue
		}
		if from < 0 {
			from = i
		}
	}
	if from >= 0 {
		words = append(words, s[from:])
	}
	if depth != 0 {
		return nil, errRuleBracket
	}
	return words, nil
}

// afterOptions reads to the parenthesis with which a line ends: within a line
// there may be others, in a reference's address for one. An option ends at the
// next semicolon, be it between quotation marks or not, unless a backslash
// stands before it.
func afterOptions(s string) (rest string, err error) {
	begin := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == ';':
			if err := checkOption(s[begin:i]); err != nil {
				return "", err
			}
			begin = i + 1
		case c == ')' && endsLine(s[i+1:]):
			if last := s[begin:i]; strings.TrimSpace(last) != "" {
				err = checkOption(last)
			}
			return s[i+1:], err
		}
	}
	return "", errRuleEnd
}

func endsLine(s string) bool {
	s = strings.TrimLeft(s, " \t\r")
	return s == "" || s[0] == '\n' || s[0] == '#'
}

// checkOption wants a name, and a text to end that begins with a quotation mark.
func checkOption(s string) error {
	name, value, _ := strings.Cut(strings.TrimSpace(s), ":")
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ") // Snort 3 needs no colon
	if name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
		return errRuleOption
	}
	value = strings.TrimLeft(strings.TrimSpace(value), "! ")
	if strings.HasPrefix(value, `"`) && !strings.Contains(value[1:], `"`) {
		return errRuleEnd
	}
	return nil
}
