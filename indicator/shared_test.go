package indicator

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared returns the path of reference material that is too large, too hostile
// or not ours to keep, and skips the test where there is none.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	name := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Skipf("no %s", filepath.Join(path...))
	}
	return name
}

func readJSON(t *testing.T, name string, to any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
}

func TestTypesAreMISPs(t *testing.T) {
	var d struct {
		Result struct {
			Types    []string
			Defaults map[string]struct {
				Category string `json:"default_category"`
				ToIDS    int    `json:"to_ids"`
			} `json:"sane_defaults"`
			Categories []string
			Mapping    map[string][]string `json:"category_type_mappings"`
		}
	}
	readJSON(t, shared(t, "data", "reference", "describeTypes.json"), &d)
	if !slices.Equal(Categories(), d.Result.Categories) {
		t.Errorf("categories %q, want %q", Categories(), d.Result.Categories)
	}
	for _, name := range d.Result.Types {
		typ, ok := TypeByName(name)
		if !ok {
			t.Errorf("no type %q", name)
			continue
		}
		if def := d.Result.Defaults[name]; typ.DefaultCategory != def.Category || typ.ToIDS != (def.ToIDS == 1) {
			t.Errorf("%s: default category %q, to_ids %v, want %v", name, typ.DefaultCategory, typ.ToIDS, def)
		}
		for _, c := range d.Result.Categories {
			category, _ := CategoryByName(c)
			want := slices.Contains(d.Result.Mapping[c], name)
			if slices.Contains(typ.Categories, c) != want || typ.Allows(category) != want {
				t.Errorf("%s in %s: want %v", name, c, want)
			}
		}
	}
}

// An attr is what matters here of an attribute in a recording.
type attr struct {
	typ, value, value1, value2 string
	split                      bool
}

// attrs finds the attributes anywhere in a JSON document.
func attrs(doc any) iter.Seq[attr] {
	return func(yield func(attr) bool) { walkAttrs(doc, yield) }
}

func walkAttrs(doc any, yield func(attr) bool) bool {
	switch doc := doc.(type) {
	case []any:
		for _, x := range doc {
			if !walkAttrs(x, yield) {
				return false
			}
		}
	case map[string]any:
		typ, _ := doc["type"].(string)
		value, ok := doc["value"].(string)
		if _, known := TypeByName(typ); ok && known {
			a := attr{typ: typ, value: value}
			a.value1, a.split = doc["value1"].(string)
			a.value2, _ = doc["value2"].(string)
			return yield(a)
		}
		for _, x := range doc {
			if !walkAttrs(x, yield) {
				return false
			}
		}
	}
	return true
}

// TestRecordings holds our normal forms against what a real MISP stored: a
// value that it answered is a normal form; a value that was sent comes back as
// our normal form; what we refuse, it did not store.
func TestRecordings(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "contract", "misp"), "[0-9]*-*.json"))
	answered, sent := 0, 0
	for _, name := range files {
		if strings.HasSuffix(name, "000-index.json") {
			continue
		}
		var rec struct {
			Request struct {
				Path string
				Body any
			}
			Response struct {
				Status int
				Body   any
			}
		}
		readJSON(t, name, &rec)
		stored := map[attr]bool{}
		for a := range attrs(rec.Response.Body) {
			answered++
			stored[attr{typ: a.typ, value: a.value}] = true
			v, err := Parse(a.typ, a.value)
			if err != nil || v.String() != a.value {
				t.Errorf("%s: %s %q becomes %q, %v", filepath.Base(name), a.typ, a.value, v, err)
			}
			if v1, v2 := v.Parts(); a.split && (v1 != a.value1 || v2 != a.value2) {
				t.Errorf("%s: %s %q splits into %q and %q", filepath.Base(name), a.typ, a.value, v1, v2)
			}
		}
		if len(stored) == 0 || !strings.HasPrefix(rec.Request.Path, "/attributes/add") && !strings.HasPrefix(rec.Request.Path, "/events/add") {
			continue
		}
		for a := range attrs(rec.Request.Body) {
			sent++
			v, err := Parse(a.typ, a.value)
			if stored[attr{typ: a.typ, value: v.String()}] != (err == nil) {
				t.Errorf("%s: %s %q: ours is %q, %v", filepath.Base(name), a.typ, a.value, v, err)
			}
		}
	}
	if answered < 500 || sent < 40 {
		t.Errorf("looked at %d values answered and %d sent: too few", answered, sent)
	}
}

// lines reads a list of one value a line.
func lines(t testing.TB, name string) []string {
	t.Helper()
	f, err := os.Open(shared(t, "data", "lists", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var ls []string
	sc := bufio.NewScanner(z)
	for sc.Scan() {
		ls = append(ls, sc.Text())
	}
	if sc.Err() != nil {
		t.Fatal(sc.Err())
	}
	return ls
}

// TestLists says of large real lists what is refused, line by line, and how
// much is in normal form already.
func TestLists(t *testing.T) {
	suffix := func(names ...string) (refused []string) {
		for _, n := range names {
			refused = append(refused, `domain "`+n+`": `+n+" is a public suffix: blocking it would block everything beneath it")
		}
		return refused
	}
	for _, tt := range []struct {
		list, typ string
		unchanged int
		refused   []string
	}{
		{"domains-malicious-200k.txt.gz", "domain", 200_000, nil},
		{"domains-malicious-1m.txt.gz", "domain", 999_994, suffix("ac.cn", "augustow.pl", "hl.cn", "judicical.mm", "net.ms", "nom.za")},
		{"benign-top-tranco-100k.txt.gz", "domain", 99_981, suffix("bank.in", "bet.br", "gov.cz", "gob.cu", "ia.br")},
		{"ipv4-and-cidr-malicious-100k.txt.gz", "ip-dst", 99_752, nil}, // 248 are single addresses with /32
		{"urls-malicious-100k.txt.gz", "url", 100_000, nil},
		{"hashes-malicious-100k.txt.gz", "", 100_000, nil},
	} {
		t.Run(tt.list, func(t *testing.T) {
			unchanged := 0
			var refused []string
			for _, line := range lines(t, tt.list) {
				var v Value
				var err error
				if tt.typ == "" {
					v, err = Detect(line)
				} else {
					v, err = Parse(tt.typ, line)
				}
				switch {
				case err != nil:
					refused = append(refused, err.Error())
				case v.String() == line:
					unchanged++
				}
			}
			if !slices.Equal(refused, tt.refused) {
				t.Errorf("refused:\n%s", strings.Join(refused, "\n"))
			}
			if unchanged != tt.unchanged {
				t.Errorf("%d in normal form, want %d", unchanged, tt.unchanged)
			}
		})
	}
}

// TestSuffixesAreShort holds maxSuffix against names that exist.
func TestSuffixesAreShort(t *testing.T) {
	for _, line := range lines(t, "domains-malicious-1m.txt.gz") {
		if n := strings.Count(icannSuffix(line), ".") + 1; n > maxSuffix {
			t.Fatalf("the public suffix of %s has %d labels", line, n)
		}
	}
}

// TestSharedEvents says how many values of published MISP events and feeds are
// refused and why. All are slips of their authors, which MISP stores since it
// checks less: malware's names given as URLs, a hash cut short, hundreds of
// labels strung together, which no DNS packet can carry.
func TestSharedEvents(t *testing.T) {
	refused, seen, events := map[string]int{}, map[attr]bool{}, 0
	for doc := range documents(t) {
		events++
		for a := range attrs(doc) {
			if seen[a] {
				continue
			}
			seen[a] = true
			v, err := Parse(a.typ, a.value)
			var pe *ParseError
			if errors.As(err, &pe) {
				refused[pe.Type+": "+pe.Why]++
				continue
			}
			checkValue(t, v)
		}
	}
	want := map[string]int{
		"domain: it is longer than 253 characters":                                             2,
		"url: its host is no name: it is longer than 253 characters":                           2,
		"md5: it wants 32 hexadecimal digits":                                                  1,
		"ssdeep: it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on": 1,
		"url: it is no URL: it wants a scheme, such as http://":                                5,
	}
	if !maps.Equal(refused, want) || events < 887 || len(seen) < 100_000 {
		t.Errorf("of %d values in %d documents refused: %v", len(seen), events, refused)
	}
}

// documents yields all published MISP events that there are and can be read:
// two are broken on purpose.
func documents(t *testing.T) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, pattern := range []string{"misp-events/*/*.json", "misp-feeds/*/*.json"} {
			files, _ := filepath.Glob(filepath.Join(shared(t, "data"), pattern))
			for _, name := range files {
				var doc any
				if b, err := os.ReadFile(name); err == nil && json.Unmarshal(b, &doc) == nil && !yield(doc) {
					return
				}
			}
		}
		archives, _ := filepath.Glob(filepath.Join(shared(t, "data"), "misp-feeds", "*.tar.gz"))
		for _, name := range archives {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			for files := tar.NewReader(z); ; {
				h, err := files.Next()
				if err != nil {
					break
				}
				var doc any
				if strings.HasSuffix(h.Name, ".json") && json.NewDecoder(files).Decode(&doc) == nil && !yield(doc) {
					return
				}
			}
			f.Close()
		}
	}
}

// TestSharedRules reads published rules, a file at a time.
func TestSharedRules(t *testing.T) {
	for _, tt := range []struct{ files, typ string }{
		{"suricata/*.rules", "suricata"}, {"suricata/*.rules", "snort"}, {"yara/*.yar", "yara"}, {"sigma/*.yml", "sigma"},
	} {
		files, _ := filepath.Glob(filepath.Join(shared(t, "data", "rules"), tt.files))
		read := 0
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts := []string{string(b)}
			if strings.HasSuffix(name, ".rules") {
				texts = strings.Split(strings.NewReplacer("\r", "", "\\\n", " ").Replace(string(b)), "\n")
			}
			for _, text := range texts {
				if text = strings.TrimSpace(text); text == "" || text[0] == '#' && len(texts) > 1 || len(text) > maxText {
					continue
				}
				read++
				if _, err := Parse(tt.typ, text); err != nil {
					t.Errorf("%s: %v", filepath.Base(name), err)
				}
			}
		}
		if read < 9 {
			t.Errorf("%s: %d read", tt.files, read)
		}
	}
}
