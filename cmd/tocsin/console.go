package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
)

// A console is where a command reads and writes: results to out, words for
// people to err.
type console struct {
	in       io.Reader
	out, err io.Writer
	live     bool // someone is watching err, so a line there may move
}

func newConsole(in io.Reader, out, err io.Writer) *console {
	f, ok := err.(*os.File)
	return &console{in: in, out: out, err: err, live: ok && isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"}
}

// typed reports whether somebody types the input.
func (c *console) typed() bool {
	f, ok := c.in.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// say tells people something.
func (c *console) say(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) }

// print writes a result.
func (c *console) print(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format+"\n", args...)
	return err
}

// json writes a result for a program, on one line.
func (c *console) json(v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes rows in columns, with a head.
func (c *console) table(head []string, rows [][]string) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			if cell == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// count writes a number as people read it: 200,000.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural puts a number before a word.
func plural(n int64, word string) string {
	if n != 1 {
		word += "s"
	}
	return count(n) + " " + word
}
