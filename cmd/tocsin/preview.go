package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"tocsin/codec"
)

// preview shows how each file would be read.
func (i *importCmd) preview(c *console) error {
	for _, name := range i.Files {
		p, err := i.look(c, name)
		if err != nil {
			return fmt.Errorf("%s: %w", shown(name), err)
		}
		if i.JSON {
			err = c.json(p)
		} else {
			err = c.previewed(shown(name), p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *importCmd) look(c *console, name string) (codec.Preview, error) {
	in, err := c.open(name)
	if err != nil {
		return codec.Preview{}, err
	}
	defer in.Close()
	r, err := codec.Begin(shown(name), i.Format, in, codec.Options{Type: i.Type, Columns: i.Columns})
	if err != nil {
		return codec.Preview{}, err
	}
	return r.Preview()
}

// previewed prints a preview: what was made out, and a table of the first rows.
func (c *console) previewed(name string, p codec.Preview) error {
	if err := c.print("%s: %s", name, p.Summary); err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, r := range p.Rows {
		if r.Why != "" {
			fmt.Fprintf(w, "  line %d\trefused\t%q\t%s\n", r.Line, r.Text, r.Why)
			continue
		}
		fmt.Fprintf(w, "  line %d\t%s\t%q\t%s\n", r.Line, r.Type, r.Value, remarks(r))
	}
	return w.Flush()
}

// remarks is what a row says beside its value.
func remarks(r codec.PreviewRow) string {
	said := r.Tags
	if r.Comment != "" {
		said = append([]string{fmt.Sprintf("%q", r.Comment)}, said...)
	}
	return strings.Join(said, " ")
}

// tell says what a table's columns are taken for before they are: of all guesses
// that is the one to look at.
func (in *input) tell(c *console, format string, o codec.Options) {
	const head = 64 << 10
	b := bufio.NewReaderSize(in.Reader, head)
	in.Reader = b
	if format != "" && format != "csv" {
		return
	}
	first, _ := b.Peek(head)
	// What can't be told from a beginning, which may be cut through a packed
	// stream, is told by the one who reads it.
	r, err := codec.Begin(shown(in.name), format, bytes.NewReader(first), o)
	if err == nil && r.Table != nil && len(r.Table.Columns) > 1 {
		c.say("%s: %s", shown(in.name), r)
	}
}

// openFeed opens the folder of a MISP feed as the tar that it is sent as.
func openFeed(name string) (*input, error) {
	folder := os.DirFS(name)
	if _, err := fs.Stat(folder, "manifest.json"); err != nil {
		return nil, errors.New("it is a folder without the manifest.json of a MISP feed; name the files in it")
	}
	r, w := io.Pipe()
	f := &packing{PipeReader: r, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		w.CloseWithError(codec.PackFeed(w, folder))
	}()
	return &input{Reader: f, Closer: f, name: name}, nil
}

// packing is a folder that is packed while it is read.
type packing struct {
	*io.PipeReader
	done chan struct{}
}

func (p *packing) Close() error {
	err := p.PipeReader.Close()
	<-p.done
	return err
}
