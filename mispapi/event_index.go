package mispapi

import (
	"context"
	"crypto/sha1"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// indexFilters are what the index of events can be narrowed by. Each name may
// have "search" before it, and its case does not matter. Several values stand with
// "|" between them.
var indexFilters = map[string]filter{
	"eventinfo":   func(s *search, n string, v any) error { return s.byInfo(n, contains(piped(v))) },
	"tag":         func(s *search, n string, v any) error { return s.byEventTags(n, piped(v)) },
	"tags":        func(s *search, n string, v any) error { return s.byEventTags(n, piped(v)) },
	"attribute":   (*search).byValue,
	"org":         func(s *search, n string, v any) error { return s.byOrg(n, piped(v)) },
	"published":   (*search).byPublished,
	"datefrom":    (*search).byDateFrom,
	"dateuntil":   (*search).byDateTo,
	"eventid":     func(s *search, n string, v any) error { return s.byEventID(n, piped(v)) },
	"analysis":    func(s *search, n string, v any) error { return s.byAnalysis(n, piped(v)) },
	"threatlevel": func(s *search, n string, v any) error { return s.byThreat(n, piped(v)) },
	"distribution": func(s *search, n string, v any) error {
		return s.byID(n, piped(v), func(e *tocsin.Event) int64 { return int64(e.Distribution) })
	},
	"sharinggroup": func(s *search, n string, v any) error {
		return s.byID(n, piped(v), func(e *tocsin.Event) int64 { return e.Group })
	},
	"timestamp":        (*search).byEventTimestamp,
	"publishtimestamp": (*search).byPublishing,
	"all":              (*search).byAnything,
	"email":            (*search).byEmail,
	"hasproposal":      (*search).byProposal,
	"proposal":         (*search).byProposal,
	"extended":         (*search).byExtended,
}

// piped makes a list of "1|3", as the index has it.
func piped(v any) any {
	if s, ok := v.(string); ok {
		return anys(strings.Split(s, "|"))
	}
	return v
}

// byEmail narrows to the events that users entered whom the viewer may know of.
func (s *search) byEmail(name string, v any) error {
	t, err := termsOf(name, contains(piped(v)))
	if err != nil {
		return err
	}
	is, not := anyLike(t.positive()), anyLike(t.not)
	users := map[int64]bool{}
	for u := range s.c.view.Users() {
		if (len(t.positive()) == 0 || is(u.Email)) && !not(u.Email) {
			users[u.ID] = true
		}
	}
	s.wantEvent(func(e *tocsin.Event) bool { return users[e.User] })
	return nil
}

// byProposal narrows to the events with, or without, proposals that the viewer may see.
func (s *search) byProposal(name string, v any) error {
	want, err := either(name, v)
	if err != nil || want == nil {
		return err
	}
	proposed := map[int64]bool{}
	for p, err := range s.c.view.Proposals(s.c.r.Context(), store.RemarkQuery{}) {
		if err != nil {
			return err
		}
		proposed[p.Event] = true
	}
	s.wantEvent(func(e *tocsin.Event) bool { return proposed[e.ID] == *want })
	return nil
}

// indexEvents answers with the heads of events.
func indexEvents(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	s := &search{c: c, said: said, overEvents: true}
	if err := s.readIndex(); err != nil {
		return c.invalid(err)
	}
	es, n, err := s.index(c.r.Context())
	if err != nil {
		return c.invalid(err)
	}
	sighted, err := c.sightedAt(es)
	if err != nil {
		return err
	}
	c.w.Header().Set("X-Result-Count", itoa(n))
	if truthy(said["minimal"]) {
		return c.minimalIndex(es, sighted)
	}
	enc := c.encoder()
	return c.writeIndex(es, func(b []byte, e *tocsin.Event) []byte {
		return c.withClusters(enc.AppendIndexRow(b, e, sighted[e.ID]), e)
	})
}

// minimalIndex answers with what a peer needs to find out what it lacks, unless
// that is what it was answered before.
func (c *call) minimalIndex(es []tocsin.Event, sighted map[int64]int64) error {
	enc, h := c.encoder(), sha1.New()
	var row []byte
	for i := range es {
		row = enc.AppendMinimalRow(row[:0], &es[i], sighted[es[i].ID])
		h.Write(row)
	}
	tag := fmt.Sprintf(`"%x"`, h.Sum(nil))
	c.w.Header().Set("ETag", tag)
	if strings.TrimPrefix(c.r.Header.Get("If-None-Match"), "W/") == tag {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.writeIndex(es, func(b []byte, e *tocsin.Event) []byte { return enc.AppendMinimalRow(b, e, sighted[e.ID]) })
}

func (c *call) writeIndex(es []tocsin.Event, row func([]byte, *tocsin.Event) []byte) error {
	out := c.stream(mediaJSON)
	out.b = append(out.b, '[')
	for i := range es {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = row(out.b, &es[i])
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// readIndex settles what was said of the index, name by name, as [search.read] does.
func (s *search) readIndex() error {
	var sort, direction string
	for _, name := range slices.Sorted(maps.Keys(s.said)) {
		v := s.said[name]
		if nothing(v) {
			continue
		}
		plain := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(name), "search"), "_", "")
		var err error
		f, known := indexFilters[plain]
		switch {
		case known:
			s.narrows = true
			err = f(s, name, v)
		case unheededInIndex(plain):
			s.unheeded = append(s.unheeded, name)
		case plain == "limit":
			s.limit, err = count(name, v)
		case plain == "page":
			s.page, err = count(name, v)
		case plain == "sort":
			sort = textOf(v)
		case plain == "direction":
			direction = textOf(v)
		case plain == "minimal" || plain == "desc" || asked[name] || harmless[name] || !truthyOrList(v):
		default:
			s.ignored = append(s.ignored, name)
		}
		if err != nil {
			return err
		}
	}
	if len(s.ignored) > 0 && !s.narrows {
		return tocsin.Errorf(tocsin.Invalid, "the index of events has no filter %q; try one of %v", s.ignored[0], slices.Sorted(maps.Keys(indexFilters)))
	}
	s.tellIgnored()
	var err error
	if sort != "" {
		s.sorted, err = s.c.eventOrder(sort + " " + direction)
	}
	return err
}

// index returns a page of the events that match, and how many there are.
func (s *search) index(ctx context.Context) ([]tocsin.Event, int64, error) {
	ids, err := s.matchingEvents(ctx)
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	n := int64(len(ids))
	if s.sorted == nil { // by id: only the page need be read
		ids = s.pageOf(ids)
	}
	if len(ids) == 0 {
		return nil, n, nil
	}
	es, err := s.inOrder(ctx, ids)
	if s.sorted != nil {
		es = es[min(s.offset(), int64(len(es))):]
		if s.limit > 0 {
			es = es[:min(s.limit, int64(len(es)))]
		}
	}
	return es, n, err
}
