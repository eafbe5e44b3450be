package mispapi

import (
	"fmt"
	"strings"

	"tocsin/intake"
)

// maxErrors is how many refusals of one call are told.
const maxErrors = 1000

// errorsOf says what was refused of a call, record by record, as MISP says it of
// attributes/add: {"attribute_2": {"value": ["IP address has an invalid format."]}}.
// It is nil if nothing was.
func errorsOf(d *drafter, res *intake.Result) map[string]any {
	out := map[string]any{}
	put := func(where, field, sentence string) {
		if where == "" { // of the event itself
			where = field
		}
		switch was, ok := out[where].(map[string][]string); {
		case field == "warninglist" && len(out) < maxErrors: // MISP says it without the field
			out[where] = sentence
		case ok:
			was[field] = append(was[field], sentence)
		case len(out) < maxErrors:
			out[where] = map[string][]string{field: {sentence}}
		}
	}
	for _, r := range d.refused {
		field, sentence := sentenceOf(&r, d.types[r.Line])
		put(place(r.Line), field, sentence)
	}
	for _, r := range res.Refused {
		field, sentence := sentenceOf(&r, d.typeAt(r.Line))
		put(place(r.Line), field, sentence)
	}
	for _, line := range res.Duplicates {
		put(place(line), "value", similarExists)
	}
	for what, why := range d.dropped {
		out[what] = []string{why}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// typeAt is the type of the draft that stood at a line.
func (d *drafter) typeAt(line int) string {
	drafts := d.attributes
	if o := line>>objectBits - 1; o >= 0 {
		for i := range d.objects {
			if d.objects[i].Line>>objectBits-1 == o {
				drafts = d.objects[i].Attributes
			}
		}
	}
	// Drafts stand in order of their lines, each at its line or before it.
	for i := min(line&(1<<objectBits-1), len(drafts)) - 1; i >= 0; i-- {
		if drafts[i].Line == line {
			return drafts[i].Type
		}
	}
	return d.types[line]
}

// sentenceOf says a refusal as MISP 2.5 does where its clients may know the
// sentence, and in our words where not.
func sentenceOf(r *intake.Refusal, typ string) (field, sentence string) {
	switch {
	case r.Field == "type" && strings.HasPrefix(r.Why, "there is no such"):
		return "type", "Invalid type."
	case r.Field == "type" && strings.HasPrefix(r.Why, "it does not go with"):
		return "type", "Options depend on the selected category."
	case r.Field == "value" && strings.TrimSpace(r.Text) == "":
		return "value", "Value cannot be empty."
	case r.Field == "value":
		return "value", invalidValue(typ, r.Why)
	}
	return r.Field, r.Why
}

// digits is how long MISP says that a checksum is.
var digits = map[string]int{
	"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sha512/224": 56, "sha512/256": 64,
	"sha3-224": 56, "sha3-256": 64, "sha3-384": 96, "sha3-512": 128, "authentihash": 64, "imphash": 32, "pehash": 40,
	"x509-fingerprint-md5": 32, "x509-fingerprint-sha1": 40, "x509-fingerprint-sha256": 64,
	"ja3-fingerprint-md5": 32, "jarm-fingerprint": 62, "hassh-md5": 32, "hasshserver-md5": 32, "git-commit-id": 40, "dom-hash": 32,
}

// invalidValue is MISP's sentence about a value that is not of its type.
func invalidValue(typ, why string) string {
	if n := digits[typ]; n != 0 {
		return fmt.Sprintf(`Checksum has an invalid length or format (expected: %d hexadecimal characters). Please double check the value or select type "other".`, n)
	}
	switch typ {
	case "ip-src", "ip-dst":
		return "IP address has an invalid format."
	}
	return why
}
