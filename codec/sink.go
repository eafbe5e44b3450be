package codec

import (
	"io"
	"iter"
	"net/netip"
	"strings"

	"tocsin"
)

// A sink takes what the line being read holds.
type sink struct {
	line    line
	yield   func(Draft, error) bool
	stopped bool
	before  func(*sink) // what waits for the next line comes before a line that is lost
}

func (s *sink) draft(d Draft) {
	d.Line = s.line.number
	s.stopped = s.stopped || !s.yield(d, nil)
}

// lose says why the line is lost.
func (s *sink) lose(why string) {
	s.stopped = s.stopped || !s.yield(Draft{Line: s.line.number}, &LineError{s.line.number, beginning([]byte(s.line.text)), why})
}

// fail ends the reading.
func (s *sink) fail(format string, args ...any) {
	if !s.stopped {
		s.yield(Draft{Line: s.line.number}, tocsin.Errorf(tocsin.Invalid, format, args...))
		s.stopped = true
	}
}

// eachLine calls read with each line of a text that can be had.
func eachLine(r io.Reader, yield func(Draft, error) bool, read func(*sink)) {
	(&sink{yield: yield}).each(r, read)
}

func (s *sink) each(r io.Reader, read func(*sink)) {
	for l, err := range lines(r) {
		switch {
		case err != nil:
			if s.before != nil {
				s.before(s)
			}
			s.stopped = s.stopped || !s.yield(Draft{Line: l.number}, err)
		default:
			s.line = l
			read(s)
		}
		if s.stopped {
			return
		}
	}
}

// byLine makes a reader of a function that reads one line by itself.
func byLine(read func(*sink)) func(io.Reader, Options) iter.Seq2[Draft, error] {
	return func(r io.Reader, _ Options) iter.Seq2[Draft, error] {
		return func(yield func(Draft, error) bool) { eachLine(r, yield, read) }
	}
}

const (
	whyException = "it is an exception, which lets names through; list those by themselves"
	whyReal      = "it points at a real address; a block list points at 0.0.0.0"
	whyBeneath   = "it covers what is beneath the name and not the name itself, which no type says"
	whyAll       = "it covers every name there is"
)

// nowhere reports whether text is an address that leads nowhere, which is how
// lists block.
func nowhere(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && leadsNowhere(a)
}

func leadsNowhere(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a == broadcast || a.IsMulticast() || a.IsLinkLocalUnicast()
}

// looksLikeOption reports whether a line is "name=…" or "name: …" of one of these.
func looksLikeOption(line, separator string, names ...string) bool {
	name, _, ok := strings.Cut(line, separator)
	name = strings.TrimLeft(strings.TrimSpace(name), "-")
	for _, n := range names {
		if ok && name == n {
			return true
		}
	}
	return false
}
