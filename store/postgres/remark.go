package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/store"
)

var remarkColumns = []string{"kind", "id", "uuid", "event", "about_kind", "about_id", "to_kind", "to_id", "orgc", "key1", "key2",
	"timestamp", "deleted", "label", "seq", "body"}

var putRemark = `INSERT INTO remarks (` + strings.Join(remarkColumns, ", ") + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
	ON CONFLICT (kind, id) DO UPDATE SET ` + replacing(remarkColumns[2:])

// PutRemarks implements [store.Writer].
func (t *tx) PutRemarks(ctx context.Context, rs []store.RemarkRow) error {
	var b pgx.Batch
	for i := range rs {
		r := &rs[i]
		b.Queue(putRemark, int64(r.Kind), r.ID, maybe(r.UUID), r.Event, int64(r.About.Kind), r.About.ID, int64(r.To.Kind), r.To.ID, r.Orgc,
			int64(r.Keys[0]), int64(r.Keys[1]), r.Timestamp, number(r.Deleted), int64(r.Label), int64(r.Seq), string(r.JSON))
	}
	return t.conn.SendBatch(ctx, &b).Close()
}

// RemoveRemark implements [store.Writer].
func (t *tx) RemoveRemark(ctx context.Context, k tocsin.Kind, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM remarks WHERE kind = $1 AND id = $2`, int64(k), id)
	return err
}

// RemarkUUID implements [store.Reader].
func (t *tx) RemarkUUID(ctx context.Context, u tocsin.UUID) (l tocsin.Link, err error) {
	_, err = t.one(ctx, []any{&l.Kind, &l.ID, (*[16]byte)(&l.UUID)}, `SELECT kind, id, uuid FROM remarks WHERE uuid = $1`, [16]byte(u))
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
	w.and("r.kind = ?", int64(k))
	w.and("(r.event = 0 OR e.hidden = 0)")
	labels := "" // the argument that holds them; none for one who sees all
	if !s.All() {
		w.and("r.label = ANY(?::bigint[])", ints(s.Labels()))
		labels = fmt.Sprintf("$%d", len(w.args))
		w.and("(r.event = 0 OR e.label = ANY(" + labels + "))")
	}
	for _, link := range []string{"about", "to"} {
		w.and(linked("r", link, labels, store.MaxDepth))
	}
	if k == tocsin.KindSighting {
		w.witnessed(s.Witness())
	}
	q := s.Query
	w.inIDs("r.id", q.IDs)
	w.inUUIDs("r.uuid", q.UUIDs)
	w.inIDs("r.event", q.Events)
	if q.AboutIDs != nil {
		w.and("r.about_kind = ?", int64(q.About))
		w.inIDs("r.about_id", q.AboutIDs)
	}
	if q.To != 0 {
		w.and("r.to_kind = ?", int64(q.To))
	}
	w.inIDs("r.orgc", q.Orgs)
	if q.Keys != nil {
		keys := signed(q.Keys)
		w.and("(r.key1 <> 0 AND r.key1 = ANY(?) OR r.key2 <> 0 AND r.key2 = ANY(?))", keys, keys)
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

// linked is the condition that what a remark points at is there, and may be seen:
// an attribute or an object by its label, a remark by its own and by the same rule.
// An event was asked for already: it is the remark's own.
func linked(remark, link, labels string, depth int) string {
	kind, id := remark+"."+link+"_kind", remark+"."+link+"_id"
	may := func(table string) string {
		if labels == "" {
			return ""
		}
		return " AND " + table + ".label = ANY(" + labels + ")"
	}
	sql := "CASE " + kind + " WHEN 0 THEN true WHEN 1 THEN true"
	for i, table := range []string{"attributes", "objects"} {
		sql += fmt.Sprintf(" WHEN %d THEN EXISTS (SELECT 1 FROM %s x WHERE x.id = %s%s)", int(tocsin.KindAttribute)+i, table, id, may("x"))
	}
	if depth > 0 {
		up := fmt.Sprintf("r%d", depth)
		return sql + fmt.Sprintf(" ELSE EXISTS (SELECT 1 FROM remarks %[1]s WHERE %[1]s.kind = %[2]s AND %[1]s.id = %[3]s%[4]s AND %[5]s) END",
			up, kind, id, may(up), linked(up, "about", labels, depth-1))
	}
	return sql + " ELSE false END"
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
