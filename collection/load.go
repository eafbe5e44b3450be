package collection

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/indicator"
)

// reset makes the set as it is before the first line, but for its collections.
func (s *Set) reset() {
	rand.Read(s.seed[:])
	s.hasher = indicator.NewHasher(s.seed)
	s.world = newWorld(s.hasher)
	s.place.Store(0)
}

// empty removes everything, also from the disk.
func (s *Set) empty() error {
	s.reset()
	s.selections, s.gone, s.served = map[int64]*selection{}, nil, 0
	s.told = nil
	s.unsaved = 0
	return s.clean(func(string) bool { return false })
}

// clean removes our files but those that keep names.
func (s *Set) clean(keep func(name string) bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		ours := strings.HasSuffix(n, suffix) || strings.HasSuffix(n, ".tmp") || strings.HasSuffix(n, ".journal")
		if ours && !keep(n) {
			if err := os.Remove(filepath.Join(s.dir, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// load reads what is on disk.
func (s *Set) load() error {
	s.reset()
	s.selections, s.served = map[int64]*selection{}, 0
	whole := s.loadWorld()
	s.served = max(s.served, s.world.At)
	listed := s.listed
	paths, err := filepath.Glob(filepath.Join(s.dir, "*"+suffix))
	if err != nil {
		return err
	}
	for _, path := range paths {
		id, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), suffix), 10, 64)
		if err != nil {
			continue // the world
		}
		sel, err := s.loadSelection(id)
		switch {
		case errors.Is(err, errFormer):
			s.log.Info("a collection was kept by an earlier version and is built anew from the log", "collection", id)
			whole = false
		case err != nil:
			s.log.Error("a collection is damaged on disk and is built anew from the log", "collection", id, "err", err)
			whole = false
		case sel.at <= s.world.At && !slices.Contains(listed, id):
			// It was removed, and the machine stopped before its file was.
		default:
			s.selections[id] = sel
			s.served = max(s.served, sel.at, sel.until)
			whole = whole && sel.at >= s.world.At
		}
	}
	for _, id := range listed {
		whole = whole && s.selections[id] != nil
	}
	if !whole {
		s.reset()
	}
	s.place.Store(int64(s.world.At))
	kept := map[string]bool{worldFile: whole}
	for id, sel := range s.selections {
		kept[filepath.Base(s.path(id))] = true
		for _, seg := range sel.journal.segments {
			kept[filepath.Base(sel.journal.path(seg.ID))] = true
		}
	}
	return s.clean(func(name string) bool { return kept[name] })
}

// loadWorld reports whether there is a world on disk, or nothing at all.
func (s *Set) loadWorld() bool {
	var h worldHeader
	tables, err := readFile(filepath.Join(s.dir, worldFile), &h, func() indicator.Hasher { return indicator.NewHasher(h.Seed) }, 1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case errors.Is(err, errFormer) && h.World != nil:
		s.served = h.World.At
		return false
	case err != nil || h.World == nil:
		s.log.Error("what collections depend on is damaged on disk and is built anew from the log", "err", err)
		return false
	}
	s.seed, s.hasher, s.listed = h.Seed, indicator.NewHasher(h.Seed), h.Collections
	w := newWorld(s.hasher)
	w.At, w.Now = h.World.At, h.World.Now
	maps.Copy(w.Tags, h.World.Tags)
	maps.Copy(w.Orgs, h.World.Orgs)
	maps.Copy(w.Groups, h.World.Groups)
	maps.Copy(w.Subs, h.World.Subs)
	maps.Copy(w.Lifetimes, h.World.Lifetimes)
	w.events = tables[0]
	s.world = w
	return true
}

func (s *Set) loadSelection(id int64) (*selection, error) {
	var h header
	tables, err := readFile(s.path(id), &h, func() indicator.Hasher { return indicator.NewHasher(h.Seed) }, 4)
	if errors.Is(err, errFormer) {
		s.served = max(s.served, h.At, h.Until)
	}
	if err != nil {
		return nil, err
	}
	if h.Record.ID != id {
		return nil, errDamaged
	}
	sel := newSelection(&h.Record, h.At, s.dir, s.labels, indicator.NewHasher(h.Seed), s.log)
	sel.at, sel.until, sel.born, sel.pairs, sel.seed = h.At, h.Until, h.Born, h.Pairs, h.Seed
	sel.names, sel.crowd, sel.fresh, sel.skipped = tables[0], tables[1], tables[2], tables[3]
	sel.owners = h.Owners
	for i, p := range sel.pairs {
		sel.pairIDs[p] = uint32(i)
	}
	for _, c := range h.Classes {
		sel.classes = append(sel.classes, &class{c.Sees, c.Last, c.Len})
	}
	for sub, st := range h.Seats {
		if st.Class < 0 || st.Class >= len(sel.classes) {
			return nil, errDamaged
		}
		v := sel.subscriber(st.Name, st.Org, st.Groups)
		sel.seats[sub] = &seat{st.Name, st.Org, st.Groups, v, newWish(st.Action, st.Exclude), st.Entered, sel.classes[st.Class]}
	}
	sel.journal.floor, sel.journal.next = h.Floor, h.Next
	beyond, err := sel.journal.load(h.Segments)
	if err != nil {
		// The zone is whole, only the way to it is lost: subscribers get all of it.
		s.log.Error("the journal of a collection is damaged; its subscribers will transfer it whole", "collection", id, "err", err)
		sel.journal.forget(h.At)
		sel.journal.next = h.Next + 1<<20
	}
	sel.until = max(sel.until, beyond)
	sel.dirty = true
	sel.remask()
	return sel, nil
}

// until is where a collection that is built anew may be served again.
func (s *Set) until() tocsin.Seq { return s.served }
