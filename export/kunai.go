package export

import "strconv"

// kunaiTypes are what Kunai, a sensor for Linux, can match.
var kunaiTypes = []string{"md5", "sha1", "sha256", "sha512", "domain", "hostname", "ip-dst", "domain|ip",
	"filename|md5", "malware-sample", "filename|sha1", "filename|sha256", "filename|sha512"}

// writeKunai writes a JSON array of what Kunai calls indicators: of a composite,
// the side that it can match.
func writeKunai(w *Writer, a *Answer) error {
	source := "[" + a.Host + " MISP] " + a.Instance.String()
	first := true
	w.B = append(w.B, '[')
	err := a.each(w, kunaiTypes, func(c *Claim) {
		if !first {
			w.B = append(w.B, ", "...)
		}
		first = false
		_, value := c.Value.Parts()
		if value == "" {
			value = c.Value.String()
		}
		w.B = appendJSON(append(w.B, `{"type":`...), c.Value.TypeName())
		w.B = append(c.UUID.Append(append(w.B, `,"uuid":"`...)), '"')
		w.B = appendJSON(append(w.B, `,"source":`...), source)
		w.B = appendJSON(append(w.B, `,"value":`...), value)
		w.B = append(c.In.UUID.Append(append(w.B, `,"event_uuid":"`...)), '"')
		w.B = append(strconv.AppendInt(append(w.B, `,"severity":`...), severity(c.Value.TypeName()), 10), '}')
	})
	if err != nil {
		return err
	}
	w.B = append(w.B, ']')
	return w.End()
}

func severity(typ string) int64 {
	switch typ {
	case "domain", "hostname":
		return 7
	case "ip-dst", "domain|ip":
		return 5
	}
	return 10
}
