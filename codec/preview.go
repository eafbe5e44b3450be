package codec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"tocsin/indicator"
)

// A Reading is a text that is about to be read, in a format that was said or guessed.
type Reading struct {
	Format  Format
	Guessed bool
	Table   *Table // of a table whose shape was guessed
	Drafts  iter.Seq2[Draft, error]
}

// Begin looks at a text, packed or not, and settles how it is read. The name is
// that of its file; format "" is guessed.
func Begin(name, format string, text io.Reader, o Options) (*Reading, error) {
	plain, err := Open(text)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(plain, headSize)
	head, err := b.Peek(headSize)
	if err != nil && err != io.EOF && len(head) == 0 {
		return nil, err
	}
	r := &Reading{Guessed: format == ""}
	if r.Guessed {
		r.Format, err = Guess(name, head)
	} else {
		r.Format, err = Reader(format)
	}
	if err != nil {
		return nil, err
	}
	if r.Format.Name == "csv" {
		r.Table = shape(head, o)
	}
	r.Drafts = r.Format.Read(b, o)
	return r, nil
}

// shape returns the shape that the reader of tables will find, nil if it will
// refuse.
func shape(head []byte, o Options) *Table {
	t, err := newRecordReader(strings.NewReader(string(wholeLines(head)))).table(o)
	if err != nil {
		return nil
	}
	return t
}

// String says in a line how the text is read.
func (r *Reading) String() string {
	s := "read as " + r.Format.Name
	if r.Table != nil {
		s += ", " + r.Table.String()
	}
	return s
}

// String says in a line what a table is taken for.
func (t *Table) String() string {
	s := "one column"
	if len(t.Columns) > 1 {
		separator := map[string]string{"\t": "tabs", ",": "commas", ";": "semicolons"}[t.Separator]
		if separator == "" {
			separator = t.Separator
		}
		s = fmt.Sprintf("%d columns separated by %s", len(t.Columns), separator)
	}
	if t.Header != "none" {
		s += ", header: " + t.Header
	}
	for i, c := range t.Columns {
		if c.Role == "" {
			continue
		}
		s += fmt.Sprintf("; %s: column %d", c.Role, i+1)
		if c.Name != "" {
			s += fmt.Sprintf(" %q", c.Name)
		}
		if c.Type != "" {
			s += " as " + c.Type
		}
	}
	return s
}

// A Preview is what would be made of a text, for people to look at before it is.
type Preview struct {
	Format  string       `json:"format"`
	Guessed bool         `json:"guessed"` // nobody said the format
	Table   *Table       `json:"table,omitempty"`
	Summary string       `json:"summary"`
	Rows    []PreviewRow `json:"rows"`
}

// A PreviewRow is one of the first rows, as it would be taken in or refused.
type PreviewRow struct {
	Line    int      `json:"line"`
	Type    string   `json:"type,omitempty"`
	Value   string   `json:"value,omitempty"`
	Comment string   `json:"comment,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	Text    string   `json:"text,omitempty"` // the beginning of what is refused
	Why     string   `json:"why,omitempty"`  // it is refused
}

// previewRows is how many rows a preview shows.
const previewRows = 10

// Preview reads the first rows.
func (r *Reading) Preview() (Preview, error) {
	p := Preview{Format: r.Format.Name, Guessed: r.Guessed, Table: r.Table, Summary: r.String(), Rows: []PreviewRow{}}
	for d, err := range r.Drafts {
		row := PreviewRow{Line: d.Line, Comment: d.Comment}
		if lost, ok := errors.AsType[*LineError](err); ok {
			row = PreviewRow{Line: lost.Number, Text: lost.Text, Why: lost.Why}
		} else if err != nil {
			return p, err
		} else {
			row.read(d)
		}
		if p.Rows = append(p.Rows, row); len(p.Rows) == previewRows {
			break
		}
	}
	return p, nil
}

// read says what a draft means.
func (p *PreviewRow) read(d Draft) {
	for _, t := range d.Tags {
		p.Tags = append(p.Tags, t.Name)
	}
	v, err := indicator.Detect(d.Text)
	if d.Type != "" {
		v, err = indicator.Parse(d.Type, d.Text)
	}
	if refused, ok := errors.AsType[*indicator.ParseError](err); ok {
		p.Type, p.Text, p.Why = d.Type, beginning([]byte(d.Text)), refused.Why
		return
	}
	p.Type, p.Value = v.TypeName(), v.String()
}
