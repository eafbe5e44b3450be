package mispapi

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// A search is what a client asks for. What the store can answer narrows its
// query; the rest is asked of each record that the store finds, which costs time
// but never an answer.
type search struct {
	c      *call
	q      store.Query
	events store.EventQuery
	// byEvent says that only attributes of events that match are wanted.
	byEvent    bool
	keepEvent  []func(*tocsin.Event) bool
	keep       []func(*tocsin.Attribute) bool
	keepObject []func(*tocsin.Object) bool

	narrows bool     // something was asked for that narrows the search
	byClaim bool     // something was asked of attributes
	ignored []string // what nobody here knows
	// unheeded is what MISP does not heed either, whether or not something else narrows.
	unheeded []string
	byNumber bool                         // events were named: see readOrder
	sorted   func(a, b *tocsin.Event) int // the order of events; nil: by id

	byObjectOrder func(a, b *tocsin.Object) int // nil: by id

	held []tocsin.Attribute // all that matches, if it is few: see hold

	limit, page int64
	found       int64    // how many match
	only        []uint16 // of the page, only these types
	format      string
	said        map[string]any
	overEvents  bool // the search is for events
	overObjects bool // for objects
}

// asked are the names that change the answer's shape, size or order and narrow nothing.
var asked = map[string]bool{
	"returnFormat": true, "limit": true, "page": true, "order": true, "deleted": true, "metadata": true, "headerless": true, "requested_attributes": true,
	"includeContext": true, "includeEventUuid": true, "includeEventTags": true, "includeAllTags": true, "includeCorrelations": true,
	"includeEventCorrelations": true, "includeWarninglistHits": true, "enforceWarninglist": true, "withAttachments": true, "attackGalaxy": true,
	"includeProposals": true, "includeSightings": true, "includeDecayScore": true, "includeFullModel": true, "decayingModel": true,
	"modelOverrides": true, "score": true, "excludeDecayed": true, "sgReferenceOnly": true, "ignore": true, "flatten": true,
	"request_attributes": true, "limit_attributes": true, "excludeLocalTags": true, "excludeGalaxy": true, "extended": true, "includeAnalystData": true,
	// What formats are told.
	"ip_address": true, "netfilter_action": true, "stix-version": true, "policy": true, "walled_garden": true, "ns": true, "ns_alt": true, "email": true,
	"serial": true, "refresh": true, "retry": true, "expiry": true, "minimum_ttl": true, "ttl": true, "setup": true, "auth": true, "url": true,
}

// harmless are names whose part of MISP is not here, so that what they ask for is
// as it would be on a MISP where nobody uses it.
var harmless = map[string]bool{
	"includeGalaxy": true, "includeSightingdb": true, "includeServerCorrelations": true,
	"includeAttribute": true, "includeExtensionCorrelations": true, "includeFeedCorrelations": true, "includeAttributeTag": true, "includeTagFeature": true,
}

func (c *call) newSearch(overEvents bool) (*search, error) {
	said, err := c.filters()
	if err != nil {
		return nil, err
	}
	valueIsForAll(said)
	positional(said, c.args)
	s := &search{c: c, said: said, overEvents: overEvents}
	c.allTags = truthy(said["includeAllTags"])
	if err := s.read(); err != nil {
		return nil, c.invalid(err)
	}
	if s.format, err = c.format(textOf(said["returnFormat"])); err != nil {
		return nil, err
	}
	return s, nil
}

// positional reads MISP's older spelling: /attributes/restSearch/json/VALUE/TYPE/…
func positional(said map[string]any, args []string) {
	for i, name := range []string{"returnFormat", "value", "type", "category", "org", "tags", "from", "to", "last", "eventid"} {
		if i < len(args) && args[i] != "null" && args[i] != "false" && args[i] != "" {
			said[name] = args[i]
		}
	}
}

// read settles what was said, name by name. A name that nobody knows is refused
// where ignoring it would answer with everything, and else told in X-Ignored-Filters.
func (s *search) read() (err error) {
	for _, name := range slices.Sorted(maps.Keys(s.said)) {
		if nothing(s.said[name]) {
			continue
		}
		if err := s.readOne(name, s.said[name]); err != nil {
			return err
		}
	}
	if s.q.Deleted, err = deletion(s.said["deleted"]); err != nil {
		return err
	}
	if s.limit, err = count("limit", s.said["limit"]); err != nil {
		return err
	}
	if s.page, err = count("page", s.said["page"]); err != nil {
		return err
	}
	s.enforce()
	if err := s.byDecay(); err != nil {
		return err
	}
	if len(s.ignored) > 0 && !s.narrows {
		return unknown(s.ignored)
	}
	s.tellIgnored()
	return s.readOrder()
}

// readOne settles one name that something was said of.
func (s *search) readOne(name string, v any) error {
	f, known := searchFilters[name]
	switch {
	case unheeded(name) || known && s.loneNegation(name, v):
		s.unheeded = append(s.unheeded, name)
		return nil
	case strings.HasPrefix(name, "galaxy."):
		s.narrows = true
		return s.byCluster(name, v)
	case known:
		s.narrows = true
		return f(s, name, v)
	case !asked[name] && !harmless[name] && truthyOrList(v):
		s.ignored = append(s.ignored, name)
	}
	return nil
}

// tellIgnored names in a header what was ignored. Where nothing else narrows the
// search it would be answered with everything, and is refused instead.
func (s *search) tellIgnored() {
	if all := slices.Concat(s.ignored, s.unheeded); len(all) > 0 {
		slices.Sort(all)
		s.c.w.Header().Set("X-Ignored-Filters", strings.Join(all, ", "))
	}
}

// nothing reports whether v says nothing: null, "", [], {}.
func nothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// truthyOrList tells a wish from a switch that is off ("enforceWarninglist": false).
func truthyOrList(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return truthy(v)
}

func (s *search) claims() { s.byClaim = true }

// settle turns what was asked of events into their ids.
func (s *search) settle(ctx context.Context) error {
	if !s.byEvent {
		return nil
	}
	ids := []int64{}
	q := s.events
	q.Tags, q.NotTags = nil, nil // an attribute may have the tag that its event has not
	for e, err := range s.c.view.Events(ctx, q) {
		if err != nil {
			return err
		}
		if s.wants(&e) {
			ids = append(ids, e.ID)
		}
	}
	s.q.Events = both(s.q.Events, ids)
	return nil
}

func (s *search) wants(e *tocsin.Event) bool {
	for _, keep := range s.keepEvent {
		if !keep(e) {
			return false
		}
	}
	return true
}

// maxAsked is how many attributes are asked one by one for what the store can't.
const maxAsked = 2_000_000

// few is how many attributes a search holds on to, so that what it finds of a value is
// asked for once, and not to be counted first and then to be written.
const few = 256

// hold reads what matches if that is few, and reports whether it was.
func (s *search) hold(ctx context.Context) (bool, error) {
	s.held = nil
	if s.q.Keys == nil && s.q.IDs == nil && s.q.UUIDs == nil {
		return false, nil
	}
	held := []tocsin.Attribute{}
	for a, err := range s.c.notAllowed(s.matching(ctx, s.q)) {
		if err != nil {
			return false, err
		}
		if len(held) == few {
			return false, nil
		}
		held = append(held, a)
	}
	s.held = held
	return true, nil
}

// count counts what matches, limit and page left aside.
func (s *search) count(ctx context.Context) (n int64, err error) {
	if all, err := s.hold(ctx); all || err != nil {
		return int64(len(s.held)), err
	}
	n, err = s.c.view.CountAttributes(ctx, s.q)
	if err != nil || len(s.keep) == 0 {
		return n, err
	}
	if n > maxAsked {
		return 0, tocsin.Errorf(tocsin.Invalid, "this would look at %d attributes one by one; narrow it by type, event, org or time", n)
	}
	n = 0
	for _, err := range s.matching(ctx, s.q) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// rows iterates over the page that was asked for, but for what is left out of it.
func (s *search) rows(ctx context.Context) iter.Seq2[tocsin.Attribute, error] {
	return s.c.notAllowed(s.onPage(ctx))
}

func (s *search) onPage(ctx context.Context) iter.Seq2[tocsin.Attribute, error] {
	q, skip := s.q, s.offset()
	if s.held != nil {
		return func(yield func(tocsin.Attribute, error) bool) {
			for a := range s.pageHeld() {
				if !yield(*a, nil) {
					return
				}
			}
		}
	}
	if len(s.keep) == 0 {
		q.Limit, q.Offset = s.limit, skip
		return s.c.view.Attributes(ctx, q)
	}
	return func(yield func(tocsin.Attribute, error) bool) {
		n := int64(0)
		for a, err := range s.matching(ctx, q) {
			if n++; err == nil && n <= skip {
				continue
			}
			if s.limit > 0 && n > skip+s.limit || !yield(a, err) {
				return
			}
		}
	}
}

// ahead iterates over that page, and reads on while it is written. What it yields is
// good until the next one is asked for.
func (s *search) ahead(ctx context.Context) iter.Seq2[*tocsin.Attribute, error] {
	if s.held != nil {
		return s.pageHeld()
	}
	return store.Ahead(s.rows(ctx))
}

// pageHeld iterates over the page of what is held already.
func (s *search) pageHeld() iter.Seq2[*tocsin.Attribute, error] {
	page := s.held[min(s.offset(), int64(len(s.held))):]
	if s.limit > 0 {
		page = page[:min(s.limit, int64(len(page)))]
	}
	return func(yield func(*tocsin.Attribute, error) bool) {
		for i := range page {
			if !yield(&page[i], nil) {
				return
			}
		}
	}
}

// offset is how many records stand before the page.
func (s *search) offset() int64 { return max(0, s.page-1) * s.limit }

// matching iterates over what the store finds and everything else keeps.
func (s *search) matching(ctx context.Context, q store.Query) iter.Seq2[tocsin.Attribute, error] {
	return func(yield func(tocsin.Attribute, error) bool) {
		for a, err := range s.c.view.Attributes(ctx, q) {
			if err == nil && slices.ContainsFunc(s.keep, func(keep func(*tocsin.Attribute) bool) bool { return !keep(&a) }) {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// eventOf returns the event of an attribute, nil if it has gone meanwhile.
func (c *call) eventOf(a *tocsin.Attribute) *tocsin.Event { return c.eventByID(a.Event) }

// eventByID returns an event, nil if it is not there or not the viewer's to see.
func (c *call) eventByID(id int64) *tocsin.Event {
	e, ok := c.held[id]
	if !ok {
		e, _ = c.view.Event(c.r.Context(), id)
		if c.held == nil || len(c.held) >= maxHeld {
			c.held = map[int64]*tocsin.Event{}
		}
		c.held[id] = e
	}
	return e
}

// maxHeld is how many events one call holds on to.
const maxHeld = 1024
