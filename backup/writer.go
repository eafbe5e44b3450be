package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Writer writes an archive. Until Close has returned it is none.
type Writer struct {
	zip   *gzip.Writer
	tar   *tar.Writer
	made  time.Time
	files []File
	blobs Blobs
}

// NewWriter begins an archive.
func NewWriter(w io.Writer, made time.Time) *Writer {
	// A database packs to a third with the least effort. More effort wins little and
	// takes the time of those who write meanwhile.
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	return &Writer{zip: zip, tar: tar.NewWriter(zip), made: made.UTC().Truncate(time.Second)}
}

// File adds a file of that size, which content writes.
func (w *Writer) File(name string, size int64, content func(io.Writer) error) error {
	if err := w.header(name, size); err != nil {
		return err
	}
	sum := sha256.New()
	if err := content(io.MultiWriter(w.tar, sum)); err != nil {
		return err
	}
	if err := w.tar.Flush(); err != nil { // it was shorter
		return fmt.Errorf("write %s: %w", name, err)
	}
	w.files = append(w.files, File{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// Blob adds an attachment, by the SHA-256 of its content in lower-case hex.
func (w *Writer) Blob(sum string, content []byte) error {
	if err := w.header(blobs+sum, int64(len(content))); err != nil {
		return err
	}
	w.blobs.Count++
	w.blobs.Octets += int64(len(content))
	_, err := w.tar.Write(content)
	return err
}

func (w *Writer) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.made})
}

// Close ends the archive with its manifest, and returns it as it was written.
func (w *Writer) Close(m Manifest) (Manifest, error) {
	m.Format, m.Made, m.Files, m.Blobs = Format, w.made, w.files, w.blobs
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return m, err
	}
	if err := w.header(manifest, int64(len(b))); err != nil {
		return m, err
	}
	_, err = w.tar.Write(b)
	return m, errors.Join(err, w.tar.Close(), w.zip.Close())
}
