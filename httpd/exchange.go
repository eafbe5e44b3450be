package httpd

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An exchange is one request and its answer: the [http.ResponseWriter] that
// handlers write to. It counts, compresses, and renews the deadline as long as
// the other side takes what we send.
type exchange struct {
	w     http.ResponseWriter
	ctl   *http.ResponseController
	r     *http.Request
	id    string
	start time.Time
	idle  time.Duration

	body     *body // nil: none
	route    *Route
	unrouted int    // the mux's own 404 or 405
	who      string // for the log
	err      error
	refused  bool // the error was rendered

	status   int
	bytes    int64 // on the wire, headers left aside
	begun    bool  // headers are out
	renewed  time.Time
	compress bool // the other side takes gzip
	held     []byte
	zip      *gzip.Writer
}

var errAborted = errors.New("the handler gave up midway")

func (x *exchange) Header() http.Header { return x.w.Header() }

// Name says for the log who asks on a public route that found it out by itself.
func Name(w http.ResponseWriter, who string) {
	if x, ok := w.(*exchange); ok {
		x.who = who
	}
}

// Unwrap lets [http.ResponseController] find what is beneath.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

func (x *exchange) WriteHeader(status int) {
	if status >= 100 && status < 200 {
		x.w.WriteHeader(status)
		return
	}
	switch {
	case x.status != 0:
		return
	case x.route == nil && status >= 400: // the mux speaks; we say it better
		x.unrouted = status
		x.status = -1
		return
	}
	x.status = status
	if !x.compressible() {
		x.begin()
	}
}

// Write sends b, or holds it back until it is known whether there is enough of
// it to be worth compressing.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	switch {
	case x.status < 0:
		return len(b), nil
	case x.zip != nil:
		x.renew()
		return x.zip.Write(b)
	case x.begun:
		return x.send(b)
	}
	x.held = append(x.held, b...)
	if len(x.held) < worthCompressing {
		return len(b), nil
	}
	return len(b), x.beginZip()
}

// FlushError sends what was written so far. A stream begins with it.
func (x *exchange) FlushError() error {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if !x.begun {
		if err := x.beginZip(); err != nil {
			return err
		}
	}
	if x.zip != nil {
		if err := x.zip.Flush(); err != nil {
			return err
		}
	}
	x.renew()
	return x.ctl.Flush()
}

// Flush is FlushError for those who ask for an [http.Flusher].
func (x *exchange) Flush() { x.FlushError() }

// end ends an answer that is complete.
func (x *exchange) end() error {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	switch {
	case x.zip != nil:
		err := x.zip.Close()
		zips.Put(x.zip)
		x.zip = nil
		return err
	case !x.begun && x.status > 0:
		x.Header().Set("Content-Length", strconv.Itoa(len(x.held)))
		x.begin()
		_, err := x.send(x.held)
		return err
	}
	return nil
}

// linger takes what is still coming of a request that was refused, for a while.
// A connection that is closed with octets unread is reset, and the reset can
// overtake the answer that says what was wrong.
func (x *exchange) linger() {
	x.ctl.Flush()
	x.ctl.SetReadDeadline(time.Now().Add(lingering))
	io.Copy(io.Discard, x.body.in)
}

const lingering = 2 * time.Second

func (x *exchange) begin() {
	x.begun = true
	x.w.WriteHeader(x.status)
}

func (x *exchange) send(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	x.renew()
	n, err := x.w.Write(b)
	x.bytes += int64(n)
	return n, err
}

// renew moves the deadline for taking what we send. It is set for every
// request, since a connection keeps the one of the request before.
func (x *exchange) renew() {
	now := time.Now()
	if now.Sub(x.renewed) > time.Second {
		x.renewed = now
		x.ctl.SetWriteDeadline(now.Add(x.idle)) // not every writer has deadlines
	}
}

const worthCompressing = 1400 // below it, it is one packet either way

// zips are writers at the fastest level: what we send is long rather than precious.
var zips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

// wire is the exchange beneath compression.
type wire struct{ *exchange }

func (w wire) Write(b []byte) (int, error) { return w.send(b) }

func (x *exchange) beginZip() error {
	h := x.Header()
	h.Set("Content-Encoding", "gzip")
	h.Del("Content-Length")
	// A strong validator names the octets, and these are others (RFC 9110, section 8.8.1).
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		h.Set("ETag", "W/"+tag)
	}
	x.begin()
	x.zip = zips.Get().(*gzip.Writer)
	x.zip.Reset(wire{x})
	_, err := x.zip.Write(x.held)
	x.held = nil
	return err
}

// compressible reports whether the answer may be compressed.
func (x *exchange) compressible() bool {
	h := x.Header()
	if !textual(h.Get("Content-Type")) || h.Get("Content-Encoding") != "" {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	return x.compress && x.r.Method != http.MethodHead &&
		x.status != http.StatusNoContent && x.status != http.StatusNotModified && x.status != http.StatusPartialContent
}

func textual(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	switch media {
	case "application/json", "application/x-ndjson", "application/xml", "application/javascript", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// wantsGzip reports whether the other side takes gzip (RFC 9110, section 12.5.3).
func wantsGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				continue
			}
			q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			return !ok || err == nil && weight > 0
		}
	}
	return false
}
