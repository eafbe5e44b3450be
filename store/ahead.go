package store

import (
	"iter"
	"sync"
)

// Ahead reads on while what was read is written. What it yields is good until the
// next one is asked for.
func Ahead[R any](rows iter.Seq2[R, error]) iter.Seq2[*R, error] {
	const lot, lots = 256, 4
	type read struct {
		rows []R
		err  error
	}
	return func(yield func(*R, error) bool) {
		full, empty, end := make(chan read, lots), make(chan []R, lots+1), make(chan struct{})
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(end)
		wg.Go(func() {
			defer close(full)
			now := read{rows: make([]R, 0, lot)}
			send := func() bool {
				select {
				case full <- now:
				case <-end:
					return false
				}
				select {
				case now.rows = <-empty:
				default:
					now.rows = make([]R, 0, lot)
				}
				return true
			}
			for r, err := range rows {
				if err == nil {
					now.rows = append(now.rows, r)
				}
				if now.err = err; (err != nil || len(now.rows) == lot) && !send() || err != nil {
					return
				}
			}
			send()
		})
		for now := range full {
			for i := range now.rows {
				if !yield(&now.rows[i], nil) {
					return
				}
			}
			if now.err != nil {
				yield(nil, now.err)
				return
			}
			select {
			case empty <- now.rows[:0]:
			default:
			}
		}
	}
}
