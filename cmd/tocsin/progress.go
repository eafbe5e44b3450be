package main

import (
	"fmt"
	"strings"
	"time"
)

// A bar shows on a terminal how far something has come that takes longer than
// a second. Elsewhere it shows nothing.
type bar struct {
	c     *console
	what  string
	total int64 // 0: nobody knows
	start time.Time
	shown time.Time
	now   func() time.Time
}

const (
	barAfter = time.Second
	barEvery = 100 * time.Millisecond
	barWidth = 24
)

func (c *console) bar(what string, total int64) *bar {
	return &bar{c: c, what: what, total: total, start: time.Now(), now: time.Now}
}

// at shows that n of the total are done; note is what else there is to tell.
func (b *bar) at(n int64, note string) {
	now := b.now()
	if !b.c.live || now.Sub(b.start) < barAfter || now.Sub(b.shown) < barEvery {
		return
	}
	b.shown = now
	fmt.Fprint(b.c.err, "\r\x1b[K", b.line(n, now.Sub(b.start), note))
}

func (b *bar) line(n int64, since time.Duration, note string) string {
	var s strings.Builder
	s.WriteString(b.what)
	if b.total > 0 {
		done := min(1, float64(n)/float64(b.total))
		full := int(done * barWidth)
		fmt.Fprintf(&s, " %s%s %3.0f%%", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), 100*done)
		if left := time.Duration(float64(since) * (1 - done) / max(done, 0.001)); done >= 0.02 {
			fmt.Fprintf(&s, ", %s left", left.Round(time.Second))
		}
	}
	if note != "" {
		s.WriteString(", " + note)
	}
	return s.String()
}

// done takes the bar away.
func (b *bar) done() {
	if !b.shown.IsZero() {
		fmt.Fprint(b.c.err, "\r\x1b[K")
	}
}
