package collection

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
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
const magic = "tocsin collection 1\n"

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
	h := header{Seed: seed, At: s.at, Until: s.until, Born: s.born, Record: s.rec, Pairs: s.pairs,
		Seats: map[int64]seatHeader{}, Floor: s.journal.floor, Next: s.journal.next}
	if s.seed != ([16]byte{}) {
		h.Seed = s.seed
	}
	for _, c := range s.classes {
		h.Classes = append(h.Classes, classHeader{c.sees, c.last, c.len})
	}
	for id, st := range s.seats {
		h.Seats[id] = seatHeader{st.name, st.org, st.groups, st.entered, slices.Index(s.classes, st.class)}
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

func writeSection(w io.Writer, b []byte) error {
	var head [12]byte
	binary.LittleEndian.PutUint64(head[:], uint64(len(b)))
	binary.LittleEndian.PutUint32(head[8:], crc32.Checksum(b, castagnoli))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

var errDamaged = errors.New("damaged")

func readSection(r io.Reader, buf []byte) ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > 1<<32 {
		return nil, errDamaged
	}
	// The length may be damaged too: grow with what is really there.
	for buf = buf[:0]; uint64(len(buf)) < n; {
		from := len(buf)
		buf = slices.Grow(buf, int(min(n-uint64(from), 4<<20)))
		buf = buf[:from+int(min(n-uint64(from), 4<<20))]
		if _, err := io.ReadFull(r, buf[from:]); err != nil {
			return nil, err
		}
	}
	if crc32.Checksum(buf, castagnoli) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, errDamaged
	}
	return buf, nil
}

// write writes the table, which nobody changes meanwhile.
func (t *table) write(w io.Writer) error {
	b := binary.AppendUvarint(nil, uint64(t.depth))
	b = binary.AppendUvarint(b, uint64(t.count))
	b = binary.AppendUvarint(b, uint64(t.bytes))
	err := writeSection(w, b)
	b = b[:0]
	slot := uint64(0)
	for _, p := range t.pages {
		for _, bk := range p.slots {
			at := slot
			slot++
			if bk == nil || at&(1<<(t.depth-bk.depth)-1) != 0 || len(bk.data) == 0 {
				continue // nothing there, or it came with an earlier slot
			}
			b = binary.AppendUvarint(b, at)
			b = binary.AppendUvarint(b, uint64(bk.depth))
			b = appendBytes(b, bk.data)
			if len(b) > 1<<20 && err == nil {
				err = writeSection(w, b)
				b = b[:0]
			}
		}
	}
	if len(b) > 0 && err == nil {
		err = writeSection(w, b)
	}
	if err != nil {
		return err
	}
	return writeSection(w, nil)
}

func readTable(r io.Reader, h indicator.Hasher) (*table, error) {
	buf, err := readSection(r, nil)
	if err != nil {
		return nil, err
	}
	f := fields{buf, true}
	t := &table{hasher: h, epoch: 2, own: true}
	t.depth = uint8(f.uvarint(maxDepth))
	t.count, t.bytes = int(f.uvarint(1<<40)), int(f.uvarint(1<<50))
	if !f.ok || t.depth < pageBits {
		return nil, errDamaged
	}
	for range 1 << (t.depth - pageBits) {
		t.pages = append(t.pages, &page{epoch: 1})
	}
	for {
		if buf, err = readSection(r, buf); err != nil {
			return nil, err
		}
		if len(buf) == 0 {
			return t, nil
		}
		for f := (fields{buf, true}); len(f.b) > 0; {
			slot := f.uvarint(1<<t.depth - 1)
			depth := uint8(f.uvarint(uint64(t.depth)))
			data := f.bytes()
			span := uint64(1) << (t.depth - depth)
			if !f.ok || slot&(span-1) != 0 {
				return nil, errDamaged
			}
			b := &bucket{epoch: 1, depth: depth, data: append([]byte(nil), data...)}
			for i := slot; i < slot+span; i++ {
				t.pages[i>>pageBits].slots[i%pageSlots] = b
			}
		}
	}
}

// fields reads numbers and strings off the front of b; ok turns false when they
// are not there.
type fields struct {
	b  []byte
	ok bool
}

func (f *fields) uvarint(limit uint64) uint64 {
	n, w := binary.Uvarint(f.b)
	if w <= 0 || n > limit {
		f.b, f.ok = nil, false
		return 0
	}
	f.b = f.b[w:]
	return n
}

func (f *fields) bytes() (b []byte) {
	n := f.uvarint(uint64(len(f.b)))
	if n > uint64(len(f.b)) {
		f.b, f.ok = nil, false
		return nil
	}
	b, f.b = f.b[:n], f.b[n:]
	return b
}

// readFile reads a snapshot's file: its header, and as many tables as seed,
// which is asked once the header is read, makes hashers for.
func readFile(path string, header any, hasher func() indicator.Hasher, n int) ([]*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	line := make([]byte, len(magic))
	if _, err := io.ReadFull(r, line); err != nil {
		return nil, err
	}
	if string(line) != magic {
		return nil, errDamaged
	}
	b, err := readSection(r, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, header); err != nil {
		return nil, err
	}
	var tables []*table
	for range n {
		t, err := readTable(r, hasher())
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// reset makes the set as it is before the first line, but for its collections.
func (s *Set) reset() {
	rand.Read(s.seed[:])
	s.hasher = indicator.NewHasher(s.seed)
	s.world = newWorld(s.hasher)
	s.place.Store(0)
}

// empty removes everything, also from the disk.
func (s *Set) empty() error {
	s.reset()
	s.selections, s.gone, s.served = map[int64]*selection{}, nil, 0
	clear(s.told)
	s.unsaved = 0
	return s.clean(func(string) bool { return false })
}

// clean removes our files but those that keep names.
func (s *Set) clean(keep func(name string) bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		ours := strings.HasSuffix(n, suffix) || strings.HasSuffix(n, ".tmp") || strings.HasSuffix(n, ".journal")
		if ours && !keep(n) {
			if err := os.Remove(filepath.Join(s.dir, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// load reads what is on disk.
func (s *Set) load() error {
	s.reset()
	s.selections = map[int64]*selection{}
	whole := s.loadWorld()
	s.served = s.world.At
	listed := s.listed
	paths, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return err
	}
	for _, path := range paths {
		id, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), suffix), 10, 64)
		if err != nil {
			continue // the world
		}
		sel, err := s.loadSelection(id)
		switch {
		case err != nil:
			s.log.Error("a collection is damaged on disk and is built anew from the log", "collection", id, "err", err)
			whole = false
		case sel.at <= s.world.At && !slices.Contains(listed, id):
			// It was removed, and the machine stopped before its file was.
		default:
			s.selections[id] = sel
			s.served = max(s.served, sel.at, sel.until)
			whole = whole && sel.at >= s.world.At
		}
	}
	for _, id := range listed {
		whole = whole && s.selections[id] != nil
	}
	if !whole {
		s.reset()
	}
	s.place.Store(int64(s.world.At))
	kept := map[string]bool{worldFile: whole}
	for id, sel := range s.selections {
		kept[filepath.Base(s.path(id))] = true
		for _, seg := range sel.journal.segments {
			kept[filepath.Base(sel.journal.path(seg.ID))] = true
		}
	}
	return s.clean(func(name string) bool { return kept[name] })
}

// loadWorld reports whether there is a world on disk, or nothing at all.
func (s *Set) loadWorld() bool {
	var h worldHeader
	tables, err := readFile(filepath.Join(s.dir, worldFile), &h, func() indicator.Hasher { return indicator.NewHasher(h.Seed) }, 1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil || h.World == nil:
		s.log.Error("what collections depend on is damaged on disk and is built anew from the log", "err", err)
		return false
	}
	s.seed, s.hasher, s.listed = h.Seed, indicator.NewHasher(h.Seed), h.Collections
	w := newWorld(s.hasher)
	w.At = h.World.At
	maps.Copy(w.Tags, h.World.Tags)
	maps.Copy(w.Orgs, h.World.Orgs)
	maps.Copy(w.Groups, h.World.Groups)
	maps.Copy(w.Subs, h.World.Subs)
	w.events = tables[0]
	s.world = w
	return true
}

func (s *Set) loadSelection(id int64) (*selection, error) {
	var h header
	tables, err := readFile(s.path(id), &h, func() indicator.Hasher { return indicator.NewHasher(h.Seed) }, 4)
	if err != nil {
		return nil, err
	}
	if h.Record.ID != id {
		return nil, errDamaged
	}
	sel := newSelection(&h.Record, h.At, s.dir, s.labels, indicator.NewHasher(h.Seed), s.log)
	sel.at, sel.until, sel.born, sel.pairs, sel.seed = h.At, h.Until, h.Born, h.Pairs, h.Seed
	sel.names, sel.crowd, sel.fresh, sel.skipped = tables[0], tables[1], tables[2], tables[3]
	for i, p := range sel.pairs {
		sel.pairIDs[p] = uint32(i)
	}
	for _, c := range h.Classes {
		sel.classes = append(sel.classes, &class{c.Sees, c.Last, c.Len})
	}
	for sub, st := range h.Seats {
		if st.Class < 0 || st.Class >= len(sel.classes) {
			return nil, errDamaged
		}
		v := access.Organisation("subscriber "+st.Name, st.Org, st.Groups...)
		sel.seats[sub] = &seat{st.Name, st.Org, st.Groups, v, st.Entered, sel.classes[st.Class]}
	}
	sel.journal.floor, sel.journal.next = h.Floor, h.Next
	beyond, err := sel.journal.load(h.Segments)
	if err != nil {
		// The zone is whole, only the way to it is lost: subscribers get all of it.
		s.log.Error("the journal of a collection is damaged; its subscribers will transfer it whole", "collection", id, "err", err)
		sel.journal.forget(h.At)
		sel.journal.next = h.Next + 1<<20
	}
	sel.until = max(sel.until, beyond)
	sel.dirty = true
	sel.remask()
	return sel, nil
}

// until is where a collection that is built anew may be served again.
func (s *Set) until() tocsin.Seq { return s.served }
