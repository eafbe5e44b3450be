package intake

import (
	"context"
	"io"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/vocab"
)

// A Loaded is what became of a list.
type Loaded struct {
	List *tocsin.GuardList
	Bad  []vocab.Bad // entries that were left out
	Seq  tocsin.Seq
}

// LoadOptions say what a list's own words leave open.
type LoadOptions struct {
	Name  string             // "": as its file is called
	Class *tocsin.GuardClass // nil: what it had, or else what is usual for such a list
	Later bool               // others follow: return before it is asked, so that it is read together with them
}

// Load reads a list from r and puts it in the place of the one of the same name.
// From is where it comes from: a file or an address. When it returns, whatever is
// written next is judged by it, unless it is to be later; what is there already
// follows.
func (g *Guards) Load(ctx context.Context, v access.Viewer, from string, r io.Reader, o LoadOptions) (Loaded, error) {
	if !v.May(access.SiteAdmin) { // the store asks again; this is before a large list is read
		return Loaded{}, tocsin.Errorf(tocsin.Forbidden, "your role does not let you load guard lists; what your organisation runs itself goes into its list of assets")
	}
	l, bad, err := vocab.Read(from, r)
	if err != nil {
		return Loaded{}, err
	}
	if o.Name != "" {
		if l.Name = vocab.Word(o.Name); l.Name != o.Name {
			return Loaded{}, tocsin.Errorf(tocsin.Invalid, "a list's name is lower-case letters, digits, dots and hyphens, at most 64: %q, perhaps", l.Name)
		}
	}
	rec := l.Record()
	rec.Source = from
	packed := l.Packed()
	seq, err := g.DB.Apply(ctx, v, func(tx *store.Tx) error {
		old, err := store.Named[*tocsin.GuardList](tx, rec.Name)
		switch {
		case err == nil && (old.Own || old.Org != 0):
			return tocsin.Errorf(tocsin.Conflict, "there is another sort of list called %s; say what this one is to be called", rec.Name)
		case err == nil:
			rec.ID, rec.Class, rec.Usual, rec.Known = old.ID, old.Class, old.Usual, old.Known
		case tocsin.CodeOf(err) != tocsin.NotFound:
			return err
		}
		if o.Class != nil {
			rec.Class = *o.Class
		}
		return tx.PutGuardList(rec, packed)
	})
	if err != nil {
		return Loaded{}, err
	}
	if o.Later {
		return Loaded{rec, bad, seq}, nil
	}
	return Loaded{rec, bad, seq}, g.DB.Await(ctx, g.Name(), seq)
}

// Reclass changes what it means to be on a list.
func (g *Guards) Reclass(ctx context.Context, v access.Viewer, name string, class tocsin.GuardClass) (*tocsin.GuardList, error) {
	var rec *tocsin.GuardList
	seq, err := g.DB.Apply(ctx, v, func(tx *store.Tx) error {
		old, err := store.Named[*tocsin.GuardList](tx, name)
		if err != nil {
			return err
		}
		rec = new(*old)
		if class == tocsin.Unguarded && old.Class != tocsin.Unguarded {
			rec.Usual = old.Class
		}
		rec.Class = class
		return tx.PutGuardList(rec, nil)
	})
	if err != nil {
		return nil, err
	}
	return rec, g.DB.Await(ctx, g.Name(), seq)
}

// Remove removes a list.
func (g *Guards) Remove(ctx context.Context, v access.Viewer, name string) error {
	seq, err := g.DB.Apply(ctx, v, func(tx *store.Tx) error {
		l, err := store.Named[*tocsin.GuardList](tx, name)
		if err != nil {
			return err
		}
		return tx.RemoveGuardList(l.ID)
	})
	if err != nil {
		return err
	}
	return g.DB.Await(ctx, g.Name(), seq)
}

// Entries returns what is on a list.
func (g *Guards) Entries(ctx context.Context, v access.Viewer, l *tocsin.GuardList) (es []string, err error) {
	packed, err := g.DB.As(v).GuardEntries(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	for e, err := range vocab.Unpack(packed) {
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	return es, nil
}

// maxAssets is how many entries an organisation's list of assets may have.
const maxAssets = 10_000

// Assets adds to and removes from what an organisation says that it runs itself,
// and returns the list as it then is; nil if there is none.
func (g *Guards) Assets(ctx context.Context, v access.Viewer, org *tocsin.Organisation, add, remove []string) (*tocsin.GuardList, []string, error) {
	added, err := vocab.Assets(org, add)
	if err != nil {
		return nil, nil, err
	}
	removed, err := vocab.Assets(org, remove)
	if err != nil {
		return nil, nil, err
	}
	old, err := store.ByName[*tocsin.GuardList](g.DB.As(v), added.Name)
	var es []string
	if err == nil {
		es, err = g.Entries(ctx, v, old)
	} else if tocsin.CodeOf(err) == tocsin.NotFound {
		old, err = nil, nil
	}
	if err != nil || len(add)+len(remove) == 0 {
		return old, es, err
	}
	es = slices.DeleteFunc(append(es, added.Entries...), func(e string) bool { return slices.Contains(removed.Entries, e) })
	slices.Sort(es)
	added.Entries = slices.Compact(es)
	if len(added.Entries) > maxAssets {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "%d assets are too many; ranges and domains stand for what is in them, and %d are enough", len(added.Entries), maxAssets)
	}
	rec := added.Record()
	rec.Org = org.ID
	if v.May(access.SiteAdmin) { // who has looked at it
		rec.Class = tocsin.Warn
	}
	seq, err := g.DB.Apply(ctx, v, func(tx *store.Tx) error {
		now, err := store.Named[*tocsin.GuardList](tx, rec.Name)
		if err == nil {
			if old == nil || now.Digest != old.Digest {
				return tocsin.Errorf(tocsin.Conflict, "someone else changed the assets at the same time; look at them and try again")
			}
			rec.ID = now.ID
			if v.May(access.SiteAdmin) { // what somebody else adds has to be looked at again
				rec.Class = max(rec.Class, now.Class)
			}
		} else if tocsin.CodeOf(err) != tocsin.NotFound {
			return err
		}
		return tx.PutGuardList(rec, vocab.Pack(added.Entries))
	})
	if err != nil {
		return nil, nil, err
	}
	return rec, added.Entries, g.DB.Await(ctx, g.Name(), seq)
}

// Exchange adds what the exchange itself is known as to a list of its own: other
// nodes of it have put theirs there, too.
func (g *Guards) Exchange(ctx context.Context, values []string) error {
	const name = "this-exchange"
	l := &vocab.List{Name: name, Title: "This exchange", Match: vocab.Exact, Class: tocsin.Deny,
		Description: "The names and addresses of the exchange itself. A subscriber that blocks them hears nothing more."}
	old, err := store.ByName[*tocsin.GuardList](g.DB.As(guardian), name)
	if err == nil {
		if l.Entries, err = g.Entries(ctx, guardian, old); err != nil {
			return err
		}
	} else if tocsin.CodeOf(err) != tocsin.NotFound {
		return err
	}
	n := len(l.Entries)
	for _, v := range values {
		if e, err := vocab.Entry(v); err == nil && !slices.Contains(l.Entries, e) {
			l.Entries = append(l.Entries, e)
		}
	}
	if len(l.Entries) == n {
		return nil
	}
	slices.Sort(l.Entries)
	rec := l.Record()
	rec.Own = true
	if old != nil {
		rec.ID, rec.Class = old.ID, old.Class
	}
	_, err = g.DB.Apply(ctx, guardian, func(tx *store.Tx) error { return tx.PutGuardList(rec, vocab.Pack(l.Entries)) })
	return err
}
