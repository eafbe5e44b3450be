package store

import (
	"iter"
	"strings"
	"sync"

	"tocsin"
	"tocsin/indicator"
)

// Exclusions iterates over the values that are left out of correlations, for those who
// decide them.
func (w View) Exclusions() iter.Seq[*tocsin.Exclusion] { return list[*tocsin.Exclusion](w) }

// Correlates reports whether a value takes part in correlations: its type does, and
// nobody who may decide it left it out. It says no more than a page of related
// events does.
func (w View) Correlates(v indicator.Value) bool {
	if !v.Type().Correlates {
		return false
	}
	x := w.db.exclusions()
	if x.none() {
		return true
	}
	first, second := v.Parts()
	return !x.has(v.String()) && !x.has(first) && (second == "" || !x.has(second))
}

// An excluded is what was decided, ready to be asked.
type excluded struct {
	mu    sync.Mutex
	moves uint64
	set   *exclusionSet
}

// An exclusionSet holds values in lower case. It never changes.
type exclusionSet struct {
	whole                       map[string]bool
	beginning, ending, anywhere []string
}

func (db *DB) exclusions() *exclusionSet {
	moves := db.Moves(tocsin.KindExclusion)
	db.excluded.mu.Lock()
	defer db.excluded.mu.Unlock()
	if db.excluded.set == nil || db.excluded.moves != moves {
		x := &exclusionSet{whole: map[string]bool{}}
		for r := range db.dir.all(tocsin.KindExclusion) {
			x.add(r.(*tocsin.Exclusion).Value)
		}
		db.excluded.set, db.excluded.moves = x, moves
	}
	return db.excluded.set
}

func (x *exclusionSet) add(value string) {
	value = strings.ToLower(value)
	text, any := strings.CutPrefix(value, "%")
	text, more := strings.CutSuffix(text, "%")
	switch {
	case any && more:
		x.anywhere = append(x.anywhere, text)
	case any:
		x.ending = append(x.ending, text)
	case more:
		x.beginning = append(x.beginning, text)
	default:
		x.whole[text] = true
	}
}

func (x *exclusionSet) none() bool {
	return len(x.whole)+len(x.beginning)+len(x.ending)+len(x.anywhere) == 0
}

func (x *exclusionSet) has(text string) bool {
	text = strings.ToLower(text)
	return x.whole[text] || one(x.beginning, text, strings.HasPrefix) || one(x.ending, text, strings.HasSuffix) || one(x.anywhere, text, strings.Contains)
}

func one(patterns []string, text string, is func(string, string) bool) bool {
	for _, p := range patterns {
		if is(text, p) {
			return true
		}
	}
	return false
}

// soundExclusion refuses one that would leave everything out, or that nobody can ask
// in time.
func (tx *Tx) soundExclusion(x *tocsin.Exclusion) error {
	x.Value = strings.TrimSpace(x.Value)
	if strings.Trim(x.Value, "%") == "" {
		return tocsin.Errorf(tocsin.Invalid, "an exclusion needs a value; %% at its ends stands for any text")
	}
	if len(x.Value) > maxExcluded {
		return tocsin.Errorf(tocsin.Invalid, "an excluded value is of at most %d bytes", maxExcluded)
	}
	if !strings.HasPrefix(x.Value, "%") && !strings.HasSuffix(x.Value, "%") {
		return nil
	}
	n := 0
	for r := range tx.docs.all(tocsin.KindExclusion) {
		if o := r.(*tocsin.Exclusion); o.ID != x.ID && (strings.HasPrefix(o.Value, "%") || strings.HasSuffix(o.Value, "%")) {
			n++
		}
	}
	if n >= maxPatterns {
		return tocsin.Errorf(tocsin.Invalid, "there are %d patterns already, each of which is held against every value", n)
	}
	return nil
}

const (
	maxExcluded = 4096
	maxPatterns = 1000
)
