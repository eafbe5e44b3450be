package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"tocsin"
	"tocsin/rpz"
	"tocsin/store"
)

// enlist adds n subscribers to a world, of keys and of networks that overlap.
func (w *world) enlist(collection int64, n int) {
	w.t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	w.write(func(tx *store.Tx) error {
		for i := range n {
			s := &tocsin.Subscriber{Name: fmt.Sprint("resolver-", i), Org: w.orgs["telco"], Collection: collection}
			if i%2 == 0 {
				s.TSIG = &tocsin.TSIG{Name: fmt.Sprint("Key-", i), Algorithm: "hmac-sha256", Secret: tocsin.NewSecret([]byte("secret"))}
			}
			for range min(r.IntN(3), i) { // the first may ask from anywhere
				a := netip.AddrFrom4([4]byte{10, byte(r.IntN(4)), byte(r.IntN(256)), byte(r.IntN(256))})
				s.Allow = append(s.Allow, netip.PrefixFrom(a, []int{8, 16, 24, 32}[r.IntN(4)]).Masked())
			}
			if i%10 == 1 {
				s.Allow = append(s.Allow, netip.MustParsePrefix("2001:db8::/32"))
			}
			if err := store.Put(tx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestRoster compares who is found with asking every subscriber in turn.
func TestRoster(t *testing.T) {
	w := newWorld(t, "telco")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.enlist(c, 200)
	var r roster
	check := func() (found int) {
		rnd := rand.New(rand.NewPCG(2, 2))
		for i := range 2000 {
			p := rpz.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(rnd.IntN(5)), byte(rnd.IntN(256)), byte(rnd.IntN(256))}), 53)}
			switch i % 3 {
			case 1:
				p.Key = fmt.Sprint("key-", rnd.IntN(210))
			case 2:
				p.Addr = netip.MustParseAddrPort("[2001:db8::53]:53")
			}
			var want, got []int64
			for s := range w.DB.As(registrar).Subscribers() {
				if subscriber(s).Admits(p) {
					want = append(want, s.ID)
				}
			}
			for _, m := range r.members(w.DB).admit(p) {
				got = append(got, m.id)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%+v is taken for %v; want %v", p, got, want)
			}
			found += len(got)
		}
		return found
	}
	before := check()
	w.write(func(tx *store.Tx) error {
		for id := int64(1); id <= 50; id++ {
			if err := store.Remove[*tocsin.Subscriber](tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if after := check(); after >= before || after == 0 {
		t.Errorf("%d were found of all, %d without a quarter of them", before, after)
	}
}

// BenchmarkWhoAsks is what a question for a zone costs before it is answered.
func BenchmarkWhoAsks(b *testing.B) {
	for _, n := range []int{50, 500, 5000} {
		b.Run(fmt.Sprint(n, " subscribers"), func(b *testing.B) {
			w := newWorld(b, "telco")
			w.enlist(w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"}), n)
			w.settle()
			z := &zones{db: w.DB, set: w.Collections}
			who := rpz.Peer{Addr: netip.MustParseAddrPort("198.51.100.1:53"), Key: "key-0"}
			for b.Loop() {
				if _, _, ok := z.Zone("rpz.example.", who); !ok {
					b.Fatal("not found")
				}
				if _, ok := z.Key(who.Key); !ok {
					b.Fatal("no key")
				}
			}
		})
	}
}
