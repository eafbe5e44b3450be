package postgres

import (
	"os"
	"sync"
	"testing"

	"tocsin/internal/lab"
	"tocsin/store"
	"tocsin/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

func TestEngine(t *testing.T) { storetest.Run(t, databases()) }

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
