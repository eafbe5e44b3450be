package vocab

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// A Decay is a decaying model ready to be asked: MISP's polynomial one, in which what
// an attribute is worth falls from a base score to nothing in a lifetime, slowly at
// first (A. Iklody et al., "Decaying Indicators of Compromise", arXiv:1803.11052).
type Decay struct {
	Lifetime  float64 // days
	Speed     float64
	Threshold float64 // beneath it an attribute has decayed
	Default   float64 // base score of what no tag says anything about
	Weights   map[string]float64
	Types     map[string]bool
}

// Decay reads a model's parameters.
func (m *DecayingModel) Decay() (*Decay, error) {
	if !strings.EqualFold(m.Formula, "polynomial") && m.Formula != "" {
		return nil, fmt.Errorf("the decaying model %s has the formula %q, which is not known here", m.Name, clip(m.Formula))
	}
	var p struct {
		Lifetime  number             `json:"lifetime"`
		Speed     number             `json:"decay_speed"`
		Threshold number             `json:"threshold"`
		Default   number             `json:"default_base_score"`
		Weights   map[string]float64 `json:"base_score_config"`
	}
	text := m.Parameters
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("the decaying model %s has parameters that can't be read: %w", m.Name, err)
	}
	d := &Decay{Lifetime: float64(p.Lifetime), Speed: float64(p.Speed), Threshold: float64(p.Threshold), Default: float64(p.Default), Types: map[string]bool{}, Weights: map[string]float64{}}
	if d.Lifetime <= 0 || d.Speed <= 0 {
		return nil, fmt.Errorf("the decaying model %s has a lifetime or a decay speed that is not above 0", m.Name)
	}
	for _, t := range m.Types {
		d.Types[t] = true
	}
	for k, w := range p.Weights {
		d.Weights[strings.ToLower(k)] = w
	}
	return d, nil
}

// A number may be written as text.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	return json.Unmarshal([]byte(strings.Trim(string(b), `"`)), (*float64)(n))
}

// Base is the base score by what tags say: each is a predicate of a taxonomy
// ("estimative-language:likelihood-probability") with the number that its tag has.
// Their weights are taken as shares of those that are there.
func (d *Decay) Base(says map[string]float64) float64 {
	var sum, weights float64
	for predicate, value := range says {
		w, ok := d.Weights[predicate]
		if !ok {
			namespace, _, _ := strings.Cut(predicate, ":")
			w, ok = d.Weights[namespace]
		}
		if ok && w > 0 {
			sum, weights = sum+w*value, weights+w
		}
	}
	if weights == 0 {
		return d.Default
	}
	return sum / weights
}

// Score is what is left of a base score at an age.
func (d *Decay) Score(base float64, age time.Duration) float64 {
	days := max(0, age.Hours()/24)
	if days >= d.Lifetime {
		return 0
	}
	return base * (1 - math.Pow(days/d.Lifetime, 1/d.Speed))
}

// Fresh is for how long something of that base score has not decayed: no time, if it
// never was worth enough.
func (d *Decay) Fresh(base float64) time.Duration {
	if base <= 0 || d.Threshold >= base {
		return 0
	}
	days := d.Lifetime * math.Pow(1-max(0, d.Threshold)/base, d.Speed)
	return time.Duration(days * 24 * float64(time.Hour))
}
