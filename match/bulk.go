package match

import (
	"iter"
	"runtime"

	"tocsin/indicator"
)

// ahead is for how many keys memory is asked at once.
const ahead = 32

// FindAll looks for many keys, such as those of a page of log lines or of all
// claims of an event. It yields the number of each key that has claims, and no
// more than max of them: ask for one more than you show to learn whether there
// are more. The slice is used again for the next key.
//
// Finding one key is mostly waiting for memory, so this first asks for what a
// block of keys needs and waits for all of it together, which is half as fast
// again as key by key.
func (l Look) FindAll(ks []indicator.Key, max int) iter.Seq2[int, []Claim] {
	return func(yield func(int, []Claim) bool) {
		var sums [ahead]uint64
		var claims []Claim
		for from := 0; from < len(ks); from += ahead {
			block := ks[from:min(from+ahead, len(ks))]
			for i, k := range block {
				sums[i] = l.hasher.Sum(k)
			}
			l.touch(sums[:len(block)])
			for i, sum := range sums[:len(block)] {
				claims, _ = l.find(sum, claims[:0], max)
				if len(claims) > 0 && !yield(from+i, claims) {
					return
				}
			}
		}
	}
}

// touch reads what finding the keys will read. No read waits for another but
// an entry's for its bucket's.
func (l Look) touch(sums []uint64) {
	if l.now == nil {
		return
	}
	var read byte
	for _, s := range l.now.segments {
		var found [ahead]int
		for i, sum := range sums {
			found[i], _ = s.bucket(sum)
		}
		for _, at := range found[:len(sums)] {
			if at >= 0 {
				read += s.entries[at*entrySize]
			}
		}
	}
	runtime.KeepAlive(read)
	runtime.KeepAlive(l.now)
}
