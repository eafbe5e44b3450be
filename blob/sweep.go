package blob

import (
	"context"
	"time"
)

// Grace is for how long a blob that nothing holds is kept by itself: it is written
// before the record that will say it is there.
const Grace = time.Hour

// Sweep removes what was put longer ago than grace and nothing holds, as held says,
// and returns how many. It is asked after that: what is put meanwhile is new again,
// and stays.
func Sweep(ctx context.Context, p Place, grace time.Duration, held func(Sum) (bool, error)) (n int, err error) {
	before := time.Now().Add(-grace)
	for info, err := range p.All(ctx) {
		if err != nil {
			return n, err
		}
		if !info.Put.Before(before) {
			continue
		}
		is, err := held(info.Sum)
		if err != nil {
			return n, err
		}
		if is {
			continue
		}
		if err := p.Remove(ctx, info.Sum, before); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
