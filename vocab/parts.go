package vocab

import (
	"slices"
	"strings"
)

// parts finds which of many texts is part of another, by Rabin and Karp's idea:
// every window of the shortest text's length is looked up, and what begins with
// it is compared. Most windows begin nothing, which a bitmap tells.
type parts struct {
	list   int
	window int
	may    [1 << 9]uint64      // windows that may begin a text, by hash
	starts map[uint64][]string // first octets → texts, the longest first
	texts  []string
}

func newParts(list int) *parts { return &parts{list: list} }

func (p *parts) add(text string) { p.texts = append(p.texts, text) }

// settle makes the index; it is called once, after the last add.
func (p *parts) settle() {
	p.window = 8
	for _, t := range p.texts {
		p.window = min(p.window, len(t))
	}
	p.starts = make(map[uint64][]string, len(p.texts))
	for _, t := range p.texts {
		w := p.at(t)
		p.starts[w] = append(p.starts[w], t)
		h := bucket(w)
		p.may[h/64] |= 1 << (h % 64)
	}
	for _, ts := range p.starts {
		slices.SortFunc(ts, func(a, b string) int { return len(b) - len(a) })
	}
	p.texts = nil
}

// at returns the first octets of s as a number.
func (p *parts) at(s string) (w uint64) {
	for i := range p.window {
		w = w<<8 | uint64(s[i])
	}
	return w
}

// bucket spreads windows over the bitmap (Knuth's multiplicative hashing).
func bucket(w uint64) uint64 { return w * 0x9e3779b97f4a7c15 >> (64 - 15) }

// find returns a text that is part of s, "" for none.
func (p *parts) find(s string) string {
	s = strings.ToLower(s)
	for i := 0; i+p.window <= len(s); i++ {
		w := p.at(s[i:])
		if h := bucket(w); p.may[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, t := range p.starts[w] {
			if strings.HasPrefix(s[i:], t) {
				return t
			}
		}
	}
	return ""
}
