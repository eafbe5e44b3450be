package httpd

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

const (
	alphabet       = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	keyLength      = 40 // what MISP clients check for
	passwordLength = 24
)

// NewKey draws an API key. It is shown once; kept are its hash, and its ends to
// tell keys apart.
func NewKey() (clear, hash, ends string) {
	clear = draw(keyLength)
	return clear, HashKey(clear), clear[:4] + clear[keyLength-4:]
}

// HashKey is what is kept of a key. A key is drawn from 238 bits, so a plain hash
// is as good as a slow one.
func HashKey(clear string) string {
	sum := sha256.Sum256([]byte(clear))
	return hex.EncodeToString(sum[:])
}

// NewPassword draws a password for someone who will choose their own.
func NewPassword() string { return draw(passwordLength) }

// draw returns n characters of the alphabet, each as likely as any other: octets
// that would favour the first ones are thrown away.
func draw(n int) string {
	const fair = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	for buf := make([]byte, n); len(out) < n; {
		rand.Read(buf)
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
