package collection

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
)

// oneCollection is an exchange with one organisation, one published event and one
// collection of all its domains, with as many subscribers as asked for.
func oneCollection(b testing.TB, subs int) (*fakeStore, *Set) {
	f := newFakeStore()
	s, err := Open(b.TempDir(), f.labels, quiet())
	if err != nil {
		b.Fatal(err)
	}
	label := f.labels.ID(access.NewLabel(1, access.Community, 0, access.Green, access.PAPUnmarked))
	f.putOrg(tocsin.Organisation{ID: 1, Name: "one"})
	f.putCollection(tocsin.Collection{ID: 1, Org: 1, Name: "first", Zone: "rpz.example.", HotZone: "hot.rpz.example.", Filter: "type:domain", Sources: []int64{1}})
	for id := range int64(subs) {
		f.putSubscriber(tocsin.Subscriber{ID: id + 1, Name: "s", Collection: 1, Org: id + 1})
	}
	f.putEvent(tocsin.Event{ID: 1, Org: 1, Orgc: 1, Published: true, Label: label})
	follow(b, f, s)
	return f, s
}

// follow hands over what s has not seen and forgets it: a benchmark's log does
// not fit in memory.
func follow(b testing.TB, f *fakeStore, s *Set) {
	if err := s.Follow(b.Context(), f.lines[s.world.At:]); err != nil {
		b.Fatal(err)
	}
}

// domains makes a run of n claims from the i-th on.
func domains(b testing.TB, f *fakeStore, from, n int) []tocsin.Attribute {
	as := make([]tocsin.Attribute, n)
	label := f.events[1].Label
	for i := range as {
		id := from + i + 1
		as[i] = tocsin.Attribute{ID: int64(id), Event: 1, ToIDS: true, Label: label,
			Value: parse(b, "domain", "host-"+strconv.FormatUint(uint64(id)*0x9e3779b97f4a7c15>>24, 36)+".example")}
	}
	return as
}

func fill(b testing.TB, f *fakeStore, s *Set, from, n int) {
	for at := from; at < from+n; at += 20_000 {
		f.write(tocsin.Line{Kind: tocsin.KindAttribute, ID: 1, Run: domains(b, f, at, min(20_000, from+n-at)), Event: f.events[1].Label})
		follow(b, f, s)
		f.lines[len(f.lines)-1] = tocsin.Change{Seq: f.head()}
	}
}

func BenchmarkRun20k(b *testing.B) {
	for _, subs := range []int{0, 1, 100} {
		b.Run(fmt.Sprint(subs, " subscribers"), func(b *testing.B) {
			f, s := oneCollection(b, subs)
			at := 0
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				f.write(tocsin.Line{Kind: tocsin.KindAttribute, ID: 1, Run: domains(b, f, at, 20_000), Event: f.events[1].Label})
				at += 20_000
				b.StartTimer()
				follow(b, f, s)
			}
			b.ReportMetric(float64(b.N)*20_000/b.Elapsed().Seconds(), "claims/s")
			b.StopTimer()
			s.wg.Wait()
		})
	}
}

// BenchmarkOneClaim is the way of one claim into a zone of 100,000 names.
func BenchmarkOneClaim(b *testing.B) {
	f, s := oneCollection(b, 10)
	fill(b, f, s, 0, 100_000)
	as := domains(b, f, 100_000, b.N)
	b.ResetTimer()
	for i := range as {
		f.write(tocsin.Line{Kind: tocsin.KindAttribute, ID: as[i].ID, After: &as[i]})
		follow(b, f, s)
	}
	b.StopTimer()
	s.wg.Wait()
}

// names is how many a benchmark of size uses; TOCSIN_NAMES asks for another number.
func names(b testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("TOCSIN_NAMES")); err == nil {
		return n
	}
	return 1_000_000
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkSize(b *testing.B) {
	n := names(b)
	f, s := oneCollection(b, 1)
	before := heap()
	begun := time.Now()
	fill(b, f, s, 0, n)
	filled := time.Since(begun)
	s.wg.Wait()
	used := heap() - before
	b.Logf("%d names filled in %v; %.1f octets of heap a name, %.1f of them entries", n, filled, float64(used)/float64(n), float64(s.selections[1].names.bytes)/float64(n))
	begun = time.Now()
	if err := s.snapshot().write(); err != nil {
		b.Fatal(err)
	}
	closed := time.Since(begun)
	begun = time.Now()
	o, err := Open(s.dir, f.labels, quiet())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("written in %v, opened in %v", closed, time.Since(begun))
	s = o
	b.Run("names", func(b *testing.B) {
		v, _ := s.Zone("rpz.example", 1)
		for range b.N {
			count := 0
			v.Names(func([]byte, Trigger) bool { count++; return true })
			if count != v.Len() || count < n*9/10 {
				b.Fatal(count, v.Len())
			}
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "names/s")
	})
	v, _ := s.Zone("hot.rpz.example", 1)
	from := v.Serial()
	as := domains(b, f, n, 1000)
	for i := range as {
		f.write(tocsin.Line{Kind: tocsin.KindAttribute, ID: as[i].ID, After: &as[i]})
	}
	follow(b, f, s)
	b.Run("since 1000 lines", func(b *testing.B) {
		v, _ := s.Zone("hot.rpz.example", 1)
		for range b.N {
			if steps, ok := v.Since(from); !ok || len(steps) != 1000 {
				b.Fatal(len(steps), ok)
			}
		}
	})
	b.Run("names beside 1000 hot", func(b *testing.B) {
		v, _ := s.Zone("rpz.example", 1)
		for range b.N {
			v.Names(func([]byte, Trigger) bool { return true })
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "names/s")
	})
	b.Run("new audience", func(b *testing.B) {
		for range b.N {
			sel := s.selections[1]
			sel.count(sel.classes)
		}
	})
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
