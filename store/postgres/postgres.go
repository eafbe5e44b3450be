// Package postgres keeps a store in a PostgreSQL database, which several nodes may
// have open at once. It takes turns by locking a row, learns of others' writes by
// asking, and keeps leases in a table: no session locks, no LISTEN and NOTIFY, so
// that engines which speak PostgreSQL's protocol without them can be used.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tocsin"
	"tocsin/store"
)

var _ store.Shared = (*Engine)(nil)

// An Engine is a store in a database.
type Engine struct {
	coder  store.Coder
	writes *pgxpool.Pool // one writes, one looks where the log stands
	reads  *pgxpool.Pool
	turn   sync.Mutex // this node's writer's
	schema int64      // of the tables, as this program knows them
	onAway func(error)
}

// Connections. A server allows a hundred by default, so three nodes fit. The
// URL's pool_max_conns sets another number of readers.
const (
	maxWriters = 3
	maxReaders = 24
)

// Times after which something is given up. A statement of ours takes seconds at
// most; a reader may be slow to take what it is sent.
const (
	connectTimeout = 5 * time.Second
	acquireTimeout = 10 * time.Second
	unknownTimeout = 30 * time.Second // for finding out what became of a commit
)

var writerParams = map[string]string{
	"lock_timeout": "30s", // for the turn
	// A writer that has gone without saying so must not keep the turn for ever.
	"idle_in_transaction_session_timeout": "15s",
	"statement_timeout":                   "5min",
	// A writer looks records up by key. While a store is filled there are no
	// statistics yet that would tell the planner so.
	"enable_seqscan":   "off",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
	// A plan that must scan a table costs so much now that the server would compile
	// it, for longer than it then runs.
	"jit": "off",
}

var readerParams = map[string]string{
	"statement_timeout":                   "15min",
	"idle_in_transaction_session_timeout": "15min",
	"cursor_tuple_fraction":               "1", // whoever asks reads to the end
	// Compiling a query takes a tenth of a second and more, and most of ours are
	// short or wait for whoever reads them.
	"jit": "off",
}

// Open opens the store in the database at url (postgres://…), which must exist,
// and brings its tables up to date.
func Open(ctx context.Context, url string) (*Engine, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "can't read the database's URL; it looks like postgres://user:password@host/database: %w", err)
	}
	e := &Engine{}
	if err := e.open(ctx, conf); err != nil {
		e.Close()
		return nil, fmt.Errorf("open the database %s at %s: %w", conf.ConnConfig.Database, conf.ConnConfig.Host, dressed(err))
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context, conf *pgxpool.Config) (err error) {
	c := conf.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// A server that has gone without a word is noticed within a quarter of a minute.
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}}
	c.DialFunc = dialer.DialContext
	c.RuntimeParams["application_name"] = "tocsin"
	c.RuntimeParams["client_encoding"] = "UTF8"
	if e.schema, err = migrate(ctx, c); err != nil {
		return err
	}
	if e.writes, err = connect(ctx, conf, maxWriters, writerParams); err != nil {
		return err
	}
	unsaid := max(4, int32(runtime.NumCPU())) // what pgxpool takes if the URL says nothing
	readers := int32(maxReaders)
	if conf.MaxConns != unsaid {
		readers = conf.MaxConns
	}
	e.reads, err = connect(ctx, conf, readers, readerParams)
	return err
}

func connect(ctx context.Context, conf *pgxpool.Config, conns int32, params map[string]string) (*pgxpool.Pool, error) {
	conf = conf.Copy()
	conf.MaxConns, conf.MinConns = conns, 0
	for k, v := range params {
		if conf.ConnConfig.RuntimeParams[k] == "" { // the URL may say otherwise
			conf.ConnConfig.RuntimeParams[k] = v
		}
	}
	conf.AfterConnect = durable
	return pgxpool.NewWithConfig(ctx, conf)
}

// durable has commits wait for the disk whatever the server's default is: what is
// acknowledged is kept.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// OnAway implements [store.Shared].
func (e *Engine) OnAway(fn func(error)) { e.onAway = fn }

// Use implements [store.Engine].
func (e *Engine) Use(c store.Coder) { e.coder = c }

// Close implements [store.Engine].
func (e *Engine) Close() error {
	for _, p := range []*pgxpool.Pool{e.writes, e.reads} {
		if p != nil {
			p.Close()
		}
	}
	return nil
}

// Read implements [store.Engine].
func (e *Engine) Read(ctx context.Context, fn func(store.Reader) error) error {
	t, err := e.begin(ctx, e.reads, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", turnRow)
	if err != nil {
		return err
	}
	defer t.end(ctx)
	return dressed(fn(t))
}

// begin begins a transaction and reads the turn in the same question. Connections
// of a pool may be of a server that has been started anew since: then another
// one is tried.
func (e *Engine) begin(ctx context.Context, pool *pgxpool.Pool, begin, turn string) (*tx, error) {
	for again := true; ; again = false {
		t, err := e.tryBegin(ctx, pool, begin, turn)
		if err == nil {
			return t, t.known()
		}
		if !again || !away(err) || ctx.Err() != nil {
			return nil, dressed(err)
		}
		pool.Reset()
	}
}

func (e *Engine) tryBegin(ctx context.Context, pool *pgxpool.Pool, begin, turn string) (*tx, error) {
	waiting, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	c, err := pool.Acquire(waiting)
	if err != nil {
		if waiting.Err() != nil && ctx.Err() == nil && pool.Stat().AcquiredConns() == pool.Config().MaxConns {
			return nil, tocsin.Errorf(tocsin.Busy, "too many reads are going on; try again in a moment").Because(err)
		}
		return nil, err
	}
	t := &tx{c: c, conn: c.Conn(), engine: e, coder: e.coder}
	var b pgx.Batch
	b.Queue(begin)
	b.Queue(turn).QueryRow(t.turn.scan)
	if err := c.SendBatch(ctx, &b).Close(); err != nil {
		t.end(ctx)
		return nil, err
	}
	return t, nil
}

// Turn implements [store.Shared].
func (e *Engine) Turn(ctx context.Context) (store.Turn, error) {
	var t turn
	err := t.scan(e.writes.QueryRow(ctx, turnRow))
	if err != nil && away(err) && ctx.Err() == nil {
		e.writes.Reset()
		err = t.scan(e.writes.QueryRow(ctx, turnRow))
	}
	if err == nil {
		err = e.knows(t)
	}
	return t.Turn, dressed(err)
}

// knows refuses tables of a version that this program does not know.
func (e *Engine) knows(t turn) error {
	if t.schema > e.schema {
		return tocsin.Errorf(tocsin.Busy, "the database was brought to version %d by a later Tocsin, and this node knows up to %d; upgrade it", t.schema, e.schema).Because(store.ErrAway)
	}
	return nil
}

// away reports whether err says that the server can't be reached or won't answer.
func away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "57", "53":
			return pg.Code != "57014" // a statement that took too long
		}
		return pg.Code == "25006" || pg.Code == "25P03" // a standby; a connection that was idle for too long
	}
	var user *tocsin.Error
	if errors.As(err, &user) {
		return errors.Is(err, store.ErrAway)
	}
	var op *net.OpError
	var conn *pgconn.ConnectError
	return errors.As(err, &op) || errors.As(err, &conn) || pgconn.SafeToRetry(err) || errors.Is(err, errClosed) || errors.Is(err, net.ErrClosed) || isEOF(err)
}

// dressed gives an error of the database a sentence for whoever can do something
// about it.
func dressed(err error) error {
	if err == nil {
		return nil
	}
	var user *tocsin.Error
	if errors.As(err, &user) {
		return err
	}
	if away(err) {
		return tocsin.Errorf(tocsin.Busy, "the database can't be reached at the moment; try again").Because(errors.Join(store.ErrAway, err))
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "55P03":
			return tocsin.Errorf(tocsin.Busy, "another node is writing for long; try again in a moment").Because(err)
		case "40001", "40P01":
			return tocsin.Errorf(tocsin.Busy, "another write came in between; try again").Because(err)
		case "57014":
			return tocsin.Errorf(tocsin.Busy, "the database took too long; ask for less, or try again later").Because(err)
		}
	}
	return err
}
