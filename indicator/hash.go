package indicator

import (
	"strconv"
	"strings"
)

// Hashes and other fingerprints
//
// What is written in hexadecimal is stored in lower case. A hash that
// identifies one file (MD5, SHA-1, SHA-2) is of Kind Hash; whatever else is
// computed from something is of another kind and in no list of file hashes.

func digest(n int) form      { return hexadecimal(Hash, n) }        // of a file, n hexadecimal digits
func fingerprint(n int) form { return hexadecimal(Fingerprint, n) } // of anything
func handshake(n int) form   { return hexadecimal(Handshake, n) }
func certificate(n int) form { return withColons(hexadecimal(Certificate, n)) }

func hexadecimal(kind Kind, n int) form {
	ok := func(s string) bool { return len(s) == n && isHex(s) }
	f := computed(kind, strings.ToLower, ok, why("it wants "+itoa(n)+" hexadecimal digits"))
	f.plain, f.keys = ok, func(dst []Key, s string) []Key { return append(dst, Key("h:"+s)) }
	return f
}

// computed is the form of what rewrite brings into normal form and ok checks.
func computed(kind Kind, rewrite func(string) string, ok func(string) bool, wrong why) form {
	f := rewritten(rewrite, ok, wrong)
	f.facets = named(kind)
	f.keys = func(dst []Key, s string) []Key { return append(dst, Key("h:"+sameDigest(s))) }
	return f
}

// named is the facets of a value that is one thing, by its whole text.
func named(kind Kind) func(string) Facets {
	return func(s string) Facets { return Facets{Names: []Name{{Kind: kind, Text: s}}} }
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// withColons also takes the "AB:CD:…" and "AB CD …" that certificate viewers print.
func withColons(f form) form {
	parse, apart := f.parse, strings.NewReplacer(":", "", " ", "")
	f.parse = func(s string) (string, error) { return parse(apart.Replace(s)) }
	return f
}

// sameDigest makes one of the spellings that MISP keeps apart, for the key:
// a TLSH with its version and without, an SSH fingerprint with "MD5:" and with
// colons or without.
func sameDigest(s string) string {
	if version, ok := strings.CutPrefix(s, "t1"); ok && len(version) >= 70 {
		return version
	}
	if md5 := sshMD5(s); md5 != "" {
		return md5
	}
	return s
}

var (
	tlsh = computed(Fuzzy, strings.ToLower, isTLSH, "it wants the 70 hexadecimal digits of a TLSH, perhaps after \"T1\"")

	telfhash = computed(Fuzzy, strings.ToLower, isTLSHOf(70), "it wants 70 hexadecimal digits, perhaps after \"t1\"")

	cdhash = computed(Fingerprint, strings.ToLower, func(s string) bool { return len(s) >= 40 && len(s) <= 128 && isHex(s) },
		"it wants 40 or more hexadecimal digits")

	vhash = computed(Fingerprint, strings.ToLower, isShort(512), "it wants one line of text, as VirusTotal gives it")

	favicon = computed(Fingerprint, readMurmur, isInteger, "it wants the MurmurHash3 of an icon, a number from -2147483648 to 2147483647")

	// In these the case means something.
	ssdeep    = computed(Fuzzy, readSsdeep, isSsdeep, "it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on")
	impfuzzy  = computed(Fuzzy, readSsdeep, isSsdeep, "it wants blocksize:hash:hash of a file's imports, as ssdeep writes it")
	sshKey    = computed(Fingerprint, same, isSSHFingerprint, "it wants SHA256:… in base64 or 32 hexadecimal digits")
	community = computed(Fingerprint, same, isCommunityID, "it wants a version and 20 octets in base64, such as 1:LQU9qZlK+B5F3KDmev6m5PMibrg=")
)

// isTLSH knows the digests of one and three octets of checksum over 128 and 256
// buckets, without a version and with the one there is.
func isTLSH(s string) bool { return isTLSHOf(70, 74, 134, 138)(s) }

func isTLSHOf(lengths ...int) func(string) bool {
	return func(s string) bool {
		s = strings.TrimPrefix(s, "t1")
		for _, n := range lengths {
			if len(s) == n {
				return isHex(s)
			}
		}
		return false
	}
}

// readMurmur writes the hash as the signed number that scanners ask for.
func readMurmur(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return ""
	}
	return strconv.Itoa(int(int32(uint32(n))))
}

func isSSHFingerprint(s string) bool {
	if b64, ok := strings.CutPrefix(s, "SHA256:"); ok {
		b64 = strings.TrimRight(b64, "=")
		return len(b64) == 43 && isBase64(b64)
	}
	return sshMD5(s) != ""
}

// sshMD5 returns the digits of an SSH fingerprint by MD5, or "".
func sshMD5(s string) string {
	if len(s) > len("MD5:")+47 {
		return ""
	}
	s = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s, "MD5:"), ":", ""))
	if len(s) != 32 || !isHex(s) {
		return ""
	}
	return s
}

// isCommunityID is version 1 of the Community ID Flow Hashing specification, or
// a later one that keeps to its shape.
func isCommunityID(s string) bool {
	version, b64, ok := strings.Cut(s, ":")
	return ok && isDigits(version) && len(b64) == 28 && b64[27] == '=' && isBase64(b64[:27])
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
