package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
)

// How often an import says how far it is.
const (
	progressEvery = 500 * time.Millisecond
	progressLines = 20_000
)

// visibleWithin is for how long an import waits until what it wrote can be looked
// up and is on its way to subscribers.
const visibleWithin = time.Minute

// visibleIn are the followers that an import waits for, where they exist.
var visibleIn = []string{"match", "collection"}

// importList reads a list into one event while it arrives. It answers with a line
// now and then, and one at the end that says what became of it. Without that
// last "result" the import has not come to its end. With dry_run it reads the first
// rows only, says what it would make of them, and keeps nothing.
func (a *API) importList(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	in, err := a.importOf(r, v)
	if err != nil {
		return err
	}
	if flag(r, "dry_run") {
		p, err := a.Desk.Preview(in, r.Body)
		if err != nil {
			return err
		}
		return reply(w, http.StatusOK, p)
	}
	out := &progressWriter{w: w, ctl: http.NewResponseController(w)}
	if err := out.ctl.EnableFullDuplex(); err != nil && r.ProtoMajor < 2 {
		return err
	}
	result, err := a.Desk.Import(r.Context(), v, in, r.Body, out.progress)
	if err != nil {
		return out.fail(err)
	}
	behind := a.await(r.Context(), result.Seq)
	return out.line(map[string]any{"result": resultShape{
		Progress: result.Progress, Refused: refusals(result), RefusedCount: result.Progress.Refused,
		Event: result.Event, EventUUID: result.EventUUID, Seq: result.Seq, Behind: behind,
	}})
}

// A resultShape is the last line. Its "refused" is the list of refusals, where a
// progress line has their number.
type resultShape struct {
	Progress
	Refused      []Refusal   `json:"refused"`
	RefusedCount int64       `json:"refused_count"`
	Event        int64       `json:"event"`
	EventUUID    tocsin.UUID `json:"event_uuid"`
	Seq          tocsin.Seq  `json:"seq"`
	Behind       []string    `json:"behind,omitempty"` // what has not caught up yet
}

func refusals(r Result) []Refusal { return list(r.Refused) }

// importOf reads what is to be done off the query.
func (a *API) importOf(r *http.Request, v access.Viewer) (in Import, err error) {
	err = known(r, "event", "format", "type", "collection", "tag", "distribution", "group", "publish", "name", "columns", "dry_run", "revive")
	if err != nil {
		return in, err
	}
	q, view := r.URL.Query(), a.db.As(v)
	in = Import{Event: q.Get("event"), Name: q.Get("name"), Format: q.Get("format"), Type: q.Get("type"), Columns: q.Get("columns"), Tags: q["tag"], Publish: flag(r, "publish"), Revive: flag(r, "revive")}
	if name := q.Get("collection"); name != "" {
		c, err := find[*tocsin.Collection](view, name)
		if err != nil {
			return in, err
		}
		in.Collection = c.Name
	}
	if name := q.Get("group"); name != "" {
		g, err := find[*tocsin.Group](view, name)
		if err != nil {
			return in, err
		}
		d := access.Group
		in.Group, in.Distribution = g.ID, &d
	}
	if level := q.Get("distribution"); level != "" {
		n, err := strconv.ParseUint(level, 10, 8)
		if d := access.Distribution(n); err == nil && d.Valid() && d != access.Inherit {
			in.Distribution = &d
		} else {
			return in, tocsin.Errorf(tocsin.Invalid, "no distribution %q; try one of [0 1 2 3 4]", level)
		}
	}
	return in, nil
}

// await waits until the followers that matter have kept line seq, and returns
// those that have not in time.
func (a *API) await(ctx context.Context, seq tocsin.Seq) (behind []string) {
	ctx, cancel := context.WithTimeout(ctx, visibleWithin)
	defer cancel()
	places := a.db.Places()
	for _, name := range visibleIn {
		if _, follows := places[name]; follows && a.db.Await(ctx, name, seq) != nil {
			behind = append(behind, name)
		}
	}
	return behind
}

// A progressWriter writes the lines of an import's answer.
type progressWriter struct {
	w     http.ResponseWriter
	ctl   *http.ResponseController
	begun bool
	at    time.Time
	read  int64
}

// progress writes a line if enough has happened since the last one.
func (p *progressWriter) progress(n Progress) {
	now := time.Now()
	if p.at.IsZero() {
		p.at = now
	}
	if n.Read-p.read < progressLines && now.Sub(p.at) < progressEvery {
		return
	}
	p.at, p.read = now, n.Read
	p.line(map[string]any{"progress": n}) // whoever has gone ends the import by its context
}

func (p *progressWriter) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	if _, err := p.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return p.ctl.Flush()
}

// fail says what went wrong: as the answer if nothing was answered yet, else as
// the last line, after which the connection breaks.
func (p *progressWriter) fail(err error) error {
	if p.begun {
		problem := httpd.Explain(p.w, err)
		p.line(map[string]any{"error": map[string]any{"code": problem.Code, "message": problem.Message}})
	}
	return err
}

// imports lists the imports of the viewer's organisation, the newest first.
func (a *API) imports(w http.ResponseWriter, _ *http.Request, v access.Viewer) error {
	all := []*tocsin.Import{}
	for i := range a.db.As(v).Imports() {
		all = append([]*tocsin.Import{i}, all...)
	}
	return reply(w, http.StatusOK, all)
}

func (a *API) importByID(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	i, err := find[*tocsin.Import](a.db.As(v), r.PathValue("name"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, i)
}
