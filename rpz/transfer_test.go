package rpz

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// transfer asks as a client that shares no code with the server.
func transfer(t *testing.T, addr string, m *dns.Msg, key *Key) ([]dns.RR, error) {
	t.Helper()
	tr := &dns.Transfer{}
	if key != nil {
		tr.TsigSecret = map[string]string{key.Name + ".": key.secret64()}
		m.SetTsig(key.Name+".", key.Algorithm+".", 300, time.Now().Unix())
	}
	in, err := tr.In(m, addr)
	if err != nil {
		t.Fatal(err)
	}
	var rrs []dns.RR
	for e := range in {
		if e.Error != nil {
			err = errors.Join(err, e.Error)
		}
		rrs = append(rrs, e.RR...)
	}
	return rrs, err
}

func TestAXFR(t *testing.T) {
	// Enough for several messages, so that signatures chain.
	b := newBook("rpz.example.", 7, many("evil", 5000)...)
	shelf := newShelf(b)
	for _, alg := range []string{"hmac-sha256", "hmac-sha384", "hmac-sha512"} {
		shelf.admit(alg)
	}
	var served []Handover
	done := make(chan bool, 10)
	addr := start(t, &Server{Zones: shelf, Keys: shelf, Served: func(h Handover) { served = append(served, h); done <- true }})
	for _, key := range shelf.keys {
		t.Run(key.Algorithm, func(t *testing.T) {
			rrs, err := transfer(t, addr.String(), new(dns.Msg).SetAxfr("rpz.example."), &key)
			if err != nil {
				t.Fatal(err)
			}
			if want := records(b.latest()); !slices.Equal(cnames(rrs), want) {
				t.Errorf("%d names, want %d", len(cnames(rrs)), len(want))
			}
			for _, i := range []int{0, len(rrs) - 1} {
				if soa, ok := rrs[i].(*dns.SOA); !ok || soa.Serial != 7 {
					t.Errorf("record %d is %v, want the SOA", i, rrs[i])
				}
			}
			if ns, ok := rrs[1].(*dns.NS); !ok || ns.Ns != "localhost." {
				t.Errorf("the second record is %v", rrs[1])
			}
			within(t, done)
			h := served[len(served)-1]
			if h.Subscriber.Name != key.Name || h.Origin != "rpz.example." || h.Serial != 7 || h.Kind != Full || h.Err != nil || h.Bytes < 200_000 {
				t.Errorf("handed over %+v", h)
			}
		})
	}
	if _, err := transfer(t, addr.String(), new(dns.Msg).SetAxfr("rpz.example."), nil); err == nil {
		t.Error("a transfer without key was allowed")
	}
}
