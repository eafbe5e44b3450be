package match

import "slices"

// A walk goes through several lists of entries as if they were one, in order.
// Where they disagree about a key and attribute, the newer list is right.
type walk []source // newest first, none of them at its end

// A source is a list of entries as in a file.
type source struct {
	now  entry
	rest []byte
}

// with returns w with a list that is older than all before.
func (w walk) with(list []byte) walk {
	if len(list) < entrySize {
		return w
	}
	return append(w, source{entryAt(list), list[entrySize:]})
}

// next returns the next entry. It may be a mark of what was dropped.
func (w *walk) next() (e entry, ok bool) {
	ss := *w
	if len(ss) == 0 {
		return entry{}, false
	}
	e = ss[0].now
	for i := 1; i < len(ss); i++ {
		if order(ss[i].now, e) < 0 {
			e = ss[i].now
		}
	}
	for i := len(ss) - 1; i >= 0; i-- {
		if s := &ss[i]; order(s.now, e) != 0 {
			continue
		} else if len(s.rest) >= entrySize {
			s.now, s.rest = entryAt(s.rest), s.rest[entrySize:]
		} else {
			ss = slices.Delete(ss, i, i+1)
		}
	}
	*w = ss
	return e, true
}
