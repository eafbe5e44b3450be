package main

import (
	"errors"
	"net/netip"
	"testing"

	"tocsin/rpz"
)

// TestHeld sees what the exchange knows of a subscriber's servers, by what they
// ask and are sent.
func TestHeld(t *testing.T) {
	var h held
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	say := func(from netip.Addr, kind rpz.Kind, held, serial uint32, told bool, err error) {
		h.served(rpz.Handover{Subscriber: rpz.Subscriber{Name: "isp"}, Peer: rpz.Peer{Addr: netip.AddrPortFrom(from, 53)},
			Origin: "rpz.example.", Kind: kind, Held: held, Told: told, Serial: serial, Err: err})
	}
	is := func(what string, want uint32) {
		t.Helper()
		if got, at := h.serial("isp", "RPZ.example"); got != want || at.IsZero() {
			t.Errorf("%s: serial %d since %v, want %d", what, got, at, want)
		}
	}
	broken := errors.New("broken off")
	say(a, rpz.Full, 0, 7, false, broken)
	if _, at := h.serial("isp", "rpz.example"); !at.IsZero() {
		t.Error("a transfer that broke off is one that was taken")
	}
	say(a, rpz.Full, 0, 7, false, nil)
	is("after a full transfer", 7)
	say(a, rpz.Incremental, 7, 9, true, broken)
	is("after one that broke off", 7)
	say(a, rpz.Incremental, 7, 9, true, nil)
	is("after an incremental one", 9)
	say(a, rpz.Current, 9, 9, true, nil)
	is("when there is nothing new", 9)

	say(b, rpz.Full, 0, 8, false, nil)
	is("with a second server that lags", 8)
	if got, _ := h.at("isp", "rpz.example", netip.MustParseAddr("::ffff:192.0.2.1")); got != 9 {
		t.Errorf("the first server holds %d", got)
	}
	if got, _ := h.at("isp", "rpz.example", netip.MustParseAddr("192.0.2.9")); got != 8 {
		t.Errorf("one that is not known holds %d", got)
	}
	say(b, rpz.Incremental, 8, 10, true, nil)
	is("when it has caught up", 9)
	say(a, rpz.Current, 12, 10, true, nil)
	say(b, rpz.Current, 11, 10, true, nil)
	is("ahead of us", 11)
	if len(h.of("isp")) != 2 || len(h.of("other")) != 0 {
		t.Errorf("%+v", h.of("isp"))
	}
	if _, at := h.serial("other", "rpz.example"); !at.IsZero() {
		t.Error("another subscriber holds it, too")
	}

	say(a, rpz.Full, 0, 0xffffffff, false, nil)
	say(b, rpz.Full, 0, 2, false, nil) // RFC 1982: later
	is("round the end of serials", 0xffffffff)
	for i := range 1000 {
		say(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), rpz.Full, 0, 5, false, nil)
		say(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), rpz.Full, 0, 5, false, nil)
	}
	if n := len(h.of("isp")); n > maxServers {
		t.Errorf("%d servers are remembered", n)
	}
}
