package match

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"os"
	"runtime"
	"slices"
	"sort"
)

// A run is a sorted list of records of one size, each there once. It never
// changes. It is in memory, or in a file that is mapped.
type run struct {
	name    string // of its file, "" for none
	size    int    // of a record
	data    []byte // the records
	lengths lengths
}

func (r *run) len() int            { return len(r.data) / r.size }
func (r *run) record(i int) []byte { return r.data[i*r.size:][:r.size] }

// newRun takes sorted records.
func newRun(name string, size int, data []byte) *run {
	r := &run{name: name, size: size, data: data}
	if size == rangeSize {
		for i := range r.len() {
			r.lengths.add(r.record(i)[rangeSize-1])
		}
	}
	return r
}

// sortRun makes a run of records in any order. They are compared by their first
// sixteen octets as two numbers, which is nearly always enough.
func sortRun(size int, data []byte) *run {
	type place struct {
		first, second uint64
		record        []byte
	}
	places := make([]place, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		var head [16]byte
		copy(head[:], data[:size])
		places = append(places, place{binary.BigEndian.Uint64(head[:]), binary.BigEndian.Uint64(head[8:]), data[:size]})
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.first != b.first:
			return cmp.Compare(a.first, b.first)
		case a.second != b.second:
			return cmp.Compare(a.second, b.second)
		}
		return bytes.Compare(a.record, b.record)
	})
	sorted := make([]byte, 0, len(places)*size)
	for i, p := range places {
		if i == 0 || !bytes.Equal(p.record, places[i-1].record) {
			sorted = append(sorted, p.record...)
		}
	}
	return newRun("", size, sorted)
}

// mergeRuns makes one run of several, of what keep says.
func mergeRuns(runs []*run, keep func(record []byte) bool) *run {
	size, total := runs[0].size, 0
	for _, r := range runs {
		total += len(r.data)
	}
	data := make([]byte, 0, total)
	for r := range from(runs, nil) {
		if keep(r) {
			data = append(data, r...)
		}
	}
	runtime.KeepAlive(runs) // and so their mappings
	return newRun("", size, data)
}

// from yields the records of several runs as if they were one, from the first
// that is not before start. Whoever asks keeps the runs alive.
func from(runs []*run, start []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var room [8][]byte
		left := room[:0]
		for _, r := range runs {
			if i := sort.Search(r.len(), func(i int) bool { return bytes.Compare(r.record(i), start) >= 0 }); i < r.len() {
				left = append(left, r.data[i*r.size:])
			}
		}
		for len(left) > 0 {
			size := runs[0].size
			head := left[0][:size]
			for _, l := range left[1:] {
				if bytes.Compare(l[:size], head) < 0 {
					head = l[:size]
				}
			}
			if !yield(head) {
				return
			}
			rest := left[:0]
			for _, l := range left {
				if bytes.Equal(l[:size], head) {
					l = l[size:]
				}
				if len(l) > 0 {
					rest = append(rest, l)
				}
			}
			left = rest
		}
	}
}

// A file of a run is a header of as many octets as a segment's, and the records:
//
//	magic      8 octets
//	checksum   4, of all that follows
//	size       4, of a record
const runMagic = "tocsinS1"

func (r *run) encode() []byte {
	b := make([]byte, headerSize, headerSize+len(r.data))
	copy(b, runMagic)
	binary.LittleEndian.PutUint32(b[12:], uint32(r.size))
	b = append(b, r.data...)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b
}

func openRun(path, name string, size int) (*run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, unmap, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	if len(data) < headerSize || string(data[:8]) != runMagic || binary.LittleEndian.Uint32(data[12:]) != uint32(size) ||
		(len(data)-headerSize)%size != 0 || crc32.Checksum(data[12:], castagnoli) != binary.LittleEndian.Uint32(data[8:]) {
		unmap(data)
		return nil, fmt.Errorf("%s: %w", name, errDamaged)
	}
	r := newRun(name, size, data[headerSize:])
	runtime.AddCleanup(r, func(data []byte) { unmap(data) }, data)
	return r, nil
}
