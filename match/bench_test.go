package match

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// TOCSIN_BENCH_LARGE names a folder in which an index of ten million claims is
// kept between benchmarks.
var sizes = []int{1_000_000, 10_000_000}

const runLength = 20_000

func benchLabels() *access.Labels {
	return access.NewLabels([]access.Label{access.NewLabel(1, access.Community, 0, 0, 0)})
}

func benchKey(i int) indicator.Key { return indicator.Key("d:" + benchName(i)) }
func benchName(i int) string       { return "host" + strconv.Itoa(i) + ".example.org" }

// benchRun returns the lines of an event with a run of new attributes.
func benchRun(from int) []tocsin.Line {
	event := int64(from/runLength + 1)
	run := make([]tocsin.Attribute, runLength)
	typ, _ := indicator.TypeByName("domain")
	for i := range run {
		v, _ := indicator.Stored(typ.ID, benchName(from+i))
		run[i] = tocsin.Attribute{ID: int64(from + i + 1), Event: event, Value: v, Label: 1, ToIDS: true}
	}
	return []tocsin.Line{
		{Seq: tocsin.Seq(2*event - 1), Kind: tocsin.KindEvent, ID: event, After: &tocsin.Event{ID: event, Label: 1, UUID: tocsin.NewUUID(time.Unix(1, 0))}},
		{Seq: tocsin.Seq(2 * event), Kind: tocsin.KindAttribute, ID: event, Run: run, Event: 1},
	}
}

// benchIndex returns an index of n claims, built once.
func benchIndex(b *testing.B, n int) *Index {
	b.Helper()
	dir := b.TempDir()
	if n > 1_000_000 {
		if dir = os.Getenv("TOCSIN_BENCH_LARGE"); dir == "" {
			b.Skip("TOCSIN_BENCH_LARGE is not set")
		}
	}
	x, err := Open(dir, indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	for from := int(x.Place()) / 2 * runLength; from < n; from += runLength {
		follow(b, x, benchRun(from))
	}
	must(b, x.Flush(context.Background()))
	settle(b, x)
	return x
}

func follow(b *testing.B, x *Index, lines []tocsin.Line) {
	var cs []tocsin.Change
	for _, l := range lines {
		cs = append(cs, tocsin.NewChange(l, x.labels))
	}
	must(b, x.Follow(context.Background(), cs))
}

// settle returns when nothing is left to merge.
func settle(b *testing.B, x *Index) {
	for {
		segments := x.now.Load().segments
		if choose(segments) == len(segments) {
			return
		}
		x.wakeMerger()
		runtime.Gosched()
	}
}

func report(b *testing.B, x *Index) {
	st := x.Stats()
	b.ReportMetric(float64(st.Segments), "segments")
	b.ReportMetric(float64(st.Bytes)/float64(st.Entries-st.Delta), "B/entry")
}

func BenchmarkFind(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := benchIndex(b, n)
			sight := x.labels.Sight(access.Organisation("one", 1), access.Read)
			for _, q := range []struct {
				name string
				from int
			}{{"hit", 0}, {"miss", n}} {
				keys := make([]indicator.Key, 1<<20)
				for i := range keys {
					keys[i] = benchKey(q.from + rand.IntN(n))
				}
				b.Run(q.name, func(b *testing.B) {
					look := x.Look(sight)
					found, dst := 0, make([]Claim, 0, 8)
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						dst = look.Find(keys[i&(1<<20-1)], dst[:0])
						found += len(dst)
					}
					if (found > 0) != (q.name == "hit") {
						b.Fatalf("%d found", found)
					}
					report(b, x)
				})
				b.Run(q.name+" in bulk", func(b *testing.B) {
					look := x.Look(sight)
					found, page := 0, 1000
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						at := i * page & (1<<19 - 1)
						for range look.FindAll(keys[at:at+page], 100) {
							found++
						}
					}
					if (found > 0) != (q.name == "hit") {
						b.Fatalf("%d found", found)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*page), "ns/key")
				})
			}
		})
	}
}

// Claims that are not in a file yet.
func BenchmarkFindFresh(b *testing.B) {
	x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
	must(b, err)
	defer x.Close()
	for from := 0; from < 200_000; from += runLength {
		follow(b, x, benchRun(from))
	}
	look := x.Look(x.labels.Sight(access.Organisation("one", 1), access.Read))
	var dst []Claim
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = look.Find(benchKey(i%200_000), dst[:0])
	}
}

// BenchmarkFollowRuns loads an empty index, merges included.
func BenchmarkFollowRuns(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 1_000_000 && os.Getenv("TOCSIN_BENCH_LARGE") == "" {
				b.Skip("TOCSIN_BENCH_LARGE is not set")
			}
			for b.Loop() {
				x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
				must(b, err)
				for from := 0; from < n; from += runLength {
					b.StopTimer()
					lines := benchRun(from)
					b.StartTimer()
					follow(b, x, lines)
				}
				must(b, x.Flush(context.Background()))
				settle(b, x)
				b.StopTimer()
				report(b, x)
				must(b, x.Close())
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkOpen maps and checks the files of an index and reads its events.
func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := benchIndex(b, n)
			must(b, x.Close())
			for b.Loop() {
				y, err := Open(x.dir, indicator.NewHasher([16]byte{1}), x.labels, quiet)
				must(b, err)
				if y.Place() == 0 {
					b.Fatal("it started anew")
				}
				b.StopTimer()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
				must(b, y.Close())
				b.StartTimer()
			}
		})
	}
}

// BenchmarkOpenEvents reads a table of a million events.
func BenchmarkOpenEvents(b *testing.B) {
	x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
	must(b, err)
	var lines []tocsin.Line
	for id := int64(1); id <= 1_000_000; id++ {
		lines = append(lines, tocsin.Line{Seq: tocsin.Seq(id), Kind: tocsin.KindEvent, ID: id, After: &tocsin.Event{ID: id, Label: 1}})
	}
	follow(b, x, lines)
	must(b, x.Close())
	for b.Loop() {
		y, err := Open(x.dir, indicator.NewHasher([16]byte{1}), x.labels, quiet)
		must(b, err)
		if y.Place() == 0 {
			b.Fatal("it started anew")
		}
		b.StopTimer()
		must(b, y.Close())
		b.StartTimer()
	}
}

// BenchmarkFollowLine is what one line costs that comes by itself: a claim is
// edited, and an event among many.
func BenchmarkFollowLine(b *testing.B) {
	x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
	must(b, err)
	defer x.Close()
	run := benchRun(0)
	follow(b, x, run)
	a := run[1].Run[0]
	c := a
	c.ToIDS = false
	b.Run("attribute", func(b *testing.B) {
		for b.Loop() {
			follow(b, x, []tocsin.Line{{Seq: x.seq + 1, Kind: tocsin.KindAttribute, ID: a.ID, Before: &a, After: &c}})
		}
	})
	must(b, x.events.put(1_000_000, &tocsin.Event{ID: 1_000_000, Label: 1}))
	b.Run("event", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			follow(b, x, []tocsin.Line{{Seq: x.seq + 1, Kind: tocsin.KindEvent, ID: 1, After: &tocsin.Event{ID: 1, Label: 1, Published: i%2 == 0}}})
		}
	})
}

// addressRun is a run of addresses, one of a hundred a range.
func addressRun(from int) []tocsin.Line {
	lines := benchRun(from)
	typ, _ := indicator.TypeByName("ip-dst")
	for i := range lines[1].Run {
		n := uint32(from+i) * 2654435761
		text := fmt.Sprintf("%d.%d.%d.%d", 1+n>>24%223, n>>16&255, n>>8&255, n&255)
		if i%100 == 0 {
			text = fmt.Sprintf("%d.%d.%d.0/24", 1+n>>24%223, n>>16&255, n>>8&255)
		}
		lines[1].Run[i].Value, _ = indicator.Stored(typ.ID, text)
	}
	return lines
}

// ssdeepRun is a run of hashes of files that have little to do with each other.
func ssdeepRun(from int) []tocsin.Line {
	lines := benchRun(from)
	typ, _ := indicator.TypeByName("ssdeep")
	r := rand.New(rand.NewPCG(uint64(from), 1))
	half := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[r.IntN(64)]
		}
		return string(b)
	}
	lines[1].Run = lines[1].Run[:2000]
	for i := range lines[1].Run {
		lines[1].Run[i].Value, _ = indicator.Stored(typ.ID, fmt.Sprintf("%d:%s:%s", 3<<(4+r.IntN(12)), half(64), half(32)))
	}
	return lines
}

var kinds = []struct {
	name string
	run  func(from int) []tocsin.Line
	keys []indicator.Key
}{
	{"addresses", addressRun, []indicator.Key{"i:198.51.100.7/32", "i:198.51.100.0/24", "i:198.48.0.0/12"}},
	{"ssdeep", ssdeepRun, []indicator.Key{"h:192:Cf+JaqvlWFWYFQrbwiGYKdvB6TN/vuzUvk+/LZ84i5DHvF6bPuKNHyg8MUwE42gj:Cfq82+YJnuAHLZIDHtoPrHl8MM42hK7"}},
}

// BenchmarkFollowKin loads an empty index with what goes on the shelves too.
func BenchmarkFollowKin(b *testing.B) {
	for _, q := range kinds {
		b.Run(q.name, func(b *testing.B) {
			claims := 0
			for b.Loop() {
				x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
				must(b, err)
				for from := 0; from < 1_000_000; from += runLength {
					b.StopTimer()
					lines := q.run(from)
					claims += len(lines[1].Run)
					b.StartTimer()
					follow(b, x, lines)
				}
				must(b, x.Flush(context.Background()))
				b.StopTimer()
				report(b, x)
				must(b, x.Close())
				b.StartTimer()
			}
			b.ReportMetric(float64(claims)/b.Elapsed().Seconds(), "claims/s")
		})
	}
}

// BenchmarkRelated asks a million addresses, a hundred thousand hashes.
func BenchmarkRelated(b *testing.B) {
	for _, q := range kinds {
		x, err := Open(b.TempDir(), indicator.NewHasher([16]byte{1}), benchLabels(), quiet)
		must(b, err)
		for from := 0; from < 1_000_000; from += runLength {
			follow(b, x, q.run(from))
		}
		must(b, x.Flush(context.Background()))
		sight := x.labels.Sight(access.Organisation("one", 1), access.Read)
		for _, k := range q.keys {
			b.Run(fmt.Sprintf("%.20s", k), func(b *testing.B) {
				found := 0
				for b.Loop() {
					rs, _ := x.Look(sight).Related(k, nil, 100)
					found = len(rs)
				}
				b.ReportMetric(float64(found), "relatives")
			})
		}
		must(b, x.Close())
	}
}
