package store

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"tocsin"
	"tocsin/access"
)

// Get returns a small record by id as the viewer sees it.
func Get[R tocsin.Record](tx *Tx, id int64) (R, error) {
	var zero R
	if r, ok := tx.docs.get(zero.Kind(), id).(R); ok && tx.db.mayReadDoc(tx.v, r, tx.docs) {
		return r, nil
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no %s %d", zero.Kind(), id)
}

// Named returns a small record by name as the viewer sees it.
func Named[R tocsin.Record](tx *Tx, name string) (R, error) {
	var zero R
	if r, ok := tx.docs.named(zero.Kind(), name).(R); ok && tx.db.mayReadDoc(tx.v, r, tx.docs) {
		return r, nil
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no %s %q", zero.Kind(), name)
}

// Put adds a small record (id 0, which it fills in) or replaces the one with
// its id. Whether the viewer may is asked of what was there and of what is to be.
func Put[R tocsin.Record](tx *Tx, r R) error {
	k := r.Kind()
	var before tocsin.Record
	if id := r.RecordID(); id != 0 {
		if before = tx.docs.get(k, id); before == nil || !tx.db.mayReadDoc(tx.v, before, tx.docs) {
			return tocsin.Errorf(tocsin.NotFound, "no %s %d", k, id)
		}
		if err := tx.mayWriteDoc(before, before); err != nil {
			return err
		}
	}
	if err := tx.mayWriteDoc(before, r); err != nil {
		return err
	}
	if n := name(r); n != "" {
		if other := tx.docs.named(k, n); other != nil && other.RecordID() != r.RecordID() {
			return tocsin.Errorf(tocsin.Conflict, "there is a %s %q already", k, n)
		}
	} else if k != tocsin.KindImport {
		return tocsin.Errorf(tocsin.Invalid, "a %s needs a name", k)
	}
	if u := uuid(r); !u.IsZero() {
		if other := tx.docs.byUUID(k, u); other != nil && other.RecordID() != r.RecordID() {
			return tocsin.Errorf(tocsin.Conflict, "there is a %s %s already", k, u)
		}
	}
	if err := tx.sound(before, r); err != nil {
		return err
	}
	if r.RecordID() == 0 {
		id, err := tx.newDocID(k)
		if err != nil {
			return err
		}
		any(r).(tocsin.Numbered).SetRecordID(id)
	}
	if err := tx.putDoc(before, r); err != nil {
		return err
	}
	if o, ok := tocsin.Record(r).(*tocsin.Organisation); ok {
		return tx.regroup(before, o)
	}
	return nil
}

// newDocID hands out an id. Those of MISP's own roles are taken.
func (tx *Tx) newDocID(k tocsin.Kind) (id int64, err error) {
	for id, err = tx.newID(k, 1); err == nil && k == tocsin.KindRole && id < tocsin.FirstRole; {
		id, err = tx.newID(k, 1)
	}
	return id, err
}

// sound refuses a small record that makes no sense.
func (tx *Tx) sound(before, r tocsin.Record) error {
	switch r := r.(type) {
	case *tocsin.Subscriber:
		return tx.settleSubscriber(r)
	case *tocsin.Collection:
		if err := tx.inTurn(r); err != nil {
			return err
		}
		return tx.settleCollection(r)
	case *tocsin.Group:
		tx.admit(r)
	case *tocsin.Tag:
		return soundTag(before, r)
	case *tocsin.Role:
		if slices.ContainsFunc(access.Roles, func(is access.NamedRole) bool { return strings.EqualFold(is.Name, r.Name) }) {
			return tocsin.Errorf(tocsin.Conflict, "there is a role %q already; it comes with every exchange", r.Name)
		}
	case *tocsin.Block:
		if r.Of != tocsin.KindEvent && r.Of != tocsin.KindOrganisation || r.UUID.IsZero() {
			return tocsin.Errorf(tocsin.Invalid, "a blocklist entry is the uuid of an event or of an organisation")
		}
	case *tocsin.Handover:
		return tx.soundDelegation(before, r)
	case *tocsin.Setting:
		return tx.soundSetting(r)
	case *tocsin.Lifetime:
		return tx.soundLifetime(r)
	case *tocsin.Retention:
		return tx.soundRetention(r)
	case *tocsin.Vocabulary:
		return soundVocabulary(before, r)
	case *tocsin.Exclusion:
		return tx.soundExclusion(r)
	}
	return nil
}

// maxDoc is how large a small record may be, in octets.
const maxDoc = 1 << 20

// putDoc writes a small record in place of before, and its line.
func (tx *Tx) putDoc(before, r tocsin.Record) error {
	k := r.Kind()
	b, err := tx.db.image(r)
	if err != nil {
		return err
	}
	if len(b) > maxDoc {
		return tocsin.Errorf(tocsin.Invalid, "a %s of %d octets is too large; every node holds it in memory, and it may have %d", k, len(b), maxDoc)
	}
	kept, _, err := tx.db.record(k, b)
	if err != nil {
		return err
	}
	if err := tx.w.PutDoc(tx.ctx, Doc{k, kept.RecordID(), uuid(kept), name(kept), b}); err != nil {
		return err
	}
	tx.docs.set(docID{k, kept.RecordID()}, kept)
	l := tocsin.Line{Kind: k, ID: kept.RecordID(), Before: before, After: kept}
	tx.line(tx.scoped(l))
	return nil
}

// settleSubscriber puts what a subscriber asks for into normal form and refuses
// what it can't have.
func (tx *Tx) settleSubscriber(s *tocsin.Subscriber) (err error) {
	if tx.keyTaken(s) {
		return tocsin.Errorf(tocsin.Conflict, "another subscriber has a key %q; give this one another name", s.TSIG.Name)
	}
	if s.Exclude, err = tocsin.ParseExclusions(s.Exclude); err != nil {
		return err
	}
	if s.Action, err = tocsin.ParseAction(string(s.Action)); err != nil {
		return err
	}
	s.Also = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(s.Also))), func(id int64) bool { return id == s.Collection })
	acts := false
	for _, id := range s.Collections() {
		c, ok := tx.docs.get(tocsin.KindCollection, id).(*tocsin.Collection)
		if !ok {
			return tocsin.Errorf(tocsin.NotFound, "no collection %d", id)
		}
		acts = acts || !c.Pass
	}
	if s.Action != "" && !acts {
		return tocsin.Errorf(tocsin.Invalid, "an allow list lets names pass: its subscriber has no action of its own")
	}
	return nil
}

// settleCollection is likewise for a collection.
func (tx *Tx) settleCollection(c *tocsin.Collection) (err error) {
	if c.Action, err = tocsin.ParseAction(string(c.Action)); err != nil {
		return err
	}
	if c.Pass && c.Action != "" {
		return tocsin.Errorf(tocsin.Invalid, "an allow list lets names pass: it has no action %q", c.Action)
	}
	return tx.freeZones(c)
}

// keyTaken reports whether another subscriber's TSIG key has the name of s's. A
// key is found by its name, and then stands for its subscriber: of two keys of
// one name, one would open what is meant for the other.
func (tx *Tx) keyTaken(s *tocsin.Subscriber) bool {
	if s.TSIG == nil {
		return false
	}
	plain := func(k *tocsin.TSIG) string { return strings.TrimSuffix(k.Name, ".") }
	for r := range tx.docs.all(tocsin.KindSubscriber) {
		o := r.(*tocsin.Subscriber)
		if o.ID != s.ID && o.TSIG != nil && strings.EqualFold(plain(o.TSIG), plain(s.TSIG)) {
			return true
		}
	}
	return false
}

// freeZones refuses names of zones that are taken, by another collection or
// within this one: a question for a zone is answered by its name.
func (tx *Tx) freeZones(c *tocsin.Collection) error {
	mine := c.Zones()
	for i, n := range mine {
		if slices.Contains(mine[:i], n) {
			return tocsin.Errorf(tocsin.Invalid, "%s names two of the collection's zones; each needs a name of its own", n)
		}
	}
	for r := range tx.docs.all(tocsin.KindCollection) {
		if r.RecordID() == c.ID {
			continue
		}
		for _, n := range r.(*tocsin.Collection).Zones() {
			if slices.Contains(mine, n) {
				return tocsin.Errorf(tocsin.Conflict, "the zone %s is taken; choose another name", n)
			}
		}
	}
	return nil
}

// Remove removes a small record. It refuses while something else needs it.
func Remove[R tocsin.Record](tx *Tx, id int64) error {
	r, err := Get[R](tx, id)
	if err != nil {
		return err
	}
	if err := tx.mayWriteDoc(r, nil); err != nil {
		return err
	}
	if err := tx.unneeded(r); err != nil {
		return err
	}
	if err := tx.belongings(r); err != nil {
		return err
	}
	return tx.removeDoc(r)
}

// belongings removes what is a user's own along with them.
func (tx *Tx) belongings(r tocsin.Record) error {
	u, ok := r.(*tocsin.User)
	if !ok {
		return nil
	}
	var own []tocsin.Record
	for k := range tx.docs.all(tocsin.KindKey) {
		if k.(*tocsin.Key).User == u.ID {
			own = append(own, k)
		}
	}
	for s := range tx.docs.all(tocsin.KindUserSetting) {
		if s.(*tocsin.UserSetting).User == u.ID {
			own = append(own, s)
		}
	}
	for _, r := range own {
		if err := tx.removeDoc(r); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) removeDoc(r tocsin.Record) error {
	id := r.RecordID()
	if err := tx.w.RemoveDoc(tx.ctx, r.Kind(), id); err != nil {
		return err
	}
	tx.docs.set(docID{r.Kind(), id}, nil)
	tx.line(tx.scoped(tocsin.Line{Kind: r.Kind(), ID: id, Before: r}))
	return nil
}

// scoped makes the line of a record on which claims depend one that touches them:
// of a collection every claim, of a lifetime those of its types, of the clock
// those that fell due.
func (tx *Tx) scoped(l tocsin.Line) tocsin.Line {
	switch l.Kind {
	case tocsin.KindCollection, tocsin.KindLifetime, tocsin.KindClock:
		l.Seq = tx.next()
		l.Scope = tx.db.scope(l)
	}
	return l
}

// unneeded refuses to remove what others refer to.
func (tx *Tx) unneeded(r tocsin.Record) error {
	needs := func(k tocsin.Kind, refers func(tocsin.Record) bool) error {
		for o := range tx.docs.all(k) {
			if refers(o) {
				return tocsin.Errorf(tocsin.Conflict, "%s %q is still needed by %s %q; remove that first", r.Kind(), name(r), k, name(o))
			}
		}
		return nil
	}
	switch r := r.(type) {
	case *tocsin.Group:
		return tx.shared(r)
	case *tocsin.Organisation:
		if err := needs(tocsin.KindUser, func(o tocsin.Record) bool { return o.(*tocsin.User).Org == r.ID }); err != nil {
			return err
		}
		return needs(tocsin.KindSubscriber, func(o tocsin.Record) bool { return o.(*tocsin.Subscriber).Org == r.ID })
	case *tocsin.Role:
		return needs(tocsin.KindUser, func(o tocsin.Record) bool { return o.(*tocsin.User).Role == r.ID })
	case *tocsin.Tag:
		// Whatever carries the tag would go further at its next write.
		if marks(r.Name) && len(tx.db.coder.Tags.Matching(func(s tocsin.TagSet) bool { return s.Has(r.ID) })) > 0 {
			return tocsin.Errorf(tocsin.Conflict, "the tag %q says how far records may go that carry it or did; hide it instead", r.Name)
		}
	case *tocsin.Collection:
		return needs(tocsin.KindSubscriber, func(o tocsin.Record) bool { return o.(*tocsin.Subscriber).Receives(r.ID) })
	}
	return nil
}

// clone returns a copy of r that nobody else holds.
func clone(r tocsin.Record) (tocsin.Record, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	c := tocsin.NewRecord(r.Kind())
	return c, json.Unmarshal(b, c)
}

// maxTagName is how long a tag's name may be, as in MISP.
const maxTagName = 255

// soundTag refuses a name that is none, and to rename what says how far records may
// go: their labels are settled, and would be others at the next write.
func soundTag(before tocsin.Record, t *tocsin.Tag) error {
	if len(t.Name) > maxTagName || strings.TrimSpace(t.Name) != t.Name || strings.ContainsFunc(t.Name, unicode.IsControl) {
		return tocsin.Errorf(tocsin.Invalid, "the name of a tag is one line of at most %d bytes", maxTagName)
	}
	was, _ := before.(*tocsin.Tag)
	if was != nil && was.Name != t.Name && (marks(was.Name) || marks(t.Name)) {
		return tocsin.Errorf(tocsin.Invalid, "the tag %q can't be renamed to %q: one of them says how far records may go", was.Name, t.Name)
	}
	return nil
}

// marks reports whether a tag says how far a record may go, or who blocks it.
func marks(tag string) bool {
	tlp, pap := access.Marking(tag)
	return tlp != access.Unmarked || pap != access.PAPUnmarked || strings.HasPrefix(tag, "tocsin:")
}

// TagNamed returns the tag of that name, which it makes if there is none and
// the viewer may make tags, or is importing events that carry it.
func (tx *Tx) TagNamed(n, colour string) (*tocsin.Tag, error) {
	return tx.TagLike(tocsin.Tag{Name: n, Colour: colour, Exportable: true})
}

// TagLike is [Tx.TagNamed] of a tag that says what it is like where it comes from: its
// name and colour, whether it is handed on and shown. What is here stays as it is.
func (tx *Tx) TagLike(like tocsin.Tag) (*tocsin.Tag, error) {
	n := strings.TrimSpace(like.Name)
	if t, ok := tx.docs.named(tocsin.KindTag, n).(*tocsin.Tag); ok {
		return t, nil
	}
	if !tx.v.May(access.Tag) {
		return nil, errMayNot("attach tags")
	}
	t := &tocsin.Tag{Name: n, Colour: like.Colour, Exportable: like.Exportable, Hidden: like.Hidden, LocalOnly: strings.HasPrefix(n, "tocsin:")}
	if err := tx.likeItsTaxonomy(t); err != nil {
		return nil, err
	}
	if t.Colour == "" {
		t.Colour = ColourOf(n)
	}
	if tlp, pap := access.Marking(n); tlp == access.Unmarked && pap == access.PAPUnmarked {
		t.Coined = tx.v.Org()
	}
	return t, Put(tx, t)
}
