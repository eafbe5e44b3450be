package collection

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"tocsin/indicator"
)

func content(t *table) map[string]string {
	m := map[string]string{}
	t.all(func(k, v []byte) bool { m[string(k)] = string(v); return true })
	return m
}

// TestTableIsAMap does to a table what it does to a map, and looks at snapshots
// taken on the way after everything else has happened.
func TestTableIsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	type taken struct {
		snapshot *table
		want     map[string]string
	}
	tb, want := newTable(indicator.Hasher{}), map[string]string{}
	var all []taken
	for i := range 200_000 {
		k := fmt.Sprint("key", r.IntN(30_000))
		if r.IntN(100) == 0 {
			k += string(make([]byte, 200)) // a length of two octets
		}
		switch r.IntN(4) {
		case 0:
			_, was := want[k]
			if tb.delete([]byte(k)) != was {
				t.Fatalf("delete %q reports %v", k, !was)
			}
			delete(want, k)
		default:
			v := string(make([]byte, r.IntN(20))) + fmt.Sprint(i)
			tb.set([]byte(k), []byte(v))
			want[k] = v
		}
		switch {
		case i%40_000 == 0:
			all = append(all, taken{tb.snapshot(), maps.Clone(want)})
		case i%70_000 == 0:
			last := all[len(all)-1]
			tb.restore(last.snapshot)
			want = maps.Clone(last.want)
		}
	}
	all = append(all, taken{tb, want})
	for i, tk := range all {
		if got := content(tk.snapshot); !maps.Equal(got, tk.want) || tk.snapshot.count != len(got) {
			t.Errorf("snapshot %d holds %d entries and counts %d; want %d", i, len(got), tk.snapshot.count, len(tk.want))
		}
		size := 0
		tk.snapshot.buckets(func(b *bucket) bool { size += len(b.data); return true })
		if size != tk.snapshot.bytes {
			t.Errorf("snapshot %d takes %d octets and counts %d", i, size, tk.snapshot.bytes)
		}
		for k, v := range tk.want {
			if got, ok := tk.snapshot.get([]byte(k)); !ok || string(got) != v {
				t.Fatalf("snapshot %d: %q is %q; want %q", i, k, got, v)
			}
		}
		var file bytes.Buffer
		if err := tk.snapshot.write(&file); err != nil {
			t.Fatal(err)
		}
		back, err := readTable(&file, tk.snapshot.hasher)
		if err != nil || !maps.Equal(content(back), tk.want) || back.count != len(tk.want) {
			t.Fatalf("snapshot %d comes back otherwise: %v", i, err)
		}
		back.set([]byte("new"), []byte("1"))
		if v, ok := back.get([]byte("new")); !ok || string(v) != "1" {
			t.Fatalf("snapshot %d can't be changed when it is back", i)
		}
	}
}

func FuzzReadTable(f *testing.F) {
	tb := newTable(indicator.Hasher{})
	for i := range 3000 {
		tb.set(fmt.Append(nil, i), []byte("x"))
	}
	var file bytes.Buffer
	tb.write(&file)
	f.Add(file.Bytes())
	f.Add(file.Bytes()[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		readTable(bytes.NewReader(b), indicator.Hasher{}) // it may refuse; it must not fall over
	})
}
