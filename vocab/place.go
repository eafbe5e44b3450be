package vocab

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tocsin"
)

// A Place is where reference data is read from whenever somebody asks for what is
// new. If sorts are named, only those are read.
type Place func(ctx context.Context, sorts ...tocsin.VocabularySort) (*Published, error)

// At returns the place that is a folder or a file on this machine.
func At(name string) Place {
	return func(ctx context.Context, sorts ...tocsin.VocabularySort) (*Published, error) {
		info, err := os.Stat(name)
		if err != nil {
			return nil, tocsin.Errorf(tocsin.Invalid, "there is no file or folder %s", name)
		}
		if info.IsDir() {
			return ReadPublished(ctx, os.DirFS(name), sorts...)
		}
		if info.Size() > MaxArchive {
			return nil, tocsin.Errorf(tocsin.Invalid, "%s is larger than %d MB", name, MaxArchive>>20)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return ReadFile(ctx, filepath.Base(name), b, sorts...)
	}
}

// MaxArchive is how large an archive may be, in octets, as it is packed.
const MaxArchive = 256 << 20

// ReadFile reads the reference data in one file, which may be an archive.
func ReadFile(ctx context.Context, name string, b []byte, sorts ...tocsin.VocabularySort) (*Published, error) {
	g := &gathering{}
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("\x1f\x8b")) {
		if err := g.archive(name, b); err != nil {
			return nil, err
		}
	} else {
		g.files = []file{{name, func() ([]byte, error) { return bounded(bytes.NewReader(b)) }}}
	}
	return readFiles(ctx, g.files, sorts)
}

// EachFile calls do with each file of a folder, and of the archives in it, that may be
// reference data.
func EachFile(folder fs.FS, do func(name string, text []byte) error) error {
	files, err := gather(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := f.open()
		if err == nil {
			err = do(f.name, text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}
