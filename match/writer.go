package match

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"os"
	"path/filepath"
)

// A segmentWriter writes a segment in one pass. The file gets its name when it
// is complete and on disk.
type segmentWriter struct {
	f       *os.File
	buf     []byte
	sum     uint32
	err     error
	h       header
	buckets []uint64 // the directory so far
}

// newSegmentWriter is for at most n entries, given in order.
func newSegmentWriter(dir string, n int) (*segmentWriter, error) {
	f, err := os.CreateTemp(dir, "*"+tempSuffix)
	if err != nil {
		return nil, err
	}
	w := &segmentWriter{f: f, buf: make([]byte, 0, 1<<20)}
	w.h.width = uint32(max(0, bits.Len(uint(n))-2)) // two to four entries a bucket
	w.buckets = make([]uint64, 0, 1<<w.h.width+1)
	w.write(make([]byte, headerSize)) // its place; it is written last
	w.sum = 0
	return w, nil
}

func (w *segmentWriter) add(e entry) {
	at := e.key >> (64 - w.h.width)
	w.open(at)
	w.buckets[at] |= filterBits(e.key)
	w.h.n++
	if e.is(dropped) {
		w.h.drops++
	}
	w.buf = e.append(w.buf)
	w.spill(entrySize)
}

// open begins the buckets up to number at.
func (w *segmentWriter) open(at uint64) {
	for uint64(len(w.buckets)) <= at {
		w.buckets = append(w.buckets, w.h.n)
	}
}

// spill writes the buffer if it has no room for more octets.
func (w *segmentWriter) spill(more int) {
	if len(w.buf)+more > cap(w.buf) {
		w.write(w.buf)
		w.buf = w.buf[:0]
	}
}

func (w *segmentWriter) write(b []byte) {
	if w.err == nil {
		w.sum = crc32.Update(w.sum, castagnoli, b)
		_, w.err = w.f.Write(b)
	}
}

// finish completes the file and gives it its name.
func (w *segmentWriter) finish(name string) (*segment, error) {
	w.open(1 << w.h.width)
	for _, bucket := range w.buckets {
		w.spill(bucketSize)
		w.buf = binary.LittleEndian.AppendUint64(w.buf, bucket)
	}
	w.write(w.buf)
	w.h.body = w.sum
	if w.err == nil {
		_, w.err = w.f.WriteAt(w.h.append(nil), 0)
	}
	if err := keep(w.f, w.err, name); err != nil {
		return nil, err
	}
	return openSegment(filepath.Join(filepath.Dir(w.f.Name()), name), name)
}

// abandon removes the unfinished file.
func (w *segmentWriter) abandon() {
	w.f.Close()
	os.Remove(w.f.Name())
}
