package main

import (
	"testing"
	"time"

	"tocsin/internal/lab"
	"tocsin/store"
	"tocsin/store/postgres"
)

func TestDoctorOfADatabase(t *testing.T) {
	url := lab.Database(t)
	found, _ := examined(t, doctorCmd{storeFlag: storeFlag{Store: url}})
	is(t, found, "WRONG", "there is no exchange in it")
	w := newWorldOn(t, url, "telco")
	found, _ = examined(t, doctorCmd{storeFlag: storeFlag{Store: url}, Data: w.conf.Data})
	is(t, found, "ok", "database: PostgreSQL")
	found, _ = examined(t, doctorCmd{storeFlag: storeFlag{Store: "postgres://nobody@127.0.0.1:1/nothing"}})
	is(t, found, "WRONG", "the database can't be reached")
}

// What can't be caused here is told to the part that judges it.
func TestDoctorJudgesADatabase(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	good := postgres.Facts{Version: 150004, Schema: 4, Newest: 4, Now: now, Encoding: "UTF8", Settings: map[string]string{"fsync": "on"},
		Nodes: []store.Node{{Name: "north", Version: version()}}}
	for _, x := range []struct {
		state, says string
		change      func(*postgres.Facts)
	}{
		{"ok", "PostgreSQL 15, 1 node, the log is at line 0", func(*postgres.Facts) {}},
		{"WRONG", "it is PostgreSQL 13", func(f *postgres.Facts) { f.Version = 130011 }},
		{"WRONG", "its encoding is SQL_ASCII", func(f *postgres.Facts) { f.Encoding = "SQL_ASCII" }},
		{"WRONG", "it has fsync off", func(f *postgres.Facts) { f.Settings = map[string]string{"fsync": "off"} }},
		{"WRONG", "its clock is 1h0m0s off", func(f *postgres.Facts) { f.Now = now.Add(-time.Hour) }},
		{"WRONG", "the clock of node north is 1h0m0s off", func(f *postgres.Facts) { f.Nodes = []store.Node{{Name: "north", Off: time.Hour}} }},
		{"note", "node north runs version 9", func(f *postgres.Facts) { f.Nodes = []store.Node{{Name: "north", Version: "9"}} }},
		{"WRONG", "it is of schema 9, and this program knows up to 4", func(f *postgres.Facts) { f.Schema = 9 }},
		{"note", "it is of schema 3, and is brought up to 4", func(f *postgres.Facts) { f.Schema = 3 }},
	} {
		f := good
		x.change(&f)
		is(t, judgeDatabase(f, now), x.state, x.says)
	}
}
