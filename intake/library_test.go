package intake_test

import (
	"os"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/vocab"
)

func published(t *testing.T) *vocab.Published {
	t.Helper()
	p, err := vocab.ReadPublished(t.Context(), os.DirFS("../vocab/testdata/published"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Reference data is taken once; what is the same later changes nothing, and what an
// instance decided of it stays.
func TestLibraryTakes(t *testing.T) {
	w := newWorld(t)
	l, p := &intake.Library{DB: w.DB}, published(t)
	if _, err := l.Take(t.Context(), w.ours, p); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a publisher takes reference data: %v", err)
	}
	admin := access.System("test: a site administrator")
	got, err := l.Take(t.Context(), admin, p)
	if err != nil || got.New != 9 || got.Newer+got.Same != 0 {
		t.Fatalf("taken: %+v %v", got, err)
	}
	before := got.Seq
	if got, err = l.Take(t.Context(), admin, p); err != nil || got.Same != 9 || got.New+got.Newer != 0 || w.DB.Head() != before {
		t.Errorf("taken again: %+v %v", got, err)
	}

	lib := w.DB.As(w.theirs).Library()
	v, c, err := lib.ClusterTagged(t.Context(), `misp-galaxy:ship="blue heron"`)
	if err != nil || v.Number != 2 || c.ID != 2_000_001 {
		t.Fatalf("a cluster by its tag: %v %v %v", v, c, err)
	}
	if _, byID, err := lib.Cluster(t.Context(), c.ID); err != nil || byID.Value != c.Value {
		t.Errorf("by its id: %v %v", byID, err)
	}
	if _, byUUID, err := lib.ClusterByUUID(t.Context(), c.UUID); err != nil || byUUID.ID != c.ID {
		t.Errorf("by its uuid: %v %v", byUUID, err)
	}
	if v, tag, err := lib.TaxonomyTag(t.Context(), `weather:storm`); err != nil || v.Name != "weather" || tag.Term().Colour != "#102030" {
		t.Errorf("a taxonomy's tag: %v %v", tag, err)
	}
	tpl, err := lib.Named(tocsin.ObjectTemplates, "Parcel")
	if err != nil || tpl.Number != 1 || !tpl.Enabled {
		t.Fatalf("a template: %v %v", tpl, err)
	}
	if is, err := lib.Template(t.Context(), tpl); err != nil || len(is.Elements) != 4 {
		t.Errorf("what is in it: %v %v", is, err)
	}

	nobody := w.DB.As(access.Viewer{}).Library()
	for v := range nobody.All(tocsin.Taxonomies) {
		t.Errorf("nobody sees %s", v.Name)
	}
	if _, err := nobody.Template(t.Context(), tpl); tocsin.CodeOf(err) != tocsin.NotFound {
		t.Errorf("nobody reads a template: %v", err)
	}
	if _, _, err := nobody.ClusterTagged(t.Context(), c.Tag()); tocsin.CodeOf(err) != tocsin.NotFound {
		t.Errorf("nobody reads a cluster: %v", err)
	}
}
