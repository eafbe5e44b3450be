package vocab

import (
	"os"
	"path/filepath"
	"testing"

	"tocsin"
)

// What comes with the program can be read, and each of its templates makes sense.
func TestBuiltInVocabulary(t *testing.T) {
	taxonomies, templates := map[string]int{}, 0
	for _, i := range BuiltInVocabulary() {
		switch i.Record.Sort {
		case tocsin.Taxonomies:
			taxonomies[i.Record.Name] = i.Record.Parts
		case tocsin.ObjectTemplates:
			templates++
		}
		if !i.Record.Own || i.Record.Description == "" {
			t.Errorf("%s: %+v", i.Record.Name, i.Record)
		}
	}
	for name, tags := range map[string]int{"tlp": 6, "PAP": 5, "admiralty-scale": 13, "europol-4x4": 8, "europol-handling": 4} {
		if taxonomies[name] != tags {
			t.Errorf("%s has %d tags, not %d", name, taxonomies[name], tags)
		}
	}
	if templates != 40 {
		t.Errorf("%d templates", templates)
	}
}

// TestBuiltInIsMISPs compares what objects and tags carry with what MISP publishes.
func TestBuiltInIsMISPs(t *testing.T) {
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	folder := filepath.Join(root, "data", "reference")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("../shared/data/reference is absent")
	}
	p, err := At(folder)(t.Context(), tocsin.Taxonomies, tocsin.ObjectTemplates)
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]*Item{}
	for _, i := range p.Items {
		theirs[i.Record.RecordName()] = i
	}
	for _, i := range BuiltInVocabulary() {
		is := theirs[i.Record.RecordName()]
		if is == nil {
			if i.Record.Name != "europol-4x4" && i.Record.Name != "europol-handling" {
				t.Errorf("%s is not MISP's", i.Record.Name)
			}
			continue
		}
		if is.Record.UUID != i.Record.UUID || is.Record.Version < i.Record.Version || is.Record.Exclusive != i.Record.Exclusive {
			t.Errorf("%s: %+v, not %+v", i.Record.Name, i.Record, is.Record)
		}
		if i.Record.Sort == tocsin.ObjectTemplates && is.Record.Version == i.Record.Version {
			sameTemplate(t, i, is)
		}
	}
}

func sameTemplate(t *testing.T, ours, theirs *Item) {
	t.Helper()
	var a, b ObjectTemplate
	if err := Open(ours.Body, &a); err != nil {
		t.Fatal(err)
	}
	if err := Open(theirs.Body, &b); err != nil {
		t.Fatal(err)
	}
	if len(a.Required) != len(b.Required) || len(a.RequiredOneOf) != len(b.RequiredOneOf) || len(a.Elements) != len(b.Elements) || a.MetaCategory != b.MetaCategory {
		t.Errorf("%s differs from MISP's", a.Name)
	}
	for _, e := range b.Elements {
		is := a.Element(e.Relation)
		if is == nil || is.Type != e.Type || is.Multiple != e.Multiple || is.Priority != e.Priority || (is.DisableCorrelation == nil) != (e.DisableCorrelation == nil) || len(is.Categories) != len(e.Categories) {
			t.Errorf("%s of %s: %+v, not %+v", e.Relation, a.Name, is, e)
		}
	}
}
