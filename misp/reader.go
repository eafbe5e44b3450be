package misp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"tocsin"
)

// A Problem is a field that could not be read. It is the record's own: the rest
// of the text has been read all the same, so that one bad line in a thousand is
// one refusal. But the record must be refused: the field counts as absent, and
// what is absent may default to sharing more than was meant.
type Problem struct {
	Where string // JSON pointer (RFC 6901)
	Field string // MISP's name of it
	Found string // what stands there, or its beginning
	Want  string // what should
}

func (p Problem) Error() string { return fmt.Sprintf("%s: %s is not %s", p.Where, p.Found, p.Want) }

// A reader reads MISP's JSON as PHP reads it: a number may come as text, a bool
// as 0 or "1", a list of one as that one, and what is unknown is passed over.
//
// It keeps its first error and reads nothing more after it, so the methods that
// read a record have no errors to carry:
//
//	for r.open(); r.member(); {
//		switch string(r.name) {
//		case "uuid":
//			r.uuid(&e.UUID)
//		default:
//			r.skip()
//		}
//	}
type reader struct {
	dec      *jsontext.Decoder
	src      *source
	err      error
	name     []byte // of the member that is read
	again    bool   // name was put back
	nameless bool   // what open met was no object
	used     int    // members that somebody knew
	kept     int    // records

	problems *[]Problem // of the record that is read
	buf      []byte     // a text without its escapes
	words    map[string]string
}

func newReader(from io.Reader) *reader {
	src := &source{r: bufio.NewReaderSize(from, 16)}
	r := &reader{src: src, words: map[string]string{}, problems: new([]Problem),
		// PHP lets the last of two equal names win. Octets that are no UTF-8 are
		// replaced by U+FFFD, so that a Latin-1 comment costs itself alone.
		dec: jsontext.NewDecoder(src, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	src.used = r.dec.InputOffset
	return r
}

// maxValue is the longest single text or number that is read: the decoder has
// to hold it in whole. It has room for an attachment of [tocsin.MostAttachment] octets
// in base64.
const maxValue = 96 << 20

var errLongValue = tocsin.Errorf(tocsin.Invalid, "invalid MISP JSON: a single value is longer than %d MiB", maxValue>>20)

// A source counts the lines of what it hands on, and takes away the byte order
// mark that some feeds begin with.
type source struct {
	r     *bufio.Reader
	lines int
	read  int64
	used  func() int64 // how much of it the decoder is done with
	begun bool
}

func (s *source) Read(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		if mark, _ := s.r.Peek(3); string(mark) == "\xef\xbb\xbf" {
			s.r.Discard(3)
		}
	}
	if s.read-s.used() > maxValue {
		return 0, errLongValue
	}
	n, err := s.r.Read(p)
	s.read += int64(n)
	s.lines += bytes.Count(p[:n], []byte{'\n'})
	return n, err
}

// fail keeps err as the error, with the place where it happened.
func (r *reader) fail(err error) {
	if err == nil || r.err != nil {
		return
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, errLongValue):
		r.err = errLongValue
	case ok && errors.Is(err, io.ErrUnexpectedEOF):
		r.err = r.errorf(r.dec.InputOffset(), string(syntax.JSONPointer), "the text ends too early")
	case ok:
		r.err = r.errorf(syntax.ByteOffset, string(syntax.JSONPointer), "%v", syntax.Err)
	case errors.Is(err, io.EOF):
		r.err = r.errorf(r.dec.InputOffset(), "", "there is nothing to read")
	default:
		r.err = fmt.Errorf("read MISP JSON: %w", err)
	}
}

// refuse ends the reading: the text is JSON, but not MISP's.
func (r *reader) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = r.errorf(r.dec.InputOffset(), string(r.dec.StackPointer()), format, args...)
	}
}

// maxPointer is how much of a place is shown: it is as deep as the text, and
// holds the names that stand in it.
const maxPointer = 100

func (r *reader) errorf(offset int64, pointer, format string, args ...any) error {
	unread := r.dec.UnreadBuffer()
	behind := min(max(offset-r.dec.InputOffset(), 0), int64(len(unread)))
	// Use a one-based index for lines: these errors end up in front of people.
	line := r.src.lines - bytes.Count(unread[behind:], []byte{'\n'}) + 1
	if len(pointer) > maxPointer {
		pointer = strings.ToValidUTF8(pointer[:maxPointer], "") + "…"
	}
	if pointer != "" {
		pointer = " at " + pointer
	}
	return tocsin.Errorf(tocsin.Invalid, "invalid MISP JSON: line %d (byte %d)%s: %s", line, offset, pointer, fmt.Sprintf(format, args...))
}

// kind says what comes next.
func (r *reader) kind() jsontext.Kind {
	if r.err != nil {
		return 0
	}
	return r.dec.PeekKind() // on an error 0, which the next read returns
}

func (r *reader) token() {
	if r.err == nil {
		_, err := r.dec.ReadToken()
		r.fail(err)
	}
}

// pass passes over one value.
func (r *reader) pass() {
	if r.err == nil {
		r.fail(r.dec.SkipValue())
	}
}

// skip passes over a member that nobody knows.
func (r *reader) skip() { r.used--; r.pass() }

// open begins an object. What is no object has no members: PHP writes an empty
// one as [], and null is as good as nothing.
func (r *reader) open() {
	if r.again || r.nameless {
		return // it is begun already
	}
	k := r.kind()
	if k == '{' {
		r.token()
		return
	}
	r.nameless = true
	name := string(r.name)
	r.pass()
	if k != 'n' && k != '[' {
		r.problem(name, kindWord(k), "an object")
	}
}

// member reads the name of the next member, or the end of the object.
func (r *reader) member() bool {
	if r.again {
		r.again = false
		r.used++
		return true
	}
	if r.nameless {
		r.nameless = false
		return false
	}
	if k := r.kind(); k == '}' || k == 0 {
		r.token()
		return false
	}
	raw, err := r.dec.ReadValue()
	r.fail(err)
	r.name = append(r.name[:0], r.unquote(raw)...)
	r.used++
	return r.err == nil
}

// back puts the name of a member back, for whoever opens the object anew.
func (r *reader) back() { r.again = true; r.used-- }

// list calls item for each element of a list. One element without a list will
// do, and so will a list that PHP wrote as an object ({"0": …, "1": …}).
func (r *reader) list(item func()) {
	switch r.kind() {
	case '[':
		for r.token(); r.kind() != ']' && r.err == nil; {
			item()
		}
		r.token()
	case '{':
		r.open()
		if !r.member() {
			return
		}
		if _, err := strconv.Atoi(string(r.name)); err != nil {
			r.back()
			item()
			return
		}
		for more := true; more; more = r.member() {
			item()
		}
	case '"':
		item()
	case '0', 't':
		name, k := string(r.name), r.kind()
		r.pass()
		r.problem(name, kindWord(k), "a list")
	default:
		r.pass()
	}
}

func (r *reader) unquote(raw jsontext.Value) []byte {
	if len(raw) < 2 {
		return nil
	}
	text := raw[1 : len(raw)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		r.buf, _ = jsontext.AppendUnquote(r.buf[:0], raw) // replaces what is no UTF-8
		return r.buf
	}
	if !utf8.Valid(text) {
		return bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	return text
}

// scalar reads a string, number or bool as text, which is good until the next
// read. The kind is 0 for null and for what is no scalar.
func (r *reader) scalar(want string) (text []byte, kind jsontext.Kind) {
	switch kind = r.kind(); kind {
	case '"', '0', 't', 'f':
		raw, err := r.dec.ReadValue()
		if r.fail(err); r.err != nil {
			return nil, 0
		}
		if kind == '"' {
			raw = r.unquote(raw)
		}
		return raw, kind
	case '{', '[':
		name := string(r.name)
		r.pass()
		r.problem(name, kindWord(kind), want)
	default:
		r.pass()
	}
	return nil, 0
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case '0':
		return "a number"
	}
	return "true or false"
}

// maxKept is how many records of all sorts are kept at a time: {} is two octets,
// and a record a few hundred. Records that were handed on do not count.
const maxKept = 1 << 20

// keep reports whether there is room for one record more.
func (r *reader) keep() bool {
	if r.kept++; r.kept > maxKept {
		r.refuse("there are more than %d records in it", maxKept)
	}
	return r.err == nil
}

// maxProblems is how many problems of one record are told.
const maxProblems = 16

// problem notes that the value that was just read is not what it should be.
func (r *reader) problem(field, found, want string) {
	if r.err == nil && len(*r.problems) < maxProblems {
		*r.problems = append(*r.problems, Problem{string(r.dec.StackPointer()), field, found, want})
	}
}

// unlike notes that text, which was just read, is not like want.
func (r *reader) unlike(want string, text []byte) {
	const most = 80
	more := ""
	if len(text) > most {
		text, more = bytes.ToValidUTF8(text[:most], nil), "…"
	}
	r.problem(string(r.name), strconv.Quote(string(text))+more, want)
}

// record lets problems be noted at the record that is read now, until it calls
// what it returns.
func (r *reader) record(problems *[]Problem) (end func()) {
	outer := r.problems
	r.problems = problems
	return func() { r.problems = outer }
}

// The fields. null says nothing, and so does "" where a number or a UUID should be.

func (r *reader) text(f *Field[string]) {
	if text, kind := r.scalar("a text"); kind != 0 {
		*f = Said(string(spell(text, kind)))
	}
}

// word reads a text of which there are few: it is kept once.
func (r *reader) word(f *Field[string]) {
	text, kind := r.scalar("a text")
	if kind == 0 {
		return
	}
	text = spell(text, kind)
	w, ok := r.words[string(text)]
	if !ok {
		w = string(text)
		if len(r.words) < 1000 && len(w) < 100 {
			r.words[w] = w
		}
	}
	*f = Said(w)
}

// spell turns true and false into text as PHP does.
func spell(text []byte, kind jsontext.Kind) []byte {
	switch kind {
	case 't':
		return []byte("1")
	case 'f':
		return nil
	}
	return text
}

func (r *reader) number(f *Field[int64]) {
	text, kind := r.scalar("a whole number")
	text = bytes.TrimSpace(text)
	if kind == 'f' {
		*f = Said[int64](0)
		return
	}
	if kind == 0 || len(text) == 0 {
		return
	}
	n, ok := whole(text)
	if !ok {
		r.unlike("a whole number", text)
		return
	}
	*f = Said(n)
}

// whole reads 5, and 5.0 and 5e0 too, which PHP writes at times.
func whole(text []byte) (int64, bool) {
	if len(text) > 64 {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if n := int64(f); err == nil && f > -1<<53 && f < 1<<53 && float64(n) == f {
		return n, true
	}
	return 0, false
}

func (r *reader) bool(f *Field[bool]) {
	text, kind := r.scalar("true or false")
	if kind == 0 {
		return
	}
	switch string(bytes.TrimSpace(text)) {
	case "1", "true", "True", "TRUE":
		*f = Said(true)
	case "0", "false", "False", "FALSE", "":
		*f = Said(false)
	default:
		r.unlike("true or false", text)
	}
}

func (r *reader) uuid(f *Field[tocsin.UUID]) {
	text, kind := r.scalar("a UUID")
	text = bytes.TrimSpace(text)
	if kind == 0 || len(text) == 0 {
		return
	}
	u, err := tocsin.ParseUUID(string(text))
	if err != nil {
		r.unlike("a UUID", text)
		return
	}
	*f = Said(u)
}

// seen reads first_seen and last_seen. null and "" clear what was said before.
func (r *reader) seen(f *Field[time.Time]) {
	if r.kind() == 'n' {
		r.pass()
		*f = Said(time.Time{})
		return
	}
	text, kind := r.scalar("a time")
	text = bytes.TrimSpace(text)
	switch {
	case kind == 0:
		return
	case len(text) == 0 || kind == 'f':
		*f = Said(time.Time{})
		return
	}
	at, ok := parseSeen(string(text))
	if !ok {
		r.unlike("a time such as 2024-09-01T00:00:00.000000+00:00", text)
		return
	}
	*f = Said(at)
}
