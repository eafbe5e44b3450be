package mispapi

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"tocsin"
	"tocsin/store"
)

var noExclusion = answer{http.StatusNotFound, "Invalid CorrelationExclusion"}

// An exclusionRow is a value that is left out of correlations, as MISP has it.
type exclusionRow struct {
	ID       int64  `json:"id"`
	Value    string `json:"value"`
	FromJSON bool   `json:"from_json"`
	Comment  string `json:"comment"`
}

type exclusionAnswer struct {
	Row exclusionRow `json:"CorrelationExclusion"`
}

func exclusionWords(x *tocsin.Exclusion) exclusionAnswer {
	return exclusionAnswer{exclusionRow{x.ID, x.Value, false, x.Comment}}
}

// indexExclusions answers with the values that are left out of correlations.
func indexExclusions(c *call) error {
	if err := c.administers(); err != nil {
		return err
	}
	rows := []exclusionAnswer{}
	for x := range c.view.Exclusions() {
		rows = append(rows, exclusionWords(x))
	}
	return c.reply(rows)
}

func (c *call) exclusion() (*tocsin.Exclusion, error) {
	return store.One[*tocsin.Exclusion](c.view, refOf(c.arg(0)).id)
}

// viewExclusion answers with one.
func viewExclusion(c *call) error {
	x, err := c.exclusion()
	if err != nil {
		return err
	}
	return c.reply(exclusionWords(x))
}

// addExclusion leaves a value out of correlations, at once.
func addExclusion(c *call) error {
	return c.writeExclusion(&tocsin.Exclusion{Created: c.db.Now()}, "add CorrelationExclusion")
}

// editExclusion changes what is left out, or why.
func editExclusion(c *call) error {
	old, err := c.exclusion()
	if err != nil {
		return err
	}
	x := *old
	return c.writeExclusion(&x, "edit CorrelationExclusion")
}

func (c *call) writeExclusion(x *tocsin.Exclusion, what string) error {
	said, err := c.told("CorrelationExclusion")
	if err != nil {
		return err
	}
	if v, ok := said["value"]; ok {
		x.Value = strings.TrimSpace(textOf(v))
	}
	if v, ok := said["comment"]; ok {
		x.Comment = textOf(v)
	}
	if err := c.change(func(tx *store.Tx) error { return store.Put(tx, x) }); err != nil {
		return c.notSaid(what, c.act.path, "value", err)
	}
	return c.reply(exclusionWords(x))
}

// deleteExclusion has a value correlate again.
func deleteExclusion(c *call) error {
	x, err := c.exclusion()
	if err != nil {
		return err
	}
	if err := c.change(func(tx *store.Tx) error { return store.Remove[*tocsin.Exclusion](tx, x.ID) }); err != nil {
		return err
	}
	return c.done("CorrelationExclusion deleted.", "/correlation_exclusions/delete/"+itoa(x.ID), x.ID)
}

// cleanExclusions has nothing to clean: correlations are made when somebody asks, so
// what is left out is gone from them at once.
func cleanExclusions(c *call) error {
	return c.done("Correlations cleanup initiated, based on the exclusion rules.", "/correlation_exclusions/clean", nil)
}

// What correlates most is counted when somebody has it counted: it takes a look at
// every attribute.
type crowds struct {
	mu   sync.Mutex
	rows []crowdRow
}

type crowdRow struct {
	Value    string `json:"value"`
	Count    int64  `json:"count"`
	Excluded bool   `json:"excluded"`
}

// maxCrowds is how many values are told of.
const maxCrowds = 1000

// countCorrelations counts which values are claimed most.
func countCorrelations(c *call) error {
	rows, err := c.crowded(2)
	if err != nil {
		return err
	}
	c.API.crowds.mu.Lock()
	c.API.crowds.rows = rows
	c.API.crowds.mu.Unlock()
	return c.done("Top correlations list regenerated.", "/correlations/generateTopCorrelations", nil)
}

// crowded are the values that at least so many attributes claim.
func (c *call) crowded(least int64) ([]crowdRow, error) {
	counts, ids := map[int64]int64{}, []int64{}
	for crowd, err := range c.view.Crowds(c.r.Context(), store.Query{Limit: maxCrowds}, least) {
		if err != nil {
			return nil, err
		}
		counts[crowd.ID], ids = crowd.Count, append(ids, crowd.ID)
	}
	rows := []crowdRow{}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{IDs: ids}) {
		if err != nil {
			return nil, err
		}
		if a.Value.Type().Correlates {
			rows = append(rows, crowdRow{a.Value.String(), counts[a.ID], !c.view.Correlates(a.Value)})
		}
	}
	slices.SortStableFunc(rows, func(a, b crowdRow) int { return int(b.Count - a.Count) })
	return rows, nil
}

// topCorrelations answers with what was counted last.
func topCorrelations(c *call) error {
	if err := c.administers(); err != nil {
		return err
	}
	c.API.crowds.mu.Lock()
	defer c.API.crowds.mu.Unlock()
	type row struct {
		Correlation crowdRow `json:"Correlation"`
	}
	rows := []row{}
	for _, r := range c.API.crowds.rows {
		rows = append(rows, row{r})
	}
	return c.reply(rows)
}

// overCorrelations answers with the values that are claimed more often than related
// attributes are listed.
func overCorrelations(c *call) error {
	if err := c.administers(); err != nil {
		return err
	}
	crowded, err := c.crowded(maxRelatedAttributes + 1)
	if err != nil {
		return err
	}
	type over struct {
		ID         int64  `json:"id"`
		Value      string `json:"value"`
		Occurrence int64  `json:"occurrence"`
		Excluded   bool   `json:"excluded"`
	}
	type row struct {
		Over over `json:"OverCorrelatingValue"`
	}
	rows := []row{}
	for i, r := range crowded {
		rows = append(rows, row{over{int64(i + 1), r.Value, r.Count, r.Excluded}})
	}
	return c.reply(rows)
}
