package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Postgres is a PostgreSQL server that runs for a test.
type Postgres struct {
	*Process
	bin, dir string
	port     int
	uid, gid uint32 // as whom it runs where the test is root's
	settings []string
}

// shared is the server of this test binary: a server takes seconds to make.
var shared struct {
	mu     sync.Mutex
	main   bool
	server *Postgres
}

var databases atomic.Int64

// Main is for the TestMain of a package whose tests call [Database]: it runs the
// tests and then ends the server that they shared.
func Main(m *testing.M) int {
	shared.main = true
	defer func() {
		if s := shared.server; s != nil {
			s.end()
		}
	}()
	return m.Run()
}

// Database returns the URL of an empty database, in a server that all tests of the
// binary share; see [Postgres.Database].
func Database(tb testing.TB) string {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.main {
		tb.Fatal("this package needs func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }")
	}
	if shared.server == nil {
		s := newPostgres(tb)
		s.settings = []string{"-c", "fsync=off"} // for tests that don't count on the disk
		s.Start(tb)
		shared.server = s
	}
	return shared.server.Database(tb)
}

// StartPostgres starts a server of the test's own, that it may crash and start
// again.
func StartPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	p := newPostgres(tb)
	tb.Cleanup(func() {
		p.end()
		if tb.Failed() {
			tb.Logf("output of %s:\n%s", p, p.Tail(60))
		}
	})
	p.Start(tb)
	return p
}

// newPostgres makes a server's files. PostgreSQL refuses to run as root.
func newPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	p := &Postgres{bin: postgresFolder(tb), port: Port(tb)}
	var err error
	if p.dir, err = os.MkdirTemp("", "tocsin-postgres-"); err != nil {
		tb.Fatal(err)
	}
	if os.Getuid() == 0 {
		p.uid, p.gid = nobody(tb)
		if err := os.Chown(p.dir, int(p.uid), int(p.gid)); err != nil {
			tb.Fatal(err)
		}
	}
	cmd := p.command("initdb", "-D", p.data(), "-U", "tocsin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(p.dir)
		tb.Fatalf("initdb: %v: %s", err, out)
	}
	return p
}

func (p *Postgres) end() {
	if p.Process != nil {
		p.Kill()
	}
	os.RemoveAll(p.dir)
}

// nobody returns a user who is not root.
func nobody(tb testing.TB) (uid, gid uint32) {
	tb.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			tb.Fatal(err)
		}
	}
	id := func(s string) uint32 { n, _ := strconv.ParseUint(s, 10, 32); return uint32(n) }
	return id(u.Uid), id(u.Gid)
}

// postgresFolder is where PostgreSQL's programs are: Debian keeps each version's
// in a folder of its own, outside of the PATH.
func postgresFolder(tb testing.TB) string {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	return filepath.Dir(Need(tb, "initdb"))
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, program), args...)
	cmd.Dir = p.dir
	if p.uid != 0 {
		demote(cmd, p.uid, p.gid)
	}
	return cmd
}

// Addr is the address at which the server listens.
func (p *Postgres) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// URL is that of a database of the server.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://tocsin@%s/%s?sslmode=disable", p.Addr(), database)
}

// Start starts the server, again if it was ended, and returns when it answers.
func (p *Postgres) Start(tb testing.TB) {
	tb.Helper()
	args := []string{"-D", p.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-k", "",
		"-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "log_min_messages=warning"}
	p.Process = launch(tb, p.command("postgres", append(args, p.settings...)...))
	p.wait(tb, "answer", func() (bool, any) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c, err := pgx.Connect(ctx, p.URL("postgres"))
		if err != nil {
			return false, err
		}
		c.Close(ctx)
		return true, nil
	})
}

// Kill ends the server at once, as pg_ctl stop -m immediate does: nothing more is
// written, and the next start recovers. Its processes lead groups of their own,
// so the server has to end them itself.
func (p *Postgres) Kill() {
	p.Signal(syscall.SIGQUIT)
	select {
	case <-p.Done():
	case <-time.After(patience):
		p.Process.Kill()
	}
}

// Database makes a schema, which is as good as a database and made a hundred times
// as fast, and returns the URL by which it is used like one.
func (p *Postgres) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("t%d", databases.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		tb.Fatal(err)
	}
	return p.URL("postgres") + "&search_path=" + name
}
