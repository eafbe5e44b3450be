package mispapi

import (
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// viewAnalyst answers with one remark and those that stand on it.
func viewAnalyst(c *call) error {
	r, err := c.analystRemark()
	if err != nil {
		return err
	}
	return c.replyAnalyst(r, false)
}

// indexAnalyst answers with the remarks of one kind.
func indexAnalyst(c *call) error {
	k, err := c.analystKind()
	if err != nil {
		return err
	}
	said, err := c.filters()
	if err != nil {
		return err
	}
	var q store.RemarkQuery
	if q.Limit, q.Offset, err = page(said); err != nil {
		return c.invalid(err)
	}
	out, first := c.stream(mediaJSON), true
	out.b = append(out.b, '[')
	err = c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error {
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = c.appendAnalystAnswer(out.b, r, nil, true)
		return out.flush()
	})
	if err != nil {
		return err
	}
	out.b = append(out.b, ']')
	return out.end()
}

func (c *call) replyAnalyst(r tocsin.Remark, editable bool) error {
	on, err := c.above(r, store.MaxDepth)
	if err != nil {
		return err
	}
	return c.send(c.appendAnalystAnswer(nil, r, on, editable))
}

// above returns the remarks that stand on a remark, so many deep. Those of one depth
// are asked for together: there may be thousands on one.
func (c *call) above(r tocsin.Remark, depth int) (on []misp.Above, err error) {
	under := &misp.Above{Remark: r}
	for level := []*misp.Above{under}; depth > 0 && len(level) > 0; depth-- {
		if level, err = c.onto(level); err != nil {
			return nil, err
		}
	}
	return under.On, nil
}

// onto puts on remarks what stands on them, and returns that.
func (c *call) onto(level []*misp.Above) (next []*misp.Above, err error) {
	at, ids := map[tocsin.Link]*misp.Above{}, map[tocsin.Kind][]int64{}
	for _, a := range level {
		k, id := a.Remark.Kind(), a.Remark.RecordID()
		at[tocsin.Link{Kind: k, ID: id}], ids[k] = a, append(ids[k], id)
	}
	for _, k := range analystKinds {
		for about := range ids {
			q := store.RemarkQuery{About: about, AboutIDs: ids[about]}
			err := c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error {
				if a := at[tocsin.Link{Kind: about, ID: r.Remarked().About.ID}]; a != nil {
					a.On = append(a.On, misp.Above{Remark: r})
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for _, a := range level {
		for i := range a.On {
			next = append(next, &a.On[i])
		}
	}
	return next, nil
}

// appendAnalystAnswer appends a remark as it is answered by itself, wrapped, with
// those that stand on it.
func (c *call) appendAnalystAnswer(b []byte, r tocsin.Remark, on []misp.Above, editable bool) []byte {
	enc := c.encoder()
	if !editable {
		enc.MayEdit = nil
	}
	b = append(append(append(b, `{"`...), misp.ObjectType(r.Kind())...), `":`...)
	b = enc.AppendRemark(b, &misp.Above{Remark: r, On: on})
	if r, ok := r.(*tocsin.Relationship); ok {
		if other := c.relatedObject(r.Other); other != nil {
			b = append(append(append(b[:len(b)-1], `,"related_object":`...), other...), '}')
		}
	}
	return append(b, '}')
}

// mayEdit reports whether the viewer may change a remark of its own sort, as the
// store decides when it does.
func (c *call) mayEdit(h *tocsin.Head) bool {
	return c.v.May(access.SiteAdmin) || c.v.May(access.Analyst) && h.Org == c.v.Org() && (c.v.May(access.ModifyOrg) || h.User == c.v.User())
}

func clockTime(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateTime) }

// relatedObject returns the record at the other end of a relationship as JSON, nil
// if it is not here or not the viewer's to see.
func (c *call) relatedObject(l tocsin.Link) []byte {
	name := l.UUID.String()
	switch l.Kind {
	case tocsin.KindEvent:
		if e, err := c.event(name); err == nil {
			return appendJSON(nil, map[string]any{"Event": c.eventRowOf(e)})
		}
	case tocsin.KindAttribute:
		if a, err := c.attribute(name); err == nil {
			return append(c.encoder().AppendAttribute([]byte(`{"Attribute":`), a, misp.Bare, misp.More{}), '}')
		}
	case tocsin.KindObject:
		if o, err := c.object(name); err == nil {
			return append(c.encoder().AppendObject([]byte(`{"Object":`), o, nil, nil, misp.Split), '}')
		}
	case tocsin.KindReport:
		if r, err := store.OneRemark(c.view.Reports(c.r.Context(), remarked(name))); err == nil {
			return append(c.encoder().AppendReport([]byte(`{"EventReport":`), r), '}')
		}
	}
	return nil
}

// An eventRow is an event as MISP's database has it.
type eventRow struct {
	ID           int64               `json:"id"`
	Org          int64               `json:"org_id"`
	Date         string              `json:"date"`
	Info         string              `json:"info"`
	User         int64               `json:"user_id"`
	UUID         tocsin.UUID         `json:"uuid"`
	Published    bool                `json:"published"`
	Analysis     int64               `json:"analysis"`
	Attributes   int                 `json:"attribute_count"`
	Orgc         int64               `json:"orgc_id"`
	Timestamp    int64               `json:"timestamp"`
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"sharing_group_id"`
	MailLock     bool                `json:"proposal_email_lock"`
	Locked       bool                `json:"locked"`
	Threat       int64               `json:"threat_level_id"`
	PublishedAt  int64               `json:"publish_timestamp"`
	SightedAt    int64               `json:"sighting_timestamp"`
	NoCorrelate  bool                `json:"disable_correlation"`
	Extends      string              `json:"extends_uuid"`
	Protected    any                 `json:"protected"`
}

func (c *call) eventRowOf(e *tocsin.Event) eventRow {
	r := eventRow{ID: e.ID, Org: e.Org, Date: e.Date, Info: e.Info, User: c.userOf(e), UUID: e.UUID, Published: e.Published, Analysis: int64(e.Analysis), Attributes: e.Attributes,
		Orgc: e.Orgc, Timestamp: e.Timestamp, Distribution: e.Distribution, Group: e.Group, Locked: e.Locked, Threat: int64(e.Threat), PublishedAt: e.PublishedAt,
		NoCorrelate: e.NoCorrelate}
	if !e.Extends.IsZero() {
		r.Extends = e.Extends.String()
	}
	return r
}

// relatedElement answers with the record that a relationship would lead to.
func relatedElement(c *call) error {
	b := c.relatedObject(tocsin.Link{Kind: misp.KindOf(c.arg(0)), UUID: refOf(c.arg(1)).uuid})
	if b == nil {
		return tocsin.Errorf(tocsin.NotFound, "no such record")
	}
	return c.send(b)
}
