package codec

import (
	"bufio"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"tocsin"
)

func init() {
	register(Format{Name: "csv", Media: "text/csv; charset=utf-8", Extensions: []string{".csv", ".tsv"},
		Describe: "columns as MISP names them; reading takes one column or a header", Read: readCSV, Write: writeCSV})
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
		buf = append(append(buf[:0], a.UUID.String()...), ',')
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

// readCSV reads one column without a header, or what a header names. A field in
// quotes may go over several lines (RFC 4180); a quote that is not closed
// within [MaxLine] costs its line only.
func readCSV(r io.Reader, o Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		rr, stop := newRecordReader(r)
		defer stop()
		var t table
		for {
			rec, err, ok := rr.read()
			if !ok {
				return
			}
			if err == nil && t.columns == nil {
				header, err := t.begin(rec)
				rr.comma = t.comma
				if err != nil {
					yield(Draft{Line: rec.number}, err)
					return
				}
				if header {
					continue
				}
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

// A table is a CSV file's shape: what stands between cells, and which is what.
type table struct {
	comma   byte
	columns []func(*Draft, string) string // nil: of no interest; they return what is wrong
}

// csvColumns are the columns we know, MISP's names first.
var csvColumns = map[string]func(*Draft, string) string{
	"value": csvValue, "indicator": csvValue, "ioc": csvValue, "domain": typed("domain"), "hostname": typed("hostname"), "url": typed("url"),
	"type":     func(d *Draft, s string) string { d.Type = s; return "" },
	"category": func(d *Draft, s string) string { d.Category = s; return "" },
	"comment":  func(d *Draft, s string) string { d.Comment = rearm(s); return "" },
	"uuid": func(d *Draft, s string) string {
		var err error
		if d.UUID, err = tocsin.ParseUUID(s); err != nil && s != "" {
			return err.Error()
		}
		return ""
	},
	"to_ids": func(d *Draft, s string) string {
		if s == "" {
			return ""
		}
		ids, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil {
			return "to_ids is 1 or 0, not " + strconv.Quote(beginning([]byte(s)))
		}
		d.ToIDS = &ids
		return ""
	},
	"date":       csvTimestamp,
	"timestamp":  csvTimestamp,
	"first_seen": func(d *Draft, s string) string { return csvTime(&d.FirstSeen, s) },
	"last_seen":  func(d *Draft, s string) string { return csvTime(&d.LastSeen, s) },
	"tag":        csvTags,
	"tags":       csvTags,

	"attribute_tag": csvTags, "object_relation": func(d *Draft, s string) string { d.Relation = s; return "" },
}

func csvValue(d *Draft, s string) string { d.Text = rearm(s); return "" }

// typed is a column whose name says what its values are.
func typed(typ string) func(*Draft, string) string {
	return func(d *Draft, s string) string {
		if s != "" && d.Text == "" {
			d.Type, d.Text = typ, rearm(s)
		}
		return ""
	}
}

// csvTimestamp takes MISP's seconds; other people's dates are no identity.
func csvTimestamp(d *Draft, s string) string {
	d.Timestamp, _ = strconv.ParseInt(s, 10, 64)
	return ""
}

func csvTime(t *time.Time, s string) string {
	if s == "" {
		return ""
	}
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"} {
		if *t, err = time.Parse(layout, s); err == nil {
			return ""
		}
	}
	return strconv.Quote(beginning([]byte(s))) + " is no time such as 2024-01-02T03:04:05Z"
}

// csvTags reads names with commas between them, as MISP writes them.
func csvTags(d *Draft, s string) string {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			d.Tags = append(d.Tags, TagDraft{Name: name})
		}
	}
	return ""
}

// begin settles the shape by the first record, and says whether it is a header.
func (t *table) begin(rec line) (header bool, err error) {
	for _, comma := range []byte(",;\t") {
		cells, why := split(rec.text, comma)
		if why != "" {
			continue
		}
		var columns []func(*Draft, string) string
		valued := false
		for _, c := range cells {
			name := strings.ToLower(strings.TrimSpace(c))
			column := csvColumns[name]
			columns = append(columns, column)
			switch name {
			case "value", "indicator", "ioc", "domain", "hostname", "url":
				valued = true
			}
		}
		if valued {
			t.comma, t.columns = comma, columns
			return true, nil
		}
		if len(cells) > 1 {
			return false, tocsin.Errorf(tocsin.Invalid, "line %d has %d columns and does not say which is which: put a header line before it with value, and type, category, comment, to_ids as needed", rec.number, len(cells))
		}
	}
	t.comma, t.columns = ',', []func(*Draft, string) string{csvValue}
	return false, nil
}

// draft makes a draft of a record.
func (t *table) draft(rec line, o Options) (Draft, error) {
	d := Draft{Type: o.Type}
	lost := func(why string) (Draft, error) {
		return Draft{}, &LineError{rec.number, beginning([]byte(rec.text)), why}
	}
	cells, why := split(rec.text, t.comma)
	if why != "" {
		return lost(why)
	}
	if len(cells) > len(t.columns) {
		return lost("it has " + strconv.Itoa(len(cells)) + " columns where the header has " + strconv.Itoa(len(t.columns)))
	}
	for i, c := range cells {
		if t.columns[i] == nil {
			continue
		}
		if why := t.columns[i](&d, c); why != "" {
			return lost(why)
		}
	}
	if d.Text == "" && len(t.columns) > 1 {
		return lost("it has no value")
	}
	return d, nil
}
