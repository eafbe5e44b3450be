package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"tocsin"
)

// maxManifest is how long a manifest may be, in octets: there are some dozen
// tables.
const maxManifest = 1 << 20

// Verify reads an archive to its end and returns its manifest. An error says
// what is wrong with it.
func Verify(r io.Reader) (Manifest, error) {
	return Read(r, func(string) (io.WriteCloser, error) { return discard{io.Discard}, nil })
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }

// Read is [Verify] that also writes each file to what open returns for its name.
// Only when Read has returned is it known whether the files are right.
func Read(r io.Reader, open func(name string) (io.WriteCloser, error)) (m Manifest, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	zip, err := gzip.NewReader(in)
	if err != nil {
		return m, tocsin.Errorf(tocsin.Invalid, "it is no backup of an exchange")
	}
	zip.Multistream(false)
	files := tar.NewReader(zip)
	var found []File
	var attached Blobs
	last := ""
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return m, damaged("it ends without a manifest")
		}
		if err != nil {
			return m, broken(err)
		}
		if h.Typeflag != tar.TypeReg {
			return m, damaged("%q is no file", h.Name)
		}
		if h.Name == manifest {
			if m, err = readManifest(files); err != nil {
				return m, err
			}
			break
		}
		if sum, ok := IsBlob(h.Name); ok {
			if h.Name <= last { // they are in order, and each is there once
				return m, damaged("%q is there twice, or in the wrong place", h.Name)
			}
			last = h.Name
			f, err := readFile(files, h, open)
			if err != nil {
				return m, err
			}
			if f.SHA256 != sum {
				return m, damaged("%s has another sum", h.Name)
			}
			attached.Count++
			attached.Octets += f.Size
			continue
		}
		if !known(h.Name) || slices.ContainsFunc(found, func(f File) bool { return f.Name == h.Name }) {
			return m, damaged("there should be no %q", h.Name)
		}
		f, err := readFile(files, h, open)
		if err != nil {
			return m, err
		}
		found = append(found, f)
	}
	if err := m.check(found, attached); err != nil {
		return m, err
	}
	return m, end(in, zip, files)
}

// known names no path: nothing is written but where it belongs.
func known(name string) bool { return name == Database || name == SealKey }

func readFile(r io.Reader, h *tar.Header, open func(string) (io.WriteCloser, error)) (File, error) {
	out, err := open(h.Name)
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(&sink{out, sum}, r)
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		return File{}, broken(err)
	}
	return File{h.Name, n, hex.EncodeToString(sum.Sum(nil))}, nil
}

// A sink tells an error of writing from one of reading.
type sink struct{ out, sum io.Writer }

type writeError struct{ error }

func (w writeError) Unwrap() error { return w.error }

func (s *sink) Write(b []byte) (int, error) {
	s.sum.Write(b)
	n, err := s.out.Write(b)
	if err != nil {
		err = writeError{err}
	}
	return n, err
}

func readManifest(r io.Reader) (m Manifest, err error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return m, broken(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, damaged("its manifest can't be read: %s", err)
	}
	return m, nil
}

func (m Manifest) check(found []File, attached Blobs) error {
	switch {
	case m.Format > Format:
		return tocsin.Errorf(tocsin.Conflict, "the backup was written by a later Tocsin (%s); restore it with that one", m.Program)
	case m.Format < 1:
		return damaged("its manifest is of no format that there is: %d", m.Format)
	case !slices.Equal(found, m.Files):
		return damaged("its files are not those that were written: %s", difference(found, m.Files))
	case attached != m.Blobs:
		return damaged("it holds %d attachments, and not the %d that were written", attached.Count, m.Blobs.Count)
	case !slices.ContainsFunc(found, func(f File) bool { return f.Name == Database }):
		return damaged("it has no database")
	}
	return nil
}

func difference(found, want []File) string {
	for i, w := range want {
		switch {
		case i >= len(found) || found[i].Name != w.Name:
			return w.Name + " is missing"
		case found[i] != w:
			return w.Name + " has another sum"
		}
	}
	return found[len(want)].Name + " is not in the manifest"
}

// end reads what is left, which must be the ends of tar and gzip and no more.
func end(in *bufio.Reader, zip *gzip.Reader, files *tar.Reader) error {
	if _, err := files.Next(); !errors.Is(err, io.EOF) {
		if err == nil {
			return damaged("something follows its manifest")
		}
		return broken(err)
	}
	if _, err := io.Copy(io.Discard, zip); err != nil {
		return broken(err)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			return damaged("something follows its end")
		}
		return broken(err)
	}
	return nil
}

func damaged(format string, args ...any) error {
	return tocsin.Errorf(tocsin.Invalid, "the backup is damaged: %s", fmt.Sprintf(format, args...))
}

// broken is an error midway: of reading the archive, unless of writing a file.
func broken(err error) error {
	if w, ok := errors.AsType[writeError](err); ok {
		return w.error
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return damaged("it was cut short")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, tar.ErrHeader):
		return damaged("%s", err)
	}
	return fmt.Errorf("read the backup: %w", err)
}
