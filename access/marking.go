package access

import "strings"

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST, August 2022), in
// order of strictness. The zero value is "not marked": [DefaultTLP] holds.
type TLP uint8

const (
	Unmarked TLP = iota
	Clear
	Green
	Amber
	AmberStrict
	Red
)

// DefaultTLP is how an unmarked record is treated when it is to leave.
const DefaultTLP = Green

var tlpNames = [...]string{"unmarked", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}

// String returns the label as FIRST writes it; labels are never translated.
func (t TLP) String() string { return tlpNames[min(t, Red)] }

// ParseTLP reads the name of a label, with or without "tlp:". Other than [Marking]
// it knows what it does not know.
func ParseTLP(name string) (TLP, bool) {
	label := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "tlp:")
	t := tlpOf(label)
	return t, t != Red || label == "red"
}

// Name is the label as one types it: "amber+strict", and "" for [Unmarked].
func (t TLP) Name() string {
	if t == Unmarked {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(t.String(), "TLP:"))
}

// orDefault returns the label that holds.
func (t TLP) orDefault() TLP {
	if t == Unmarked {
		return DefaultTLP
	}
	return t
}

// PAP is a label of the Permissible Actions Protocol (MISP taxonomy PAP,
// version 3), in order of strictness. The zero value is "not marked", which
// permits what GREEN permits.
type PAP uint8

const (
	PAPUnmarked PAP = iota
	PAPClear
	PAPGreen // active actions are allowed, blocking included
	PAPAmber // passive cross-checks only
	PAPRed   // passive, and not detectable: on logs one already has
)

var papNames = [...]string{"unmarked", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"}

func (p PAP) String() string { return papNames[min(p, PAPRed)] }

// Marking reads a MISP tag as a TLP or PAP marking. Other tags mark nothing. A
// tag of either scheme that we do not know is treated as its strictest label:
// whoever set it wanted to restrict something.
func Marking(tag string) (TLP, PAP) {
	scheme, label, ok := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), ":")
	if !ok {
		return Unmarked, PAPUnmarked
	}
	switch scheme {
	case "tlp":
		return tlpOf(label), PAPUnmarked
	case "pap":
		return Unmarked, papOf(label)
	}
	return Unmarked, PAPUnmarked
}

func tlpOf(label string) TLP {
	switch label {
	case "clear", "white": // WHITE is TLP 1.0
		return Clear
	case "green":
		return Green
	case "amber":
		return Amber
	case "amber+strict":
		return AmberStrict
	}
	return Red
}

func papOf(label string) PAP {
	switch label {
	case "clear", "white":
		return PAPClear
	case "green":
		return PAPGreen
	case "amber":
		return PAPAmber
	}
	return PAPRed
}

// Markings reads all tags of a record. Of several markings the strictest holds.
func Markings(tags []string) (t TLP, p PAP) {
	for _, tag := range tags {
		mt, mp := Marking(tag)
		t, p = max(t, mt), max(p, mp)
	}
	return t, p
}
