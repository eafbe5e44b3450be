// Package codec names the formats in which claims come in and go out: a file
// for each, registered by name, with its examples in testdata.
//
// Reading, a format yields a [Draft] for each claim that a text makes: untrusted
// words, with the line they stood on. It knows how the format is built and
// nothing of what its values mean. Writing, a format is handed rows that the
// reader may have; it knows nothing of who that is.
//
// What a text does to us is bounded: lines, depth and unpacked size have
// limits, a bad line costs that line ([LineError]), and only the end of the
// stream ends the reading.
package codec

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin"
	"tocsin/access"
)

// A Draft is a claim as it arrived: untrusted text. What is left out is settled
// where drafts are taken in.
type Draft struct {
	Line         int // one-based: these numbers end up in front of people
	Type         string
	Text         string
	Category     string
	Comment      string
	ToIDS        *bool
	Distribution *access.Distribution // nil: access.Inherit
	Group        int64
	Tags         []TagDraft
	UUID         tocsin.UUID
	Timestamp    int64
	FirstSeen    time.Time
	LastSeen     time.Time
	Relation     string
	Deleted      bool
	NoCorrelate  bool
	Attachment   *tocsin.Attachment // content that goes with it, and is kept already
}

// A TagDraft is a tag as it arrived.
type TagDraft struct {
	Name   string
	Colour string
	Local  bool
	Gone   bool // it is to be taken off, in edits
	Kept   bool // it is not handed on
	Hidden bool // it is not offered
}

// A Row is a claim that goes out, with what its event says.
type Row struct {
	Attribute *tocsin.Attribute
	Event     *tocsin.Event
	Org       string // name of the organisation that reported it
	TLP       access.TLP
	Tags      []string
}

// Options are what a reader can be told. The zero Options are good.
type Options struct {
	Type    string // what every value is, where the format does not say; "": detected one by one
	Columns string // a header line for a table that has none, or the wrong one
}

// A Format is one way to write claims down.
type Format struct {
	Name       string
	Media      string
	ListMedia  string   // of lists, where it differs
	Extensions []string // of file names, with the dot
	Describe   string   // a line for menus

	// Looks reports whether a text is in this format, by the beginning of it.
	// Where it is nil, only the name of a file can tell.
	Looks func(head) bool

	// Read yields the drafts of a text. With a [*LineError] it has lost that line
	// and goes on; any other error is the last thing it yields. It is nil where
	// the format is for output only.
	Read func(io.Reader, Options) iter.Seq2[Draft, error]
	// Write writes rows until they end. When it returns an error, what it wrote
	// so far is not the whole answer, and the caller must see to it that it
	// doesn't look like one. It is nil where the format is for input only. Where
	// the format is for blocking, it writes what the rows name, see [List].
	Write func(io.Writer, iter.Seq2[Row, error]) error
	// Parts are what Write looks at of claims, beside [tocsin.PartValue].
	Parts tocsin.Parts
	// List writes a list of what is to be acted on; else it is as Write. It is nil
	// where a format is for claims only.
	List func(io.Writer, List) error
}

var formats = map[string]Format{}

func register(f Format) {
	if _, dup := formats[f.Name]; dup {
		panic("codec: format " + f.Name + " registered twice")
	}
	if f.Write == nil && f.List != nil {
		f.Write = func(w io.Writer, rows iter.Seq2[Row, error]) error { return f.List(w, Named(rows)) }
	}
	f.ListMedia = cmp.Or(f.ListMedia, f.Media)
	formats[f.Name] = f
}

// Names returns the names of all formats.
func Names() []string { return slices.Sorted(maps.Keys(formats)) }

// Formats returns all formats in order of name.
func Formats() []Format {
	var fs []Format
	for _, n := range Names() {
		fs = append(fs, formats[n])
	}
	return fs
}

// Reader returns the format of that name if it can be read.
func Reader(name string) (Format, error) {
	return lookup(name, "read", func(f Format) bool { return f.Read != nil })
}

// Writer returns the format of that name if it can be written.
func Writer(name string) (Format, error) {
	return lookup(name, "write", func(f Format) bool { return f.Write != nil })
}

// Lister returns the format that lists are written in under that name, or under
// the ending of its files: "text" and "txt" are the same.
func Lister(name string) (Format, error) {
	f, err := lookup(name, "list", func(f Format) bool { return f.List != nil })
	if err == nil {
		return f, nil
	}
	for _, f := range Formats() {
		if f.List != nil && slices.Contains(f.Extensions, "."+name) {
			return f, nil
		}
	}
	return Format{}, err
}

func lookup(name, what string, can func(Format) bool) (Format, error) {
	if f, ok := formats[name]; ok && can(f) {
		return f, nil
	}
	var names []string
	for _, f := range Formats() {
		if can(f) {
			names = append(names, f.Name)
		}
	}
	return Format{}, tocsin.Errorf(tocsin.Invalid, "no format %q to %s; try one of %v", name, what, names)
}

// A LineError says that one line was lost, and why.
type LineError struct {
	Number int    // one-based
	Text   string // its beginning
	Why    string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Number, e.Why) }

// maxQuote is how much of a lost line an error shows, in octets.
const maxQuote = 80

// beginning is the beginning of a line, fit to be shown.
func beginning(line []byte) string {
	more := ""
	if len(line) > maxQuote {
		n := maxQuote
		for n > maxQuote-utf8.UTFMax && !utf8.RuneStart(line[n]) {
			n-- // not through the middle of a character
		}
		line, more = line[:n], "…"
	}
	return strings.ToValidUTF8(string(line), "\ufffd") + more
}
