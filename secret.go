package tocsin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// A Secret has to be readable, unlike a password, and must not be read by accident:
// whatever prints it, in a log, an answer or an error, prints that it is one. Who
// needs it asks by name, with [Secret.Clear].
//
// A store keeps it sealed. What is sealed stands in JSON as it is; what is not does
// not stand there at all. The zero Secret is none.
type Secret struct {
	clear  []byte
	sealed string
}

// NewSecret returns the secret that is clear.
func NewSecret(clear []byte) Secret { return Secret{clear: clear} }

// SealedSecret returns a secret as a store keeps it, with what it is in clear, or nil
// where that can't be known.
func SealedSecret(sealed string, clear []byte) Secret { return Secret{clear, sealed} }

// Clear returns the secret itself, not to be changed.
func (s Secret) Clear() []byte { return s.clear }

// Sealed returns how a store keeps it, "" if none does yet.
func (s Secret) Sealed() string { return s.sealed }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return len(s.clear) == 0 && s.sealed == "" }

// SealedPrefix begins every secret that is sealed.
const SealedPrefix = "sealed:"

const hiddenSecret = "(secret)"

// String, GoString, Format and LogValue tell nothing.
func (s Secret) String() string             { return hiddenSecret }
func (s Secret) GoString() string           { return hiddenSecret }
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hiddenSecret) }
func (s Secret) LogValue() slog.Value       { return slog.StringValue(hiddenSecret) }

// MarshalJSON writes what is sealed, or that there is something.
func (s Secret) MarshalJSON() ([]byte, error) {
	switch {
	case s.sealed != "":
		return json.Marshal(s.sealed)
	case s.IsZero():
		return []byte(`null`), nil
	}
	return json.Marshal(hiddenSecret)
}

// UnmarshalJSON reads what a store kept: sealed, or, by the first version, in clear
// (base64).
func (s *Secret) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*s = Secret{}
	switch {
	case text == nil, *text == hiddenSecret:
	case strings.HasPrefix(*text, SealedPrefix):
		s.sealed = *text
	default:
		clear, err := base64.StdEncoding.DecodeString(*text)
		if err != nil {
			return fmt.Errorf("a secret is neither sealed nor base64")
		}
		s.clear = clear
	}
	return nil
}

// A Confidant is a record with secrets in it, by name. The names are kept in stores.
type Confidant interface {
	Record
	Secrets() map[string]*Secret
}

// Confidants returns the kinds of records that may have secrets.
func Confidants() (ks []Kind) {
	for k, is := range kinds {
		if _, ok := is.make().(Confidant); ok {
			ks = append(ks, k)
		}
	}
	slices.Sort(ks)
	return ks
}

func (s *Subscriber) Secrets() map[string]*Secret {
	if s.TSIG == nil {
		return nil
	}
	return map[string]*Secret{"tsig": &s.TSIG.Secret}
}

func (u *User) Secrets() map[string]*Secret {
	if u.TOTP == nil {
		return nil
	}
	return map[string]*Secret{"totp": u.TOTP}
}
