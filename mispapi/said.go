package mispapi

import (
	"context"
	"iter"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// What is said of an event and what is in it, as this reader may have it: JSON already
// where it goes out as a list.
type saidOf struct {
	references map[int64][]byte // by object
	sightings  map[int64][]byte // by attribute
	proposals  map[int64][]byte // by attribute, 0 for those to add to the event
	reports    []byte
	analysts   map[tocsin.Link][]misp.Above // by kind and id of what it is about
}

// on are the analysts' remarks on a record.
func (s *saidOf) on(k tocsin.Kind, id int64) []misp.Above {
	return s.analysts[tocsin.Link{Kind: k, ID: id}]
}

// said gathers what is said of an event. References, proposals and reports that are
// done with go with what is withdrawn, for whoever asks for that.
func (c *call) said(e *tocsin.Event, o eventOptions) (*saidOf, error) {
	ctx, enc := c.r.Context(), c.encoder()
	q := store.RemarkQuery{Events: []int64{e.ID}}
	gone := q
	gone.Deleted = o.deleted
	s := &saidOf{references: map[int64][]byte{}, proposals: map[int64][]byte{}}
	var err error
	if o.analysts {
		if s.analysts, err = c.analysts(ctx, q); err != nil {
			return nil, err
		}
		if err := c.before(ctx, e, s.analysts); err != nil {
			return nil, err
		}
	}
	err = listed(c.view.References(ctx, gone), s.references, func(b []byte, r *tocsin.Reference) ([]byte, int64) {
		return enc.AppendReference(b, r), r.About.ID
	})
	if err != nil {
		return nil, err
	}
	if !o.unsighted {
		if s.sightings, err = c.sightingsIn(e.ID); err != nil {
			return nil, err
		}
	}
	err = listed(c.view.Proposals(ctx, q), s.proposals, func(b []byte, p *tocsin.Proposal) ([]byte, int64) {
		at := int64(0)
		if p.About.Kind == tocsin.KindAttribute {
			at = p.About.ID
		}
		return enc.AppendProposal(b, p, e.UUID), at
	})
	if err != nil {
		return nil, err
	}
	reports := map[int64][]byte{}
	err = listed(c.view.Reports(ctx, gone), reports, func(b []byte, r *tocsin.Report) ([]byte, int64) {
		return enc.AppendReport(b, r, s.on(tocsin.KindReport, r.ID)...), 0
	})
	s.reports = reports[0]
	return s, err
}

// listed makes lists of remarks, each under the number that write tells.
func listed[R any](rows iter.Seq2[R, error], lists map[int64][]byte, write func([]byte, R) ([]byte, int64)) error {
	var one []byte
	for r, err := range rows {
		if err != nil {
			return err
		}
		b, at := write(one[:0], r)
		one = b
		list := lists[at]
		if list == nil {
			list = append(list, '[')
		} else {
			list[len(list)-1] = ','
		}
		lists[at] = append(append(list, b...), ']')
	}
	return nil
}

// analysts gathers analysts' remarks by what they are about, each with those that
// stand on it.
func (c *call) analysts(ctx context.Context, q store.RemarkQuery) (map[tocsin.Link][]misp.Above, error) {
	about := map[tocsin.Link][]misp.Above{}
	err := gather(about, c.view.Notes(ctx, q))
	if err == nil {
		err = gather(about, c.view.Opinions(ctx, q))
	}
	if err == nil {
		err = gather(about, c.view.Relationships(ctx, q))
	}
	if err != nil {
		return nil, err
	}
	for l, list := range about {
		for i := range list {
			stack(about, &list[i], store.MaxDepth)
		}
		about[l] = list
	}
	return about, nil
}

// before gathers what was said about an event before it was here.
func (c *call) before(ctx context.Context, e *tocsin.Event, about map[tocsin.Link][]misp.Above) error {
	q, on := store.RemarkQuery{Keys: []uint64{store.KeyOfUUID(e.UUID)}}, tocsin.Link{Kind: tocsin.KindEvent, ID: e.ID}
	for _, k := range analystKinds {
		err := c.remarksOf(ctx, k, q, func(r tocsin.Remark) error {
			if l := r.Remarked().About; l.Kind == tocsin.KindEvent && l.ID == 0 && l.UUID == e.UUID {
				above, err := c.above(r, store.MaxDepth)
				about[on] = append(about[on], misp.Above{Remark: r, On: above})
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func gather[R tocsin.Remark](about map[tocsin.Link][]misp.Above, rows iter.Seq2[R, error]) error {
	for r, err := range rows {
		if err != nil {
			return err
		}
		l := r.Remarked().About
		l.UUID = tocsin.UUID{}
		about[l] = append(about[l], misp.Above{Remark: r})
	}
	return nil
}

// stack puts on a remark what is about it, so many deep.
func stack(about map[tocsin.Link][]misp.Above, a *misp.Above, depth int) {
	a.On = about[tocsin.Link{Kind: a.Remark.Kind(), ID: a.Remark.RecordID()}]
	for i := range a.On {
		if depth > 0 {
			stack(about, &a.On[i], depth-1)
		}
	}
}
