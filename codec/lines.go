package codec

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"unicode/utf8"

	"tocsin"
)

// MaxLine is the longest line that is read, in octets. It has room for the
// longest value that MISP can hold; what is longer is no list.
const MaxLine = 64 << 10

// A line is one line of a text.
type line struct {
	number int
	text   string
	end    string // "\n" or "\r\n", which matters inside quotes only
}

// ErrEmpty is what a reader makes of nothing at all.
var ErrEmpty = tocsin.Errorf(tocsin.Invalid, "the file is empty")

var (
	errBinary = tocsin.Errorf(tocsin.Invalid, "the file is binary, not text")
	errMarkup = tocsin.Errorf(tocsin.Invalid, "the file is a web page or XML, not a list; does its address ask for a login, or has it moved?")
	errUTF16  = tocsin.Errorf(tocsin.Invalid, "the file is UTF-16; convert it to UTF-8 first")
)

// notText says why what begins with head is no list of any sort, or nil.
func notText(head []byte) error {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return errUTF16
	case bytes.HasPrefix(head, gzipMagic), bytes.IndexByte(head, 0) >= 0:
		return errBinary
	case isMarkup(head):
		return errMarkup
	}
	return nil
}

// isMarkup recognises the pages that one gets instead of a list.
func isMarkup(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n")
	head = bytes.ToLower(head[:min(len(head), 16)])
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<script", "<!--", "<?xml", "<rss", "<svg"} {
		if bytes.HasPrefix(head, []byte(tag)) {
			return true
		}
	}
	return false
}

var byteOrderMark = []byte("\ufeff")

// lines yields the lines of a text, whichever way they end, as [Format].Read
// says: a line that can't be had is a *LineError, and the reading goes on.
func lines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		ls := newLineReader(r)
		for {
			l, err, ok := ls.next()
			if !ok || !yield(l, err) {
				return
			}
		}
	}
}

// A lineReader keeps one line in memory, however long it is.
//
// When the stream breaks off, what was read of its last line does not come out:
// half a name is another name.
type lineReader struct {
	b     *bufio.Reader
	n     int
	begun bool
	ended bool
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{b: bufio.NewReaderSize(r, MaxLine+2)}
}

// next returns the next line, or why there is none. After any error that is no
// *LineError there is nothing more.
func (r *lineReader) next() (_ line, err error, ok bool) {
	if !r.begun {
		r.begun = true
		if err := begin(r.b); err != nil {
			r.ended = true
			return line{}, err, true
		}
	}
	if r.ended {
		return line{}, nil, false
	}
	r.n++
	raw, err := r.b.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		lost := &LineError{r.n, beginning(raw), "it is longer than 65,536 octets"}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.b.ReadSlice('\n')
		}
		return r.broken(err, lost)
	}
	if err != nil && (err != io.EOF || len(raw) == 0) {
		return r.broken(err, nil)
	}
	r.ended = err == io.EOF
	end := "\n"
	raw = bytes.TrimSuffix(raw, []byte{'\n'})
	if bytes.HasSuffix(raw, []byte{'\r'}) {
		raw, end = raw[:len(raw)-1], "\r\n"
	}
	if lost := unsound(r.n, raw); lost != nil {
		return line{number: r.n}, lost, true
	}
	return line{r.n, string(raw), end}, nil, true
}

// broken returns the error of the stream, if there is one, or else the lost line.
func (r *lineReader) broken(err error, lost *LineError) (line, error, bool) {
	r.ended = err != nil
	switch {
	case err != nil && err != io.EOF:
		return line{}, err, true
	case lost != nil:
		return line{number: r.n}, lost, true
	}
	return line{}, nil, false
}

// begin looks at what a text begins with, and passes over a byte order mark.
func begin(b *bufio.Reader) error {
	if _, err := b.Peek(1); err == io.EOF {
		return ErrEmpty
	} else if err != nil {
		return err
	}
	b.Peek(len(byteOrderMark))
	head, _ := b.Peek(b.Buffered())
	if bytes.HasPrefix(head, byteOrderMark) {
		b.Discard(len(byteOrderMark))
	}
	return notText(head)
}

// unsound says why a line is no text, or nil.
func unsound(n int, raw []byte) *LineError {
	switch {
	case len(raw) > MaxLine:
		return &LineError{n, beginning(raw), "it is longer than 65,536 octets"}
	case !utf8.Valid(raw):
		return &LineError{n, beginning(raw), "it is not valid UTF-8: convert the text first"}
	case bytes.IndexByte(raw, 0) >= 0:
		return &LineError{n, beginning(raw), "it holds a NUL character"}
	}
	return nil
}
