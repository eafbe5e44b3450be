package sqlite

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// columnsOf are the columns of parts of an attribute, in the order in which [tx.scanParts]
// takes them.
var columnsOf = []struct {
	part    tocsin.Parts
	columns string
}{
	{tocsin.PartValue, `id, event, type, value, flags`},
	{tocsin.PartUUID, `uuid`},
	{tocsin.PartCategory, `category`},
	{tocsin.PartPlace, `object, relation, comment`},
	{tocsin.PartMarks, `tags, label`},
	{tocsin.PartTimes, `timestamp, first_seen, last_seen`},
	{tocsin.PartHolds, `seen, ends, guard, override`},
	{tocsin.PartRest, `distribution, sgroup, seq, overridden_by`},
}

// selected is what a query selects for parts of attributes.
func selected(ps tocsin.Parts) string {
	var columns []string
	for _, c := range columnsOf {
		if ps.Has(c.part) {
			columns = append(columns, c.columns)
		}
	}
	return strings.Join(columns, ", ")
}

// attributeColumns are all of them.
var attributeColumns = selected(0)

// prefix is columns in a join.
func prefix(columns string) string { return "a." + strings.ReplaceAll(columns, ", ", ", a.") }

var prefixed = prefix(attributeColumns)

const (
	toIDS = 1 << iota
	deleted
	noCorrelate
)

func (t *tx) scanAttribute(s scanner, a *tocsin.Attribute) error { return t.scanParts(s, a, 0) }

// scanning returns what scans these parts.
func (t *tx) scanning(ps tocsin.Parts) func(scanner, *tocsin.Attribute) error {
	return func(s scanner, a *tocsin.Attribute) error { return t.scanParts(s, a, ps) }
}

func (t *tx) scanParts(s scanner, a *tocsin.Attribute, ps tocsin.Parts) (err error) {
	a.ID, a.Event = s.integer(0), s.integer(1)
	a.Value, err = indicator.Stored(uint16(s.integer(2)), s.text(3))
	flags := s.integer(4)
	a.ToIDS, a.Deleted, a.NoCorrelate = flags&toIDS != 0, flags&deleted != 0, flags&noCorrelate != 0
	at := 5
	if ps.Has(tocsin.PartUUID) {
		copy(a.UUID[:], s.octets(at))
		at++
	}
	if ps.Has(tocsin.PartCategory) {
		a.Category = indicator.Category(s.integer(at))
		at++
	}
	if ps.Has(tocsin.PartPlace) {
		a.Object, a.Relation, a.Comment = s.integer(at), s.text(at+1), s.text(at+2)
		at += 3
	}
	if ps.Has(tocsin.PartMarks) {
		a.Tags, a.Label = t.coder.Tags.Set(uint32(s.integer(at))), access.LabelID(s.integer(at+1))
		at += 2
	}
	if ps.Has(tocsin.PartTimes) {
		a.Timestamp, a.FirstSeen, a.LastSeen = s.integer(at), fromMicros(s.integer(at+1)), fromMicros(s.integer(at+2))
		at += 3
	}
	if ps.Has(tocsin.PartHolds) {
		a.Seen, a.Ends, a.Guard, a.Override = s.integer(at), s.integer(at+1), tocsin.Verdict(s.text(at+2)), s.text(at+3)
		at += 4
	}
	if ps.Has(tocsin.PartRest) {
		a.Distribution, a.Group = access.Distribution(s.integer(at)), s.integer(at+1)
		a.Seq, a.OverriddenBy = tocsin.Seq(s.integer(at+2)), s.integer(at+3)
	}
	return err
}

// columns of an insert, in order: attributeColumns and the keys.
const insertColumns = `id, uuid, event, object, relation, category, type, value, comment, flags, distribution, sgroup,
	timestamp, first_seen, last_seen, seen, ends, tags, label, seq, guard, override, overridden_by, key1, key2`

// values appends what insertColumns stand for.
func (t *tx) values(args []any, a *tocsin.Attribute) []any {
	flags := 0
	if a.ToIDS {
		flags |= toIDS
	}
	if a.Deleted {
		flags |= deleted
	}
	if a.NoCorrelate {
		flags |= noCorrelate
	}
	key1, key2 := t.coder.Keys(a)
	return append(args, a.ID, a.UUID[:], a.Event, a.Object, a.Relation, int64(a.Category), int64(a.Value.Type().ID), a.Value.String(),
		a.Comment, int64(flags), int64(a.Distribution), a.Group, a.Timestamp, micros(a.FirstSeen), micros(a.LastSeen), a.Seen, a.Ends,
		int64(t.coder.Tags.ID(a.Tags)), int64(a.Label), int64(a.Seq),
		string(a.Guard), a.Override, a.OverriddenBy, int64(key1), int64(key2))
}

// Ids are given to the first row of a run only; SQLite counts on from the highest
// there is. Where a statement of several rows says ids, SQLite keeps a copy of each
// page that it changes, in case one is taken and the statement has to be undone
// alone, which would cost a sixth of the time. So it would without OR FAIL, which
// leaves what a statement wrote before it failed: the savepoint or the transaction
// around it undoes that.
var (
	insertAttribute  = newInsert(`INSERT OR FAIL INTO attributes`, insertColumns)
	insertAttributes = newInsert(`INSERT OR FAIL INTO attributes`, strings.TrimPrefix(insertColumns, "id, "))
	replaceAttribute = newInsert(`INSERT OR REPLACE INTO attributes`, insertColumns)
)

// AddAttributes implements [store.Writer].
func (t *tx) AddAttributes(ctx context.Context, as []tocsin.Attribute) error {
	for len(as) > 0 {
		n := 1
		for n < len(as) && as[n].ID == as[0].ID+int64(n) {
			n++
		}
		if _, err := insertAll(ctx, t, insertAttribute, as[:1], t.values); err != nil {
			return err
		}
		last, err := insertAll(ctx, t, insertAttributes, as[1:n], func(args []any, a *tocsin.Attribute) []any {
			at := len(args)
			return slices.Delete(t.values(args, a), at, at+1) // the id
		})
		if err == nil && n > 1 && last != as[n-1].ID {
			err = fmt.Errorf("attribute %d became %d: higher ids were there already", as[n-1].ID, last)
		}
		if err != nil {
			return err
		}
		as = as[n:]
	}
	return nil
}

// PutAttribute implements [store.Writer].
func (t *tx) PutAttribute(ctx context.Context, a *tocsin.Attribute) error {
	_, err := insertAll(ctx, t, replaceAttribute, []*tocsin.Attribute{a}, func(args []any, a **tocsin.Attribute) []any { return t.values(args, *a) })
	return err
}

// RemoveAttribute implements [store.Writer].
func (t *tx) RemoveAttribute(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM attributes WHERE id = ?`, id)
	return err
}

// Attribute implements [store.Writer].
func (t *tx) Attribute(ctx context.Context, id int64) (*tocsin.Attribute, error) {
	return first(rows(ctx, t, t.scanAttribute, `SELECT `+prefixed+` FROM attributes a JOIN events e ON e.id = a.event
		WHERE a.id = ? AND e.hidden = 0`, id))
}

// AttributeByUUID implements [store.Writer].
func (t *tx) AttributeByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Attribute, error) {
	return first(rows(ctx, t, t.scanAttribute, `SELECT `+prefixed+` FROM attributes a JOIN events e ON e.id = a.event
		WHERE a.uuid = ? AND e.hidden = 0`, u[:]))
}

// TakenUUIDs implements [store.Writer].
func (t *tx) TakenUUIDs(ctx context.Context, us []tocsin.UUID) (map[tocsin.UUID]bool, error) {
	taken := map[tocsin.UUID]bool{}
	if len(us) == 0 {
		return taken, nil
	}
	scan := func(s scanner, b *[]byte) error { return s.Scan(b) }
	for b, err := range rows(ctx, t, scan, `WITH given (uuid) AS (SELECT unhex(value) FROM json_each(?))
		SELECT uuid FROM given WHERE EXISTS (SELECT 1 FROM attributes a WHERE a.uuid = given.uuid)
			OR EXISTS (SELECT 1 FROM tombstones d WHERE d.uuid = given.uuid)`, uuidArray(us)) {
		if err != nil {
			return nil, err
		}
		taken[tocsin.UUID(b)] = true
	}
	return taken, nil
}

// Siblings implements [store.Writer].
func (t *tx) Siblings(ctx context.Context, event int64, keys []uint64) iter.Seq2[tocsin.Attribute, error] {
	return rows(ctx, t, t.scanAttribute, `SELECT `+prefixed+` FROM json_each(?) j CROSS JOIN attributes a INDEXED BY attributes_key1
		ON a.key1 = j.value WHERE a.event = ?`, array(signed(keys)), event)
}

// signed turns hashes into what SQLite keeps them as.
func signed(keys []uint64) []int64 {
	ids := make([]int64, len(keys))
	for i, k := range keys {
		ids[i] = int64(k)
	}
	return ids
}

// Attributes implements [store.Reader].
func (t *tx) Attributes(ctx context.Context, s store.Scoped[store.Query]) iter.Seq2[tocsin.Attribute, error] {
	w := t.attributeWhere(ctx, s)
	parts := s.Query.Parts
	return rows(ctx, t, t.scanning(parts), `SELECT `+prefix(selected(parts))+` FROM attributes a CROSS JOIN events e ON e.id = a.event WHERE `+
		w.sql()+orderBy(s.Query.Order)+w.page(s.Query.Limit, s.Query.Offset), w.args...)
}

// CountAttributes implements [store.Reader].
func (t *tx) CountAttributes(ctx context.Context, s store.Scoped[store.Query]) (n int64, err error) {
	w := t.attributeWhere(ctx, s)
	_, err = t.one(ctx, []any{&n}, `SELECT count(*) FROM attributes a CROSS JOIN events e ON e.id = a.event WHERE `+w.sql(), w.args...)
	return n, err
}

// attributeWhere is the condition of a query. The viewer's part can't be
// loosened by anything that follows: all parts must hold.
func (t *tx) attributeWhere(ctx context.Context, s store.Scoped[store.Query]) *where {
	w := &where{}
	q := s.Query
	t.keyed(w, q)
	w.and("e.hidden = 0")
	if !s.All() {
		labels := ints(s.Labels())
		w.in("a.label", labels)
		w.in("e.label", labels)
	}
	w.inIDs("a.id", q.IDs)
	w.inUUIDs("a.uuid", q.UUIDs)
	w.inIDs("a.event", q.Events)
	w.inIDs("a.object", q.Objects)
	if q.Types != nil {
		w.and(t.typeColumn(ctx, q)+" IN (SELECT value FROM json_each(?))", array(q.Types))
	}
	if q.Categories != nil {
		ids := make([]int64, len(q.Categories))
		for i, c := range q.Categories {
			ids[i] = int64(c)
		}
		w.in("a.category", ids)
	}
	switch q.Deleted {
	case store.Live:
		w.and("a.flags & 2 = 0")
	case store.Withdrawn:
		w.and("a.flags & 2 <> 0")
	}
	if q.ToIDS != nil {
		w.and("(a.flags & 1 <> 0) = ?", *q.ToIDS)
	}
	if q.Published != nil {
		w.and("e.published = ?", *q.Published)
	}
	if q.Judged {
		w.and("a.guard <> ''")
	}
	if q.Guarded != nil {
		w.and(not(*q.Guarded) + "(a.guard <> '' AND a.override = '' AND (a.guard LIKE 'deny %' OR a.guard LIKE 'warn %'))")
	}
	w.inIDs("e.orgc", q.Orgs)
	if q.Tags != nil {
		ids := array(t.tagIDs(q.Tags))
		w.and("(a.tags IN (SELECT value FROM json_each(?)) OR e.tags IN (SELECT value FROM json_each(?)))", ids, ids)
	}
	if q.NotTags != nil {
		ids := t.tagIDs(q.NotTags)
		w.notIn("a.tags", ids)
		w.notIn("e.tags", ids)
	}
	w.since("a.timestamp", q.Since, q.Until)
	for _, f := range q.Fresh {
		w.and("(a.seen >= ? OR a.type NOT IN (SELECT value FROM json_each(?)))", f.Since, array(f.Types))
	}
	if q.After != 0 {
		w.and("a.id > ?", q.After)
	}
	return w
}

// commonShare is of how many attributes one has to be of some types for it to be quicker to
// go through all of them.
const commonShare = 8

// typeColumn is what types are looked for in. An index finds those that are rare, but not
// in the order of ids, so that what it finds has to be sorted, and each row to be fetched
// by itself. Where much of all there is has one of the types SQLite is told to go through
// the table, which it can't know by itself.
func (t *tx) typeColumn(ctx context.Context, q store.Query) string {
	if q.IDs != nil || q.UUIDs != nil || q.Events != nil || q.Objects != nil || q.Keys != nil || len(q.Types) == 0 {
		return "a.type"
	}
	common := false
	ok, err := t.one(ctx, []any{&common}, `WITH many (n) AS (SELECT max(id) / ? FROM attributes)
		SELECT count(*) >= (SELECT n FROM many) FROM (SELECT 1 FROM attributes WHERE type IN (SELECT value FROM json_each(?)) LIMIT (SELECT n FROM many))`,
		commonShare, array(q.Types))
	if ok && err == nil && common {
		return "+a.type"
	}
	return "a.type" // what is wrong is found out by the query itself
}

// not is what stands before a condition that is to hold, or not to.
func not(holds bool) string {
	if holds {
		return ""
	}
	return "NOT "
}

// keyed narrows to attributes that have one of the keys, and whose text is one
// of the values if any are given.
func (t *tx) keyed(w *where, q store.Query) {
	if q.Keys != nil {
		keys := make([]uint64, len(q.Keys))
		for i, k := range q.Keys {
			keys[i] = t.coder.Hasher.Sum(k)
		}
		w.inKeys(signed(keys))
	}
	if q.Values != nil {
		vs := texts(q.Values)
		w.and(`(a.value IN (SELECT value FROM json_each(?)) OR instr(a.value, '|') > 0 AND
			(substr(a.value, 1, instr(a.value, '|') - 1) IN (SELECT value FROM json_each(?))
			OR substr(a.value, instr(a.value, '|') + 1) IN (SELECT value FROM json_each(?))))`, vs, vs, vs)
	}
}
