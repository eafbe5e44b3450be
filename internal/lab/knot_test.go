package lab_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/miekg/dns"

	"tocsin/internal/lab"
)

const zoneFile = `$TTL 60
@ SOA localhost. root.localhost. 7 3600 60 86400 60
@ NS localhost.
evil.example CNAME .
`

func TestKnotServesAZone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "block.rpz.zone")
	if err := os.WriteFile(file, []byte(zoneFile), 0o644); err != nil {
		t.Fatal(err)
	}
	knot := lab.Knot(t, "block.rpz.", file)

	envelopes, err := new(dns.Transfer).In(new(dns.Msg).SetAxfr("block.rpz."), knot.Addr())
	if err != nil {
		t.Fatal(err)
	}
	var records []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			t.Fatal(e.Error)
		}
		records = append(records, e.RR...)
	}
	if len(records) != 4 || records[0].(*dns.SOA).Serial != 7 {
		t.Errorf("transferred %v", records)
	}
}

// Knot DNS is a secondary too: a fourth opinion of a primary.
func TestKnotFollowsAPrimary(t *testing.T) {
	p := startPolicy(t, "evil.example")
	knot := lab.StartKnot(t, p.knot())
	knot.Wait(t, "evil.example.block.rpz", "transfer", func(a lab.Answer) bool {
		return a.Rcode == dns.RcodeSuccess && len(a.Msg.Answer) == 1
	})
	p.change(t, step{removed: []string{"evil.example"}}, knot.Addr())
	knot.Wait(t, "evil.example.block.rpz", "drop", func(a lab.Answer) bool {
		return a.Rcode == dns.RcodeNameError
	})
}
