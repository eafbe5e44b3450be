package tocsin

import "slices"

// A Group is a sharing group: the organisations among which a record may travel.
type Group struct {
	ID            int64         `json:"id"`
	UUID          UUID          `json:"uuid"`
	Name          string        `json:"name"`
	Releasability string        `json:"releasability,omitempty"`
	Description   string        `json:"description,omitempty"`
	Org           int64         `json:"org"`            // who made it
	User          int64         `json:"user,omitempty"` // likewise
	Members       []Member      `json:"members"`
	Servers       []GroupServer `json:"servers,omitempty"`
	Roaming       bool          `json:"roaming,omitempty"`  // peers are told of it, listed or not
	Inactive      bool          `json:"inactive,omitempty"` // nothing new is shared with it
	Created       int64         `json:"created"`
	Modified      int64         `json:"modified"`
}

// A Member of a sharing group may extend it if Extend is set: add others, and take
// out nobody but itself.
type Member struct {
	Org    int64 `json:"org"`
	Extend bool  `json:"extend,omitempty"`
	// Implied says that nobody named it: it has users here, and the group is open to
	// all of those. The store keeps these up to date.
	Implied bool `json:"implied,omitempty"`
}

// A GroupServer is an instance that a sharing group may travel to. With AllOrgs it is
// open to all organisations there. That opens it here only if the instance is this
// one.
type GroupServer struct {
	Peer    int64 `json:"peer"` // 0: this instance
	AllOrgs bool  `json:"all_orgs,omitempty"`
}

// Has reports whether org is a member.
func (g *Group) Has(org int64) bool {
	return slices.ContainsFunc(g.Members, func(m Member) bool { return m.Org == org })
}

// Named returns the members that somebody named.
func (g *Group) Named() []Member {
	return slices.DeleteFunc(slices.Clone(g.Members), func(m Member) bool { return m.Implied })
}

// AllHere reports whether the group is open to every organisation that has users on
// this instance.
func (g *Group) AllHere() bool {
	return slices.ContainsFunc(g.Servers, func(s GroupServer) bool { return s.Peer == 0 && s.AllOrgs })
}

// MayExtend reports whether org may add members.
func (g *Group) MayExtend(org int64) bool {
	return slices.ContainsFunc(g.Members, func(m Member) bool { return m.Org == org && m.Extend })
}
