// Package export writes what MISP's restSearch answers with for programs that
// are not MISP: zone files, rules of sensors and firewalls, tables, lists. A file
// for each format, in the shapes that MISP's clients know, and one table of them.
//
// A format is handed claims that the reader may have, one after the other, and
// writes them as they come, in the same memory however many there are. It
// knows nothing of who reads. A value never becomes more than a value: what a
// format can't hold as a text, it leaves out.
//
// Our own forms of such files, for collections, imports and lists, are in package
// codec.
package export

import (
	"io"
	"iter"
	"slices"
	"time"

	"tocsin"
)

// A Claim is an attribute that goes out, with what it stands in.
type Claim struct {
	*tocsin.Attribute
	In *tocsin.Event
}

// An Answer is what is to be written, as one reader may have it.
type Answer struct {
	// Whole says that the search was for events: those of one event follow each other.
	Whole bool
	// Claims iterates over what was found, of these types only if there are any. A
	// format may ask more than once.
	Claims func(types ...string) iter.Seq2[Claim, error]
	// Said is what the client said of the format itself; "" for nothing.
	Said func(name string) string
	// Columns are the columns of a table that the client named.
	Columns []string

	Names func(tocsin.TagSet) []string // of tags that the reader may have
	// Meaning says what is known of a tag, Sighted when an attribute was seen.
	Meaning func(tag string) Meaning
	Sighted func(*tocsin.Attribute) ([]int64, error)
	Org     func(id int64) *tocsin.Organisation
	// Object returns an object that a claim stands in, nil if it has gone meanwhile.
	Object func(id int64) *tocsin.Object

	Host     string // the organisation that runs this instance
	Asks     string // the organisation of who asks
	Instance tocsin.UUID
	Base     string // where this instance is found, without a final slash
	Now      time.Time
}

// A Format is one returnFormat.
type Format struct {
	Name   string
	Module string // X-Export-Module-Used; "": the name
	Media  string
	Suffix string // X-Response-Format, and the ending of the file
	// Device says that programs act on it by themselves: it holds what is published
	// and marked to_ids unless the client says otherwise.
	Device bool
	// Page says that it is a piece of a page and no file: nothing is said of how much it
	// holds, and its type is MISP's, by which no browser takes it for a page.
	Page bool
	// Types are what it is made of; nil: of everything.
	Types []string
	// Parts are what Write looks at of claims, beside [tocsin.PartValue].
	Parts tocsin.Parts
	Write func(*Writer, *Answer) error
}

// Formats returns all formats.
func Formats() []Format { return slices.Clone(formats) }

const (
	plain  = "text/plain; charset=UTF-8"
	asXML  = "application/xml; charset=UTF-8"
	asJSON = "application/json; charset=UTF-8"
)

var formats = []Format{
	{Name: "text", Media: plain, Suffix: "txt", Device: true, Write: writeText},
	{Name: "csv", Media: "text/csv; charset=UTF-8", Suffix: "csv", Parts: tocsin.PartUUID | tocsin.PartCategory | tocsin.PartPlace | tocsin.PartMarks | tocsin.PartTimes | tocsin.PartRest, Write: writeCSV},
	{Name: "rpz", Media: plain, Suffix: "txt", Device: true, Write: writeRPZ},
	{Name: "hosts", Media: plain, Suffix: "txt", Device: true, Types: []string{"domain"}, Write: writeHosts},
	{Name: "netfilter", Media: plain, Suffix: "txt", Types: addressed, Write: writeNetfilter},
	{Name: "suricata", Media: plain, Suffix: "txt", Device: true, Parts: tocsin.PartMarks, Write: writeRules(suricata)},
	{Name: "snort", Media: plain, Suffix: "txt", Device: true, Parts: tocsin.PartMarks, Write: writeRules(snort)},
	{Name: "zeek", Media: plain, Suffix: "txt", Device: true, Write: writeZeek},
	{Name: "hashes", Media: plain, Suffix: "txt", Device: true, Write: writeHashes},
	{Name: "cache", Media: plain, Suffix: "txt", Write: writeCache},
	{Name: "openioc", Media: asXML, Suffix: "xml", Device: true, Parts: tocsin.PartUUID | tocsin.PartCategory, Write: writeOpenIOC},
	{Name: "yara", Media: plain, Suffix: "txt", Parts: tocsin.PartUUID | tocsin.PartPlace, Write: writeYARA},
	{Name: "yara-json", Media: asJSON, Suffix: "json", Parts: tocsin.PartUUID | tocsin.PartPlace, Write: writeYARAJSON},
	{Name: "kunai", Media: asJSON, Suffix: "json", Device: true, Types: kunaiTypes, Parts: tocsin.PartUUID, Write: writeKunai},
	{Name: "attack-sightings", Media: asJSON, Suffix: "json", Parts: tocsin.PartUUID | tocsin.PartMarks | tocsin.PartTimes, Write: writeAttackSightings},
	{Name: "attack", Media: asJSON, Page: true, Parts: tocsin.PartMarks, Write: writeMatrix},
	{Name: "context", Media: asJSON, Page: true, Parts: tocsin.PartMarks, Write: writeContext},
	{Name: "context-markdown", Media: asJSON, Page: true, Parts: tocsin.PartMarks, Write: writeMarkdown},
	{Name: "opendata", Media: asJSON, Suffix: "json", Write: writeOpenData},
}

// A Writer puts an answer together and lets go of it piece by piece.
type Writer struct {
	out io.Writer
	B   []byte // what comes next; append to it
}

// piece is how much is written at a time.
const piece = 32 << 10

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{out: w, B: make([]byte, 0, piece+4<<10)} }

// Flush writes what has come together, if that is worth it.
func (w *Writer) Flush() error {
	if len(w.B) < piece {
		return nil
	}
	return w.End()
}

// End writes the rest.
func (w *Writer) End() error {
	_, err := w.out.Write(w.B)
	w.B = w.B[:0]
	return err
}

func (w *Writer) add(parts ...string) {
	for _, p := range parts {
		w.B = append(w.B, p...)
	}
}

// each hands claims to write, and lets go of what is written.
func (a *Answer) each(w *Writer, types []string, write func(*Claim)) error {
	for c, err := range a.Claims(types...) {
		if err != nil {
			return err
		}
		write(&c)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// side returns a side of a composite, the whole value for 0 of a simple one.
func (c *Claim) side(n int) string {
	v1, v2 := c.Value.Parts()
	if n == 1 {
		return v2
	}
	return v1
}
