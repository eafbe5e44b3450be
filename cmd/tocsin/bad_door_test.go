package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tocsin/access"
	"tocsin/store"
)

// A door is a way by which lists come in.
type door interface {
	// take imports a list and says what its sender was told.
	take(t *testing.T, query url.Values, list io.Reader) outcome
	// values are those of an event, in order.
	values(t *testing.T, event int64) []string
}

// An outcome is what the sender of a list is told: every refusal and the error,
// each on a line, and whether it went well (200, or exit status 0).
type outcome struct {
	said    string
	status  int // of HTTP or of the program
	written int64
	event   int64
}

// A teller puts together what is said.
type teller struct{ strings.Builder }

func (s *teller) refusals(rs []refusal, all int64) {
	for _, r := range rs {
		fmt.Fprintf(s, "line %d: %q: %s\n", r.Line, r.Text, r.Why)
	}
	if more := all - int64(len(rs)); more > 0 {
		fmt.Fprintf(s, "and %d more\n", more)
	}
}

// A front is POST /api/import of a running exchange.
type front struct {
	*world
	org string
}

func (f *front) take(t *testing.T, query url.Values, list io.Reader) (o outcome) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+f.HTTPAddr+"/api/import?"+query.Encode(), list)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", f.keys[f.org])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	o.status = resp.StatusCode
	var said teller
	for lines := json.NewDecoder(resp.Body); ; {
		var line struct {
			Result        *listResult
			Error         *struct{ Code, Message string }
			Code, Message string
		}
		switch err := lines.Decode(&line); {
		case err != nil: // after an error the connection breaks
			o.said = said.String()
			return o
		case line.Result != nil:
			said.refusals(line.Result.Refused, line.Result.RefusedCount)
			o.written, o.event = line.Result.Written, line.Result.Event
		case line.Error != nil: // what would have been the status, had nothing been answered yet
			o.status = http.StatusBadRequest
			fmt.Fprintf(&said, "%s: %s\n", line.Error.Code, line.Error.Message)
		case line.Message != "":
			fmt.Fprintf(&said, "%s: %s\n", line.Code, line.Message)
		}
	}
}

func (f *front) values(t *testing.T, event int64) []string {
	t.Helper()
	return valuesOf(t, f.DB, event)
}

// A back is tocsin import --data of a folder that no server holds.
type back struct{ dir string }

func newBack(t *testing.T) *back {
	t.Helper()
	b := &back{t.TempDir()}
	if status, _, said := program(nil, "init", "--data", b.dir, "--org", "telco", "--email", "analyst@telco.example"); status != exitOK {
		t.Fatal(said)
	}
	return b
}

// program runs a command.
func program(in io.Reader, args ...string) (status int, out, err string) {
	var o, e bytes.Buffer
	status = run(args, in, &o, &e)
	return status, o.String(), e.String()
}

func (b *back) take(t *testing.T, query url.Values, list io.Reader) (o outcome) {
	t.Helper()
	args := []string{"import", "--data", b.dir, "--json"}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		flag := map[string]string{"name": "event"}[name]
		if flag == "" {
			flag = name
		}
		args = append(args, "--"+flag, query.Get(name))
	}
	status, out, said := program(list, append(args, "-")...)
	o.status = status
	var tell teller
	if out != "" {
		var r listResult
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		tell.refusals(r.Refused, r.RefusedCount)
		o.written, o.event = r.Written, r.Event
	}
	if text, ok := strings.CutPrefix(said, "tocsin: standard input: "); ok {
		said = "invalid: " + text
	}
	o.said = tell.String() + said
	return o
}

func (b *back) values(t *testing.T, event int64) []string {
	t.Helper()
	x, err := open(t.Context(), config{Data: b.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	return valuesOf(t, x.DB, event)
}

func valuesOf(t *testing.T, db *store.DB, event int64) (vs []string) {
	t.Helper()
	if event == 0 {
		return nil
	}
	for a, err := range db.As(access.System("a test looks")).Attributes(t.Context(), store.Query{Events: []int64{event}}) {
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, a.Value.String())
	}
	return vs
}
