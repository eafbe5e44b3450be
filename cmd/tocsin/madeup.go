package main

import (
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
)

// madeUp yields n names beneath example (RFC 2606), each once, of the kinds that
// reports are full of. The same seed gives the same names.
func madeUp(seed uint64, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		r := rand.New(rand.NewPCG(seed, seed))
		seen := make(map[string]bool, n)
		for len(seen) < n {
			name := shapes[r.IntN(len(shapes))](r) + ".example"
			if seen[name] {
				continue
			}
			seen[name] = true
			if !yield(name) {
				return
			}
		}
	}
}

// Words of our own; if one is somebody's name, that is chance.
var (
	brands = words(`northbank harbourpay parcelwing skymailer blueledger citypost quickfreight ourcloudbox homestream
		tallybank ferrypost gridenergy letterhub farepass meadowcredit stonevault brightmobile rivercard taxdesk
		pensionline shopbarrow tunewell videoloft gamequarry cartwheel ticketbarn bookanchor healthpost fleetfuel`)
	lures = words(`login secure verify account update confirm support refund billing invoice track delivery wallet
		signin service customer unlock restore renew alert portal online auth recover reward bonus gift claim`)
	lands  = words(`eu uk de fr es nl pl it se no fi dk at ch be pt ie cz`)
	tails  = words(`center team desk help info net web app page site now today direct express office online hub`)
	heads  = words(`b c d f g h j k l m n p r s t v w z br cr dr fl gl kr pl pr sk sl st tr`)
	vowels = words(`a e i o u ai ea io ou`)
	codas  = words(`n r s t l m x nd rk st`)
)

func words(s string) []string { return strings.Fields(s) }

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// shapes are the kinds of names: lures that borrow a brand, hosts beneath them,
// and names that malware computes.
var shapes = []func(*rand.Rand) string{
	func(r *rand.Rand) string { return pick(r, brands) + "-" + pick(r, lures) + number(r, 90) },
	func(r *rand.Rand) string {
		return pick(r, lures) + "-" + pick(r, brands) + "-" + pick(r, tails) + number(r, 90)
	},
	func(r *rand.Rand) string { return pick(r, brands) + "." + pick(r, lures) + "-" + code(r, 6) },
	func(r *rand.Rand) string {
		return pick(r, lures) + "-" + pick(r, lands) + "." + pick(r, tails) + code(r, 5)
	},
	func(r *rand.Rand) string { return "www." + pick(r, brands) + pick(r, lures) + number(r, 999) },
	func(r *rand.Rand) string { return syllables(r, 3+r.IntN(3)) },
	func(r *rand.Rand) string { return code(r, 10+r.IntN(8)) },
}

func number(r *rand.Rand, below int) string {
	if r.IntN(3) == 0 {
		return ""
	}
	return strconv.Itoa(1 + r.IntN(below))
}

func syllables(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(pick(r, heads) + pick(r, vowels))
	}
	return b.String() + pick(r, codas)
}

// code begins with a letter, so that it can't be taken for a number.
func code(r *rand.Rand, n int) string {
	const signs = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := []byte{signs[r.IntN(26)]}
	for len(b) < n {
		b = append(b, signs[r.IntN(len(signs))])
	}
	return string(b)
}
