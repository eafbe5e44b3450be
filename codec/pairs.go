package codec

import "strings"

// pairWindow is how many names may stand between a name and its wildcard. Zones
// are written pair by pair, or sorted, with all wildcards of a small one first.
const pairWindow = 1 << 16

// Pairs hold back what was read of a zone until name and wildcard have met, or are
// too far apart to meet. They come out in the order of their lines.
type pairs struct {
	queue []pair
	gone  int            // how many left the queue
	at    map[string]int // where in the queue, counted from the first ever, a name waits
}

type pair struct {
	draft Draft
	text  string // of the line
	why   string // the line is lost
	host  bool   // the name itself was seen
	wild  bool   // what is beneath it was seen
	named bool   // it waits for a name
}

// add queues a draft that waits for nothing.
func (p *pairs) add(d Draft) { p.queue = append(p.queue, pair{draft: d}) }

// lose queues a line that is lost.
func (p *pairs) lose(l line, why string) {
	p.queue = append(p.queue, pair{draft: Draft{Line: l.number}, text: beginning([]byte(l.text)), why: why})
}

// name queues a name, or what is beneath it, unless it is there.
func (p *pairs) name(l line, name string, beneath bool, comment string) {
	if at, ok := p.at[name]; ok {
		q := &p.queue[at-p.gone]
		q.host, q.wild = q.host || !beneath, q.wild || beneath
		if q.draft.Comment == "" {
			q.draft.Comment = strings.Clone(comment)
		}
		return
	}
	p.at[name] = p.gone + len(p.queue)
	p.queue = append(p.queue, pair{draft: Draft{Line: l.number, Text: name, Comment: comment}, text: l.text, host: !beneath, wild: beneath, named: true})
}

// flush yields what waits, but for the last keep.
func (p *pairs) flush(s *sink, keep int) {
	n := 0
	for len(p.queue)-n > keep && !s.stopped {
		p.yield(s, &p.queue[n])
		n++
	}
	if n == 0 {
		return
	}
	p.gone += n
	clear(p.queue[:n])
	p.queue = p.queue[n:]
}

func (p *pairs) yield(s *sink, q *pair) {
	d, why := q.draft, q.why
	if q.named {
		delete(p.at, d.Text)
		switch {
		case !q.host:
			why = whyBeneath
		case q.wild:
			d.Type = "domain"
		default:
			d.Type = "hostname"
		}
	}
	if why != "" {
		s.stopped = !s.yield(Draft{Line: d.Line}, &LineError{d.Line, beginning([]byte(q.text)), why})
		return
	}
	s.stopped = !s.yield(d, nil)
}
