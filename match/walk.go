package match

// A walk goes through several lists of entries, each as in a file, as if they
// were one, in order. Where they disagree about a key and attribute, the newer
// list is right. At its end a walk is empty.
type walk [][]byte // newest first, none of them empty

// with returns w with a list that is older than all before.
func (w walk) with(list []byte) walk {
	if len(list) == 0 {
		return w
	}
	return append(w, list)
}

// head returns the entry that w, which isn't at its end, stands at. It may be a
// mark of what was dropped.
func (w walk) head() entry {
	e := entryAt(w[0])
	for _, list := range w[1:] {
		if other := entryAt(list); order(other, e) < 0 {
			e = other
		}
	}
	return e
}

// past returns the walk after e, its head, and after what e replaces. It uses
// w up.
func (w walk) past(e entry) walk {
	left := w[:0]
	for _, list := range w {
		if order(entryAt(list), e) == 0 {
			list = list[entrySize:]
		}
		left = left.with(list)
	}
	return left
}
