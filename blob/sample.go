package blob

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"tocsin"
)

// Samples of malware travel as MISP has them: a zip encrypted with the password
// "infected", in which the sample is named by its MD5 and a second file
// (MD5.filename.txt) holds what it was called. The cipher is the old one of zip
// (APPNOTE.TXT, section 6.1): it hides nothing, and is there so that nothing runs or
// is taken away by mistake.

// Password is what samples are locked away with.
const Password = "infected"

// maxRatio is how many octets one octet of a zip may become, beyond maxSmall octets: a
// bomb has a thousand.
const (
	maxRatio = 200
	maxSmall = 1 << 20
)

// ErrNoZip says that content is no zip that is locked with the password.
var ErrNoZip = tocsin.Errorf(tocsin.Invalid, "it is no zip that is locked with the password %q", Password)

// Lock puts a sample away in a zip.
func Lock(name string, sample []byte) ([]byte, error) {
	sum := md5.Sum(sample)
	hash := hex.EncodeToString(sum[:])
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range []struct {
		name    string
		content []byte
	}{{hash, sample}, {hash + ".filename.txt", []byte(name)}} {
		if err := lock(w, f.name, f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func lock(w *zip.Writer, name string, content []byte) error {
	var packed bytes.Buffer
	deflate, _ := flate.NewWriter(&packed, flate.DefaultCompression)
	if _, err := deflate.Write(content); err != nil {
		return err
	}
	if err := deflate.Close(); err != nil {
		return err
	}
	method := zip.Deflate
	if packed.Len() < len(content)/(maxRatio/2) { // who unlocks it would take it for a bomb
		method = zip.Store
		packed.Reset()
		packed.Write(content)
	}
	crc := crc32.ChecksumIEEE(content)
	head := make([]byte, lockHeader)
	if _, err := rand.Read(head); err != nil {
		return err
	}
	head[lockHeader-1] = byte(crc >> 24) // by this who unlocks it knows that the password is right
	k := newKeys(Password)
	for i, b := range head {
		head[i] = k.encrypt(b)
	}
	body := packed.Bytes()
	for i, b := range body {
		body[i] = k.encrypt(b)
	}
	h := &zip.FileHeader{Name: name, Method: method, Flags: 1, CRC32: crc, Modified: time.Unix(315532800, 0).UTC(),
		CompressedSize64: uint64(lockHeader + len(body)), UncompressedSize64: uint64(len(content))}
	f, err := w.CreateRaw(h)
	if err != nil {
		return err
	}
	if _, err := f.Write(head); err != nil {
		return err
	}
	_, err = f.Write(body)
	return err
}

// Unlock reads the sample in a zip, and what it was called, "" if the zip does not
// say. A sample of more than max octets is refused, and so is what would grow out of
// all proportion, before it has.
func Unlock(content []byte, max int64) (name string, sample []byte, err error) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(z.File) == 0 {
		return "", nil, ErrNoZip
	}
	if len(z.File) > maxEntries {
		return "", nil, tocsin.Errorf(tocsin.Invalid, "the zip holds %d files, where a sample and its name are expected", len(z.File))
	}
	found := false
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, ".filename.txt") {
			text, err := unlock(f, maxName)
			if err != nil {
				return "", nil, err
			}
			name = strings.TrimSpace(string(text))
			continue
		}
		if found || f.FileInfo().IsDir() {
			return "", nil, tocsin.Errorf(tocsin.Invalid, "the zip holds more than one sample; send each by itself")
		}
		if sample, err = unlock(f, max); err != nil {
			return "", nil, err
		}
		found = true
	}
	if !found {
		return "", nil, ErrNoZip
	}
	return name, sample, nil
}

const (
	maxEntries = 8
	maxName    = 1024
	lockHeader = 12
)

func unlock(f *zip.File, max int64) ([]byte, error) {
	if f.Flags&1 == 0 || f.Method != zip.Deflate && f.Method != zip.Store {
		return nil, ErrNoZip
	}
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, ErrNoZip
	}
	packed := int64(f.CompressedSize64)
	limit := min(max, maxRatio*packed+maxSmall)
	locked := &unlocker{r: io.LimitReader(raw, packed), k: newKeys(Password)}
	head := make([]byte, lockHeader)
	if _, err := io.ReadFull(locked, head); err != nil {
		return nil, ErrNoZip
	}
	if check := head[lockHeader-1]; check != byte(f.CRC32>>24) && check != byte(f.ModifiedTime>>8) {
		return nil, ErrNoZip
	}
	var plain io.Reader = locked
	if f.Method == zip.Deflate {
		plain = flate.NewReader(locked)
	}
	out, err := io.ReadAll(io.LimitReader(plain, limit+1))
	switch {
	case int64(len(out)) > limit && limit < max:
		return nil, tocsin.Errorf(tocsin.Invalid, "the zip unpacks to more than %d times its size: it looks like a bomb", maxRatio)
	case int64(len(out)) > limit:
		return nil, TooLarge(max)
	case err != nil || crc32.ChecksumIEEE(out) != f.CRC32:
		return nil, ErrNoZip
	}
	return out, nil
}

// TooLarge refuses content that is larger than is taken.
func TooLarge(max int64) error {
	return tocsin.Errorf(tocsin.Invalid, "an attachment may have %d octets at most; an administrator sets that (%s)", max, tocsin.AttachmentLimit)
}

// An unlocker reads what a zip has encrypted.
type unlocker struct {
	r io.Reader
	k *keys
}

func (u *unlocker) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	for i, b := range p[:n] {
		p[i] = u.k.decrypt(b)
	}
	return n, err
}

// keys are the state of zip's old cipher (APPNOTE.TXT, section 6.1.5).
type keys [3]uint32

func newKeys(password string) *keys {
	k := &keys{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		k.update(password[i])
	}
	return k
}

func (k *keys) update(b byte) {
	k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
	k[1] = (k[1]+k[0]&0xff)*134775813 + 1
	k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
}

func (k *keys) next() byte {
	t := k[2] | 2
	return byte(t * (t ^ 1) >> 8)
}

func (k *keys) encrypt(b byte) byte { c := b ^ k.next(); k.update(b); return c }
func (k *keys) decrypt(c byte) byte { b := c ^ k.next(); k.update(b); return b }
