package collection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"os"
	"path/filepath"

	"tocsin"
)

// A journal is the history of one collection: for each line of the log that
// changed what anyone sees of it, the names that changed, each with its combos
// and its place before and after. A zone's steps are these, read through the
// class of whoever asks.
//
// It is a row of append-only files, segments, of frames:
//
//	4 octets  length of the payload
//	4 octets  CRC-32C of the payload
//	payload   varint line; an octet with a bit for each zone that changed; for
//	          each name: varint length, name, places before (low four bits) and
//	          after, varint length and combos before, and after
//
// The journal follows from the log, so what a crash tears off is written again
// when the store hands over the lines after [Set.Place]. Opening therefore cuts
// it back to there.
type journal struct {
	dir    string
	prefix string

	segments []*segment
	steps    []step     // by line
	floor    tocsin.Seq // steps up to here are gone
	next     int        // number of the next segment
	pending  []byte     // frames that are not written yet, for the last segment
	gone     []string   // files that no snapshot made from now on needs
}

// A step says where the frame of one line is.
type step struct {
	seq     tocsin.Seq
	zones   byte
	segment *segment
	at      int64
	size    int
}

type segment struct {
	ID   int
	Size int64 // with what is pending
	file *os.File
}

const (
	segmentSize = 8 << 20
	frameHeader = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginFrame begins the payload of a line.
func beginFrame(seq tocsin.Seq) []byte { return append(binary.AppendUvarint(nil, uint64(seq)), 0) }

// zonesAt is where the octet of zones is in the payload of a line.
func zonesAt(seq tocsin.Seq) int { return (bits.Len64(uint64(seq)|1) + 6) / 7 }

// append adds the frame of a line.
func (j *journal) append(seq tocsin.Seq, payload []byte) {
	if n := len(j.segments); n == 0 || j.segments[n-1].Size >= segmentSize && len(j.pending) == 0 {
		j.segments = append(j.segments, &segment{ID: j.next})
		j.next++
	}
	s := j.segments[len(j.segments)-1]
	j.steps = append(j.steps, step{seq, payload[zonesAt(seq)], s, s.Size + frameHeader, len(payload)})
	j.pending = binary.LittleEndian.AppendUint32(j.pending, uint32(len(payload)))
	j.pending = binary.LittleEndian.AppendUint32(j.pending, crc32.Checksum(payload, castagnoli))
	j.pending = append(j.pending, payload...)
	s.Size += frameHeader + int64(len(payload))
}

// flush writes what is pending. It may be repeated after an error.
func (j *journal) flush() error {
	if len(j.pending) == 0 {
		return nil
	}
	s := j.segments[len(j.segments)-1]
	if s.file == nil {
		f, err := os.OpenFile(j.path(s.ID), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("begin a journal: %w", err)
		}
		s.file = f
	}
	if _, err := s.file.WriteAt(j.pending, s.Size-int64(len(j.pending))); err != nil {
		return fmt.Errorf("write a journal: %w", err)
	}
	j.pending = j.pending[:0]
	if cap(j.pending) > segmentSize {
		j.pending = nil
	}
	return nil
}

// trim lets the oldest segments go while the rest still holds limit octets: a
// way that is longer than the zone is of no use.
func (j *journal) trim(limit int64) {
	var total int64
	for _, s := range j.segments {
		total += s.Size
	}
	for len(j.segments) > 1 && total-j.segments[0].Size >= limit {
		total -= j.segments[0].Size
		j.dropFirst()
	}
}

func (j *journal) dropFirst() {
	s := j.segments[0]
	j.segments = j.segments[1:]
	for len(j.steps) > 0 && j.steps[0].segment == s {
		j.floor = j.steps[0].seq
		j.steps = j.steps[1:]
	}
	j.gone = append(j.gone, j.path(s.ID))
}

// forget lets everything up to seq go.
func (j *journal) forget(seq tocsin.Seq) {
	for _, s := range j.segments {
		j.gone = append(j.gone, j.path(s.ID))
	}
	j.segments, j.steps, j.pending, j.floor = nil, nil, nil, seq
}

func (j *journal) path(id int) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s%06d.journal", j.prefix, id))
}

// load opens the segments that a snapshot names, each of which has at least
// the size that it had then; the journal goes no further than that. It returns
// the last line that was found beyond, because zones up to it may have been
// served.
func (j *journal) load(segments []segment) (beyond tocsin.Seq, err error) {
	for i := range segments {
		s := &segments[i]
		f, err := os.OpenFile(j.path(s.ID), os.O_RDWR, 0o600)
		if err != nil {
			return 0, err
		}
		s.file = f
		j.segments = append(j.segments, s)
		j.next = s.ID + 1
		end, err := scan(f, func(seq tocsin.Seq, zones byte, at int64, size int) {
			if at+int64(size) <= s.Size {
				j.steps = append(j.steps, step{seq, zones, s, at, size})
			} else {
				beyond = max(beyond, seq)
			}
		})
		if err != nil {
			return 0, err
		}
		if end < s.Size {
			return beyond, fmt.Errorf("%s: damaged at octet %d", j.path(s.ID), end)
		}
		if err := f.Truncate(s.Size); err != nil {
			return 0, err
		}
	}
	// Later segments than the snapshot knows were begun after it.
	for {
		path := j.path(j.next)
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return beyond, nil
		}
		if err != nil {
			return 0, err
		}
		_, err = scan(f, func(seq tocsin.Seq, _ byte, _ int64, _ int) { beyond = max(beyond, seq) })
		f.Close()
		if err != nil {
			return 0, err
		}
		if err := os.Remove(path); err != nil {
			return 0, err
		}
		j.next++
	}
}

// scan reads frames until the end or the first that is not whole, and returns
// where that was.
func scan(f *os.File, frame func(seq tocsin.Seq, zones byte, at int64, size int)) (end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var head [frameHeader]byte
	var buf []byte
	for at := int64(0); ; {
		if at+frameHeader > info.Size() {
			return at, nil
		}
		if _, err := f.ReadAt(head[:], at); err != nil {
			return at, err
		}
		size := int64(binary.LittleEndian.Uint32(head[:]))
		if at+frameHeader+size > info.Size() {
			return at, nil
		}
		if int64(cap(buf)) < size {
			buf = make([]byte, size)
		}
		if _, err := f.ReadAt(buf[:size], at+frameHeader); err != nil && err != io.EOF {
			return at, err
		}
		if crc32.Checksum(buf[:size], castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
			return at, nil
		}
		seq, w := binary.Uvarint(buf[:size])
		if w <= 0 || w >= int(size) {
			return at, nil
		}
		frame(tocsin.Seq(seq), buf[w], at+frameHeader, int(size))
		at += frameHeader + size
	}
}

// A moved name is one entry of a frame.
type movedName struct {
	name          []byte
	places        byte
	before, after []byte // combos
}

func (m *movedName) append(b []byte) []byte {
	b = appendBytes(b, m.name)
	b = append(b, m.places)
	b = appendBytes(b, m.before)
	return appendBytes(b, m.after)
}

func appendBytes(b, field []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// frame reads the payload of one step and yields its names, in order.
func (st step) frame(yield func(movedName) bool) error {
	buf := make([]byte, st.size)
	if _, err := st.segment.file.ReadAt(buf, st.at); err != nil {
		return fmt.Errorf("read a journal: %w", err)
	}
	seq, w := binary.Uvarint(buf)
	if tocsin.Seq(seq) != st.seq {
		return fmt.Errorf("read a journal: found line %d where %d should be", seq, st.seq)
	}
	field := func() (f []byte) {
		n, w := binary.Uvarint(buf)
		f, buf = buf[w:w+int(n)], buf[w+int(n):]
		return f
	}
	for buf = buf[w+1:]; len(buf) > 0; {
		m := movedName{name: field()}
		m.places, buf = buf[0], buf[1:]
		m.before, m.after = field(), field()
		if !yield(m) {
			return nil
		}
	}
	return nil
}
