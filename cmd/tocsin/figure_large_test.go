package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

// A scale is how large an exchange is, and what it should reach then.
type scale struct {
	n       int
	text    string
	imports float64 // seconds
	memory  float64 // megabytes
	start   float64 // seconds
}

const tenMillion = 10_000_000

var (
	million = scale{1_000_000, "1M", 25, 500, 2}
	ten     = scale{tenMillion, "10M", 12 * 60, 2500, 15}
)

// large measures an exchange of very many names, all in lookup and in one zone.
func large(t *testing.T, f *figures, s scale) {
	c := serving(t)
	list, held := inventedList(s.n), func(i int) string { return invented(i) }
	if s == million {
		all := names(t, s.n)
		list, held = asList(all), func(i int) string { return all[i] }
	}
	canary := held(s.n - 1)
	took := timed(func() {
		c.imports("collection=drop&name=list", list)
		c.arrives(canary)
	})
	f.add(figure{what: s.text + " names imported live until in lookup and zone", unit: seconds, got: took, most: s.imports})
	now, peak := c.memory()
	f.add(figure{what: "… memory after it", unit: megabytes, got: now, most: s.memory})
	f.add(figure{what: "… memory during it, at most", unit: megabytes, got: peak})

	c.starts(f, s, canary)
	sample := make([]string, 200_000)
	for i := range sample {
		sample[i] = held(i * (s.n / len(sample)))
	}
	c.lookups(f, s.text, sample)
	c.increments(f, s.text)
	if s == million {
		c.blocks(f)
	}
}

// starts measures from the start of the process to when it serves: it says that
// it is ready, and has everything in lookup and zone.
func (c *child) starts(f *figures, s scale, canary string) {
	c.t.Helper()
	start := func() float64 { return timed(func() { c.start(); c.arrives(canary) }) }
	c.kill()
	f.add(figure{what: "start to serving at " + s.text + " after a kill", unit: seconds, got: start(), most: s.start})
	begun := time.Now()
	c.stop()
	f.add(figure{what: "… clean stop", unit: seconds, got: time.Since(begun).Seconds()})
	f.add(figure{what: "start to serving at " + s.text + " after a clean stop", unit: seconds, got: start(), most: s.start})
	now, peak := c.memory()
	f.add(figure{what: "… memory once started", unit: megabytes, got: now, most: s.memory})
	f.add(figure{what: "… memory during the start, at most", unit: megabytes, got: peak})
}

// blocks measures what it is all for: one shares a name, and a resolver that
// holds the whole zone blocks it; one takes it back, and it answers again.
func (c *child) blocks(f *figures) {
	c.t.Helper()
	const times = 200
	lab.Need(c.t, "unbound")
	// What there was before the hot zone stays in the base zone.
	c.must("PATCH", "/api/collections/drop", `{"hot_zone":"hot.rpz.example"}`)
	c.must("POST", "/api/subscribers", `{"name":"unbound","collection":"drop","allow":["127.0.0.0/8"]}`)
	r := lab.StartUnbound(c.t, lab.StartRoot(c.t), string(c.must("GET", "/api/subscribers/unbound/config?for=unbound", "")))
	c.must("PATCH", "/api/subscribers/unbound", fmt.Sprintf(`{"notify":[%q]}`, r.Addr()))
	asks := func(name string, is func(lab.Answer) bool) bool {
		a, err := r.Lookup(c.t.Context(), name)
		return err == nil && is(a)
	}
	loaded := timed(func() {
		c.until(5*time.Minute, "be transferred to Unbound", func() bool { return asks("n0.increment.example", lab.Answer.Blocked) })
	})
	f.add(figure{what: "Unbound loads the zone", unit: seconds, got: loaded})

	var blocked, answers []float64
	for i := range times {
		name := fmt.Sprintf("b%d.block.example", i)
		var made struct {
			Event struct{ ID json.Number } // quoted or not
		}
		blocked = append(blocked, timed(func() {
			err := c.do("POST", "/events/add", strings.NewReader(event(name, 1, func(int) string { return name })), func(b io.Reader) error {
				return json.NewDecoder(b).Decode(&made)
			})
			if err != nil {
				c.t.Fatal(err)
			}
			r.WaitBlocked(c.t, name)
		}))
		answers = append(answers, timed(func() {
			if err := c.do("DELETE", "/events/delete/"+made.Event.ID.String(), nil, whole); err != nil {
				c.t.Fatal(err)
			}
			r.WaitAnswers(c.t, name)
		}))
	}
	for _, w := range []struct {
		what string
		all  []float64
	}{{"share → Unbound blocks", blocked}, {"withdraw → Unbound answers", answers}} {
		f.add(figure{what: w.what + ", p50 of 200, beside 1M", unit: seconds, got: quantile(w.all, 0.5), most: 0.05})
		f.add(figure{what: w.what + ", p99", unit: seconds, got: quantile(w.all, 0.99), most: 1})
	}
}
