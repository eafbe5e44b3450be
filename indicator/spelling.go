package indicator

import (
	"slices"
	"strings"
)

// KeysOf returns the keys under which text may be found, as a value of each type
// that it can be of, and its normal forms where it is a composite, whose keys are
// those of its sides. What only mentions it is under other keys.
//
// Most types take text as it is and have it under one key, whatever else they want
// of it. That is asked once, and only of the others what they make of it.
func KeysOf(text string) (keys []Key, composites []string) {
	s, err := clean(text)
	if err != nil {
		return nil, nil
	}
	keys = make([]Key, 0, 8)
	if len(s) <= maxText {
		keys = textKeys(keys, s)
	}
	var of [2]Key
	for _, t := range reshaping {
		norm, err := t.parse(s)
		if err != nil || len(norm) > maxText {
			continue
		}
		if t.cut != nil {
			if _, second := t.cut(norm); second != "" {
				composites = append(composites, norm)
			}
		}
		for _, k := range t.keys(of[:0], norm) {
			if !strings.HasPrefix(string(k), "m:") && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys, composites
}

// reshaping are the types that may have text under another key than that of text.
var reshaping = slices.DeleteFunc(Types(), func(t *Type) bool { return t.verbatim })
