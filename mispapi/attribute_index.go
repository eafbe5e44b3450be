package mispapi

import (
	"net/http"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// latestFirst is the order of the lists that MISP shows to people: the newest event
// first, and in it what came last.
var latestFirst = []store.Order{{By: store.TraitEvent, Desc: true}, {By: store.TraitID, Desc: true}}

// pageLength is how many attributes such a list holds unless somebody asks for more,
// as in MISP.
const pageLength = 60

// paged reads limit and page of such a list.
func (s *search) paged() (err error) {
	if s.limit, err = count("limit", s.said["limit"]); err == nil {
		s.page, err = count("page", s.said["page"])
	}
	if s.limit == 0 {
		s.limit = pageLength
	}
	return err
}

// indexAttributes answers with a page of all attributes, the latest first.
func indexAttributes(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	s := &search{c: c, said: said}
	if err := s.paged(); err != nil {
		return c.invalid(err)
	}
	s.q.Order = latestFirst
	return c.listed(s, func(b []byte, enc *misp.Encoder, a *tocsin.Attribute) ([]byte, error) {
		return enc.AppendAttribute(b, a, misp.Split, misp.More{}), nil
	})
}

// listed answers with a JSON list of what a search finds.
func (c *call) listed(s *search, row func([]byte, *misp.Encoder, *tocsin.Attribute) ([]byte, error)) error {
	enc, out := c.encoder(), c.stream(mediaJSON)
	out.b = append(out.b, '[')
	first := true
	for a, err := range s.rows(c.r.Context()) {
		if err != nil {
			return err
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		if out.b, err = row(out.b, enc, &a); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// findAttributes answers the search of MISP's pages: the filters of restSearch, and
// attributes with their events and what correlates, the latest first.
func findAttributes(c *call) error {
	if !c.writes() && len(c.named) == 0 && c.r.URL.RawQuery == "" {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "This function is only accessible via POST requests.")
	}
	s, err := c.newSearch(false)
	if err != nil {
		return err
	}
	if err := s.paged(); err != nil {
		return c.invalid(err)
	}
	if err := s.settle(c.r.Context()); err != nil {
		return err
	}
	if nothing(s.said["order"]) {
		s.q.Order = latestFirst
	}
	if _, err := s.count(c.r.Context()); err != nil { // it refuses to look at too much
		return c.invalid(err)
	}
	return c.listed(s, c.appendWithEvent)
}

// appendWithEvent appends an attribute with its event, the attributes of others that
// claim the same, and the names that MISP fills only now and then.
func (c *call) appendWithEvent(b []byte, enc *misp.Encoder, a *tocsin.Attribute) ([]byte, error) {
	e := c.eventOf(a)
	if e == nil {
		return append(b, `{}`...), nil // it was deleted since the search began
	}
	b = enc.AppendAttribute(append(b, `{"Attribute":`...), a, misp.Split, misp.More{})
	b = appendJSON(append(b, `,"Event":`...), struct {
		ID   int64    `json:"id"`
		Orgc int64    `json:"orgc_id"`
		Org  int64    `json:"org_id"`
		Info string   `json:"info"`
		User int64    `json:"user_id"`
		Date string   `json:"date"`
		By   briefOrg `json:"Orgc"`
		At   briefOrg `json:"Org"`
	}{e.ID, e.Orgc, e.Org, e.Info, c.userOf(e), e.Date, c.briefOrg(e.Orgc), c.briefOrg(e.Org)})
	b = append(without(b, `,"RelatedAttribute":`), '{')
	related, err := c.appendRelatedInFull(append(append(append(b, '"'), itoa(a.ID)...), `":`...), enc, a)
	if err != nil {
		return nil, err
	}
	b = append(related, `}}`...)
	b = append(b, `,"SharingGroup":{"name":`...)
	if g, err := store.One[*tocsin.Group](c.view, a.Group); err == nil && a.Group != 0 {
		b = appendJSON(b, g.Name)
	} else {
		b = append(b, `null`...)
	}
	b = append(b, `},"Object":`...)
	if o, err := c.object(itoa(a.Object)); err == nil {
		b = appendJSON(b, map[string]any{"id": o.ID, "distribution": o.Distribution, "sharing_group_id": o.Group})
	} else {
		b = append(b, `{"id":null,"distribution":null,"sharing_group_id":null}`...)
	}
	b = enc.AppendAttributeTags(append(b, `,"AttributeTag":[`...), a)
	return append(b, `]}`...), nil
}

// userOf is who entered an event, 0 for readers to whom that is no colleague.
func (c *call) userOf(e *tocsin.Event) int64 {
	if c.v.SeesAll() || c.v.Org() == e.Orgc {
		return e.User
	}
	return 0
}

// appendRelatedInFull appends the attributes of other events that claim the same,
// each with both halves of its value and its event, from which MISP repeats some.
func (c *call) appendRelatedInFull(b []byte, enc *misp.Encoder, a *tocsin.Attribute) ([]byte, error) {
	b = append(b, '[')
	for other, err := range c.relatedTo(a) {
		if err != nil {
			return nil, err
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = enc.AppendAttribute(b, &other.Attribute, misp.Split, misp.More{})
		b = enc.AppendRelatedEvent(without(b, `,"Event":`), other.in)
		b = appendJSON(append(b, `,"info":`...), other.in.Info)
		b = append(append(b, `,"org_id":`...), itoa(other.in.Org)...)
		b = append(appendJSON(append(b, `,"date":`...), other.in.Date), '}')
	}
	return append(b, ']'), nil
}
