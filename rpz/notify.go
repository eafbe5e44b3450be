package rpz

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// A Notifier tells secondaries that a zone has changed (NOTIFY, RFC 1996),
// again and again until they answer. To one place about one zone it has one
// question out at a time, and a newer serial takes the place of the older.
//
// A lost NOTIFY is no lost change: secondaries also look by themselves, every
// [Terms].Refresh seconds.
type Notifier struct {
	Keys  Keys             // nil: nobody signs
	Local netip.Addr       // the address that secondaries know us by; zero: the system chooses
	Heard func(Notice)     // if set, told when a place has answered or we gave up
	Log   *slog.Logger     // nil: slog.Default()
	Now   func() time.Time // nil: time.Now

	// First is how long to wait for the first answer, one second if zero; the
	// wait doubles with each of Tries, six if zero: a minute in all.
	First time.Duration
	Tries int

	mu    sync.Mutex
	calls map[place]*call
	ready []*call
	wake  chan struct{}
}

// A Notice is how things stand with one secondary and one zone.
type Notice struct {
	Subscriber string
	Origin     string
	Target     netip.AddrPort
	Serial     uint32    // the newest that it is to know of
	Answered   uint32    // the newest that it has said to know of
	AnsweredAt time.Time // zero: never
	Err        error     // of the last try; nil after an answer
	ErrAt      time.Time
	Pending    bool // still trying
}

type place struct {
	origin string
	target netip.AddrPort
}

// A call is what there is to say to a place. The Notifier's mutex guards it.
type call struct {
	notice Notice
	key    string
	news   bool     // the serial has changed since it was last sent
	conn   net.Conn // while a question is out
	asked  time.Time
}

// Tell has the secondaries of sub know that the zone named origin now has
// serial. It does not wait: Run sends.
func (n *Notifier) Tell(sub Subscriber, origin string, serial uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, target := range sub.Notify {
		c, known := n.calls[place{origin, target}]
		if !known {
			c = n.add(origin, target)
		} else if newer(c.notice.Serial, serial) {
			continue // two that tell at once may come in the wrong order
		}
		c.notice.Subscriber, c.notice.Serial, c.key, c.news = sub.Name, serial, sub.Key, true
		if !c.notice.Pending {
			c.notice.Pending = true
			n.ready = append(n.ready, c)
		} else if c.conn != nil {
			// Cut a long wait short, but ask no more often than at first.
			c.conn.SetReadDeadline(c.asked.Add(n.wait(1)))
		}
	}
	n.rouse()
}

// Forget drops what is known of a target that no longer takes the zone.
func (n *Notifier) Forget(origin string, target netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.calls, place{origin, target})
}

// Status returns how things stand, by origin and target.
func (n *Notifier) Status() []Notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []Notice
	for _, c := range n.calls {
		all = append(all, c.notice)
	}
	slices.SortFunc(all, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(a.Origin, b.Origin), a.Target.Compare(b.Target))
	})
	return all
}

// Run sends until ctx ends, and returns when no question is out.
func (n *Notifier) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	n.mu.Lock()
	n.rouse()
	wake := n.wake
	n.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wake:
		}
		n.mu.Lock()
		for _, c := range n.ready {
			wg.Go(func() { n.pursue(ctx, c) })
		}
		n.ready = nil
		n.mu.Unlock()
	}
}

func (n *Notifier) add(origin string, target netip.AddrPort) *call {
	if n.calls == nil {
		n.calls = map[place]*call{}
	}
	c := &call{notice: Notice{Origin: origin, Target: target}}
	n.calls[place{origin, target}] = c
	return c
}

func (n *Notifier) rouse() {
	if n.wake == nil {
		n.wake = make(chan struct{}, 1)
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *Notifier) now() time.Time {
	if n.Now != nil {
		return n.Now()
	}
	return time.Now()
}

// wait is how long the try, counted from one, waits for its answer.
func (n *Notifier) wait(try int) time.Duration {
	return or(n.First, time.Second) << min(try-1, 10)
}

// pursue asks until the place has answered for the newest serial, or we give
// up.
func (n *Notifier) pursue(ctx context.Context, c *call) {
	for try := 1; ; try++ {
		n.mu.Lock()
		serial, key := c.notice.Serial, c.key
		c.news = false
		n.mu.Unlock()
		began := time.Now()
		err := n.ask(ctx, c, serial, key, n.wait(try))
		if err != nil && !answered(err) {
			// It may have gone wrong at once.
			rest(ctx, time.Until(began.Add(n.wait(1))))
		}
		if ctx.Err() != nil {
			return
		}
		notice, news := n.settle(c, serial, err, try)
		if news {
			try = 0
		}
		if notice.Pending {
			continue
		}
		if err != nil {
			or(n.Log, slog.Default()).Warn("notify", "zone", notice.Origin, "target", notice.Target, "serial", serial, "err", err)
		}
		if n.Heard != nil {
			n.Heard(notice)
		}
		return
	}
}

// settle writes down what became of a try, and whether another is to follow.
func (n *Notifier) settle(c *call, serial uint32, err error, try int) (notice Notice, news bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.notice.Err = err
	if err == nil {
		c.notice.Answered, c.notice.AnsweredAt = serial, n.now()
	} else {
		c.notice.ErrAt = n.now()
	}
	gone := n.calls[place{c.notice.Origin, c.notice.Target}] != c
	over := answered(err) || try >= or(n.Tries, 6)
	c.notice.Pending = !gone && (c.news || !over)
	return c.notice, c.news
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

var (
	errSilent   = errors.New("no answer")
	errUnsigned = errors.New("answered without a valid signature")
)

// A refusal is an answer that says no. Asking again would not change it.
type refusal int

func (r refusal) Error() string {
	return "answered " + or(map[refusal]string{
		rcodeFormat: "FORMERR", rcodeNotImpl: "NOTIMP", rcodeRefused: "REFUSED", rcodeNotAuth: "NOTAUTH",
	}[r], fmt.Sprint("rcode ", int(r)))
}

// answered reports whether err came with an answer.
func answered(err error) bool { return err == nil || errors.As(err, new(refusal)) }

// ask sends one question and waits for its answer.
func (n *Notifier) ask(ctx context.Context, c *call, serial uint32, key string, wait time.Duration) error {
	msg, seal, err := n.message(c.notice.Origin, serial, key)
	if err != nil {
		return err
	}
	d := net.Dialer{}
	if n.Local.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Local, 0))
	}
	conn, err := d.DialContext(ctx, "udp", c.notice.Target.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	n.out(c, conn, wait)
	defer n.out(c, nil, 0)
	if _, err := conn.Write(msg); err != nil {
		return err
	}
	return await(conn, msg, seal)
}

// out notes that a question is out on conn, or with nil that none is.
func (n *Notifier) out(c *call, conn net.Conn, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.conn, c.asked = conn, time.Now()
	if c.news {
		wait = min(wait, n.wait(1))
	}
	if conn != nil {
		conn.SetReadDeadline(c.asked.Add(wait))
	}
}

// message returns a NOTIFY, and the seal that its answer must fit. The SOA in
// it lets a secondary that is up to date spare itself the look (RFC 1996, 3.7).
func (n *Notifier) message(origin string, serial uint32, key string) ([]byte, *seal, error) {
	b := binary.BigEndian.AppendUint16(nil, uint16(rand.Uint32()))
	b = append(b, opNotify<<3|flagAA>>8, 0, 0, 1, 0, 1, 0, 0, 0, 0)
	b, ok := appendName(b, origin)
	if !ok {
		return nil, nil, fmt.Errorf("zone %q has no name that fits in DNS", origin)
	}
	b = append(b, 0, typeSOA, 0, classIN)
	terms := Terms{}.withDefaults()
	b = appendRecord(b, headerLen, typeSOA, terms.TTL, terms.soa(serial))
	if key == "" {
		return b, nil, nil
	}
	if n.Keys == nil {
		return nil, nil, fmt.Errorf("key %q is not known", key)
	}
	k, ok := n.Keys.Key(key)
	if !ok {
		return nil, nil, fmt.Errorf("key %q is not known", key)
	}
	s, ok := newSeal(k, n.now)
	if !ok {
		return nil, nil, fmt.Errorf("key %q can't be used with %q", key, k.Algorithm)
	}
	return s.sign(b, 0), s, nil
}

// await reads until the answer to msg comes, or the deadline. What is not
// signed as it should be may be anyone's: it is passed over, and reported if
// nothing better comes.
func await(conn net.Conn, msg []byte, s *seal) error {
	failure := errSilent
	asked, _ := parse(msg)
	buf := make([]byte, maxQuestion)
	for {
		size, err := conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return failure
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			failure = err // ICMP says that nobody listens there; by the next try someone may
			continue
		}
		a, ok := parse(buf[:size])
		if !ok || a.flags&flagQR == 0 || a.opcode() != opNotify ||
			!bytes.Equal(a.msg[:2], msg[:2]) || !bytes.Equal(a.name, asked.name) {
			continue
		}
		rcode := refusal(a.flags & 0xf)
		if s != nil && !s.covers(a) {
			failure = errUnsigned
			if rcode != 0 {
				failure = fmt.Errorf("%w: %s", errUnsigned, rcode)
			}
			continue
		}
		if rcode != 0 {
			return rcode
		}
		return nil
	}
}
