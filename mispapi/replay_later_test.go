package mispapi

import (
	"fmt"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// Recordings from 491 on were made when the MISP held more: a feed of a thousand
// events, as many of a benchmark, and one that a test of PyMISP left behind.
const (
	firstLater  = 491
	laterEvents = 3026
)

// fillUp adds what was there when the last recordings were made.
func (p *replay) fillUp() {
	p.t.Helper()
	feed := put(p.world, &tocsin.Organisation{Name: "Feed Org", UUID: mustUUID("dada6237-28e0-55b8-b945-5ebb115a1fb0")})
	test := put(p.world, &tocsin.Organisation{Name: "Test Org dd3d5df4", UUID: mustUUID("b058ad2d-0d0d-4dd7-b120-2644161bda53")})
	var white *tocsin.Tag
	ctx, system := p.t.Context(), access.System("test")
	_, err := p.db.Apply(ctx, system, func(tx *store.Tx) (err error) {
		white, err = tx.TagNamed("tlp:white", "#ffffff")
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.unpublish()
	now, err := p.db.As(system).CountEvents(ctx, store.EventQuery{})
	if err != nil {
		p.t.Fatal(err)
	}
	feeds := make([]tocsin.Event, 1000)
	for i := range feeds {
		feeds[i] = tocsin.Event{Info: fmt.Sprintf("Feed event %d", i), Org: 1, Orgc: feed.ID, Date: "2024-10-01", Analysis: 2, Threat: 3,
			Published: true, PublishedAt: 1795439046, Timestamp: 1795351181, Tags: tocsin.NewTagSet(tocsin.Attached{Tag: white.ID})}
	}
	last := []tocsin.Event{
		{Info: "corr B", Org: 1, Distribution: access.Community, Analysis: 2, Threat: 4, Timestamp: 1795439122, Date: "2026-11-23"},
		{Info: "bench list 10000", Org: 1, Distribution: access.Community, Threat: 4, Published: true, Timestamp: 1795439210, Date: "2026-11-23"},
		{Info: "This is a super simple test", Org: test.ID, Distribution: access.Community, Analysis: 1, Threat: 1, Timestamp: 1795439370, Date: "2026-11-23"},
	}
	bench := make([]tocsin.Event, laterEvents-int(now)-len(feeds)-len(last))
	for i := range bench {
		bench[i] = tocsin.Event{Info: fmt.Sprintf("bench %d", i), Org: 1, Threat: 4, Timestamp: 1795438000, Date: "2026-11-23"}
	}
	_, err = p.db.Apply(ctx, system, func(tx *store.Tx) error {
		for _, es := range [][]tocsin.Event{bench, feeds, last} {
			for i := range es {
				if err := tx.AddEvent(&es[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// unpublish takes back what had been published, as calls did that were not recorded.
func (p *replay) unpublish() {
	p.t.Helper()
	ctx, system := p.t.Context(), access.System("test")
	_, err := p.db.Apply(ctx, system, func(tx *store.Tx) error {
		for e, err := range p.db.As(system).Events(ctx, store.EventQuery{}) {
			if err != nil {
				return err
			}
			if e.Published {
				if _, err := tx.Publish(e.ID, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
