package httpd

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"tocsin"
	"tocsin/codec"
)

// DefaultMaxBody is how long a request may be where its route says nothing else.
const DefaultMaxBody = 10 << 20

// patience is for how long a request of limited length may take to arrive.
const patience = 2 * time.Minute

// openBody puts the limits of the route around the request's body, and undoes
// its compression. Limits count what comes out of it: a small file can hold a
// very long one.
func (s *Server) openBody(x *exchange, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	limit := x.route.MaxBody
	if limit > 0 && r.ContentLength > limit {
		return tooLarge(limit)
	}
	b := &body{in: r.Body, ctl: x.ctl, idle: x.idle, limit: limit}
	b.setDeadline(time.Now())
	r.Body, x.body = b, b
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
		r.Header.Del("Content-Encoding")
		r.ContentLength = -1
		r.Body = &unzipped{in: b, limit: limit}
		return nil
	default:
		return &statusError{http.StatusUnsupportedMediaType,
			tocsin.Errorf(tocsin.Invalid, "no content coding %q; try one of [gzip identity]", coding)}
	}
}

func tooLarge(limit int64) error {
	return &statusError{http.StatusRequestEntityTooLarge,
		tocsin.Errorf(tocsin.Invalid, "the request is longer than %d octets; lists of any length go to /api/import", limit)}
}

// A body is a request's body with a limit and a deadline. A request of limited
// length has to be there in time; one of any length has to keep flowing.
type body struct {
	in      io.ReadCloser
	ctl     *http.ResponseController
	idle    time.Duration
	limit   int64 // 0: none
	read    int64
	renewed time.Time
	ended   bool
}

func (b *body) Read(p []byte) (int, error) {
	if now := time.Now(); b.limit == 0 && now.Sub(b.renewed) > time.Second {
		b.setDeadline(now)
	}
	n, err := b.in.Read(p)
	b.read += int64(n)
	switch {
	case b.limit > 0 && b.read > b.limit:
		b.finish()
		return 0, tooLarge(b.limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, &statusError{http.StatusRequestTimeout, tocsin.Errorf(tocsin.Invalid, "the request did not arrive in time")}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, tocsin.Errorf(tocsin.Invalid, "the request ended too early: %w", err)
	case err != nil:
		b.finish()
	}
	return n, err
}

// unread reports whether there may be more of a stream. Its connection is of no
// use for another request: net/http reads the rest at a moment when the next
// request may be reading already, and panics. Of other requests it has read the
// rest before it answers.
func (b *body) unread() bool { return b != nil && b.limit == 0 && !b.ended }

func (b *body) setDeadline(now time.Time) {
	b.renewed = now
	d := patience
	if b.limit == 0 {
		d = b.idle
	}
	b.ctl.SetReadDeadline(now.Add(d)) // not every connection has deadlines
}

// finish takes the deadline away. The server goes on reading, to notice that the
// other side has gone; an old deadline would look just like that.
func (b *body) finish() {
	if !b.ended {
		b.ended = true
		b.ctl.SetReadDeadline(time.Time{})
	}
}

func (b *body) Close() error { return b.in.Close() }

// unzipped is a body without its gzip. The reader is made by the first Read,
// since making it reads the header. Where the route sets no limit, that of
// lists holds.
type unzipped struct {
	in    *body
	limit int64
	read  int64
	zip   io.Reader
}

func (u *unzipped) Read(p []byte) (n int, err error) {
	if u.zip == nil {
		if u.zip, err = u.open(); err != nil {
			return 0, notGzip(err)
		}
	}
	n, err = u.zip.Read(p)
	if u.read += int64(n); u.limit > 0 && u.read > u.limit {
		return 0, tooLarge(u.limit)
	}
	if err != nil && err != io.EOF {
		err = notGzip(err)
	}
	return n, err
}

func (u *unzipped) open() (io.Reader, error) {
	in := bufio.NewReader(u.in)
	if u.limit > 0 {
		return gzip.NewReader(in)
	}
	if head, err := in.Peek(len(gzipMagic)); err == nil && string(head) != gzipMagic {
		return nil, gzip.ErrHeader
	}
	return codec.Open(in)
}

const gzipMagic = "\x1f\x8b"

func notGzip(err error) error {
	if tocsin.CodeOf(err) != tocsin.Internal {
		return err // ours, from beneath
	}
	return tocsin.Errorf(tocsin.Invalid, "the request says that it is gzip, but: %w", err)
}

func (u *unzipped) Close() error { return u.in.Close() }

// A statusError is an error for a person with an HTTP status of its own.
type statusError struct {
	status int
	err    *tocsin.Error
}

func (e *statusError) Error() string { return fmt.Sprint(e.err) }
func (e *statusError) Unwrap() error { return e.err }
