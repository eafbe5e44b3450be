package rpz

// axfr puts the whole zone (RFC 5936): the SOA, everything else, the SOA
// again. Names go from the zone into the message at hand one by one, so a
// transfer takes one message of memory however large the zone is.
//
// The NS record comes second also because RFC 1995 tells an incremental answer
// from a full one by whether the second record is an SOA: an empty zone of
// nothing but its two SOAs would be taken for "you are up to date".
func (r *reply) axfr(z Zone) {
	r.soa(answer, z.Serial())
	r.ns()
	z.Names(func(name []byte, t Trigger) bool {
		r.entry(name, t)
		return r.err == nil
	})
	r.soa(answer, z.Serial())
}
