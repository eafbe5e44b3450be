package api

import (
	"io"
	"net/http"

	"tocsin"
	"tocsin/access"
)

// lookup answers, line by line and in order, who claims each value: as many as
// one likes, in constant memory. An answer is sent as soon as no further line is
// waiting, so a client may also keep the line open and ask now and then.
//
// A client has to read while it sends. One that can't, because it sends
// everything first, is served if it says how long that is and it isn't long.
func (a *API) lookup(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "parents", "mentions"); err != nil {
		return err
	}
	ask := a.asker(v)
	ask.parents, ask.mentions = flag(r, "parents"), flag(r, "mentions")
	out := &flusher{w: w, ctl: http.NewResponseController(w)}
	in := io.Reader(r.Body)
	if r.ContentLength >= 0 && r.ContentLength <= maxAtOnce {
		whole, err := readAll(r)
		if err != nil {
			return err
		}
		in = whole
	} else if err := out.ctl.EnableFullDuplex(); err != nil {
		// HTTP/2 is full duplex anyway and says that it knows no such thing.
		if r.ProtoMajor < 2 {
			return err
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	return ask.all(in, out)
}

// maxAtOnce is how long a request may be that is read before it is answered.
const maxAtOnce = 4 << 20

// A flusher sends what it is given at once.
type flusher struct {
	w   io.Writer
	ctl *http.ResponseController
}

func (f *flusher) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if err == nil {
		err = f.ctl.Flush()
	}
	return n, err
}

// Sizes of buffers, in octets. A value is at most 64 KiB; its JSON may be six
// times as long.
const (
	readSize  = 64 << 10
	maxLine   = 6*(64<<10) + 64
	flushSize = 64 << 10
)

// all answers the lines of in. It writes when no complete line is left, before
// it waits for more.
func (k *asker) all(in io.Reader, out io.Writer) error {
	lines := newLines(in, readSize, maxLine)
	for {
		line, err := lines.next(func() error { return k.send(out) })
		switch {
		case err == io.EOF:
			return k.send(out)
		case err == errLongLine:
			k.refuse(line, err.Error())
		case err != nil:
			return err
		default:
			k.answer(line)
		}
		if len(k.out) >= flushSize {
			if err := k.send(out); err != nil {
				return err
			}
		}
	}
}

func (k *asker) send(out io.Writer) error {
	if len(k.out) == 0 {
		return nil
	}
	_, err := out.Write(k.out)
	k.out = k.out[:0]
	return err
}

var errLongLine = tocsin.Errorf(tocsin.Invalid, "the line is longer than any value can be")
