package match

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tocsin"
)

// A manifest says which files make up the index, and up to which line of the
// log. It is replaced as a whole, after the files it names are on disk; files
// it does not name are leftovers.
type manifest struct {
	Place    tocsin.Seq           `json:"place"`
	Hasher   string               `json:"hasher"` // hash of a fixed key: tells one hasher from another
	Number   int64                `json:"number"` // number of the last file made
	Events   string               `json:"events,omitempty"`
	Segments []string             `json:"segments"` // oldest first
	Shelves  [numShelves][]string `json:"shelves"`  // the same
}

const (
	manifestName  = "manifest"
	manifestMagic = "tocsin match 2"
	segmentSuffix = ".claims"
	runSuffix     = ".sorted"
	eventsSuffix  = ".events"
	tempSuffix    = ".tmp"
)

// hasherCheck is the hash of a key that no value has.
func (x *Index) hasherCheck() string { return fmt.Sprintf("%016x", x.hasher.Sum("match: hasher")) }

// load opens what the manifest names. Where that can't be done because there is
// nothing, or something is damaged, the index starts empty.
func (x *Index) load() ([]*segment, shelves, error) {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return nil, shelves{}, err
	}
	segments, shelf, err := x.read()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
		if len(x.leftovers()) > 0 {
			x.log.Warn("match index can't be used and is built anew from the log", "dir", x.dir, "err", err)
		}
		segments, shelf, err = nil, shelves{}, x.forget()
	}
	if err != nil {
		return nil, shelves{}, err
	}
	x.sweep()
	x.number.Store(x.disk.Number)
	return segments, shelf, nil
}

func (x *Index) read() (segments []*segment, ss shelves, err error) {
	b, err := os.ReadFile(filepath.Join(x.dir, manifestName))
	if err != nil {
		return nil, ss, err
	}
	m, err := parseManifest(b)
	if err != nil {
		return nil, ss, err
	}
	if m.Hasher != x.hasherCheck() {
		return nil, ss, fmt.Errorf("%w: keys were hashed with another seed", errDamaged)
	}
	var held eventTable
	if m.Events != "" {
		if held, err = readEvents(filepath.Join(x.dir, m.Events)); err != nil {
			return nil, ss, err
		}
	}
	if held.highest() > x.labels.Len() {
		return nil, ss, fmt.Errorf("%w: it knows labels that the store does not", errDamaged)
	}
	for _, name := range m.Segments {
		s, err := openSegment(filepath.Join(x.dir, name), name)
		if err != nil {
			return nil, ss, err
		}
		segments = append(segments, s)
	}
	for i, names := range m.Shelves {
		for _, name := range names {
			r, err := openRun(filepath.Join(x.dir, name), name, recordSize[i])
			if err != nil {
				return nil, ss, err
			}
			ss[i] = append(ss[i], r)
		}
	}
	x.disk, x.held = m, held
	return segments, ss, nil
}

// parseManifest reads a line with magic and checksum, and then JSON.
func parseManifest(b []byte) (m manifest, err error) {
	head, body, _ := strings.Cut(string(b), "\n")
	if head != manifestHead(body) {
		return m, fmt.Errorf("%w: manifest", errDamaged)
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("%w: manifest: %w", errDamaged, err)
	}
	for _, name := range m.files() {
		if name != "" && !filepath.IsLocal(name) {
			return m, fmt.Errorf("%w: manifest", errDamaged)
		}
	}
	return m, nil
}

func manifestHead(body string) string {
	return fmt.Sprintf("%s %08x", manifestMagic, crc32.Checksum([]byte(body), castagnoli))
}

// commit makes segments, the shelves' files and events, as of place, what the
// directory holds, and removes what that replaces. Only one who holds x.files
// may call it.
func (x *Index) commit(segments []*segment, ss shelves, events eventTable, place tocsin.Seq) error {
	m := manifest{Place: place, Hasher: x.hasherCheck(), Events: x.disk.Events, Segments: []string{}}
	for _, s := range segments {
		m.Segments = append(m.Segments, s.name)
	}
	for i, s := range ss {
		for _, r := range s.files() {
			m.Shelves[i] = append(m.Shelves[i], r.name)
		}
	}
	if !events.same(x.held) {
		m.Events = x.newName(eventsSuffix)
		if err := x.writeFile(m.Events, events.encode()); err != nil {
			return err
		}
	}
	m.Number = x.number.Load()
	body, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	if err := x.writeFile(manifestName, []byte(manifestHead(string(body))+"\n"+string(body))); err != nil {
		return err
	}
	before := x.disk
	x.disk, x.held = m, events
	x.place.Store(int64(place))
	for _, name := range before.files() {
		if !slices.Contains(m.files(), name) {
			os.Remove(filepath.Join(x.dir, name))
		}
	}
	return nil
}

// files are the names in the manifest.
func (m manifest) files() []string {
	names := slices.Concat(append([][]string{m.Segments}, m.Shelves[:]...)...)
	if m.Events != "" {
		names = append(names, m.Events)
	}
	return names
}

// forget empties the directory. The manifest goes first: without it there is no
// index, whatever else is left.
func (x *Index) forget() error {
	err := os.Remove(filepath.Join(x.dir, manifestName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncDir(x.dir); err != nil {
		return err
	}
	for _, name := range x.disk.files() {
		os.Remove(filepath.Join(x.dir, name))
	}
	x.disk, x.held = manifest{}, nil
	return nil
}

// leftovers are files of ours that the manifest doesn't name: what a crash
// interrupted.
func (x *Index) leftovers() []string {
	var names []string
	for _, suffix := range []string{segmentSuffix, runSuffix, eventsSuffix, tempSuffix} {
		found, _ := filepath.Glob(filepath.Join(x.dir, "*"+suffix))
		names = append(names, found...)
	}
	return slices.DeleteFunc(names, func(path string) bool { return slices.Contains(x.disk.files(), filepath.Base(path)) })
}

func (x *Index) sweep() {
	for _, path := range x.leftovers() {
		os.Remove(path)
	}
}

// newName returns a name that no file has had, so that a reader of an old file
// is never surprised.
func (x *Index) newName(suffix string) string {
	return fmt.Sprintf("%012d%s", x.number.Add(1), suffix)
}

// writeFile puts b on disk under name, or leaves what was there.
func (x *Index) writeFile(name string, b []byte) error {
	f, err := os.CreateTemp(x.dir, "*"+tempSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return keep(f, err, name)
}

// keep syncs and closes a finished temporary file and gives it its name, unless
// writing ended with err.
func keep(f *os.File, err error, name string) error {
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	dir := filepath.Dir(f.Name())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
