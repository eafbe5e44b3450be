package portal

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/indicator"
)

// text shows what a stranger wrote. It runs in its own direction, so that it
// can't reorder what stands beside it, and what can't be seen is spelled out.
func text(s string) template.HTML {
	var b strings.Builder
	b.WriteString("<bdi>")
	runs(s, func(r string, hidden rune, times int) {
		switch {
		case times == 0:
			template.HTMLEscape(&b, []byte(r))
		default:
			fmt.Fprintf(&b, `<span class="mark">%s</span>`, spelled(hidden, times))
		}
	})
	b.WriteString("</bdi>")
	return template.HTML(b.String())
}

// plain is text where no element may stand: titles and options.
func plain(s string) string {
	var b strings.Builder
	runs(s, func(r string, hidden rune, times int) {
		if times == 0 {
			b.WriteString(r)
		} else {
			fmt.Fprintf(&b, "⟨%s⟩", spelled(hidden, times))
		}
	})
	return b.String()
}

// snippet is plain for what has lines and columns of its own.
func snippet(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		text, end := strings.CutSuffix(line, "\n")
		for i, column := range strings.Split(text, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(plain(column))
		}
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func spelled(r rune, times int) string {
	name := fmt.Sprintf("U+%04X", r)
	switch r {
	case '\n':
		name = "⏎"
	case '\t':
		name = "⇥"
	}
	if times > 1 {
		name += fmt.Sprintf(" ×%d", times)
	}
	return name
}

// runs cuts s into runs that can be seen, for which times is 0, and runs of one
// and the same hidden character.
func runs(s string, yield func(seen string, hidden rune, times int)) {
	from := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = rune(s[i])
		} else if !unseen(r) {
			i += n
			continue
		}
		if from < i {
			yield(s[from:i], 0, 0)
		}
		times, one := 0, s[i:i+n]
		for strings.HasPrefix(s[i:], one) {
			times++
			i += n
		}
		yield("", r, times)
		from = i
	}
	if from < len(s) {
		yield(s[from:], 0, 0)
	}
}

// unseen reports whether r leaves no mark of its own, or changes what stands
// around it: controls, directions, joiners, tags, and the blanks that count as
// letters.
func unseen(r rune) bool {
	switch r {
	case ' ', '\u00a0', '\u202f':
		return false
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		unicode.IsSpace(r)
}

// brief cuts a text for a list.
func brief(n int, s string) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}

// defang writes a value so that no program takes it for an address to go to.
func defang(v indicator.Value) string {
	f := v.Facets()
	for _, n := range append(f.Names, f.Mentions...) {
		switch n.Kind {
		case indicator.URL:
			return defangURL(v.String())
		case indicator.Domain, indicator.Host, indicator.Prefix, indicator.Email:
			return dots.Replace(v.String())
		}
	}
	if strings.Contains(v.String(), "://") {
		return defangURL(v.String())
	}
	return v.String()
}

var dots = strings.NewReplacer(".", "[.]", "@", "[@]")

// defangURL disguises the scheme and the host; dots of the path stay.
func defangURL(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return dots.Replace(s)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return strings.Replace(scheme, "tt", "xx", 1) + "[:]//" + dots.Replace(rest[:end]) + rest[end:]
}
