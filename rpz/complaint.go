package rpz

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// complaints keeps the log readable: a secondary with a wrong key asks again
// every few seconds for days, and a stranger may send a thousand bad questions a
// second in anybody's name.
type complaints struct {
	mu    sync.Mutex
	since time.Time
	said  map[complaint]bool
}

type complaint struct {
	from netip.Prefix
	what string
}

const (
	complainEvery = 10 * time.Minute
	maxComplaints = 100 // in that time
)

// due reports whether something is to be said now.
func (cs *complaints) due(c complaint, now time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.said == nil || now.Sub(cs.since) >= complainEvery {
		cs.since, cs.said = now, map[complaint]bool{}
	}
	if cs.said[c] || len(cs.said) >= maxComplaints {
		return false
	}
	cs.said[c] = true
	return true
}

// complain logs what an operator on either side should mend, the same of one
// neighbourhood at most every ten minutes.
func (s *Server) complain(who Peer, what, msg string, args ...any) {
	if s.complaints.due(complaint{neighbourhood(who.Addr), what}, s.now()) {
		s.log().Warn(msg, append([]any{"from", who.Addr}, args...)...)
	}
}

// fault says in words what a TSIG error means (RFC 8945, 5.2), which the other
// side's log only has as a number.
func (s *Server) fault(t *tsigRecord, err uint16) string {
	switch err {
	case badKey:
		var key Key
		ok := s.Keys != nil
		if ok {
			key, ok = s.Keys.Key(keyName(t.name))
		}
		if !ok {
			return "BADKEY: no subscriber has a key of that name"
		}
		return fmt.Sprintf("BADKEY: it is signed with %s, and the key is for %s", keyName(t.algorithm), key.Algorithm)
	case badSig:
		return "BADSIG: the secret is not the one that the key has here"
	case badTime:
		off := s.now().Unix() - int64(t.time)
		return fmt.Sprintf("BADTIME: its clock and ours are %s apart; at most %s is allowed", time.Duration(max(off, -off))*time.Second, time.Duration(t.fudge)*time.Second)
	case badTrunc:
		return "BADTRUNC: the signature is cut short"
	}
	return fmt.Sprint("TSIG error ", err)
}
