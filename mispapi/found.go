package mispapi

import (
	"iter"
	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// writeJSON writes found attributes as JSON.
func (s *search) writeJSON(out *stream) error {
	out.b = append(out.b, `{"response":{"Attribute":[`...)
	enc, first := s.c.encoder(), true
	var proposed map[int64][]byte // about attributes of the event proposedIn
	var proposedIn int64
	withUUID, withTags, withRelated := truthy(s.said["includeEventUuid"]), truthy(s.said["includeEventTags"]), truthy(s.said["includeCorrelations"])
	decays, err := s.c.decaysAsked(s.said)
	if err != nil {
		return s.c.invalid(err)
	}
	for a, err := range s.ahead(s.c.r.Context()) {
		if err != nil {
			return err
		}
		e := s.c.eventOf(a)
		if e == nil {
			continue // it was deleted since the search began
		}
		var o *tocsin.Object
		if a.Object != 0 {
			if o, err = s.c.object(itoa(a.Object)); err != nil {
				continue
			}
		}
		var m misp.More
		if withUUID {
			m.EventUUID = e.UUID
		}
		if withTags {
			m.Inherited = e.Tags
		}
		if truthy(s.said["includeProposals"]) {
			if proposedIn != e.ID {
				if proposed, err = s.c.shadowsIn(e); err != nil {
					return err
				}
				proposedIn = e.ID
			}
			if m.Proposals = proposed[a.ID]; m.Proposals == nil {
				m.Proposals = []byte("[]")
			}
		}
		if truthy(s.said["includeSightings"]) {
			seen, err := s.c.sightingsIn(a.Event)
			if err != nil {
				return err
			}
			if m.Sightings = seen[a.ID]; m.Sightings == nil {
				m.Sightings = []byte("[]")
			}
		}
		if truthy(s.said["withAttachments"]) || truthy(s.said["includeAttachments"]) {
			if m.Data, err = s.c.heldBy(a); err != nil {
				return err
			}
		}
		if decays != nil {
			if scores := decays.scores(a, e); scores != nil {
				m.Decay = appendJSON(nil, scores)
			}
		}
		if truthy(s.said["includeWarninglistHits"]) {
			m.Warnings = s.c.warnings(a)
		}
		if withRelated {
			if m.Related, err = s.c.appendRelated(nil, enc, a); err != nil {
				return err
			}
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = enc.AppendFound(out.b, a, e, o, m)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}}`...)
	return nil
}

// maxRelatedAttributes is how many attributes are listed beside one that
// correlates with them.
const maxRelatedAttributes = 100

// A related is an attribute that claims what another one does, with its event.
type related struct {
	tocsin.Attribute
	in *tocsin.Event
}

// relatedTo iterates over the attributes of other events that claim the same.
func (c *call) relatedTo(a *tocsin.Attribute) iter.Seq2[related, error] {
	return func(yield func(related, error) bool) {
		keys := c.correlating(a)
		if len(keys) == 0 {
			return
		}
		for other, err := range c.view.Attributes(c.r.Context(), store.Query{Keys: keys, Limit: maxRelatedAttributes}) {
			if err != nil {
				yield(related{}, err)
				return
			}
			e := c.eventOf(&other)
			if other.Event == a.Event || e == nil || len(c.correlating(&other)) == 0 {
				continue
			}
			if !yield(related{other, e}, nil) {
				return
			}
		}
	}
}

// appendRelated appends the attributes of other events that claim the same.
func (c *call) appendRelated(b []byte, enc *misp.Encoder, a *tocsin.Attribute) ([]byte, error) {
	b = append(b, '[')
	for other, err := range c.relatedTo(a) {
		if err != nil {
			return nil, err
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = enc.AppendRelated(b, &other.Attribute, other.in)
	}
	return append(b, ']'), nil
}
