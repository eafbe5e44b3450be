// Package stix translates between STIX (2.1 and 2.0 as JSON, 1.x as XML) and the
// words of MISP. Reading, what a stranger wrote becomes a [misp.Event], which goes
// the way of every event from there: nothing is normalised here.
//
// Writing, a claim that is to be acted on becomes an indicator with a pattern, any
// other an observation; what STIX has no word for becomes an object of a type of its
// own ("x-misp-attribute"). Ids are made of the UUIDs that records have on every
// instance, and times of when they were last changed, so what is sent again is an
// update, and never a second copy.
//
// The package knows no store and no HTTP.
package stix
