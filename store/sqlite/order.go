package sqlite

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"tocsin/indicator"
	"tocsin/store"
)

// orders are what attributes can be put in order by. What clients say chooses one
// and is no part of a statement.
var orders = map[store.Trait]string{
	store.TraitID:           "a.id",
	store.TraitUUID:         "a.uuid",
	store.TraitEvent:        "a.event",
	store.TraitObject:       "a.object",
	store.TraitRelation:     "a.relation",
	store.TraitCategory:     byName("a.category", categoryNames()),
	store.TraitType:         byName("a.type", typeNames()),
	store.TraitValue:        "a.value",
	store.TraitComment:      "a.comment",
	store.TraitToIDS:        "a.flags & 1",
	store.TraitDistribution: "a.distribution",
	store.TraitTimestamp:    "a.timestamp",
	store.TraitFirstSeen:    "a.first_seen",
	store.TraitLastSeen:     "a.last_seen",
	store.TraitDeleted:      "a.flags & 2",
}

// orderBy returns the clause for an order, which ends with ids.
func orderBy(by []store.Order) string {
	var b strings.Builder
	b.WriteString(" ORDER BY ")
	for _, o := range by {
		b.WriteString(orders[o.By])
		if o.Desc {
			b.WriteString(" DESC")
		}
		if o.By == store.TraitID {
			return b.String()
		}
		b.WriteString(", ")
	}
	b.WriteString("a.id")
	return b.String()
}

// byName is an expression that puts the numbers in a column in the order of what
// they stand for.
func byName(column string, names map[int64]string) string {
	ids := make([]int64, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int64) int { return strings.Compare(names[a], names[b]) })
	var b strings.Builder
	fmt.Fprintf(&b, "CASE %s", column)
	for rank, id := range ids {
		fmt.Fprintf(&b, " WHEN %d THEN %d", id, rank)
	}
	b.WriteString(" END")
	return b.String()
}

func typeNames() map[int64]string {
	names := map[int64]string{}
	for _, t := range indicator.Types() {
		names[int64(t.ID)] = t.Name
	}
	return names
}

func categoryNames() map[int64]string {
	names := map[int64]string{}
	for i, n := range indicator.Categories() {
		names[int64(i+1)] = n
	}
	return names
}

// tallied are the orders that attributes can be counted by.
var tallied = map[store.Trait]string{store.TraitType: "a.type", store.TraitCategory: "a.category", store.TraitTag: "a.tags"}

// Tally implements [store.Reader].
func (t *tx) Tally(ctx context.Context, by store.Trait, s store.Scoped[store.Query]) (map[int64]int64, error) {
	column, ok := tallied[by]
	if !ok {
		return nil, fmt.Errorf("attributes are not counted by column %d", by)
	}
	w := t.attributeWhere(ctx, s)
	return t.tally(ctx, `SELECT `+column+`, count(*) FROM attributes a CROSS JOIN events e ON e.id = a.event WHERE `+w.sql()+` GROUP BY `+column, w.args...)
}

// TallyEvents implements [store.Reader].
func (t *tx) TallyEvents(ctx context.Context, s store.Scoped[store.EventQuery]) (map[int64]int64, error) {
	w := t.eventWhere(s)
	return t.tally(ctx, `SELECT e.tags, count(*) FROM events e WHERE `+w.sql()+` GROUP BY e.tags`, w.args...)
}

func (t *tx) tally(ctx context.Context, query string, args ...any) (map[int64]int64, error) {
	n := map[int64]int64{}
	scan := func(s scanner, row *[2]int64) error { return s.Scan(&row[0], &row[1]) }
	for row, err := range rows(ctx, t, scan, query, args...) {
		if err != nil {
			return nil, err
		}
		n[row[0]] = row[1]
	}
	return n, nil
}

// Crowds implements [store.Reader].
func (t *tx) Crowds(ctx context.Context, s store.Scoped[store.Query], least int64) iter.Seq2[store.Crowd, error] {
	w := t.attributeWhere(ctx, s)
	scan := func(s scanner, c *store.Crowd) error { return s.Scan(&c.ID, &c.Count) }
	return rows(ctx, t, scan, `SELECT min(a.id), count(*) FROM attributes a CROSS JOIN events e ON e.id = a.event WHERE `+w.sql()+
		fmt.Sprintf(` GROUP BY a.key1 HAVING count(*) >= %d ORDER BY count(*) DESC, min(a.id)`, least)+w.page(s.Query.Limit, 0), w.args...)
}
