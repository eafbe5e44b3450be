package collection

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tocsin"
)

// A snapshot is what the disk holds besides journals: a file for each
// collection and one for the world. Each is written beside the old one and
// renamed; the world comes last, so it is never ahead of a collection. Each has
// its own place in the log, and takes no notice of lines up to there.
//
// A file is a line that says what it is and a row of sections:
//
//	8 octets  length
//	4 octets  CRC-32C
//	…         the first is JSON, then follow tables, each a section that
//	          describes it, sections of buckets, and an empty one
const magic = "tocsin collection 2\n"

const (
	worldFile = "world.snapshot"
	suffix    = ".snapshot"
	// saveAfter is how many records a kill may cost to take in again.
	saveAfter = 200_000
	// saveRest is how many times as long as the last snapshot took the next one
	// waits: during a large import writing snapshots is not the main thing.
	saveRest = 10
)

func (s *Set) path(id int64) string {
	return filepath.Join(s.dir, strconv.FormatInt(id, 10)+suffix)
}

func journalPrefix(id int64) string { return strconv.FormatInt(id, 10) + "-" }

type worldHeader struct {
	Seed        [16]byte
	World       *world
	Collections []int64
}

type header struct {
	Seed     [16]byte
	At       tocsin.Seq
	Until    tocsin.Seq
	Born     [zones]tocsin.Seq
	Record   tocsin.Collection
	Owners   []int64 // sharing groups of the owner
	Pairs    []pair
	Classes  []classHeader
	Seats    map[int64]seatHeader
	Floor    tocsin.Seq
	Segments []segment
	Next     int
}

type classHeader struct {
	Sees bitset
	Last [zones]tocsin.Seq
	Len  [zones]int
}

type seatHeader struct {
	Name    string
	Org     int64
	Groups  []int64
	Action  tocsin.Action `json:",omitempty"`
	Exclude []string      `json:",omitempty"`
	Entered tocsin.Seq
	Class   int
}

// A saving is a snapshot on its way to the disk.
type saving struct {
	set   *Set
	at    tocsin.Seq
	files []savingFile // the world last
	sync  []*os.File
	gone  []string
	err   error
}

type savingFile struct {
	path   string
	header []byte
	tables []*table
}

// snapshot takes down how everything stands. It costs little; writing it can
// be left to another goroutine.
func (s *Set) snapshot() *saving {
	sv := &saving{set: s, at: s.world.At, gone: s.gone}
	s.gone, s.unsaved = nil, 0
	file := func(path string, header any, tables ...*table) {
		b, err := json.Marshal(header)
		sv.err = errors.Join(sv.err, err)
		f := savingFile{path: path, header: b}
		for _, t := range tables {
			f.tables = append(f.tables, t.snapshot())
		}
		sv.files = append(sv.files, f)
	}
	ids := slices.Sorted(maps.Keys(s.selections))
	for _, id := range ids {
		sel := s.selections[id]
		file(s.path(id), sel.header(s.seed), sel.names, sel.crowd, sel.fresh, sel.skipped)
		for _, seg := range sel.journal.segments {
			sv.sync = append(sv.sync, seg.file)
		}
		sv.gone = append(sv.gone, sel.journal.gone...)
		sel.journal.gone = nil
	}
	file(filepath.Join(s.dir, worldFile), worldHeader{s.seed, s.world, ids}, s.world.events)
	return sv
}

func (s *selection) header(seed [16]byte) header {
	h := header{Seed: seed, At: s.at, Until: s.until, Born: s.born, Record: s.rec, Owners: s.owners, Pairs: s.pairs,
		Seats: map[int64]seatHeader{}, Floor: s.journal.floor, Next: s.journal.next}
	if s.seed != ([16]byte{}) {
		h.Seed = s.seed
	}
	for _, c := range s.classes {
		h.Classes = append(h.Classes, classHeader{c.sees, c.last, c.len})
	}
	for id, st := range s.seats {
		h.Seats[id] = seatHeader{st.name, st.org, st.groups, st.wish.action, st.wish.texts, st.entered, slices.Index(s.classes, st.class)}
	}
	for _, seg := range s.journal.segments {
		h.Segments = append(h.Segments, segment{ID: seg.ID, Size: seg.Size})
	}
	return h
}

// checkpoint begins a snapshot in the background if it is time.
func (s *Set) checkpoint() {
	if s.unsaved < saveAfter || s.saving.Load() || time.Since(s.saved) < saveRest*s.took {
		return
	}
	s.saving.Store(true)
	sv := s.snapshot()
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer s.saving.Store(false) // after this the follower may read saved and took
		begun := time.Now()
		if err := sv.write(); err != nil {
			s.log.Error("write collections", "err", err)
		}
		s.saved, s.took = time.Now(), time.Since(begun)
	}()
}

// write puts the snapshot on disk and moves the set's place.
func (sv *saving) write() error {
	if sv.err != nil {
		return sv.err
	}
	for _, f := range sv.sync {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("sync a journal: %w", err)
		}
	}
	for i, f := range sv.files {
		// The collections are there for good before the world, which says that
		// their lines need not come again.
		if i == len(sv.files)-1 {
			if err := syncDir(sv.set.dir); err != nil {
				return err
			}
		}
		if err := f.write(); err != nil {
			return fmt.Errorf("write %s: %w", filepath.Base(f.path), err)
		}
	}
	if err := syncDir(sv.set.dir); err != nil {
		return err
	}
	sv.set.place.Store(int64(sv.at))
	for _, path := range sv.gone {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (f *savingFile) write() (err error) {
	tmp, err := os.OpenFile(f.path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer tmp.Close()
	w := bufio.NewWriterSize(tmp, 1<<20)
	if _, err := w.WriteString(magic); err != nil {
		return err
	}
	if err := writeSection(w, f.header); err != nil {
		return err
	}
	for _, t := range f.tables {
		if err := t.write(w); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Flush(), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(f.path+".tmp", f.path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
