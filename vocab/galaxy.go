package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tocsin"
	"tocsin/access"
)

// A Galaxy is a set of clusters of one sort: threat actors, tools, sectors (MISP
// galaxy format). Of its clusters it holds an index; the rest is packed, and is
// unpacked as it is asked for.
type Galaxy struct {
	Type        string          `json:"type"`
	UUID        tocsin.UUID     `json:"uuid"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Namespace   string          `json:"namespace,omitempty"`
	Icon        string          `json:"icon,omitempty"`
	Version     integer         `json:"version"`
	KillChain   json.RawMessage `json:"kill_chain_order,omitempty"`

	// Of its clusters together.
	Collection  tocsin.UUID `json:"collection,omitzero"`
	Source      string      `json:"source,omitempty"`
	Authors     texts       `json:"authors,omitempty"`
	ClustersVer integer     `json:"clusters_version,omitempty"`

	number int64 // of the vocabulary that it is in
	packed *packed
}

func (g *Galaxy) settle() error {
	switch g.Type = strings.TrimSpace(g.Type); {
	case g.Type == "" || len(g.Type) > maxWord || strings.ContainsAny(g.Type, `:="`):
		return fmt.Errorf("%q is no type of a galaxy", clip(g.Type))
	case g.UUID.IsZero():
		return fmt.Errorf("the galaxy %s has no uuid", g.Type)
	case strings.TrimSpace(g.Name) == "":
		return fmt.Errorf("the galaxy %s has no name", g.Type)
	}
	return nil
}

// A Cluster is one of a published galaxy: everyone has it.
type Cluster struct {
	tocsin.Cluster
	Collection tocsin.UUID // it was published in
	Revoked    bool
}

// Tag is the name of the tag that puts the cluster on a record.
func (c *Cluster) Tag() string { return ClusterTag(c.Type, c.Value) }

// ClusterTag is the name of the tag of a published cluster.
func ClusterTag(galaxy, value string) string { return clusterNamespace + galaxy + `="` + value + `"` }

const clusterNamespace = "misp-galaxy:"

// ParseClusterTag takes a cluster's tag apart. What it names may be a cluster's
// value, or, of one that an organisation wrote itself, its uuid.
func ParseClusterTag(tag string) (galaxy, value string, ok bool) {
	if len(tag) < len(clusterNamespace) || !strings.EqualFold(tag[:len(clusterNamespace)], clusterNamespace) {
		return "", "", false
	}
	galaxy, value, _ = strings.Cut(tag[len(clusterNamespace):], `="`)
	if value, ok = strings.CutSuffix(value, `"`); !ok || galaxy == "" || value == "" {
		return "", "", false
	}
	return galaxy, value, true
}

// clusters are how the clusters of a galaxy are published: all in one file.
type clusters struct {
	Type        string      `json:"type"`
	UUID        tocsin.UUID `json:"uuid"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Source      string      `json:"source"`
	Authors     texts       `json:"authors"`
	Version     integer     `json:"version"`
	Values      []value     `json:"values"`
}

// maxClusters is how many a galaxy may have: see clusterID.
const maxClusters = 999_999

func (c *clusters) settle() error {
	switch {
	case c.Type == "":
		return errors.New("the clusters name no galaxy")
	case len(c.Values) > maxClusters:
		return fmt.Errorf("it has %d clusters; %d are taken", len(c.Values), maxClusters)
	}
	for i := range c.Values {
		if err := c.Values[i].settle(); err != nil {
			return err
		}
	}
	return nil
}

// value is how one cluster is published, and kept.
type value struct {
	Value       string      `json:"value"`
	UUID        tocsin.UUID `json:"uuid"`
	Description string      `json:"description,omitempty"`
	Meta        meta        `json:"meta,omitempty"`
	Related     []related   `json:"related,omitempty"`
	Revoked     yes         `json:"revoked,omitempty"`
}

type related struct {
	Dest tocsin.UUID `json:"dest-uuid"`
	Type string      `json:"type"`
	Tags texts       `json:"tags,omitempty"`
}

// A meta is read in its order. A key with several values is there several times.
type meta []tocsin.Element

func (m *meta) UnmarshalJSON(b []byte) error {
	return members(b, func(key string, raw json.RawMessage) error {
		var vs texts
		if err := json.Unmarshal(raw, &vs); err != nil {
			return err
		}
		for _, v := range vs {
			*m = append(*m, tocsin.Element{Key: key, Value: v})
		}
		return nil
	})
}

// MarshalJSON writes what belongs to a key as one list.
func (m meta) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i := 0; i < len(m); {
		vs := []string{}
		j := i
		for ; j < len(m) && m[j].Key == m[i].Key; j++ {
			vs = append(vs, m[j].Value)
		}
		key, err := json.Marshal(m[i].Key)
		if err != nil {
			return nil, err
		}
		list, err := json.Marshal(vs)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, key...), ':'), list...)
		i = j
	}
	return append(b, '}'), nil
}

func (v *value) settle() error {
	switch {
	case strings.TrimSpace(v.Value) == "" || len(v.Value) > 4*maxWord || strings.ContainsAny(v.Value, "\x00\n\r"):
		return fmt.Errorf("%q is no value of a cluster", clip(v.Value))
	case v.UUID.IsZero():
		return fmt.Errorf("the cluster %q has no uuid", clip(v.Value))
	}
	return nil
}

// clusterID is the id of a cluster: those of the first galaxy count from 1,000,000,
// of the second from 2,000,000. So they stay what they are when a galaxy is read
// anew, and are none of an organisation's own clusters, which count from 1.
func clusterID(galaxy int64, ordinal int) int64 { return galaxy*(maxClusters+1) + int64(ordinal) }

// GalaxyOf returns the number of the galaxy in which a published cluster of that id
// is, 0 if the id is not one of theirs.
func GalaxyOf(cluster int64) int64 { return cluster / (maxClusters + 1) }

// cluster makes a cluster of what is kept.
func (g *Galaxy) cluster(v *value, ordinal int) *Cluster {
	c := &Cluster{Collection: g.Collection, Revoked: bool(v.Revoked)}
	c.ID, c.UUID, c.Distribution = clusterID(g.number, ordinal), v.UUID, access.Everyone
	c.Galaxy, c.Type, c.Value, c.Description = g.UUID, g.Type, v.Value, v.Description
	c.Source, c.Authors, c.Version, c.Elements = g.Source, g.Authors, int64(g.ClustersVer), v.Meta
	for _, r := range v.Related {
		c.Relations = append(c.Relations, tocsin.ClusterRelation{Other: r.Dest, Type: r.Type, Distribution: access.Everyone, Tags: r.Tags})
	}
	return c
}
