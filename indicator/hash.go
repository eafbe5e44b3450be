package indicator

import "strings"

// Hashes and other fingerprints
//
// What is written in hexadecimal is stored in lower case. A hash that
// identifies one file (MD5, SHA-1, SHA-2) is of Kind Hash; whatever else is
// computed from something is a Fingerprint and in no list of file hashes.

// digest is a file hash of n hexadecimal digits, fingerprint any other.
func digest(n int) form      { return hexadecimal(Hash, n) }
func fingerprint(n int) form { return hexadecimal(Fingerprint, n) }

func hexadecimal(kind Kind, n int) form {
	ok := func(s string) bool { return len(s) == n && isHex(s) }
	f := computed(kind, strings.ToLower, ok, why("it wants "+itoa(n)+" hexadecimal digits"))
	f.plain = ok
	return f
}

// computed is the form of what rewrite brings into normal form and ok checks.
func computed(kind Kind, rewrite func(string) string, ok func(string) bool, wrong why) form {
	f := rewritten(rewrite, ok, wrong)
	f.facets = func(s string) Facets { return Facets{Names: []Name{{Kind: kind, Text: s}}} }
	f.keys = hashKeys
	return f
}

func hashKeys(dst []Key, s string) []Key { return append(dst, Key("h:"+s)) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// withColons also takes the "AB:CD:…" that certificate viewers print.
func withColons(f form) form {
	parse := f.parse
	f.parse = func(s string) (string, error) { return parse(strings.ReplaceAll(s, ":", "")) }
	return f
}

var (
	tlsh = computed(Fingerprint, strings.ToLower, isTLSH, "it wants more than 35 hexadecimal digits, perhaps after \"t1\"")

	telfhash = computed(Fingerprint, strings.ToLower, isTelfhash, "it wants 70 hexadecimal digits, perhaps after \"t1\"")

	cdhash = computed(Fingerprint, strings.ToLower, func(s string) bool { return len(s) >= 40 && isHex(s) },
		"it wants 40 or more hexadecimal digits")

	vhash = computed(Fingerprint, strings.ToLower, isLine, "it wants one line of text")

	// In these the case means something.
	ssdeep   = computed(Fingerprint, same, isSsdeep, "it wants blocksize:hash:hash")
	impfuzzy = computed(Fingerprint, same, isImpfuzzy, "it wants imports:hash:hash")
	sshKey   = computed(Fingerprint, same, isSSHFingerprint, "it wants SHA256:… in base64 or 32 hexadecimal digits")
)

// isTLSH knows the digests without a version and those that begin with "t1".
func isTLSH(s string) bool {
	s = strings.TrimPrefix(s, "t")
	return len(s) > 35 && isHex(s)
}

func isTelfhash(s string) bool {
	return isHex(strings.TrimPrefix(s, "t1")) && (len(s) == 70 || len(s) == 72)
}

func isLine(s string) bool { return oneLine(s) == nil }

func isSsdeep(s string) bool {
	part := strings.Split(s, ":")
	return len(part) == 3 && isDigits(part[0]) && isBase64(part[1]) && isBase64(part[2])
}

func isImpfuzzy(s string) bool {
	return strings.Count(s, ":") == 2 && isDigits(s[:strings.IndexByte(s, ':')]) && isLine(s)
}

func isSSHFingerprint(s string) bool {
	if b64, ok := strings.CutPrefix(s, "SHA256:"); ok {
		b64 = strings.TrimRight(b64, "=")
		return len(b64) == 43 && isBase64(b64)
	}
	s = strings.ReplaceAll(strings.TrimPrefix(s, "MD5:"), ":", "")
	return len(s) == 32 && isHex(strings.ToLower(s))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isBase64(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

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
