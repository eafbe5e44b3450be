package postgres

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"tocsin/internal/lab"
	"tocsin/store"
	"tocsin/store/sqlite"
	"tocsin/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

func TestEngine(t *testing.T) { storetest.Run(t, databases()) }

func TestCopy(t *testing.T)       { storetest.RunCopy(t, folder, databases()) }
func TestBrokenCopy(t *testing.T) { storetest.RunBrokenCopy(t, folder, databases()) }

// Whatever a later migration adds must be copied, too.
func TestEveryColumnIsCopied(t *testing.T) {
	// These are of a database that nodes share, and of no store.
	own := []string{"turn", "leases", "nodes", "tocsin_migration", "goose_db_version", "log.token"}
	e := openEngine(t, lab.Database(t))
	defer e.Close()
	rs, err := e.reads.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema()`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rs, pgx.RowTo[string])
	if err != nil || len(found) == 0 {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, table := range store.Tables {
		for _, c := range table.Columns {
			known[table.Name+"."+c.Name] = true
		}
	}
	for _, column := range found {
		table, _, _ := strings.Cut(column, ".")
		if !known[column] && !slices.Contains(own, column) && !slices.Contains(own, table) {
			t.Errorf("%s is in no table of store.Tables", column)
		}
	}
}

func folder(t *testing.T, dir string) store.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// databases opens, for each folder of storetest, a database.
func databases() func(*testing.T, string) store.Engine {
	var mu sync.Mutex
	urls := map[string]string{}
	return func(t *testing.T, dir string) store.Engine {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if urls[dir] == "" {
			urls[dir] = lab.Database(t)
		}
		return openEngine(t, urls[dir])
	}
}

func openEngine(t testing.TB, url string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestShared(t *testing.T) { storetest.RunShared(t, databases()) }
