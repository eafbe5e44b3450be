package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

var instanceTests = map[string]func(*testing.T, *world){
	"NobodyGivesWhatTheyHaveNot": nobodyGivesWhatTheyHaveNot,
	"CeilingsHoldInSQL":          ceilingsHoldInSQL,
	"WhoMayWriteWhat":            whoMayWriteWhat,
	"GroupsAreExtended":          groupsAreExtended,
	"GroupsOpenToAllHere":        groupsOpenToAllHere,
	"BlockedStaysOut":            blockedStaysOut,
	"SettingsMakeSense":          settingsMakeSense,
	"DocIDsAreNeverReused":       docIDsAreNeverReused,
	"EventsAreHandedOver":        eventsAreHandedOver,
}

// Every role tries to give every role, to users, by keys and as roles of its own.
func nobodyGivesWhatTheyHaveNot(t *testing.T, w *world) {
	lite := access.Role(access.SiteAdmin | access.OrgAdmin | access.Auth | access.Add)
	roles := slices.Clone(access.Roles)
	w.write(t, w.admin, func(tx *store.Tx) error {
		r := &tocsin.Role{Name: "an administrator who does not publish", Permissions: lite}
		err := store.Put(tx, r)
		if r.ID != tocsin.FirstRole {
			t.Errorf("the first role of one's own has id %d", r.ID)
		}
		roles = append(roles, access.NamedRole{ID: r.ID, Name: r.Name, Role: r.Permissions})
		return err
	})
	users := map[int64]*tocsin.User{}
	for _, r := range roles {
		users[r.ID] = &tocsin.User{Email: fmt.Sprintf("role%d@ours.example", r.ID), Org: 1, Role: r.ID}
		w.write(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, users[r.ID]) })
		if v := w.ViewerFor(users[r.ID]); v.Role() != r.Role {
			t.Errorf("%s may %b, want %b", r.Name, v.Role(), r.Role)
		}
	}
	n := 0
	for _, giver := range roles {
		g := w.ViewerFor(users[giver.ID])
		for _, given := range roles {
			n++
			above := !giver.Role.May(access.Permission(given.Role))
			administers := giver.Role.May(access.OrgAdmin)
			for what, c := range map[string]struct {
				do  func(*store.Tx) error
				may bool
			}{
				"add a user": {func(tx *store.Tx) error {
					return store.Put(tx, &tocsin.User{Email: fmt.Sprintf("new%d@ours.example", n), Org: 1, Role: given.ID})
				}, administers && !above},
				"change a user": {func(tx *store.Tx) error {
					u := *users[given.ID]
					u.Password = "new"
					return store.Put(tx, &u)
				}, administers && !above || giver.ID == given.ID},
				"raise themselves": {func(tx *store.Tx) error {
					u := *users[giver.ID]
					u.Role = given.ID
					err := store.Put(tx, &u)
					if err == nil && giver.ID != given.ID {
						return errors.Join(err, store.Put(tx, users[giver.ID]))
					}
					return err
				}, administers && !above || giver.ID == given.ID},
				"add a key": {func(tx *store.Tx) error {
					return store.Put(tx, &tocsin.Key{User: users[given.ID].ID, Hash: fmt.Sprintf("key %d", n)})
				}, administers && !above || giver.ID == given.ID},
				"make a role": {func(tx *store.Tx) error {
					return store.Put(tx, &tocsin.Role{Name: fmt.Sprintf("role %d", n), Permissions: given.Role})
				}, giver.Role.May(access.SiteAdmin) && !above},
			} {
				_, err := w.Apply(t.Context(), g, func(tx *store.Tx) error {
					if err := c.do(tx); err != nil {
						return err
					}
					return errUndo
				})
				if got := errors.Is(err, errUndo); got != c.may {
					t.Errorf("%s: %s with the role %s: %v, want %v (%v)", giver.Name, what, given.Name, got, c.may, err)
				}
			}
		}
	}
	if got := w.try(t, w.admin, func(tx *store.Tx) error { return store.Remove[*tocsin.Role](tx, tocsin.FirstRole) }); got != tocsin.Conflict {
		t.Errorf("removing a role that somebody has: %q", got)
	}
	for what, r := range map[string]*tocsin.Role{
		"permissions that nobody has": {Name: "x", Permissions: 1 << 31},
	} {
		if got := w.try(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, r) }); got != tocsin.Forbidden {
			t.Errorf("%s: %q", what, got)
		}
	}
	if got := w.try(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, &tocsin.Role{Name: "PUBLISHER"}) }); got != tocsin.Conflict {
		t.Errorf("a role of MISP's name: %q", got)
	}
}

var errUndo = errors.New("that was only a try")

// What a key with a ceiling is shown is by SQL what it is by access.Viewer, in every
// read, and nothing that it writes gets it more.
func ceilingsHoldInSQL(t *testing.T, w *world) {
	marks := []string{"", "tlp:clear", "tlp:green", "tlp:amber", "tlp:amber+strict", "tlp:red"}
	type both struct{ event, attribute access.Label }
	var all []both
	tag := func(tx *store.Tx, name string) tocsin.TagSet {
		if name == "" {
			return ""
		}
		g, err := tx.TagNamed(name, "")
		if err != nil {
			t.Fatal(err)
		}
		return tocsin.NewTagSet(tocsin.Attached{Tag: g.ID})
	}
	for _, em := range marks {
		w.write(t, w.ours, func(tx *store.Tx) error {
			e := &tocsin.Event{Info: em, Distribution: access.Community, Tags: tag(tx, em)}
			if e.Info == "" {
				e.Info = "unmarked"
			}
			if err := tx.AddEvent(e); err != nil {
				return err
			}
			for i, am := range marks {
				as := Domains(t, fmt.Sprintf("n%d.example", i))
				as[0].Tags = tag(tx, am)
				r, err := tx.AddAttributes(e.ID, as, false)
				if err != nil {
					return err
				}
				all = append(all, both{w.Labels().Label(e.Label), w.Labels().Label(r.Added[0].Label)})
				if err := store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, r.Added[0].ID)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, v := range []access.Viewer{w.ours, w.theirs, w.admin} {
		for ceiling := access.Unmarked; ceiling <= access.Red; ceiling++ {
			limited := v.Under(ceiling)
			want, events := 0, map[access.Label]bool{}
			for _, b := range all {
				if limited.Sees(b.event) && limited.Sees(b.attribute) {
					want++
				}
				if limited.Sees(b.event) {
					events[b.event] = true
				}
			}
			if got := len(w.values(t, limited, store.Query{})); got != want {
				t.Errorf("%s under %s lists %d attributes, want %d", v.Name(), ceiling, got, want)
			}
			counted := 0
			for e, err := range w.As(limited).Events(t.Context(), store.EventQuery{}) {
				if err != nil {
					t.Fatal(err)
				}
				counted += e.Attributes
			}
			if counted != want {
				t.Errorf("%s under %s is told of %d attributes, want %d", v.Name(), ceiling, counted, want)
			}
			if n, _ := w.As(limited).CountEvents(t.Context(), store.EventQuery{}); int(n) != len(events) {
				t.Errorf("%s under %s counts %d events, want %d", v.Name(), ceiling, n, len(events))
			}
			if v.Org() != 1 && !v.Administers() {
				continue // the sightings are not theirs
			}
			// A sighting is not marked itself, so beneath GREEN there is none.
			if ceiling == access.Clear {
				want = 0
			}
			if n := w.many(t, limited)[tocsin.KindSighting]; int(n) != want {
				t.Errorf("%s under %s counts %d sightings, want %d", v.Name(), ceiling, n, want)
			}
		}
	}
	admin, _ := access.RoleByID(1)
	w.write(t, w.admin, func(tx *store.Tx) error {
		return errors.Join(store.Put(tx, &tocsin.User{Email: "a@ours.example", Org: 1, Role: 1}),
			store.Put(tx, &tocsin.Collection{Name: "c", Org: 1}), store.Put(tx, &tocsin.Key{User: 1, Hash: "a key without limits"}))
	})
	limited := access.NewViewer("limited", 1, 1, admin.Role).Under(access.Green)
	for what, c := range map[string]struct {
		do   func(*store.Tx) error
		want tocsin.Code
	}{
		"a key without a ceiling": {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Key{User: 1, Hash: "a"}) }, tocsin.Forbidden},
		"a key with a higher one": {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Key{User: 1, Hash: "b", Ceiling: access.Amber}) }, tocsin.Forbidden},
		"a key with the same":     {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Key{User: 1, Hash: "c", Ceiling: access.Green}) }, ""},
		"raising another key": {func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Key{ID: 1, User: 1, Hash: "d", Ceiling: access.Green})
		}, tocsin.Forbidden},
		"a password": {func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.User{ID: 1, Email: "a@ours.example", Org: 1, Role: 1, Password: "p"})
		}, tocsin.Forbidden},
		"a subscriber":             {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Subscriber{Name: "s", Org: 1, Collection: 1}) }, tocsin.Forbidden},
		"a peer":                   {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Peer{Name: "p"}) }, tocsin.Forbidden},
		"removing the key without": {func(tx *store.Tx) error { return store.Remove[*tocsin.Key](tx, 1) }, tocsin.Forbidden},
		"an event":                 {func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: "x"}) }, ""},
	} {
		if got := w.try(t, limited, c.do); got != c.want {
			t.Errorf("%s, by a key with a ceiling: %q, want %q", what, got, c.want)
		}
	}
}

func whoMayWriteWhat(t *testing.T, w *world) {
	orgAdmin, _ := access.RoleByID(2)
	site, _ := access.RoleByID(1)
	ours := access.NewViewer("our admin", 1, 1, orgAdmin.Role)
	theirs := access.NewViewer("their admin", 2, 2, orgAdmin.Role)
	admin := access.NewViewer("site admin", 3, 2, site.Role)
	n := 0
	name := func() string { n++; return fmt.Sprint("name ", n) }
	for what, c := range map[string]struct {
		put                 func(*store.Tx) error
		ours, theirs, admin tocsin.Code
	}{
		"role":    {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Role{Name: name()}) }, tocsin.Forbidden, tocsin.Forbidden, ""},
		"feed":    {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Feed{Name: name()}) }, tocsin.Forbidden, tocsin.Forbidden, ""},
		"peer":    {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Peer{Name: name()}) }, tocsin.Forbidden, tocsin.Forbidden, ""},
		"setting": {func(tx *store.Tx) error { return store.Put(tx, &tocsin.Setting{Name: name()}) }, tocsin.Forbidden, tocsin.Forbidden, ""},
		"block": {func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Block{Of: tocsin.KindEvent, UUID: tocsin.NewUUID(tx.Now())})
		}, tocsin.Forbidden, tocsin.Forbidden, ""},
		"our tag collection": {func(tx *store.Tx) error { return store.Put(tx, &tocsin.TagCollection{Name: name(), Org: 1}) }, "", tocsin.Forbidden, ""},
	} {
		for who, is := range map[string]struct {
			v    access.Viewer
			want tocsin.Code
		}{"our admin": {ours, c.ours}, "their admin": {theirs, c.theirs}, "a site admin": {admin, c.admin}} {
			if got := w.try(t, is.v, c.put); got != is.want {
				t.Errorf("a %s by %s: %q, want %q", what, who, got, is.want)
			}
		}
	}
	w.write(t, ours, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.TagCollection{Name: "for all", Org: 1, AllOrgs: true, Tags: []int64{}})
	})
	if length(w.As(theirs).TagCollections()) != 1 {
		t.Error("they don't see the tag collection that is for all")
	}
	shared, err := store.ByName[*tocsin.TagCollection](w.As(theirs), "for all")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.try(t, theirs, func(tx *store.Tx) error { s := *shared; s.Org = 2; return store.Put(tx, &s) }); got != tocsin.Forbidden {
		t.Errorf("taking a tag collection over: %q", got)
	}
}

func groupsAreExtended(t *testing.T, w *world) {
	orgAdmin, _ := access.RoleByID(2)
	ours := access.NewViewer("our admin", 1, 1, orgAdmin.Role)
	theirs := access.NewViewer("their admin", 2, 2, orgAdmin.Role)
	member := func(org int64) tocsin.Member { return tocsin.Member{Org: org} }
	g := &tocsin.Group{Name: "extended", Org: 1, Members: []tocsin.Member{member(1), {Org: 2, Extend: true}, member(3)}}
	w.write(t, ours, func(tx *store.Tx) error { return store.Put(tx, g) })
	change := func(v access.Viewer, f func(*tocsin.Group)) tocsin.Code {
		return w.try(t, v, func(tx *store.Tx) error {
			old, err := store.Get[*tocsin.Group](tx, g.ID)
			if err != nil {
				return err
			}
			is := *old
			is.Members = slices.Clone(old.Members)
			f(&is)
			return store.Put(tx, &is)
		})
	}
	for what, f := range map[string]func(*tocsin.Group){
		"another name":        func(g *tocsin.Group) { g.Name = "taken over" },
		"another owner":       func(g *tocsin.Group) { g.Org = 2 },
		"all organisations":   func(g *tocsin.Group) { g.Servers = []tocsin.GroupServer{{AllOrgs: true}} },
		"roaming":             func(g *tocsin.Group) { g.Roaming = true },
		"a member taken out":  func(g *tocsin.Group) { g.Members = g.Members[:2] },
		"a member's right":    func(g *tocsin.Group) { g.Members[2].Extend = true },
		"the owner taken out": func(g *tocsin.Group) { g.Members = g.Members[1:] },
	} {
		if got := change(theirs, f); got != tocsin.Forbidden {
			t.Errorf("%s, by a member who may extend: %q", what, got)
		}
	}
	if got := change(theirs, func(g *tocsin.Group) { g.Members = append(g.Members, member(4)) }); got != "" {
		t.Errorf("a member added by one who may extend: %q", got)
	}
	third := access.NewViewer("third", 4, 3, orgAdmin.Role)
	if got := change(third, func(g *tocsin.Group) { g.Members = append(g.Members, member(5)) }); got != tocsin.Forbidden {
		t.Errorf("a member added by one who may not extend: %q", got)
	}
	if got := w.try(t, theirs, func(tx *store.Tx) error { return store.Remove[*tocsin.Group](tx, g.ID) }); got != tocsin.Forbidden {
		t.Errorf("removed by one who may extend: %q", got)
	}
	if got := change(theirs, func(g *tocsin.Group) { g.Members = slices.Delete(g.Members, 1, 2) }); got != "" {
		t.Errorf("leaving: %q", got)
	}
	if got := change(theirs, func(g *tocsin.Group) { g.Members = append(g.Members, member(2)) }); got != tocsin.NotFound {
		t.Errorf("coming back by oneself: %q", got)
	}
	if got := change(ours, func(g *tocsin.Group) { g.Inactive = true }); got != "" {
		t.Errorf("ended by its owner: %q", got)
	}
	if got := w.try(t, ours, func(tx *store.Tx) error {
		return tx.AddEvent(&tocsin.Event{Info: "x", Distribution: access.Group, Group: g.ID})
	}); got != tocsin.Invalid {
		t.Errorf("sharing with a group that is not active: %q", got)
	}
}

// A group that is open to all organisations of an instance is open to those of this
// one only if it is this one.
func groupsOpenToAllHere(t *testing.T, w *world) {
	var guest, late tocsin.Organisation
	w.write(t, w.admin, func(tx *store.Tx) error {
		guest = tocsin.Organisation{Name: "known from elsewhere"}
		return store.Put(tx, &guest)
	})
	group := func(name string, servers ...tocsin.GroupServer) *tocsin.Group {
		g := &tocsin.Group{Name: name, Org: 1, Servers: servers}
		w.write(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, g) })
		return g
	}
	empty := group("empty")
	there := group("all over there", tocsin.GroupServer{Peer: 3, AllOrgs: true}, tocsin.GroupServer{Peer: 0})
	here := group("all here", tocsin.GroupServer{Peer: 0, AllOrgs: true})
	w.write(t, w.admin, func(tx *store.Tx) error {
		late = tocsin.Organisation{Name: "came later", Local: true}
		return store.Put(tx, &late)
	})
	in := func(g *tocsin.Group, org int64) bool { return slices.Contains(w.GroupsOf(org), g.ID) }
	for _, c := range []struct {
		g    *tocsin.Group
		org  int64
		want bool
	}{{empty, 1, false}, {empty, 2, false}, {there, 1, false}, {there, 2, false}, {here, 1, true}, {here, 2, true}, {here, late.ID, true}, {here, guest.ID, false}} {
		if in(c.g, c.org) != c.want {
			t.Errorf("organisation %d in the group %q: %v", c.org, c.g.Name, !c.want)
		}
	}
	w.write(t, w.admin, func(tx *store.Tx) error {
		guest.Local, late.Local = true, false
		return errors.Join(store.Put(tx, &guest), store.Put(tx, &late))
	})
	if !in(here, guest.ID) || in(here, late.ID) {
		t.Error("who has users here has changed, and the group has not")
	}
	w.write(t, w.admin, func(tx *store.Tx) error {
		g, err := store.Get[*tocsin.Group](tx, here.ID)
		if err != nil {
			return err
		}
		is := *g
		is.Servers = nil
		return store.Put(tx, &is)
	})
	if in(here, 2) || in(here, guest.ID) {
		t.Error("the group is still open")
	}
}

func blockedStaysOut(t *testing.T, w *world) {
	bad := tocsin.UUID{1, 2, 3}
	sync, _ := access.RoleByID(5)
	peer := access.NewViewer("a peer", 5, 2, sync.Role)
	var org tocsin.Organisation
	w.write(t, w.admin, func(tx *store.Tx) error {
		org = tocsin.Organisation{Name: "not wanted", UUID: tocsin.UUID{9, 9}}
		return errors.Join(store.Put(tx, &org), store.Put(tx, &tocsin.Block{Of: tocsin.KindEvent, UUID: bad}),
			store.Put(tx, &tocsin.Block{Of: tocsin.KindOrganisation, UUID: org.UUID}))
	})
	for what, e := range map[string]tocsin.Event{"the event": {Info: "x", UUID: bad}, "the organisation": {Info: "x", Orgc: org.ID}} {
		if got := w.try(t, peer, func(tx *store.Tx) error { return tx.AddEvent(&e) }); got != tocsin.Forbidden {
			t.Errorf("%s is on the blocklist: %q", what, got)
		}
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return store.Remove[*tocsin.Block](tx, 1) })
	w.write(t, peer, func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: "x", UUID: bad}) })
	for what, b := range map[string]*tocsin.Block{"of nothing": {UUID: bad}, "of an attribute": {Of: tocsin.KindAttribute, UUID: bad}, "without a uuid": {Of: tocsin.KindEvent}} {
		if got := w.try(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, b) }); got != tocsin.Invalid {
			t.Errorf("an entry %s: %q", what, got)
		}
	}
}

func settingsMakeSense(t *testing.T, w *world) {
	for _, s := range []tocsin.Setting{{Name: tocsin.SightingPolicy, Value: "4"}, {Name: tocsin.SightingPolicy, Value: "all"},
		{Name: tocsin.SightingAnonymous, Value: "maybe"}, {Name: tocsin.HostOrganisation, Value: "99"}, {Name: tocsin.HostOrganisation, Value: "x"}} {
		if got := w.try(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, &s) }); got != tocsin.Invalid {
			t.Errorf("%s = %q: %q", s.Name, s.Value, got)
		}
	}
}

func docIDsAreNeverReused(t *testing.T, w *world) {
	add := func() (ids []int64) {
		w.write(t, w.admin, func(tx *store.Tx) error {
			f, p, r := &tocsin.Feed{Name: "f"}, &tocsin.Peer{Name: "p"}, &tocsin.Role{Name: "r"}
			err := errors.Join(store.Put(tx, f), store.Put(tx, p), store.Put(tx, r))
			ids = []int64{f.ID, p.ID, r.ID}
			return err
		})
		return ids
	}
	first := add()
	if !slices.Equal(first, []int64{1, 1, 7}) {
		t.Errorf("ids %v", first)
	}
	w.write(t, w.admin, func(tx *store.Tx) error {
		return errors.Join(store.Remove[*tocsin.Feed](tx, 1), store.Remove[*tocsin.Peer](tx, 1), store.Remove[*tocsin.Role](tx, 7))
	})
	w.DB.Close()
	w.start(t)
	if again := add(); !slices.Equal(again, []int64{2, 2, 8}) {
		t.Errorf("after a removal and a restart %v", again)
	}
}
