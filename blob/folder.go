package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A Folder keeps each blob as a file, named by its sum, in a folder named by the
// sum's first octet: DIR/3a/3a7bd3…. Only names of that form are ever touched.
type Folder struct {
	dir string
	mu  sync.RWMutex // a blob is not removed while it is put again
}

var _ Place = (*Folder)(nil)

// NewFolder returns the blobs in a folder, which need not be there yet.
func NewFolder(dir string) *Folder { return &Folder{dir: dir} }

// Path is where in a folder of blobs one is.
func Path(dir string, s Sum) string {
	name := s.String()
	return filepath.Join(dir, name[:2], name)
}

func (f *Folder) Put(_ context.Context, content []byte) (Sum, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s := SumOf(content)
	path := Path(f.dir, s)
	now := time.Now()
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(content)) && os.Chtimes(path, now, now) == nil {
		return s, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return s, err
	}
	return s, write(path, content)
}

// write has a file appear when it is whole and on disk, for its owner alone.
func write(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir has a name in a folder survive a power cut, where that can be asked for.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

func (f *Folder) Get(_ context.Context, s Sum) ([]byte, error) {
	b, err := os.ReadFile(Path(f.dir, s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(s)
	}
	if err != nil {
		return nil, err
	}
	return whole(s, b)
}

func (f *Folder) Remove(_ context.Context, s Sum, before time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := Path(f.dir, s)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(path)
}

func (f *Folder) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		firsts, err := os.ReadDir(f.dir)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Info{}, err)
			return
		}
		for _, first := range firsts {
			if len(first.Name()) != 2 || !first.IsDir() {
				continue
			}
			if !f.in(ctx, first.Name(), yield) {
				return
			}
		}
	}
}

func (f *Folder) in(ctx context.Context, first string, yield func(Info, error) bool) bool {
	entries, err := os.ReadDir(filepath.Join(f.dir, first))
	if err != nil {
		return yield(Info{}, err)
	}
	for _, e := range entries {
		s, err := ParseSum(e.Name())
		if err != nil || e.Name()[:2] != first || !e.Type().IsRegular() {
			continue // what a crash left behind, or somebody's own
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(Info{}, err)
			return false
		}
		if !yield(Info{s, info.Size(), info.ModTime()}, nil) {
			return false
		}
	}
	return true
}
