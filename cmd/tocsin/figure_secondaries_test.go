package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// secondaries measures what it costs to be asked: two hundred subscribers, each
// with a key of its own, ask each second for the SOA and for what is new, of a
// zone of a million names that changes once a second.
func secondaries(t *testing.T, f *figures) {
	const n, clients, during = 1_000_000, 200, 30 * time.Second
	c := serving(t)
	list := names(t, n)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])
	// A new process has no garbage of the import to collect meanwhile.
	c.stop()
	c.start()
	c.arrives(list[n-1])

	askers := make([]*asker, clients)
	for i := range askers {
		askers[i] = c.asker(fmt.Sprintf("secondary-%d", i))
	}
	c.changeOnce(0)
	var asked, deltas atomic.Int64
	stop := make(chan bool)
	var wg sync.WaitGroup
	for i, a := range askers {
		wg.Go(func() {
			// Each at a moment of its own, as they are in the world.
			time.Sleep(time.Second * time.Duration(i) / clients)
			again := time.NewTicker(time.Second)
			defer again.Stop()
			for {
				kind, err := a.ask()
				if err != nil {
					t.Errorf("%s: %v", a.key, err)
					return
				}
				asked.Add(1)
				if kind == "IXFR" {
					deltas.Add(1)
				}
				select {
				case <-stop:
					return
				case <-again.C:
				}
			}
		})
	}
	changes := time.NewTicker(time.Second)
	defer changes.Stop()
	begun, before := time.Now(), c.cpu()
	rounds := 0
	for time.Since(begun) < during {
		<-changes.C
		rounds++
		c.changeOnce(1000 + rounds)
	}
	used, took := c.cpu()-before, time.Since(begun).Seconds()
	close(stop)
	wg.Wait()
	f.add(figure{what: fmt.Sprintf("%d secondaries ask SOA and IXFR each second, 1M, %d changes", clients, rounds), unit: share, got: used / took, most: 0.20})
	f.add(figure{what: fmt.Sprintf("… %d rounds of questions, of which brought news", asked.Load()), unit: rate, got: float64(deltas.Load()) / took})

	begun, before = time.Now(), c.cpu()
	for i := range 10 {
		<-changes.C
		c.changeOnce(5000 + i)
	}
	f.add(figure{what: "… of which for the changes alone", unit: share, got: (c.cpu() - before) / time.Since(begun).Seconds()})
}

// changeOnce shares one more name.
func (c *child) changeOnce(i int) (name string) {
	c.t.Helper()
	name = fmt.Sprintf("s%d-%d.secondary.example", i, time.Now().UnixNano())
	if err := c.do("POST", "/events/add", strings.NewReader(event(name, 1, func(int) string { return name })), whole); err != nil {
		c.t.Fatal(err)
	}
	return name
}

// cpu is how many seconds of processor time the process has used.
func (c *child) cpu() float64 {
	c.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		c.t.Skip("processor time is read from /proc")
	}
	// proc(5): utime and stime are the 14th and 15th field, in ticks of 1/100 s; the
	// second is the program's name in brackets, which may hold spaces.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var user, system float64
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return (user + system) / 100
}

// An asker is a secondary that follows a zone by asking, as small as they go.
type asker struct {
	at, key, secret string
	serial          uint32
}

// asker makes a subscriber with a key, which has the zone as it is.
func (c *child) asker(name string) *asker {
	c.t.Helper()
	var made struct {
		TSIG struct{ Name, Secret string }
	}
	b := c.must("POST", "/api/subscribers", fmt.Sprintf(`{"name":%q,"collection":"drop","tsig":true}`, name))
	if err := json.Unmarshal(b, &made); err != nil {
		c.t.Fatal(err)
	}
	a := &asker{at: c.dns, key: made.TSIG.Name + ".", secret: made.TSIG.Secret}
	c.until(time.Minute, "know "+name, func() bool {
		serial, err := a.soa()
		a.serial = serial
		return err == nil
	})
	return a
}

func (a *asker) soa() (uint32, error) {
	client := &dns.Client{TsigSecret: map[string]string{a.key: a.secret}}
	q := new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA).SetTsig(a.key, dns.HmacSHA256, 300, time.Now().Unix())
	m, _, err := client.Exchange(q, a.at)
	if err != nil {
		return 0, err
	}
	if len(m.Answer) != 1 {
		return 0, errors.New(dns.RcodeToString[m.Rcode])
	}
	return m.Answer[0].(*dns.SOA).Serial, nil
}

// ask asks for the SOA and for what is new, and reports what came.
func (a *asker) ask() (kind string, err error) {
	if _, err := a.soa(); err != nil {
		return "", err
	}
	q := new(dns.Msg).SetIxfr("rpz.example.", a.serial, ".", ".").SetTsig(a.key, dns.HmacSHA256, 300, time.Now().Unix())
	in, err := (&dns.Transfer{TsigSecret: map[string]string{a.key: a.secret}}).In(q, a.at)
	if err != nil {
		return "", err
	}
	records := 0
	for e := range in {
		if e.Error != nil {
			return "", e.Error
		}
		if soa, ok := e.RR[0].(*dns.SOA); ok && records == 0 {
			a.serial = soa.Serial
		}
		records += len(e.RR)
	}
	switch {
	case records == 1:
		return "current", nil
	case records > 1000:
		return "", fmt.Errorf("%d records, which is no small change", records)
	}
	return "IXFR", nil
}
