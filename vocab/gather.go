package vocab

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"tocsin"
)

// A file is one of a folder, or of an archive in it.
type file struct {
	name string
	open func() ([]byte, error)
}

// A gathering is the files of a folder and of the archives in it.
type gathering struct {
	files []file
	size  int64
}

// gather finds the files that may hold reference data, in order of their names.
func gather(folder fs.FS) ([]file, error) {
	g := &gathering{}
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir // .git
		case !d.Type().IsRegular():
			return nil
		case isData(name):
			return g.add(file{name, func() ([]byte, error) { return readBounded(folder, name) }}, 0)
		case isArchive(name):
			b, err := fs.ReadFile(folder, name)
			if err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
			return g.archive(name, b)
		}
		return nil
	})
	return g.files, err
}

func (g *gathering) add(f file, size int64) error {
	if g.files = append(g.files, f); len(g.files) > maxFiles {
		return tocsin.Errorf(tocsin.Invalid, "there are more than %d files; name the folder of the reference data itself", maxFiles)
	}
	if g.size += size; g.size > maxUnread {
		return tocsin.Errorf(tocsin.Invalid, "it is larger than %d MB when unpacked", maxUnread>>20)
	}
	return nil
}

func readBounded(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

func bounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxOctets+1))
	if err == nil && len(b) > MaxOctets {
		return nil, errTooLarge
	}
	return b, err
}

func isArchive(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".zip")
}

// archive reads an archive. Nothing of it is ever written to a disk; one that would
// lead out of its folder if it were is refused all the same, for it was not made to be
// read.
func (g *gathering) archive(name string, b []byte) error {
	var err error
	if bytes.HasPrefix(b, []byte("PK")) {
		err = g.zip(name, b)
	} else {
		err = g.tar(name, b)
	}
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "the archive %s can't be taken: %w", name, err)
	}
	return nil
}

func leadsOut(name string) bool {
	clean := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../")
}

func (g *gathering) tar(archive string, b []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("its packing is damaged: %w", err)
	}
	in := tar.NewReader(io.LimitReader(z, maxUnread))
	for {
		h, err := in.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("it is damaged: %w", err)
		case leadsOut(h.Name):
			return fmt.Errorf("%q leads out of it", clip(h.Name))
		case h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag != tar.TypeReg:
			return fmt.Errorf("%q is a link or a device, not a file", clip(h.Name))
		case !isData(h.Name):
			continue
		case h.Size > MaxOctets:
			g.add(file{archive + "/" + path.Clean(h.Name), func() ([]byte, error) { return nil, errTooLarge }}, 0)
			continue
		}
		text, err := bounded(in)
		if err != nil {
			return fmt.Errorf("%q can't be read: %w", clip(h.Name), err)
		}
		err = g.add(file{archive + "/" + path.Clean(h.Name), func() ([]byte, error) { return text, nil }}, int64(len(text)))
		if err != nil {
			return err
		}
	}
}

func (g *gathering) zip(archive string, b []byte) error {
	in, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return errors.New("it is damaged")
	}
	for _, f := range in.File {
		switch {
		case leadsOut(f.Name):
			return fmt.Errorf("%q leads out of it", clip(f.Name))
		case f.FileInfo().IsDir():
			continue
		case !f.Mode().IsRegular():
			return fmt.Errorf("%q is a link or a device, not a file", clip(f.Name))
		case !isData(f.Name):
			continue
		}
		open := func() ([]byte, error) {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return bounded(r)
		}
		if err := g.add(file{archive + "/" + path.Clean(f.Name), open}, 0); err != nil {
			return err
		}
	}
	return nil
}
