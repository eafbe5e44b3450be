// Package seal keeps secrets at rest. Whoever gets hold of a store, or a copy of it,
// reads no secret in it without the key file, which lies beside it or elsewhere.
//
// Sealing is XChaCha20-Poly1305. What a secret is about goes into the seal (kind, id
// and name of the record's field), so a sealed secret that is moved to another
// record does not open there.
//
// The package knows nothing of records.
package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"tocsin"
)

// KeySize is how many random octets a key has. A key file holds one key after
// another, the newest first: the newest seals, all of them open.
const KeySize = chacha20poly1305.KeySize

// maxKeys bounds a key file: rotation needs two.
const maxKeys = 16

// A Ring is the keys of a key file. The zero Ring has none.
type Ring struct {
	path string
	keys []key
}

type key struct {
	id   string // the beginning of the key's SHA-256, to tell keys apart
	aead cipher.AEAD
	raw  []byte
}

// Open reads a key file. A file that is not there is a Ring without keys, for which
// [Ring.Create] makes one.
func Open(path string) (*Ring, error) {
	r := &Ring{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "can't read the key file %s: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, tocsin.Errorf(tocsin.Invalid, "others can read the key file %s; forbid it: chmod 600 %s", path, path)
	}
	if len(b) == 0 || len(b)%KeySize != 0 || len(b) > maxKeys*KeySize {
		return nil, tocsin.Errorf(tocsin.Invalid, "%s is no key file: it has %d octets, and a key has %d; put the right file back, or name it with --seal-key", path, len(b), KeySize)
	}
	return r, r.load(b)
}

func (r *Ring) load(b []byte) error {
	r.keys = nil
	for ; len(b) > 0; b = b[KeySize:] {
		aead, err := chacha20poly1305.NewX(b[:KeySize])
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b[:KeySize])
		r.keys = append(r.keys, key{hex.EncodeToString(sum[:4]), aead, b[:KeySize:KeySize]})
	}
	return nil
}

// Path is where the key file is, or would be.
func (r *Ring) Path() string { return r.path }

// IDs returns the ids of the keys, the newest first. They tell nothing of the keys.
func (r *Ring) IDs() (ids []string) {
	for _, k := range r.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// Create draws the first key and writes the file, which must not be there.
func (r *Ring) Create() error {
	b := draw()
	f, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "can't make the key file %s: %w", r.path, err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(r.path)); err != nil {
		os.Remove(r.path)
		return fmt.Errorf("write the key file %s: %w", r.path, err)
	}
	return r.load(b)
}

func draw() []byte {
	b := make([]byte, KeySize)
	rand.Read(b)
	return b
}

// Rotate puts a new key before the others.
func (r *Ring) Rotate() error {
	if len(r.keys) >= maxKeys {
		return tocsin.Errorf(tocsin.Invalid, "%s holds %d keys already; seal anew with the newest first", r.path, len(r.keys))
	}
	b := draw()
	for _, k := range r.keys {
		b = append(b, k.raw...)
	}
	return r.replace(b)
}

// Forget drops all keys but the newest, when nothing is sealed with them any more.
func (r *Ring) Forget() error { return r.replace(r.keys[0].raw) }

// replace writes the file anew: whatever happens, the old one or the new one is there.
func (r *Ring) replace(b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(r.path), ".seal-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write the key file %s: %w", r.path, err)
	}
	return errors.Join(syncFolder(r.path), r.load(b))
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders can't be synced there
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

var encoding = base64.RawStdEncoding.Strict()

// Seal seals a secret for what it is about.
func (r *Ring) Seal(clear []byte, about string) (string, error) {
	if len(r.keys) == 0 {
		return "", errors.New("seal: there is no key")
	}
	k := r.keys[0]
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(clear)+k.aead.Overhead())
	rand.Read(nonce)
	return tocsin.SealedPrefix + k.id + ":" + encoding.EncodeToString(k.aead.Seal(nonce, nonce, clear, []byte(about))), nil
}

// Open opens what was sealed for the same.
func (r *Ring) Open(sealed, about string) ([]byte, error) {
	id, text, ok := strings.Cut(strings.TrimPrefix(sealed, tocsin.SealedPrefix), ":")
	if !ok {
		return nil, errors.New("seal: that is nothing sealed")
	}
	for _, k := range r.keys {
		if k.id != id {
			continue
		}
		b, err := encoding.DecodeString(text)
		if err != nil || len(b) < k.aead.NonceSize() {
			return nil, errors.New("seal: that is damaged")
		}
		clear, err := k.aead.Open(nil, b[:k.aead.NonceSize()], b[k.aead.NonceSize():], []byte(about))
		if err != nil {
			return nil, fmt.Errorf("seal: that was not sealed for %s, or is damaged", about)
		}
		return clear, nil
	}
	return nil, &WrongKeyError{Want: id, Have: r.IDs(), Path: r.path}
}

// A WrongKeyError is about something sealed with a key that is not in the key file.
type WrongKeyError struct {
	Want string
	Have []string
	Path string
}

func (e *WrongKeyError) Error() string {
	if len(e.Have) == 0 {
		return fmt.Sprintf("the secrets here were sealed with key %s, and there is no key file %s; put it back, or name it with --seal-key (nodes of one exchange have the same)", e.Want, e.Path)
	}
	return fmt.Sprintf("the secrets here were sealed with key %s, and the key file %s holds %s; put the right file back, or name it with --seal-key (nodes of one exchange have the same)", e.Want, e.Path, strings.Join(e.Have, ", "))
}

func (e *WrongKeyError) Unwrap() error { return tocsin.Errorf(tocsin.Conflict, "%s", e.Error()) }
