package stix

import (
	"iter"
	"strings"
	"time"

	"tocsin"
)

// maxRemarked bounds how many records with remarks are remembered: of more than
// that, remarks are left out.
const maxRemarked = 1 << 17

// expect notes which records remarks are about, so that it is known what they became
// when the remarks are written.
func (w *Bundle) expect(e *Event) error {
	w.became = map[tocsin.UUID]string{}
	want := func(h *tocsin.Head) {
		for _, l := range []tocsin.Link{h.About, h.To} {
			if !l.UUID.IsZero() && len(w.became) < maxRemarked {
				w.became[l.UUID] = ""
			}
		}
	}
	for _, err := range []error{heads(e.References, want), heads(e.Sightings, want), heads(e.Notes, want), heads(e.Opinions, want)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func heads[R tocsin.Remark](rs iter.Seq2[R, error], want func(*tocsin.Head)) error {
	return each(rs, func(r R) error { want(r.Remarked()); return nil })
}

func each[R any](rs iter.Seq2[R, error], do func(R) error) error {
	if rs == nil {
		return nil
	}
	for r, err := range rs {
		if err == nil {
			err = do(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remarks writes what was said of records of the event: how objects refer to each
// other, where things were sighted, what analysts think of them.
func (w *Bundle) remarks(e *Event) error {
	w.became[e.UUID] = root(w.v, e.Event)
	if err := each(e.References, func(r *tocsin.Reference) error {
		if from, to := w.became[r.About.UUID], w.became[r.To.UUID]; from != "" && to != "" {
			w.relate(r.UUID, r.Timestamp, relationship(r.Relation), from, to)
		}
		return w.spill()
	}); err != nil {
		return err
	}
	if err := each(e.Sightings, func(s *tocsin.Sighting) error { w.sighting(s); return w.spill() }); err != nil {
		return err
	}
	if err := each(e.Reports, func(r *tocsin.Report) error { w.eventReport(r, w.became[e.UUID]); return w.spill() }); err != nil {
		return err
	}
	if err := each(e.Notes, func(n *tocsin.Note) error { w.analystNote(n); return w.spill() }); err != nil {
		return err
	}
	return each(e.Opinions, func(o *tocsin.Opinion) error { w.analystOpinion(o); return w.spill() })
}

// root is the id of the report or grouping that an event becomes.
func root(v Version, e *tocsin.Event) string {
	if e.Published || v == V20 {
		return refTo("report", e.UUID)
	}
	return refTo("grouping", e.UUID)
}

// relationship is a relation in the letters that STIX allows.
func relationship(s string) string {
	b := []byte(strings.ToLower(s))
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			b[i] = '-'
		}
	}
	if len(b) == 0 {
		return "related-to"
	}
	return string(b)
}

// sighting writes that something was seen again. That it was harmless is an opinion.
func (w *Bundle) sighting(s *tocsin.Sighting) {
	of := w.became[s.About.UUID]
	if of == "" {
		return
	}
	who := ""
	if s.Orgc != 0 {
		by := w.by
		who = w.identity(w.names.Organisation(s.Orgc), s.At)
		w.by = by
	}
	switch {
	case s.Type == tocsin.Seen:
		w.object("sighting", s.UUID)
		w.made(s.At, s.At)
		w.text("sighting_of_ref", of)
		w.time("first_seen", time.Unix(s.At, 0), seconds)
		w.time("last_seen", time.Unix(s.At, 0), seconds)
		w.number("count", 1)
		if who != "" {
			w.list("where_sighted_refs", []string{who})
		}
		w.said("description", s.Source)
		w.end()
		w.refs = append(w.refs, refTo("sighting", s.UUID))
	case s.Type == tocsin.FalsePositive && w.v == V21:
		w.opinion(s.UUID, s.At, s.At, 0, "False positive sighting", of)
	}
}

func (w *Bundle) opinion(id tocsin.UUID, created, modified int64, value uint8, explanation, of string) {
	ref := w.object("opinion", id)
	w.made(created, modified)
	w.said("explanation", explanation)
	w.text("opinion", opinions[min(int(value), 100)/21])
	w.list("object_refs", []string{of})
	w.end()
	w.refs = append(w.refs, ref)
}

// opinions are STIX's words for MISP's numbers from 0 to 100.
var opinions = [...]string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}

// eventReport writes a report that stands in the event; STIX calls a text a note.
func (w *Bundle) eventReport(r *tocsin.Report, of string) {
	if r.Content == "" {
		return
	}
	typ := "note"
	if w.v == V20 {
		typ = "x-misp-event-report"
	}
	ref := w.object(typ, r.UUID)
	w.made(r.Timestamp, r.Timestamp)
	if w.v == V20 {
		w.text("x_misp_name", r.Name)
		w.text("x_misp_content", r.Content)
		w.text("object_ref", of)
	} else {
		w.said("abstract", r.Name)
		w.text("content", r.Content)
		w.list("object_refs", []string{of})
	}
	w.list("labels", []string{`misp:data-layer="Event Report"`})
	w.end()
	w.refs = append(w.refs, ref)
}

func (w *Bundle) analystNote(n *tocsin.Note) {
	of := w.became[n.About.UUID]
	if of == "" || n.Note == "" {
		return
	}
	typ := "note"
	if w.v == V20 {
		typ = "x-misp-analyst-note"
	}
	ref := w.object(typ, n.UUID)
	w.made(n.Created, n.Timestamp)
	if w.v == V20 {
		w.text("x_misp_note", n.Note)
		w.said("x_misp_author", n.Authors)
		w.text("object_ref", of)
	} else {
		w.said("lang", n.Language)
		w.text("content", n.Note)
		w.list("authors", authors(n.Authors))
		w.list("object_refs", []string{of})
	}
	w.end()
	w.refs = append(w.refs, ref)
}

func (w *Bundle) analystOpinion(o *tocsin.Opinion) {
	of := w.became[o.About.UUID]
	if of == "" {
		return
	}
	if w.v == V21 {
		w.opinion(o.UUID, o.Created, o.Timestamp, o.Opinion, o.Comment, of)
		return
	}
	ref := w.object("x-misp-analyst-opinion", o.UUID)
	w.made(o.Created, o.Timestamp)
	w.number("x_misp_opinion", int64(o.Opinion))
	w.said("x_misp_explanation", o.Comment)
	w.said("x_misp_author", o.Authors)
	w.text("object_ref", of)
	w.end()
	w.refs = append(w.refs, ref)
}

func authors(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
