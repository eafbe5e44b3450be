package mispapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/vocab"
)

// A share is how many records there are of something.
type share struct {
	name string
	n    int64
}

// appendShares appends shares by name, as counts or as parts of all of them. MISP
// writes both as text.
func appendShares(b []byte, shares []share, percent bool) []byte {
	all := int64(0)
	for _, s := range shares {
		all += s.n
	}
	b = append(b, '{')
	for i, s := range shares {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, s.name), ':')
		if percent {
			b = appendJSON(b, percentage(s.n, all))
		} else {
			b = appendJSON(b, itoa(s.n))
		}
	}
	return append(b, '}')
}

// percentage writes a part of all with up to three decimals: 3.03%, 25%.
func percentage(n, all int64) string {
	text := strconv.FormatFloat(float64(n)/float64(max(all, 1))*100, 'f', 3, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "%"
}

// attributeStatistics answers how many attributes there are of each type or category:
// /attributes/attributeStatistics/type, and as percentages /attributes/attributeStatistics/type/1.
func attributeStatistics(c *call) error {
	name := map[string]func(int64) string{
		"type":     func(id int64) string { return typeName(uint16(id)) },
		"category": func(id int64) string { return indicator.Category(id).String() },
	}
	by, ok := map[string]store.Trait{"": store.TraitType, "type": store.TraitType, "category": store.TraitCategory}[c.arg(0)]
	if !ok {
		return c.no(http.StatusNotFound, tocsin.Invalid, "Invalid statistics context; try type or category.")
	}
	n, err := c.view.Tally(c.r.Context(), by, store.Query{})
	if err != nil {
		return err
	}
	of := name[cmp.Or(c.arg(0), "type")]
	var shares []share
	for id, count := range n {
		shares = append(shares, share{of(id), count})
	}
	slices.SortFunc(shares, func(a, b share) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return c.send(appendShares(nil, shares, truthy(c.arg(1))))
}

func typeName(id uint16) string {
	for _, t := range indicator.Types() {
		if t.ID == id {
			return t.Name
		}
	}
	return ""
}

// tagStatistics answers how many events carry each tag, the most frequent first or
// (second argument) by name, and how many the tags of each taxonomy.
func tagStatistics(c *call) error {
	n, err := c.view.TallyEvents(c.r.Context(), store.EventQuery{})
	if err != nil {
		return err
	}
	var shares []share
	for _, id := range slices.Sorted(maps.Keys(n)) {
		if t, err := store.One[*tocsin.Tag](c.view, id); err == nil {
			shares = append(shares, share{t.Name, n[id]})
		}
	}
	slices.SortFunc(shares, func(a, b share) int {
		if truthy(c.arg(1)) {
			return strings.Compare(a.name, b.name)
		}
		return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.name, b.name))
	})
	b := append(appendShares([]byte(`{"tags":`), shares, truthy(c.arg(0))), `,"taxonomies":`...)
	spaces := c.spaces(shares)
	if len(spaces) == 0 {
		return c.send(append(b, `[]}`...))
	}
	return c.send(append(appendShares(b, spaces, truthy(c.arg(0))), '}'))
}

// spaces sums up tags by the enabled taxonomies that they are of.
func (c *call) spaces(tags []share) (out []share) {
	sum := map[string]int64{}
	for _, t := range tags {
		sum[strings.ToLower(vocab.Namespace(t.name))] += t.n
	}
	for v := range c.view.Library().All(tocsin.Taxonomies) {
		if n := sum[strings.ToLower(v.Name)]; v.Enabled && n > 0 {
			out = append(out, share{v.Name, n})
		}
	}
	return out
}
