// Package vocab holds reference data: what is known of the world beside what
// parties claim. For now that is guard lists, which say what should not be
// blocked however many claim it: the names that everybody uses, the addresses of
// resolvers and time servers, what members run themselves.
//
// A [List] is such a list as it was read. [Guards] are all lists of an exchange
// at once, made to be asked a million times a second. They answer with a
// [tocsin.Verdict], which is written down with the claim; the package knows
// neither claims nor where lists are kept.
package vocab
