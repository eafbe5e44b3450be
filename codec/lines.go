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
// says: a line that can't be had is a *LineError, and the reading goes on. It
// keeps one line in memory, however long it is.
//
// When the stream breaks off, what was read of its last line is not yielded:
// half a name is another name.
func lines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		b := bufio.NewReaderSize(r, MaxLine+2)
		if err := begin(b); err != nil {
			yield(line{}, err)
			return
		}
		for n := 1; ; n++ {
			raw, err := b.ReadSlice('\n')
			long := errors.Is(err, bufio.ErrBufferFull)
			var lost *LineError
			if long {
				lost = &LineError{n, beginning(raw), "it is longer than 65,536 octets"}
				for errors.Is(err, bufio.ErrBufferFull) {
					_, err = b.ReadSlice('\n')
				}
			}
			if err != nil && err != io.EOF {
				yield(line{}, err)
				return
			}
			if err == io.EOF && len(raw) == 0 {
				return
			}
			end := "\n"
			if !long {
				raw = bytes.TrimSuffix(raw, []byte{'\n'})
				if bytes.HasSuffix(raw, []byte{'\r'}) {
					raw, end = raw[:len(raw)-1], "\r\n"
				}
				lost = unsound(n, raw)
			}
			if lost != nil {
				if !yield(line{number: n}, lost) {
					return
				}
			} else if !yield(line{n, string(raw), end}, nil) {
				return
			}
			if err == io.EOF {
				return
			}
		}
	}
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
