package indicator

import (
	"iter"
	"strings"
	"unicode"
)

// Extract yields the values that a text of any sort names, defanged or not, each once
// and with how it is written there. What is no value is passed over.
func Extract(text string) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		met := map[Value]bool{}
		for word := range strings.FieldsFuncSeq(text, parts) {
			word = unpunctuated(word)
			if word == "" {
				continue
			}
			v, err := Detect(word)
			if err != nil || met[v] {
				continue
			}
			met[v] = true
			if !yield(word, v) {
				return
			}
		}
	}
}

// parts reports whether c stands between values. Brackets do not: they defang.
func parts(c rune) bool {
	return unicode.IsSpace(c) || strings.ContainsRune(",;\"'`<>“”„«»", c)
}

// unpunctuated takes off what a sentence puts around a value.
func unpunctuated(s string) string {
	s = strings.TrimLeft(s, "([{*-=:!?.")
	return strings.TrimRight(s, ")]}*=:!?.")
}
