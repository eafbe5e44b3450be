package match

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"

	"tocsin"
	"tocsin/access"
)

// An eventRow is what a reader of claims needs to know of their event.
type eventRow struct {
	uuid  tocsin.UUID
	orgc  int64
	label access.LabelID
	flags uint32
}

const (
	rowKnown       = 1 << iota // there is or was such an event
	rowGone                    // deleted for good: its number never comes back
	rowPublished               //
	rowNoCorrelate             //

	rowSize  = 32
	rowsEach = 256 // rows of a chunk
)

// live reports whether the event's claims can be shown to anyone. An event that
// was never heard of and one with the zero label show nothing, not even to who
// sees all.
func (r *eventRow) live() bool { return r.label != 0 && r.flags&(rowKnown|rowGone) == rowKnown }

// An eventTable holds a row for each event, by number, in chunks. It never
// changes: a new table shares the chunks that are the same.
type eventTable []*[rowsEach]eventRow

var noRow eventRow

func (t eventTable) row(event uint32) *eventRow {
	if chunk := int(event / rowsEach); chunk < len(t) && t[chunk] != nil {
		return &t[chunk][event%rowsEach]
	}
	return &noRow
}

// gone reports whether event was deleted for good.
func (t eventTable) gone(event uint32) bool { return t.row(event).flags&rowGone != 0 }

// len counts the live events.
func (t eventTable) len() (n int) {
	for _, chunk := range t {
		if chunk == nil {
			continue
		}
		for i := range chunk {
			if chunk[i].live() {
				n++
			}
		}
	}
	return n
}

// highest returns the highest label of any event.
func (t eventTable) highest() (l access.LabelID) {
	for _, chunk := range t {
		if chunk == nil {
			continue
		}
		for i := range chunk {
			l = max(l, chunk[i].label)
		}
	}
	return l
}

// An eventWriter makes the next table. It copies what it changes.
type eventWriter struct {
	next eventTable
	own  map[int]bool // chunks that no table shares yet
	lent bool         // next itself is shared
}

func newEventWriter(t eventTable) *eventWriter {
	return &eventWriter{next: t, own: map[int]bool{}, lent: true}
}

// put notes what event id is now; nil means deleted for good.
func (w *eventWriter) put(id int64, e *tocsin.Event) error {
	if id < 1 || id > maxEvent {
		return fmt.Errorf("event %d: number out of range", id)
	}
	row := eventRow{flags: rowKnown | rowGone}
	if e != nil {
		row = eventRow{uuid: e.UUID, orgc: e.Orgc, label: e.Label, flags: rowKnown}
		if e.Published {
			row.flags |= rowPublished
		}
		if e.NoCorrelate {
			row.flags |= rowNoCorrelate
		}
	}
	if *w.next.row(uint32(id)) != row {
		*w.edit(int(id/rowsEach), int(id%rowsEach)) = row
	}
	return nil
}

func (w *eventWriter) edit(chunk, i int) *eventRow {
	if w.lent {
		w.next, w.lent = append(eventTable(nil), w.next...), false
	}
	for len(w.next) <= chunk {
		w.next = append(w.next, nil)
	}
	if !w.own[chunk] {
		fresh := new([rowsEach]eventRow)
		if w.next[chunk] != nil {
			*fresh = *w.next[chunk]
		}
		w.next[chunk], w.own[chunk] = fresh, true
	}
	return &w.next[chunk][i]
}

// table returns what was put so far. The writer goes on with a copy.
func (w *eventWriter) table() eventTable {
	if !w.lent {
		clear(w.own)
		w.lent = true
	}
	return w.next
}

// same reports whether t and u are one table.
func (t eventTable) same(u eventTable) bool {
	return len(t) == len(u) && (len(t) == 0 || &t[0] == &u[0])
}

const eventsMagic = "tocsinE1"

// encode returns the table as a file: magic, checksum, then each chunk that
// holds something, after its number.
func (t eventTable) encode() []byte {
	b := make([]byte, 12, 12+len(t)*(4+rowsEach*rowSize))
	copy(b, eventsMagic)
	for i, chunk := range t {
		if chunk == nil {
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
		for _, r := range chunk {
			b = append(b, r.uuid[:]...)
			b = binary.LittleEndian.AppendUint64(b, uint64(r.orgc))
			b = binary.LittleEndian.AppendUint32(b, uint32(r.label))
			b = binary.LittleEndian.AppendUint32(b, r.flags)
		}
	}
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b
}

func readEvents(path string) (eventTable, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decodeEvents(b)
}

func decodeEvents(b []byte) (eventTable, error) {
	if len(b) < 12 || string(b[:8]) != eventsMagic || (len(b)-12)%(4+rowsEach*rowSize) != 0 ||
		crc32.Checksum(b[12:], castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, fmt.Errorf("%w: events", errDamaged)
	}
	var t eventTable
	for b = b[12:]; len(b) > 0; {
		at := int(binary.LittleEndian.Uint32(b))
		if at > maxEvent/rowsEach {
			return nil, fmt.Errorf("%w: events", errDamaged)
		}
		for len(t) <= at {
			t = append(t, nil)
		}
		b = b[4:]
		t[at] = new([rowsEach]eventRow)
		for i := range t[at] {
			t[at][i] = eventRow{
				uuid:  tocsin.UUID(b[:16]),
				orgc:  int64(binary.LittleEndian.Uint64(b[16:])),
				label: access.LabelID(binary.LittleEndian.Uint32(b[24:])),
				flags: binary.LittleEndian.Uint32(b[28:]),
			}
			b = b[rowSize:]
		}
	}
	return t, nil
}
