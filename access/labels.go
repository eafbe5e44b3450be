package access

import (
	"sync"
)

// A LabelID stands for a label. Equal labels have equal ids, ids are handed out
// in order from 1, and an id never changes its meaning. The zero LabelID is
// the zero [Label]: nobody's, shared with nobody.
type LabelID uint32

// Labels interns labels. It only ever grows; a store keeps it.
type Labels struct {
	mu     sync.RWMutex
	list   []Label // list[id]
	ids    map[Label]LabelID
	sights map[sightKey]*Sight
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
	top := s.labels.Len()
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
	return ls.list[id+1:]
}
