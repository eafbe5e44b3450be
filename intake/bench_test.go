package intake_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"

	"tocsin"
	"tocsin/codec"
	"tocsin/intake"
	"tocsin/vocab"
)

// The benchmarks take the shared list of 200,000 domains. One operation is all
// of it, into an empty store each time.

func lines(b *testing.B) []byte {
	b.Helper()
	text, err := io.ReadAll(shared(b, "lists/domains-malicious-200k.txt.gz"))
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func BenchmarkImport(b *testing.B) {
	text := lines(b)
	f, _ := codec.Reader("text")
	for _, size := range []int{10_000, 20_000, 50_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			written := int64(0)
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b)
				w.Batch = size
				b.StartTimer()
				p, err := w.Import(b.Context(), w.ours, intake.ImportOptions{Name: "list", Publish: true},
					f.Read(bytes.NewReader(text), codec.Options{}), nil)
				if err != nil {
					b.Fatal(err)
				}
				written += p.Written
			}
			b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkEvent(b *testing.B) {
	var drafts []intake.Draft
	for s := bufio.NewScanner(bytes.NewReader(lines(b))); s.Scan(); {
		drafts = append(drafts, intake.Draft{Type: "domain", Category: "Network activity", Text: s.Text()})
	}
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		ds := slices.Clone(drafts)
		b.StartTimer()
		r, err := w.AddEvent(b.Context(), w.ours, intake.EventDraft{Info: "large", Attributes: ds})
		if err != nil {
			b.Fatal(err)
		}
		if n := len(r.Attributes) + len(r.Refused); n != len(ds) {
			b.Fatal(n)
		}
	}
}

// BenchmarkGuardedImport imports the same with the lists that come with the
// program and a top list of 100,000 names.
func BenchmarkGuardedImport(b *testing.B) {
	text := lines(b)
	f, _ := codec.Reader("text")
	top, _, err := vocab.Read("top-100k.txt", shared(b, "lists/benign-top-tranco-100k.txt.gz"))
	if err != nil {
		b.Fatal(err)
	}
	for name, lists := range map[string][]*vocab.List{"none": nil, "lists": append(vocab.BuiltIn(), top)} {
		b.Run(name, func(b *testing.B) {
			var records []*tocsin.GuardList
			for i, l := range lists {
				records = append(records, l.Record())
				records[i].ID = int64(i)
			}
			g, err := vocab.New(records, func(l *tocsin.GuardList) (iter.Seq2[string, error], error) {
				return vocab.Unpack(vocab.Pack(lists[l.ID].Entries)), nil
			})
			if err != nil {
				b.Fatal(err)
			}
			written := int64(0)
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b)
				w.DB.JudgeBy(g.Judge)
				b.StartTimer()
				p, err := w.Import(b.Context(), w.ours, intake.ImportOptions{Name: "list", Publish: true},
					f.Read(bytes.NewReader(text), codec.Options{}), nil)
				if err != nil {
					b.Fatal(err)
				}
				written += p.Written
			}
			b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
