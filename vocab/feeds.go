package vocab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"tocsin"
)

// feedLists are the names under which the list of feeds that MISP's community publishes
// is found: by itself, and as MISP's own repository has it.
var feedLists = []string{"misp-default-feeds.json", "feed-metadata/defaults.json", "defaults.json"}

var errNoFeeds = tocsin.Errorf(tocsin.NotFound, "there is no list of feeds at the place that --vocab names: it is called %s", feedLists[0])

// FeedsAt reads the list of feeds at a place on this machine, as [At] takes it.
func FeedsAt(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "there is no file or folder %s", name)
	}
	if info.IsDir() {
		return feedsAmong(os.DirFS(name))
	}
	if info.Size() > MaxArchive {
		return nil, tocsin.Errorf(tocsin.Invalid, "%s is larger than %d MB", name, MaxArchive>>20)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return FeedsIn(name, b)
}

func feedsAmong(folder fs.FS) ([]byte, error) {
	for _, name := range feedLists {
		b, err := readBounded(folder, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return nil, errNoFeeds
}

// FeedsIn reads the list of feeds out of an archive.
func FeedsIn(name string, b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, []byte("PK\x03\x04")) && !bytes.HasPrefix(b, []byte("\x1f\x8b")) {
		return nil, errNoFeeds
	}
	g := &gathering{}
	if err := g.archive(name, b); err != nil {
		return nil, err
	}
	for _, f := range g.files {
		if slices.Contains(feedLists[:2], path.Base(f.name)) || slices.Contains(feedLists[:2], path.Join(path.Base(path.Dir(f.name)), path.Base(f.name))) {
			return f.open()
		}
	}
	return nil, errNoFeeds
}
