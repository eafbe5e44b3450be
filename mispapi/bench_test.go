package mispapi

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// longList is an event of n attributes as MISP writes it, about 300 octets each.
func longList(n, salt int) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"Event":{"info":"a list %d","distribution":"1","Attribute":[`, salt)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%d","type":"domain","category":"Network activity","to_ids":true,"uuid":"%08x-7b06-4a38-8233-%012x","timestamp":"1725148800","distribution":"5","sharing_group_id":"0","comment":"","deleted":false,"disable_correlation":false,"value":"bad-%d-%d.example.org"}`, i+1, i, salt, salt, i)
	}
	b.WriteString(`]}}`)
	return b.String()
}

// BenchmarkAddEvent is the time from the first octet of a request with 200,000
// attributes to the last of its answer.
func BenchmarkAddEvent(b *testing.B) {
	w := twoParties(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		body := longList(200_000, i+1)
		b.StartTimer()
		if got := w.ask("ann", "POST", "/events/add", body); got.status != 200 || len(got.body) < len(body)/2 {
			b.Fatalf("%d %.200s", got.status, got.body)
		}
		b.SetBytes(int64(len(body)))
	}
}

// BenchmarkSearchValue is one lookup by value among 200,000.
func BenchmarkSearchValue(b *testing.B) {
	w := twoParties(b)
	w.ask("ann", "POST", "/events/add", longList(200_000, 1))
	for b.Loop() {
		if got := w.ask("bob", "POST", "/attributes/restSearch", `{"value":"bad-1-777.example.org"}`); got.header.Get("X-Result-Count") != "1" {
			b.Fatal(got.body)
		}
	}
}

// BenchmarkSearchAll streams 200,000 attributes.
func BenchmarkSearchAll(b *testing.B) {
	w := twoParties(b)
	w.ask("ann", "POST", "/events/add", longList(200_000, 1))
	for b.Loop() {
		got := w.ask("bob", "POST", "/attributes/restSearch", `{"type":"domain"}`)
		if got.header.Get("X-Result-Count") != "200001" {
			b.Fatal(got.header, len(got.body))
		}
		b.SetBytes(int64(len(got.body)))
	}
}

// BenchmarkFormats streams 200,000 attributes in each format for programs.
func BenchmarkFormats(b *testing.B) {
	w := twoParties(b)
	w.ask("ann", "POST", "/events/add", longList(200_000, 1))
	w.ask("ann", "POST", "/events/publish/2", "")
	for _, format := range []string{"json", "csv", "text", "rpz", "suricata", "stix2", "xml"} {
		b.Run(format, func(b *testing.B) {
			before := processorTime(b)
			defer func() { b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op") }()
			for b.Loop() {
				got := w.ask("ann", "POST", "/attributes/restSearch", `{"returnFormat":"`+format+`","type":"domain","published":[0,1]}`)
				if len(got.body) < 200_000*8 {
					b.Fatal(got.status, got.header, len(got.body))
				}
				b.SetBytes(int64(len(got.body)))
			}
		})
	}
}

// processorTime is what the process has used of its processors: on a machine that does
// other things too, it says more than the clock.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
