package vocab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// What is published is not of one hand: a version stands there as a number and as
// a text, a list of one as a text. These types take both.

// An integer is a whole number, or a text that is one.
type integer int64

func (n *integer) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != float64(int64(v)) {
		return fmt.Errorf("%s stands where a whole number belongs", clip(string(b)))
	}
	*n = integer(v)
	return nil
}

// A yes is true, 1, "1" or "true".
type yes bool

func (y *yes) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "1":
		*y = true
	case "false", "0", "null", "":
		*y = false
	default:
		return fmt.Errorf("%s stands where true or false belongs", clip(string(b)))
	}
	return nil
}

// texts are a list of texts, or a single one.
type texts []string

func (t *texts) UnmarshalJSON(b []byte) error {
	switch b = bytes.TrimSpace(b); {
	case len(b) > 0 && b[0] == '[':
		var all []any
		if err := json.Unmarshal(b, &all); err != nil {
			return err
		}
		*t = nil
		for _, v := range all {
			if s, ok := scalar(v); ok {
				*t = append(*t, s)
			}
		}
	default:
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		if s, ok := scalar(v); ok && s != "" {
			*t = texts{s}
		}
	}
	return nil
}

// scalar returns a value as text, unless it is a list, an object or nothing.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}
