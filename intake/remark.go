package intake

import (
	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A RemarkDraft is a remark as it arrived with an event: a reference, sighting,
// proposal, report, note, opinion, relationship or cluster. It says what it is about
// by uuid, or by kind alone where that is the event.
type RemarkDraft struct {
	Line   int
	What   string // as MISP calls it, for refusals
	Remark tocsin.Remark
}

// remarks takes in what was said about an event and what is in it. One that is here
// already is changed if it is older, and stays as it is else: whoever sends an event
// sends all of them each time.
func (w *writing) remarks(event int64, ds []RemarkDraft) error {
	for i := range ds {
		d := &ds[i]
		h := d.Remark.Remarked()
		if h.About.Kind == tocsin.KindEvent && h.About.ID == 0 {
			h.About = tocsin.Link{Kind: tocsin.KindEvent, ID: event}
		}
		if err := w.remark(d.Remark); err != nil {
			if err := w.refused(d.Line, d.What, "", err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writing) remark(r tocsin.Remark) error {
	h := r.Remarked()
	if p, ok := r.(*tocsin.Proposal); ok {
		return w.proposal(p)
	}
	if !h.UUID.IsZero() {
		old, err := w.tx.RemarkByUUID(h.UUID)
		switch {
		case err == nil && old.Kind() == r.Kind():
			return w.renew(old, r)
		case err != nil && tocsin.CodeOf(err) != tocsin.NotFound:
			return err
		}
	}
	return add(w.tx, r)
}

// proposal takes in what somebody proposes, unless that is known here, decided or not.
func (w *writing) proposal(p *tocsin.Proposal) error {
	old, err := w.tx.Proposed(p)
	if err != nil || old {
		return err
	}
	return store.AddRemark(w.tx, p)
}

// add adds a remark of whichever kind.
func add(tx *store.Tx, r tocsin.Remark) error {
	if c, ok := r.(*tocsin.Cluster); ok {
		c.Published = c.Published && tx.Viewer().May(access.Publish)
	}
	return store.AddRemark(tx, r)
}

// renew changes a remark to a newer one. What somebody saw is not changed.
func (w *writing) renew(old, r tocsin.Remark) error {
	was, is := old.Remarked(), r.Remarked()
	if is.Timestamp <= was.Timestamp && !newerCluster(old, r) {
		return nil
	}
	var err error
	switch r := r.(type) {
	case *tocsin.Reference:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Reference) error { *x = *r; return nil })
	case *tocsin.Report:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Report) error { *x = *r; return nil })
	case *tocsin.Note:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Note) error { *x = *r; return nil })
	case *tocsin.Opinion:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Opinion) error { *x = *r; return nil })
	case *tocsin.Relationship:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Relationship) error { *x = *r; return nil })
	case *tocsin.Cluster:
		_, err = store.EditRemark(w.tx, was.ID, func(x *tocsin.Cluster) error { *x = *r; return nil })
	}
	return err
}

// newerCluster reports whether r is a later version of a cluster, which has no time.
func newerCluster(old, r tocsin.Remark) bool {
	a, ok := old.(*tocsin.Cluster)
	b, both := r.(*tocsin.Cluster)
	return ok && both && b.Version > a.Version
}
