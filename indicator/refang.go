package indicator

import "strings"

// bare takes off what surrounds a value that someone pasted: blanks, paired
// quotes and angle brackets, and characters that can't be seen.
func bare(s string) string {
	s = visible(s)
	for {
		s = strings.TrimSpace(s)
		inner, ok := unquote(s)
		if !ok {
			return s
		}
		s = inner
	}
}

var quotes = [...][2]string{{`"`, `"`}, {`'`, `'`}, {"`", "`"}, {"<", ">"}, {"“", "”"}, {"„", "“"}, {"‘", "’"}, {"«", "»"}}

func unquote(s string) (string, bool) {
	for _, q := range quotes {
		if len(s) > len(q[0])+len(q[1]) && strings.HasPrefix(s, q[0]) && strings.HasSuffix(s, q[1]) {
			return s[len(q[0]) : len(s)-len(q[1])], true
		}
	}
	return s, false
}

// invisible are zero-width space, word joiner, byte order mark, soft hyphen
// and direction marks. The two joiners mean something in some scripts (RFC
// 5892, appendix A) and go only where the rest is plain ASCII.
var (
	invisible = strings.NewReplacer("\u200b", "", "\u2060", "", "\ufeff", "", "\u00ad", "", "\u200e", "", "\u200f", "")
	joiners   = strings.NewReplacer("\u200c", "", "\u200d", "")
)

func visible(s string) string {
	if isASCII(s) {
		return s
	}
	s = invisible.Replace(s)
	if t := joiners.Replace(s); isASCII(t) {
		return t
	}
	return s
}

// refang undoes the bracketed spellings of dot, colon, slashes and at sign:
// evil[.]example, evil(dot)example, http[:]//, someone[at]example.
func refang(s string) string {
	if !strings.ContainsAny(s, "[({") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if plain, n := defanged(s[i:]); n > 0 {
			b.WriteString(plain)
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// defanged returns what the bracket at the beginning of s stands for and how
// long it is, or 0.
func defanged(s string) (plain string, n int) {
	i := strings.IndexByte("[({", s[0])
	if i < 0 {
		return "", 0
	}
	end := strings.IndexByte(s[:min(len(s), 8)], "])}"[i])
	if end < 2 {
		return "", 0
	}
	switch in := strings.ToLower(strings.TrimSpace(s[1:end])); in {
	case ".", ":", "/", "//", "://", "@":
		return in, end + 1
	case "dot", "。", "．", "｡":
		return ".", end + 1
	case "at":
		return "@", end + 1
	}
	return "", 0
}

// schemes are the disguises of URL schemes.
var schemes = map[string]string{
	"hxxp": "http", "hxxps": "https", "hxtp": "http", "hxtps": "https", "htxp": "http", "htxps": "https",
	"h**p": "http", "h**ps": "https", "hxxxp": "http", "hxxxps": "https", "meow": "http", "meows": "https",
	"fxp": "ftp", "fxps": "ftps", "fxxp": "ftp", "sxxh": "ssh",
}
