package vocab

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"tocsin"
)

func readTexts(t *testing.T, files map[string]string) (*Published, error) {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return ReadPublished(t.Context(), folder)
}

// What is published comes back as it was: the words, their order, and where
// everything is found.
func TestReadPublished(t *testing.T) {
	p, err := ReadPublished(t.Context(), os.DirFS("testdata/published"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Refused) > 0 {
		t.Errorf("refused: %v", p.Refused)
	}
	var got []string
	for _, i := range p.Items {
		r := i.Record
		got = append(got, fmt.Sprintf("%s %s v%d, %d parts", r.Sort, r.Name, r.Version, r.Parts))
	}
	want := `taxonomy plain v1, 2 parts
taxonomy weather v3, 3 parts
galaxy empty v1, 0 parts
galaxy ship v2, 3 parts
object-template parcel v2, 4 parts
relations relationships v1, 2 parts
noticelist sample v1, 1 parts
decaying-model Sample model v1, 0 parts`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("read:\n%s", s)
	}
	if len(p.Lists) != 1 || p.Lists[0].List.Name != "example-names" || len(p.Lists[0].List.Entries) != 2 {
		t.Errorf("lists: %+v", p.Lists)
	}

	var tax Taxonomy
	if err := Open(p.Items[1].Body, &tax); err != nil {
		t.Fatal(err)
	}
	got = nil
	for tag := range tax.Tags() {
		got = append(got, fmt.Sprintf("%s (%s)", tag.Name, tag.Expanded()))
	}
	if s := strings.Join(got, "; "); s != `weather:sky="clear" (Sky: Clear); weather:sky="overcast" (Sky: Overcast); weather:storm (A storm)` {
		t.Errorf("tags: %s", s)
	}
	if tag, ok := tax.Tag(`Weather:SKY="overcast"`); !ok || tag.Term().Numerical == nil || *tag.Term().Numerical != 80 {
		t.Errorf("a tag without regard to case: %+v %v", tag, ok)
	}

	g, err := OpenGalaxy(p.Items[3].Body, 7)
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.At(g.Named("amber gull"))
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != 7_000_000 || c.Tag() != `misp-galaxy:ship="Amber Gull"` || c.Version != 5 || c.Source != "made up" || len(c.Authors) != 2 ||
		fmt.Sprint(c.Elements) != `[{synonyms Gull} {synonyms The "Old" Gull} {country LU} {refs https://example.org/gull}]` ||
		len(c.Relations) != 1 || c.Relations[0].Type != "similar" || c.Relations[0].Tags[0] != `weather:sky="clear"` {
		t.Errorf("a cluster: %+v", c)
	}
	if c, err = g.At(1); err != nil || fmt.Sprint(c.Elements) != `[{tonnage 1200} {nested kept}]` {
		t.Errorf("a number, and a list in a list: %+v %v", c.Elements, err)
	}
	if g.Named("absent") != -1 || g.ByID(7_000_002) != 2 || g.ByUUID(c.UUID) != 1 {
		t.Error("clusters are not found where they are")
	}

	var tpl ObjectTemplate
	if err := Open(p.Items[4].Body, &tpl); err != nil {
		t.Fatal(err)
	}
	if e := tpl.Elements; e[0].Relation != "to" || !e[0].Multiple || e[0].DisableCorrelation != nil || !*e[2].DisableCorrelation || *e[3].DisableCorrelation || len(e[3].Values) != 2 {
		t.Errorf("elements: %+v", e)
	}
	has := func(rs ...string) func(string) bool {
		return func(r string) bool { return strings.Contains(strings.Join(rs, " "), r) }
	}
	if r, _ := tpl.Missing(has("to")); r != "number" {
		t.Errorf("missing %q", r)
	}
	if r, one := tpl.Missing(has("number")); r != "" || len(one) != 2 {
		t.Errorf("missing %q, one of %v", r, one)
	}
}

const galaxyOfOne = `{"name": "G", "type": "g", "icon": "x", "version": 1, "description": "d", "uuid": "0b000000-0000-4000-8000-000000000009"}`

func clustersOf(version int, names ...string) string {
	var vs []string
	for _, n := range names {
		vs = append(vs, fmt.Sprintf(`{"value": %q, "uuid": "0c000000-0000-4000-8000-%012x"}`, n, n))
	}
	return fmt.Sprintf(`{"type": "g", "uuid": "0b000000-0000-4000-8000-000000000009", "name": "G", "version": %d, "values": [%s]}`, version, strings.Join(vs, ","))
}

// A cluster keeps its id when its galaxy is read anew, and an id that was somebody's
// is nobody else's.
func TestClustersKeepTheirIDs(t *testing.T) {
	of := func(version int, names ...string) *Item {
		p, err := readTexts(t, map[string]string{"g.json": galaxyOfOne, "c.json": clustersOf(version, names...)})
		if err != nil {
			t.Fatal(err)
		}
		return p.Items[0]
	}
	first := of(1, "a", "b", "c")
	second := of(2, "d", "c", "a")
	if err := second.KeepIDs(first.Body); err != nil {
		t.Fatal(err)
	}
	third := of(3, "e", "b", "a")
	if err := third.KeepIDs(second.Body); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		item *Item
		ids  string
	}{{first, "a0 b1 c2"}, {second, "d3 c2 a0"}, {third, "e4 b5 a0"}} {
		g, err := OpenGalaxy(want.item.Body, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for c, err := range g.Clusters() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(c.Value, c.ID))
		}
		if s := strings.Join(got, " "); s != want.ids {
			t.Errorf("%s, not %s", s, want.ids)
		}
	}
}

// tarOf packs headers whose content is their own name.
func tarOf(t *testing.T, headers ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(galaxyOfOne))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			w.Write([]byte(galaxyOfOne))
		}
	}
	w.Close()
	z.Close()
	return b.String()
}

// What makes no sense is refused with a sentence, and is taken in no part.
func TestPublishedIsRefused(t *testing.T) {
	const good = `{"namespace": "good", "description": "d", "version": 1, "predicates": [{"value": "x"}]}`
	template := `{"name": "t", "uuid": "0d000000-0000-4000-8000-000000000002", "meta-category": "misc", "version": 1, %s}`
	for _, c := range []struct{ name, text, want string }{
		{"page.json", "<!DOCTYPE html><html>", "web page"},
		{"empty.json", " \n", "is empty"},
		{"cut.json", `{"namespace": "x", "predicates": [`, "damaged JSON"},
		{"latin.json", "{\"namespace\": \"\xe9\"}", "UTF-8"},
		{"twice.json", `{"namespace": "x", "predicates": [{"value": "a"}, {"value": "a"}]}`, `the predicate "a" twice`},
		{"stray.json", `{"namespace": "x", "predicates": [{"value": "a"}], "values": [{"predicate": "b", "entry": []}]}`, "none of its predicates"},
		{"same.json", `{"namespace": "x", "predicates": [{"value": "a"}], "values": [{"predicate": "a", "entry": [{"value": "v"}, {"value": "v"}]}]}`, `the value "v" of "a" twice`},
		{"bare.json", `{"namespace": "x", "predicates": []}`, "no predicates"},
		{"quoted.json", `{"namespace": "x:y", "predicates": [{"value": "a"}]}`, "is no namespace"},
		{"needs.json", fmt.Sprintf(template, `"required": ["b"], "attributes": {"a": {"misp-attribute": "text"}}`), `requires "b"`},
		{"double.json", fmt.Sprintf(template, `"attributes": {"a": {"misp-attribute": "text"}, "a": {"misp-attribute": "text"}}`), "the attribute a twice"},
		{"typeless.json", fmt.Sprintf(template, `"attributes": {"a": {}}`), "has no type"},
		{"version.json", `{"namespace": "x", "version": "new", "predicates": [{"value": "a"}]}`, "whole number"},
		{"orphan.json", `{"type": "nowhere", "uuid": "0b000000-0000-4000-8000-000000000007", "values": []}`, "no galaxy nowhere"},
		{"nameless.json", `{"type": "g", "uuid": "0b000000-0000-4000-8000-000000000007", "icon": "x"}`, "has no name"},
		{"list/list.json", `{"name": "l", "type": "cidr", "list": ["not an address"]}`, "most of it makes no sense"},
		{"large.json", `{"namespace": "` + strings.Repeat("x", MaxOctets) + `"}`, "larger than"},
		{"deep.json", `{"namespace": "x", "predicates": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "max depth"},
	} {
		p, err := readTexts(t, map[string]string{c.name: c.text, "good.json": good})
		if err != nil {
			t.Errorf("%s: all was refused: %v", c.name, err)
			continue
		}
		if len(p.Items) != 1 || len(p.Refused) != 1 || p.Refused[0].File != c.name || !strings.Contains(p.Refused[0].Err.Error(), c.want) {
			t.Errorf("%s: %d taken, refused %v; want %q", c.name, len(p.Items), p.Refused, c.want)
		}
		if _, err := readTexts(t, map[string]string{c.name: c.text}); tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s alone: %v", c.name, err)
		}
	}
	for name, c := range map[string]struct {
		header tar.Header
		want   string
	}{
		"up":     {tar.Header{Name: "../out.json", Typeflag: tar.TypeReg, Mode: 0o600}, "leads out of it"},
		"root":   {tar.Header{Name: "/etc/out.json", Typeflag: tar.TypeReg, Mode: 0o600}, "leads out of it"},
		"link":   {tar.Header{Name: "a.json", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, "is a link"},
		"hard":   {tar.Header{Name: "a.json", Linkname: "b.json", Typeflag: tar.TypeLink}, "is a link"},
		"device": {tar.Header{Name: "a.json", Typeflag: tar.TypeChar}, "is a link or a device"},
	} {
		archive := tarOf(t, tar.Header{Name: "g.json", Typeflag: tar.TypeReg, Mode: 0o600}, c.header)
		if _, err := readTexts(t, map[string]string{name + ".tar.gz": archive}); tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readTexts(t, map[string]string{"a.tar.gz": "no archive"}); tocsin.CodeOf(err) != tocsin.Invalid {
		t.Errorf("no archive: %v", err)
	}
	if p, err := readTexts(t, map[string]string{"a.tgz": tarOf(t, tar.Header{Name: "x/g.json", Typeflag: tar.TypeReg, Mode: 0o600})}); err != nil || len(p.Items) != 1 || p.Items[0].Record.Source != "a.tgz/x/g.json" {
		t.Errorf("an archive: %v %v", p, err)
	}
	if _, err := readTexts(t, map[string]string{"package.json": `{"name": "x"}`}); tocsin.CodeOf(err) != tocsin.Invalid {
		t.Errorf("nothing of the kind: %v", err)
	}
}
