// Package sqlite keeps a store in a folder: one SQLite database in WAL mode,
// with one writer and as many readers as ask. It needs no server and no cgo.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"tocsin"
	"tocsin/store"
)

var _ store.Engine = (*Engine)(nil)

//go:embed migrations/*.sql
var migrations embed.FS

var builtIn, _ = fs.Sub(migrations, "migrations") // it is there, or this would not build

// Newest is the schema that this version writes.
func Newest() int64 {
	files, _ := fs.Glob(builtIn, "*.sql") // in order
	n, _ := goose.NumericComponent(files[len(files)-1])
	return n
}

// An Engine is a store in a folder. While it is open nobody else can open it.
type Engine struct {
	coder  store.Coder
	db     *sql.DB
	lock   *os.File
	writer *conn
	turn   sync.Mutex // the writer's
	ids    map[tocsin.Kind]counter

	mu   sync.Mutex
	idle []*conn
}

// pragmas hold for every connection. Full synchronisation means that a commit
// is on disk when it returns, whatever happens to the power. What is deleted is
// overwritten, so that nothing of it is left in the file.
const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=temp_store(MEMORY)&_pragma=foreign_keys(OFF)&_pragma=secure_delete(ON)"

// Cache sizes, in KiB. The writer's holds the upper pages of indexes that are
// hit at random while millions are imported.
const (
	writerCache = 64 << 10
	readerCache = 8 << 10
	maxIdle     = 8
)

// checkpointPages is how large the write-ahead log may grow before a commit
// moves it into the database, in pages of 4 KiB.
const checkpointPages = 16_384

// databaseFile is what a folder has in it.
const databaseFile = "tocsin.db"

// Options are what an engine can be told. The zero Options are good.
type Options struct {
	Log *slog.Logger
	// NoCopy does without the copy that is kept before the tables of an earlier
	// version are changed: the caller has one.
	NoCopy bool

	steps fs.FS // migrations, if not the ones built in
}

// Open opens the store in a folder, which it makes if there is none, and brings
// its tables up to date.
func Open(ctx context.Context, dir string) (*Engine, error) { return OpenWith(ctx, dir, Options{}) }

// OpenWith is [Open] with options.
func OpenWith(ctx context.Context, dir string, o Options) (*Engine, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.steps == nil {
		o.steps = builtIn
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "can't use the folder %s: %w", dir, err)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{lock: lock}
	if err := e.open(ctx, filepath.Join(dir, databaseFile), o); err != nil {
		e.Close()
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context, path string, o Options) (err error) {
	if err := private(path); err != nil {
		return err
	}
	if e.db, err = sql.Open("sqlite", fileURL(path)+pragmas); err != nil {
		return err
	}
	e.db.SetMaxIdleConns(maxIdle + 1)
	if err := migrate(ctx, e.db, o.steps, e.keeper(path, o)); err != nil {
		return err
	}
	if e.writer, err = e.connect(ctx, writerCache); err != nil {
		return err
	}
	_, err = e.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", checkpointPages))
	return err
}

// private makes the database its owner's alone before SQLite opens it, which
// gives the files beside it the same rights.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// migrate brings the tables up to date, and refuses a store that a later
// version has written. Before it changes tables that there are, it calls keep.
func migrate(ctx context.Context, db *sql.DB, steps fs.FS, keep func(ctx context.Context, from, to int64) error) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps)
	if err != nil {
		return err
	}
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	if at > newest {
		return tocsin.Errorf(tocsin.Conflict, "the store is of version %d, written by a later Tocsin; this one knows up to %d", at, newest)
	}
	if at > 0 && at < newest {
		if err := keep(ctx, at, newest); err != nil {
			return err
		}
	}
	_, err = p.Up(ctx)
	return err
}

// Use implements [store.Engine].
func (e *Engine) Use(c store.Coder) { e.coder = c }

// Close implements [store.Engine].
func (e *Engine) Close() (err error) {
	if e.writer != nil {
		err = errors.Join(err, e.writer.close())
	}
	for _, c := range e.idle {
		err = errors.Join(err, c.close())
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	return errors.Join(err, e.lock.Close())
}

var _ store.Compacter = (*Engine)(nil)

// Compact implements [store.Compacter].
func (e *Engine) Compact(ctx context.Context) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	for _, do := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := e.writer.ExecContext(ctx, do); err != nil {
			return fmt.Errorf("compact: %w", storageError(err))
		}
	}
	return nil
}

// Write implements [store.Engine].
func (e *Engine) Write(ctx context.Context, fn func(store.Writer) error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	// A write that has begun is finished: an interrupted one would cost its whole group.
	ctx = context.WithoutCancel(ctx)
	if _, err := e.writer.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return storageError(err)
	}
	if e.ids == nil {
		e.ids = map[tocsin.Kind]counter{}
	}
	t := &tx{conn: e.writer, coder: e.coder, ids: e.ids}
	err := fn(t)
	if err == nil {
		err = t.keepIDs(ctx)
	}
	if err == nil {
		_, err = e.writer.exec(ctx, "COMMIT")
	}
	if err != nil {
		e.ids = nil                    // read them again
		e.writer.exec(ctx, "ROLLBACK") // may be rolled back already
		return storageError(err)
	}
	return nil
}

// Read implements [store.Engine].
func (e *Engine) Read(ctx context.Context, fn func(store.Reader) error) error {
	c, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer e.release(c)
	if err := c.run("BEGIN"); err != nil {
		return err
	}
	defer c.run("ROLLBACK") // nothing was written
	return fn(&tx{conn: c, coder: e.coder})
}

// take returns a connection for reading. There is always another one: a reader
// may ask for more in the midst of its rows.
func (e *Engine) take(ctx context.Context) (*conn, error) {
	e.mu.Lock()
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		e.mu.Unlock()
		return c, nil
	}
	e.mu.Unlock()
	return e.connect(ctx, readerCache)
}

func (e *Engine) release(c *conn) {
	e.mu.Lock()
	if len(e.idle) < maxIdle {
		e.idle = append(e.idle, c)
		c = nil
	}
	e.mu.Unlock()
	if c != nil {
		c.close()
	}
}

func (e *Engine) connect(ctx context.Context, cache int) (*conn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", cache)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &conn{Conn: c, stmts: map[string]*sql.Stmt{}, inserts: map[shape]string{}, questions: map[string]*question{}}, nil
}
