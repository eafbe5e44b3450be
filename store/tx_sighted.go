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
	again := false
	q := Scoped[RemarkQuery]{all: true, witness: Witness{All: true}, Query: RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{old.ID}}}
	for r, err := range tx.remarks(tocsin.KindSighting, q) {
		if err != nil {
			return err
		}
		o := r.(*tocsin.Sighting)
		again = again || o.ID != s.ID && o.Orgc == s.Orgc && o.Type.Against()
	}
	if again || !old.ToIDS || old.Deleted {
		return nil
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
	return AddRemark(tx, &tocsin.Proposal{
		Head:    tocsin.Head{About: tocsin.Link{Kind: tocsin.KindAttribute, ID: old.ID}},
		Comment: why, FirstSeen: old.FirstSeen, LastSeen: old.LastSeen})
}

// left is for how many seconds an attribute holds yet, 0 if it is over or has no end.
func (tx *Tx) left(a *tocsin.Attribute, e *tocsin.Event) int64 {
	lasts := lifetimes(tx.docs).Of(a.Value.TypeName(), e.Orgc)
	if lasts == 0 {
		return 0
	}
	return max(0, a.Seen+lasts-tx.now.Unix())
}
