package httpd

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"tocsin"
)

// The doorman slows down those who guess. Each wrong guess costs a token, of the
// address it came from and of whoever it pretended to be; tokens grow back.
//
// A right key is never held up: keys can't be guessed, and one broken script must
// not lock out all who share its address. A password is not even looked at once
// the tokens are gone.
type doorman struct {
	mu      sync.Mutex
	now     func() time.Time
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

const (
	guesses    = 10              // at once
	regrowth   = 6 * time.Second // a token
	maxBuckets = 100_000
)

func (d *doorman) start(now func() time.Time) { d.now, d.buckets = now, map[string]bucket{} }

// admits reports whether all of names still have a token.
func (d *doorman) admits(names ...string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range names {
		if d.level(n) < 1 {
			return false
		}
	}
	return true
}

// level is how many tokens name has by now.
func (d *doorman) level(name string) float64 {
	b, ok := d.buckets[name]
	if !ok {
		return guesses
	}
	return min(guesses, b.tokens+max(0, d.now().Sub(b.at).Seconds())/regrowth.Seconds())
}

// wrong takes a token from each of names. It returns err, or that it is time to
// slow down.
func (d *doorman) wrong(err error, names ...string) error {
	if !d.admits(names...) {
		return errSlow
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range names {
		if len(d.buckets) >= maxBuckets {
			d.sweep()
		}
		d.buckets[n] = bucket{d.level(n) - 1, d.now()}
	}
	return err
}

// sweep forgets buckets that are full again; if none is, all of them: someone
// has a hundred thousand addresses, and memory is what we can save.
func (d *doorman) sweep() {
	for n := range d.buckets {
		if d.level(n) >= guesses {
			delete(d.buckets, n)
		}
	}
	if len(d.buckets) >= maxBuckets {
		clear(d.buckets)
	}
}

var errSlow = tocsin.Errorf(tocsin.Busy, "too many wrong attempts; wait a minute")

// addressName groups addresses as they are handed out: IPv6 by network.
func addressName(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// personName is an e-mail address as one person writes it in many ways.
func personName(email string) string { return "person " + strings.ToLower(email) }
