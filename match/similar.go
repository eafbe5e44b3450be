package match

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"tocsin/indicator"
)

// Files that are alike
//
// Two ssdeep hashes can be similar only if they share a run of seven characters
// made with pieces of one size. So each such run of each hash is a record, with
// the hash of the key; and the hash itself is another, to be compared with.
const (
	pieceSize = 6 + 8
	hashSize  = 8 + maxHash
	maxHash   = 144
)

// minScore is from where on MISP calls two files correlated, unless an operator
// says otherwise; below, chance plays too large a part.
const minScore = 40

// maxSimilar bounds the hashes that one is compared with: a run of characters
// that thousands share tells nothing.
const maxSimilar = 4096

// compareCost is how many records one could look at in the time that it takes
// to compare two hashes.
const compareCost = 32

func appendPiece(dst []byte, piece, sum uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], piece)
	return binary.BigEndian.AppendUint64(append(dst, b[2:]...), sum)
}

// appendHash fills up with zeros, which no hash holds.
func appendHash(dst []byte, sum uint64, k indicator.Key) []byte {
	dst = binary.BigEndian.AppendUint64(dst, sum)
	text := k[2:]
	return append(append(dst, text...), make([]byte, maxHash-len(text))...)
}

// A likeness is a hash that is similar to the one asked for.
type likeness struct {
	key   indicator.Key
	sum   uint64
	score int
}

// similar returns what is like the hash with that key, the most similar first.
func (s *shelves) similar(k indicator.Key, d indicator.Ssdeep, spend func(records int64) bool) (found []likeness, more bool) {
	seen := map[uint64]bool{}
	pieces := d.Runs(nil)
	slices.Sort(pieces)
asking:
	for _, piece := range slices.Compact(pieces) {
		start := appendPiece(nil, piece, 0)
		for record := range from(s[pieceShelf], start) {
			if !bytes.Equal(record[:6], start[:6]) {
				break
			}
			sum := binary.BigEndian.Uint64(record[6:])
			if seen[sum] {
				continue
			}
			if len(seen) == maxSimilar || !spend(compareCost) {
				more = true
				break asking
			}
			seen[sum] = true
			if l, ok := s.compare(d, sum); ok && l.key != k {
				found = append(found, l)
			}
		}
	}
	sortLikeness(found)
	return found, more
}

func sortLikeness(found []likeness) {
	slices.SortFunc(found, func(a, b likeness) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.key, b.key))
	})
}

func (s *shelves) compare(d indicator.Ssdeep, sum uint64) (l likeness, ok bool) {
	start := binary.BigEndian.AppendUint64(nil, sum)
	for record := range from(s[hashShelf], start) {
		if !bytes.Equal(record[:8], start) {
			break
		}
		text := string(bytes.TrimRight(record[8:], "\x00"))
		e, _ := indicator.ParseSsdeep(text)
		l = likeness{indicator.Key("h:" + text), sum, d.Similarity(e)}
		return l, l.score >= minScore
	}
	return l, false
}
