package codec

import (
	"bufio"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"net/netip"
	"slices"

	"tocsin/indicator"
)

// A List is what is to be acted on, as one reader may have it at one moment: a
// collection, or claims reduced to what their values name. What a value only
// mentions is in no list.
type List struct {
	Name   string // of the collection; "" for claims
	Serial uint32 // changes when the list does
	// Items yields what the list holds of these kinds. A format asks for those
	// that it can write, and may ask more than once. An item is good until the
	// next one is asked for.
	Items func(kinds ...indicator.Kind) iter.Seq2[Item, error]
}

// An Item is one thing that is named.
type Item struct {
	Kind indicator.Kind
	// Text is the normal form: for a name without the final dot, in lower-case
	// A-labels.
	Text   []byte
	Prefix netip.Prefix // for [indicator.Prefix] only
	Row    *Row         // the claim that names it, nil if there may be several
}

// Named returns what claims name: those of them that are to be acted on (MISP's
// to_ids). The same name in claims that follow each other comes once, in claims
// that are far apart it may come again.
func Named(rows iter.Seq2[Row, error]) List {
	return List{Items: func(kinds ...indicator.Kind) iter.Seq2[Item, error] {
		return func(yield func(Item, error) bool) {
			var row Row
			var text []byte
			seen := newRepeats()
			for r, err := range rows {
				if err != nil {
					yield(Item{}, err)
					return
				}
				if !r.Attribute.ToIDS {
					continue
				}
				row = r
				for _, n := range r.Attribute.Value.Facets().Names {
					if !slices.Contains(kinds, n.Kind) || seen.again(n) {
						continue
					}
					text = append(text[:0], n.Text...)
					if !yield(Item{n.Kind, text, n.Prefix, &row}, nil) {
						return
					}
				}
			}
		}
	}}
}

// repeats remembers names so that they are not written twice. It takes the same
// memory however many there are, so it forgets: a repeat does no harm.
type repeats struct {
	seed   maphash.Seed
	hashes []uint64
}

func newRepeats() *repeats { return &repeats{maphash.MakeSeed(), make([]uint64, 1<<18)} }

func (r *repeats) again(n indicator.Name) bool {
	h := maphash.String(r.seed, n.Text)*31 + uint64(n.Kind)
	at := &r.hashes[h%uint64(len(r.hashes))]
	was := *at
	*at = h
	return was == h
}

// A listWriter writes lines and counts those that are entries.
type listWriter struct {
	*bufio.Writer
	entries int
}

// writeList calls write for each item that a format can say, and the end: what
// comes last of a list that is whole. If the items end early, so does the text,
// without it.
func writeList(w io.Writer, items iter.Seq2[Item, error], write func(*listWriter, Item), end func(*listWriter)) error {
	out := &listWriter{Writer: newBuffer(w)}
	return out.write(items, write, end)
}

func newBuffer(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, 64<<10) }

func (w *listWriter) write(items iter.Seq2[Item, error], write func(*listWriter, Item), end func(*listWriter)) error {
	for i, err := range items {
		if err != nil {
			return err
		}
		write(w, i)
		if _, err := w.Write(nil); err != nil { // nobody reads any more
			return err
		}
	}
	end(w)
	return w.Flush()
}

// line writes an entry of these parts, which hold no line break.
func (w *listWriter) line(before string, text []byte, after string) {
	w.WriteString(before)
	w.Write(text)
	w.WriteString(after)
	w.WriteByte('\n')
	w.entries++
}

// names are the kinds that name something in DNS.
var names = []indicator.Kind{indicator.Domain, indicator.Host}

// anything is every kind that a list may hold.
var anything = []indicator.Kind{indicator.Domain, indicator.Host, indicator.Prefix, indicator.URL, indicator.Email,
	indicator.Hash, indicator.Fingerprint, indicator.File, indicator.Certificate, indicator.Handshake, indicator.Fuzzy, indicator.Network}

// domainKind is that of a name that is meant with all that is beneath it.
const domainKind = indicator.Domain

// isName reports whether text is a name that DNS can carry, of letters, digits,
// hyphens and underscores. Every format for names asks first: what comes
// from a store is in normal form, but what follows a name into somebody's
// configuration decides what that does.
func isName(text []byte) bool {
	if len(text) == 0 || len(text) > 253 {
		return false
	}
	label, digits := 0, true
	for _, c := range text {
		switch {
		case c == '.':
			if label == 0 || label > 63 {
				return false
			}
			label, digits = 0, true
		case nameOctets[c]:
			label++
			digits = digits && c >= '0' && c <= '9'
		default:
			return false
		}
	}
	return label > 0 && label <= 63 && !digits // else it is an address to many
}

var nameOctets = func() (t [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = true
	}
	return t
}()

// endComment is the end of a format that has comments: a text without it was
// cut short.
func endComment(mark string) func(*listWriter) {
	return func(w *listWriter) { fmt.Fprintf(w, "%s end of list, entries: %d\n", mark, w.entries) }
}
