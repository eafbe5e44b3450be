package misp

import (
	"io"

	"tocsin"
)

// errNothing is for a text that is JSON and holds nothing of what was sought.
var errNothing = tocsin.Errorf(tocsin.Invalid, "nothing found: there should be %s", `{"Event": {…}}, a list of attributes, or the like`)

// IsEmpty reports whether err says that a text is sound JSON but holds nothing
// of the sort that was asked for.
func IsEmpty(err error) bool { return err == errNothing }

// DecodeEvent reads one event in whichever wrapping it comes: {"Event": {…}},
// {"response": [{"Event": {…}}]}, a list of one, or bare.
//
// If each is not nil, it is called with every attribute that stands outside
// objects, and Attributes stays nil: an event of any size is read in constant
// memory. The attribute is good during the call; an error ends the reading. Fields
// of the event may come after its attributes, so it is whole only at the end.
func DecodeEvent(from io.Reader, each func(*Attribute) error) (*Event, error) {
	var one *Event
	r, some := newReader(from), false
	r.walk("Event", 0, func() {
		if one != nil {
			r.refuse("there is a second event where one is expected")
			return
		}
		one = new(Event)
		some = r.met(func() { r.event(one, each) })
	})
	if err := r.end(some); err != nil {
		return nil, err
	}
	return one, nil
}

// DecodeEvents hands over every event of a text, in order.
func DecodeEvents(from io.Reader, each func(*Event) error) error {
	r, some := newReader(from), false
	r.walk("Event", 0, func() {
		e := new(Event)
		r.kept = 0
		if r.met(func() { r.event(e, nil) }) && r.err == nil {
			some = true
			r.stop(each(e))
		}
	})
	return r.end(some)
}

// DecodeAttributes hands over every attribute of a text: bare, wrapped, a list
// of either, or an answer of attributes/restSearch. One that has a list of
// values is handed over once for each. It is good during the call.
func DecodeAttributes(from io.Reader, each func(*Attribute) error) error {
	r, some := newReader(from), false
	r.walk("Attribute", 0, func() {
		var a Attribute
		r.kept = 0
		some = r.met(func() { r.attribute(&a) }) || some
		r.handOn(&a, each)
	})
	return r.end(some)
}

// DecodeObject reads one object, bare or wrapped.
func DecodeObject(from io.Reader) (*Object, error) { return decode(from, "Object", (*reader).object) }

// DecodeTag reads one tag, bare or wrapped.
func DecodeTag(from io.Reader) (*Tag, error) {
	return decode(from, "Tag", func(r *reader, t *Tag) { defer r.record(&t.Problems)(); r.tag(t) })
}

// DecodeOrg reads one organisation, bare or wrapped.
func DecodeOrg(from io.Reader) (*Org, error) {
	return decode(from, "Organisation", func(r *reader, o *Org) { defer r.record(&o.Problems)(); r.org(o) })
}

// DecodeReference reads one object reference, bare or wrapped.
func DecodeReference(from io.Reader) (*Reference, error) {
	return decode(from, "ObjectReference", (*reader).reference)
}

// DecodeProposal reads one proposal, bare or wrapped.
func DecodeProposal(from io.Reader) (*Proposal, error) {
	return decode(from, "ShadowAttribute", func(r *reader, p *Proposal) { defer r.record(&p.Problems)(); r.proposal(p) })
}

// DecodeSightings hands over every sighting of a text: bare, wrapped, or a list of
// either. It is good during the call.
func DecodeSightings(from io.Reader, each func(*Sighting) error) error {
	r, some := newReader(from), false
	r.walk("Sighting", 0, func() {
		var s Sighting
		some = r.met(func() { r.sighting(&s) }) || some
		if r.err == nil {
			r.stop(each(&s))
		}
	})
	return r.end(some)
}

// DecodeRemark reads one analyst's remark of a kind, bare or wrapped.
func DecodeRemark(from io.Reader, k tocsin.Kind) (*Remark, error) {
	return decode(from, ObjectType(k), func(r *reader, m *Remark) { m.Kind = k; r.remarked(m) })
}

// DecodeClusters hands over every cluster of a text, bare, wrapped or in a list, each
// with the galaxy that it says it is of.
func DecodeClusters(from io.Reader, each func(*Cluster) error) error {
	r, some := newReader(from), false
	r.walk("GalaxyCluster", 0, func() {
		var c Cluster
		some = r.met(func() { r.cluster(&c) }) || some
		if r.err == nil {
			r.stop(each(&c))
		}
	})
	return r.end(some)
}

// DecodeSharingGroup reads one sharing group, bare or wrapped; its members may
// stand in it or, as MISP answers, beside it.
func DecodeSharingGroup(from io.Reader) (*SharingGroup, error) {
	g := new(SharingGroup)
	r := newReader(from)
	defer r.record(&g.Problems)()
	r.sharingGroup(g)
	if err := r.end(r.used > 0); err != nil {
		return nil, err
	}
	return g, nil
}

func decode[T any](from io.Reader, key string, read func(*reader, *T)) (*T, error) {
	var one *T
	r, some := newReader(from), false
	r.walk(key, 0, func() {
		if one != nil {
			r.refuse("there is a second %s where one is expected", key)
			return
		}
		one = new(T)
		some = r.met(func() { read(r, one) })
	})
	if err := r.end(some); err != nil {
		return nil, err
	}
	return one, nil
}

// end checks that nothing follows, and that something came.
func (r *reader) end(some bool) error {
	if r.err == nil {
		switch _, err := r.dec.ReadToken(); {
		case err == nil:
			r.refuse("something follows after the end")
		case err != io.EOF:
			r.fail(err)
		}
	}
	if r.err == nil && !some {
		return errNothing
	}
	return r.err
}

// stop ends the reading with an error that is not the text's.
func (r *reader) stop(err error) {
	if r.err == nil {
		r.err = err
	}
}

// maxWrapping is how deep records may be wrapped.
const maxWrapping = 8

// walk calls record for each record named key, through MISP's wrappings. The
// record is at hand to be opened.
func (r *reader) walk(key string, depth int, record func()) {
	if depth > maxWrapping {
		r.refuse("it is nested too deep")
		return
	}
	if r.kind() == '[' {
		for r.token(); r.kind() != ']' && r.err == nil; {
			r.walk(key, depth+1, record)
		}
		r.token()
		return
	}
	for wrapped := false; ; wrapped = true {
		if !wrapped {
			r.open()
		}
		if !r.member() {
			if !wrapped && depth > 0 && r.err == nil { // {} in a list keeps its place
				r.nameless = true
				record()
			}
			return
		}
		switch string(r.name) {
		case key:
			r.list(record)
		case "response", "request":
			r.walk(key, depth+1, record)
		default:
			if wrapped { // what else an answer says: errors, AttributeTag
				r.skip()
				continue
			}
			r.back()
			record()
			return
		}
	}
}

// met reports whether read met a member that it knows.
func (r *reader) met(read func()) bool {
	before := r.used
	read()
	return r.used > before
}
