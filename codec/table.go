package codec

import (
	"bytes"
	"strings"

	"tocsin"
	"tocsin/indicator"
)

// A Table is the shape of a CSV file, or what was guessed of it: it is shown to
// people before they rely on it.
type Table struct {
	Separator string   `json:"separator,omitempty"` // "": there is one column
	Header    string   `json:"header"`              // where it stands: "first line", "comment", "given" or "none"
	Columns   []Column `json:"columns"`

	comma  byte
	cells  []string // of the record that is read
	record Draft    // made of it
}

// looksLikeTable reports whether a text has several columns of which one holds
// values, or a header.
func looksLikeTable(h head) bool {
	rr := newRecordReader(bytes.NewReader(wholeLines(h.text)))
	t, err := rr.table(Options{})
	return err == nil && (len(t.Columns) > 1 || t.Header != "none")
}

// wholeLines is the beginning of a text without the line that it cuts through.
func wholeLines(text []byte) []byte {
	if len(text) < headSize {
		return text
	}
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

// headSize is how much of a text is looked at to guess how it is written.
const headSize = 64 << 10

// What a table is guessed from: so many records, or so many octets.
const (
	sampleRecords = 100
	sampleOctets  = 32 << 10
)

// table settles the shape by the first records, which are read again after it.
func (r *recordReader) table(o Options) (*Table, error) {
	var sample []line
	var back []pulled
	for octets := 0; len(sample) < sampleRecords && octets < sampleOctets; {
		p, ok := r.pull()
		if !ok {
			break
		}
		// Further on a line may be a part of a record, whatever it looks like.
		idle := p.err == nil && (strings.TrimSpace(p.line.text) == "" || r.isRemark(p.line.text))
		if idle && !r.begun {
			continue
		}
		back = append(back, p)
		if _, lost := p.err.(*LineError); p.err != nil && !lost {
			break
		}
		octets += len(p.line.text) + 1
		if p.err == nil && !idle {
			r.begun = true
			sample = append(sample, p.line)
		}
	}
	t, skip, err := guessTable(sample, r.remarks, o)
	if err != nil {
		return nil, err
	}
	for i := len(back) - 1; i >= 0; i-- {
		if p := back[i]; !skip || p.line.number != sample[0].number {
			r.back = append(r.back, p)
		}
	}
	r.comma = t.comma
	return t, nil
}

// separators are tried in this order. The last is of old feeds only, and the mark
// of a URL's fragment: it has to fit every line.
var separators = []byte(",;\t|#")

// guessTable returns the shape of a file that begins with these records, and
// whether the first is its header.
func guessTable(sample []line, remarks []string, o Options) (t *Table, skip bool, err error) {
	if o.Columns != "" {
		return givenTable(o.Columns)
	}
	if len(sample) == 0 {
		return oneColumn(), false, nil
	}
	widest := 1
	for _, comma := range separators {
		g := grid(sample, comma)
		if g == nil {
			continue
		}
		widest = max(widest, len(g[0]))
		if t, skip := g.table(comma, remarks); t != nil {
			return t, skip, nil
		}
	}
	if widest > 1 && !detected(sample) {
		return nil, false, tocsin.Errorf(tocsin.Invalid, "line %d has %d columns and does not say which is which: put a header line before it with value, and type, category, comment, to_ids as needed", sample[0].number, widest)
	}
	t = oneColumn()
	if c := columnNamed(sample[0].text); c.Role == roleValue {
		t.Columns[0], t.Header = c, "first line"
		return t, true, nil
	}
	return t, false, nil
}

func oneColumn() *Table {
	c := Column{Role: roleValue}
	c.take("")
	return &Table{Header: "none", Columns: []Column{c}, comma: ','}
}

// givenTable is the table that somebody says it is.
func givenTable(header string) (*Table, bool, error) {
	for _, comma := range separators[:4] {
		cells, why := split(nil, header, comma)
		if why != "" || len(cells) < 2 && comma != '|' {
			continue
		}
		t := &Table{Separator: string(comma), Header: "given", comma: comma}
		valued := false
		for _, c := range cells {
			col := columnNamed(c)
			valued = valued || col.Role == roleValue
			t.Columns = append(t.Columns, col)
		}
		if !valued {
			return nil, false, tocsin.Errorf(tocsin.Invalid, "none of the columns %q is a value; call one of them value", header)
		}
		return t, false, nil
	}
	return nil, false, tocsin.Errorf(tocsin.Invalid, "%q are no columns; write them as in the file, such as date,,type,value", header)
}

// detected reports whether most of the lines are values as they stand.
func detected(sample []line) bool {
	n := 0
	for _, l := range sample {
		if acts(l.text) {
			n++
		}
	}
	return 2*n > len(sample)
}

// A cellGrid is a sample cut into cells.
type cellGrid [][]string

// grid cuts a sample, or returns nil if lines don't have the same number of
// cells, or one only.
func grid(sample []line, comma byte) cellGrid {
	var g cellGrid
	widths := map[int]int{}
	for _, l := range sample {
		cells, why := split(nil, l.text, comma)
		if why == "" {
			g = append(g, cells)
			widths[len(cells)]++
		}
	}
	width := 0
	for w, n := range widths {
		if n > widths[width] || n == widths[width] && w > width {
			width = w
		}
	}
	if hasValue(first(g)) {
		width = len(g[0]) // a header has the last word, also over a few bad lines
	}
	fits := widths[width]
	if !hasValue(first(g)) && detected(sample) && (len(sample) < 3 || 20*fits < 19*len(sample)) {
		return nil // commas in URLs
	}
	if width < 2 || comma == '#' && (fits < len(sample) || width < 3) || fits*2 <= len(g) && !hasValue(first(g)) {
		return nil
	}
	kept := g[:0]
	for _, cells := range g {
		if len(cells) == width {
			kept = append(kept, cells)
		}
	}
	return kept
}

func first(g cellGrid) []string {
	if len(g) == 0 {
		return nil
	}
	return g[0]
}

// hasValue reports whether cells are a header that names a value, and no row
// that has the name of a type in it.
func hasValue(cells []string) bool {
	named := false
	for _, c := range cells {
		named = named || valueRank[columnName(c)] > 0
		if acts(c) {
			return false
		}
	}
	return named
}

// table settles what each column is, or returns nil if none holds values.
func (g cellGrid) table(comma byte, remarks []string) (t *Table, skip bool) {
	t = &Table{Separator: string(comma), Header: "none", comma: comma, Columns: make([]Column, len(g[0]))}
	rows := g
	if hasValue(g[0]) {
		t.Header, rows, skip = "first line", g[1:], true
		for i, c := range g[0] {
			t.Columns[i] = columnNamed(c)
		}
	} else if header := headerIn(remarks, comma, len(g[0])); header != nil {
		t.Header = "comment"
		for i, c := range header {
			t.Columns[i] = columnNamed(c)
		}
	}
	t.typeColumn(rows)
	if !t.valueColumn(rows) {
		return nil, false
	}
	return t, skip
}

// headerIn looks for a header among comments, the last first.
func headerIn(remarks []string, comma byte, width int) []string {
	for i := len(remarks) - 1; i >= 0; i-- {
		cells, why := split(nil, strings.TrimSpace(strings.TrimLeft(remarks[i], "#; ")), comma)
		if why == "" && len(cells) == width && hasValue(cells) {
			return cells
		}
	}
	return nil
}

// share is how many of the cells of a column that say something pass a test.
func share(rows cellGrid, column int, is func(row []string, cell string) bool) float64 {
	n, yes := 0, 0
	for _, row := range rows {
		if c := row[column]; !unsaid(c) {
			n++
			if is(row, c) {
				yes++
			}
		}
	}
	if n == 0 || 2*n < len(rows) {
		return 0
	}
	return float64(yes) / float64(n)
}

// typeColumn keeps one column for the type. In a table that names its value as
// MISP does, the column "type" is that, so that a bad one is refused.
func (t *Table) typeColumn(rows cellGrid) {
	best, most := -1, 0.0
	misp := false
	for i := range t.Columns {
		misp = misp || columnName(t.Columns[i].Name) == "value"
	}
	for i, c := range t.Columns {
		s := share(rows, i, func(_ []string, cell string) bool { return isType(cell) })
		switch {
		case c.Role == roleType && misp && s == 0 && columnName(c.Name) == "type":
			s = 0.05 // if there is no better one
		case c.Role != roleType && (c.Name != "" || s < 1):
			s = 0
		}
		if s > most {
			best, most = i, s
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Role == roleType && i != best {
			c.Role = ""
		}
		if i == best {
			c.Role = roleType
		}
		c.take(c.Name)
	}
}

// valueColumn keeps one column for the value: of those that are called so the
// first whose cells are values, else the first whose cells are.
func (t *Table) valueColumn(rows cellGrid) bool {
	typ := -1
	for i, c := range t.Columns {
		if c.Role == roleType {
			typ = i
		}
	}
	is := func(row []string, cell string) bool {
		if typ < 0 || ourType(row[typ]) == "" {
			return acts(cell)
		}
		_, err := indicator.Parse(ourType(row[typ]), cell)
		return err == nil
	}
	enough := 0.75 // of a column that nobody calls a value
	if typ >= 0 {
		enough = 0.5
	}
	best, bestRank, bestShare := -1, 0, 0.0
	called := t.firstCalled() >= 0
	for i, c := range t.Columns {
		s, rank := share(rows, i, is), valueRank[columnName(c.Name)]
		switch {
		case i == typ || called && c.Role != roleValue || c.Role != roleValue && (c.Role != "" || s < enough):
			continue
		case rank == 0:
			rank = 1000
		}
		better := s >= 0.5 && (bestShare < 0.5 || rank < bestRank) || bestShare < 0.5 && s > bestShare
		if best < 0 || better {
			best, bestRank, bestShare = i, rank, s
		}
	}
	switch {
	case called && bestShare < 0.5:
		best = t.firstCalled() // whatever stands in it
	case best < 0:
		return false
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Role == roleValue && i != best {
			c.Role, c.Type, c.set = "", "", nil
		}
	}
	c := &t.Columns[best]
	c.Role = roleValue
	if typ >= 0 || c.Type != "" && len(rows) > 0 && share(rows, best, func(_ []string, cell string) bool { _, err := indicator.Parse(c.Type, cell); return err == nil }) < 0.5 {
		c.Type = ""
	}
	c.take(c.Name)
	return true
}

// firstCalled is the column that is called a value by the best name, -1 if none is.
func (t *Table) firstCalled() int {
	best := -1
	for i, c := range t.Columns {
		if c.Role == roleValue && (best < 0 || valueRank[columnName(c.Name)] < valueRank[columnName(t.Columns[best].Name)]) {
			best = i
		}
	}
	return best
}

// acts reports whether a cell is a value that somebody could act on: a name, an
// address, a URL, a hash.
func acts(cell string) bool {
	v, err := indicator.Detect(rearm(cell))
	if err != nil {
		return false
	}
	for _, n := range v.Facets().Names {
		switch n.Kind {
		case indicator.Domain, indicator.Host, indicator.Prefix, indicator.URL, indicator.Email, indicator.Hash:
			return true
		}
	}
	return false
}
