package store

import (
	"tocsin"
	"tocsin/access"
)

// sighted does to an attribute what a sighting of it means. What was met again
// holds for longer. The owner's word that it was harmless, or is over, ends it at
// once, if it is of somebody who may change the event; anybody else's brings its
// end nearer and asks the owner.
func (tx *Tx) sighted(s *tocsin.Sighting) error {
	if s.About.Kind != tocsin.KindAttribute {
		return nil
	}
	old, e, err := tx.Attribute(s.About.ID)
	if err != nil {
		return err
	}
	owner := s.Orgc == e.Org || s.Orgc == e.Orgc
	if owner {
		_, err := tx.mine(e.ID)
		owner = err == nil
	}
	a := *old
	switch s.Type {
	case tocsin.Seen, tocsin.Confirmed:
		tx.holdsLonger(&a, e, s.At, owner)
	case tocsin.FalsePositive, tocsin.Expiration:
		switch {
		case owner && s.Type == tocsin.FalsePositive:
			a.Ends = tx.now.Unix()
		case owner:
			a.Ends = s.At
		default:
			return tx.doubt(s, old, e)
		}
	}
	if a == *old {
		return nil
	}
	return tx.annotate(old, &a)
}

// holdsLonger notes that an attribute was met at a time. What its owner has ended
// begins again with the owner's word only.
func (tx *Tx) holdsLonger(a *tocsin.Attribute, e *tocsin.Event, at int64, owner bool) {
	now := tx.now.Unix()
	if owner && a.Ends != 0 && a.Ends <= now {
		a.Ends = 0
	}
	at = min(at, now)
	lasts := lifetimes(tx.docs).Of(a.Value.TypeName(), e.Orgc)
	over, worth := lasts != 0 && a.Seen+lasts <= now, lasts/refreshAfter
	if lasts == 0 {
		worth = agesBy // nothing ends, but models say what is worth less as it ages
	}
	if at > a.Seen && (over || at-a.Seen >= worth) {
		a.Seen = at
	}
}

// agesBy is how much older than what is known a sighting has to be for it to be noted
// of an attribute that has no end, in seconds: models count in days.
const agesBy = 24 * 60 * 60

// doubt is what another organisation's word against an attribute does: it halves
// the time that is left, once for each organisation, and proposes to the owner
// that nobody acts on it any more.
func (tx *Tx) doubt(s *tocsin.Sighting, old *tocsin.Attribute, e *tocsin.Event) error {
	again, err := tx.doubted(s, old)
	if err != nil || again || !old.ToIDS || old.Deleted {
		return err
	}
	if left := tx.left(old, e); left > 0 {
		a := *old
		a.Seen -= left / 2
		if err := tx.annotate(old, &a); err != nil {
			return err
		}
	}
	if !tx.v.May(access.Add) || tx.v.Org() == e.Org || tx.v.SeesAll() {
		return nil
	}
	why := "it was met and was harmless"
	if s.Type == tocsin.Expiration {
		why = "it is over"
	}
	err = AddRemark(tx, &tocsin.Proposal{
		Head:    tocsin.Head{About: tocsin.Link{Kind: tocsin.KindAttribute, ID: old.ID}},
		Comment: why, FirstSeen: old.FirstSeen, LastSeen: old.LastSeen})
	if err != nil && tocsin.CodeOf(err) == tocsin.Conflict {
		return nil // the owner was asked before
	}
	return err
}

// doubted reports whether the organisation that doubts an attribute by s has another
// sighting against it.
func (tx *Tx) doubted(s *tocsin.Sighting, a *tocsin.Attribute) (bool, error) {
	q := Scoped[RemarkQuery]{all: true, witness: Witness{All: true}, Query: RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{a.ID}}}
	for r, err := range tx.remarks(tocsin.KindSighting, q) {
		if err != nil {
			return false, err
		}
		if o := r.(*tocsin.Sighting); o.ID != s.ID && o.Orgc == s.Orgc && o.Type.Against() {
			return true, nil
		}
	}
	return false, nil
}

// takenBack is what deleting a sighting against an attribute does: what its doubt has
// halved is doubled, so that nobody ends a claim of others by doubting and taking
// it back again and again. It never holds for longer than it would have.
func (tx *Tx) takenBack(s *tocsin.Sighting) error {
	if s.About.Kind != tocsin.KindAttribute || !s.Type.Against() {
		return nil
	}
	old, e, err := tx.Attribute(s.About.ID)
	if tocsin.CodeOf(err) == tocsin.NotFound && err != nil {
		return nil
	}
	if err != nil || s.Orgc == e.Org || s.Orgc == e.Orgc || !old.ToIDS || old.Deleted {
		return err
	}
	if again, err := tx.doubted(s, old); err != nil || again {
		return err
	}
	a := *old
	a.Seen = min(tx.now.Unix(), a.Seen+tx.left(old, e))
	if a == *old {
		return nil
	}
	return tx.annotate(old, &a)
}

// left is for how many seconds an attribute holds yet, 0 if it is over or has no end.
func (tx *Tx) left(a *tocsin.Attribute, e *tocsin.Event) int64 {
	lasts := lifetimes(tx.docs).Of(a.Value.TypeName(), e.Orgc)
	if lasts == 0 {
		return 0
	}
	return max(0, a.Seen+lasts-tx.now.Unix())
}
