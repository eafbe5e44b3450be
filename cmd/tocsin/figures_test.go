package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// TestFigures measures the exchange as an operator runs it: founded by
// "tocsin init", served by "tocsin serve" in a process of its own, and used over
// HTTP and DNS. It prints one table. A figure that misses its reach is printed as
// such and fails nothing: how fast a machine is that does other things too is not
// for a test to judge.
func TestFigures(t *testing.T) {
	if os.Getenv("TOCSIN_BENCH") == "" {
		t.Skip("a measurement of some minutes; run it with: make bench")
	}
	f := measure(t, "make bench")
	f.step("list", importOf200k)
	f.step("events", events)
	f.step("event", oneLargeEvent)
	f.step("transfer", transfers)
	f.step("lists", listsOut)
	f.step("searches", searchesOut)
	f.step("postgres", onPostgres)
	f.step("nodes", twoNodes)
	f.step("secondaries", secondaries)
	f.step("backup", backups)
	f.step("million", func(t *testing.T, f *figures) { large(t, f, million) })
	f.step("subscribers", manySubscribers)
}

// TestSoak measures ten million, which takes most of an hour.
func TestSoak(t *testing.T) {
	if os.Getenv("TOCSIN_SOAK") == "" {
		t.Skip("a measurement of most of an hour; run it with: make soak")
	}
	f := measure(t, "make soak")
	f.step("folder", importIntoFolder)
	f.step("tenmillion", func(t *testing.T, f *figures) { large(t, f, ten) })
}

// Figures are what was measured in one run.
type figures struct {
	t    *testing.T
	rows []figure
}

// A figure is one number, what it should reach, and what something else reached
// in the same run on the same machine.
type figure struct {
	what  string
	unit  unit
	got   float64
	most  float64 // the reach, one of these; none for what is only to be known
	least float64
	times float64 // at least so many times as fast as the reference

	reference float64
	of        string // what the reference is
}

// ratio is how many times as fast as the reference: less time, or more a second.
func (f figure) ratio() float64 {
	switch {
	case f.reference == 0 || f.got == 0:
		return 0
	case f.unit == rate:
		return f.got / f.reference
	}
	return f.reference / f.got
}

func (f figure) missed() bool {
	return f.most > 0 && f.got > f.most || f.least > 0 && f.got < f.least || f.times > 0 && f.ratio() < f.times
}

func (f figure) reach() (s string) {
	switch {
	case f.most > 0:
		s = "≤ " + f.unit.text(f.most)
	case f.least > 0:
		s = "≥ " + f.unit.text(f.least)
	case f.times > 0:
		s = fmt.Sprintf("≥ %g × reference", f.times)
	}
	if f.missed() {
		s += ", missed"
	}
	return s
}

func (f figure) row() string {
	reference, ratio := "", ""
	if f.reference > 0 {
		reference, ratio = f.unit.text(f.reference)+" "+f.of, fmt.Sprintf("%.2f", f.ratio())
	}
	return strings.Join([]string{f.what, f.unit.text(f.got), f.reach(), reference, ratio}, "\t| ")
}

// A unit is that of a figure.
type unit int

const (
	seconds unit = iota
	rate         // a second
	megabytes
	share // of one core
)

func (u unit) text(n float64) string {
	switch {
	case u == share:
		return fmt.Sprintf("%.1f %%", n*100)
	case u == megabytes:
		return fmt.Sprintf("%.0f MB", n)
	case u == rate && n >= 1e6:
		return fmt.Sprintf("%.2fM/s", n/1e6)
	case u == rate && n >= 1e4:
		return fmt.Sprintf("%.0fk/s", n/1e3)
	case u == rate:
		return fmt.Sprintf("%.0f/s", n)
	case n < 0.01:
		return fmt.Sprintf("%.1f ms", n*1e3)
	case n < 1:
		return fmt.Sprintf("%.0f ms", n*1e3)
	case n >= 10:
		return fmt.Sprintf("%.0f s", n)
	}
	return fmt.Sprintf("%.2g s", n)
}

// measure begins a table, which is printed when the test ends, however it ends.
func measure(t *testing.T, command string) *figures {
	f := &figures{t: t}
	begun, before := time.Now(), load()
	t.Cleanup(func() {
		fmt.Printf("\n%s: %s, %s, %d cores; load %s before and %s after; %.0f s\n", command, revision(), runtime.Version(), runtime.NumCPU(),
			before, load(), time.Since(begun).Seconds())
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
		fmt.Fprintln(w, "what\t| measured\t| reach\t| reference in the same run\t| times as fast")
		for _, r := range f.rows {
			fmt.Fprintln(w, r.row())
		}
		w.Flush()
	})
	return f
}

// step measures something with exchanges of its own, which end with it.
// TOCSIN_STEPS names the steps to take, if not all.
func (f *figures) step(name string, fn func(*testing.T, *figures)) {
	only := os.Getenv("TOCSIN_STEPS")
	if only != "" && !slices.Contains(strings.Split(only, ","), name) {
		return
	}
	f.t.Run(name, func(t *testing.T) { fn(t, f) })
}

// add notes a figure, and says it at once: a run takes minutes.
func (f *figures) add(r figure) {
	f.rows = append(f.rows, r)
	fmt.Println(strings.ReplaceAll(r.row(), "\t", " "))
}

func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "no revision"
	}
	return strings.TrimSpace(string(out))
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(b))[0]
}

// median runs something a few times and returns the middle one.
func median(times int, fn func() float64) float64 {
	var all []float64
	for range times {
		all = append(all, fn())
	}
	return quantile(all, 0.5)
}

func quantile(all []float64, q float64) float64 {
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// timed returns how many seconds something takes.
func timed(fn func()) float64 {
	begun := time.Now()
	fn()
	return time.Since(begun).Seconds()
}
