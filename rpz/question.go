package rpz

import (
	"bytes"
	"encoding/binary"
)

// The numbers of DNS that this package uses.
const (
	typeNS    = 2
	typeCNAME = 5
	typeSOA   = 6
	typeOPT   = 41
	typeTSIG  = 250
	typeIXFR  = 251
	typeAXFR  = 252
	typeANY   = 255

	classIN  = 1
	classANY = 255

	opQuery  = 0
	opNotify = 4

	rcodeSuccess  = 0
	rcodeFormat   = 1
	rcodeNXDomain = 3
	rcodeNotImpl  = 4
	rcodeRefused  = 5
	rcodeNotAuth  = 9
	rcodeBadVers  = 16

	flagQR = 1 << 15
	flagAA = 1 << 10
	flagTC = 1 << 9
	flagRD = 1 << 8

	headerLen = 12
	opcodes   = 0xf << 11
)

// A question is a message as far as a primary cares: what a client asked, or
// how it answered a NOTIFY.
type question struct {
	msg     []byte // as it came
	flags   uint16
	end     int    // where the question section of msg ends
	name    []byte // in lower case, with the root
	kind    uint16
	class   uint16
	serial  uint32 // of the SOA record that an IXFR question carries
	serials int    // how many SOA records it carries; one is right
	edns    *edns
	tsig    *tsigRecord
}

// edns is the OPT record of a question (RFC 6891).
type edns struct {
	size    int // of the UDP answer that the client can take
	version byte
}

func (q *question) opcode() int { return int(q.flags&opcodes) >> 11 }

// parse reads a message. False means that it is malformed; what was read up
// to there is still returned, or nil where there is not even a header.
func parse(msg []byte) (*question, bool) {
	if len(msg) < headerLen {
		return nil, false
	}
	q := &question{msg: msg, flags: binary.BigEndian.Uint16(msg[2:]), end: headerLen}
	return q, q.read()
}

func (q *question) read() bool {
	count := func(i int) int { return int(binary.BigEndian.Uint16(q.msg[i:])) }
	if count(4) != 1 {
		return false
	}
	name, off, ok := readName(q.msg, headerLen)
	if !ok || off+4 > len(q.msg) || off != headerLen+len(name) {
		return false
	}
	q.name = name
	q.kind = binary.BigEndian.Uint16(q.msg[off:])
	q.class = binary.BigEndian.Uint16(q.msg[off+2:])
	off += 4
	q.end = off
	others := count(6) + count(8)
	for i := range others + count(10) {
		if q.tsig != nil {
			return false // RFC 8945, 5.1: it must be the last record
		}
		if off, ok = q.record(off, i < others); !ok {
			return false
		}
	}
	return off == len(q.msg)
}

// record reads the record at off: the SOA of an IXFR question, OPT or TSIG.
// Others are skipped.
func (q *question) record(off int, before bool) (next int, ok bool) {
	name, at, ok := readName(q.msg, off)
	if !ok || at+10 > len(q.msg) {
		return 0, false
	}
	kind, class := binary.BigEndian.Uint16(q.msg[at:]), binary.BigEndian.Uint16(q.msg[at+2:])
	data := at + 10
	next = data + int(binary.BigEndian.Uint16(q.msg[at+8:]))
	if next > len(q.msg) {
		return 0, false
	}
	switch {
	case kind == typeOPT:
		if before || q.edns != nil || len(name) != 1 {
			return 0, false
		}
		q.edns = &edns{size: int(class), version: q.msg[at+5]}
	case kind == typeTSIG:
		if before || class != classANY {
			return 0, false
		}
		q.tsig, ok = readTSIG(q.msg[:next], off, name, data)
	case kind == typeSOA && before && bytes.Equal(name, q.name):
		q.serials++
		q.serial, ok = readSerial(q.msg[:next], data)
	}
	return next, ok
}

// readSerial reads the serial of the SOA data that begins at off and ends with
// the message.
func readSerial(msg []byte, off int) (uint32, bool) {
	for range 2 {
		var ok bool
		if _, off, ok = readName(msg, off); !ok {
			return 0, false
		}
	}
	if len(msg)-off != 20 {
		return 0, false
	}
	return binary.BigEndian.Uint32(msg[off:]), true
}
