package vocab

import (
	"math"
	"testing"
	"time"
)

const day = 24 * time.Hour

// The bound in time and the score say the same.
func TestDecay(t *testing.T) {
	m := &DecayingModel{Name: "n", Formula: "Polynomial", Types: texts{"domain"}, Parameters: []byte(`{"lifetime":120,"decay_speed":"2","threshold":30,"default_base_score":80,
		"base_score_config":{"estimative-language:likelihood-probability":0.5,"priority-level":0.25}}`)}
	d, err := m.Decay()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		says map[string]float64
		want float64
	}{
		{nil, 80},
		{map[string]float64{"tlp:red": 3}, 80},
		{map[string]float64{"estimative-language:likelihood-probability": 55}, 55},
		{map[string]float64{"estimative-language:likelihood-probability": 40, "priority-level:high": 100}, 60},
	} {
		if got := d.Base(c.says); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: base score %v, want %v", c.says, got, c.want)
		}
	}
	for _, c := range []struct {
		age  time.Duration
		want float64
	}{{0, 80}, {30 * day, 40}, {120 * day, 0}, {500 * day, 0}, {-5 * day, 80}} {
		if got := d.Score(80, c.age); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("after %v: %v, want %v", c.age, got, c.want)
		}
	}
	for _, base := range []float64{10, 30, 31, 55, 80, 100} {
		fresh := d.Fresh(base)
		if fresh > 0 && d.Score(base, fresh-time.Minute) < d.Threshold {
			t.Errorf("a base score of %v has decayed before its time", base)
		}
		if d.Score(base, fresh+time.Minute) >= d.Threshold {
			t.Errorf("a base score of %v has not decayed in time", base)
		}
	}
	for _, bad := range []string{`{"lifetime":0,"decay_speed":1}`, `{"lifetime":1,"decay_speed":-1}`, `{"lifetime":"x"}`, `{`} {
		if _, err := (&DecayingModel{Name: "n", Parameters: []byte(bad)}).Decay(); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
