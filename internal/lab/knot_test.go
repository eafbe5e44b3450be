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

// Knot DNS and NSD are secondaries too: further opinions of a primary.
func TestKnotFollowsAPrimary(t *testing.T) {
	p := startPolicy(t, "evil.example")
	follows(t, p, lab.StartKnot(t, p.knot()))
}

func TestNSDFollowsAPrimary(t *testing.T) {
	p := startPolicy(t, "evil.example")
	follows(t, p, lab.StartNSD(t, p.nsd()))
}

func follows(t *testing.T, p *policy, s *lab.Server) {
	t.Helper()
	s.Wait(t, "evil.example.block.rpz", "transfer", func(a lab.Answer) bool {
		return a.Rcode == dns.RcodeSuccess && len(a.Msg.Answer) == 1
	})
	p.change(t, step{removed: []string{"evil.example"}}, s.Addr())
	s.Wait(t, "evil.example.block.rpz", "drop", func(a lab.Answer) bool {
		return a.Rcode == dns.RcodeNameError
	})
}
