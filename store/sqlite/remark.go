package sqlite

import (
	"context"
	"fmt"
	"iter"

	"tocsin"
	"tocsin/store"
)

const remarkColumns = `kind, id, uuid, event, about_kind, about_id, to_kind, to_id, orgc, key1, key2, timestamp, deleted, label, seq, body`

var putRemarks = newInsert(`INSERT OR REPLACE INTO remarks`, remarkColumns)

// PutRemarks implements [store.Writer].
func (t *tx) PutRemarks(ctx context.Context, rs []store.RemarkRow) error {
	_, err := insertAll(ctx, t, putRemarks, rs, func(args []any, r *store.RemarkRow) []any {
		return append(args, int64(r.Kind), r.ID, nullUUID(r.UUID), r.Event, int64(r.About.Kind), r.About.ID, int64(r.To.Kind), r.To.ID, r.Orgc,
			int64(r.Keys[0]), int64(r.Keys[1]), r.Timestamp, r.Deleted, int64(r.Label), int64(r.Seq), string(r.JSON))
	})
	return err
}

// RemoveRemark implements [store.Writer].
func (t *tx) RemoveRemark(ctx context.Context, k tocsin.Kind, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM remarks WHERE kind = ? AND id = ?`, k, id)
	return err
}

// RemarkUUID implements [store.Reader].
func (t *tx) RemarkUUID(ctx context.Context, u tocsin.UUID) (l tocsin.Link, err error) {
	found, err := t.one(ctx, []any{&l.Kind, &l.ID}, `SELECT kind, id FROM remarks WHERE uuid = ?`, u[:])
	if found {
		l.UUID = u
	}
	return l, err
}

const remarkFrom = ` FROM remarks r LEFT JOIN events e ON e.id = r.event WHERE `

// Remarks implements [store.Reader].
func (t *tx) Remarks(ctx context.Context, k tocsin.Kind, s store.Scoped[store.RemarkQuery]) iter.Seq2[[]byte, error] {
	w := remarkWhere(k, s)
	order := " ORDER BY r.id"
	if s.Query.Newest {
		order += " DESC"
	}
	scan := func(s scanner, b *[]byte) error { return s.Scan(b) }
	return rows(ctx, t, scan, `SELECT r.body`+remarkFrom+w.sql()+order+w.page(s.Query.Limit, s.Query.Offset), w.args...)
}

// CountRemarks implements [store.Reader].
func (t *tx) CountRemarks(ctx context.Context, k tocsin.Kind, s store.Scoped[store.RemarkQuery]) (n int64, err error) {
	w := remarkWhere(k, s)
	_, err = t.one(ctx, []any{&n}, `SELECT count(*)`+remarkFrom+w.sql(), w.args...)
	return n, err
}

// LastRemarks implements [store.Reader].
func (t *tx) LastRemarks(ctx context.Context, k tocsin.Kind, s store.Scoped[store.RemarkQuery]) iter.Seq2[store.Last, error] {
	w := remarkWhere(k, s)
	scan := func(s scanner, l *store.Last) error { return s.Scan(&l.Event, &l.Timestamp) }
	return rows(ctx, t, scan, `SELECT r.event, max(r.timestamp)`+remarkFrom+w.sql()+` GROUP BY r.event`, w.args...)
}

// remarkWhere is the condition of a query. The viewer's part comes first, and
// everything else can only narrow it.
func remarkWhere(k tocsin.Kind, s store.Scoped[store.RemarkQuery]) *where {
	w := &where{}
	labels := ""
	if !s.All() {
		labels = array(ints(s.Labels()))
	}
	w.and("r.kind = ?", k)
	if k == tocsin.KindSighting {
		w.witnessed(s.Witness()) // first, since it leaves most of them out
	}
	w.may("r.label", labels)
	w.and("(r.event = 0 OR e.hidden = 0)")
	if labels != "" {
		w.and("(r.event = 0 OR e.label IN (SELECT value FROM json_each(?)))", labels)
	}
	for _, link := range []string{"about", "to"} {
		part, args := linked("r", link, labels, store.MaxDepth)
		w.and(part, args...)
	}
	q := s.Query
	w.inIDs("r.id", q.IDs)
	w.inUUIDs("r.uuid", q.UUIDs)
	w.inIDs("r.event", q.Events)
	if q.AboutIDs != nil {
		w.and("r.about_kind = ?", q.About)
		w.inIDs("r.about_id", q.AboutIDs)
	}
	if q.To != 0 {
		w.and("r.to_kind = ?", q.To)
	}
	w.inIDs("r.orgc", q.Orgs)
	if q.Keys != nil {
		keys := array(signed(q.Keys))
		w.and(`r.rowid IN (SELECT rowid FROM remarks WHERE key1 <> 0 AND key1 IN (SELECT value FROM json_each(?))
			UNION SELECT rowid FROM remarks WHERE key2 <> 0 AND key2 IN (SELECT value FROM json_each(?)))`, keys, keys)
	}
	switch q.Deleted {
	case store.Live:
		w.and("r.deleted = 0")
	case store.Withdrawn:
		w.and("r.deleted <> 0")
	}
	w.since("r.timestamp", q.Since, q.Until)
	if q.After != 0 {
		w.and("r.id > ?", q.After)
	}
	return w
}

// may narrows to labels that the viewer may read; "" is one who sees all.
func (w *where) may(column, labels string) {
	if labels != "" {
		w.and(column+" IN (SELECT value FROM json_each(?))", labels)
	}
}

// linked is the condition that what a remark points at is there, and may be seen:
// an attribute or an object by its label, a remark by its own and by the same rule.
// An event was asked for already: it is the remark's own.
func linked(remark, link, labels string, depth int) (string, []any) {
	kind, id := remark+"."+link+"_kind", remark+"."+link+"_id"
	sql := "CASE " + kind + " WHEN 0 THEN 1 WHEN 1 THEN 1"
	var args []any
	for i, table := range []string{"attributes", "objects"} {
		w := where{}
		w.and("x.id = " + id)
		w.may("x.label", labels)
		sql += fmt.Sprintf(" WHEN %d THEN EXISTS (SELECT 1 FROM %s x WHERE %s)", int(tocsin.KindAttribute)+i, table, w.sql())
		args = append(args, w.args...)
	}
	if depth > 0 {
		up := fmt.Sprintf("r%d", depth)
		w := where{}
		w.and(up + ".kind = " + kind)
		w.and(up + ".id = " + id)
		w.may(up+".label", labels)
		part, more := linked(up, "about", labels, depth-1)
		w.and(part, more...)
		sql += fmt.Sprintf(" ELSE EXISTS (SELECT 1 FROM remarks %s WHERE %s)", up, w.sql())
		args = append(args, w.args...)
	}
	return sql + " END", args
}

// witnessed narrows to sightings that the viewer may have.
func (w *where) witnessed(by store.Witness) {
	if by.All {
		return
	}
	part, args := "r.orgc = ? OR e.org = ?", []any{by.Org, by.Org}
	if by.Host != 0 {
		part, args = part+" OR r.orgc = ?", append(args, by.Host)
	}
	if by.Reporters {
		part += ` OR EXISTS (SELECT 1 FROM remarks s WHERE s.kind = r.kind AND s.orgc = ? AND s.event = r.event AND s.deleted = 0
			AND EXISTS (SELECT 1 FROM attributes x WHERE x.id = s.about_id))`
		args = append(args, by.Org)
	}
	w.and("("+part+")", args...)
}
