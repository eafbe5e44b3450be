package codec

import (
	"io"
	"slices"
	"strings"

	"tocsin"
)

// A recordReader reads a CSV file record by record: a line, or several where a
// field in quotes goes on (RFC 4180, section 2.6).
type recordReader struct {
	lines *lineReader
	comma byte

	back    []pulled // lines that are to be read again, the next one last
	wasted  int      // octets of records that were lost
	remarks []string // the comments before the first record, where feeds put their header
	begun   bool
}

// maxWasted bounds how much is read twice because quotes are not closed; a few
// slips are nowhere near it, a file made to be read again and again is.
const maxWasted = 16 << 20

var errQuotes = tocsin.Errorf(tocsin.Invalid, `quotes (") are opened and not closed all over the file; it is no CSV`)

type pulled struct {
	line line
	err  error
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{lines: newLineReader(r), comma: ','}
}

func (r *recordReader) pull() (pulled, bool) {
	if n := len(r.back); n > 0 {
		p := r.back[n-1]
		r.back = r.back[:n-1]
		return p, true
	}
	l, err, ok := r.lines.next()
	return pulled{l, err}, ok
}

// read returns the next record. Blank lines and those that begin with "#" are
// passed over: feeds put their terms there.
func (r *recordReader) read() (rec line, err error, ok bool) {
	for {
		p, ok := r.pull()
		if !ok || p.err != nil {
			return p.line, p.err, ok
		}
		if strings.TrimSpace(p.line.text) == "" {
			continue
		}
		if r.isRemark(p.line.text) {
			continue
		}
		r.begun = true
		rec, err := r.join(p.line)
		return rec, err, true
	}
}

// isRemark passes over comments. A semicolon begins one unless it separates
// cells, which shows after the first record.
func (r *recordReader) isRemark(text string) bool {
	remark := strings.HasPrefix(text, "#") || strings.HasPrefix(text, "; ") && (!r.begun || r.comma != ';')
	if remark && !r.begun && len(r.remarks) < maxRemarks {
		r.remarks = append(r.remarks, text)
	}
	return remark
}

// maxRemarks is how many lines of terms and thanks may stand before a header.
const maxRemarks = 200

// join appends lines to first until its quotes are closed. Where that does not
// come about within [MaxLine], first is lost and the others are read by themselves.
func (r *recordReader) join(first line) (line, error) {
	if strings.IndexByte(first.text, '"') < 0 {
		return first, nil
	}
	state := cellBegins.after(first.text, r.comma)
	if state != inQuotes {
		return first, nil
	}
	var text strings.Builder
	text.WriteString(first.text)
	var taken []pulled
	for last := first; ; {
		p, ok := r.pull()
		if !ok {
			break
		}
		taken = append(taken, p)
		if p.err != nil || text.Len()+len(p.line.text) > MaxLine {
			break
		}
		text.WriteString(last.end)
		text.WriteString(p.line.text)
		if state = state.after(p.line.text, r.comma); state != inQuotes {
			if _, why := split(nil, text.String(), r.comma); why != "" {
				break // the quote that closed it opened another cell
			}
			return line{first.number, text.String(), p.line.end}, nil
		}
		last = p.line
	}
	slices.Reverse(taken)
	r.back = append(r.back, taken...)
	if r.wasted += text.Len(); r.wasted > maxWasted {
		return first, errQuotes
	}
	return first, &LineError{first.number, beginning([]byte(first.text)), `a quote (") is opened and not closed`}
}

// A cellState is where in a record one is.
type cellState uint8

const (
	cellBegins cellState = iota
	unquoted
	inQuotes
	quoteClosed
)

// after returns the state after s.
func (st cellState) after(s string, comma byte) cellState {
	for i := range len(s) {
		st = st.next(s[i], comma)
	}
	return st
}

// next returns the state after one octet. Blanks around quotes are no part of
// the cell: many feeds write `"a", "b"`.
func (st cellState) next(c, comma byte) cellState {
	switch {
	case st == inQuotes && c != '"':
		return inQuotes
	case st == inQuotes:
		return quoteClosed
	case c == '"' && st != unquoted:
		return inQuotes
	case c == comma:
		return cellBegins
	case c == ' ' && st != unquoted:
		return st
	}
	return unquoted
}

// split appends the cells of a record, or says why it has none.
func split(cells []string, rec string, comma byte) (_ []string, why string) {
	if strings.IndexByte(rec, '"') < 0 { // most are as plain as that
		for {
			i := strings.IndexByte(rec, comma)
			if i < 0 {
				return append(cells, strings.TrimSpace(rec)), ""
			}
			cells, rec = append(cells, strings.TrimSpace(rec[:i])), rec[i+1:]
		}
	}
	var cell []byte
	st, quoted := cellBegins, false
	end := func() {
		s := string(cell)
		if !quoted {
			s = strings.TrimSpace(s)
		}
		cells, cell, quoted = append(cells, s), cell[:0], false
	}
	for i := range len(rec) {
		was, c := st, rec[i]
		st = st.next(c, comma)
		switch {
		case st == cellBegins && c == comma && was != inQuotes:
			end()
		case was == quoteClosed && st == unquoted:
			return nil, `a quoted cell goes on after its closing quote ("); write a quote in it twice`
		case was == quoteClosed && st == inQuotes:
			cell = append(cell, '"')
		case st == inQuotes && was != inQuotes:
			quoted = true
		case st == inQuotes, st == unquoted:
			cell = append(cell, c)
		}
	}
	if st == inQuotes {
		return nil, `a quote (") is opened and not closed`
	}
	end()
	return cells, ""
}
