package match

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"runtime"
	"sort"
)

// A segment is a file of entries in order, which never changes. All numbers in
// it are little-endian.
//
//	header     64 octets
//	entries    24 octets each
//	filter     8 octets a word: most keys that are not here are told by one word
//	directory  4 octets a bucket and one more: where entries with these top bits begin
//
// An evenly spread key is found by one look into the filter, one into the
// directory and one at the entries.
type segment struct {
	name  string
	data  []byte
	n     int // entries
	drops int // how many of them are marks of what was dropped

	entries   []byte
	filter    []byte
	directory []byte
	words     uint64 // of the filter
	shift     uint   // what leaves the bucket of a key
}

const (
	segmentMagic  = "tocsinM1"
	headerSize    = 64
	filterPerWord = 5 // keys a word; one key in a hundred that is not here passes
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("damaged file")
)

// A header begins each segment. Its own checksum is the last field.
type header struct {
	n, drops, words uint64
	width           uint32 // bits of a key that select its bucket
	body            uint32 // checksum of what follows the header
}

func (h header) append(b []byte) []byte {
	from := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint64(b, h.n)
	b = binary.LittleEndian.AppendUint64(b, h.drops)
	b = binary.LittleEndian.AppendUint64(b, h.words)
	b = binary.LittleEndian.AppendUint32(b, h.width)
	b = binary.LittleEndian.AppendUint32(b, h.body)
	b = append(b, make([]byte, headerSize-4-(len(b)-from))...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:headerSize-4], castagnoli) != binary.LittleEndian.Uint32(b[headerSize-4:]) {
		return header{}, fmt.Errorf("%w: header", errDamaged)
	}
	return header{
		n:     binary.LittleEndian.Uint64(b[8:]),
		drops: binary.LittleEndian.Uint64(b[16:]),
		words: binary.LittleEndian.Uint64(b[24:]),
		width: binary.LittleEndian.Uint32(b[32:]),
		body:  binary.LittleEndian.Uint32(b[36:]),
	}, nil
}

// size is how long the file must be. A header with a good checksum holds
// numbers that we wrote, so they don't overflow.
func (h header) size() uint64 {
	return headerSize + h.n*entrySize + h.words*8 + (1<<h.width+1)*4
}

// openSegment maps the file and checks it from end to end, which also brings
// it into memory.
func openSegment(path, name string) (*segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, unmap, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	s, err := parseSegment(name, data)
	if err != nil {
		unmap(data)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Readers may hold a segment after it was merged into another and its file
	// removed. The last of them to let go ends the mapping.
	runtime.AddCleanup(s, func(data []byte) { unmap(data) }, data)
	return s, nil
}

func parseSegment(name string, data []byte) (*segment, error) {
	h, err := parseHeader(data)
	switch {
	case err != nil:
		return nil, err
	case uint64(len(data)) != h.size():
		return nil, fmt.Errorf("%w: %d octets instead of %d", errDamaged, len(data), h.size())
	case crc32.Checksum(data[headerSize:], castagnoli) != h.body:
		return nil, fmt.Errorf("%w: checksum", errDamaged)
	}
	s := &segment{name: name, data: data, n: int(h.n), drops: int(h.drops), words: h.words, shift: 64 - uint(h.width)}
	s.entries = data[headerSize:][:h.n*entrySize]
	s.filter = data[headerSize+len(s.entries):][:h.words*8]
	s.directory = data[headerSize+len(s.entries)+len(s.filter):]
	return s, nil
}

// find returns the entries from the first one of key on, nothing if there is
// none. Entries of larger keys follow.
func (s *segment) find(key uint64) []byte {
	word, mask := filterAt(key, s.words)
	if binary.LittleEndian.Uint64(s.filter[word*8:])&mask != mask {
		return nil
	}
	bucket := s.directory[key>>s.shift*4:]
	i, end := int(binary.LittleEndian.Uint32(bucket)), int(binary.LittleEndian.Uint32(bucket[4:]))
	if end-i > 16 { // some key in the bucket is claimed very often
		i += sort.Search(end-i, func(j int) bool { return s.key(i+j) >= key })
	}
	for ; i < end; i++ {
		if k := s.key(i); k == key {
			return s.entries[i*entrySize:]
		} else if k > key {
			return nil
		}
	}
	return nil
}

func (s *segment) key(i int) uint64 { return binary.LittleEndian.Uint64(s.entries[i*entrySize:]) }

// filterAt says which word of a filter, and which bits of it, stand for key.
// It is a Bloom filter with all bits of a key in one word (Putze, Sanders and
// Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007). Words are
// in the order of keys, so it is written in one pass.
func filterAt(key, words uint64) (word, mask uint64) {
	word, _ = bits.Mul64(key, words)
	return word, 1<<(key&63) | 1<<(key>>6&63) | 1<<(key>>12&63) | 1<<(key>>18&63)
}
