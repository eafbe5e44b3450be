package store

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"tocsin"
)

// The directory keeps the small records (organisations, users, keys, groups,
// tags, collections …) in memory. There are thousands of them where there are
// millions of claims, and every request asks for some. It holds what is
// committed; a transaction sees its own writes through an [overlay].
//
// Records in it are never changed, only replaced.
type directory struct {
	mu    sync.RWMutex
	kinds map[tocsin.Kind]*shelf
	teams map[int64][]int64 // organisation → its sharing groups, ascending; every request asks
}

// A shelf is the records of one kind.
type shelf struct {
	moves  uint64 // how often it has changed
	byID   map[int64]tocsin.Record
	byName map[string]int64
	byUUID map[tocsin.UUID]int64
}

func newShelf() *shelf {
	return &shelf{byID: map[int64]tocsin.Record{}, byName: map[string]int64{}, byUUID: map[tocsin.UUID]int64{}}
}

// name and uuid are how a record is found besides its id. Names are compared
// without regard to case, since people type them.
func name(r tocsin.Record) string {
	if n, ok := r.(tocsin.Named); ok {
		return strings.ToLower(n.RecordName())
	}
	return ""
}

func uuid(r tocsin.Record) tocsin.UUID {
	if i, ok := r.(tocsin.Identified); ok {
		return i.RecordUUID()
	}
	return tocsin.UUID{}
}

func (db *DB) loadDirectory(ctx context.Context, r Reader) (*directory, error) {
	d := &directory{kinds: map[tocsin.Kind]*shelf{}}
	defer d.team()
	for doc, err := range r.Docs(ctx) {
		if err != nil {
			return nil, err
		}
		rec, _, err := db.record(doc.Kind, doc.JSON)
		if err != nil {
			return nil, fmt.Errorf("read %s %d: %w", doc.Kind, doc.ID, err)
		}
		if rec == nil {
			return nil, fmt.Errorf("no such kind of record: %d", doc.Kind)
		}
		d.put(rec)
	}
	return d, nil
}

// shelf returns the shelf of a kind; the caller holds the lock for writing.
func (d *directory) shelf(k tocsin.Kind) *shelf {
	if d.kinds[k] == nil {
		d.kinds[k] = newShelf()
	}
	return d.kinds[k]
}

func (d *directory) put(r tocsin.Record) {
	s := d.shelf(r.Kind())
	s.moves++
	s.forget(s.byID[r.RecordID()])
	s.byID[r.RecordID()] = r
	if n := name(r); n != "" {
		s.byName[n] = r.RecordID()
	}
	if u := uuid(r); !u.IsZero() {
		s.byUUID[u] = r.RecordID()
	}
}

func (d *directory) remove(k tocsin.Kind, id int64) {
	s := d.shelf(k)
	s.moves++
	s.forget(s.byID[id])
	delete(s.byID, id)
}

// forget takes out what a record is found by, unless another record has it now:
// the changes of one commit come in any order.
func (s *shelf) forget(r tocsin.Record) {
	if r == nil {
		return
	}
	if n := name(r); s.byName[n] == r.RecordID() {
		delete(s.byName, n)
	}
	if u := uuid(r); s.byUUID[u] == r.RecordID() {
		delete(s.byUUID, u)
	}
}

// get returns a record, or nil.
func (d *directory) get(k tocsin.Kind, id int64) tocsin.Record {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.kinds[k]; s != nil {
		return s.byID[id]
	}
	return nil
}

// named returns the record of a kind with that name, or nil.
func (d *directory) named(k tocsin.Kind, name string) tocsin.Record {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.kinds[k]; s != nil {
		if id, ok := s.byName[strings.ToLower(name)]; ok {
			return s.byID[id]
		}
	}
	return nil
}

func (d *directory) byUUID(k tocsin.Kind, u tocsin.UUID) tocsin.Record {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if s := d.kinds[k]; s != nil {
		if id, ok := s.byUUID[u]; ok {
			return s.byID[id]
		}
	}
	return nil
}

// Moves returns a number that grows with each change of the small records of a
// kind, for those who keep something that follows from them. It tells nothing of
// what they are.
func (db *DB) Moves(k tocsin.Kind) uint64 {
	db.dir.mu.RLock()
	defer db.dir.mu.RUnlock()
	if s := db.dir.kinds[k]; s != nil {
		return s.moves
	}
	return 0
}

// all iterates over the records of a kind in order of id.
func (d *directory) all(k tocsin.Kind) iter.Seq[tocsin.Record] {
	d.mu.RLock()
	var rs []tocsin.Record
	if s := d.kinds[k]; s != nil {
		rs = slices.Collect(maps.Values(s.byID))
	}
	d.mu.RUnlock()
	slices.SortFunc(rs, func(a, b tocsin.Record) int { return int(a.RecordID() - b.RecordID()) })
	return slices.Values(rs)
}

// shelfView is what an overlay needs of what lies beneath it.
type shelfView interface {
	get(tocsin.Kind, int64) tocsin.Record
	named(tocsin.Kind, string) tocsin.Record
	byUUID(tocsin.Kind, tocsin.UUID) tocsin.Record
	all(tocsin.Kind) iter.Seq[tocsin.Record]
	take(map[docID]tocsin.Record)
}

type docID struct {
	kind tocsin.Kind
	id   int64
}

// take makes changes part of the directory.
func (d *directory) take(changes map[docID]tocsin.Record) {
	if len(changes) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, r := range changes {
		if r == nil {
			d.remove(k.kind, k.id)
		}
	}
	regroup := false
	for k, r := range changes {
		if r != nil {
			d.put(r)
		}
		regroup = regroup || k.kind == tocsin.KindGroup
	}
	if regroup {
		d.team()
	}
}

// team works out which sharing groups each organisation is in; the caller holds
// the lock for writing.
func (d *directory) team() {
	d.teams = map[int64][]int64{}
	s := d.shelf(tocsin.KindGroup)
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		for _, m := range s.byID[id].(*tocsin.Group).Members {
			d.teams[m.Org] = append(d.teams[m.Org], id)
		}
	}
}

// groupsOf returns the sharing groups of an organisation, not to be changed.
func (d *directory) groupsOf(org int64) []int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.teams[org]
}

func (d *directory) overlay() *overlay { return &overlay{beneath: d} }

// An overlay is the directory as a transaction sees it: what it changed above
// what lies beneath. A removed record is nil in changes.
type overlay struct {
	beneath shelfView
	changes map[docID]tocsin.Record
	names   map[docName]int64 // of changes, also names that are no more
}

type docName struct {
	kind tocsin.Kind
	name string
}

func (o *overlay) overlay() *overlay { return &overlay{beneath: o} }

// publish hands the changes to what lies beneath.
func (o *overlay) publish() { o.beneath.take(o.changes) }

func (o *overlay) take(changes map[docID]tocsin.Record) {
	for k, r := range changes {
		o.set(k, r)
	}
}

func (o *overlay) set(k docID, r tocsin.Record) {
	if o.changes == nil {
		o.changes, o.names = map[docID]tocsin.Record{}, map[docName]int64{}
	}
	o.changes[k] = r
	if r != nil {
		if n := name(r); n != "" {
			o.names[docName{k.kind, n}] = k.id
		}
	}
}

func (o *overlay) get(k tocsin.Kind, id int64) tocsin.Record {
	if r, ok := o.changes[docID{k, id}]; ok {
		return r
	}
	return o.beneath.get(k, id)
}

func (o *overlay) named(k tocsin.Kind, n string) tocsin.Record {
	n = strings.ToLower(n)
	if id, ok := o.names[docName{k, n}]; ok {
		if r := o.changes[docID{k, id}]; r != nil && name(r) == n {
			return r
		}
	}
	return o.unlessChanged(k, o.beneath.named(k, n))
}

func (o *overlay) byUUID(k tocsin.Kind, u tocsin.UUID) tocsin.Record {
	for id, r := range o.changes {
		if id.kind == k && r != nil && uuid(r) == u {
			return r
		}
	}
	return o.unlessChanged(k, o.beneath.byUUID(k, u))
}

// unlessChanged returns r, which was found beneath, unless it was replaced or
// removed above: then its name or uuid may no longer be what was asked for.
func (o *overlay) unlessChanged(k tocsin.Kind, r tocsin.Record) tocsin.Record {
	if r == nil {
		return nil
	}
	if _, changed := o.changes[docID{k, r.RecordID()}]; changed {
		return nil
	}
	return r
}

func (o *overlay) all(k tocsin.Kind) iter.Seq[tocsin.Record] {
	return func(yield func(tocsin.Record) bool) {
		for r := range o.beneath.all(k) {
			if c, ok := o.changes[docID{k, r.RecordID()}]; ok {
				if c == nil {
					continue
				}
				r = c
			}
			if !yield(r) {
				return
			}
		}
		for id, r := range o.changes {
			if id.kind == k && r != nil && o.beneath.get(k, id.id) == nil && !yield(r) {
				return
			}
		}
	}
}
