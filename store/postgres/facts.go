package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/store"
)

// Facts are what an operator should know of a database. [Look] changes nothing in it.
type Facts struct {
	Version  int // of the server, as 150004
	Schema   int64
	Newest   int64 // the schema that this program knows
	Head     tocsin.Seq
	Now      time.Time // by the database
	Encoding string
	Settings map[string]string // those on which it depends that nothing acknowledged is lost
	Nodes    []store.Node      // seen within the last day
}

// watched are settings without which a commit that was acknowledged may be gone
// after a crash (PostgreSQL, chapter 30: reliability and the write-ahead log).
var watched = []string{"fsync", "full_page_writes", "synchronous_commit"}

// Look reads what is to be known of the database at url.
func Look(ctx context.Context, url string) (Facts, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return Facts{}, dressed(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	f := Facts{Settings: map[string]string{}, Newest: newest()}
	var founded bool
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), clock_timestamp(),
		to_regclass('turn') IS NOT NULL`).Scan(&f.Version, &f.Encoding, &f.Now, &founded)
	if err != nil {
		return Facts{}, dressed(err)
	}
	for _, name := range watched {
		var value string
		if err := conn.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			return Facts{}, dressed(err)
		}
		f.Settings[name] = value
	}
	if !founded {
		return f, nil
	}
	if err := conn.QueryRow(ctx, `SELECT schema, head FROM turn`).Scan(&f.Schema, &f.Head); err != nil {
		return Facts{}, dressed(err)
	}
	f.Nodes, err = nodes(ctx, conn, 24*time.Hour)
	return f, dressed(err)
}

// newest is the schema that this program knows.
func newest() (n int64) {
	files, _ := migrations.ReadDir("migrations") // embedded
	for _, f := range files {
		at, err := strconv.ParseInt(f.Name()[:5], 10, 64)
		if err == nil {
			n = max(n, at)
		}
	}
	return n
}

// Lossy lists the settings by which a crash may lose what was acknowledged.
func (f Facts) Lossy() (names []string) {
	for _, name := range watched {
		if f.Settings[name] == "off" {
			names = append(names, name)
		}
	}
	return names
}
