package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
)

// A Problem is an error as it is shown to whoever asked. Message is safe to show.
type Problem struct {
	Status  int
	Code    tocsin.Code
	Message string
	Err     error // for renderers that ask what it was: [ErrAnonymous]
}

// An ErrorRenderer writes a problem in a face's own shape, with its status.
type ErrorRenderer func(w http.ResponseWriter, r *http.Request, p Problem)

type renderer struct {
	prefix string
	render ErrorRenderer
}

// RenderErrors lets a face render the errors of the paths that begin with
// prefix. The longest prefix counts; the rest is rendered as [RenderJSON] does.
func (s *Server) RenderErrors(prefix string, render ErrorRenderer) {
	s.renderers = append(s.renderers, renderer{prefix, render})
	slices.SortStableFunc(s.renderers, func(a, b renderer) int { return len(b.prefix) - len(a.prefix) })
}

// RenderJSON is the native shape of an error.
func RenderJSON(w http.ResponseWriter, _ *http.Request, p Problem) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(map[string]any{"code": p.Code, "message": p.Message})
}

var statuses = map[tocsin.Code]int{
	tocsin.Invalid:   http.StatusBadRequest,
	tocsin.NotFound:  http.StatusNotFound,
	tocsin.Forbidden: http.StatusForbidden,
	tocsin.Conflict:  http.StatusConflict,
	tocsin.Gone:      http.StatusGone,
	tocsin.Busy:      http.StatusServiceUnavailable,
}

// Explain says how err is shown to whoever sent the request that w answers.
// Streams that have begun use it for their last line.
func Explain(w http.ResponseWriter, err error) Problem {
	p := Problem{Status: http.StatusInternalServerError, Code: tocsin.CodeOf(err), Err: err}
	if status, ok := statuses[p.Code]; ok {
		p.Status, p.Message = status, said(err)
	} else {
		p.Code, p.Message = tocsin.Internal, "internal error, id "+w.Header().Get("X-Request-Id")
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		p.Status = e.status
	}
	return p
}

// said is the sentence meant for people, without what wraps it for the log.
func said(err error) string {
	e, _ := errors.AsType[*tocsin.Error](err)
	return e.Message
}

// retryAfter is when to come back, in seconds, if the error itself has no opinion.
const retryAfter = "2"

func (s *Server) render(x *exchange) {
	p := Explain(x, x.err)
	h := x.Header()
	for _, name := range []string{"ETag", "Content-Length", "Content-Type", "Content-Disposition", "Last-Modified"} {
		h.Del(name) // they were of the answer that did not come
	}
	if p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
	x.status, x.held, x.compress = 0, nil, false
	if x.route == nil { // so that WriteHeader takes it as said by us
		x.route = &Route{Pattern: "-"}
	}
	for _, r := range s.renderers {
		if strings.HasPrefix(x.r.URL.Path, r.prefix) {
			r.render(x, x.r, p)
			return
		}
	}
	RenderJSON(x, x.r, p)
}

// record writes the one log line.
func (s *Server) record(x *exchange, took time.Duration) {
	level, pattern := slog.LevelInfo, "-"
	if x.route != nil {
		pattern = x.route.Pattern
	}
	attrs := []slog.Attr{
		slog.String("pattern", pattern), slog.String("who", x.who), slog.String("from", s.Address(x.r).String()),
		slog.Int("status", max(x.status, 0)), slog.Int64("bytes", x.bytes), slog.Duration("took", took),
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("id", x.id), slog.Any("err", cause(x.err)))
		if tocsin.CodeOf(x.err) == tocsin.Internal && !gone(x) {
			level = slog.LevelError
		}
	}
	s.log.LogAttrs(context.WithoutCancel(x.r.Context()), level, "request", attrs...)
}

// cause is err with what it keeps for the log.
func cause(err error) error {
	if e, ok := errors.AsType[*tocsin.Error](err); ok && e.Err != nil {
		return errors.Join(err, e.Err)
	}
	return err
}

// gone reports whether the other side went away, which is nobody's fault here.
func gone(x *exchange) bool { return x.r.Context().Err() != nil }
