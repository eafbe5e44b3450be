package export

import "hash/maphash"

// repeats remembers texts so that they are not written twice. It takes the same
// memory however many there are, so it forgets: a repeat does no harm.
type repeats struct {
	seed maphash.Seed
	met  []uint64
}

const remembered = 1 << 18

func newRepeats() *repeats { return &repeats{maphash.MakeSeed(), make([]uint64, remembered)} }

// again reports whether a text was met before, as far as it is remembered.
func (r *repeats) again(text string) bool {
	h := maphash.String(r.seed, text) | 1
	at := &r.met[h>>1%remembered]
	was := *at == h
	*at = h
	return was
}
