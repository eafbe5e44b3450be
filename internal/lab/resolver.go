package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Server is a DNS server that runs as a process.
type Server struct {
	*Process
	addr string
}

// A Resolver is a recursive DNS server whose Internet is a [Root].
type Resolver struct{ Server }

// An Answer is what a server said.
type Answer struct {
	Name  string
	Rcode int          // dns.RcodeSuccess, dns.RcodeNameError, …
	Addrs []netip.Addr // from A and AAAA records, in the answer's order
	Msg   *dns.Msg     // the whole of it
}

// Honest tells whether the answer is what [Root] says of the name.
func (a Answer) Honest() bool {
	return a.Rcode == dns.RcodeSuccess &&
		(slices.Contains(a.Addrs, Address(a.Name)) || slices.Contains(a.Addrs, Address6(a.Name)))
}

// Blocked tells whether a policy spoke: no such name, no such data, or another
// address. A server's failure is no block.
func (a Answer) Blocked() bool {
	return a.Rcode == dns.RcodeNameError || a.Rcode == dns.RcodeSuccess && !a.Honest()
}

func (a Answer) String() string {
	return fmt.Sprintf("%s %s %v", a.Name, dns.RcodeToString[a.Rcode], a.Addrs)
}

// Addr returns the host and port of the server.
func (s *Server) Addr() string { return s.addr }

// Lookup asks once for the IPv4 address of a name, over UDP.
func (s *Server) Lookup(ctx context.Context, name string) (Answer, error) {
	return s.Ask(ctx, name, dns.TypeA)
}

// Ask asks one question over UDP, with recursion desired and EDNS, so that the
// answer may carry an extended error (RFC 8914).
func (s *Server) Ask(ctx context.Context, name string, qtype uint16) (Answer, error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype).SetEdns0(1232, false)
	return s.exchange(ctx, q)
}

func (s *Server) exchange(ctx context.Context, q *dns.Msg) (Answer, error) {
	a := Answer{Name: strings.TrimSuffix(q.Question[0].Name, ".")}
	m, _, err := new(dns.Client).ExchangeContext(ctx, q, s.addr)
	if err != nil {
		return a, fmt.Errorf("ask %s about %s: %w", s, a.Name, err)
	}
	a.Rcode, a.Msg = m.Rcode, m
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			ip, _ := netip.AddrFromSlice(rr.A.To4())
			a.Addrs = append(a.Addrs, ip)
		case *dns.AAAA:
			ip, _ := netip.AddrFromSlice(rr.AAAA)
			a.Addrs = append(a.Addrs, ip)
		}
	}
	return a, nil
}

// WaitBlocked asks for a name until a policy answers, and returns how long
// that took.
func (s *Server) WaitBlocked(tb testing.TB, name string) time.Duration {
	tb.Helper()
	return s.Wait(tb, name, "block", Answer.Blocked)
}

// WaitAnswers asks for a name until Root's own address comes back, and returns
// how long that took.
func (s *Server) WaitAnswers(tb testing.TB, name string) time.Duration {
	tb.Helper()
	return s.Wait(tb, name, "answer", Answer.Honest)
}

// Wait asks for a name until an answer is as it should be. A query that gets
// no answer is asked again.
func (s *Server) Wait(tb testing.TB, name, what string, is func(Answer) bool) time.Duration {
	tb.Helper()
	return s.wait(tb, what+" "+name, func() (bool, any) {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		defer cancel()
		a, err := s.Lookup(ctx, name)
		if err != nil {
			return false, err
		}
		return is(a), a
	})
}

// ready waits until the server answers at all. The question is of class CHAOS:
// it touches no cache, no zone and no policy.
func (s *Server) ready(tb testing.TB) {
	tb.Helper()
	q := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	q.Question[0].Qclass = dns.ClassCHAOS
	s.wait(tb, "start", func() (bool, any) {
		ctx, cancel := context.WithTimeout(tb.Context(), 50*pace)
		defer cancel()
		_, err := s.exchange(ctx, q)
		return err == nil, err
	})
}
