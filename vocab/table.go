package vocab

// A table maps hashes of texts to small numbers: open addressing, no pointers, so
// that a million entries cost twelve octets each and the garbage collector nothing.
// The texts themselves are not kept. With 64 bits that nobody outside can predict,
// one of a million entries is met by chance once in ten million million questions.
type table struct {
	hashes []uint64 // 0: free
	values []uint32
	count  int
}

// at returns the place of h, or the free one where it belongs.
func (t *table) at(h uint64) int {
	mask := uint64(len(t.hashes) - 1)
	i := h & mask
	for t.hashes[i] != h && t.hashes[i] != 0 {
		i = (i + 1) & mask
	}
	return int(i)
}

// get returns the number kept for h, 0 for none.
func (t *table) get(h uint64) uint32 {
	if t.count == 0 {
		return 0
	}
	return t.values[t.at(h|1)]
}

// slot returns where the number for h is kept, until the next call.
func (t *table) slot(h uint64) *uint32 {
	if t.count*5 >= len(t.hashes)*3 {
		t.grow()
	}
	h |= 1
	i := t.at(h)
	if t.hashes[i] == 0 {
		t.hashes[i] = h
		t.count++
	}
	return &t.values[i]
}

func (t *table) grow() {
	old := *t
	n := max(1024, 2*len(old.hashes))
	*t = table{hashes: make([]uint64, n), values: make([]uint32, n), count: old.count}
	for i, h := range old.hashes {
		if h != 0 {
			j := t.at(h)
			t.hashes[j], t.values[j] = h, old.values[i]
		}
	}
}
