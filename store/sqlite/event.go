package sqlite

import (
	"context"
	"iter"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

const eventColumns = `e.id, e.uuid, e.org, e.orgc, e.user, e.info, e.date, e.threat, e.analysis, e.distribution, e.sgroup,
	e.published, e.published_at, e.timestamp, e.flags, e.extends, e.tags, e.label, e.attributes, e.restricted, e.seq`

const (
	eventLocked = 1 << iota
	eventNoCorrelate
)

func (t *tx) scanEvent(s scanner, e *tocsin.Event) error {
	var uuid, extends []byte
	var flags int
	var tags uint32
	err := s.Scan(&e.ID, &uuid, &e.Org, &e.Orgc, &e.User, &e.Info, &e.Date, &e.Threat, &e.Analysis, &e.Distribution, &e.Group,
		&e.Published, &e.PublishedAt, &e.Timestamp, &flags, &extends, &tags, &e.Label, &e.Attributes, &e.Restricted, &e.Seq)
	copy(e.UUID[:], uuid)
	copy(e.Extends[:], extends)
	e.Locked, e.NoCorrelate = flags&eventLocked != 0, flags&eventNoCorrelate != 0
	e.Tags = t.coder.Tags.Set(tags)
	return err
}

// Event implements [store.Writer].
func (t *tx) Event(ctx context.Context, id int64) (*tocsin.Event, error) {
	return first(rows(ctx, t, t.scanEvent, `SELECT `+eventColumns+` FROM events e WHERE e.id = ? AND e.hidden = 0`, id))
}

// EventByUUID implements [store.Writer].
func (t *tx) EventByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Event, error) {
	return first(rows(ctx, t, t.scanEvent, `SELECT `+eventColumns+` FROM events e WHERE e.uuid = ? AND e.hidden = 0`, u[:]))
}

// PutEvent implements [store.Writer].
func (t *tx) PutEvent(ctx context.Context, e *tocsin.Event) error {
	flags := 0
	if e.Locked {
		flags |= eventLocked
	}
	if e.NoCorrelate {
		flags |= eventNoCorrelate
	}
	_, err := t.exec(ctx, `INSERT INTO events (id, uuid, org, orgc, user, info, date, threat, analysis, distribution, sgroup,
			published, published_at, timestamp, flags, extends, tags, label, attributes, restricted, seq)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET org = excluded.org, orgc = excluded.orgc, user = excluded.user, info = excluded.info,
			date = excluded.date, threat = excluded.threat, analysis = excluded.analysis, distribution = excluded.distribution,
			sgroup = excluded.sgroup, published = excluded.published, published_at = excluded.published_at,
			timestamp = excluded.timestamp, flags = excluded.flags, extends = excluded.extends, tags = excluded.tags,
			label = excluded.label, attributes = excluded.attributes, restricted = excluded.restricted, seq = excluded.seq`,
		e.ID, e.UUID[:], e.Org, e.Orgc, e.User, e.Info, e.Date, e.Threat, e.Analysis, e.Distribution, e.Group,
		e.Published, e.PublishedAt, e.Timestamp, flags, nullUUID(e.Extends), t.coder.Tags.ID(e.Tags), e.Label, e.Attributes, e.Restricted, e.Seq)
	return err
}

// HideEvent implements [store.Writer].
func (t *tx) HideEvent(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `UPDATE events SET hidden = 1, attributes = 0 WHERE id = ?`, id)
	return err
}

// Events implements [store.Reader].
func (t *tx) Events(ctx context.Context, s store.Scoped[store.EventQuery]) iter.Seq2[tocsin.Event, error] {
	w := t.eventWhere(s)
	order := " ORDER BY e.id"
	if s.Query.Newest {
		order += " DESC"
	}
	return rows(ctx, t, t.scanEvent, `SELECT `+eventColumns+` FROM events e WHERE `+w.sql()+order+w.page(s.Query.Limit, s.Query.Offset), w.args...)
}

// CountEvents implements [store.Reader].
func (t *tx) CountEvents(ctx context.Context, s store.Scoped[store.EventQuery]) (n int64, err error) {
	w := t.eventWhere(s)
	_, err = t.one(ctx, []any{&n}, `SELECT count(*) FROM events e WHERE `+w.sql(), w.args...)
	return n, err
}

// eventWhere is the condition of a query. The viewer's part comes first, and
// everything else can only narrow it.
func (t *tx) eventWhere(s store.Scoped[store.EventQuery]) *where {
	w := &where{}
	w.and("e.hidden = 0")
	if !s.All() {
		w.in("e.label", ints(s.Labels()))
	}
	q := s.Query
	w.inIDs("e.id", q.IDs)
	w.inUUIDs("e.uuid", q.UUIDs)
	w.inIDs("e.orgc", q.Orgs)
	w.inUUIDs("e.extends", q.Extends)
	if q.Info != "" {
		w.and(`e.info LIKE ? ESCAPE '\'`, "%"+likeEscape(q.Info)+"%")
	}
	if q.Tags != nil {
		w.in("e.tags", t.tagIDs(q.Tags))
	}
	if q.NotTags != nil {
		w.notIn("e.tags", t.tagIDs(q.NotTags))
	}
	if q.Published != nil {
		w.and("e.published = ?", *q.Published)
	}
	w.since("e.timestamp", q.Since, q.Until)
	if q.DateFrom != "" {
		w.and("e.date >= ?", q.DateFrom)
	}
	if q.DateTo != "" {
		w.and("e.date <= ?", q.DateTo)
	}
	if q.After != 0 {
		w.and("e.id > ?", q.After)
	}
	return w
}

func (t *tx) tagIDs(sets []tocsin.TagSet) []int64 {
	ids := make([]int64, 0, len(sets))
	for _, s := range sets {
		if id, ok := t.coder.Tags.Find(s); ok {
			ids = append(ids, int64(id))
		}
	}
	return ids
}

func ints(ls []access.LabelID) []int64 {
	ids := make([]int64, len(ls))
	for i, l := range ls {
		ids[i] = int64(l)
	}
	return ids
}
