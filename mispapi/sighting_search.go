package mispapi

import (
	"cmp"
	"iter"
	"strconv"

	"tocsin"
	"tocsin/store"
)

// A sightingSearch is what a client asks for of sightings.
type sightingSearch struct {
	c           *call
	q           store.RemarkQuery
	keep        []func(*tocsin.Sighting) bool
	told        func(*tocsin.Sighting, *tocsin.Event) bool
	format      string
	limit, skip int64
	attribute   bool // includeAttribute
	event       bool // includeEvent
	uuids       bool // includeUuid
}

// searchSightings answers with sightings: of one event, of one attribute, or of all
// that the viewer may know of, as JSON, XML or CSV.
func searchSightings(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	s := &sightingSearch{c: c, told: searchesAsMember(c), format: cmp.Or(textOf(said["returnFormat"]), "json"),
		attribute: truthy(said["includeAttribute"]), event: truthy(said["includeEvent"]), uuids: truthy(said["includeUuid"])}
	write, ok := sightingFormats[s.format]
	if !ok {
		return c.no(404, tocsin.Invalid, "Invalid output format.")
	}
	if err := s.read(said); err != nil {
		return c.invalid(err)
	}
	c.w.Header().Set("X-Result-Count", uncountedSightings)
	c.w.Header().Set("X-Export-Module-Used", s.format)
	c.w.Header().Set("X-Response-Format", s.format)
	c.w.Header().Set("X-Skipped-Elements-Count", "0")
	return write(s)
}

var sightingFormats = map[string]func(*sightingSearch) error{
	"json": (*sightingSearch).writeJSON,
	"csv":  (*sightingSearch).writeCSV,
	"xml":  (*sightingSearch).writeXML,
}

// read settles what was said.
func (s *sightingSearch) read(said map[string]any) (err error) {
	context := cmp.Or(s.c.arg(0), textOf(said["context"]))
	ids, err := scalars("id", said["id"])
	if err != nil {
		return err
	}
	uuids, err := scalars("uuid", said["uuid"])
	if err != nil {
		return err
	}
	if err := s.within(context, append(ids, uuids...)); err != nil {
		return err
	}
	if err := s.c.ofOrgs(&s.q, said["org_id"]); err != nil {
		return err
	}
	if err := s.between(said); err != nil {
		return err
	}
	if err := s.oneOf("type", said["type"], func(x *tocsin.Sighting) string { return strconv.Itoa(int(x.Type)) }); err != nil {
		return err
	}
	if err := s.oneOf("source", said["source"], func(x *tocsin.Sighting) string { return x.Source }); err != nil {
		return err
	}
	s.limit, s.skip, err = page(said)
	return err
}

// within narrows to some events, attributes or, without a context, sightings.
func (s *sightingSearch) within(context string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var found []int64
	for _, name := range names {
		var id int64
		var err error
		switch context {
		case "event":
			var e *tocsin.Event
			if e, err = s.c.event(name); err == nil {
				id = e.ID
			}
		case "attribute":
			var a *tocsin.Attribute
			if a, err = s.c.attribute(name); err == nil {
				id = a.ID
			}
		case "":
			var x *tocsin.Sighting
			if x, err = store.OneRemark(s.c.view.Sightings(s.c.r.Context(), remarked(name))); err == nil {
				id = x.ID
			}
		default:
			return tocsin.Errorf(tocsin.Invalid, "context is attribute or event, not %q", context)
		}
		if err != nil && tocsin.CodeOf(err) != tocsin.NotFound {
			return err
		}
		if err == nil {
			found = append(found, id)
		}
	}
	if found == nil {
		found = []int64{} // none of them is there
	}
	switch context {
	case "event":
		s.q.Events = found
	case "attribute":
		s.q.About, s.q.AboutIDs = tocsin.KindAttribute, found
	default:
		s.q.IDs = found
	}
	return nil
}

// between narrows to a span of time, by when it was met. A sighting's timestamp is
// never before that, so the store can leave the older ones out by it.
func (s *sightingSearch) between(said map[string]any) error {
	now := s.c.db.Now()
	span, err := spanOf("last", said["last"], now)
	if err != nil {
		return err
	}
	for name, at := range map[string]*int64{"from": &span.since, "to": &span.until} {
		if nothing(said[name]) {
			continue
		}
		if *at, err = moment(name, textOf(said[name]), now); err != nil {
			return err
		}
	}
	if span.since != 0 || span.until != 0 {
		s.q.Since = span.since
		s.keep = append(s.keep, func(x *tocsin.Sighting) bool { return span.has(x.At) })
	}
	return nil
}

// oneOf narrows to sightings of which something is one of what was said.
func (s *sightingSearch) oneOf(name string, v any, of func(*tocsin.Sighting) string) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	if wanted := t.positive(); len(wanted) > 0 {
		is := anyLike(wanted)
		s.keep = append(s.keep, func(x *tocsin.Sighting) bool { return is(of(x)) })
	}
	if len(t.not) > 0 {
		not := anyLike(t.not)
		s.keep = append(s.keep, func(x *tocsin.Sighting) bool { return !not(of(x)) })
	}
	return nil
}

// A found sighting is one together with what it is about.
type found struct {
	*tocsin.Sighting
	attribute *tocsin.Attribute
	event     *tocsin.Event
}

// lot is how many sightings are looked at together.
const lot = 500

// rows iterates over the page that was asked for. What a sighting is about is
// looked up for many at a time.
func (s *sightingSearch) rows() iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		n, q := int64(0), s.q
		q.Limit = lot
		for {
			some, last, err := s.next(q)
			if err != nil {
				yield(found{}, err)
				return
			}
			for _, f := range some {
				if n++; n <= s.skip {
					continue
				}
				if s.limit > 0 && n > s.skip+s.limit || !yield(f, nil) {
					return
				}
			}
			if last == 0 {
				return
			}
			q.After = last
		}
	}
}

// next returns those of the next lot that are wanted, and where it ends, 0 if
// nothing follows.
func (s *sightingSearch) next(q store.RemarkQuery) (out []found, last int64, err error) {
	ctx, n := s.c.r.Context(), 0
	about := []int64{}
	for x, err := range s.c.view.Sightings(ctx, q) {
		if err != nil {
			return nil, 0, err
		}
		n, last = n+1, x.ID
		if s.wants(x) {
			out, about = append(out, found{Sighting: x}), append(about, x.About.ID)
		}
	}
	if n < lot {
		last = 0
	}
	claims := map[int64]*tocsin.Attribute{}
	for a, err := range s.c.view.Attributes(ctx, store.Query{IDs: about, Deleted: store.Any}) {
		if err != nil {
			return nil, 0, err
		}
		claims[a.ID] = &a
	}
	kept := out[:0]
	for _, f := range out {
		if f.attribute = claims[f.About.ID]; f.attribute == nil {
			continue
		}
		if f.event = s.c.eventOf(f.attribute); f.event != nil && s.told(f.Sighting, f.event) {
			kept = append(kept, f)
		}
	}
	return kept, last, nil
}

func (s *sightingSearch) wants(x *tocsin.Sighting) bool {
	for _, keep := range s.keep {
		if !keep(x) {
			return false
		}
	}
	return true
}
