// Package stix translates between STIX (2.1 and 2.0 as JSON, 1.x as XML) and the
// words of MISP. Reading, what a stranger wrote becomes a [misp.Event], which goes
// the way of every event from there: nothing is normalised here.
//
// The package knows no store and no HTTP.
package stix
