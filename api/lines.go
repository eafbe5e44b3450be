package api

import (
	"bytes"
	"errors"
	"io"
)

// lines splits a stream into lines. It differs from a [bufio.Scanner] in two
// ways: it says when it is about to wait, so that answers go out in time, and a
// line that is too long costs that line.
type lines struct {
	in       io.Reader
	buf      []byte
	from, to int // what is read and not handed out yet
	max      int
	err      error // of in
	skipping bool  // the rest of a line that was too long
}

func newLines(in io.Reader, size, longest int) *lines {
	return &lines{in: in, buf: make([]byte, size), max: longest}
}

// next returns the next line that is not blank, without its end. It is valid
// until the next call. Before it waits for the stream it calls waiting. With
// errLongLine it returns the line's beginning.
func (l *lines) next(waiting func() error) ([]byte, error) {
	searched := l.from
	for {
		if i := bytes.IndexByte(l.buf[searched:l.to], '\n'); i >= 0 {
			line := l.buf[l.from : searched+i]
			l.from = searched + i + 1
			searched = l.from
			if l.skipping {
				l.skipping = false
				continue
			}
			switch line = trim(line); {
			case len(line) > l.max:
				return line[:beginning], errLongLine
			case len(line) > 0:
				return line, nil
			}
			continue
		}
		if l.skipping {
			l.from = l.to
		}
		if l.to-l.from > l.max {
			line := l.buf[l.from : l.from+beginning]
			l.from, l.skipping = l.to, true
			return line, errLongLine
		}
		if l.err != nil {
			return l.last()
		}
		if err := waiting(); err != nil {
			return nil, err
		}
		searched = l.fill()
	}
}

// beginning is how much of a line that is too long is shown.
const beginning = 64

// last returns what follows the last line end, then the error of the stream. A
// stream that broke has no last line: nobody knows how it was to go on.
func (l *lines) last() ([]byte, error) {
	line := trim(l.buf[l.from:l.to])
	l.from = l.to
	switch {
	case len(line) == 0 || l.skipping || !errors.Is(l.err, io.EOF):
		return nil, l.err
	case len(line) > l.max:
		return line[:beginning], errLongLine
	}
	return line, nil
}

// fill reads more and returns from where it has to be searched.
func (l *lines) fill() (searched int) {
	if l.from > 0 {
		l.to = copy(l.buf, l.buf[l.from:l.to])
		l.from = 0
	}
	if l.to == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	searched = l.to
	n, err := l.in.Read(l.buf[l.to:])
	l.to += n
	l.err = err
	return searched
}

// trim removes blanks around a line, and the mark that some editors put first.
func trim(line []byte) []byte {
	return bytes.TrimPrefix(bytes.Trim(line, " \t\r"), []byte("\ufeff"))
}
