package postgres

import (
	"context"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
)

// columnsOf are the columns of parts of an attribute, in the order in which [tx.scanParts]
// takes them.
var columnsOf = []struct {
	part    tocsin.Parts
	columns string
}{
	{tocsin.PartValue, `a.id, a.event, a.type, a.value, a.flags`},
	{tocsin.PartUUID, `a.uuid`},
	{tocsin.PartCategory, `a.category`},
	{tocsin.PartPlace, `a.object, a.relation, a.comment`},
	{tocsin.PartMarks, `a.tags, a.label`},
	{tocsin.PartTimes, `a.timestamp, a.first_seen, a.last_seen`},
	{tocsin.PartHolds, `a.seen, a.ends, a.guard, a.override`},
	{tocsin.PartRest, `a.distribution, a.sgroup, a.seq, a.overridden_by`},
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

func (t *tx) scanParts(s scanner, a *tocsin.Attribute, ps tocsin.Parts) error {
	var typ uint16
	var value string
	var flags, firstSeen, lastSeen int64
	var tags uint32
	dst := make([]any, 5, 23)
	dst[0], dst[1], dst[2], dst[3], dst[4] = &a.ID, &a.Event, &typ, &value, &flags
	if ps.Has(tocsin.PartUUID) {
		dst = append(dst, (*[16]byte)(&a.UUID))
	}
	if ps.Has(tocsin.PartCategory) {
		dst = append(dst, &a.Category)
	}
	if ps.Has(tocsin.PartPlace) {
		dst = append(dst, &a.Object, &a.Relation, &a.Comment)
	}
	if ps.Has(tocsin.PartMarks) {
		dst = append(dst, &tags, &a.Label)
	}
	if ps.Has(tocsin.PartTimes) {
		dst = append(dst, &a.Timestamp, &firstSeen, &lastSeen)
	}
	if ps.Has(tocsin.PartHolds) {
		dst = append(dst, &a.Seen, &a.Ends, (*string)(&a.Guard), &a.Override)
	}
	if ps.Has(tocsin.PartRest) {
		dst = append(dst, &a.Distribution, &a.Group, &a.Seq, &a.OverriddenBy)
	}
	err := s.Scan(dst...)
	if err != nil {
		return err
	}
	a.ToIDS, a.Deleted, a.NoCorrelate = flags&toIDS != 0, flags&deleted != 0, flags&noCorrelate != 0
	a.FirstSeen, a.LastSeen = fromMicros(firstSeen), fromMicros(lastSeen)
	a.Tags = t.coder.Tags.Set(tags)
	a.Value, err = indicator.Stored(typ, value)
	return err
}

// insertColumns are those of an insert, in order.
var insertColumns = []string{"id", "uuid", "event", "object", "relation", "category", "type", "value", "comment", "flags", "distribution", "sgroup",
	"timestamp", "first_seen", "last_seen", "seen", "ends", "tags", "label", "seq",
	"guard", "override", "overridden_by", "key1", "key2"}

// values returns what insertColumns stand for.
func (t *tx) values(a *tocsin.Attribute) ([]any, error) {
	if err := plain("attribute", a.Relation, a.Value.String(), a.Comment, string(a.Guard), a.Override); err != nil {
		return nil, err
	}
	var flags int64
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
	return []any{a.ID, [16]byte(a.UUID), a.Event, a.Object, a.Relation, int64(a.Category), int64(a.Value.Type().ID), a.Value.String(),
		a.Comment, flags, int64(a.Distribution), a.Group, a.Timestamp, micros(a.FirstSeen), micros(a.LastSeen), a.Seen, a.Ends,
		int64(t.coder.Tags.ID(a.Tags)), int64(a.Label), int64(a.Seq),
		string(a.Guard), a.Override, a.OverriddenBy, int64(key1), int64(key2)}, nil
}

var insertAttribute = `INSERT INTO attributes (` + strings.Join(insertColumns, ", ") + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`

var replaceAttribute = insertAttribute + ` ON CONFLICT (id) DO UPDATE SET ` + replacing(insertColumns[1:])

func replacing(columns []string) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	return strings.Join(set, ", ")
}

// copyRows is from how many rows on COPY is faster than statements.
const copyRows = 50

// AddAttributes implements [store.Writer].
func (t *tx) AddAttributes(ctx context.Context, as []tocsin.Attribute) error {
	if len(as) >= copyRows {
		_, err := t.conn.CopyFrom(ctx, pgx.Identifier{"attributes"}, insertColumns,
			pgx.CopyFromSlice(len(as), func(i int) ([]any, error) { return t.values(&as[i]) }))
		return err
	}
	var b pgx.Batch
	for i := range as {
		args, err := t.values(&as[i])
		if err != nil {
			return err
		}
		b.Queue(insertAttribute, args...)
	}
	return t.conn.SendBatch(ctx, &b).Close()
}

// PutAttribute implements [store.Writer].
func (t *tx) PutAttribute(ctx context.Context, a *tocsin.Attribute) error {
	args, err := t.values(a)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, replaceAttribute, args...)
	return err
}

// RemoveAttribute implements [store.Writer].
func (t *tx) RemoveAttribute(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM attributes WHERE id = $1`, id)
	return err
}

// Attribute implements [store.Writer].
func (t *tx) Attribute(ctx context.Context, id int64) (*tocsin.Attribute, error) {
	return first(ctx, t, t.scanAttribute, `SELECT `+attributeColumns+` FROM attributes a JOIN events e ON e.id = a.event
		WHERE a.id = $1 AND e.hidden = 0`, id)
}

// AttributeByUUID implements [store.Writer].
func (t *tx) AttributeByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Attribute, error) {
	return first(ctx, t, t.scanAttribute, `SELECT `+attributeColumns+` FROM attributes a JOIN events e ON e.id = a.event
		WHERE a.uuid = $1 AND e.hidden = 0`, [16]byte(u))
}

// TakenUUIDs implements [store.Writer].
func (t *tx) TakenUUIDs(ctx context.Context, us []tocsin.UUID) (map[tocsin.UUID]bool, error) {
	taken := map[tocsin.UUID]bool{}
	if len(us) == 0 {
		return taken, nil
	}
	scan := func(s scanner, u *tocsin.UUID) error { return s.Scan((*[16]byte)(u)) }
	found, err := few(ctx, t, scan, `SELECT g.uuid FROM unnest($1::uuid[]) g (uuid) CROSS JOIN LATERAL (SELECT 1 FROM attributes a WHERE a.uuid = g.uuid
		UNION ALL SELECT 1 FROM tombstones d WHERE d.uuid = g.uuid LIMIT 1) x`, uuids(us))
	for _, u := range found {
		taken[u] = true
	}
	return taken, err
}

// Siblings implements [store.Writer].
func (t *tx) Siblings(ctx context.Context, event int64, keys []uint64) iter.Seq2[tocsin.Attribute, error] {
	// Key by key, whatever the planner thinks of a table that it has no statistics
	// of: OFFSET keeps it from going the other way round, and the sum from an index
	// of events, of which one may hold millions.
	return rows(ctx, t, t.scanAttribute, `SELECT `+attributeColumns+` FROM unnest($1::bigint[]) k (key) CROSS JOIN LATERAL
		(SELECT * FROM attributes a WHERE a.key1 = k.key AND a.event + 0 = $2 OFFSET 0) a`, signed(keys), event)
}

// Attributes implements [store.Reader].
func (t *tx) Attributes(ctx context.Context, s store.Scoped[store.Query]) iter.Seq2[tocsin.Attribute, error] {
	w := t.attributeWhere(s)
	parts := s.Query.Parts
	return rows(ctx, t, t.scanning(parts), `SELECT `+selected(parts)+` FROM attributes a JOIN events e ON e.id = a.event WHERE `+
		w.sql()+orderBy(s.Query.Order)+w.page(s.Query.Limit, s.Query.Offset), w.args...)
}

// CountAttributes implements [store.Reader].
func (t *tx) CountAttributes(ctx context.Context, s store.Scoped[store.Query]) (n int64, err error) {
	w := t.attributeWhere(s)
	_, err = t.one(ctx, []any{&n}, `SELECT count(*) FROM attributes a JOIN events e ON e.id = a.event WHERE `+w.sql(), w.args...)
	return n, err
}

// attributeWhere is the condition of a query. The viewer's part comes first, and
// everything else can only narrow it.
func (t *tx) attributeWhere(s store.Scoped[store.Query]) *where {
	w := &where{}
	q := s.Query
	w.and("e.hidden = 0")
	if !s.All() {
		labels := ints(s.Labels())
		w.in("a.label", labels)
		w.in("e.label", labels)
	}
	t.keyed(w, q)
	w.inIDs("a.id", q.IDs)
	w.inUUIDs("a.uuid", q.UUIDs)
	w.inIDs("a.event", q.Events)
	w.inIDs("a.object", q.Objects)
	if q.Types != nil {
		w.in("a.type", wide(q.Types))
	}
	if q.Categories != nil {
		w.in("a.category", wide(q.Categories))
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
		w.and("e.published = ?", number(*q.Published))
	}
	if q.Judged {
		w.and("a.guard <> ''")
	}
	if q.Guarded != nil {
		w.and("(a.guard <> '' AND a.override = '' AND (a.guard LIKE 'deny %' OR a.guard LIKE 'warn %')) = ?", *q.Guarded)
	}
	w.inIDs("e.orgc", q.Orgs)
	if q.Tags != nil {
		ids := t.tagIDs(q.Tags)
		w.and("(a.tags = ANY(?) OR e.tags = ANY(?))", ids, ids)
	}
	if q.NotTags != nil {
		ids := t.tagIDs(q.NotTags)
		w.notIn("a.tags", ids)
		w.notIn("e.tags", ids)
	}
	w.since("a.timestamp", q.Since, q.Until)
	for _, f := range q.Fresh {
		types := make([]int64, len(f.Types))
		for i, t := range f.Types {
			types[i] = int64(t)
		}
		w.and("(a.seen >= ? OR NOT a.type = ANY(?))", f.Since, types)
	}
	if q.After != 0 {
		w.and("a.id > ?", q.After)
	}
	return w
}

func wide[T ~uint8 | ~uint16](ids []T) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}

// keyed narrows to attributes that have one of the keys, and whose text is one
// of the values if any are given.
func (t *tx) keyed(w *where, q store.Query) {
	if q.Keys != nil {
		keys := make([]int64, len(q.Keys))
		for i, k := range q.Keys {
			keys[i] = int64(t.coder.Hasher.Sum(k))
		}
		w.and(`a.id = ANY(ARRAY(SELECT id FROM attributes WHERE key1 = ANY(?)
			UNION SELECT id FROM attributes WHERE key2 <> 0 AND key2 = ANY(?)))`, keys, keys)
	}
	if q.Values != nil {
		vs := sane(q.Values)
		w.and(`(a.value = ANY(?) OR strpos(a.value, '|') > 0 AND
			(substr(a.value, 1, strpos(a.value, '|') - 1) = ANY(?) OR substr(a.value, strpos(a.value, '|') + 1) = ANY(?)))`, vs, vs, vs)
	}
}
