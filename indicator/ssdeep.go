package indicator

import (
	"math/bits"
	"strconv"
	"strings"
)

// An Ssdeep is a context-triggered piecewise hash (Kornblum, 2006) in pieces:
// one character for each piece of a file, with pieces of about Block octets and
// of twice as many. Files that share content share a run of characters.
type Ssdeep struct {
	Block        uint64
	Small, Large string // of Block and of 2*Block
}

// The shape of what the program writes: block sizes are 3, 6, 12 …, a half has
// at most 64 characters.
const (
	minBlock = 3
	maxHalf  = 64
)

// ParseSsdeep takes "blocksize:hash:hash".
func ParseSsdeep(s string) (d Ssdeep, ok bool) {
	block, rest, ok := strings.Cut(s, ":")
	if !ok {
		return d, false
	}
	d.Small, d.Large, ok = strings.Cut(rest, ":")
	n, err := strconv.ParseUint(block, 10, 40)
	if !ok || err != nil || block[0] == '0' || n%minBlock != 0 || bits.OnesCount64(n/minBlock) != 1 {
		return d, false
	}
	d.Block = n
	return d, len(d.Small) <= maxHalf && len(d.Large) <= maxHalf && isBase64(d.Small) && isBase64(d.Large)
}

func isSsdeep(s string) bool {
	_, ok := ParseSsdeep(s)
	return ok
}

// readSsdeep leaves out the file's name that the program prints after the hash.
func readSsdeep(s string) string {
	s, _, _ = strings.Cut(s, ",")
	return s
}

// Ssdeep returns the hash that k is the key of, if it is the key of one. What
// else is computed in the same way, such as impfuzzy, counts as one.
func (k Key) Ssdeep() (Ssdeep, bool) {
	if len(k) < 5 || k[:2] != "h:" || k[2] < '1' || k[2] > '9' || strings.IndexByte(string(k[3:]), ':') < 0 {
		return Ssdeep{}, false
	}
	return ParseSsdeep(string(k[2:]))
}

// Similarity tells how alike two files are, from 0 to 100, as the program
// ssdeep does. It is 0 unless one block size is the other, or twice it.
func (d Ssdeep) Similarity(e Ssdeep) int {
	d.Small, d.Large, e.Small, e.Large = squeeze(d.Small), squeeze(d.Large), squeeze(e.Small), squeeze(e.Large)
	switch {
	case d == e:
		return 100
	case d.Block == e.Block:
		return max(similarity(d.Small, e.Small, d.Block), similarity(d.Large, e.Large, 2*d.Block))
	case d.Block == 2*e.Block:
		return similarity(d.Small, e.Large, d.Block)
	case 2*d.Block == e.Block:
		return similarity(d.Large, e.Small, e.Block)
	}
	return 0
}

// similarity compares two halves made with pieces of block octets.
func similarity(a, b string, block uint64) int {
	if len(a) < runLength || len(b) < runLength || !shareRun(a, b) {
		return 0
	}
	score := 100 - 100*(editDistance(a, b)*maxHalf/(len(a)+len(b)))/maxHalf
	// Short hashes of small pieces are alike by chance.
	if sure := (99 + runLength) / runLength * minBlock; block >= uint64(sure) {
		return score
	}
	return min(score, int(block)/minBlock*min(len(a), len(b)))
}

// squeeze leaves three of a longer run of one character: such runs come from
// padding and say little.
func squeeze(s string) string {
	b := make([]byte, 0, maxHalf)
	for i := range len(s) {
		if i >= 3 && s[i] == s[i-1] && s[i] == s[i-2] && s[i] == s[i-3] {
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// runLength is how many characters two halves must share in a row to be
// compared at all.
const runLength = 7

func shareRun(a, b string) bool {
	for i := range len(a) - runLength + 1 {
		if strings.Contains(b, a[i:i+runLength]) {
			return true
		}
	}
	return false
}

// editDistance is how much it costs to make b of a: 1 to insert or remove a
// character, 2 to replace one, as to remove and insert.
func editDistance(a, b string) int {
	var row [maxHalf + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace += 2
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}

// Runs appends a number for each run of characters that the hash has: two
// hashes may be similar only if they share one. The number tells the pieces'
// size too, so hashes of block sizes that differ by a factor of two meet.
func (d Ssdeep) Runs(dst []uint64) []uint64 {
	return appendRuns(appendRuns(dst, d.Small, d.Block), d.Large, 2*d.Block)
}

func appendRuns(dst []uint64, half string, block uint64) []uint64 {
	half = squeeze(half)
	run := uint64(0)
	for i := range len(half) {
		run = run<<6 | uint64(base64Digit(half[i]))
		run &= 1<<(6*runLength) - 1
		if i >= runLength-1 {
			dst = append(dst, uint64(bits.Len64(block/minBlock))<<(6*runLength)|run)
		}
	}
	return dst
}

func base64Digit(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 26
	case c >= 'A':
		return c - 'A'
	case c >= '0':
		return c - '0' + 52
	case c == '+':
		return 62
	}
	return 63
}
