// Package indicator defines the values that parties exchange: an address, a
// domain, a hash. A [Value] is always in normal form, so two parties who saw
// the same thing hold equal values.
//
// The package knows nothing of who claims a value or who may see the claim.
package indicator
