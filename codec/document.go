package codec

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tocsin"
)

// A documentReader reads claims out of a JSON document that is not ours: an array
// of objects or of texts, or an object with such arrays somewhere in it, as
// CrowdSec, OTX and ThreatFox have them. An object that has a member called as a
// column of values would be is a claim; its other members are read as columns.
type documentReader struct {
	dec   *jsontext.Decoder
	lines *lineIndex
	o     Options
	yield func(Draft, error) bool
	known map[string]called // what members of that name are
}

// called is a name as a column.
type called struct {
	key string
	Column
}

// maxKnown bounds the names that are remembered: those of the objects of a list are few.
const maxKnown = 256

// maxDepth is how deep a document may be.
const maxDepth = 64

var errTooDeep = tocsin.Errorf(tocsin.Invalid, "the JSON is deeper than %d levels", maxDepth)

func readDocument(r io.Reader, o Options, yield func(Draft, error) bool) {
	index := &lineIndex{r: r, line: 1}
	d := documentReader{dec: jsontext.NewDecoder(index, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), lines: index, o: o, yield: yield}
	index.used = d.dec.InputOffset
	for {
		err := d.value("", 0, true)
		if err == io.EOF {
			return
		}
		if err != nil {
			if !errors.Is(err, errStopped) {
				yield(Draft{Line: d.line()}, d.explain(err))
			}
			return
		}
	}
}

// explain says what is wrong with the document.
func (d *documentReader) explain(err error) error {
	if e, ok := errors.AsType[*tocsin.Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return tocsin.Errorf(tocsin.Invalid, "the JSON breaks off or is none at line %d; fetch it again", d.line())
	}
	return err
}

func (d *documentReader) line() int { return d.lines.at(d.dec.InputOffset()) }

// value reads a value; texts counts whether texts in it are claims.
func (d *documentReader) value(name string, depth int, texts bool) error {
	if depth > maxDepth {
		return errTooDeep
	}
	switch d.dec.PeekKind() {
	case '{':
		return d.object(depth)
	case '[':
		return d.array(name, depth, texts)
	case '"':
		if texts && depth > 0 {
			return d.text()
		}
		return d.dec.SkipValue()
	case 0:
		_, err := d.dec.ReadToken()
		return err
	}
	return d.dec.SkipValue()
}

// text takes a text of an array for a claim.
func (d *documentReader) text() error {
	t, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	draft := Draft{Line: d.line(), Type: d.o.Type, Text: strings.TrimSpace(t.String())}
	if draft.Text == "" {
		return nil
	}
	if len(draft.Text) > MaxLine {
		return d.lose(draft.Text, "it is longer than 65,536 octets")
	}
	if !d.yield(draft, nil) {
		return errStopped
	}
	return nil
}

func (d *documentReader) lose(text, why string) error {
	n := d.line()
	if !d.yield(Draft{Line: n}, &LineError{n, beginning([]byte(text)), why}) {
		return errStopped
	}
	return nil
}

// textLists are what arrays of claims are called.
var textLists = map[string]bool{"": true, "iocs": true, "ioc": true, "indicators": true, "values": true, "domains": true, "hosts": true,
	"hostnames": true, "urls": true, "ips": true, "hashes": true, "blocklist": true, "list": true, "data": true, "items": true}

func (d *documentReader) array(name string, depth int, texts bool) error {
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	texts = texts && textLists[strings.ToLower(name)]
	for d.dec.PeekKind() != ']' {
		if err := d.value(name, depth+1, texts); err != nil {
			return unexpected(err)
		}
	}
	_, err := d.dec.ReadToken()
	return unexpected(err)
}

// unexpected is an end that comes too early.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// object reads an object, and what is in it first.
func (d *documentReader) object(depth int) error {
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	m := member{draft: Draft{Type: d.o.Type}}
	if d.known == nil {
		d.known = map[string]called{}
	}
	for d.dec.PeekKind() != '}' {
		t, err := d.dec.ReadToken()
		if err != nil {
			return unexpected(err)
		}
		name := t.String()
		switch d.dec.PeekKind() {
		case '"', '0', 't', 'f':
			v, err := d.dec.ReadToken()
			if err != nil {
				return unexpected(err)
			}
			if text := v.String(); len(text) <= MaxLine {
				c, ok := d.known[name]
				if !ok {
					if c = calledBy(name); len(d.known) < maxKnown {
						d.known[name] = c
					}
				}
				m.take(c, strings.TrimSpace(text))
			}
		default:
			if err := d.value(name, depth+1, true); err != nil {
				return unexpected(err)
			}
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return unexpected(err)
	}
	if m.rank == 0 {
		return nil
	}
	return d.claim(m)
}

func (d *documentReader) claim(m member) error {
	if m.why != "" {
		return d.lose(m.draft.Text, m.why)
	}
	if m.draft.Text == "" {
		return d.lose("", "it has no value")
	}
	m.settle()
	m.draft.Line = d.line()
	if !d.yield(m.draft, nil) {
		return errStopped
	}
	return nil
}

// A member collects the members of one object.
type member struct {
	draft Draft
	rank  int    // of the member that holds the value, see [valueRank]; 0: none
	typ   string // what the value's own name says
	said  string // what a member "type" says
	scope string // what a member "scope" says, as CrowdSec's
	why   string
}

func calledBy(name string) called { return called{columnName(name), columnNamed(name)} }

func (m *member) set(name, text string) { m.take(calledBy(name), text) }

func (m *member) take(c called, text string) {
	key := c.key
	switch {
	case c.Role == roleValue:
		if rank := valueRank[key]; m.rank == 0 || rank < m.rank && text != "" {
			m.rank, m.draft.Text, m.typ = rank, text, c.Type
		}
	case key == "scope":
		m.scope = text
	case c.Role == roleType:
		m.said = text
	case c.set != nil && !unsaid(text):
		if why := c.set(&m.draft, text); why != "" && m.why == "" {
			m.why = why
		}
	}
}

// settle says of which type the value is. Whoever has a scope means something
// else by type.
func (m *member) settle() {
	switch {
	case m.scope != "":
		m.draft.Type = ourType(m.scope)
	case m.said != "":
		m.draft.Type = ourType(m.said)
	case m.typ != "" && m.draft.Type == "":
		m.draft.Type = m.typ
	}
}

// A lineIndex knows on which line an octet stands that the decoder has not left
// behind for long.
type lineIndex struct {
	r     io.Reader
	read  int64
	ends  []int64 // where the lines end that lie ahead
	line  int     // at the first of them
	used  func() int64
	begun bool
}

func (x *lineIndex) Read(p []byte) (int, error) {
	if !x.begun {
		x.begun = true
		b := bufio.NewReaderSize(x.r, 4096)
		if mark, _ := b.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
			b.Discard(len(byteOrderMark))
		}
		x.r = b
	}
	if x.read-x.used() > maxToken {
		return 0, tocsin.Errorf(tocsin.Invalid, "a single text in the JSON is longer than %d MiB", maxToken>>20)
	}
	x.at(x.used())
	n, err := x.r.Read(p)
	for i := 0; ; {
		j := bytes.IndexByte(p[i:n], '\n')
		if j < 0 {
			break
		}
		i += j + 1
		x.ends = append(x.ends, x.read+int64(i))
	}
	x.read += int64(n)
	return n, err
}

// maxToken bounds what the decoder has to hold.
const maxToken = 4 << 20

// at returns the line of an offset, which never goes back.
func (x *lineIndex) at(offset int64) int {
	n := 0
	for n < len(x.ends) && x.ends[n] <= offset {
		n++
	}
	x.ends = append(x.ends[:0], x.ends[n:]...)
	x.line += n
	return x.line
}
