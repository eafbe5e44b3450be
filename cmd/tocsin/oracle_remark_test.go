package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// remarkID says which remark: its kind and id.
type remarkID struct {
	kind tocsin.Kind
	id   int64
}

// An oRemark is a remark as the oracle knows it. What it is about, and leads to, is
// looked up when somebody asks.
type oRemark struct {
	org, orgc int64
	dist      int
	group     int64
	event     int64
	about, to remarkID
	emptied   bool
}

// seesRemark: may org read remark r, whatever became of what it is about.
func (o *oracle) seesRemark(org int64, r *oRemark, k tocsin.Kind) bool {
	e := o.events[r.event]
	if org == 0 || e == nil || !o.seesEvent(org, e) || !o.seesLinked(org, r.about) || !o.seesLinked(org, r.to) {
		return false
	}
	if org != r.org && !o.level(org, r.dist, r.group) {
		return false
	}
	return k != tocsin.KindSighting || o.toldOf(org, r)
}

func (o *oracle) seesLinked(org int64, to remarkID) bool {
	switch to.kind {
	case 0, tocsin.KindEvent:
		return true
	case tocsin.KindAttribute:
		a := o.attributes[to.id]
		return a != nil && o.sees(org, a)
	case tocsin.KindObject:
		x := o.objects[to.id]
		return x != nil && (org == o.events[x.event].owner || o.level(org, x.dist, x.group))
	}
	r := o.remarks[to]
	return r != nil && o.seesRemark(org, r, to.kind)
}

// toldOf: which sightings an organisation is told of, of attributes that it sees.
func (o *oracle) toldOf(org int64, r *oRemark) bool {
	if org == r.orgc || org == o.events[r.event].owner || o.policy == 2 || o.policy == 3 && r.orgc == 1 {
		return true
	}
	if o.policy == 1 {
		for k, s := range o.remarks {
			if k.kind == tocsin.KindSighting && s.orgc == org && s.event == r.event && o.attributes[s.about.id] != nil {
				return true
			}
		}
	}
	return false
}

// remark has some organisation say something, or take it back.
func (tr *trial) remark() {
	org := int64(1 + tr.rnd.IntN(trialOrgs))
	switch n := tr.rnd.IntN(20); {
	case n < 6:
		tr.sight(org)
	case n < 8:
		tr.report()
	case n < 14:
		tr.note(org)
	case n < 15:
		tr.propose(org)
	case n < 16:
		tr.refer()
	case n < 18:
		tr.editNote()
	case n < 19:
		tr.deleteRemark()
	default:
		tr.changePolicy()
	}
}

// keep remembers what was said.
func (tr *trial) keep(r tocsin.Remark) {
	h := r.Remarked()
	tr.remarks[remarkID{r.Kind(), h.ID}] = &oRemark{h.Org, h.Orgc, int(h.Distribution), h.Group, h.Event,
		remarkID{h.About.Kind, h.About.ID}, remarkID{h.To.Kind, h.To.ID}, false}
}

func (tr *trial) head(org int64, k tocsin.Kind, id int64) tocsin.Head {
	d, g := tr.level(org, true)
	return tocsin.Head{About: tocsin.Link{Kind: k, ID: id}, Distribution: d, Group: g}
}

func (tr *trial) sight(org int64) {
	id, a, ok := anyOf(tr, tr.attributes)
	if !ok || !tr.sees(org, a) {
		return
	}
	s := &tocsin.Sighting{Head: tr.head(org, tocsin.KindAttribute, id)}
	tr.apply(org, func(tx *store.Tx) error { return store.AddRemark(tx, s) })
	tr.keep(s)
}

func (tr *trial) report() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	tr.usable(e)
	r := &tocsin.Report{Head: tr.head(e.owner, tocsin.KindEvent, id), Name: "report"}
	tr.apply(e.owner, func(tx *store.Tx) error { return store.AddRemark(tx, r) })
	e.published = false
	tr.keep(r)
}

// note remarks on anything that org sees, other notes among it.
func (tr *trial) note(org int64) {
	on := remarkID{tocsin.KindEvent, 0}
	switch tr.rnd.IntN(6) { // half of them on notes
	case 0:
		on.id, _, _ = anyOf(tr, tr.oracle.events)
	case 1:
		on.kind = tocsin.KindAttribute
		on.id, _, _ = anyOf(tr, tr.attributes)
	case 2:
		on.kind = tocsin.KindObject
		on.id, _, _ = anyOf(tr, tr.oracle.objects)
	default:
		notes := map[int64]*oRemark{}
		for k, r := range tr.remarks {
			if k.kind == tocsin.KindNote && tr.depth(k) < store.MaxDepth {
				notes[k.id] = r
			}
		}
		on.kind = tocsin.KindNote
		on.id, _, _ = anyOf(tr, notes)
	}
	if on.id == 0 || !tr.seesEventOf(org, on) || !tr.seesLinked(org, on) {
		return
	}
	n := &tocsin.Note{Head: tr.head(org, on.kind, on.id), Note: "note"}
	tr.apply(org, func(tx *store.Tx) error { return store.AddRemark(tx, n) })
	tr.keep(n)
}

// depth is how many notes stand on one another.
func (tr *trial) depth(k remarkID) int {
	if r := tr.remarks[k]; r != nil && r.about.kind == tocsin.KindNote {
		return 1 + tr.depth(r.about)
	}
	return 1
}

func (tr *trial) seesEventOf(org int64, on remarkID) bool {
	event := on.id
	switch on.kind {
	case tocsin.KindAttribute:
		event = tr.attributes[on.id].event
	case tocsin.KindObject:
		event = tr.oracle.objects[on.id].event
	case tocsin.KindNote:
		event = tr.remarks[on].event
	}
	e := tr.oracle.events[event]
	return e != nil && tr.seesEvent(org, e)
}

func (tr *trial) propose(org int64) {
	id, e, _ := anyOf(tr, tr.oracle.events)
	if org == e.owner || !tr.seesEvent(org, e) {
		return
	}
	p := &tocsin.Proposal{Head: tr.head(org, tocsin.KindEvent, id), Type: "domain", Value: fmt.Sprintf("proposal%d.threat-lab.net", len(tr.remarks))}
	tr.apply(org, func(tx *store.Tx) error { return store.AddRemark(tx, p) })
	tr.keep(p)
}

func (tr *trial) refer() {
	id, o, ok := anyOf(tr, tr.oracle.objects)
	if !ok {
		return
	}
	e := tr.oracle.events[o.event]
	to := map[int64]bool{}
	for a, is := range tr.attributes {
		if is.event == o.event {
			to[a] = true
		}
	}
	target, _, ok := anyOf(tr, to)
	if !ok {
		return
	}
	tr.usable(e)
	r := &tocsin.Reference{Head: tr.head(e.owner, tocsin.KindObject, id), Relation: "related-to"}
	r.To = tocsin.Link{Kind: tocsin.KindAttribute, ID: target}
	tr.apply(e.owner, func(tx *store.Tx) error { return store.AddRemark(tx, r) })
	e.published = false
	tr.keep(r)
}

// editNote narrows or widens a note whose author still sees it.
func (tr *trial) editNote() {
	k, r, ok := tr.anyRemark(tocsin.KindNote)
	if !ok || r.emptied { // which has no text to keep
		return
	}
	d, g := tr.level(r.org, true)
	tr.apply(r.org, func(tx *store.Tx) error {
		_, err := store.EditRemark(tx, k.id, func(n *tocsin.Note) error { n.Distribution, n.Group = d, g; return nil })
		return err
	})
	r.dist, r.group = int(d), g
}

func (tr *trial) deleteRemark() {
	k, r, ok := tr.anyRemark([]tocsin.Kind{tocsin.KindNote, tocsin.KindSighting, tocsin.KindReport}[tr.rnd.IntN(3)])
	if !ok {
		return
	}
	tr.apply(r.org, func(tx *store.Tx) error { return tx.DeleteRemark(k.kind, k.id) })
	for _, other := range tr.remarks {
		if k.kind == tocsin.KindNote && other.about == k {
			r.emptied = true // it stays under what others wrote
			return
		}
	}
	delete(tr.remarks, k)
}

// anyRemark returns a remark that whoever made it still sees.
func (tr *trial) anyRemark(kind tocsin.Kind) (remarkID, *oRemark, bool) {
	own := map[int64]*oRemark{}
	for k, r := range tr.remarks {
		if k.kind == kind && tr.seesRemark(r.org, r, kind) {
			own[k.id] = r
		}
	}
	id, r, ok := anyOf(tr, own)
	return remarkID{kind, id}, r, ok
}

func (tr *trial) changePolicy() {
	tr.policy = tr.rnd.IntN(4)
	tr.write(func(tx *store.Tx) error {
		for name, value := range map[string]string{tocsin.SightingPolicy: fmt.Sprint(tr.policy), tocsin.HostOrganisation: "1"} {
			old, err := store.Named[*tocsin.Setting](tx, name)
			if err != nil {
				old = &tocsin.Setting{}
			}
			if err := store.Put(tx, &tocsin.Setting{ID: old.ID, Name: name, Value: value}); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkRemarks reads and counts what v may have of each kind.
func (tr *trial) checkRemarks(v access.Viewer) {
	tr.t.Helper()
	view, ctx := tr.DB.As(v), tr.t.Context()
	got := map[remarkID]bool{}
	add := func(r tocsin.Remark, err error) {
		if err != nil {
			tr.t.Fatal(err)
		}
		got[remarkID{r.Kind(), r.RecordID()}] = true
	}
	q := store.RemarkQuery{Deleted: store.Any}
	for r, err := range view.Sightings(ctx, q) {
		add(r, err)
	}
	for r, err := range view.Reports(ctx, q) {
		add(r, err)
	}
	for r, err := range view.Notes(ctx, q) {
		add(r, err)
	}
	for r, err := range view.Proposals(ctx, q) {
		add(r, err)
	}
	for r, err := range view.References(ctx, q) {
		add(r, err)
	}
	want, counts := map[remarkID]bool{}, map[tocsin.Kind]int64{}
	for k, r := range tr.remarks {
		if tr.seesRemark(v.Org(), r, k.kind) {
			want[k] = true
			counts[k.kind]++
		}
	}
	if !maps.Equal(got, want) {
		tr.t.Fatalf("%s reads remarks %v, the oracle says %v", v.Name(), sorted(got), sorted(want))
	}
	for k := tocsin.KindReference; k <= tocsin.KindNote; k++ {
		if n, err := view.CountRemarks(ctx, k, q); err != nil || n != counts[k] {
			tr.t.Fatalf("%s counts %d of %s, the oracle %d; %v", v.Name(), n, k, counts[k], err)
		}
	}
}

func sorted(set map[remarkID]bool) []remarkID {
	return slices.SortedFunc(maps.Keys(set), func(a, b remarkID) int { return int(a.kind)*1e6 + int(a.id) - int(b.kind)*1e6 - int(b.id) })
}

// Whoever builds the projections anew after what was deleted for good has left the
// log comes to the same answers.
func TestBuiltAnewAfterAPurge(t *testing.T) {
	tr := newTrial(t, 99, "")
	for range 40 {
		for range 5 {
			tr.step()
		}
		tr.deleteAttribute()
	}
	tr.deleteEvent()
	tr.check()
	again := func() {
		if err := tr.exchange.Close(); err != nil {
			t.Fatal(err)
		}
		tr.start()
		tr.settle()
	}
	again() // what the projections hold is on disk now
	purged := int64(0)
	for {
		n, err := tr.DB.Purge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if purged += n; n == 0 {
			break
		}
	}
	if purged < 20 {
		t.Errorf("%d rows and images purged; the test shows little", purged)
	}
	tr.check()
	if err := tr.exchange.Close(); err != nil {
		t.Fatal(err)
	}
	for _, projection := range []string{"match", "collections"} {
		if _, err := os.Stat(filepath.Join(tr.conf.Data, projection)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(tr.conf.Data, projection)); err != nil {
			t.Fatal(err)
		}
	}
	tr.start()
	tr.copies = map[string]secondaryCopy{}
	tr.check()
}
