package stix

import (
	"io"
	"strconv"
	"time"

	"tocsin"
	"tocsin/misp"
)

// A Version is one of STIX 2.
type Version uint8

const (
	V21 Version = iota
	V20
)

// Names says what ids in records stand for, as one reader may know it.
type Names interface {
	Organisation(id int64) *tocsin.Organisation
	// Tags are the tags of a set that the reader may have.
	Tags(tocsin.TagSet) []string
	// Cluster is what a tag of a galaxy stands for, nil if that is not known.
	Cluster(tag string) *Cluster
}

// A Bundle is a bundle on its way out, piece by piece.
type Bundle struct {
	v     Version
	names Names
	out   io.Writer
	b     []byte
	first bool
	met   map[string]bool // ids of what several events share
	refs  []string        // of the event at hand
	by    string          // who is the author of what comes
	// Grounds has what an attribute's indicator is about stand beside it, as
	// observed-data that it is based on. STIX 2.1 only.
	Grounds bool
	// became is what records with remarks are in the bundle.
	became map[tocsin.UUID]string
}

// piece is how much is written at a time.
const piece = 32 << 10

// NewBundle begins a bundle.
func NewBundle(out io.Writer, v Version, names Names, now time.Time) *Bundle {
	w := &Bundle{v: v, names: names, out: out, first: true, met: map[string]bool{}}
	w.b = append(w.b, `{"type":"bundle","id":"`...)
	w.b = append(append(w.b, refTo("bundle", tocsin.NewUUID(now))...), '"')
	if v == V20 {
		w.b = append(w.b, `,"spec_version":"2.0"`...)
	}
	w.b = append(w.b, `,"objects":[`...)
	return w
}

// Close ends the bundle. Without it the JSON has no end, so a bundle that broke off
// can't be taken for a whole one.
func (w *Bundle) Close() error {
	w.b = append(w.b, "]}"...)
	return w.flush()
}

func (w *Bundle) flush() error {
	_, err := w.out.Write(w.b)
	w.b = w.b[:0]
	return err
}

func (w *Bundle) spill() error {
	if len(w.b) < piece {
		return nil
	}
	return w.flush()
}

// object begins an object and returns its id.
func (w *Bundle) object(typ string, id tocsin.UUID) string {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	ref := refTo(typ, id)
	w.b = append(append(append(w.b, `{"type":"`...), typ...), '"')
	if w.v == V21 {
		w.b = append(w.b, `,"spec_version":"2.1"`...)
	}
	w.text("id", ref)
	if ID(id) != id {
		w.text("x_misp_uuid", id.String())
	}
	return ref
}

// ID is the uuid by which STIX knows a record: its own if that is of a version that
// readers of STIX take, those of RFC 4122; else one that is made of it. The record's
// own then stands in x_misp_uuid.
func ID(u tocsin.UUID) tocsin.UUID {
	if v := u[6] >> 4; v >= 1 && v <= 5 {
		return u
	}
	return derived(u.String())
}

func refTo(typ string, u tocsin.UUID) string { return typ + "--" + ID(u).String() }

func (w *Bundle) end() { w.b = append(w.b, '}') }

func (w *Bundle) name(n string) {
	if c := w.b[len(w.b)-1]; c != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(misp.AppendText(w.b, n), ':')
}

func (w *Bundle) text(name, s string) {
	w.name(name)
	w.b = misp.AppendText(w.b, s)
}

// said writes a text unless it is empty.
func (w *Bundle) said(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *Bundle) number(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *Bundle) flag(name string, v bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, v)
}

// list writes a list of texts unless it is empty.
func (w *Bundle) list(name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	w.name(name)
	w.b = append(w.b, '[')
	for i, t := range texts {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = misp.AppendText(w.b, t)
	}
	w.b = append(w.b, ']')
}

func (w *Bundle) time(name string, at time.Time, layout string) {
	w.name(name)
	w.b = append(at.UTC().AppendFormat(append(w.b, '"'), layout), '"')
}

const (
	seconds = "2006-01-02T15:04:05Z"
	millis  = "2006-01-02T15:04:05.000Z"
	micros  = "2006-01-02T15:04:05.000000Z"
)

// instant writes a time as exactly as it is known.
func (w *Bundle) instant(name string, at time.Time) {
	layout := seconds
	if at.Nanosecond() != 0 {
		layout = micros
	}
	w.time(name, at, layout)
}

// made writes who made an object and when.
func (w *Bundle) made(created, modified int64) {
	if w.by != "" {
		w.text("created_by_ref", w.by)
	}
	w.time("created", time.Unix(created, 0), millis)
	w.time("modified", time.Unix(max(created, modified), 0), millis)
}

// once reports whether an object that several events share is to be written now.
func (w *Bundle) once(ref string) bool {
	if w.met[ref] || len(w.met) >= maxShared {
		return false
	}
	w.met[ref] = true
	return true
}

// maxShared bounds how many shared objects a bundle remembers.
const maxShared = 1 << 17
