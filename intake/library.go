package intake

import (
	"context"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/vocab"
)

// A Library takes reference data into an exchange.
type Library struct {
	DB     *store.DB
	Guards *Guards     // told of warninglists; nil: nobody asks them
	Place  vocab.Place // where what is new is read from; nil: nobody has said
}

// ErrNoPlace is what Update answers where nobody has said where to read.
var ErrNoPlace = tocsin.Errorf(tocsin.Conflict, "no place is set from which reference data is read: start the exchange with --vocab and a folder or an address")

// Open takes what comes with the program into the store, if it is newer than what is
// there. What was published takes its place, and stays.
func (l *Library) Open(ctx context.Context) error {
	var items []*vocab.Item
	for _, i := range vocab.BuiltInVocabulary() {
		if old := l.old(librarian, i); old == nil || old.Own && old.Version <= i.Record.Version && old.Digest != i.Record.Digest {
			items = append(items, i)
		}
	}
	if len(items) == 0 {
		return nil
	}
	_, err := l.DB.Apply(ctx, librarian, func(tx *store.Tx) error {
		for _, i := range items {
			if err := put(tx, *i.Record, i.Body); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// Everyone on the exchange has the reference data, and nothing else is read.
var librarian = access.System("reference data that comes with the program is taken in")

// Update reads what is new, of the sorts named or of all, and takes it.
func (l *Library) Update(ctx context.Context, v access.Viewer, sorts ...tocsin.VocabularySort) (Taken, error) {
	if !v.May(access.SiteAdmin) { // Take asks again; this is before anything is read
		return Taken{}, errNotShared
	}
	if l.Place == nil {
		return Taken{}, ErrNoPlace
	}
	p, err := l.Place(ctx, sorts...)
	if err != nil {
		return Taken{}, err
	}
	return l.Take(ctx, v, p)
}

var errNotShared = tocsin.Errorf(tocsin.Forbidden, "your role does not let you change the reference data that everyone shares")

// A Taken is what became of reference data.
type Taken struct {
	New, Newer, Same int
	Refused          []vocab.Refusal
	Seq              tocsin.Seq
}

// Decide changes what an instance decided of a vocabulary.
func (l *Library) Decide(ctx context.Context, v access.Viewer, id int64, decide func(*tocsin.Vocabulary)) (is *tocsin.Vocabulary, err error) {
	_, err = l.DB.Apply(ctx, v, func(tx *store.Tx) error {
		old, err := store.Get[*tocsin.Vocabulary](tx, id)
		if err != nil {
			return err
		}
		is = new(*old)
		decide(is)
		return tx.PutVocabulary(is, nil)
	})
	return is, err
}

// Take adds what is new, and puts what is newer in the place of what was there: all
// of it or nothing. What an instance decided of a vocabulary or a list (whether it is
// enabled) stays, and so do numbers and the ids of clusters. One that its keeper gave a
// lower version than it had is left as it is. Lists that are new are off until somebody
// turns them on, as in MISP.
func (l *Library) Take(ctx context.Context, v access.Viewer, p *vocab.Published) (Taken, error) {
	t := Taken{Refused: p.Refused}
	if !v.May(access.SiteAdmin) { // the store asks again; this is before the ids of clusters are read
		return t, errNotShared
	}
	items, err := l.newer(ctx, v, p.Items, &t)
	if err != nil {
		return t, err
	}
	lists := l.newerLists(v, p.Lists, &t)
	if len(items)+len(lists) == 0 {
		return t, nil
	}
	t.Seq, err = l.DB.Apply(ctx, v, func(tx *store.Tx) error {
		for _, i := range items {
			if err := put(tx, *i.Record, i.Body); err != nil {
				return err
			}
		}
		for _, g := range lists {
			if err := putList(tx, g.record, g.packed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	if l.Guards != nil && len(lists) > 0 {
		if err := l.DB.Await(ctx, l.Guards.Name(), t.Seq); err != nil {
			return t, err
		}
	}
	seq, err := l.tags(ctx, v, items)
	t.Seq = max(t.Seq, seq)
	return t, err
}

// tags makes the tags of taxonomies that stand on relations of clusters, as in MISP.
// They are made last, when their taxonomies are there.
func (l *Library) tags(ctx context.Context, v access.Viewer, items []*vocab.Item) (tocsin.Seq, error) {
	var names []string
	for _, i := range items {
		for _, n := range i.Tags {
			if slices.Contains(names, n) {
				continue
			}
			if _, err := store.ByName[*tocsin.Tag](l.DB.As(v), n); err == nil {
				continue
			}
			if _, _, err := l.DB.As(v).Library().TaxonomyTag(ctx, n); err == nil {
				names = append(names, n)
			} else if tocsin.CodeOf(err) != tocsin.NotFound {
				return 0, err
			}
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	return l.DB.Apply(ctx, v, func(tx *store.Tx) error {
		for _, n := range names {
			if err := tx.OfferTag(n, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// newer returns the items that are not there, or are older there.
func (l *Library) newer(ctx context.Context, v access.Viewer, items []*vocab.Item, t *Taken) (out []*vocab.Item, err error) {
	for _, i := range items {
		switch old := l.old(v, i); {
		case old == nil:
			t.New++
		case old.Digest == i.Record.Digest || old.Version > i.Record.Version:
			t.Same++
			continue
		default:
			t.Newer++
			if i, err = l.renumbered(ctx, v, i, old); err != nil {
				return nil, err
			}
		}
		out = append(out, i)
	}
	return out, nil
}

// old returns the vocabulary that is there in i's place, or nil.
func (l *Library) old(v access.Viewer, i *vocab.Item) *tocsin.Vocabulary {
	old, err := store.ByName[*tocsin.Vocabulary](l.DB.As(v), i.Record.RecordName())
	if err != nil {
		return nil
	}
	return old
}

// renumbered returns i whose clusters have the ids that they had.
func (l *Library) renumbered(ctx context.Context, v access.Viewer, i *vocab.Item, old *tocsin.Vocabulary) (*vocab.Item, error) {
	if i.Record.Sort != tocsin.Galaxies {
		return i, nil
	}
	before, err := l.DB.As(v).Library().Body(ctx, old)
	if err != nil {
		return nil, err
	}
	i = new(*i)
	return i, i.KeepIDs(before)
}

// put writes a vocabulary in the place of the one that is called so. r is the
// caller's own.
func put(tx *store.Tx, r tocsin.Vocabulary, body []byte) error {
	old, err := store.Named[*tocsin.Vocabulary](tx, r.RecordName())
	switch {
	case err == nil:
		r.ID, r.Number = old.ID, old.Number
		r.Enabled, r.Required, r.Highlighted = old.Enabled, old.Required, old.Highlighted
	case tocsin.CodeOf(err) != tocsin.NotFound:
		return err
	}
	return tx.PutVocabulary(&r, body)
}

// A packedList is a guard list that is ready to be written.
type packedList struct {
	record tocsin.GuardList
	packed []byte
}

// newerLists returns the lists that are not there, or are older there.
func (l *Library) newerLists(v access.Viewer, lists []vocab.PublishedList, t *Taken) (out []packedList) {
	for _, p := range lists {
		r := p.List.Record()
		r.Source = p.From
		switch old, err := store.ByName[*tocsin.GuardList](l.DB.As(v), r.Name); {
		case err != nil:
			t.New++
		case old.Own || old.Org != 0 || old.Custom:
			t.Refused = append(t.Refused, vocab.Refusal{File: p.From, Err: tocsin.Errorf(tocsin.Conflict, "there is another sort of list called %s", r.Name)})
			continue
		case old.Digest == r.Digest && old.Title == r.Title && old.Description == r.Description && old.Version == r.Version || old.Version > r.Version:
			t.Same++
			continue
		default:
			t.Newer++
		}
		out = append(out, packedList{*r, p.List.Packed()})
	}
	return out
}

// putList writes a list in the place of the one that is called so. r is the caller's
// own.
func putList(tx *store.Tx, r tocsin.GuardList, packed []byte) error {
	r.Class, r.Usual = tocsin.Unguarded, r.Class
	switch old, err := store.Named[*tocsin.GuardList](tx, r.Name); {
	case err == nil:
		r.ID, r.Class, r.Known = old.ID, old.Class, old.Known
		if old.Class == tocsin.Unguarded && old.Usual != tocsin.Unguarded {
			r.Usual = old.Usual
		}
	case tocsin.CodeOf(err) != tocsin.NotFound:
		return err
	}
	return tx.PutGuardList(&r, packed)
}
