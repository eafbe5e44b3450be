package access

import (
	"slices"
	"sync"
)

// A LabelID stands for a label. Equal labels have equal ids, ids are handed out
// in order from 1, and an id never changes its meaning. The zero LabelID is
// the zero [Label]: nobody's, shared with nobody.
type LabelID uint32

// Labels interns labels. A store keeps it. What was handed out while labels are
// held ([Labels.Hold]) is in no [Sight] until it is kept, and may be dropped:
// several nodes write to one store, and a node whose write failed must not go on
// using a number that another one hands out for something else.
type Labels struct {
	mu      sync.RWMutex
	list    []Label // list[id]
	ids     map[Label]LabelID
	kept    LabelID // while holding: the last one that stays
	holding bool
	sights  map[sightKey]*Sight
}

type sightKey struct {
	sight string
	exit  Exit
}

// NewLabels returns the registry that holds list, whose first element has id 1.
func NewLabels(list []Label) *Labels {
	ls := &Labels{list: make([]Label, 1, len(list)+1), ids: map[Label]LabelID{{}: 0}, sights: map[sightKey]*Sight{}}
	for _, l := range list {
		ls.ID(l)
	}
	return ls
}

// ID returns the id of l, which it hands out if l is new.
func (ls *Labels) ID(l Label) LabelID {
	ls.mu.RLock()
	id, ok := ls.ids[l]
	ls.mu.RUnlock()
	if ok {
		return id
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if id, ok := ls.ids[l]; ok {
		return id
	}
	id = LabelID(len(ls.list))
	ls.list = append(ls.list, l)
	ls.ids[l] = id
	return id
}

// Label returns the label that id stands for. An id that was never handed out
// is the zero label, which nobody but the system sees.
func (ls *Labels) Label(id LabelID) Label {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	if int(id) >= len(ls.list) {
		return Label{}
	}
	return ls.list[id]
}

// Len returns the highest id handed out.
func (ls *Labels) Len() LabelID {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return LabelID(len(ls.list) - 1)
}

// Sight returns what v may receive by exit x as a set of label ids: the same
// answers as [Exit.Allows], one bit each.
func (ls *Labels) Sight(v Viewer, x Exit) *Sight {
	key := sightKey{v.Sight(), x}
	ls.mu.RLock()
	s := ls.sights[key]
	ls.mu.RUnlock()
	if s != nil {
		return s
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if s := ls.sights[key]; s != nil {
		return s
	}
	if len(ls.sights) >= maxSights {
		clear(ls.sights)
	}
	s = &Sight{viewer: v, exit: x, labels: ls}
	ls.sights[key] = s
	return s
}

// maxSights bounds the cache: organisations times exits, with room for members
// that come and go.
const maxSights = 10_000

// A Sight is the set of labels that one viewer may receive by one exit. It
// follows the registry as that grows. A viewer who joins or leaves a sharing
// group is another viewer, with another sight.
type Sight struct {
	viewer Viewer
	exit   Exit
	labels *Labels

	mu   sync.RWMutex
	bits []uint64
	upTo LabelID // labels up to here have their bit
}

// Has reports whether the label id stands for may be received.
func (s *Sight) Has(id LabelID) bool {
	s.mu.RLock()
	known, bit := id <= s.upTo && s.bits != nil, false
	if known {
		bit = s.bits[id/64]&(1<<(id%64)) != 0
	}
	s.mu.RUnlock()
	if known {
		return bit
	}
	s.grow()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return id <= s.upTo && s.bits[id/64]&(1<<(id%64)) != 0
}

// Bits returns the set as a bitmap by label id, for loops that test millions.
// Labels handed out later are not in it: beyond its end means no.
func (s *Sight) Bits() Bits {
	s.grow()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Bits(s.bits)
}

// IDs returns the labels that may be received.
func (s *Sight) IDs() []LabelID {
	bits := s.Bits()
	var ids []LabelID
	for id := range LabelID(len(bits) * 64) {
		if bits.Has(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Sight) grow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	top := s.labels.Kept()
	if s.bits != nil && s.upTo == top {
		return
	}
	bits := make([]uint64, top/64+1) // a new slice: readers keep the old one
	copy(bits, s.bits)
	from := s.upTo + 1
	if s.bits == nil {
		from = 0
	}
	for id := from; id <= top; id++ {
		if s.exit.Allows(s.viewer, s.labels.Label(id)) {
			bits[id/64] |= 1 << (id % 64)
		}
	}
	s.bits, s.upTo = bits, top
}

// Bits is a set of label ids.
type Bits []uint64

// Has reports whether id is in the set.
func (b Bits) Has(id LabelID) bool { return int(id/64) < len(b) && b[id/64]&(1<<(id%64)) != 0 }

// After returns the labels whose ids are greater than id.
func (ls *Labels) After(id LabelID) []Label {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return slices.Clone(ls.list[id+1:])
}

// Kept returns the highest id that will not be dropped.
func (ls *Labels) Kept() LabelID {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	if ls.holding {
		return ls.kept
	}
	return LabelID(len(ls.list) - 1)
}

// Hold has labels that are handed out from now on wait for Keep or Drop.
func (ls *Labels) Hold() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.kept, ls.holding = LabelID(len(ls.list)-1), true
}

// Keep makes what was handed out since Hold stay.
func (ls *Labels) Keep() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.holding = false
}

// Drop takes back what was handed out since Hold.
func (ls *Labels) Drop() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.drop()
	ls.holding = false
}

func (ls *Labels) drop() {
	if !ls.holding {
		return
	}
	for _, l := range ls.list[ls.kept+1:] {
		delete(ls.ids, l)
	}
	ls.list = ls.list[:ls.kept+1]
}

// Adopt takes over the labels after id that another node has handed out. Those
// known already are passed over; what is held gives way, since it was not kept.
func (ls *Labels) Adopt(after LabelID, list []Label) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	known := LabelID(len(ls.list) - 1)
	if ls.holding {
		known = ls.kept
	}
	if after > known || after+LabelID(len(list)) <= known {
		return
	}
	ls.drop()
	for _, l := range list[known-after:] {
		ls.ids[l] = LabelID(len(ls.list))
		ls.list = append(ls.list, l)
	}
	ls.kept = LabelID(len(ls.list) - 1)
}
