package mispapi

import (
	"net/http"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// A format is a returnFormat: how found attributes are written.
type format struct {
	name, media string
	spelt       string // X-Response-Format, where it is not the name
	// lists says that it is for devices that act on it: as in MISP it holds what is
	// published and marked to_ids, unless the client says otherwise.
	lists bool
	write func(*search, *stream) error
}

// formats are what restSearch writes. Others are answered as MISP answers to
// names that it does not know.
var formats = map[string]format{}

func init() {
	for _, f := range []format{
		{name: "json", media: mediaJSON, write: (*search).writeJSON},
		{name: "text", media: "text/plain; charset=UTF-8", spelt: "txt", lists: true, write: (*search).writeText},
		{name: "csv", media: "text/csv; charset=UTF-8", write: (*search).writeCSV},
		{name: "count", media: "text/plain; charset=UTF-8", spelt: "txt"},
	} {
		formats[f.name] = f
	}
}

func (c *call) format(name string) (string, error) {
	if name == "" {
		return "json", nil
	}
	if _, ok := formats[name]; !ok {
		return "", c.no(http.StatusNotFound, tocsin.Invalid, "Invalid output format.")
	}
	return name, nil
}

// searchAttributes answers with attributes, in constant memory.
func searchAttributes(c *call) error {
	s, err := c.newSearch(false)
	if err != nil {
		return err
	}
	f := formats[s.format]
	s.forDevices(f)
	if err := s.settle(c.r.Context()); err != nil {
		return err
	}
	n, err := s.count(c.r.Context())
	if err != nil {
		return c.invalid(err)
	}
	skipped, err := s.skipped(n)
	if err != nil {
		return c.invalid(err)
	}
	s.announce(f, n+skipped)
	c.w.Header().Set("X-Skipped-Elements-Count", itoa(skipped))
	out := c.stream(f.media)
	if f.write == nil {
		out.b = append(out.b, itoa(n)...)
		return out.end()
	}
	if err := f.write(s, out); err != nil {
		return err
	}
	return out.end()
}

// forDevices narrows what a device is to act on.
func (s *search) forDevices(f format) {
	if !f.lists {
		return
	}
	yes := true
	if nothing(s.said["to_ids"]) {
		s.q.ToIDS = &yes
	}
	if nothing(s.said["published"]) {
		s.q.Published, s.events.Published = &yes, &yes
	}
	if nothing(s.said["enforceWarninglist"]) {
		s.q.Guarded = new(false)
	}
}

// announce sets the headers that say what comes. The count is of all that match,
// whichever page was asked for.
func (s *search) announce(f format, n int64) {
	h := s.c.w.Header()
	h.Set("X-Result-Count", itoa(n))
	h.Set("X-Export-Module-Used", f.name)
	spelt := f.name
	if f.spelt != "" && (!s.overEvents || f.write == nil) {
		spelt = f.spelt
	}
	h.Set("X-Response-Format", spelt)
	h.Set("X-Skipped-Elements-Count", "0")
}

func (s *search) writeJSON(out *stream) error {
	out.b = append(out.b, `{"response":{"Attribute":[`...)
	enc, first := s.c.encoder(), true
	withUUID, withTags, withRelated := truthy(s.said["includeEventUuid"]), truthy(s.said["includeEventTags"]), truthy(s.said["includeCorrelations"])
	for a, err := range s.rows(s.c.r.Context()) {
		if err != nil {
			return err
		}
		e := s.c.eventOf(&a)
		if e == nil {
			continue // it was deleted since the search began
		}
		var o *tocsin.Object
		if a.Object != 0 {
			if o, err = s.c.object(itoa(a.Object)); err != nil {
				continue
			}
		}
		var m misp.More
		if withUUID {
			m.EventUUID = e.UUID
		}
		if withTags {
			m.Inherited = e.Tags
		}
		if truthy(s.said["includeSightings"]) {
			seen, err := s.c.sightingsIn(a.Event)
			if err != nil {
				return err
			}
			if m.Sightings = seen[a.ID]; m.Sightings == nil {
				m.Sightings = []byte("[]")
			}
		}
		if truthy(s.said["includeWarninglistHits"]) {
			m.Warnings = s.c.warnings(&a)
		}
		if withRelated {
			if m.Related, err = s.c.appendRelated(nil, enc, &a); err != nil {
				return err
			}
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = enc.AppendFound(out.b, &a, e, o, m)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}}`...)
	return nil
}

// maxRelatedAttributes is how many attributes are listed beside one that
// correlates with them.
const maxRelatedAttributes = 100

// appendRelated appends the attributes of other events that claim the same.
func (c *call) appendRelated(b []byte, enc *misp.Encoder, a *tocsin.Attribute) ([]byte, error) {
	b = append(b, '[')
	keys := correlating(a)
	if len(keys) == 0 {
		return append(b, ']'), nil
	}
	for other, err := range c.view.Attributes(c.r.Context(), store.Query{Keys: keys, Limit: maxRelatedAttributes}) {
		if err != nil {
			return nil, err
		}
		e := c.eventOf(&other)
		if other.Event == a.Event || e == nil || len(correlating(&other)) == 0 {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = enc.AppendRelated(b, &other, e)
	}
	return append(b, ']'), nil
}

func (s *search) writeText(out *stream) error {
	for a, err := range s.rows(s.c.r.Context()) {
		if err != nil {
			return err
		}
		out.b = append(append(out.b, a.Value.String()...), '\n')
		if err := out.flush(); err != nil {
			return err
		}
	}
	return nil
}

// A column is one of MISP's CSV export.
type column struct {
	name string
	cell func(b []byte, r *csvRow) []byte
}

type csvRow struct {
	c *call
	a *tocsin.Attribute
	e *tocsin.Event
	o tocsin.Object // in events' lists alone, as in MISP; zero: none
}

func quoted(of func(*csvRow) string) func([]byte, *csvRow) []byte {
	return func(b []byte, r *csvRow) []byte {
		text := of(r)
		if bareNumber(text) {
			return append(b, text...)
		}
		return append(append(append(b, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
	}
}

func number(of func(*csvRow) int64) func([]byte, *csvRow) []byte {
	return func(b []byte, r *csvRow) []byte { return strconv.AppendInt(b, of(r), 10) }
}

var threats = [...]string{"", "High", "Medium", "Low", "Undefined"}

// columns are those of every row, contextColumns those of its event.
var (
	columns = []column{
		{"uuid", quoted(func(r *csvRow) string { return r.a.UUID.String() })},
		{"event_id", number(func(r *csvRow) int64 { return r.a.Event })},
		{"category", quoted(func(r *csvRow) string { return r.a.Category.String() })},
		{"type", quoted(func(r *csvRow) string { return r.a.Value.TypeName() })},
		{"value", quoted(func(r *csvRow) string { return r.a.Value.String() })},
		{"comment", quoted(func(r *csvRow) string { return r.a.Comment })},
		{"to_ids", number(func(r *csvRow) int64 { return bit(r.a.ToIDS) })},
		{"date", number(func(r *csvRow) int64 { return r.a.Timestamp })},
		{"object_relation", quoted(func(r *csvRow) string { return r.a.Relation })},
		{"attribute_tag", quoted(func(r *csvRow) string { return r.c.tagNames(r.a.Tags) })},
		{"object_uuid", quoted(func(r *csvRow) string {
			if r.o.ID == 0 {
				return ""
			}
			return r.o.UUID.String()
		})},
		{"object_name", quoted(func(r *csvRow) string { return r.o.Name })},
		{"object_meta_category", quoted(func(r *csvRow) string { return r.o.MetaCategory })},
	}
	contextColumns = []column{
		{"event_info", quoted(func(r *csvRow) string { return r.e.Info })},
		{"event_member_org", quoted(func(r *csvRow) string { return r.c.briefOrg(r.e.Org).Name })},
		{"event_source_org", quoted(func(r *csvRow) string { return r.c.briefOrg(r.e.Orgc).Name })},
		{"event_distribution", number(func(r *csvRow) int64 { return int64(r.e.Distribution) })},
		{"event_threat_level_id", quoted(func(r *csvRow) string { return threats[min(r.e.Threat, 4)] })},
		{"event_analysis", number(func(r *csvRow) int64 { return int64(r.e.Analysis) })},
		{"event_date", quoted(func(r *csvRow) string { return r.e.Date })},
		{"event_tag", quoted(func(r *csvRow) string { return r.c.tagNames(r.e.Tags) })},
		{"event_timestamp", number(func(r *csvRow) int64 { return r.e.Timestamp })},
	}
)

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// tagNames are the names of tags that this reader may have, as CSV has them.
func (c *call) tagNames(ts tocsin.TagSet) string {
	own := c.encoder().Own
	var names []string
	for at := range ts.All() {
		if t, err := store.One[*tocsin.Tag](c.view, at.Tag); err == nil && (own || !at.Local && t.Exportable) {
			names = append(names, t.Name)
		}
	}
	return strings.Join(names, ",")
}

// csvColumns are the columns that a client asks for.
func (s *search) csvColumns() []column {
	cols := columns
	if names, err := scalars("requested_attributes", s.said["requested_attributes"]); err == nil && len(names) > 0 {
		cols = nil
		for _, n := range names {
			for _, col := range append(columns[:len(columns):len(columns)], contextColumns...) {
				if col.name == n {
					cols = append(cols, col)
				}
			}
		}
	}
	if truthy(s.said["includeContext"]) {
		cols = append(cols[:len(cols):len(cols)], contextColumns...)
	}
	return cols
}

// writeCSV writes MISP's own table, which its clients read by column. Values are
// as they are: a spreadsheet may take one for a formula.
func (s *search) writeCSV(out *stream) error {
	cols := s.csvColumns()
	if !truthy(s.said["headerless"]) {
		for i, col := range cols {
			if i > 0 {
				out.b = append(out.b, ',')
			}
			out.b = append(out.b, col.name...)
		}
		out.b = append(out.b, '\n')
	}
	for a, err := range s.rows(s.c.r.Context()) {
		if err != nil {
			return err
		}
		r := csvRow{c: s.c, a: &a, e: s.c.eventOf(&a)}
		if r.e == nil {
			continue
		}
		if s.overEvents && a.Object != 0 {
			if o, err := s.c.object(itoa(a.Object)); err == nil {
				r.o = *o
			}
		}
		for i, col := range cols {
			if i > 0 {
				out.b = append(out.b, ',')
			}
			out.b = col.cell(out.b, &r)
		}
		out.b = append(out.b, '\n')
		if err := out.flush(); err != nil {
			return err
		}
	}
	return nil
}
