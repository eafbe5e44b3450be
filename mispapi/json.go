package mispapi

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// appendJSON appends v, which is of our own making and so always can be.
func appendJSON(b []byte, v any) []byte {
	text, _ := json.Marshal(v)
	return append(b, text...)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// textOf returns a scalar of JSON as text: true is "1" and false "0", as clients
// send them in a path. It is "" for null and for what is no scalar.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return ""
}

// decodeObject reads one JSON object whose numbers stay text.
func decodeObject(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		return nil, err
	}
	if rest := bytes.TrimSpace(b[d.InputOffset():]); len(rest) > 0 {
		return nil, errTrailing
	}
	return out, nil
}

type trailingError struct{}

func (trailingError) Error() string { return "there is something after the JSON object" }

var errTrailing = trailingError{}

// raw is JSON that is written already.
type raw []byte

func (r raw) MarshalJSON() ([]byte, error) { return r, nil }
