package mispapi

import (
	"io"
	"net/http"
)

// A stream writes an answer piece by piece. It holds back what is little, so an
// error that comes before anything has gone out is still an answer of its own.
type stream struct {
	w     http.ResponseWriter
	media string
	b     []byte
	begun bool
	pipe  io.Writer // where it goes instead of to the client; nil: to the client
}

// piece is how much is written at a time.
const piece = 64 << 10

func (c *call) stream(media string) *stream { return &stream{w: c.w, media: media} }

// flush writes what has come together, if that is worth it.
func (s *stream) flush() error {
	if len(s.b) < piece {
		return nil
	}
	return s.write()
}

func (s *stream) write() error {
	if s.pipe != nil {
		_, err := s.pipe.Write(s.b)
		s.b = s.b[:0]
		return err
	}
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", s.media)
	}
	_, err := s.w.Write(s.b)
	s.b = s.b[:0]
	return err
}

// Write takes a piece of an answer from a writer that holds back itself.
func (s *stream) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), s.flush()
}

// end writes the rest.
func (s *stream) end() error { return s.write() }
