package codec

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

func init() {
	register(Format{Name: "json", Media: "application/x-ndjson", Extensions: []string{".ndjson", ".jsonl"},
		Describe:  "one JSON object a line; a list is one object; reading also takes documents with objects in them",
		ListMedia: "application/json",
		Looks: func(h head) bool {
			return strings.HasPrefix(h.line, "{") || strings.HasPrefix(h.line, "[{") || strings.HasPrefix(h.line, "[[") || strings.HasPrefix(h.line, `["`) || h.line == "["
		},
		Read: readJSON, Write: writeJSON, List: writeJSONList,
		Parts: tocsin.PartUUID | tocsin.PartCategory | tocsin.PartPlace | tocsin.PartMarks | tocsin.PartTimes})
}

// A jsonRow is one line, as it is read. Members are only ever added.
type jsonRow struct {
	Type      string      `json:"type"`
	Value     string      `json:"value"`
	Category  string      `json:"category,omitempty"`
	Comment   string      `json:"comment,omitempty"`
	ToIDS     *bool       `json:"to_ids,omitempty"`
	UUID      tocsin.UUID `json:"uuid,omitzero"`
	Event     *jsonEvent  `json:"event,omitempty"`
	Org       string      `json:"org,omitempty"`
	TLP       string      `json:"tlp,omitempty"`
	Tags      []string    `json:"tags,omitempty"`
	Relation  string      `json:"relation,omitempty"`
	Timestamp int64       `json:"timestamp,omitempty"`
	FirstSeen time.Time   `json:"first_seen,omitzero"`
	LastSeen  time.Time   `json:"last_seen,omitzero"`
}

type jsonEvent struct {
	ID   int64       `json:"id"`
	UUID tocsin.UUID `json:"uuid,omitzero"`
	Info string      `json:"info,omitempty"`
}

// writeJSON writes lines of JSON (NDJSON).
func writeJSON(w io.Writer, rows iter.Seq2[Row, error]) error {
	b := newBuffer(w)
	var line []byte
	for r, err := range rows {
		if err != nil {
			return err
		}
		line = append(appendRow(line[:0], &r), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

// appendRow writes what [jsonRow] says, as the standard library would, many times
// as fast.
func appendRow(b []byte, r *Row) []byte {
	a := r.Attribute
	b = appendMember(append(b, '{'), "type", a.Value.TypeName())
	b = appendMember(b, "value", a.Value.String())
	b = appendSaid(b, "category", a.Category.String())
	b = appendSaid(b, "comment", a.Comment)
	b = strconv.AppendBool(appendName(b, "to_ids"), a.ToIDS)
	if !a.UUID.IsZero() {
		b = append(a.UUID.Append(append(appendName(b, "uuid"), '"')), '"')
	}
	if e := r.Event; e != nil {
		b = append(appendName(b, "event"), `{"id":`...)
		b = strconv.AppendInt(b, e.ID, 10)
		if !e.UUID.IsZero() {
			b = append(e.UUID.Append(append(b, `,"uuid":"`...)), '"')
		}
		b = append(appendSaid(b, "info", e.Info), '}')
	}
	b = appendSaid(b, "org", r.Org)
	if r.TLP != access.Unmarked {
		b = appendMember(b, "tlp", r.TLP.String())
	}
	for i, t := range r.Tags {
		if i == 0 {
			b = append(appendName(b, "tags"), '[')
		} else {
			b = append(b, ',')
		}
		b = appendString(b, t)
	}
	if len(r.Tags) > 0 {
		b = append(b, ']')
	}
	b = appendSaid(b, "relation", a.Relation)
	if a.Timestamp != 0 {
		b = strconv.AppendInt(appendName(b, "timestamp"), a.Timestamp, 10)
	}
	b = appendTime(b, "first_seen", a.FirstSeen)
	return append(appendTime(b, "last_seen", a.LastSeen), '}')
}

// appendName begins a member.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), '"', ':')
}

func appendMember(b []byte, name, text string) []byte { return appendString(appendName(b, name), text) }

// appendSaid appends a member unless it says nothing.
func appendSaid(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendMember(b, name, text)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return append(t.AppendFormat(append(appendName(b, name), '"'), time.RFC3339Nano), '"')
}

// appendString appends a JSON string (RFC 8259, section 7).
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			b, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\ufffd")) // which has the line ends of JavaScript in it
			return b
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// writeJSONList writes one object. Its arrays come last, so an answer that was cut
// short is no JSON.
func writeJSONList(w io.Writer, l List) error {
	out := &listWriter{Writer: newBuffer(w)}
	name := appendString(nil, l.Name)
	fmt.Fprintf(out, `{"collection":%s,"serial":%d,"names":[`, name, l.Serial)
	before := "\n"
	var buf []byte
	err := out.write(l.Items(names...), func(out *listWriter, i Item) {
		if !isName(i.Text) {
			return
		}
		buf = append(append(buf[:0], before...), `{"name":"`...)
		buf = append(append(buf, i.Text...), `","beneath":`...)
		buf = append(strconv.AppendBool(buf, i.Kind == domainKind), '}')
		out.Write(buf)
		before = ",\n"
	}, nothingMore)
	if err != nil {
		return err
	}
	out.WriteString("\n],\"addresses\":[")
	before = "\n\""
	return out.write(l.Items(indicator.Prefix), func(out *listWriter, i Item) {
		if !i.Prefix.IsValid() {
			return
		}
		buf = append(appendPrefix(append(buf[:0], before...), i), '"')
		out.Write(buf)
		before = ",\n\""
	}, func(out *listWriter) { out.WriteString("\n]}\n") })
}

// readJSON reads such lines back, and those of others: an object or a text each. A
// marking comes back as the tag it stands for. A text whose first line is no such
// line is a document, see [documentReader].
func readJSON(r io.Reader, o Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		b := bufio.NewReaderSize(r, headSize)
		if err := begin(b); err != nil {
			yield(Draft{}, err)
			return
		}
		first, _ := b.Peek(headSize)
		if !isJSONLine(first) {
			readDocument(b, o, yield)
			return
		}
		var row jsonRow
		eachLine(b, yield, func(s *sink) {
			if uncommented(s.line.text) == "" {
				return
			}
			row = jsonRow{Type: o.Type}
			d, err := jsonDraft(s.line, &row, o)
			s.stopped = !yield(d, err)
		})
	}
}

// isJSONLine reports whether a text begins with a line that is a claim by itself,
// or is to be one: what is no JSON at all is a bad line of many.
func isJSONLine(text []byte) bool {
	bad := false
	for l := range bytes.Lines(text) {
		l = bytes.TrimSpace(l)
		switch {
		case len(l) == 0 || l[0] == '#':
			continue
		case l[0] == '[':
			return false
		case l[0] != '{':
			return !bad // a document goes on with its members
		case !json.Valid(l):
			bad = true
			continue
		case bad:
			return true
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(l, &m) != nil {
			return true
		}
		for name, v := range m {
			if columnNames[columnName(name)].Role == roleValue && len(v) > 0 && v[0] == '"' {
				return true
			}
			if v[0] == '[' || v[0] == '{' {
				if name != "event" && name != "tags" {
					return false
				}
			}
		}
		return true
	}
	return !bad
}

func jsonDraft(l line, row *jsonRow, o Options) (Draft, error) {
	lost := func(why string) (Draft, error) {
		return Draft{Line: l.number}, &LineError{l.number, beginning([]byte(l.text)), why}
	}
	text := strings.TrimSpace(l.text)
	if text[0] == '"' {
		d := Draft{Line: l.number, Type: o.Type}
		if err := json.Unmarshal([]byte(text), &d.Text); err != nil || d.Text == "" {
			return lost("it is no text in quotes as JSON has it")
		}
		return d, nil
	}
	// Of two members of one name the last holds, as with the standard library.
	err := jsonv2.Unmarshal([]byte(text), row, jsontext.AllowDuplicateNames(true))
	if err != nil || row.Value == "" {
		return theirDraft(l, o)
	}
	d := Draft{
		Line: l.number, Type: ourType(row.Type), Text: row.Value, Category: row.Category, Comment: row.Comment, ToIDS: row.ToIDS,
		UUID: row.UUID, Relation: row.Relation, Timestamp: row.Timestamp, FirstSeen: row.FirstSeen, LastSeen: row.LastSeen,
	}
	for _, t := range row.Tags {
		d.Tags = append(d.Tags, TagDraft{Name: t})
	}
	if row.TLP != "" {
		d.Tags = append(d.Tags, TagDraft{Name: strings.ToLower(row.TLP)})
	}
	return d, nil
}

// theirDraft reads a line that has not our members.
func theirDraft(l line, o Options) (Draft, error) {
	var all map[string]any
	why := "it is not a JSON object with type and value"
	if json.Unmarshal([]byte(l.text), &all) == nil {
		m := member{draft: Draft{Line: l.number, Type: o.Type}}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if text, ok := all[name].(string); ok {
				m.set(name, strings.TrimSpace(text))
			}
		}
		switch {
		case m.why != "":
			why = m.why
		case m.draft.Text == "":
			why = "it has no value"
		default:
			m.settle()
			return m.draft, nil
		}
	}
	return Draft{Line: l.number}, &LineError{l.number, beginning([]byte(l.text)), why}
}
