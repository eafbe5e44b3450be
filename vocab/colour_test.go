package vocab

import (
	"fmt"
	"testing"
)

// A tag without a colour of its own has the one that MISP shows for it. The five
// were seen in a MISP 2.5, where the taxonomy has ten tags.
func TestColoursAreMISPs(t *testing.T) {
	tax := &Taxonomy{Namespace: "estimative-language"}
	for i := range 10 {
		tax.Predicates = append(tax.Predicates, Predicate{Term: Term{Value: fmt.Sprint("p", i)}})
	}
	tax.Predicates[9].Colour = "#C0FFEE"
	tax.Predicates[0].Colour = `red" onload="x`
	if err := tax.settle(); err != nil {
		t.Fatal(err)
	}
	want := map[int]string{0: "#000b47", 2: "#001270", 3: "#001585", 4: "#001899", 5: "#001cad", 6: "#001fc2", 9: "#C0FFEE"}
	for tag := range tax.Tags() {
		if c := tax.Colour(&tag); want[tag.Index] != "" && c != want[tag.Index] {
			t.Errorf("tag %d of 10 is %s, not %s", tag.Index, c, want[tag.Index])
		}
	}
}
