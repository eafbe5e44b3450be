package match

import (
	"encoding/binary"

	"tocsin/indicator"
)

// Files that are alike by TLSH
//
// Hashes stand in order of the lengths of their files: a hash is compared with
// those of files that are nearly as long, since each step beyond costs more
// than likeness allows.
const tlshSize = 1 + len(indicator.TLSH{}) + 8

// maxDistance is up to where two hashes say that files are alike: the authors of
// TLSH found next to no chance matches below it.
const maxDistance = 30

// maxLengths is how many steps of length a distance allows, at twelve a step.
const maxLengths = maxDistance / 12

// maxCompared bounds the hashes that one is compared with, which takes some
// milliseconds.
const maxCompared = 1 << 16

func appendTLSH(dst []byte, d indicator.TLSH, sum uint64) []byte {
	return binary.BigEndian.AppendUint64(append(append(dst, d.Length()), d[:]...), sum)
}

// alike returns what is like a hash, the most similar first. A score is what a
// distance leaves of 100.
func (s shelf) alike(d indicator.TLSH, spend func(records int64) bool) (found []likeness, more bool) {
	compared := 0
	for step := -maxLengths; step <= maxLengths && !more; step++ {
		length := d.Length() + byte(step) // around 255, as distances go
		for record := range from(s, []byte{length}) {
			if record[0] != length {
				break
			}
			if compared++; compared > maxCompared || !spend(1) {
				more = true
				break
			}
			e := indicator.TLSH(record[1:])
			if distance := d.Distance(e); distance <= maxDistance && e != d {
				found = append(found, likeness{indicator.TLSHKey(e), binary.BigEndian.Uint64(record[tlshSize-8:]), 100 - distance})
			}
		}
	}
	sortLikeness(found)
	return found, more
}
