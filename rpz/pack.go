package rpz

import (
	"encoding/binary"
	"errors"
	"sync"
)

const (
	maxMessage = 65535 // what two octets of length can say (RFC 1035, 4.2.2)
	maxUDP     = 1232  // what passes nearly every network unfragmented
	minUDP     = 512   // for clients without EDNS
	lengthLen  = 2
	optLen     = 11
)

var errNoSpace = errors.New("the answer does not fit into one message")

// A reply packs the answer to one question. On a stream it is as many messages
// as it takes, each sent when it is full; otherwise it is one message, and what
// does not fit makes it overflow.
//
// All messages of a reply are packed in the same buffer, and all begin with
// the question, so that every owner name ends in a pointer to the zone's name
// there.
type reply struct {
	send   func(message []byte) error // is given the two octets of length as well
	stream bool

	buf    []byte // two octets of length, then the message
	limit  int    // of len(buf); what ends a message has room beyond it
	start  int    // where the records begin
	counts [4]uint16
	flags  uint16
	rcode  int
	edns   bool
	seal   *seal // nil: unsigned
	sent   int64
	err    error // the first; after it nothing is sent

	// Set by about.
	room   int // for the labels of an entry
	apex   int // where the zone's name is in the message
	terms  Terms
	target []byte // of every CNAME
	cname  []byte // an entry's record, from the pointer that ends its owner
}

var buffers = sync.Pool{New: func() any { return new([lengthLen + maxMessage]byte) }}

// newReply returns a reply to q that fits into size octets a message.
func newReply(q *question, size int, stream bool, send func([]byte) error) *reply {
	r := &reply{send: send, stream: stream, buf: buffers.Get().(*[lengthLen + maxMessage]byte)[:lengthLen]}
	r.limit = lengthLen + size
	r.flags = flagQR | q.flags&(opcodes|flagRD)
	r.buf = append(r.buf, q.msg[:2]...)
	r.buf = append(r.buf, make([]byte, headerLen-2)...)
	if q.end > headerLen {
		r.buf = append(r.buf, q.msg[headerLen:q.end]...)
		r.counts[0] = 1
	}
	r.start = len(r.buf)
	if q.edns != nil {
		r.edns = true
		r.limit -= optLen
	}
	return r
}

// free gives the buffer back.
func (r *reply) free() {
	buffers.Put((*[lengthLen + maxMessage]byte)(r.buf[:cap(r.buf)]))
	r.buf = nil
}

// sealWith has every message signed from here on.
func (r *reply) sealWith(s *seal) {
	r.seal = s
	r.limit -= s.size()
}

// about prepares for records of z, whose name begins at offset apex of the
// question's name.
func (r *reply) about(z Zone, q *question, apex int) {
	r.flags |= flagAA
	r.terms = z.Terms().withDefaults()
	r.room = maxName - (len(q.name) - apex)
	r.apex = headerLen + apex
	r.target, _ = appendName(nil, string(r.terms.Action))
	r.cname = r.record(r.apex, typeCNAME, r.target)
}

// record returns a record whose owner is the name at an offset of the message.
// Labels in front make it one of a name beneath.
func (r *reply) record(owner int, kind uint16, data []byte) []byte {
	return appendRecord(nil, owner, kind, r.terms.TTL, data)
}

func appendRecord(b []byte, owner int, kind uint16, ttl uint32, data []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, 0xc000|uint16(owner))
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, classIN)
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

func (r *reply) soa(section int, serial uint32) {
	r.put(section, nil, nil, r.record(r.apex, typeSOA, r.terms.soa(serial)))
}

// soa is the data of the SOA record.
func (t Terms) soa(serial uint32) []byte {
	data, _ := appendName(nil, t.Primary)
	data, _ = appendName(data, t.Contact)
	for _, v := range []uint32{serial, t.Refresh, t.Retry, t.Expire, t.Minimum} {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	return data
}

func (r *reply) ns() {
	data, _ := appendName(nil, "localhost.")
	r.put(answer, nil, nil, r.record(r.apex, typeNS, data))
}

var wild = []byte("\x01*")

// entry puts the records of one name that a zone holds.
func (r *reply) entry(name []byte, t Trigger) {
	if !legal(name, r.room) {
		return
	}
	if t&Exact != 0 {
		r.put(answer, nil, name, r.cname)
	}
	if t&Beneath != 0 && len(wild)+len(name) <= r.room {
		r.put(answer, wild, name, r.cname)
	}
}

// The sections of a message, in the order of their counts in its header.
const (
	answer     = 1
	authority  = 2
	additional = 3
)

// put appends a record, given as the three parts it is made of.
func (r *reply) put(section int, first, labels, rest []byte) {
	if r.err != nil {
		return
	}
	if len(r.buf)+len(first)+len(labels)+len(rest) > r.limit {
		if !r.stream {
			r.err = errNoSpace
			return
		}
		r.flush()
	}
	r.buf = append(r.buf, first...)
	r.buf = append(r.buf, labels...)
	r.buf = append(r.buf, rest...)
	r.counts[section]++
}

// retract takes back the records that have not been sent, and an overflow.
func (r *reply) retract() {
	r.buf = r.buf[:r.start]
	r.counts[answer], r.counts[authority] = 0, 0
	if r.err == errNoSpace {
		r.err = nil
	}
}

// flush sends the message and begins the next.
func (r *reply) flush() {
	if r.err != nil {
		return
	}
	if r.edns {
		r.counts[additional] = 1
		r.buf = append(r.buf, 0, 0, typeOPT, maxUDP>>8, maxUDP&0xff, byte(r.rcode>>4), 0, 0, 0, 0, 0)
	}
	msg := r.buf[lengthLen:]
	binary.BigEndian.PutUint16(msg[2:], r.flags|uint16(r.rcode&0xf))
	for i, n := range r.counts {
		binary.BigEndian.PutUint16(msg[4+2*i:], n)
	}
	if r.seal != nil {
		r.buf = r.seal.sign(r.buf, lengthLen)
	}
	binary.BigEndian.PutUint16(r.buf, uint16(len(r.buf)-lengthLen))
	if r.err = r.send(r.buf); r.err == nil {
		r.sent += int64(len(r.buf))
	}
	r.buf = r.buf[:r.start]
	r.counts = [4]uint16{r.counts[0]}
}
