package main

import (
	"context"
	"strings"
	"time"

	"tocsin/store/postgres"
)

// database looks at a database that the store is kept in.
func (d *doctorCmd) database(ctx context.Context, now time.Time) []finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	f, err := postgres.Look(ctx, d.Store)
	if err != nil {
		return []finding{ill("see whether it runs, and whether its address, user and password are right: psql URL", "%v", err).
			because("nothing can be written while it is away; zones and lookups go on")}
	}
	return judgeDatabase(f, now)
}

// oldestPostgres is the first version of PostgreSQL that the exchange is made for.
const oldestPostgres = 15_00_00

func judgeDatabase(f postgres.Facts, now time.Time) (found []finding) {
	if f.Version < oldestPostgres {
		found = append(found, ill("upgrade it to 15 or later", "it is PostgreSQL %d", f.Version/10_000).
			because("the exchange is made for 15 and later, and tried with no earlier one"))
	}
	if f.Encoding != "UTF8" {
		found = append(found, ill("make a database with ENCODING 'UTF8', and move: tocsin migrate store", "its encoding is %s", f.Encoding).
			because("names and texts of others could not be kept"))
	}
	if lossy := f.Lossy(); len(lossy) > 0 {
		found = append(found, ill("set to on: "+strings.Join(lossy, ", "), "it has %s off", strings.Join(lossy, ", ")).
			because("what was acknowledged may be gone after a crash"))
	}
	if off := now.Sub(f.Now); off.Abs() > maxSkew {
		found = append(found, ill("have the clocks of both kept (chrony, systemd-timesyncd)", "its clock is %s off from this machine's", off.Round(time.Second)).
			because("what is written has the database's time; certificates and logs have this machine's").about("clock"))
	}
	for _, n := range f.Nodes {
		if n.Off.Abs() > maxSkew {
			found = append(found, ill("have its clock kept (chrony, systemd-timesyncd)", "the clock of node %s is %s off from the database's", n.Name, n.Off.Round(time.Second)).
				because("its certificates and its own log have that time").about("node"))
		}
		if version() != n.Version {
			found = append(found, note("upgrade one node after the other, and all of them", "node %s runs version %s, this program is %s", n.Name, n.Version, version()).about("node"))
		}
	}
	switch {
	case f.Schema == 0:
		return append(found, ill("found one: tocsin init --store URL --data DIR", "there is no exchange in it").
			because("nodes that start on it have nothing to serve"))
	case f.Schema > f.Newest:
		return append(found, ill("start the version that wrote it last", "it is of schema %d, and this program knows up to %d", f.Schema, f.Newest).
			because("an older program would not write to it"))
	case f.Schema < f.Newest:
		found = append(found, note("", "it is of schema %d, and is brought up to %d at the next start", f.Schema, f.Newest))
	}
	return append(found, well("PostgreSQL %d, %s, the log is at line %d", f.Version/10_000, plural(int64(len(f.Nodes)), "node"), f.Head))
}
