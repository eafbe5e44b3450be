package mispapi

import (
	"sync"
	"time"
)

// presence is when users last asked something. It is kept in memory: a line of the log
// for each request would bury what was changed. After a restart nobody has asked yet.
type presence struct {
	mu   sync.Mutex
	last map[int64]int64 // by user, seconds since 1970
}

func (p *presence) note(user int64, now time.Time) {
	if user == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[int64]int64{}
	}
	p.last[user] = now.Unix()
}

func (p *presence) of(user int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[user]
}
