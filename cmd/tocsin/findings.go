package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/rpz"
)

// findings is the doctor's half within the server: what only the process itself
// can know. It is for those who run the exchange.
func (x *exchange) findings(c config) httpd.Handler {
	return func(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
		if !v.SeesAll() {
			return tocsin.Errorf(tocsin.Forbidden, "what the server finds about itself is for site administrators; a read-only key will do")
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := json.NewEncoder(w)
		for _, f := range x.examine(r.Context(), c, time.Now()) {
			if err := out.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
}

func (x *exchange) examine(ctx context.Context, c config, now time.Time) (found []finding) {
	add := func(check string, fs ...finding) {
		for _, f := range fs {
			if f.Check == "" {
				f.Check = check
			}
			found = append(found, f)
		}
	}
	add("", folderFindings(c.Data, now)...)
	if key := c.sealKey(); filepath.Dir(key) != filepath.Clean(c.Data) {
		add("permissions", private(key))
	}
	add("files", files(openFiles()))
	add("memory", memory(meminfo()))
	if replaced() {
		add("version", note("systemctl restart tocsin", "another program was installed since the server started"))
	}
	if c.TLSCert != "" {
		add("certificate", certificate(c.TLSCert, c.TLSKey, now, nil)...)
		add("certificate", private(c.TLSKey))
	}
	add("DNS", x.answersDNS(ctx)...)
	add("DNS", x.withinReach()...)
	notices := x.notifier.Status()
	for _, r := range x.receivers.all() {
		add(r.Subscriber, receives(r, noticesOf(notices, r), x.DNSAddr, now))
	}
	return found
}

// answersDNS asks ourselves over UDP and TCP, at the addresses that others use.
// REFUSED is an answer: we are no subscriber of ours.
func (x *exchange) answersDNS(ctx context.Context) (found []finding) {
	for _, addr := range outside(x.dns()) {
		for _, network := range []string{"udp", "tcp"} {
			if err := answers(ctx, network, addr); err != nil {
				found = append(found, ill("let UDP and TCP through to it: nft list ruleset, iptables -L", "no answer at %s over %s: %s", addr, network, err).
					because("resolvers ask over UDP what is new, and fetch zones over TCP"))
			}
		}
	}
	if len(found) == 0 {
		found = append(found, well("answers over UDP and TCP at %s", x.DNSAddr))
	}
	return found
}

// outside are the addresses at which others find who listens on at.
func outside(at netip.AddrPort) []netip.AddrPort {
	if !at.Addr().IsUnspecified() {
		return []netip.AddrPort{at}
	}
	var all []netip.AddrPort
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		if ip = ip.Unmap(); ip.IsGlobalUnicast() {
			all = append(all, netip.AddrPortFrom(ip, at.Port()))
		}
	}
	return all
}

// answerWithin is how long the doctor waits for an answer from this machine.
const answerWithin = 2 * time.Second

func answers(ctx context.Context, network string, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	q := new(dns.Msg).SetQuestion(".", dns.TypeSOA)
	_, _, err := (&dns.Client{Net: network, Timeout: answerWithin}).ExchangeContext(ctx, q, at.String())
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it took longer than %s", answerWithin)
	}
	return err
}

// withinReach says which subscribers can't reach us, wherever they are.
func (x *exchange) withinReach() (found []finding) {
	if !x.dns().Addr().IsLoopback() {
		return nil
	}
	for s := range x.DB.As(registrar).Subscribers() {
		for _, p := range s.Allow {
			if !p.Addr().IsLoopback() {
				found = append(found, ill("listen where it can come: --dns ADDR:PORT", "zones are served at %s, and %s is at %s", x.DNSAddr, s.Name, p).
					because("nobody outside this machine can fetch zones"))
				break
			}
		}
	}
	return found
}

const (
	// tardy is for how long a receiver may not hold what is meant for it: some
	// resolvers ask by themselves once in a minute or two.
	tardy = 5 * time.Minute
	// breaksOff is how many transfers in a row break off before somebody should look.
	breaksOff = 3
)

func noticesOf(all []rpz.Notice, r receiver) (ns []rpz.Notice) {
	for _, n := range all {
		if n.Subscriber == r.Subscriber && n.Origin == r.Origin {
			ns = append(ns, n)
		}
	}
	return ns
}

// receives says whether a receiver holds what is meant for it, and if it does
// not, what is likely in between.
func receives(r receiver, notices []rpz.Notice, at string, now time.Time) finding {
	const late = "its resolver answers names that are blocked elsewhere, or blocks what was taken back"
	if r.Broken >= breaksOff {
		return ill("look for what cuts long TCP connections: a firewall's limit, or packets that are too large on the way (MTU)",
			"%s: %s in a row broke off: %s", r.Origin, plural(int64(r.Broken), "transfer"), r.Fault).because(late)
	}
	if r.Behind.IsZero() {
		return well("holds %s as it is, serial %d", r.Origin, r.Held)
	}
	since := now.Sub(r.Behind)
	if since < tardy {
		return well("is to fetch serial %d of %s", r.Meant, r.Origin)
	}
	ask := fmt.Sprintf("there: dig @SERVER -p %s %s SOA, and once more with +tcp", portOf(at), r.Origin)
	state := fmt.Sprintf("%s: holds serial %d, and %d has been there for %s", r.Origin, r.Held, r.Meant, since.Round(time.Second))
	if r.HeldAt.IsZero() {
		state = fmt.Sprintf("%s: it has not asked for %s", r.Origin, since.Round(time.Second))
	}
	for _, n := range notices {
		switch {
		case n.Err == nil && n.AnsweredAt.After(r.Behind):
			return ill("let it through to the DNS port by UDP and TCP, and see whether its configuration names this server: "+ask,
				"%s; %s answers NOTIFY but does not come", state, n.Target).because(late)
		case n.Err != nil:
			return ill("let our UDP through to it, and see whether it takes NOTIFY from us: "+ask,
				"%s; NOTIFY to %s: %s", state, n.Target, n.Err).because(late)
		}
	}
	if len(notices) == 0 {
		return ill("say where it listens for NOTIFY (--notify of tocsin subscriber add), and see whether it can come: "+ask, "%s", state).because(late)
	}
	return ill("see whether it runs and can come: "+ask, "%s", state).because(late)
}

func portOf(at string) string {
	_, port, _ := net.SplitHostPort(at)
	return port
}
