package access

import (
	"slices"
	"strconv"
	"strings"
)

// A Viewer is anyone or anything that reads: a person, an API key, a peer, a
// DNS zone's subscriber. The zero Viewer sees nothing and may do nothing.
type Viewer struct {
	name   string
	user   int64
	org    int64
	groups []int64 // ascending
	role   Role
	all    bool
	looks  bool // and does nothing else

	ceiling TLP // the strictest that it is shown; Unmarked: no limit

	through *Viewer // who hands things to it; nil: nobody in between
}

// NewViewer returns the viewer for a member of organisation org, in the named
// sharing groups.
func NewViewer(name string, user, org int64, role Role, groups ...int64) Viewer {
	gs := slices.Clone(groups)
	slices.Sort(gs)
	return Viewer{name: name, user: user, org: org, role: role, groups: slices.Compact(gs), all: org != 0 && role.May(SiteAdmin)}
}

// Organisation returns the viewer that stands for an organisation as a whole:
// the audience of its zones and lists. It sees what every member sees and may
// change nothing.
func Organisation(name string, org int64, groups ...int64) Viewer {
	return NewViewer(name, 0, org, 0, groups...)
}

// System returns a viewer that sees and may do everything. Each caller says in
// a comment who asks for whom later; there should be few.
func System(reason string) Viewer { return Viewer{name: reason, role: siteAdmin, all: true} }

// Name says who it is, for logs.
func (v Viewer) Name() string { return v.name }

// User is the user's id, or 0.
func (v Viewer) User() int64 { return v.user }

// Org is the viewer's organisation, or 0.
func (v Viewer) Org() int64 { return v.org }

// Role returns what the viewer may do.
func (v Viewer) Role() Role { return v.role }

// SeesAll reports whether nothing is hidden from v: site administrators and
// the system itself.
func (v Viewer) SeesAll() bool { return v.ceiling == Unmarked && v.Administers() }

// Administers reports whether v is a site administrator or the system itself,
// though a ceiling may hide records from it.
func (v Viewer) Administers() bool {
	return v.all && (v.through == nil || v.through.Administers())
}

// Under returns v as one who is shown nothing stricter than t, its own organisation's
// records included: who acts through a key with a ceiling. What is not marked counts
// as [DefaultTLP], so beneath CLEAR only what is itself marked CLEAR is seen. A
// ceiling is never raised.
func (v Viewer) Under(t TLP) Viewer {
	if t != Unmarked && (v.ceiling == Unmarked || t < v.ceiling) {
		v.ceiling = t
	}
	return v
}

// Ceiling is the strictest TLP that v is shown, [Unmarked] if there is no limit.
func (v Viewer) Ceiling() TLP { return v.ceiling }

// above reports whether l is stricter than what v is shown.
func (v Viewer) above(l Label) bool { return v.ceiling != Unmarked && l.TLP.orDefault() > v.ceiling }

// May reports whether v's role holds permission p.
func (v Viewer) May(p Permission) bool { return (v.all || v.org != 0) && v.role.May(p) }

// ReadOnly returns v as one who only looks: it sees the same, and its writes are
// refused before anything asks for its role.
func (v Viewer) ReadOnly() Viewer { v.looks = true; return v }

// Through returns v as one who is handed things by another: it sees what both
// see. A collection's subscriber receives through the collection's owner, who can
// hand on to nobody what it may not have itself.
func (v Viewer) Through(owner Viewer) Viewer {
	if owner.org != v.org || owner.all != v.all || owner.ceiling != v.ceiling {
		v.through = &owner
	}
	return v
}

// OnlyLooks reports whether v must not write.
func (v Viewer) OnlyLooks() bool { return v.looks || !v.all && v.org == 0 }

// MemberOf reports whether v's organisation belongs to sharing group g.
func (v Viewer) MemberOf(g int64) bool {
	_, ok := slices.BinarySearch(v.groups, g)
	return ok
}

// Sees reports whether v may read a record labelled l. Whether the record is
// published makes no difference, as in MISP.
func (v Viewer) Sees(l Label) bool {
	switch {
	case v.through != nil && !v.through.Sees(l), v.above(l):
		return false
	case v.all:
		return true
	case v.org == 0:
		return false
	case l.Owner == v.org:
		return true
	case l.Reach == OrgOnly || l.Reach > Everyone:
		return false
	}
	for _, g := range l.Groups {
		if g != 0 && !v.MemberOf(g) {
			return false
		}
	}
	return true
}

// Owns reports whether v may change what is labelled l: its own organisation's
// records, or all of them for a site administrator.
func (v Viewer) Owns(l Label) bool { return v.all || v.org != 0 && v.org == l.Owner }

// Sight is a short string that is equal for viewers who see the same labels.
// Caches key what they keep for a viewer by it.
func (v Viewer) Sight() string {
	var b strings.Builder
	if v.through != nil {
		b.WriteString(v.through.Sight())
		b.WriteByte('>')
	}
	if v.ceiling != Unmarked {
		b.WriteString(v.ceiling.String())
		b.WriteByte('>')
	}
	if v.all {
		b.WriteString("all")
		return b.String()
	}
	b.WriteString(strconv.FormatInt(v.org, 10))
	for _, g := range v.groups {
		b.WriteByte(',')
		b.WriteString(strconv.FormatInt(g, 10))
	}
	return b.String()
}
