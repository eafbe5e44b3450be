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
	wrong := why("it wants " + itoa(n) + " hexadecimal digits")
	return computed(kind, func(s string) bool { return len(s) == n && isHex(s) }, wrong)
}

// computed is the form of what is stored in lower case if ok says so.
func computed(kind Kind, ok func(lower string) bool, wrong why) form {
	return form{
		plain: ok,
		parse: func(s string) (string, error) {
			if s = strings.ToLower(bare(s)); !ok(s) {
				return "", wrong
			}
			return s, nil
		},
		facets: func(s string) Facets { return Facets{Names: []Name{{Kind: kind, Text: s}}} },
		keys:   hashKeys,
	}
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
	// TLSH: 35 octets in hexadecimal, "t1" before it in newer versions.
	tlsh = computed(Fingerprint, func(s string) bool {
		s = strings.TrimPrefix(s, "t1")
		s = strings.TrimPrefix(s, "t")
		return len(s) > 35 && isHex(s)
	}, "it wants more than 35 hexadecimal digits, perhaps after \"t1\"")

	telfhash = computed(Fingerprint, func(s string) bool {
		return len(s) == 70 && isHex(s) || len(s) == 72 && s[0] == 't' && isHex(s[2:])
	}, "it wants 70 hexadecimal digits, or 72 characters beginning with \"t1\"")

	cdhash = computed(Fingerprint, func(s string) bool { return len(s) >= 40 && isHex(s) },
		"it wants 40 or more hexadecimal digits")

	vhash = computed(Fingerprint, func(s string) bool { return oneLine(s) == nil && s == strings.ToLower(bare(s)) },
		"it wants one line of text")

	ssdeep   = exact(isSsdeep, "it wants blocksize:hash:hash")
	impfuzzy = exact(isImpfuzzy, "it wants imports:hash:hash")
	sshKey   = exact(isSSHFingerprint, "it wants SHA256:… in base64 or 32 hexadecimal digits")
)

// exact is a fingerprint whose case means something.
func exact(ok func(string) bool, wrong why) form {
	f := computed(Fingerprint, ok, wrong)
	f.parse = func(s string) (string, error) {
		if s = bare(s); !ok(s) {
			return "", wrong
		}
		return s, nil
	}
	return f
}

func isSsdeep(s string) bool {
	part := strings.Split(s, ":")
	return len(part) == 3 && isDigits(part[0]) && isBase64(part[1]) && isBase64(part[2])
}

func isImpfuzzy(s string) bool {
	return strings.Count(s, ":") == 2 && isDigits(s[:strings.IndexByte(s, ':')]) && oneLine(s) == nil && s == bare(s)
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
