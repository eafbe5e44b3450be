package rpz

// ixfr puts what leads from the client's serial to ours (RFC 1995), and
// reports what kind of answer that became.
//
// A client whose serial is ours, or newer by RFC 1982, gets our SOA alone, as
// section 2 of RFC 1995 has it; newer is one that followed a server since
// restored from a backup. A full zone would not help it: secondaries refuse
// to go back. It recovers when our serial has passed its own.
//
// A client whose serial we don't know, or who is so far behind that the way is
// longer than the zone, gets the full zone.
func (r *reply) ixfr(z Zone, from uint32) Kind {
	to := z.Serial()
	if from == to || newer(from, to) {
		r.soa(answer, to)
		return Current
	}
	step, ok := steps(z, from, r.most(z))
	if !ok {
		r.axfr(z)
		return Full
	}
	r.soa(answer, to)
	r.soa(answer, from)
	r.entries(step.Removed)
	r.soa(answer, to)
	r.entries(step.Added)
	r.soa(answer, to)
	return Incremental
}

func (r *reply) entries(es []Entry) {
	for _, e := range es {
		if r.err != nil {
			return
		}
		r.entry(e.Name, e.Trigger)
	}
}

// newer reports whether serial a comes after b (RFC 1982, 3.2). Of two that
// are 2³¹ apart neither does.
func newer(a, b uint32) bool { return int32(a-b) > 0 }

// most is how many changes are worth merging. People who look at what has
// changed should see it however small the zone is. Whoever sends a datagram
// may lie about who they are, and should not make us merge what can't fit.
func (r *reply) most(z Zone) int {
	if !r.stream {
		return maxUDP / len(r.cname)
	}
	const few = 1000
	return z.Len() + few
}

// steps returns the way from serial to where z is as a single step. False
// means that the whole zone is the better answer.
func steps(z Zone, from uint32, most int) (Delta, bool) {
	ds, ok := z.Since(from)
	if !ok || len(ds) == 0 {
		return Delta{}, false
	}
	at, changes := from, 0
	for _, d := range ds {
		if d.From != at {
			return Delta{}, false // a gap: a client would end up with a zone that never was
		}
		at = d.To
		changes += len(d.Removed) + len(d.Added)
	}
	if at != z.Serial() || changes > most {
		return Delta{}, false
	}
	return condense(ds), true
}

// condense merges steps into one (RFC 1995, 5): a name that came and went in
// between does not travel.
func condense(ds []Delta) Delta {
	step := Delta{From: ds[0].From, To: ds[len(ds)-1].To}
	if len(ds) == 1 {
		step.Removed, step.Added = ds[0].Removed, ds[0].Added
		return step
	}
	type change struct {
		name           []byte
		removed, added Trigger
	}
	var changes []change // in order of appearance, so that equal questions get equal answers
	index := map[string]int{}
	at := func(name []byte) *change {
		i, ok := index[string(name)]
		if !ok {
			i = len(changes)
			index[string(name)] = i
			changes = append(changes, change{name: name})
		}
		return &changes[i]
	}
	for _, d := range ds {
		for _, e := range d.Removed {
			c := at(e.Name)
			c.removed |= e.Trigger &^ c.added
			c.added &^= e.Trigger
		}
		for _, e := range d.Added {
			c := at(e.Name)
			c.added |= e.Trigger &^ c.removed
			c.removed &^= e.Trigger
		}
	}
	for _, c := range changes {
		if c.removed != 0 {
			step.Removed = append(step.Removed, Entry{c.name, c.removed})
		}
		if c.added != 0 {
			step.Added = append(step.Added, Entry{c.name, c.added})
		}
	}
	return step
}
