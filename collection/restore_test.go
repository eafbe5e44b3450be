package collection

import (
	"testing"

	"tocsin"
	"tocsin/access"
)

// After the exchange was put back from a backup its zones go on above any serial
// that was ever served, and nobody is led there step by step: what a subscriber
// holds may never have been written in this life.
func TestZonesOfARestoredExchange(t *testing.T) {
	st := newStage(t, true)
	st.claim("domain", "evil.example", st.label(access.Inherit, 0))
	before := st.zone(hotZone, 1)
	const gap = 1 << 28
	n := st.head() + gap
	line := []tocsin.Change{tocsin.NewChange(tocsin.Line{Seq: n, Kind: tocsin.KindExchange}, st.labels)}
	if err := st.s.Follow(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	for _, origin := range []string{baseZone, hotZone} {
		z := st.zone(origin, 1)
		if z.Serial() != serial(n) {
			t.Errorf("%s has serial %d, want %d", origin, z.Serial(), n)
		}
		for _, held := range []uint32{before.Serial(), before.Serial() + 5, serial(n) - 1} {
			if steps, ok := z.Since(held); ok {
				t.Errorf("%s knows a way from %d: %v", origin, held, steps)
			}
		}
	}
	if got := st.zone(hotZone, 1).Len(); got != 1 {
		t.Errorf("%d names in the hot zone, want 1", got)
	}
	// Any other gap is a line that was lost on the way.
	lost := []tocsin.Change{tocsin.NewChange(tocsin.Line{Seq: n + 2, Kind: tocsin.KindTag, ID: 9, After: &tocsin.Tag{ID: 9, Name: "x"}}, st.labels)}
	if err := st.s.Follow(t.Context(), lost); err == nil {
		t.Error("a gap went unnoticed")
	}
}
