package store

import (
	"tocsin"
)

// Accept does what somebody proposed, as the owner of the event, and marks the
// proposal as done with.
func (tx *Tx) Accept(id int64) (*tocsin.Attribute, error) {
	p, err := tx.openProposal(id)
	if err != nil {
		return nil, err
	}
	want, err := proposed(p)
	if err != nil {
		return nil, err
	}
	got, err := tx.accept(p, want)
	if err != nil {
		return nil, err
	}
	return got, tx.close(p, true)
}

func (tx *Tx) accept(p *tocsin.Proposal, want tocsin.Attribute) (*tocsin.Attribute, error) {
	switch {
	case p.Delete:
		return tx.Withdraw(p.About.ID)
	case p.About.Kind == tocsin.KindAttribute:
		return tx.EditAttribute(p.About.ID, func(a *tocsin.Attribute) error {
			a.Value, a.Category, a.Comment, a.ToIDS = want.Value, want.Category, want.Comment, want.ToIDS
			a.FirstSeen, a.LastSeen, a.Timestamp = want.FirstSeen, want.LastSeen, tx.now.Unix()
			return nil
		})
	}
	r, err := tx.AddAttributes(p.Event, []tocsin.Attribute{want}, false)
	if err != nil {
		return nil, err
	}
	if len(r.Added) == 0 {
		return nil, tocsin.Errorf(tocsin.Conflict, "event %d holds what was proposed already; discard the proposal", p.Event)
	}
	return &r.Added[0], nil
}

// Proposed reports whether the organisation that p says has proposed the same before,
// as far as the viewer knows, whatever was decided.
func (tx *Tx) Proposed(p *tocsin.Proposal) (bool, error) {
	q := *p
	if q.Orgc == 0 {
		q.Orgc = tx.v.Org()
	}
	if _, err := tx.locate(&q); err != nil {
		return false, err
	}
	old, err := tx.proposedAlready(&q, Any)
	return old != nil, err
}

// Discard marks a proposal as done with: as the owner of the event, or as whoever
// made it and takes it back.
func (tx *Tx) Discard(id int64) error {
	r, _, err := tx.myRemark(tocsin.KindProposal, id)
	if err != nil {
		return err
	}
	p := r.(*tocsin.Proposal)
	if p.Deleted {
		return errDone(id)
	}
	return tx.close(p, false)
}

// openProposal returns a proposal that the viewer may accept.
func (tx *Tx) openProposal(id int64) (*tocsin.Proposal, error) {
	r, err := tx.remark(tocsin.KindProposal, RemarkQuery{IDs: []int64{id}, Deleted: Any})
	if err != nil {
		return nil, err
	}
	p := r.(*tocsin.Proposal)
	if _, err := tx.mine(p.Event); err != nil {
		return nil, err
	}
	if p.Deleted {
		return nil, errDone(id)
	}
	return p, nil
}

func errDone(id int64) error {
	return tocsin.Errorf(tocsin.NotFound, "proposal %d was accepted or discarded already", id)
}

func (tx *Tx) close(p *tocsin.Proposal, accepted bool) error {
	done := *p
	done.Deleted, done.Accepted, done.Timestamp = true, accepted, max(p.Timestamp, tx.now.Unix())
	return tx.putRemark(p, &done)
}
