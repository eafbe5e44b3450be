package rpz

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// secondary answers NOTIFY as it is told to. It shares no code with us.
type secondary struct {
	*net.UDPConn
	t    *testing.T
	addr netip.AddrPort
	key  *Key
}

func newSecondary(t *testing.T, key *Key) *secondary {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &secondary{c, t, c.LocalAddr().(*net.UDPAddr).AddrPort(), key}
}

// asked returns the next NOTIFY, its serial, and the way to answer it.
func (s *secondary) asked() (uint32, func(edit func(*dns.Msg))) {
	s.t.Helper()
	buf := make([]byte, 4096)
	s.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, from, err := s.ReadFromUDPAddrPort(buf)
	if errors.Is(err, net.ErrClosed) {
		return 0, nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(buf[:n]); err != nil {
		s.t.Fatal(err)
	}
	if m.Opcode != dns.OpcodeNotify || !m.Authoritative || len(m.Answer) != 1 {
		s.t.Errorf("not a NOTIFY: %v", m)
	}
	mac := ""
	if s.key != nil {
		if err := dns.TsigVerify(buf[:n], s.key.secret64(), "", false); err != nil {
			s.t.Errorf("signature of NOTIFY: %v", err)
		}
		mac = m.IsTsig().MAC
	}
	return m.Answer[0].(*dns.SOA).Serial, func(edit func(*dns.Msg)) {
		a := new(dns.Msg).SetReply(m)
		if edit != nil {
			edit(a)
		}
		var wire []byte
		if s.key != nil && a.Rcode != dns.RcodeNotAuth {
			a.SetTsig(s.key.Name+".", s.key.Algorithm+".", 300, time.Now().Unix())
			wire, _, err = dns.TsigGenerate(a, s.key.secret64(), mac, false)
		} else {
			wire, err = a.Pack()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		s.WriteToUDPAddrPort(wire, from)
	}
}

// oblige answers for serial alone, until the notifier has heard: on a busy
// machine an answer may come too late for the try it answers.
func (s *secondary) oblige(serial uint32, heard chan Notice) Notice {
	s.t.Helper()
	result := make(chan Notice)
	go func() {
		n := <-heard
		s.Close()
		result <- n
	}()
	for {
		got, answer := s.asked()
		if answer == nil {
			return within(s.t, result)
		}
		if got == serial {
			answer(nil)
		} else if newer(got, serial) {
			s.t.Errorf("told of serial %d", got)
		}
	}
}

func newNotifier(t *testing.T, n *Notifier) chan Notice {
	heard, done := make(chan Notice, 10), make(chan bool)
	n.Heard = func(n Notice) { heard <- n }
	go func() { n.Run(t.Context()); close(done) }()
	t.Cleanup(func() { <-done })
	return heard
}

func TestNotify(t *testing.T) {
	shelf := newShelf()
	key := shelf.admit("hmac-sha256")
	for _, test := range []struct {
		name string
		key  *Key
		sub  Subscriber
	}{
		{"unsigned", nil, Subscriber{Name: "isp"}},
		{"signed", &key, Subscriber{Name: "isp", Key: key.Name}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSecondary(t, test.key)
			test.sub.Notify = []netip.AddrPort{s.addr}
			n := &Notifier{Keys: shelf, First: 10 * time.Millisecond, Tries: 1000}
			heard := newNotifier(t, n)
			n.Tell(test.sub, "rpz.example.", 7)

			// It asks until it is answered by the right one.
			for range 3 {
				s.asked()
			}
			_, answer := s.asked()
			answer(func(m *dns.Msg) { m.Id++ })
			_, answer = s.asked()
			answer(func(m *dns.Msg) { m.Question[0].Name = "other.example." })
			_, answer = s.asked()
			answer(func(m *dns.Msg) { m.Opcode = dns.OpcodeQuery })
			s.asked()

			// A newer serial supersedes, an older does not.
			n.Tell(test.sub, "rpz.example.", 8)
			n.Tell(test.sub, "rpz.example.", 6)
			got := s.oblige(8, heard)
			if got.Serial != 8 || got.Answered != 8 || got.AnsweredAt.IsZero() || got.Err != nil || got.Pending {
				t.Errorf("%+v", got)
			}
			if st := n.Status(); len(st) != 1 || st[0] != got {
				t.Errorf("status %+v", st)
			}
			n.Forget("rpz.example.", s.addr)
			if st := n.Status(); len(st) != 0 {
				t.Errorf("status %+v", st)
			}
		})
	}
}

// TestNotifySeveral sees that a subscriber's servers are told each by itself: one
// that is silent, or says no, holds up nobody.
func TestNotifySeveral(t *testing.T) {
	shelf := newShelf()
	key := shelf.admit("hmac-sha384")
	silent, refuses, fine, late := newSecondary(t, &key), newSecondary(t, &key), newSecondary(t, &key), newSecondary(t, &key)
	sub := Subscriber{Name: "isp", Key: key.Name, Notify: []netip.AddrPort{silent.addr, refuses.addr, fine.addr, late.addr}}
	n := &Notifier{Keys: shelf, First: 50 * time.Millisecond, Tries: 4}
	heard := newNotifier(t, n)
	n.Tell(sub, "rpz.example.", 7)
	_, answer := refuses.asked()
	answer(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused })
	_, answer = fine.asked()
	answer(nil)
	late.asked()
	late.asked()
	_, answer = late.asked()
	answer(nil)
	got := map[netip.AddrPort]Notice{}
	for range sub.Notify {
		notice := within(t, heard)
		got[notice.Target] = notice
	}
	if n := got[fine.addr]; n.Answered != 7 || n.Err != nil {
		t.Errorf("%+v", n)
	}
	if n := got[late.addr]; n.Answered != 7 || n.Err != nil {
		t.Errorf("the one that answered the third: %+v", n)
	}
	if n := got[refuses.addr]; n.Answered != 0 || !errors.Is(n.Err, refusal(rcodeRefused)) {
		t.Errorf("%+v", n)
	}
	if n := got[silent.addr]; n.Answered != 0 || !errors.Is(n.Err, errSilent) {
		t.Errorf("%+v", n)
	}
	for i, want := range []time.Duration{50, 100, 200, 400} {
		if got := n.wait(i + 1); got != want*time.Millisecond {
			t.Errorf("try %d waits %v", i+1, got)
		}
	}
}

func TestNotifyGivesUp(t *testing.T) {
	key := Key{Name: "isp", Algorithm: "hmac-sha512", Secret: []byte("s")}
	shelf := newShelf()
	shelf.keys["isp"] = key
	for _, test := range []struct {
		name   string
		key    *Key
		answer func(*dns.Msg) // nil: none
		tries  int
		want   error
	}{
		{"silence", nil, nil, 3, errSilent},
		{"refusal", nil, func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }, 1, refusal(rcodeRefused)},
		{"unsigned refusal", &key, func(m *dns.Msg) { m.Rcode = dns.RcodeNotAuth }, 3, errUnsigned},
		{"signed refusal", &key, func(m *dns.Msg) { m.Rcode = dns.RcodeNotImplemented }, 1, refusal(rcodeNotImpl)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSecondary(t, test.key)
			n := &Notifier{Keys: shelf, First: 10 * time.Millisecond, Tries: 3}
			heard := newNotifier(t, n)
			sub := Subscriber{Name: "isp", Notify: []netip.AddrPort{s.addr}}
			if test.key != nil {
				sub.Key = test.key.Name
			}
			for serial := uint32(7); serial < 9; serial++ { // and begins anew with the next change
				n.Tell(sub, "rpz.example.", serial)
				for range test.tries {
					if _, answer := s.asked(); test.answer != nil {
						answer(test.answer)
					}
				}
				if got := within(t, heard); !errors.Is(got.Err, test.want) || got.ErrAt.IsZero() || got.Pending || !got.AnsweredAt.IsZero() {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// TestNotifyAtOnce sees that a change does not wait out the long pause that an
// absent secondary has brought about, and yet keeps the shortest.
func TestNotifyAtOnce(t *testing.T) {
	n := &Notifier{First: time.Minute}
	sub := Subscriber{Name: "isp", Notify: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}}
	n.Tell(sub, "rpz.example.", 7)
	c, conn := n.ready[0], new(deadline)
	n.ready, c.news = nil, false
	n.out(c, conn, 16*time.Minute)
	if got := conn.Sub(c.asked); got != 16*time.Minute {
		t.Errorf("waits %v", got)
	}
	n.Tell(sub, "rpz.example.", 8)
	if got := conn.Sub(c.asked); got != time.Minute {
		t.Errorf("waits %v", got)
	}
	if len(n.ready) != 0 {
		t.Error("two questions at a time")
	}
}

// deadline is a connection of which only that is of interest.
type deadline struct {
	net.Conn
	time.Time
}

func (d *deadline) SetReadDeadline(t time.Time) error { d.Time = t; return nil }
