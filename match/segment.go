package match

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"sort"
)

// A segment is a file of entries in order, which never changes. All numbers in
// it are little-endian.
//
//	header     64 octets
//	entries    24 octets each
//	directory  8 octets a bucket, and one bucket more
//
// A bucket is for all keys with the same top bits. Its low half says where
// their entries begin, its high half is a small Bloom filter of those keys. So
// a key that is not here usually costs one look at memory, and one that is here
// two, however large the file.
type segment struct {
	name  string
	data  []byte
	n     int // entries
	drops int // how many of them are marks of what was dropped

	entries   []byte
	directory []byte
	shift     uint // what leaves the bucket of a key
}

const (
	segmentMagic = "tocsinM1"
	headerSize   = 64
	bucketSize   = 8
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("damaged file")
)

// A header begins each segment. Its own checksum is the last field.
type header struct {
	n, drops uint64
	width    uint32 // bits of a key that select its bucket
	body     uint32 // checksum of what follows the header
}

func (h header) append(b []byte) []byte {
	from := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint64(b, h.n)
	b = binary.LittleEndian.AppendUint64(b, h.drops)
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
		width: binary.LittleEndian.Uint32(b[24:]),
		body:  binary.LittleEndian.Uint32(b[28:]),
	}, nil
}

// size is how long the file must be. A header with a good checksum holds
// numbers that we wrote, so they don't overflow.
func (h header) size() uint64 {
	return headerSize + h.n*entrySize + (1<<h.width+1)*bucketSize
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
	s := &segment{name: name, data: data, n: int(h.n), drops: int(h.drops), shift: 64 - uint(h.width)}
	s.entries = data[headerSize:][:h.n*entrySize]
	s.directory = data[headerSize+len(s.entries):]
	return s, nil
}

// find returns the entries from the first one of key on, nothing if there is
// none. Entries of larger keys follow.
func (s *segment) find(key uint64) []byte {
	i, end := s.bucket(key)
	if i < 0 {
		return nil
	}
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

// bucket returns where the entries of key would be, or -1 if it has none.
func (s *segment) bucket(key uint64) (from, to int) {
	at := key >> s.shift * bucketSize
	b := binary.LittleEndian.Uint64(s.directory[at:])
	if mask := filterBits(key); b&mask != mask {
		return -1, -1
	}
	return int(uint32(b)), int(binary.LittleEndian.Uint32(s.directory[at+bucketSize:]))
}

func (s *segment) len() int { return s.n }

func (s *segment) key(i int) uint64 { return binary.LittleEndian.Uint64(s.entries[i*entrySize:]) }

// filterBits are the bits of a bucket that stand for key. They come from the
// low end of the key, the bucket's number from the high end.
func filterBits(key uint64) uint64 {
	return 1<<(32+key&31) | 1<<(32+key>>5&31) | 1<<(32+key>>10&31)
}
