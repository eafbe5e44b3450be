package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/backup"
	"tocsin/rpz"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// is looks whether one of the findings says that, and is of that state; if it is
// wrong it has to say why it matters (but for a folder with no exchange in it) and
// how to mend it.
func is(t *testing.T, found []finding, state, says string) {
	t.Helper()
	for _, f := range found {
		if !strings.Contains(f.Check+": "+f.Found, says) {
			continue
		}
		if strings.TrimSpace(f.state()) != state {
			t.Errorf("%q is %s, want %s", f.Found, f.state(), state)
		}
		if f.Check != "folder" && f.Check != "store" && !f.OK && (f.Why == "" || f.Mend == "" && !strings.Contains(f.Found, ";")) {
			t.Errorf("%q does not say why it matters or how to mend it: %+v", f.Found, f)
		}
		return
	}
	t.Errorf("nothing says %q: %+v", says, found)
}

func one(f finding) []finding { return []finding{f} }

// examined runs the doctor and returns what it found, and whether all is well.
func examined(t *testing.T, d doctorCmd) (found []finding, ok bool) {
	t.Helper()
	var out bytes.Buffer
	d.JSON = true
	if d.URL == "" {
		d.URL = "http://127.0.0.1:1" // nobody
	}
	err := d.Run(t.Context(), newConsole(nil, &out, io.Discard))
	if err != nil && !errors.Is(err, errSaid) {
		t.Fatal(err)
	}
	for all := json.NewDecoder(&out); all.More(); {
		var f finding
		if err := all.Decode(&f); err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	return found, err == nil
}

func founded(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code := run([]string{"init", "--data", dir, "--org", "Example Telecom", "--email", "ana@example.org"}, nil, io.Discard, io.Discard); code != exitOK {
		t.Fatal("init failed")
	}
	return dir
}

func TestDoctorOfAFolder(t *testing.T) {
	now := time.Now()
	for _, x := range []struct {
		name        string
		cause       func(t *testing.T, dir string)
		state, says string
	}{
		{"good", nil, "ok", "the log is at line"},
		{"no folder", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, "WRONG", "there is no folder"},
		{"no exchange", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, databaseFile))) }, "WRONG", "there is no exchange in"},
		{"open folder", func(t *testing.T, dir string) { must(t, os.Chmod(dir, 0o755)) }, "WRONG", "other users of this machine can look into"},
		{"open database", func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, databaseFile), 0o644)) }, "WRONG", "can read " /* the database */},
		{"open seal key", func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, backup.SealKey), 0o644)) }, "WRONG", "seal.key (644)"},
		{"no backup", nil, "note", "no backup was made yet"},
		{"old backup", func(t *testing.T, dir string) { must(t, noteBackup(dir, lastBackup{At: now.AddDate(0, 0, -9)})) }, "WRONG", "the last backup is 9 days old"},
		{"new backup", func(t *testing.T, dir string) { must(t, noteBackup(dir, lastBackup{At: now})) }, "ok", "backup: the last one is of"},
		{"written in the future", func(t *testing.T, dir string) {
			must(t, os.Chtimes(filepath.Join(dir, databaseFile), now, now.Add(time.Hour)))
		}, "WRONG", "the database was written 1h0m0s in the future"},
		{"long write-ahead log", func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, databaseFile+"-wal"), nil, 0o600))
			must(t, os.Truncate(filepath.Join(dir, databaseFile+"-wal"), longLog+1))
		}, "WRONG", "the write-ahead log has grown to 1,024 MiB"},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir := founded(t)
			if x.cause != nil {
				x.cause(t, dir)
			}
			found, _ := examined(t, doctorCmd{Data: dir})
			if x.name == "written in the future" {
				found = folderFindings(dir, now) // opening the database touches it
			}
			is(t, found, x.state, x.says)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorReadsADamagedDatabase(t *testing.T) {
	dir := founded(t)
	found, _ := examined(t, doctorCmd{Data: dir, Deep: true})
	is(t, found, "ok", "it is not damaged")
	path := filepath.Join(dir, databaseFile)
	b, err := os.ReadFile(path)
	must(t, err)
	// The pages at the end are those of indexes: a look at the head finds nothing.
	for i := len(b) - 8*4096; i < len(b); i++ {
		b[i] ^= 0x5a
	}
	must(t, os.WriteFile(path, b, 0o600))
	found, ok := examined(t, doctorCmd{Data: dir, Deep: true})
	if ok {
		t.Errorf("nothing is wrong: %+v", found)
	}
	is(t, found, "WRONG", "store: ")
}

// What can't be caused here is told to the parts that judge it.
func TestDoctorJudges(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	behind := receiver{Subscriber: "resolver-1", Origin: "rpz.example.", Meant: 9, Held: 7, HeldAt: now.Add(-time.Hour), Behind: now.Add(-10 * time.Minute)}
	silent, never, fresh, cut := behind, behind, behind, behind
	never.HeldAt = time.Time{}
	fresh.Behind = now.Add(-time.Minute)
	cut.Broken, cut.Fault = 3, "connection reset by peer"
	whole := receiver{Origin: "rpz.example.", Meant: 9, Held: 9, HeldAt: now}
	notice := rpz.Notice{Subscriber: "resolver-1", Origin: "rpz.example.", Target: netip.MustParseAddrPort("192.0.2.53:53")}
	answered, unheard := notice, notice
	answered.AnsweredAt = now.Add(-time.Minute)
	unheard.Err = errors.New("no answer")
	const at = "192.0.2.1:53"
	for _, x := range []struct {
		found       []finding
		state, says string
	}{
		{one(keepsTime(kernelClock{known: true, kept: true})), "ok", "the clock is kept"},
		{one(keepsTime(kernelClock{known: true})), "note", "no time service keeps"},
		{one(keepsTime(kernelClock{known: true, kept: true, off: 10 * time.Minute})), "WRONG", "off by 10m0s"},
		{one(apart(-3 * time.Minute)), "WRONG", "3m0s apart"},
		{one(files(3300, 4096)), "WRONG", "3300 of 4096 open files"},
		{one(files(10, 1024)), "note", "at most 1024"},
		{one(files(10, 65536)), "ok", "10 of 65536"},
		{one(memory(strings.NewReader("MemTotal: 8 kB\nMemAvailable:   102400 kB\n"))), "WRONG", "100 MiB of memory"},
		{one(memory(strings.NewReader("MemAvailable:   1024000 kB\n"))), "ok", "1,000 MiB"},
		{diskSpace("/data", diskState{free: 1 << 29, inodes: 1 << 20, left: 1 << 19}), "WRONG", "512 MiB are free at /data"},
		{diskSpace("/data", diskState{free: 1 << 40, inodes: 1 << 20, left: 100}), "WRONG", "100 files can still be made"},
		{diskSpace("/data", diskState{free: 1 << 40, kind: "NFS"}), "WRONG", "network file system (NFS)"},
		{diskSpace("/data", diskState{free: 1 << 40, kind: "memory"}), "note", "in memory"},
		{diskSpace("/data", diskState{free: 1 << 40}), "ok", "MiB are free"},
		{one(syncSpeed(300 * time.Millisecond)), "WRONG", "300ms to keep a page"},
		{one(syncSpeed(time.Millisecond)), "ok", "within 1ms"},
		{one(sameVersion("1.1", "1.0")), "WRONG", "the server is 1.1, this is 1.0"},
		{databaseFindings(sqlite.Facts{Schema: sqlite.Newest() + 1}, now), "WRONG", "knows up to"},
		{databaseFindings(sqlite.Facts{Schema: 1}, now), "note", "a copy is kept"},
		{databaseFindings(sqlite.Facts{Schema: sqlite.Newest(), HeadAt: now.Add(time.Hour), Rows: map[string]int64{"docs": 1}}, now), "WRONG", "1h0m0s in the future"},
		{one(receives(whole, nil, at, now)), "ok", "holds rpz.example. as it is"},
		{one(receives(fresh, nil, at, now)), "ok", "is to fetch serial 9"},
		{one(receives(silent, nil, at, now)), "WRONG", "holds serial 7, and 9 has been there for 10m0s"},
		{one(receives(never, nil, at, now)), "WRONG", "it has not asked for 10m0s"},
		{one(receives(behind, []rpz.Notice{answered}, at, now)), "WRONG", "192.0.2.53:53 answers NOTIFY but does not come"},
		{one(receives(behind, []rpz.Notice{unheard}, at, now)), "WRONG", "NOTIFY to 192.0.2.53:53: no answer"},
		{one(receives(cut, nil, at, now)), "WRONG", "3 transfers in a row broke off"},
	} {
		is(t, x.found, x.state, x.says)
	}
}

func TestDoctorOfPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer u.Close()
	taken := one(free("--http", l.Addr().String(), "tcp", false))
	is(t, taken, "WRONG", "another program has "+l.Addr().String())
	if self, err := os.ReadFile("/proc/self/comm"); err == nil {
		is(t, taken, "WRONG", fmt.Sprintf("it is %s, process %d", strings.TrimSpace(string(self)), os.Getpid()))
	}
	is(t, one(free("--dns", u.LocalAddr().String(), "tcp udp", false)), "WRONG", "(udp) already")
	is(t, one(free("--http", l.Addr().String(), "tcp", true)), "ok", "as it is while the exchange runs")
	is(t, one(free("--http", "192.0.2.1:443", "tcp", true)), "WRONG", "this machine has no address 192.0.2.1:443")
	is(t, one(free("--http", "127.0.0.1:0", "tcp", false)), "ok", "is free")
}

// pair writes a certificate and its key, signed by itself or by another pair.
func pair(t *testing.T, name string, from, until time.Time) (cert, key string, parsed *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true}
	if name != "" {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	must(t, err)
	parsed, err = x509.ParseCertificate(der)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key, parsed
}

func TestDoctorOfCertificates(t *testing.T) {
	now := time.Now()
	year := 365 * 24 * time.Hour
	cert, key, parsed := pair(t, "tocsin.example.org", now.Add(-year), now.Add(year))
	_, other, _ := pair(t, "tocsin.example.org", now, now.Add(year))
	_, _, stranger := pair(t, "stranger", now, now.Add(year))
	nameless, namelessKey, _ := pair(t, "", now.Add(-year), now.Add(year))
	trusted, foreign := x509.NewCertPool(), x509.NewCertPool()
	trusted.AddCert(parsed)
	foreign.AddCert(stranger)
	is(t, certificate(cert, key, now, trusted), "ok", "tocsin.example.org, until")
	is(t, certificate(cert, other, now, trusted), "WRONG", "do not go together")
	is(t, certificate(cert, key, now.Add(year-10*24*time.Hour-time.Minute), trusted), "WRONG", "the certificate ends in 10 days")
	is(t, certificate(cert, key, now.Add(2*year), trusted), "WRONG", "the certificate ended on")
	is(t, certificate(cert, key, now.Add(-2*year), trusted), "WRONG", "is good only from")
	is(t, certificate(cert, key, now, foreign), "WRONG", "leads to no root")
	is(t, certificate(nameless, namelessKey, now, trusted), "WRONG", "names no host")
	if f := certificate(key, key, now, trusted); f[0].OK || !strings.Contains(f[0].Found, "there is no certificate in it") {
		t.Errorf("%+v", f)
	}
	must(t, os.Chmod(key, 0o640))
	is(t, one(private(key)), "WRONG", "can read "+key)
}

// The server says what it finds about itself and its receivers, to those who run it.
func TestDoctorOfARunningExchange(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	w.keys["admin"] = w.admin("telco")
	must(t, os.Chmod(w.conf.Data, 0o700))
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.subscriber("near", "provider", c)
	at := server{URL: "http://" + w.HTTPAddr, Key: w.keys["admin"]}
	w.settle()
	found, ok := examined(t, doctorCmd{server: at, DNS: w.DNSAddr, HTTP: w.HTTPAddr})
	if !ok {
		t.Errorf("something is wrong: %+v", found)
	}
	is(t, found, "ok", "DNS: answers over UDP and TCP at "+w.DNSAddr)
	is(t, found, "ok", "near: is to fetch serial")
	is(t, found, "ok", "permissions: ")
	is(t, found, "note", "backup: no backup was made yet")

	// Whoever does not run the exchange is not told how it is.
	found, _ = examined(t, doctorCmd{server: server{URL: at.URL, Key: w.keys["provider"]}})
	is(t, found, "note", "with this key the server does not say")

	w.receivers.mu.Lock()
	w.receivers.now = func() time.Time { return time.Now().Add(-time.Hour) }
	w.receivers.mu.Unlock()
	w.write(func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Subscriber{Name: "far", Org: w.orgs["provider"], Collection: c, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.53/32")}})
	})
	w.settle()
	w.share("telco", "late.threat-lab.net", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	w.settle()
	must(t, os.Chmod(w.conf.Data, 0o755))
	found, ok = examined(t, doctorCmd{server: at})
	if ok {
		t.Error("nothing is wrong")
	}
	is(t, found, "WRONG", "and far is at 192.0.2.53/32")
	is(t, found, "WRONG", "other users of this machine can look into")
	is(t, found, "WRONG", "far: rpz.example.: it has not asked for")
}

// Who is behind is behind since then, until it holds what is meant for it.
func TestReceivers(t *testing.T) {
	w := newWorld(t, "telco")
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	rs := newReceivers(w.DB)
	rs.now = func() time.Time { return now }
	r := rs.of("resolver-1", "rpz.example")
	transfer := func(serial uint32, err error, told bool, held uint32) {
		rs.served(rpz.Handover{Subscriber: rpz.Subscriber{Name: "resolver-1"}, Origin: "rpz.example.", Serial: serial, Err: err, Told: told, Held: held})
	}
	r.Meant = 5
	r.settle(now)
	if r.Behind != now {
		t.Errorf("%+v", r)
	}
	transfer(5, nil, false, 0)
	if !r.Behind.IsZero() || r.Held != 5 {
		t.Errorf("%+v", r)
	}
	r.Meant = 6
	r.settle(now)
	now = now.Add(time.Minute)
	transfer(6, errors.New("reset"), true, 5)
	transfer(6, errors.New("reset"), false, 0)
	if !r.Behind.Equal(now.Add(-time.Minute)) || r.Broken != 2 || r.Held != 5 {
		t.Errorf("%+v", r)
	}
	transfer(7, nil, true, 5) // newer than we were told of
	if !r.Behind.IsZero() || r.Broken != 0 || r.Held != 7 || r.Meant != 7 {
		t.Errorf("%+v", r)
	}
	if len(rs.all()) != 0 || len(rs.at) != 0 {
		t.Error("a subscriber that there is not was kept")
	}
}
