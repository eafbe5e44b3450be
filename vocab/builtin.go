package vocab

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"

	"tocsin"
)

//go:embed builtin.txt
var builtin string

// PublicSuffixes is the name of the list of the names that providers let anybody
// have a name beneath.
const PublicSuffixes = "public-suffixes"

// BuiltIn returns the lists that come with the program. Their version tells
// whether a store holds older ones.
var BuiltIn = sync.OnceValue(func() []*List {
	ls, err := readBuiltIn(builtin)
	if err != nil {
		panic("vocab: builtin.txt: " + err.Error()) // a test reads it before anybody else does
	}
	return append(ls, &List{
		Name: PublicSuffixes, Title: "Public suffixes", Match: Suffix, Class: tocsin.Warn, Version: suffixVersion(),
		Description: "Names beneath which a provider lets anybody have one, such as a dynamic DNS or hosting provider's " +
			"(the private section of the Public Suffix List). To block one is to block all of its customers. Suffixes of registries, " +
			"such as co.uk, are never taken for indicators at all.",
	})
})

// suffixVersion is the date of the Public Suffix List that is compiled in.
func suffixVersion() int64 {
	text := publicsuffix.List.String()
	if i := strings.LastIndexByte(text, '('); i >= 0 {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, text[i:])
		if n, err := strconv.ParseInt(digits[:min(8, len(digits))], 10, 64); err == nil {
			return n
		}
	}
	return 1
}

// readBuiltIn reads the form that builtin.txt explains.
func readBuiltIn(text string) (ls []*List, err error) {
	version := int64(0)
	var l *List
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#" || strings.HasPrefix(words[0], "#"):
		case words[0] == "version" && len(words) == 2:
			if version, err = strconv.ParseInt(words[1], 10, 64); err != nil {
				return nil, err
			}
		case words[0] == "=" && len(words) == 3:
			class, err := tocsin.ParseGuardClass(words[2])
			if err != nil {
				return nil, err
			}
			l = &List{Name: words[1], Title: strings.ReplaceAll(words[1], "-", " "), Match: Exact, Class: class, Version: version}
			ls = append(ls, l)
		case l == nil:
			return nil, fmt.Errorf("line %d stands before the first list", i+1)
		case words[0] == ":":
			l.Description = strings.TrimSpace(l.Description + " " + strings.Join(words[1:], " "))
		default:
			for _, w := range words {
				e, err := normal(Exact, w)
				if err != nil || e == "" {
					return nil, fmt.Errorf("line %d: %q: %v", i+1, w, err)
				}
				l.Entries = append(l.Entries, e)
			}
		}
	}
	for _, l := range ls {
		slices.Sort(l.Entries)
		l.Entries = slices.Compact(l.Entries)
	}
	return ls, nil
}
