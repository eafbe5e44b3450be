package httpd

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"tocsin"
)

// Cost of a password, from the OWASP cheat sheet: 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	argonLanes  = 1
	saltLength  = 16
	hashLength  = 32
)

// Limits on what a stored hash may ask of us.
const (
	maxArgonMemory = 256 * 1024
	maxArgonPasses = 16
)

// MinPassword is how long a chosen password has to be.
const MinPassword = 12

// maxPassword keeps hashing from being fed without end.
const maxPassword = 1024

// CheckStrength refuses passwords that are not worth hashing.
func CheckStrength(password string) error {
	switch n := len(password); {
	case n < MinPassword:
		return tocsin.Errorf(tocsin.Invalid, "a password takes at least %d characters", MinPassword)
	case n > maxPassword:
		return tocsin.Errorf(tocsin.Invalid, "a password takes at most %d octets", maxPassword)
	}
	return nil
}

// kneading bounds how many passwords are hashed at once: each takes 19 MiB.
var kneading = make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))

func knead(password string, salt []byte, passes, memory uint32, lanes uint8, n uint32) []byte {
	kneading <- struct{}{}
	defer func() { <-kneading }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, n)
}

// HashPassword returns what is kept of a password: Argon2id (RFC 9106) in the
// usual notation, with its cost, so that the cost can be raised later.
func HashPassword(password string) string {
	salt := make([]byte, saltLength)
	rand.Read(salt)
	sum := knead(password, salt, argonPasses, argonMemory, argonLanes, hashLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// CheckPassword reports whether hash was made from password. It also knows
// bcrypt, since that is what users bring along from MISP.
func CheckPassword(hash, password string) bool {
	if len(password) > maxPassword {
		return false
	}
	if strings.HasPrefix(hash, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version int
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil ||
		memory > maxArgonMemory || passes < 1 || passes > maxArgonPasses || lanes < 1 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) < 16 {
		return false
	}
	got := knead(password, salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}
