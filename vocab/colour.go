package vocab

import (
	"fmt"
	"math"
)

// Colour returns the colour of a tag: its own, or the one that MISP shows for it. The
// tags of a taxonomy without colours are of one hue, which follows from its
// namespace, the first the darkest.
func (t *Taxonomy) Colour(tag *TaxonomyTag) string {
	if c := tag.Term().Colour; isColour(c) {
		return c
	}
	sum := 0
	for _, r := range t.Namespace {
		if r > 0x7f {
			r = '?' // as MISP reads what is no ASCII
		}
		sum += int(r)
	}
	return hsv(float64(sum%100)/100, (20+80/float64(t.Len())*float64(tag.Index+1))/100)
}

// isColour reports whether c is a colour as HTML writes it, and nothing else.
func isColour(c string) bool {
	if len(c) != 7 || c[0] != '#' {
		return false
	}
	for _, d := range c[1:] {
		if (d < '0' || d > '9') && (d < 'a' || d > 'f') && (d < 'A' || d > 'F') {
			return false
		}
	}
	return true
}

// hsv returns a wholly saturated colour.
func hsv(hue, value float64) string {
	channel := func(shift float64) int {
		k := math.Mod(shift+hue*6, 6)
		return int(math.Round(255 * (value - value*max(0, min(k, 4-k, 1)))))
	}
	return fmt.Sprintf("#%02x%02x%02x", channel(5), channel(3), channel(1))
}
