package codec

// pairWindow is how many names may stand between a name and its wildcard. Zones
// are written pair by pair, or sorted, with all wildcards of a small one first.
const pairWindow = 1 << 16

// Pairs hold back what was read of a zone until name and wildcard have met, or are
// too far apart to meet. They come out in the order of their lines.
type pairs struct {
	queue []pair
	head  int            // the first that waits
	gone  int            // how many have left
	at    map[string]int // where a name waits, counted from the first ever
}

type pair struct {
	line    line
	typ     string // "": it depends on what is seen of a name
	text    string
	comment string
	why     string // the line is lost
	host    bool   // the name itself was seen
	wild    bool   // what is beneath it was seen
}

// address queues what waits for nothing.
func (p *pairs) address(l line, text, comment string) {
	p.queue = append(p.queue, pair{line: l, typ: "ip-dst", text: text, comment: comment})
}

// lose queues a line that is lost.
func (p *pairs) lose(l line, why string) {
	l.text = beginning([]byte(l.text)) // it may be long
	p.queue = append(p.queue, pair{line: l, typ: "lost", why: why})
}

// name queues a name, or what is beneath it, unless it is there.
func (p *pairs) name(l line, name string, beneath bool, comment string) {
	at, ok := p.gone+len(p.queue)-p.head-1, false
	if n := len(p.queue); n > p.head && p.queue[n-1].text == name && p.queue[n-1].typ == "" {
		ok = true // most stand next to each other
	} else {
		at, ok = p.at[name]
	}
	if ok {
		q := &p.queue[p.head+at-p.gone]
		q.host, q.wild = q.host || !beneath, q.wild || beneath
		if q.comment == "" {
			q.comment = comment
		}
		return
	}
	p.at[name] = p.gone + len(p.queue) - p.head
	p.queue = append(p.queue, pair{line: l, text: name, comment: comment, host: !beneath, wild: beneath})
}

// flush yields what waits, but for the last keep.
func (p *pairs) flush(s *sink, keep int) {
	for len(p.queue)-p.head > keep && !s.stopped {
		p.yield(s, &p.queue[p.head])
		p.queue[p.head] = pair{}
		p.head++
		p.gone++
	}
	if p.head > pairWindow { // as many are gone as wait: move those up
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
}

func (p *pairs) yield(s *sink, q *pair) {
	s.line = q.line
	d := Draft{Type: q.typ, Text: q.text, Comment: q.comment}
	if q.typ == "" {
		delete(p.at, q.text)
		switch {
		case !q.host:
			q.why = whyBeneath
		case q.wild:
			d.Type = "domain"
		default:
			d.Type = "hostname"
		}
	}
	if q.why != "" {
		s.lose(q.why)
		return
	}
	s.draft(d)
}
