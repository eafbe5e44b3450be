package mispapi

import (
	"net/http"
	"strings"

	"tocsin/export"
)

const mediaXML = "application/xml; charset=UTF-8"

// asXML writes as XML what another writes as JSON.
func asXML(write func(*search, *stream) error) func(*search, *stream) error {
	return func(s *search, out *stream) error {
		x := export.NewXML(out)
		inner := &stream{w: s.c.w, pipe: x}
		if err := write(s, inner); err != nil {
			return err
		}
		if err := inner.end(); err != nil {
			return err
		}
		return x.Close()
	}
}

func eventsAsXML(s *search, out *stream, ids []int64) error {
	return asXML(func(s *search, out *stream) error { return s.writeEvents(out, ids) })(s, out)
}

// wantsXML reports whether a client asks for XML, by the ending of the path or by
// what it accepts.
func wantsXML(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, ".xml") || strings.HasPrefix(r.Header.Get("Accept"), "application/xml")
}

// An xmlAnswer turns what an action answers into XML, if it is JSON.
type xmlAnswer struct {
	http.ResponseWriter
	x    *export.XML
	told bool
}

func (a *xmlAnswer) WriteHeader(status int) {
	a.told = true
	if h := a.Header(); strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		h.Set("Content-Type", mediaXML)
		a.x = export.NewXML(a.ResponseWriter)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *xmlAnswer) Write(p []byte) (int, error) {
	if !a.told {
		a.WriteHeader(http.StatusOK)
	}
	if a.x != nil {
		return a.x.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// close ends a document that is whole.
func (a *xmlAnswer) close() error {
	if a.x != nil {
		return a.x.Close()
	}
	return nil
}
