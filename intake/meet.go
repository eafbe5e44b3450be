package intake

import (
	"context"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// Newcomers are organisations and sharing groups that come along with an event, and
// that may not be known here yet.
type Newcomers struct {
	Orgs   []tocsin.Organisation
	Groups []GroupDraft
	Event  int64       // the event that they come to; 0: a new one
	New    tocsin.UUID // of the new one, if it says so
}

// A GroupDraft is a sharing group as it arrived. Its organisations are named by their
// uuids.
type GroupDraft struct {
	Group   tocsin.Group
	Maker   tocsin.UUID
	Members []MemberDraft
}

// A MemberDraft is one organisation in a group.
type MemberDraft struct {
	Org    tocsin.UUID
	Extend bool
}

// Met are the numbers of newcomers here, in the order that they were given in. One
// that the viewer may not bring has none, and what needs it is refused by itself.
type Met struct {
	Orgs, Groups []int64
}

// Meet adds those newcomers that nobody here knows, before what they came with is
// taken in: it is read by these numbers. Nobody is added for an event that the viewer
// may not change, or that is here already.
func (d *Desk) Meet(ctx context.Context, v access.Viewer, n Newcomers) (Met, error) {
	m := Met{make([]int64, len(n.Orgs)), make([]int64, len(n.Groups))}
	if len(n.Orgs)+len(n.Groups) == 0 {
		return m, nil
	}
	_, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		if err := d.welcome(ctx, tx, &n); err != nil {
			return err
		}
		here := map[tocsin.UUID]int64{}
		for i := range n.Orgs {
			o, err := tx.Meet(n.Orgs[i])
			if err == nil {
				m.Orgs[i] = o.ID
				here[n.Orgs[i].UUID] = o.ID
			} else if tocsin.CodeOf(err) == tocsin.Internal {
				return err
			}
		}
		for i := range n.Groups {
			g := n.Groups[i].group(here)
			met, err := tx.MeetGroup(g)
			if err == nil {
				m.Groups[i] = met.ID
			} else if tocsin.CodeOf(err) == tocsin.Internal {
				return err
			}
		}
		return nil
	})
	return m, err
}

// welcome refuses newcomers to an event that will be refused itself.
func (d *Desk) welcome(ctx context.Context, tx *store.Tx, n *Newcomers) error {
	if n.Event != 0 {
		return d.writing(ctx, tx, nil).mine(n.Event)
	}
	if n.New.IsZero() {
		return nil
	}
	if there, err := tx.EventByUUID(n.New); err == nil {
		return &store.ExistsError{ID: there.ID}
	}
	return nil
}

// group is the group with its organisations by number. One that could not be met is
// left out: fewer may have what is shared.
func (d *GroupDraft) group(here map[tocsin.UUID]int64) tocsin.Group {
	g := d.Group
	g.Org = here[d.Maker]
	for _, m := range d.Members {
		if id := here[m.Org]; id != 0 && !g.Has(id) {
			g.Members = append(g.Members, tocsin.Member{Org: id, Extend: m.Extend})
		}
	}
	return g
}
