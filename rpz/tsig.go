package rpz

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"strings"
	"time"
)

// A Key is a secret shared with a subscriber, who signs questions with it and
// expects signed answers (TSIG, RFC 8945).
type Key struct {
	Name      string // in lower case, without the final dot
	Algorithm string // "hmac-sha256", "hmac-sha384" or "hmac-sha512"
	Secret    []byte
}

// Keys finds a key by its name.
type Keys interface {
	Key(name string) (Key, bool)
}

// hash is nil for an algorithm that we don't speak. MD5 and SHA-1 are left
// out on purpose (RFC 8945, 6).
func (k Key) hash() func() hash.Hash {
	switch strings.TrimSuffix(strings.ToLower(k.Algorithm), ".") {
	case "hmac-sha256":
		return sha256.New
	case "hmac-sha384":
		return sha512.New384
	case "hmac-sha512":
		return sha512.New
	}
	return nil
}

// Errors of a TSIG record (RFC 8945, 3).
const (
	badSig   = 16
	badKey   = 17
	badTime  = 18
	badTrunc = 22
)

// fudge is how many seconds a clock may be off.
const fudge = 300

// A tsigRecord is the last record of a signed message.
type tsigRecord struct {
	start     int    // where the record begins in its message
	name      []byte // of the key
	algorithm []byte
	time      uint64 // 48 bits
	fudge     uint16
	mac       []byte
	id        uint16 // that the message had when it was signed
	err       uint16
	other     []byte
}

// readTSIG reads the record of the key name that begins at start, whose data
// begins at off and ends with msg.
func readTSIG(msg []byte, start int, name []byte, off int) (*tsigRecord, bool) {
	t := &tsigRecord{start: start, name: name}
	var ok bool
	if t.algorithm, off, ok = readName(msg, off); !ok || len(msg)-off < 10 {
		return nil, false
	}
	t.time = uint64(binary.BigEndian.Uint16(msg[off:]))<<32 | uint64(binary.BigEndian.Uint32(msg[off+2:]))
	t.fudge = binary.BigEndian.Uint16(msg[off+6:])
	size := int(binary.BigEndian.Uint16(msg[off+8:]))
	off += 10
	if len(msg)-off < size+6 {
		return nil, false
	}
	t.mac, off = msg[off:off+size], off+size
	t.id = binary.BigEndian.Uint16(msg[off:])
	t.err = binary.BigEndian.Uint16(msg[off+2:])
	if int(binary.BigEndian.Uint16(msg[off+4:])) != len(msg)-off-6 {
		return nil, false
	}
	t.other = msg[off+6:]
	return t, true
}

// keyName is how people write the name of a key.
func keyName(wire []byte) string { return strings.TrimSuffix(nameText(wire), ".") }

// A seal signs the messages of one side of an exchange, each over the one
// before (RFC 8945, 5.3.1).
type seal struct {
	name, algorithm []byte
	mac             hash.Hash // nil: there is no key to sign with
	prior           []byte    // the MAC that the next one covers
	later           bool      // not the first: the variables are timers only
	now             func() time.Time

	// For the answer to a question that was not accepted (5.2, 5.3.2).
	err   uint16
	asked uint64 // the time of the question, which such an answer repeats
}

// newSeal returns a seal for messages that begin an exchange.
func newSeal(k Key, now func() time.Time) (*seal, bool) {
	h := k.hash()
	name, ok := appendName(nil, k.Name)
	algorithm, _ := appendName(nil, k.Algorithm)
	if h == nil || !ok || len(k.Secret) == 0 {
		return nil, false
	}
	return &seal{name: name, algorithm: algorithm, mac: hmac.New(h, k.Secret), now: now}, true
}

// check verifies a question that carries a TSIG record. It returns the seal
// for the answer, and the error that the answer must carry, or 0.
func check(msg []byte, t *tsigRecord, keys Keys, now func() time.Time) (*seal, uint16) {
	unsigned := &seal{name: t.name, algorithm: t.algorithm, err: badKey, asked: t.time, now: now}
	if keys == nil {
		return unsigned, badKey
	}
	key, ok := keys.Key(keyName(t.name))
	if !ok {
		return unsigned, badKey
	}
	s, ok := newSeal(key, now)
	if !ok || string(s.algorithm) != string(t.algorithm) || string(s.name) != string(t.name) {
		return unsigned, badKey
	}
	err := s.verify(msg, t)
	switch err {
	case 0:
	case badTime:
		s.err, s.asked = err, t.time
	default:
		s, unsigned.err = unsigned, err
	}
	return s, err
}

// verify checks the signature of the other side's message, which s's next one
// will cover. The time is looked at last: a wrong one is told to those only
// who hold the key.
func (s *seal) verify(msg []byte, t *tsigRecord) uint16 {
	if len(t.mac) < s.mac.Size() {
		return badTrunc // allowed to be refused by 5.2.2.1; nobody cuts them unasked
	}
	var head [headerLen]byte
	copy(head[:], msg)
	binary.BigEndian.PutUint16(head[:], t.id)
	binary.BigEndian.PutUint16(head[10:], binary.BigEndian.Uint16(head[10:])-1)
	mac := s.digest(head[:], msg[headerLen:t.start], t.time, t.fudge, t.err, t.other)
	if !hmac.Equal(mac, t.mac) {
		return badSig
	}
	s.prior = mac
	if off := s.now().Unix() - int64(t.time); max(off, -off) > int64(t.fudge) {
		return badTime
	}
	return 0
}

// covers reports whether a is a signed answer to the question that s signed.
func (s *seal) covers(a *question) bool {
	if a.tsig == nil || !bytes.Equal(a.tsig.name, s.name) || !bytes.Equal(a.tsig.algorithm, s.algorithm) {
		return false
	}
	one := *s
	one.later = false // it is the first of its side
	return one.verify(a.msg, a.tsig) == 0
}

// digest is the MAC over the one before, the message in two parts, and the
// variables (RFC 8945, 4.3).
func (s *seal) digest(head, body []byte, at uint64, fudge, err uint16, other []byte) []byte {
	s.mac.Reset()
	var b []byte
	if s.prior != nil {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s.prior)))
		b = append(b, s.prior...)
		s.mac.Write(b)
	}
	s.mac.Write(head)
	s.mac.Write(body)
	b = b[:0]
	if !s.later {
		b = append(b, s.name...)
		b = append(b, 0, classANY, 0, 0, 0, 0)
		b = append(b, s.algorithm...)
	}
	b = appendTime(b, at)
	b = binary.BigEndian.AppendUint16(b, fudge)
	if !s.later {
		b = binary.BigEndian.AppendUint16(b, err)
		b = binary.BigEndian.AppendUint16(b, uint16(len(other)))
		b = append(b, other...)
	}
	s.mac.Write(b)
	return s.mac.Sum(nil)
}

func appendTime(b []byte, t uint64) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(t>>32))
	return binary.BigEndian.AppendUint32(b, uint32(t))
}

// size is the most that sign appends.
func (s *seal) size() int {
	n := len(s.name) + 10 + len(s.algorithm) + 16 + 6
	if s.mac != nil {
		n += s.mac.Size()
	}
	return n
}

// sign appends a TSIG record to the message that begins at offset start of b.
func (s *seal) sign(b []byte, start int) []byte {
	msg := b[start:]
	at := uint64(s.now().Unix())
	var other []byte
	if s.err != 0 {
		if s.err == badTime {
			other = appendTime(nil, at)
		}
		at = s.asked
	}
	var mac []byte
	if s.err == 0 || s.err == badTime {
		mac = s.digest(msg[:headerLen], msg[headerLen:], at, fudge, s.err, other)
		s.prior, s.later = mac, true
	}
	id := [2]byte(msg[:2])
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)

	b = append(b, s.name...)
	b = append(b, 0, typeTSIG, 0, classANY, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.algorithm)+16+len(mac)+len(other)))
	b = append(b, s.algorithm...)
	b = appendTime(b, at)
	b = binary.BigEndian.AppendUint16(b, fudge)
	b = binary.BigEndian.AppendUint16(b, uint16(len(mac)))
	b = append(b, mac...)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint16(b, s.err)
	b = binary.BigEndian.AppendUint16(b, uint16(len(other)))
	return append(b, other...)
}
