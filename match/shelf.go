package match

import (
	"encoding/binary"
	"path/filepath"
	"runtime"

	"tocsin/indicator"
)

// Keys are hashed, so the claims' files answer what is claimed under a key and
// never what is claimed near one. For that some keys are also kept as they are,
// in order, on shelves: a shelf is a list of runs, the files' before those in
// memory. A shelf may hold what nobody claims any more; whoever finds something
// there asks the claims, and with them whether a reader may see it.
const (
	rangeShelf = iota // addresses and ranges, by address
	pieceShelf        // pieces of ssdeep hashes, with the hash of the key
	hashShelf         // ssdeep hashes, by the hash of the key
	tlshShelf         // TLSH hashes, by the length of the file
	numShelves
)

var recordSize = [numShelves]int{rangeSize, pieceSize, hashSize, tlshSize}

type shelf []*run

type shelves [numShelves]shelf

// files returns the runs that are in files.
func (s shelf) files() shelf {
	for i, r := range s {
		if r.name == "" {
			return s[:i:i]
		}
	}
	return s[:len(s):len(s)]
}

// A filed key is one that belongs on a shelf.
type filedKey struct {
	sum uint64
	key indicator.Key
}

// shelved reports whether k belongs on a shelf. It is asked of every key of
// every claim.
func shelved(k indicator.Key) bool {
	if len(k) < 3 {
		return false
	}
	switch k[0] {
	case 'i':
		return true
	case 'h':
		if _, ok := k.Ssdeep(); ok {
			return true
		}
		_, ok := k.TLSH()
		return ok
	}
	return false
}

// shelve notes the records of a key that came to be claimed, or whose claim was
// dropped: then a merge will look whether anybody else claims it.
func (x *Index) shelve(f filedKey) {
	if f.key[0] == 'i' {
		x.fresh[rangeShelf] = appendRange(x.fresh[rangeShelf], f.key)
		return
	}
	if d, ok := f.key.TLSH(); ok {
		x.fresh[tlshShelf] = appendTLSH(x.fresh[tlshShelf], d, f.sum)
		return
	}
	d, _ := f.key.Ssdeep()
	for _, piece := range d.Runs(x.pieces[:0]) {
		x.fresh[pieceShelf] = appendPiece(x.fresh[pieceShelf], piece, f.sum)
	}
	x.fresh[hashShelf] = appendHash(x.fresh[hashShelf], f.sum, f.key)
}

// putAway makes runs of what is fresh and puts them on the shelves for readers.
func (x *Index) putAway(s *shelves) {
	for i := range s {
		if len(x.fresh[i]) == 0 {
			continue
		}
		files := s[i].files()
		memory := append(s[i][len(files):len(s[i]):len(s[i])], sortRun(recordSize[i], x.fresh[i]))
		x.fresh[i] = nil
		if at := choose(memory); at < len(memory) && len(memory) > maxSegments {
			memory = append(memory[:at:at], mergeRuns(memory[at:], all))
		}
		s[i] = append(files, memory...)
	}
}

func all([]byte) bool { return true }

// writeShelves puts into files what is in memory.
func (x *Index) writeShelves(s shelves) (shelves, error) {
	for i := range s {
		files := s[i].files()
		if memory := s[i][len(files):]; len(memory) > 0 {
			r, err := x.writeRun(mergeRuns(memory, all))
			if err != nil {
				return s, err
			}
			s[i] = append(files, r)
		}
	}
	return s, nil
}

func (x *Index) writeRun(r *run) (*run, error) {
	name := x.newName(runSuffix)
	if err := x.writeFile(name, r.encode()); err != nil {
		return nil, err
	}
	return openRun(filepath.Join(x.dir, name), name, r.size)
}

// claimKey returns the hash of the key that a record of shelf i is there for.
func (x *Index) claimKey(i int, record []byte) uint64 {
	switch i {
	case rangeShelf:
		return x.hasher.Sum(rangeKey(record))
	case pieceShelf, tlshShelf:
		record = record[len(record)-8:]
	}
	return binary.BigEndian.Uint64(record)
}

// mergeShelf merges files of a shelf, and forgets what nobody claims any more.
// That a record is left out is never wrong: what is claimed after the snapshot
// that is asked here is in a run that came later, in memory or after a crash.
func (x *Index) mergeShelf(i int) (more bool, err error) {
	now := x.now.Load()
	files := now.shelves[i].files()
	at := choose(files)
	if at == len(files) {
		return false, nil
	}
	merged := mergeRuns(files[at:], func(record []byte) bool { return now.claimed(x.claimKey(i, record)) })
	runtime.KeepAlive(now)
	var out shelf
	if merged.len() > 0 {
		r, err := x.writeRun(merged)
		if err != nil {
			return false, err
		}
		out = shelf{r}
	}
	return true, x.replaceRuns(i, files[at:], out)
}
