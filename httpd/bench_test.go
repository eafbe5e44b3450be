package httpd

import (
	"net/http/httptest"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// BenchmarkRequest is what the front adds to every request: who asks, the limits,
// the log line. An exchange has many sharing groups, and each may matter.
func BenchmarkRequest(b *testing.B) {
	for _, groups := range []int{0, 1000} {
		b.Run(map[int]string{0: "no groups", 1000: "1000 groups"}[groups], func(b *testing.B) {
			w := newWorld(b, Options{})
			_, err := w.db.Apply(b.Context(), access.System("benchmark"), func(tx *store.Tx) error {
				for i := range groups {
					g := &tocsin.Group{Name: NewPassword(), Org: w.user.Org, Members: []tocsin.Member{{Org: int64(i)}}}
					if err := store.Put(tx, g); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			w.Handle("GET /who", whoami)
			r := httptest.NewRequest("GET", "/who", nil)
			r.Header.Set("Authorization", w.key)
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, r)
				if rec.Code != 200 {
					b.Fatal(rec.Code)
				}
			}
		})
	}
}
