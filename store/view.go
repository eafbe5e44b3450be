package store

import (
	"context"
	"errors"
	"iter"
	"slices"

	"tocsin"
	"tocsin/access"
)

// A View is the store as one viewer sees it. The zero viewer sees nothing.
type View struct {
	db *DB
	v  access.Viewer
}

// As returns what v can see.
func (db *DB) As(v access.Viewer) View { return View{db, v} }

// Viewer is who looks.
func (w View) Viewer() access.Viewer { return w.v }

func scope[Q any](w View, q Q) Scoped[Q] {
	return Scoped[Q]{sight: w.db.coder.Labels.Sight(w.v, access.Read), all: w.v.SeesAll(), Query: q}
}

// read runs a read of the engine as an iterator.
func read[R any](ctx context.Context, w View, rows func(Reader) iter.Seq2[R, error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := w.db.read(ctx, func(r Reader) error {
			for row, err := range rows(r) {
				if err != nil {
					return err
				}
				if !yield(row, nil) {
					return errStop
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			var zero R
			yield(zero, err)
		}
	}
}

// Events iterates over the visible events that match q, all of one state of the
// store.
func (w View) Events(ctx context.Context, q EventQuery) iter.Seq2[tocsin.Event, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[tocsin.Event, error] {
		return func(yield func(tocsin.Event, error) bool) {
			for e, err := range r.Events(ctx, scope(w, q)) {
				if err == nil {
					err = w.recount(ctx, r, &e)
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	})
}

// recount makes the number of attributes what the viewer may see of them: how
// many others there are is nothing it should learn. Mostly there are none, and
// nothing has to be counted.
func (w View) recount(ctx context.Context, r Reader, e *tocsin.Event) error {
	owner := w.db.coder.Labels.Label(e.Label).Owner
	if w.v.Ceiling() == access.Unmarked && (e.Restricted == 0 || w.v.SeesAll() || w.v.Org() == owner) {
		return nil
	}
	n, err := r.CountAttributes(ctx, scope(w, Query{Events: []int64{e.ID}}))
	e.Attributes, e.Restricted = int(n), 0
	return err
}

// Attributes iterates over the visible attributes that match q, all of one state
// of the store.
func (w View) Attributes(ctx context.Context, q Query) iter.Seq2[tocsin.Attribute, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[tocsin.Attribute, error] { return r.Attributes(ctx, scope(w, q)) })
}

// Objects iterates over the visible objects that match q.
func (w View) Objects(ctx context.Context, q ObjectQuery) iter.Seq2[tocsin.Object, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[tocsin.Object, error] { return r.Objects(ctx, scope(w, q)) })
}

// CountEvents answers how many events match q, leaving its limit aside.
func (w View) CountEvents(ctx context.Context, q EventQuery) (n int64, err error) {
	err = w.db.read(ctx, func(r Reader) (err error) {
		n, err = r.CountEvents(ctx, scope(w, q))
		return err
	})
	return n, err
}

// CountAttributes answers how many attributes match q, leaving its limit aside.
func (w View) CountAttributes(ctx context.Context, q Query) (n int64, err error) {
	err = w.db.read(ctx, func(r Reader) (err error) {
		n, err = r.CountAttributes(ctx, scope(w, q))
		return err
	})
	return n, err
}

// Tally counts the attributes that match q by their type, their category or their
// tags, of which each counts. Tags of their events are not theirs.
func (w View) Tally(ctx context.Context, by Trait, q Query) (n map[int64]int64, err error) {
	err = w.db.read(ctx, func(r Reader) (err error) {
		n, err = r.Tally(ctx, by, scope(w, q))
		return err
	})
	if by == TraitTag {
		n = w.db.perTag(n)
	}
	return n, err
}

// TallyEvents counts the events that match q by their tags.
func (w View) TallyEvents(ctx context.Context, q EventQuery) (n map[int64]int64, err error) {
	err = w.db.read(ctx, func(r Reader) (err error) {
		n, err = r.TallyEvents(ctx, scope(w, q))
		return err
	})
	return w.db.perTag(n), err
}

// perTag turns what was counted by sets of tags into what carries each tag.
func (db *DB) perTag(sets map[int64]int64) map[int64]int64 {
	n := map[int64]int64{}
	for set, count := range sets {
		for at := range db.coder.Tags.Set(uint32(set)).All() {
			n[at.Tag] += count
		}
	}
	return n
}

// Crowds iterates over what is claimed at least so many times among what matches q: of
// each, one attribute, and how many there are.
func (w View) Crowds(ctx context.Context, q Query, least int64) iter.Seq2[Crowd, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[Crowd, error] { return r.Crowds(ctx, scope(w, q), least) })
}

// Event returns one event.
func (w View) Event(ctx context.Context, id int64) (*tocsin.Event, error) {
	for e, err := range w.Events(ctx, EventQuery{IDs: []int64{id}}) {
		return &e, err
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no event %d", id)
}

// EventByUUID returns one event.
func (w View) EventByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Event, error) {
	for e, err := range w.Events(ctx, EventQuery{UUIDs: []tocsin.UUID{u}}) {
		return &e, err
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no event %s", u)
}

// Organisations iterates over the organisations of the exchange.
func (w View) Organisations() iter.Seq[*tocsin.Organisation] { return list[*tocsin.Organisation](w) }

// Users iterates over the users that the viewer may know of.
func (w View) Users() iter.Seq[*tocsin.User] { return list[*tocsin.User](w) }

// Keys iterates over the keys that the viewer may know of.
func (w View) Keys() iter.Seq[*tocsin.Key] { return list[*tocsin.Key](w) }

// UserSettings iterates over what the users decided for themselves whom the viewer
// administers, and the viewer's own.
func (w View) UserSettings() iter.Seq[*tocsin.UserSetting] { return list[*tocsin.UserSetting](w) }

// Registrations iterates over those who ask to become users, for site administrators.
func (w View) Registrations() iter.Seq[*tocsin.Registration] { return list[*tocsin.Registration](w) }

// Allowed iterates over what is left out of searches and exports.
func (w View) Allowed() iter.Seq[*tocsin.Allowed] { return list[*tocsin.Allowed](w) }

// Groups iterates over the sharing groups that the viewer may know of.
func (w View) Groups() iter.Seq[*tocsin.Group] { return list[*tocsin.Group](w) }

// Tags iterates over the tags made for everyone and those that the viewer's own
// organisation coined. What another one coined may stand on records that nobody
// else sees, and say what they are about; on a record that the viewer sees, the
// tag is found by its id.
func (w View) Tags() iter.Seq[*tocsin.Tag] {
	return func(yield func(*tocsin.Tag) bool) {
		for t := range list[*tocsin.Tag](w) {
			if (t.Coined == 0 || t.Coined == w.v.Org() || w.v.Administers()) && !yield(t) {
				return
			}
		}
	}
}

// TagIDs returns the ids of the tags with such names, to narrow a query by. It
// tells nothing but what the query then finds.
func (w View) TagIDs(named func(string) bool) map[int64]bool {
	ids := map[int64]bool{}
	for t := range list[*tocsin.Tag](w) {
		if named(t.Name) {
			ids[t.ID] = true
		}
	}
	return ids
}

// Collections iterates over the collections that the viewer owns or receives.
func (w View) Collections() iter.Seq[*tocsin.Collection] { return list[*tocsin.Collection](w) }

// Subscribers iterates over the subscribers that the viewer may know of.
func (w View) Subscribers() iter.Seq[*tocsin.Subscriber] { return list[*tocsin.Subscriber](w) }

// Imports iterates over the imports of the viewer's organisation.
func (w View) Imports() iter.Seq[*tocsin.Import] { return list[*tocsin.Import](w) }

// GuardLists iterates over the lists of what should not be blocked.
func (w View) GuardLists() iter.Seq[*tocsin.GuardList] { return list[*tocsin.GuardList](w) }

// Lifetimes iterates over the rules by which claims end.
func (w View) Lifetimes() iter.Seq[*tocsin.Lifetime] { return list[*tocsin.Lifetime](w) }

// Retentions iterates over the rules by which events are deleted.
func (w View) Retentions() iter.Seq[*tocsin.Retention] { return list[*tocsin.Retention](w) }

// Roles iterates over the roles of the instance's own. MISP's are access.Roles.
func (w View) Roles() iter.Seq[*tocsin.Role] { return list[*tocsin.Role](w) }

// TagCollections iterates over the tag collections that the viewer may use.
func (w View) TagCollections() iter.Seq[*tocsin.TagCollection] { return list[*tocsin.TagCollection](w) }

// Feeds iterates over the feeds that the viewer may know of.
func (w View) Feeds() iter.Seq[*tocsin.Feed] { return list[*tocsin.Feed](w) }

// Peers iterates over the peers that the viewer may know of.
func (w View) Peers() iter.Seq[*tocsin.Peer] { return list[*tocsin.Peer](w) }

// Blocks iterates over the blocklist entries that the viewer may know of.
func (w View) Blocks() iter.Seq[*tocsin.Block] { return list[*tocsin.Block](w) }

// Delegations iterates over the events that are to be handed over by the viewer's
// organisation, or to it.
func (w View) Delegations() iter.Seq[*tocsin.Handover] { return list[*tocsin.Handover](w) }

// Settings iterates over what was decided, as far as the viewer may know.
func (w View) Settings() iter.Seq[*tocsin.Setting] { return list[*tocsin.Setting](w) }

func list[R tocsin.Record](w View) iter.Seq[R] {
	var zero R
	return func(yield func(R) bool) {
		for r := range w.db.dir.all(zero.Kind()) {
			if w.db.mayReadDoc(w.v, r, w.db.dir) && !yield(r.(R)) {
				return
			}
		}
	}
}

// One returns the small record of R's kind with that id as w's viewer sees it.
// It is shared with other readers and must not be changed.
func One[R tocsin.Record](w View, id int64) (R, error) {
	var zero R
	if r, ok := w.db.dir.get(zero.Kind(), id).(R); ok && w.db.mayReadDoc(w.v, r, w.db.dir) {
		return r, nil
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no %s %d", zero.Kind(), id)
}

// ByName returns the small record of R's kind with that name (of a user, the
// e-mail address), without regard to case.
func ByName[R tocsin.Record](w View, name string) (R, error) {
	var zero R
	if r, ok := w.db.dir.named(zero.Kind(), name).(R); ok && w.db.mayReadDoc(w.v, r, w.db.dir) {
		return r, nil
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no %s %q", zero.Kind(), name)
}

// ByUUID returns the small record of R's kind with that uuid.
func ByUUID[R tocsin.Record](w View, u tocsin.UUID) (R, error) {
	var zero R
	if r, ok := w.db.dir.byUUID(zero.Kind(), u).(R); ok && w.db.mayReadDoc(w.v, r, w.db.dir) {
		return r, nil
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no %s %s", zero.Kind(), u)
}

// Setting returns what was decided of name, "" if nobody decided it. How the house
// behaves is no secret; whoever asks shows the behaviour and not the record.
func (db *DB) Setting(name string) string { return setting(db.dir, name) }

// GroupsOf returns the sharing groups that org is a member of: what makes a
// viewer of it. It is asked when someone has proved to be of that organisation,
// before there is a viewer.
func (db *DB) GroupsOf(org int64) []int64 { return slices.Clone(db.dir.groupsOf(org)) }

// Role returns MISP's role or the instance's own of that id. Everyone may know what a
// role is.
func (db *DB) Role(id int64) (access.NamedRole, bool) { return role(db.dir, id) }

func role(docs shelfView, id int64) (access.NamedRole, bool) {
	if r, ok := access.RoleByID(id); ok {
		return r, true
	}
	if r, ok := docs.get(tocsin.KindRole, id).(*tocsin.Role); ok {
		return access.NamedRole{ID: r.ID, Name: r.Name, Role: r.Permissions}, true
	}
	return access.NamedRole{}, false
}

// ViewerFor returns the viewer that u is. It does not ask whether u may sign in.
func (db *DB) ViewerFor(u *tocsin.User) access.Viewer {
	role, _ := db.Role(u.Role)
	return access.NewViewer(u.Email, u.ID, u.Org, role.Role, db.GroupsOf(u.Org)...)
}
