package mispapi

import (
	"fmt"
	"strconv"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// searchClusters answers with own clusters, and with those that everybody has unless
// "custom" is asked for: in full, or with "minimal" what a peer needs to find out
// what it lacks.
func searchClusters(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	found, err := c.clustersSought(said)
	if err != nil {
		return c.invalid(err)
	}
	h := c.w.Header()
	h.Set("X-Result-Count", strconv.Itoa(len(found)))
	h.Set("X-Export-Module-Used", "json")
	h.Set("X-Response-Format", "json")
	h.Set("X-Skipped-Elements-Count", "0")
	limit, offset, err := page(said)
	if err != nil {
		return c.invalid(err)
	}
	found = found[min(offset, int64(len(found))):]
	if limit > 0 {
		found = found[:min(limit, int64(len(found)))]
	}
	out := c.stream(mediaJSON)
	out.b = append(out.b, `{"response":[`...)
	for i, cl := range found {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		var words any = struct {
			UUID    tocsin.UUID `json:"uuid"`
			Version int64       `json:"version"`
		}{cl.UUID, cl.Version}
		if !truthy(said["minimal"]) {
			words = c.fullCluster(cl)
		}
		out.b = append(appendJSON(append(out.b, `{"GalaxyCluster":`...), words), '}')
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
	return out.end()
}

// clustersSought are the clusters that a search is for.
func (c *call) clustersSought(said map[string]any) (found []*cluster, err error) {
	keep, err := c.clusterFilters(said)
	if err != nil {
		return nil, err
	}
	take := func(cl *cluster) error {
		for _, k := range keep {
			if !k(cl) {
				return nil
			}
		}
		found = append(found, cl)
		return nil
	}
	deleted := store.Live
	if v, ok := said["deleted"]; ok {
		if deleted, err = deletion(v); err != nil {
			return nil, err
		}
	}
	if !truthy(said["custom"]) {
		l := c.view.Library()
		for v := range l.All(tocsin.Galaxies) {
			g, err := l.Galaxy(c.r.Context(), v)
			if err != nil {
				return nil, err
			}
			for p, err := range g.Clusters() {
				if err != nil {
					return nil, err
				}
				take(&cluster{&p.Cluster, v, p})
			}
		}
	}
	for own, err := range c.view.Clusters(c.r.Context(), store.RemarkQuery{Deleted: deleted}) {
		if err != nil {
			return nil, err
		}
		take(c.owned(own))
	}
	return found, nil
}

// clusterFilters are what a search narrows clusters by.
func (c *call) clusterFilters(said map[string]any) (keep []func(*cluster) bool, err error) {
	for name, of := range map[string]func(*cluster) string{
		"id":           func(cl *cluster) string { return itoa(cl.ID) },
		"uuid":         func(cl *cluster) string { return cl.UUID.String() },
		"galaxy_id":    func(cl *cluster) string { return itoa(cl.row().Galaxy) },
		"galaxy_uuid":  func(cl *cluster) string { return cl.Galaxy.String() },
		"type":         func(cl *cluster) string { return cl.Type },
		"value":        func(cl *cluster) string { return cl.Value },
		"tag_name":     (*cluster).tag,
		"extends_uuid": func(cl *cluster) string { return cl.Extends.String() },
		"version":      func(cl *cluster) string { return itoa(cl.Version) },
		"distribution": func(cl *cluster) string { return itoa(int64(cl.Distribution)) },
		"org_id":       func(cl *cluster) string { return itoa(cl.Org) },
		"orgc_id":      func(cl *cluster) string { return itoa(cl.Orgc) },
	} {
		t, err := termsOf(name, said[name])
		if err != nil {
			return nil, err
		}
		if wanted := t.positive(); len(wanted) > 0 {
			is := anyLike(wanted)
			keep = append(keep, func(cl *cluster) bool { return is(of(cl)) })
		}
		if len(t.not) > 0 {
			not := anyLike(t.not)
			keep = append(keep, func(cl *cluster) bool { return !not(of(cl)) })
		}
	}
	for name, of := range map[string]func(*cluster) bool{
		"published": func(cl *cluster) bool { return cl.Published },
		"default":   func(cl *cluster) bool { return cl.published != nil },
	} {
		want, err := either(name, said[name])
		if err != nil {
			return nil, err
		}
		if want != nil {
			keep = append(keep, func(cl *cluster) bool { return of(cl) == *want })
		}
	}
	return keep, nil
}

// pushClusters takes in own clusters that a peer pushes, or that a file of exported ones
// holds. What is as new here is passed over, and what was written here is not changed
// by others.
func pushClusters(c *call) error {
	var imported, ignored, failed int
	err := misp.DecodeClusters(c.r.Body, func(in *misp.Cluster) error {
		switch taken, err := c.takeCluster(in); {
		case err == nil && taken:
			imported++
		case err == nil:
			ignored++
		case tocsin.CodeOf(err) == tocsin.Internal:
			return err
		default:
			failed++
		}
		if imported+ignored+failed > maxUUIDs {
			return tocsin.Errorf(tocsin.Invalid, "more than %d clusters in one call", maxUUIDs)
		}
		return nil
	})
	if err != nil && !misp.IsEmpty(err) {
		return c.undecoded(err, "No valid galaxy cluster data received.")
	}
	return c.done(fmt.Sprintf("Galaxy clusters imported. %d imported, %d ignored, %d failed. ", imported, ignored, failed), c.act.path, nil)
}

// takeCluster takes in one cluster.
func (c *call) takeCluster(in *misp.Cluster) (taken bool, err error) {
	if in.Default.Or(false) {
		return false, nil // those that everybody has come with the reference data
	}
	g := in.Galaxy
	if g == nil {
		g = &misp.Galaxy{}
	}
	w := in.Words(g)
	w.Group = groupMeant(c.view, in.Group, in.SharingGroup)
	w.Locked = c.v.May(access.Sync)
	if in.Orgc != nil {
		if w.Orgc = c.orgByUUID(in.Orgc); w.Orgc == 0 && c.v.May(access.Sync) {
			return false, tocsin.Errorf(tocsin.Invalid, "the organisation that wrote it is not known here")
		}
	}
	w.Published = unlessMayPublish(c.v, w.Published)
	withoutGroups(w.Relations)
	old, err := store.OneRemark(c.view.Clusters(c.r.Context(), store.RemarkQuery{UUIDs: []tocsin.UUID{w.UUID}, Deleted: store.Any}))
	if err == nil {
		if !old.Locked || old.Version >= w.Version {
			return false, nil
		}
		_, err = c.changeCluster(old.ID, func(cl *tocsin.Cluster) error {
			c.editWords(cl, in)
			if in.HasRelations {
				withoutGroups(cl.Relations)
			}
			cl.Version, cl.Published, cl.Deleted = w.Version, w.Published, w.Deleted
			return nil
		})
		return err == nil, err
	}
	err = c.change(func(tx *store.Tx) error { return store.AddRemark(tx, w) })
	if code := tocsin.CodeOf(err); err != nil && (code == tocsin.Conflict || code == tocsin.Gone) {
		return false, nil
	}
	return err == nil, err
}

// withoutGroups keeps relations within the organisation that a peer would share with
// groups: it numbers them otherwise.
func withoutGroups(rs []tocsin.ClusterRelation) {
	for i := range rs {
		if rs[i].Distribution == access.Group {
			rs[i].Distribution, rs[i].Group = access.OrgOnly, 0
		}
	}
}

// exportGalaxy answers with the clusters of a galaxy in full, as importing takes them:
// /galaxies/export/7.
func exportGalaxy(c *call) error {
	v, err := c.galaxy(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.told("Galaxy")
	if err != nil {
		return err
	}
	custom := said["custom"] == nil || truthy(said["custom"])
	out, first := c.stream(mediaJSON), true
	out.b = append(out.b, '[')
	err = c.clustersOf(v, store.Live, func(cl *cluster) error {
		if cl.published != nil && !truthy(said["default"]) || cl.published == nil && !custom {
			return nil
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = append(appendJSON(append(out.b, `{"GalaxyCluster":`...), c.fullCluster(cl)), '}')
		return out.flush()
	})
	if err != nil {
		return err
	}
	out.b = append(out.b, ']')
	return out.end()
}
