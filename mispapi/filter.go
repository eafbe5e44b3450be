package mispapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/store"
)

// filters reads what a call is told beside its arguments: name:value in the path,
// then the query, then a JSON object in the body, bare or under "request". The
// later word holds.
func (c *call) filters() (map[string]any, error) {
	said := map[string]any{}
	for name, v := range c.named {
		said[name] = v
	}
	for name, vs := range c.lists {
		said[name] = listOf(vs)
	}
	for name, vs := range c.r.URL.Query() {
		said[strings.TrimSuffix(name, "[]")] = listOf(vs)
	}
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	if len(strings.TrimSpace(string(b))) == 0 || string(b) == "[]" { // PHP's empty object
		return said, nil
	}
	body, err := decodeObject(b)
	if err != nil {
		return nil, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	if inner, ok := body["request"].(map[string]any); ok {
		body = inner
	}
	for name, v := range body {
		said[name] = v
	}
	return said, nil
}

func listOf(vs []string) any {
	if len(vs) == 1 {
		return vs[0]
	}
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// invalid refuses a filter that can't be read.
func (c *call) invalid(err error) error {
	if tocsin.CodeOf(err) != tocsin.Invalid {
		return err
	}
	return c.no(http.StatusBadRequest, tocsin.Invalid, err.Error())
}

// Terms are what a client says about one thing: any of or, all of and, none of not.
type terms struct{ or, and, not []string }

// positive are the terms that something has to be like.
func (t terms) positive() []string { return append(append([]string(nil), t.or...), t.and...) }

// maxTerms is how many terms one filter may have, and maxPatterns how many of them
// may hold a %: each pattern is held against every value.
const (
	maxTerms    = 10_000
	maxPatterns = 100
)

// termsOf reads MISP's ways to say several things: "a", "a&&b" (which means or),
// "!a", ["a", "!b"], {"OR": […], "AND": […], "NOT": […]}.
func termsOf(name string, v any) (t terms, err error) {
	if m, ok := v.(map[string]any); ok {
		for k, v := range m {
			vs, err := scalars(name, v)
			if err != nil {
				return t, err
			}
			switch strings.ToUpper(k) {
			case "OR":
				t.or = append(t.or, vs...)
			case "AND":
				t.and = append(t.and, vs...)
			case "NOT":
				t.not = append(t.not, vs...)
			default:
				return t, tocsin.Errorf(tocsin.Invalid, "%s: %q is none of AND, OR, NOT", name, k)
			}
		}
		return t, nil
	}
	if s, ok := v.(string); ok && strings.Contains(s, "&&") {
		v = anys(strings.Split(s, "&&"))
	}
	vs, err := scalars(name, v)
	for _, s := range vs {
		if rest, not := strings.CutPrefix(s, "!"); not && rest != "" {
			t.not = append(t.not, rest)
		} else {
			t.or = append(t.or, s)
		}
	}
	return t, err
}

func anys(ss []string) []any {
	out := make([]any, len(ss))
	for i, s := range ss {
		out[i] = s
	}
	return out
}

// scalars reads one scalar or a list of them. Blank ones say nothing.
func scalars(name string, v any) (out []string, err error) {
	add := func(v any) error {
		switch v.(type) {
		case string, json.Number, bool:
			if s := strings.TrimSpace(textOf(v)); s != "" {
				out = append(out, s)
			}
			return nil
		case nil:
			return nil
		}
		return tocsin.Errorf(tocsin.Invalid, "%s: there should be a text, or a list of them", name)
	}
	list, ok := v.([]any)
	if !ok {
		return out, add(v)
	}
	patterns := 0
	for _, term := range list {
		if s, ok := any(term).(string); ok && strings.Contains(s, "%") {
			patterns++
		}
	}
	if patterns > maxPatterns {
		return nil, tocsin.Errorf(tocsin.Invalid, "%s: there are more than %d patterns with %%; ask in several calls", name, maxPatterns)
	}
	if len(list) > maxTerms {
		return nil, tocsin.Errorf(tocsin.Invalid, "%s: there are more than %d of them; ask in several calls", name, maxTerms)
	}
	for _, v := range list {
		if err := add(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// count reads a number that is not negative; nothing said is 0.
func count(name string, v any) (int64, error) {
	s := strings.TrimSpace(textOf(v))
	if _, text := v.(string); v == nil || text && s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<31 { // a page is their product
		return 0, tocsin.Errorf(tocsin.Invalid, "%s is a number of 0 or more, not %q", name, s)
	}
	return n, nil
}

// either reads a switch that may ask for both: 1, 0, [0, 1], "exclude". Both is nil.
func either(name string, v any) (*bool, error) {
	ss, err := scalars(name, v)
	if err != nil {
		return nil, err
	}
	yes, no := false, false
	for _, s := range ss {
		switch strings.ToLower(s) {
		case "1", "true":
			yes = true
		case "0", "false", "exclude":
			no = true
		default:
			return nil, tocsin.Errorf(tocsin.Invalid, "%s is 1 or 0, not %q", name, s)
		}
	}
	if yes == no {
		return nil, nil
	}
	return &yes, nil
}

// deletion reads which records are wanted: 1 those that are withdrawn, [0, 1] all.
func deletion(v any) (store.Deletion, error) {
	if s := textOf(v); v == nil || s == "only" {
		if s == "only" {
			return store.Withdrawn, nil
		}
		return store.Live, nil
	}
	d, err := either("deleted", v)
	switch {
	case err != nil:
		return 0, err
	case d == nil:
		return store.Any, nil
	case *d:
		return store.Withdrawn, nil
	}
	return store.Live, nil
}

// viewDeletion reads which parts of one event are wanted: 1 all, those that are withdrawn
// among them; "only" or 2 these alone.
func viewDeletion(v any) (store.Deletion, error) {
	if s := textOf(v); s == "2" {
		return store.Withdrawn, nil
	}
	d, err := deletion(v)
	if s := textOf(v); d == store.Withdrawn && s != "only" {
		return store.Any, err
	}
	return d, err
}

// A span is a time from and a time until, in seconds since 1970; 0 is open.
type span struct{ since, until int64 }

func (s span) has(at int64) bool { return at >= s.since && (s.until == 0 || at <= s.until) && at != 0 }

// spanOf reads when something happened: since a moment, or ["2d", "1h"]. A moment
// is how long ago (30m, 2h, 7d, 4w), seconds since 1970, or a date.
func spanOf(name string, v any, now time.Time) (s span, err error) {
	ss, err := scalars(name, v)
	if err != nil {
		return s, err
	}
	switch len(ss) {
	case 0:
		return s, nil
	case 1:
		s.since, err = moment(name, ss[0], now)
		return s, err
	case 2:
		if s.since, err = moment(name, ss[0], now); err == nil {
			s.until, err = moment(name, ss[1], now)
		}
		if s.until < s.since {
			s.since, s.until = s.until, s.since
		}
		return s, err
	}
	return s, tocsin.Errorf(tocsin.Invalid, "%s is a time or two", name)
}

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

func moment(name, text string, now time.Time) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < 1<<53 { // as PyMISP 2.5 sends a time
		return int64(f), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Unix(), nil
		}
	}
	if u, ok := units[text[max(len(text)-1, 0):]]; ok {
		if n, err := strconv.ParseFloat(text[:len(text)-1], 64); err == nil && n >= 0 && n < 1e6 {
			return now.Add(-time.Duration(n * float64(u))).Unix(), nil
		}
	}
	return 0, tocsin.Errorf(tocsin.Invalid, "%s: %q is no time; try 30m, 2h, 7d, a date, or seconds since 1970", name, text)
}

// date reads a day, or a moment on it: PyMISP 2.5 sends one to the index.
func date(name string, v any) (string, error) {
	s := strings.TrimSpace(textOf(v))
	if s == "" {
		return "", nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil && seconds > 1e6 && seconds < 1e11 {
		return time.Unix(int64(seconds), 0).UTC().Format(time.DateOnly), nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", tocsin.Errorf(tocsin.Invalid, "%s: %q is no date; a date is YYYY-MM-DD", name, s)
	}
	return s, nil
}

// like returns a test of texts against a pattern in which "%" stands for any
// text, without regard to case.
func like(pattern string) func(string) bool {
	parts := strings.Split(strings.ToLower(pattern), "%")
	first, last := parts[0], parts[len(parts)-1]
	return func(s string) bool {
		s = strings.ToLower(s)
		if len(parts) == 1 {
			return s == first
		}
		if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
			return false
		}
		s = s[len(first) : len(s)-len(last)]
		for _, p := range parts[1 : len(parts)-1] {
			i := strings.Index(s, p)
			if i < 0 {
				return false
			}
			s = s[i+len(p):]
		}
		return true
	}
}

func anyLike(patterns []string) func(string) bool {
	exact := map[string]bool{} // of those there may be thousands, and each is held against each record
	var tests []func(string) bool
	for _, p := range patterns {
		if strings.Contains(p, "%") {
			tests = append(tests, like(p))
		} else {
			exact[strings.ToLower(p)] = true
		}
	}
	return func(s string) bool {
		if len(exact) > 0 && exact[strings.ToLower(s)] {
			return true
		}
		for _, t := range tests {
			if t(s) {
				return true
			}
		}
		return false
	}
}

func unknown(names []string) error {
	return tocsin.Errorf(tocsin.Invalid, "there is no filter %s here, and no other that would narrow the search", fmt.Sprintf("%q", names))
}
