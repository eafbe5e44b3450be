package mispapi

import (
	"tocsin"
	"tocsin/export"
	"tocsin/store"
	"tocsin/vocab"
)

// meaning returns a function that says what taxonomies and galaxies know of a tag.
func (c *call) meaning() func(tag string) export.Meaning {
	colours := map[string]string{}
	for t := range c.view.Tags() {
		colours[t.Name] = t.Colour
	}
	return func(tag string) export.Meaning {
		m := export.Meaning{Colour: colours[tag]}
		if cl, ok := c.tagged(tag); ok {
			m.Galaxy, m.Cluster, m.Description = cl.Type, cl.Value, cl.Description
			if cl.galaxy != nil {
				m.Galaxy = cl.galaxy.Title
			}
			return m
		}
		v, err := c.view.Library().Named(tocsin.Taxonomies, vocab.Namespace(tag))
		if err != nil {
			return m
		}
		t, err := c.view.Library().Taxonomy(c.r.Context(), v)
		if err != nil {
			return m
		}
		if of, ok := t.Tag(tag); ok {
			is := of.Term()
			m.Namespace, m.About, m.Word, m.Text = v.Name, v.Description, is.Value, is.Expanded
		}
		return m
	}
}

// timesSeen returns when an attribute was seen.
func (c *call) timesSeen(a *tocsin.Attribute) (times []int64, err error) {
	for s, err := range c.view.Sightings(c.r.Context(), store.RemarkQuery{Events: []int64{a.Event}, About: tocsin.KindAttribute, AboutIDs: []int64{a.ID}}) {
		if err != nil {
			return nil, err
		}
		if s.Type == tocsin.Seen {
			times = append(times, s.At)
		}
	}
	return times, nil
}
