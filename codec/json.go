package codec

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
)

func init() {
	register(Format{Name: "json", Media: "application/x-ndjson", Extensions: []string{".ndjson", ".jsonl"},
		Describe: "one JSON object a line", Read: readJSON, Write: writeJSON})
}

// A jsonRow is one line. Members are only ever added.
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
	b := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for r, err := range rows {
		if err != nil {
			return err
		}
		a := r.Attribute
		row := jsonRow{
			Type: a.Value.TypeName(), Value: a.Value.String(), Category: a.Category.String(), Comment: a.Comment,
			ToIDS: &a.ToIDS, UUID: a.UUID, Org: r.Org, Tags: r.Tags, Relation: a.Relation, Timestamp: a.Timestamp,
			FirstSeen: a.FirstSeen, LastSeen: a.LastSeen,
		}
		if r.Event != nil {
			row.Event = &jsonEvent{r.Event.ID, r.Event.UUID, r.Event.Info}
		}
		if r.TLP != access.Unmarked {
			row.TLP = r.TLP.String()
		}
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
	return b.Flush()
}

// readJSON reads such lines back. A marking comes back as the tag it stands for.
func readJSON(r io.Reader, o Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		for l, err := range lines(r) {
			if err == nil && uncommented(l.text) == "" {
				continue
			}
			d := Draft{Line: l.number}
			if err == nil {
				d, err = jsonDraft(l, o)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

func jsonDraft(l line, o Options) (Draft, error) {
	row := jsonRow{Type: o.Type}
	if err := json.Unmarshal([]byte(l.text), &row); err != nil {
		return Draft{Line: l.number}, &LineError{l.number, beginning([]byte(l.text)), "it is not a JSON object with type and value"}
	}
	if row.Value == "" {
		return Draft{Line: l.number}, &LineError{l.number, beginning([]byte(l.text)), "it has no value"}
	}
	d := Draft{
		Line: l.number, Type: row.Type, Text: row.Value, Category: row.Category, Comment: row.Comment, ToIDS: row.ToIDS,
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
