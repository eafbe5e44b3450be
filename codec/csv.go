package codec

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"tocsin"
)

func init() {
	register(Format{Name: "csv", Media: "text/csv; charset=utf-8", Extensions: []string{".csv", ".tsv"},
		Describe: "a table with MISP's columns; reading takes what a header names, or finds the values by themselves",
		Looks:    looksLikeTable, Read: readCSV, Write: writeCSV, List: writeCSVList,
		Parts: tocsin.PartUUID | tocsin.PartCategory | tocsin.PartPlace | tocsin.PartTimes})
}

// The columns that are written, which are MISP's.
var csvHeader = []string{"uuid", "event_id", "category", "type", "value", "comment", "to_ids", "date"}

// writeCSV writes RFC 4180 with MISP's columns; date is the time of the last
// change in seconds, as MISP has it. Cells that a spreadsheet would run as a
// formula are disarmed, see [disarm].
func writeCSV(w io.Writer, rows iter.Seq2[Row, error]) error {
	b := bufio.NewWriterSize(w, 64<<10)
	b.WriteString(strings.Join(csvHeader, ",") + "\n")
	var buf []byte
	for r, err := range rows {
		if err != nil {
			return err
		}
		a := r.Attribute
		if buf = buf[:0]; !a.UUID.IsZero() {
			buf = a.UUID.Append(buf)
		}
		buf = append(buf, ',')
		buf = append(strconv.AppendInt(buf, a.Event, 10), ',')
		buf = append(appendCell(buf, a.Category.String()), ',')
		buf = append(appendCell(buf, a.Value.TypeName()), ',')
		buf = append(appendCell(buf, a.Value.String()), ',')
		buf = append(appendCell(buf, a.Comment), ',')
		if a.ToIDS {
			buf = append(buf, '1', ',')
		} else {
			buf = append(buf, '0', ',')
		}
		buf = append(strconv.AppendInt(buf, a.Timestamp, 10), '\n')
		if _, err := b.Write(buf); err != nil {
			return err
		}
	}
	return b.Flush()
}

// writeCSVList writes the names of a list with the type that reads it back as it is.
func writeCSVList(w io.Writer, l List) error {
	out := &listWriter{Writer: newBuffer(w)}
	out.WriteString("value,type\n")
	var buf []byte
	return out.write(l.Items(names...), func(out *listWriter, i Item) {
		if !isName(i.Text) {
			return
		}
		typ := "hostname"
		if i.Kind == domainKind {
			typ = "domain"
		}
		buf = appendCell(buf[:0], string(i.Text))
		out.line("", buf, ","+typ)
	}, nothingMore)
}

// appendCell appends a cell, in quotes where it wants them.
func appendCell(buf []byte, s string) []byte {
	s = disarm(s)
	if !strings.ContainsAny(s, "\",;\t\r\n") && strings.TrimSpace(s) == s && !strings.HasPrefix(s, "#") {
		return append(buf, s...)
	}
	buf = append(buf, '"')
	for i := range len(s) {
		if s[i] == '"' {
			buf = append(buf, '"')
		}
		buf = append(buf, s[i])
	}
	return append(buf, '"')
}

// disarm puts an apostrophe before what a spreadsheet takes for a formula, and
// so does the next reader's spreadsheet with what an attacker had us publish
// (OWASP, CSV injection). A number with a sign, such as a telephone number, is
// no formula. [rearm] takes it off again.
func disarm(s string) string {
	if isFormula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

func rearm(s string) string {
	if strings.HasPrefix(s, "'") && isFormula(strings.TrimLeft(s, "'")) {
		return s[1:]
	}
	return s
}

func isFormula(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '@', '\t', '\r', '\n':
		return true
	case '+', '-':
		return strings.Trim(s[1:], "0123456789.") != ""
	}
	return false
}

// readCSV reads a table whose shape the first records show, see [Table]. A field
// in quotes may go over several lines (RFC 4180); a quote that is not closed
// within [MaxLine] costs its line only.
func readCSV(r io.Reader, o Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		rr := newRecordReader(r)
		t, err := rr.table(o)
		if err != nil {
			yield(Draft{}, err)
			return
		}
		for {
			rec, err, ok := rr.read()
			if !ok {
				return
			}
			var d Draft
			if err == nil {
				d, err = t.draft(rec, o)
			}
			d.Line = rec.number
			if (err != nil || d.Text != "") && !yield(d, err) {
				return
			}
			if _, lost := errors.AsType[*LineError](err); err != nil && !lost {
				return
			}
		}
	}
}

// draft makes a draft of a record.
func (t *Table) draft(rec line, o Options) (Draft, error) {
	d := &t.record
	*d = Draft{Type: o.Type}
	lost := func(why string) (Draft, error) {
		return Draft{}, &LineError{rec.number, beginning([]byte(rec.text)), why}
	}
	var why string
	if t.cells, why = split(t.cells[:0], rec.text, t.comma); why != "" {
		return lost(why)
	}
	if len(t.cells) > len(t.Columns) {
		return lost("it has " + strconv.Itoa(len(t.cells)) + " columns where the header has " + strconv.Itoa(len(t.Columns)))
	}
	for i, c := range t.cells {
		if set := t.Columns[i].set; set != nil {
			if why := set(d, c); why != "" {
				return lost(why)
			}
		}
	}
	if d.Text == "" && len(t.Columns) > 1 {
		return lost("it has no value")
	}
	return *d, nil
}
