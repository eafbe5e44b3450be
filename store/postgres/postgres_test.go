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

// A folder of storetest stands for a database here.
func TestEngine(t *testing.T) {
	var mu sync.Mutex
	urls := map[string]string{}
	storetest.Run(t, func(t *testing.T, dir string) store.Engine {
		mu.Lock()
		defer mu.Unlock()
		if urls[dir] == "" {
			urls[dir] = lab.Database(t)
		}
		return openEngine(t, urls[dir])
	})
}

func openEngine(t testing.TB, url string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
