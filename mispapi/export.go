package mispapi

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/export"
	"tocsin/indicator"
	"tocsin/store"
)

// A format is a returnFormat: how what was found is written.
type format struct {
	export.Format
	// claims writes attributes, events whole events. Where one is nil, the format is
	// written by package export.
	claims func(*search, *stream) error
	events func(*search, *stream, []int64) error
}

// formats are what restSearch writes. Others are answered as MISP answers to
// names that it does not know.
var formats = map[string]format{}

func init() {
	for _, f := range export.Formats() {
		formats[f.Name] = format{Format: f}
	}
	for _, f := range []format{
		{Format: export.Format{Name: "json", Media: mediaJSON, Suffix: "json"}, claims: (*search).writeJSON, events: (*search).writeEvents},
		{Format: export.Format{Name: "xml", Media: mediaXML, Suffix: "xml"}, claims: asXML((*search).writeJSON), events: eventsAsXML},
		{Format: export.Format{Name: "stix2", Media: mediaJSON, Suffix: "json"}, claims: (*search).writeBundle, events: (*search).writeEventBundle},
		{Format: export.Format{Name: "stix", Module: "stix-json", Media: mediaJSON, Suffix: "json"}, claims: writePackage(true), events: writeEventPackage(true)},
		{Format: export.Format{Name: "stix-json", Media: mediaJSON, Suffix: "json"}, claims: writePackage(true), events: writeEventPackage(true)},
		{Format: export.Format{Name: "stix-xml", Media: mediaXML, Suffix: "xml"}, claims: writePackage(false), events: writeEventPackage(false)},
		{Format: export.Format{Name: "count", Media: "text/plain; charset=UTF-8", Suffix: "txt"}, claims: (*search).writeCount, events: (*search).writeEventCount},
	} {
		formats[f.Name] = f
	}
}

func (c *call) format(name string) (string, error) {
	switch {
	case name == "":
		return "json", nil
	case name == "stix" && wantsXML(c.r): // as MISP chooses between the two
		return "stix-xml", nil
	}
	if _, ok := formats[name]; !ok {
		return "", c.because(http.StatusNotFound, tocsin.Invalid, "Invalid output format.",
			"There is no format "+name+". Try one of "+strings.Join(slices.Sorted(maps.Keys(formats)), ", ")+".")
	}
	return name, nil
}

// searchAttributes answers with attributes, in constant memory.
func searchAttributes(c *call) error {
	s, err := c.newSearch(false)
	if err != nil {
		return err
	}
	return s.answerAttributes()
}

func (s *search) answerAttributes() error {
	c, f := s.c, formats[s.format]
	s.suit(f)
	c.leaveOutAllowed()
	if err := s.settle(c.r.Context()); err != nil {
		return err
	}
	n, err := s.count(c.r.Context())
	if err != nil {
		return c.invalid(err)
	}
	skipped, err := s.skipped(n)
	if err != nil {
		return c.invalid(err)
	}
	s.announce(f, n+skipped)
	s.found = n
	if !f.Page {
		c.w.Header().Set("X-Skipped-Elements-Count", itoa(skipped))
	}
	out := c.stream(f.Media)
	if f.claims != nil {
		err = f.claims(s, out)
	} else {
		err = s.export(f, out, nil)
	}
	if err != nil {
		return c.invalid(err)
	}
	return out.end()
}

// suit narrows to what the format is made of, and to what a device is to act on.
func (s *search) suit(f format) {
	if f.Types != nil {
		s.q.Types = commonTypes(s.q.Types, f.Types)
	}
	if !f.Device {
		return
	}
	yes := true
	if nothing(s.said["to_ids"]) {
		s.q.ToIDS = &yes
	}
	if nothing(s.said["published"]) {
		s.q.Published, s.events.Published = &yes, &yes
	}
	if nothing(s.said["enforceWarninglist"]) {
		s.q.Guarded = new(false)
	}
}

// commonTypes returns the numbers of named types, of those in ids if that is not nil.
func commonTypes(ids []uint16, names []string) []uint16 {
	common := []uint16{}
	for _, name := range names {
		if t, ok := indicator.TypeByName(name); ok && (ids == nil || slices.Contains(ids, t.ID)) {
			common = append(common, t.ID)
		}
	}
	return common
}

// announce sets the headers that say what comes. The count is of all that match,
// whichever page was asked for.
func (s *search) announce(f format, n int64) {
	h := s.c.w.Header()
	if f.Page {
		return
	}
	h.Set("X-Result-Count", itoa(n))
	h.Set("X-Export-Module-Used", cmp.Or(f.Module, f.Name))
	h.Set("X-Response-Format", s.suffix(f))
	h.Set("X-Skipped-Elements-Count", "0")
}

// export has package export write what was found, of these events if there are any.
func (s *search) export(f format, out *stream, events []int64) error {
	columns, err := scalars("requested_attributes", s.said["requested_attributes"])
	if err != nil {
		return err
	}
	c := s.c
	a := &export.Answer{
		Whole: events != nil, Columns: columns, Names: c.tagNames, Now: c.db.Now(), Instance: c.instance(), Base: c.base(),
		Host: c.briefOrg(hostOrg).Name, Asks: c.briefOrg(c.v.Org()).Name,
		Claims: func(types ...string) iter.Seq2[export.Claim, error] {
			return func(yield func(export.Claim, error) bool) {
				s.reading(f.Parts, columns).eachClaim(c.r.Context(), types, events, yield)
			}
		},
		Said: func(name string) string {
			if v := s.said[name]; truthyOrList(v) {
				return textOf(v)
			}
			return ""
		},
		Org: names{c.view, c.db}.Organisation, Object: c.objectOf(),
		Meaning: c.meaning(), Sighted: c.timesSeen,
	}
	return f.Write(export.NewWriter(out), a)
}

// objectOf returns a function that finds objects, and keeps some.
func (c *call) objectOf() func(int64) *tocsin.Object {
	held := map[int64]*tocsin.Object{}
	return func(id int64) *tocsin.Object {
		o, ok := held[id]
		if !ok {
			if len(held) >= maxHeld {
				clear(held)
			}
			o, _ = c.object(itoa(id))
			held[id] = o
		}
		return o
	}
}

// hostOrg is the organisation that runs an instance: the first there was.
const hostOrg = 1

// base is where this instance is found.
func (c *call) base() string {
	if c.Base != "" {
		return c.Base
	}
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

// reading is the search with no more read of each attribute than is written. What a
// filter asks of each, it may find anywhere. The columns that a table rarely has are
// left out unless they were named.
func (s *search) reading(ps tocsin.Parts, columns []string) *search {
	of := *s
	if len(s.keep) > 0 {
		return &of
	}
	if len(columns) == 0 {
		ps &^= tocsin.PartRest
	}
	if of.q.Parts = ps | tocsin.PartValue; s.overEvents {
		of.q.Parts |= tocsin.PartPlace
	}
	return &of
}

// eachClaim yields what was found, of some types only if any are named. Of events,
// those come one after the other, and of each what is in objects last.
func (s *search) eachClaim(ctx context.Context, types []string, events []int64, yield func(export.Claim, error) bool) {
	of := *s
	of.held = nil
	if len(types) > 0 {
		of.q.Types = commonTypes(s.q.Types, types)
		if s.limit > 0 && events == nil { // the page is of all types
			of.q.Types = s.q.Types
			of.only = commonTypes(nil, types)
		}
	}
	if events == nil {
		of.yieldClaims(ctx, nil, yield)
		return
	}
	of.limit, of.page, of.q.Order = 0, 0, nil
	if f := formats[s.format]; !f.Device {
		of.whole(f, types)
	}
	for _, id := range events {
		of.q.Events = []int64{id}
		parts := false
		ok := of.yieldClaims(ctx, func(a *tocsin.Attribute) bool { parts = parts || a.Object != 0; return a.Object == 0 }, yield)
		if ok && parts {
			ok = of.yieldClaims(ctx, func(a *tocsin.Attribute) bool { return a.Object != 0 }, yield)
		}
		if !ok {
			return
		}
	}
}

// whole has a search give all of an event that was found, and not only what it was
// found by, as MISP does. What a device acts on stays what was asked for.
func (s *search) whole(f format, types []string) {
	s.q = store.Query{Deleted: s.q.Deleted, ToIDS: s.q.ToIDS, Guarded: s.q.Guarded, NotTags: s.q.NotTags}
	s.keep = nil
	if types == nil {
		types = f.Types
	}
	if types != nil {
		s.q.Types = commonTypes(nil, types)
	}
}

func (s *search) yieldClaims(ctx context.Context, keep func(*tocsin.Attribute) bool, yield func(export.Claim, error) bool) bool {
	for a, err := range s.ahead(ctx) {
		if err != nil {
			yield(export.Claim{}, err)
			return false
		}
		if keep != nil && !keep(a) || s.only != nil && !slices.Contains(s.only, a.Value.Type().ID) {
			continue
		}
		e := s.c.eventOf(a)
		if e == nil {
			continue // it was deleted since the search began
		}
		if !yield(export.Claim{Attribute: a, In: e}, nil) {
			return false
		}
	}
	return true
}

func (s *search) writeCount(out *stream) error {
	n := s.found
	if len(s.c.allowed) > 0 { // what is left out is not counted
		n = 0
		all := s.reading(0, nil)
		all.limit = 0
		for _, err := range all.rows(s.c.r.Context()) {
			if err != nil {
				return err
			}
			n++
		}
	}
	out.b = append(out.b, itoa(n)...)
	return nil
}

func (s *search) writeEventCount(out *stream, _ []int64) error {
	out.b = append(out.b, itoa(s.found)...)
	return nil
}

// tagNames are the names of tags that this reader may have, as exports have them.
func (c *call) tagNames(ts tocsin.TagSet) (tags []string) {
	if ts == "" {
		return nil
	}
	own := c.encoder().Own
	for at := range ts.All() {
		if t, err := store.One[*tocsin.Tag](c.view, at.Tag); err == nil && (own || !at.Local && t.Exportable) {
			tags = append(tags, t.Name)
		}
	}
	return tags
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
