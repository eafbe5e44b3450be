package collection

import (
	"net/netip"
	"slices"

	"tocsin"
)

// A wish is what one subscriber wants otherwise than those who see the same: its
// own action, and names and networks that it does not act on. Wishes are applied
// while a zone is being sent, so that 500 subscribers with a wish each still share
// one image. They are part of the subscriber's line in the log; when they change,
// the subscriber starts anew at that line.
//
// An exclusion takes out what it names and all beneath it. It never takes back a
// part: of a listed network that holds an excluded address, or a listed domain
// above an excluded name, everything stays, since a zone can say neither "all but"
// nor, without lifting the blocks of other vendors too, "let this one pass".
type wish struct {
	action  tocsin.Action
	texts   []string // in normal form, see tocsin.ParseExclusions
	names   map[string]bool
	nets    map[netip.Prefix]bool
	lengths []int // of nets
}

// none is the wish of whoever wants nothing otherwise.
var none = &wish{}

func newWish(action tocsin.Action, exclude []string) *wish {
	if action == "" && len(exclude) == 0 {
		return none
	}
	w := &wish{action: action, texts: exclude, names: map[string]bool{}, nets: map[netip.Prefix]bool{}}
	for _, text := range exclude {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err == nil {
			w.nets[p.Masked()] = true
			if !slices.Contains(w.lengths, p.Bits()) {
				w.lengths = append(w.lengths, p.Bits())
			}
		} else if wire, ok := Wire(text); ok {
			w.names[string(wire)] = true
		}
	}
	return w
}

// is reports whether a wish is this one for a collection: with an allow list
// nobody has an action of its own.
func (w *wish) is(action tocsin.Action, exclude []string, c *tocsin.Collection) bool {
	return c.ActionFor(w.action) == c.ActionFor(action) && slices.Equal(w.texts, exclude)
}

// excludes reports whether the wish names anything to be left out.
func (w *wish) excludes() bool { return len(w.texts) > 0 }

// covers reports whether a key is left out.
func (w *wish) covers(key []byte) bool {
	if isPrefix(key) {
		return len(w.nets) > 0 && w.coversNet(unpack(key))
	}
	for rest := key; len(rest) > 0 && len(w.names) > 0; rest = rest[1+rest[0]:] {
		if w.names[string(rest)] {
			return true
		}
	}
	return false
}

func (w *wish) coversNet(p netip.Prefix) bool {
	for _, n := range w.lengths {
		if n > p.Bits() {
			continue
		}
		if above, err := p.Addr().Prefix(n); err == nil && w.nets[above] {
			return true
		}
	}
	return false
}
