package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/api"
	"tocsin/blob"
	"tocsin/clock"
	"tocsin/collection"
	"tocsin/httpd"
	"tocsin/intake"
	"tocsin/match"
	"tocsin/mispapi"
	"tocsin/peer"
	"tocsin/rpz"
	"tocsin/seal"
	"tocsin/store"
	"tocsin/store/postgres"
	"tocsin/store/sqlite"
)

// A config is what an exchange can be told.
type config struct {
	Data    string // the folder
	Store   string // URL of the database that the store is in; "" for the folder
	HTTP    string // address to listen on; "" for none
	DNS     string
	DNSTLS  string // for transfers over TLS; "" for none
	ZMQ     string // for programs beside it; "" for none
	Vocab   string // where reference data is read from; "" for nowhere
	TLSCert string // PEM files; "" for plain HTTP
	TLSKey  string
	URL     string         // where others reach HTTP; "": as it listens
	DNSAt   netip.AddrPort // where others reach DNS; zero: as it listens
	Looks   looks
	Blobs   string // a folder for attachments, or the URL of a bucket; "": in the data folder
	SealKey string // the key file; "": in the environment, or beside the data
	Version string
	Log     *slog.Logger

	merge time.Duration    // see clock.Clock; tests are in a hurry
	now   func() time.Time // this machine's clock; time.Now if nil
}

// An exchange is everything wired together, running.
type exchange struct {
	DB          *store.DB
	Desk        *intake.Desk
	Guards      *intake.Guards
	Library     *intake.Library
	Index       *match.Index
	Collections *collection.Set
	HTTPAddr    string // where it listens
	DNSAddr     string
	DNSTLSAddr  string

	cert *httpd.Certificate // nil: no TLS
	bus  *peer.ZMQ          // nil: none

	blobs     blob.Place
	keys      *seal.Ring
	folder    io.Closer // the lock on the folder, where the engine has none
	archivist archivist
	meters    *meters
	held      held
	receivers *receivers
	notifier  *rpz.Notifier
	primary   *rpz.Server
	log       *slog.Logger
	stop      context.CancelFunc
	running   sync.WaitGroup
	broken    chan error // what ended by itself
}

// sealKey is the key file, by which secrets in the store can be read.
func (c config) sealKey() string {
	return cmp.Or(c.SealKey, os.Getenv("TOCSIN_SEAL_KEY"), filepath.Join(c.Data, "seal.key"))
}

// open opens an exchange that serves nobody yet: enough to import into a folder.
func open(ctx context.Context, c config) (x *exchange, err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	keys, err := seal.Open(c.sealKey())
	if err != nil {
		return nil, err
	}
	place, err := c.place()
	if err != nil {
		return nil, err
	}
	x = &exchange{blobs: place, keys: keys, log: c.Log, broken: make(chan error, 8), meters: newMeters()}
	engine, err := x.engine(ctx, c)
	if err != nil {
		return nil, errors.Join(err, x.unlock())
	}
	if x.DB, err = store.New(ctx, engine, store.Options{Log: c.Log, Now: c.now, Seal: keys, Committed: x.meters.committed}); err != nil {
		return nil, errors.Join(err, engine.Close(), x.unlock())
	}
	x.receivers = newReceivers(x.DB)
	x.archivist = archivist{dir: c.Data, keyFile: c.sealKey(), engine: engine, blobs: place}
	x.Desk = &intake.Desk{DB: x.DB}
	x.Guards = &intake.Guards{DB: x.DB, Log: c.Log}
	if err := x.Guards.Open(ctx); err != nil {
		return nil, errors.Join(err, x.DB.Close(), x.unlock())
	}
	x.Library = &intake.Library{DB: x.DB, Guards: x.Guards, Place: placeAt(c.Vocab, true)}
	if err := x.Library.Open(ctx); err != nil {
		return nil, errors.Join(err, x.DB.Close(), x.unlock())
	}
	return x, nil
}

// engine opens what keeps the store: the folder, or a database, beside which the
// folder holds what this node makes of it.
func (x *exchange) engine(ctx context.Context, c config) (store.Engine, error) {
	if c.Store == "" {
		return sqlite.OpenWith(ctx, c.Data, sqlite.Options{Log: c.Log})
	}
	if !isDatabase(c.Store) {
		return nil, misuse("tocsin serve --help", "--store is the URL of a database, as postgres://tocsin@db.example.org/tocsin; a folder is named by --data")
	}
	lock, err := sqlite.LockFolder(c.Data)
	if err != nil {
		return nil, err
	}
	x.folder = lock
	return postgres.Open(ctx, c.Store)
}

// isDatabase reports whether a store is named by the URL of a database.
func isDatabase(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

func (x *exchange) unlock() error {
	if x.folder == nil {
		return nil
	}
	return x.folder.Close()
}

// start opens an exchange and serves.
func start(ctx context.Context, c config) (*exchange, error) {
	x, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stop = stop
	if err := x.serve(ctx, run, c); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// serve listens first, since a taken port is the likeliest thing to go wrong,
// then brings the projections up, and answers when they are there.
func (x *exchange) serve(ctx, run context.Context, c config) error {
	web, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return err
	}
	udp, tcp, err := listenDNS(c.DNS)
	if err != nil {
		web.Close()
		return err
	}
	x.HTTPAddr, x.DNSAddr = web.Addr().String(), tcp.Addr().String()
	probes, secure, err := x.listenTLS(c)
	if err != nil {
		return errors.Join(err, web.Close(), udp.Close(), tcp.Close())
	}
	if c.ZMQ != "" {
		if x.bus, err = peer.ListenZMQ(c.ZMQ); err != nil {
			return err
		}
	}
	if err := x.project(run, c); err != nil {
		return err
	}
	if err := x.Desk.Interrupted(ctx); err != nil {
		return err
	}
	x.run("imports", func() error { return x.mindImports(run) })
	if err := x.Guards.Exchange(ctx, x.knownAs(c)); err != nil {
		return err
	}
	x.serveDNS(run, udp, tcp, c)
	x.serveTLS(run, probes, secure)
	return x.serveHTTP(run, web, c)
}

// listenTLS reads the certificate, and takes the port for transfers over TLS. It
// takes that port over UDP as well: Unbound and BIND 9.18 ask there, in the clear,
// whether there is something new, before they come with TLS for what it is.
func (x *exchange) listenTLS(c config) (udp *net.UDPConn, l net.Listener, err error) {
	if c.TLSCert != "" {
		if x.cert, err = httpd.LoadCertificate(c.TLSCert, c.TLSKey, x.log); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case c.DNSTLS == "":
		return nil, nil, nil
	case x.cert == nil:
		return nil, nil, errors.New("transfers over TLS need a certificate")
	}
	if udp, l, err = listenDNS(c.DNSTLS); err == nil {
		x.DNSTLSAddr = l.Addr().String()
	}
	return udp, l, err
}

// listenDNS takes the same port over UDP and TCP.
func listenDNS(addr string) (*net.UDPConn, net.Listener, error) {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(tcp.Addr().(*net.TCPAddr).AddrPort()))
	if err != nil {
		tcp.Close()
		return nil, nil, err
	}
	return udp, tcp, nil
}

// project opens the projections and has them follow the log.
func (x *exchange) project(run context.Context, c config) (err error) {
	index, collections := filepath.Join(c.Data, "match"), filepath.Join(c.Data, "collections")
	if err := errors.Join(x.DB.Claim(index), x.DB.Claim(collections)); err != nil {
		return err
	}
	if x.Index, err = match.Open(index, x.DB.Hasher(), x.DB.Labels(), x.log); err != nil {
		return err
	}
	if x.Collections, err = collection.Open(collections, x.DB.Labels(), x.log); err != nil {
		return err
	}
	zones := &zones{db: x.DB, set: x.Collections}
	x.notifier = &rpz.Notifier{Keys: zones, Local: x.dns().Addr(), Heard: x.meters.heard, Log: x.log}
	x.Collections.Watch(x.meters.moved)
	x.Collections.Watch(x.receivers.moved)
	x.Collections.Watch(told(x.DB, x.notifier))
	for _, f := range []store.Follower{x.Index, x.Collections, x.Guards} {
		x.run(f.Name(), func() error { return x.DB.Follow(run, f) })
	}
	x.run("attachments", func() error { return x.sweep(run) })
	x.run("guard sweep", func() error { return x.Guards.Run(run) })
	x.run("notify", func() error { return x.notifier.Run(run) })
	node, err := nodeID(c.Data)
	if err != nil {
		return err
	}
	if err := x.DB.SignIn(run, node, c.Version); err != nil { // before anything is purged
		return err
	}
	x.run("node", func() error { return x.DB.StaySignedIn(run, node, c.Version) })
	ticking := &clock.Clock{DB: x.DB, Hot: x.hot, Log: x.log, Wait: c.merge, Tick: c.merge}
	x.run("clock", func() error {
		if err := x.ready(run); err != nil { // before that it might purge what a projection has yet to let go of
			return err
		}
		ticking.Run(run)
		return nil
	})
	return nil
}

// run runs part of the exchange until it ends.
func (x *exchange) run(what string, fn func() error) {
	x.running.Go(func() {
		if err := fn(); err != nil && !errors.Is(err, context.Canceled) {
			x.log.Error("ended", "part", what, "err", err)
			select {
			case x.broken <- fmt.Errorf("%s: %w", what, err):
			default:
			}
		}
	})
}

func (x *exchange) serveDNS(run context.Context, udp *net.UDPConn, tcp net.Listener, c config) {
	zones := &zones{db: x.DB, set: x.Collections, looks: c.Looks}
	x.primary = &rpz.Server{Zones: zones, Keys: zones, Served: x.served, Log: x.log}
	x.run("DNS over UDP", func() error { return x.primary.ServeUDP(run, udp) })
	x.run("DNS over TCP", func() error { return x.primary.ServeTCP(run, tcp) })
}

func (x *exchange) serveTLS(run context.Context, probes *net.UDPConn, secure net.Listener) {
	if secure == nil {
		return
	}
	x.run("DNS over UDP beside TLS", func() error { return x.primary.ServeUDP(run, probes) })
	x.run("DNS over TLS", func() error { return x.primary.ServeTLS(run, secure, x.cert.Get) })
}

func (x *exchange) serveHTTP(run context.Context, web net.Listener, c config) error {
	front := httpd.New(x.DB, httpd.Options{Log: x.log, Secure: x.cert != nil})
	x.meters.register(front.Registry(), x, c)
	front.Ready("projections", x.caughtUp(x.DB.Head()))
	front.Ready("database", x.DB.Ready)
	front.Ready("zones", func(context.Context) error { return x.Collections.Ready() })
	misp := x.routes(front, c)
	x.broadcast(run, misp)
	if x.cert != nil {
		front.Gauge("tocsin_tls_certificate_expires_seconds", "When the TLS certificate ends, as Unix time.",
			func() float64 { return float64(x.cert.Expires().Unix()) })
		x.run("certificate", func() error { return x.cert.Watch(run) })
	}
	x.run("HTTP", func() error { return front.Serve(run, web, x.cert) })
	return nil
}

// served is told of each transfer.
func (x *exchange) served(h rpz.Handover) {
	x.held.served(h)
	x.receivers.served(h)
	x.meters.served(h)
}

// routes puts the faces on the front.
func (x *exchange) routes(front *httpd.Server, c config) *mispapi.API {
	api.New(x.DB, api.Parts{
		Version:         c.Version,
		Index:           index{x.Index, x.meters},
		Desk:            desk{x.Desk, x.meters},
		Guards:          x.Guards,
		Library:         x.Library,
		Writer:          writer,
		Lists:           lists{x.Collections},
		Config:          x.contact(c).config,
		Feed:            feeder{&zones{db: x.DB, set: x.Collections, looks: c.Looks}, &x.held}.file,
		CheckCollection: checkCollection,
		Takes:           takes(x.Collections),
		Serial:          confirmed(x.DB, &x.held),
	}).Register(front)
	misp := mispapi.New(x.DB, x.Desk)
	misp.Index = correlations{x.Index, x.DB}
	misp.Guards = x.Guards
	misp.Texts = match.NewTexts(x.DB)
	misp.Library = x.Library
	misp.DefaultFeeds = feedsAt(c.Vocab, true)
	misp.Version, misp.Instance = c.Version, x.instance
	misp.Blobs = x.blobs
	misp.Schema = sqlite.Newest() // both engines' steps are numbered alike
	misp.Register(front)
	x.pages(c).Register(front)
	x.archivist.register(front)
	front.Handle("GET /api/findings", x.findings(c))
	return misp
}

// broadcast sends events as they are published to the programs beside the exchange,
// which are the operator's: they see what the organisation sees that runs the exchange.
func (x *exchange) broadcast(run context.Context, misp *mispapi.API) {
	if x.bus == nil {
		return
	}
	misp.Bus = x.bus
	host, err := strconv.ParseInt(x.DB.Setting(tocsin.HostOrganisation), 10, 64)
	if err != nil {
		host = 1 // the first
	}
	sender := misp.NewBroadcast(x.bus, access.Organisation("programs over ZeroMQ", host, x.DB.GroupsOf(host)...))
	x.run(sender.Name(), func() error { return x.DB.Follow(run, sender) })
}

// caughtUp says what projections still lack of what was there at the start. They
// may fall behind later and still be of use; until then they would answer that
// names are unknown which are not.
func (x *exchange) caughtUp(head tocsin.Seq) func(context.Context) error {
	return func(context.Context) error {
		places := x.DB.Places()
		for _, f := range []string{x.Index.Name(), x.Collections.Name()} {
			if at, ok := places[f]; !ok || at < head {
				return fmt.Errorf("%s is at line %d of %d", f, at, head)
			}
		}
		return nil
	}
}

// hot is how the hot zones stand, for the clock.
func (x *exchange) hot() (all []clock.Hot) {
	for _, s := range x.Collections.Collections() {
		if s.Collection.HotZone == "" {
			continue
		}
		all = append(all, clock.Hot{Collection: s.Collection.ID, Names: s.Hot, Unmerged: s.Unmerged, Oldest: s.OldestHot,
			MergedUpTo: s.Collection.MergedUpTo, Confirmed: x.confirmed(s)})
	}
	return all
}

// confirmed reports whether every subscriber of a collection holds its base
// zone as it is. One that never asked holds nothing that could be missed.
func (x *exchange) confirmed(s collection.Status) bool {
	for _, c := range s.Classes {
		for _, id := range c.Subscribers {
			sub, err := store.One[*tocsin.Subscriber](x.DB.As(registrar), id)
			if err != nil {
				continue
			}
			serial, at := x.held.serial(sub.Name, s.Collection.Zone)
			if at.IsZero() || int32(c.BaseSerial-serial) > 0 {
				return false
			}
		}
	}
	return true
}

// ready returns when the projections hold the log up to now, or ctx ends.
func (x *exchange) ready(ctx context.Context) error {
	head := x.DB.Head()
	for _, f := range []string{x.Index.Name(), x.Collections.Name()} {
		if err := x.DB.Await(ctx, f, head); err != nil {
			return fmt.Errorf("wait for %s: %w", f, err)
		}
	}
	return nil
}

// Wait returns when ctx ends, or a part of the exchange ended by itself.
func (x *exchange) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-x.broken:
		return err
	}
}

// Close ends the exchange and keeps what it can so that the next start is quick.
func (x *exchange) Close() error {
	if x.stop != nil {
		x.stop()
	}
	x.running.Wait()
	var errs []error
	if x.Index != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		errs = append(errs, x.Index.Flush(ctx), x.Index.Close())
		cancel()
	}
	if x.Collections != nil {
		errs = append(errs, x.Collections.Close())
	}
	if x.bus != nil {
		errs = append(errs, x.bus.Close())
	}
	return errors.Join(append(errs, x.DB.Close(), x.unlock())...)
}

// dns is where resolvers fetch zones.
func (x *exchange) dns() netip.AddrPort {
	a, _ := netip.ParseAddrPort(x.DNSAddr) // as our own listener writes it
	return a
}

// instance is the uuid by which peers know this exchange. It follows from who founded
// it, so it is the same on every node and after the exchange was put back from a backup.
func (x *exchange) instance() tocsin.UUID {
	for o := range x.DB.As(all()).Organisations() {
		return o.UUID.Derive("instance")
	}
	return tocsin.UUID{}
}
