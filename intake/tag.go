package intake

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// maxTag is how long the name of a tag may be, in octets, as in MISP.
const maxTag = 255

// badTag says why a tag can't be one, or "".
func badTag(t TagDraft) string {
	switch name := strings.TrimSpace(t.Name); {
	case name == "":
		return "a tag needs a name"
	case len(name) > maxTag:
		return "the name of a tag is at most 255 octets long"
	case strings.ContainsFunc(name, unicode.IsControl) || badText(name) != "":
		return "the name of a tag is one line of plain text"
	}
	return ""
}

// colour returns the colour of a tag draft, "" if it names none that is sound.
func colour(s string) string {
	if len(s) != 7 || s[0] != '#' {
		return ""
	}
	if _, err := strconv.ParseUint(s[1:], 16, 32); err != nil {
		return ""
	}
	return strings.ToLower(s)
}

// A tagger resolves tags in one transaction.
type tagger struct {
	tx    *store.Tx
	known map[TagDraft]tocsin.Attached
}

// attached resolves tags. A tag that can't be attached is an error, never left
// out: it may be the one that restricts the record.
func (t *tagger) attached(drafts []TagDraft) ([]tocsin.Attached, error) {
	as := make([]tocsin.Attached, 0, len(drafts))
	for _, d := range drafts {
		if d.Gone {
			continue
		}
		a, ok := t.known[d]
		if !ok {
			var err error
			if a, err = t.one(d); err != nil {
				return nil, err
			}
			if t.known == nil {
				t.known = map[TagDraft]tocsin.Attached{}
			}
			t.known[d] = a
		}
		as = append(as, a)
	}
	return as, nil
}

// edited returns a set as an edit leaves it: with what it attaches, without what it
// takes off. A set is worked out when it is known, so what can't be resolved is said first.
func (t *tagger) edited(drafts []TagDraft) (func(tocsin.TagSet) tocsin.TagSet, error) {
	var on, off []TagDraft
	for _, d := range drafts {
		if d.Gone {
			off = append(off, d)
		} else {
			on = append(on, d)
		}
	}
	attach, err := t.attached(on)
	if err != nil {
		return nil, err
	}
	var gone []int64
	for _, d := range off {
		if tag, err := store.Named[*tocsin.Tag](t.tx, strings.TrimSpace(d.Name)); err == nil {
			gone = append(gone, tag.ID)
		}
	}
	if len(gone) > 0 && !t.tx.Viewer().May(access.Tag) {
		return nil, tocsin.Errorf(tocsin.Forbidden, "your role does not let you remove tags")
	}
	return func(s tocsin.TagSet) tocsin.TagSet {
		for _, a := range attach {
			s = s.With(a)
		}
		for _, id := range gone {
			s = s.Without(id)
		}
		return s
	}, nil
}

// one resolves one tag, and makes it if the viewer may.
func (t *tagger) one(d TagDraft) (tocsin.Attached, error) {
	v := t.tx.Viewer()
	if why := badTag(d); why != "" {
		return tocsin.Attached{}, tocsin.Errorf(tocsin.Invalid, "tag %q: %s", d.Name, why)
	}
	if !v.May(access.Tag) {
		return tocsin.Attached{}, tocsin.Errorf(tocsin.Forbidden, "your role does not let you attach tags")
	}
	tag, err := t.tx.TagLike(tocsin.Tag{Name: d.Name, Colour: colour(d.Colour), Exportable: !d.Kept, Hidden: d.Hidden})
	switch {
	case err != nil:
		return tocsin.Attached{}, fmt.Errorf("tag %q: %w", d.Name, err)
	case !v.SeesAll() && (tag.Org != 0 && tag.Org != v.Org() || tag.User != 0 && tag.User != v.User()):
		return tocsin.Attached{}, tocsin.Errorf(tocsin.Forbidden, "the tag %q is for others to attach", tag.Name)
	}
	return tocsin.Attached{Tag: tag.ID, Local: d.Local || tag.LocalOnly}, nil
}

// set resolves tags to a set.
func (t *tagger) set(drafts []TagDraft) (tocsin.TagSet, error) {
	as, err := t.attached(drafts)
	return tocsin.NewTagSet(as...), err
}
