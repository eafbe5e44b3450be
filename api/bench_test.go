package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// sparse is an index of as many entries as are asked for, by hash: memory is
// touched as a real one would.
type sparse struct {
	hasher indicator.Hasher
	slots  []uint64
	claims []Claim
}

func newSparse(names []string) *sparse {
	size := 1
	for size < 4*len(names) {
		size *= 2
	}
	x := &sparse{slots: make([]uint64, size), claims: []Claim{{Attribute: 123456, Event: 77, Type: 1, ToIDS: true, Published: true, Orgc: 1,
		EventUUID: tocsin.UUID{1, 2, 3}}}}
	for _, n := range names {
		h := x.hasher.Sum(indicator.Key("d:" + n))
		for i := h; ; i++ {
			if s := &x.slots[i%uint64(size)]; *s == 0 {
				*s = h
				break
			}
		}
	}
	return x
}

func (x *sparse) Look(*access.Sight) Look { return x }
func (x *sparse) FindMax(k indicator.Key, dst []Claim, _ int) ([]Claim, bool) {
	h := x.hasher.Sum(k)
	for i := h; ; i++ {
		switch x.slots[i%uint64(len(x.slots))] {
		case h:
			return append(dst, x.claims...), false
		case 0:
			return dst, false
		}
	}
}

func benchNames(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d.cdn%d.example", prefix, i*7919%n, i%97)
	}
	return names
}

// BenchmarkLookup answers over an index of 10M names, without and with HTTP.
func BenchmarkLookup(b *testing.B) {
	const held, asked = 10_000_000, 1_000_000
	names := benchNames("evil", held)
	index := newSparse(names)
	w := newWorld(b)
	w.api.Index = index
	misses := benchNames("good", asked)
	for _, every := range []int{100, 1} {
		var in bytes.Buffer
		for i := range asked {
			if i%every == 0 {
				fmt.Fprintln(&in, names[i*9])
			} else {
				fmt.Fprintln(&in, misses[i])
			}
		}
		name := fmt.Sprintf("hits=1:%d", every)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask := w.api.asker(access.System("benchmark"))
				if err := ask.all(bytes.NewReader(in.Bytes()), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(asked)*float64(b.N)/b.Elapsed().Seconds(), "values/s")
		})
		b.Run(name+"/http", func(b *testing.B) {
			for b.Loop() {
				r, _ := http.NewRequest("POST", w.url+"/api/lookup", bufio.NewReader(bytes.NewReader(in.Bytes())))
				r.Header.Set("Authorization", w.keys["ours"])
				r.Header.Set("Accept-Encoding", "identity")
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || n < asked {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(asked)*float64(b.N)/b.Elapsed().Seconds(), "values/s")
		})
	}
}
