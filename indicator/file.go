package indicator

import "strings"

// Files: their names, and names with a fingerprint

var fileName = form{parse: parseLine, facets: named(File), keys: fileKeys}

func fileKeys(dst []Key, s string) []Key { return append(dst, Key("f:"+strings.ToLower(s))) }

// fileAnd is the composite of a file's name and one of its fingerprints. A file
// name may hold a "|", a fingerprint never does: the last one divides.
func fileAnd(f form) form {
	return form{
		parse: func(s string) (string, error) {
			name, sum := cutLast(s)
			if name == "" {
				return "", errNoPipe
			}
			if err := oneLine(name); err != nil {
				return "", err
			}
			sum, err := f.parse(sum)
			return name + "|" + sum, err
		},
		facets: func(s string) Facets {
			name, sum := cutLast(s)
			return Facets{Names: f.facets(sum).Names, Mentions: []Name{{Kind: File, Text: name}}}
		},
		keys: func(dst []Key, s string) []Key {
			name, sum := cutLast(s)
			return fileKeys(f.keys(dst, sum), name)
		},
		cut: cutLast,
	}
}

func cutLast(s string) (value1, value2 string) {
	i := strings.LastIndexByte(s, '|')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}
