// Package access decides who may see, change and hand on a record. It is the
// only place that knows what a distribution level, a sharing group, a TLP or a
// PAP means.
//
// A record carries a [Label], settled when it is written. Whoever reads is a
// [Viewer]. There are two questions about access, and [Decide] answers both
// with a reason: may the viewer see the record, and may the record leave
// through a given exit towards that viewer.
//
// The package knows nothing of events, stores or protocols.
package access

import "slices"

// Distribution is how far MISP says that a record may travel (MISP core format,
// section 2.2.1.9). The zero value is the owner's own organisation, so a
// forgotten field shares nothing.
type Distribution uint8

const (
	OrgOnly   Distribution = iota // the owner's organisation
	Community                     // everyone on this instance
	Connected                     // and on instances connected to it
	Everyone                      // and wherever they pass it on
	Group                         // the members of one sharing group
	Inherit                       // whatever the event (or object) says; not for events
)

// Valid reports whether d is a level that a record may carry.
func (d Distribution) Valid() bool { return d <= Inherit }

// nobody is a sharing group without members. A record that names group 0 while
// its level is [Group] is shared with nobody.
const nobody = -1

// MaxGroups is how many sharing groups can restrict one record: its own, its
// object's and its event's.
const MaxGroups = 3

// A Label says who owns a record and how far it may travel. It is comparable,
// so equal labels can be interned as one small number. The zero Label belongs
// to nobody and is shared with nobody.
//
// Reach is a ceiling between [OrgOnly] and [Everyone]; each group in Groups is
// a further restriction, and a reader must be a member of all of them.
type Label struct {
	Owner  int64
	Reach  Distribution
	Groups [MaxGroups]int64 // ascending, zeros last
	TLP    TLP
	PAP    PAP
}

// NewLabel returns the label that a record asks for by itself: owner's, at
// MISP's distribution level d, with sharing group g where d is [Group].
func NewLabel(owner int64, d Distribution, g int64, t TLP, p PAP) Label {
	l := Label{Owner: owner, Reach: Everyone, TLP: t, PAP: p}
	switch {
	case d < Group:
		l.Reach = d
	case d == Group && g > 0:
		l.Groups[0] = g
	case d == Group:
		l.Groups[0] = nobody
	case d != Inherit:
		l.Reach = OrgOnly
	}
	return l
}

// Within returns the label of a record labelled l inside a parent: the
// narrower of both in every respect. The parent's owner owns its parts.
func (l Label) Within(parent Label) Label {
	return Label{
		Owner:  parent.Owner,
		Reach:  min(l.Reach, parent.Reach),
		Groups: join(l.Groups, parent.Groups),
		TLP:    max(l.TLP, parent.TLP),
		PAP:    max(l.PAP, parent.PAP),
	}
}

// In reports whether group g restricts the label.
func (l Label) In(g int64) bool { return g != 0 && slices.Contains(l.Groups[:], g) }

// join returns the union of two sets of groups. More than fit cannot come from
// an attribute in an object in an event; if they do, nobody is left.
func join(a, b [MaxGroups]int64) [MaxGroups]int64 {
	var all []int64
	for _, g := range append(a[:], b[:]...) {
		if g != 0 {
			all = append(all, g)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > MaxGroups {
		return [MaxGroups]int64{nobody}
	}
	var out [MaxGroups]int64
	copy(out[:], all)
	return out
}
