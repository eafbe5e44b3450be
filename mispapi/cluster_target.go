package mispapi

import (
	"sync"

	"tocsin"
	"tocsin/store"
)

// Which clusters lead to another is asked the other way round than relations are kept.
// Of the published ones an index is made when somebody first asks, and anew when
// the reference data has changed; it is the same for everybody.

type leads struct {
	mu    sync.Mutex
	moves uint64
	by    map[tocsin.UUID][]source
}

// A source is a relation of a published cluster: which cluster, and which of its
// relations.
type source struct {
	cluster int64
	part    int32
}

// targeting are the relations of others that lead to a cluster.
func (c *call) targeting(cl *cluster) (rows []relationRow) {
	for _, s := range c.publishedTargets()[cl.UUID] {
		v, p, err := c.view.Library().Cluster(c.r.Context(), s.cluster)
		if err != nil || int(s.part) > len(p.Relations) {
			continue // the reference data has changed meanwhile
		}
		from := &cluster{&p.Cluster, v, p}
		row := c.relationRow(from, &p.Relations[s.part-1], int64(s.part))
		rows = append(rows, row)
	}
	for _, own := range c.ownTargets()[cl.UUID] {
		for i := range own.Relations {
			if r := &own.Relations[i]; r.Other == cl.UUID {
				rows = append(rows, c.relationRow(c.owned(own), r, r.ID))
			}
		}
	}
	return rows
}

// publishedTargets is the index of the published clusters' relations.
func (c *call) publishedTargets() map[tocsin.UUID][]source {
	t, moves := &c.API.leads, c.db.Moves(tocsin.KindVocabulary)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by != nil && t.moves == moves {
		return t.by
	}
	by := map[tocsin.UUID][]source{}
	l := c.view.Library()
	for v := range l.All(tocsin.Galaxies) {
		g, err := l.Galaxy(c.r.Context(), v)
		if err != nil {
			return by
		}
		for p, err := range g.Clusters() {
			if err != nil {
				return by
			}
			for i := range p.Relations {
				to := p.Relations[i].Other
				by[to] = append(by[to], source{p.ID, int32(i + 1)})
			}
		}
	}
	t.by, t.moves = by, moves
	return by
}

// ownTargets are the own clusters that the viewer may have, by what they lead to.
func (c *call) ownTargets() map[tocsin.UUID][]*tocsin.Cluster {
	if c.ownLeads != nil {
		return c.ownLeads
	}
	c.ownLeads = map[tocsin.UUID][]*tocsin.Cluster{}
	for own, err := range c.view.Clusters(c.r.Context(), store.RemarkQuery{}) {
		if err != nil {
			break
		}
		for i := range own.Relations {
			to := own.Relations[i].Other
			if list := c.ownLeads[to]; len(list) == 0 || list[len(list)-1] != own {
				c.ownLeads[to] = append(list, own)
			}
		}
	}
	return c.ownLeads
}
