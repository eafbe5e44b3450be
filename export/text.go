package export

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// writeText writes values, one a line, each once.
func writeText(w *Writer, a *Answer) error {
	seen := newRepeats()
	err := a.each(w, nil, func(c *Claim) {
		v := c.Value.String()
		if !seen.again(v) {
			w.B = append(appendUnbroken(w.B, v), '\n')
		}
	})
	if err == nil {
		err = w.End()
	}
	return err
}

// appendUnbroken appends a text without its line ends, so that nobody can add a
// line to a list by way of a value.
func appendUnbroken(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\n\r\x00") {
		return append(b, s...)
	}
	return append(b, strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\x00", " ").Replace(s)...)
}

// hashTypes are digests of files and certificates, and of how similar they are.
var hashTypes = func() (types []string) {
	plain := []string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512/224", "sha512/256", "sha3-224", "sha3-256", "sha3-384", "sha3-512",
		"ssdeep", "imphash", "tlsh", "pehash", "authentihash", "impfuzzy"}
	for _, t := range plain {
		types = append(types, t, "filename|"+t)
	}
	return append(types, "malware-sample", "x509-fingerprint-md5", "x509-fingerprint-sha1", "x509-fingerprint-sha256")
}()

// writeHashes writes digests, one a line, without the names of files beside them.
func writeHashes(w *Writer, a *Answer) error {
	first := true
	err := a.each(w, hashTypes, func(c *Claim) {
		v1, v2 := c.Value.Parts()
		if v2 != "" {
			v1 = v2
		}
		if !first {
			w.B = append(w.B, '\n')
		}
		first = false
		w.B = append(w.B, v1...)
	})
	if err != nil {
		return err
	}
	w.B = append(w.B, '\n')
	return w.End()
}

// writeCache writes the MD5 of each value, which is what peers of MISP hold
// against values of their own without being told those that they don't have.
func writeCache(w *Writer, a *Answer) error {
	err := a.each(w, nil, func(c *Claim) {
		sum := md5.Sum([]byte(c.Value.String()))
		w.B = append(hex.AppendEncode(w.B, sum[:]), '\n')
	})
	if err == nil {
		err = w.End()
	}
	return err
}
