package collection

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"tocsin/indicator"
)

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

var (
	errDamaged = errors.New("damaged")
	// errFormer is a file of an earlier version, of which the header is read: what
	// it says of how far zones were served still holds.
	errFormer = errors.New("written by an earlier version")
)

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
	if string(line[:len(line)-2]) != magic[:len(magic)-2] {
		return nil, errDamaged
	}
	b, err := readSection(r, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, header); err != nil {
		return nil, err
	}
	if string(line) != magic {
		return nil, errFormer
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
