package export

import (
	"strconv"
	"strings"

	"tocsin"
)

// A column is one of MISP's table.
type column struct {
	name string
	cell func(b []byte, r *row) []byte
}

// A row is a claim, with what was looked up for the one before.
type row struct {
	*Claim
	a    *Answer
	tags map[tocsin.TagSet]string
}

// maxSets is how many sets of tags are kept as text.
const maxSets = 1024

func (r *row) tagNames(s tocsin.TagSet) string {
	if s == "" {
		return ""
	}
	text, ok := r.tags[s]
	if !ok {
		text = strings.Join(r.a.Names(s), ",")
		if len(r.tags) < maxSets {
			r.tags[s] = text
		}
	}
	return text
}

func (r *row) orgName(id int64) string {
	if o := r.a.Org(id); o != nil {
		return o.Name
	}
	return ""
}

// ofObject is a word of the object that a claim stands in. In a table of attributes
// MISP leaves it empty.
func (r *row) ofObject(word func(*tocsin.Object) string) string {
	if !r.a.Whole || r.Claim.Object == 0 {
		return ""
	}
	if o := r.a.Object(r.Claim.Object); o != nil {
		return word(o)
	}
	return ""
}

// quoted makes a cell of a text: in quotes, quotes in it twice (RFC 4180).
func quoted(of func(*row) string) func([]byte, *row) []byte {
	return func(b []byte, r *row) []byte {
		text := of(r)
		if bareNumber(text) {
			return append(b, text...)
		}
		b = append(b, '"')
		for {
			before, after, found := strings.Cut(text, `"`)
			b = append(b, before...)
			if !found {
				return append(b, '"')
			}
			b, text = append(b, `""`...), after
		}
	}
}

// bareNumber reports whether a text stands without quotes in MISP 2.5's CSV: PHP
// takes it for a number, even where it is the digits of a checksum.
func bareNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func number(of func(*row) int64) func([]byte, *row) []byte {
	return func(b []byte, r *row) []byte { return strconv.AppendInt(b, of(r), 10) }
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

var threats = [...]string{"", "High", "Medium", "Low", "Undefined"}

// columns are those of every table, contextColumns those about the event.
var (
	columns = []column{
		{"uuid", func(b []byte, r *row) []byte { return append(r.UUID.Append(append(b, '"')), '"') }},
		{"event_id", number(func(r *row) int64 { return r.Event })},
		{"category", quoted(func(r *row) string { return r.Category.String() })},
		{"type", quoted(func(r *row) string { return r.Value.TypeName() })},
		{"value", quoted(func(r *row) string { return r.Value.String() })},
		{"comment", quoted(func(r *row) string { return r.Comment })},
		{"to_ids", number(func(r *row) int64 { return bit(r.ToIDS) })},
		{"date", number(func(r *row) int64 { return r.Timestamp })},
		{"object_relation", quoted(func(r *row) string { return r.Relation })},
		{"attribute_tag", quoted(func(r *row) string { return r.tagNames(r.Tags) })},
		{"object_uuid", quoted(func(r *row) string { return r.ofObject(func(o *tocsin.Object) string { return o.UUID.String() }) })},
		{"object_name", quoted(func(r *row) string { return r.ofObject(func(o *tocsin.Object) string { return o.Name }) })},
		{"object_meta_category", quoted(func(r *row) string { return r.ofObject(func(o *tocsin.Object) string { return o.MetaCategory }) })},
	}
	contextColumns = []column{
		{"event_info", quoted(func(r *row) string { return r.In.Info })},
		{"event_member_org", quoted(func(r *row) string { return r.orgName(r.In.Org) })},
		{"event_source_org", quoted(func(r *row) string { return r.orgName(r.In.Orgc) })},
		{"event_distribution", number(func(r *row) int64 { return int64(r.In.Distribution) })},
		{"event_threat_level_id", quoted(func(r *row) string { return threats[min(r.In.Threat, 4)] })},
		{"event_analysis", number(func(r *row) int64 { return int64(r.In.Analysis) })},
		{"event_date", quoted(func(r *row) string { return r.In.Date })},
		{"event_tag", quoted(func(r *row) string { return r.tagNames(r.In.Tags) })},
		{"event_timestamp", number(func(r *row) int64 { return r.In.Timestamp })},
	}
	moreColumns = []column{ // by name only
		{"id", number(func(r *row) int64 { return r.ID })},
		{"timestamp", number(func(r *row) int64 { return r.Timestamp })},
		{"first_seen", quoted(func(r *row) string { return seen(r.FirstSeen) })},
		{"last_seen", quoted(func(r *row) string { return seen(r.LastSeen) })},
		{"distribution", number(func(r *row) int64 { return int64(r.Distribution) })},
		{"deleted", number(func(r *row) int64 { return bit(r.Deleted) })},
		{"value1", quoted(func(r *row) string { return r.side(0) })},
		{"value2", quoted(func(r *row) string { return r.side(1) })},
		{"event_uuid", func(b []byte, r *row) []byte { return append(r.In.UUID.Append(append(b, '"')), '"') }},
	}
)

// chosen are the columns that a client asks for.
func (a *Answer) chosen() []column {
	cols := columns
	if len(a.Columns) > 0 {
		cols = nil
		for _, n := range a.Columns {
			for _, of := range [][]column{columns, contextColumns, moreColumns} {
				for _, col := range of {
					if col.name == n {
						cols = append(cols, col)
					}
				}
			}
		}
	}
	if a.Said("includeContext") != "" {
		cols = append(cols[:len(cols):len(cols)], contextColumns...)
	}
	return cols
}

// writeCSV writes MISP's own table, which its clients read by column. Values are
// as they are, since clients read them back: a spreadsheet may take one for a
// formula, and should be told to read text.
func writeCSV(w *Writer, a *Answer) error {
	cols := a.chosen()
	if a.Said("headerless") == "" {
		for i, col := range cols {
			if i > 0 {
				w.B = append(w.B, ',')
			}
			w.B = append(w.B, col.name...)
		}
		w.B = append(w.B, '\n')
	}
	r := row{a: a, tags: map[tocsin.TagSet]string{}}
	err := a.each(w, nil, func(c *Claim) {
		r.Claim = c
		for i, col := range cols {
			if i > 0 {
				w.B = append(w.B, ',')
			}
			w.B = col.cell(w.B, &r)
		}
		w.B = append(w.B, '\n')
	})
	if err == nil {
		err = w.End()
	}
	return err
}
