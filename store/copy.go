package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"strings"

	"tocsin"
)

// A store moves from one engine to another by its tables, row by row: what is
// hidden, withdrawn or deleted moves with it, and every number stays what it was.

// A Portable engine can hand over all that it keeps, and take over all that another
// one kept.
type Portable interface {
	Engine
	// Dump runs fn on one state of the store.
	Dump(context.Context, func(Dump) error) error
	// Load runs fn in one transaction on a store that has nothing in it, and refuses
	// one that has. An error of fn undoes all of it.
	Load(context.Context, func(Load) error) error
}

// A Dump reads whole tables.
type Dump interface {
	// Rows iterates over the rows of a table in order of its key. Values are int64,
	// string, []byte, or nil for NULL; a row is good until the next one.
	Rows(context.Context, Table) iter.Seq2[[]any, error]
}

// A Load fills tables. What it reads is what it wrote.
type Load interface {
	Dump
	// Fill writes rows into a table and returns how many.
	Fill(context.Context, Table, iter.Seq2[[]any, error]) (int64, error)
}

// A Table is one that every engine has under this name, or can answer for.
type Table struct {
	Name    string
	Columns []Column
	Key     int // so many of the first columns are the key
}

// A Column of a table.
type Column struct {
	Name string
	Type ColumnType
}

// A ColumnType is what values of a column are. Any may be NULL.
type ColumnType uint8

const (
	Int   ColumnType = iota // int64
	Text                    // string
	Bytes                   // []byte
	UUID                    // []byte, sixteen of them
)

// Tables are all that make up a store.
var Tables = []Table{
	table(1, "labels id owner reach group1 group2 group3 tlp pap"),
	table(1, "tagsets id tags:bytes"),
	table(1, "settings name:text value:bytes"),
	table(1, "sequences kind next"),
	table(2, "docs kind id uuid:uuid name:text doc:text"),
	table(1, `events id uuid:uuid org orgc user info:text date:text threat analysis distribution sgroup published published_at
		timestamp flags extends:uuid tags label attributes restricted hidden seq`),
	table(1, `objects id uuid:uuid event name:text meta_category:text description:text template_uuid:uuid template_version comment:text
		distribution sgroup timestamp first_seen last_seen deleted label seq`),
	table(1, `attributes id uuid:uuid event object relation:text category type value:text comment:text flags distribution sgroup
		timestamp first_seen last_seen seen ends tags label guard:text override:text overridden_by key1 key2 seq`),
	table(2, `remarks kind id uuid:uuid event about_kind about_id to_kind to_id orgc key1 key2 timestamp deleted label seq body:text`),
	table(2, "tombstones kind id uuid:uuid event label seq at"),
	table(1, "log seq at actor kind id event first last scope label before:text after:text"),
}

// table reads a table's name and its columns.
func table(key int, text string) Table {
	words := strings.Fields(text)
	t := Table{Name: words[0], Key: key}
	for _, w := range words[1:] {
		name, typ, _ := strings.Cut(w, ":")
		t.Columns = append(t.Columns, Column{name, map[string]ColumnType{"": Int, "text": Text, "bytes": Bytes, "uuid": UUID}[typ]})
	}
	return t
}

// A Copied is what became of one table.
type Copied struct {
	Table         string
	Read, Written int64
	Digest        string // of what was read, and of what was then found written
}

// Copy copies all that one engine keeps into another, which is empty, and reads it
// back there before it commits. It tells of each table as it is done. An error
// means that nothing was written.
func Copy(ctx context.Context, from, to Portable, tell func(Copied)) error {
	return from.Dump(ctx, func(d Dump) error {
		return to.Load(ctx, func(l Load) error {
			for _, t := range Tables {
				c, err := copyTable(ctx, t, d, l)
				if err != nil {
					return fmt.Errorf("copy the table %s: %w", t.Name, err)
				}
				tell(c)
			}
			return nil
		})
	})
}

func copyTable(ctx context.Context, t Table, d Dump, l Load) (Copied, error) {
	read, found := newDigest(), newDigest()
	written, err := l.Fill(ctx, t, read.over(d.Rows(ctx, t)))
	if err != nil {
		return Copied{}, err
	}
	for _, err := range found.over(l.Rows(ctx, t)) {
		if err != nil {
			return Copied{}, fmt.Errorf("read it back: %w", err)
		}
	}
	c := Copied{t.Name, read.rows, written, read.sum()}
	if written != read.rows || found.rows != read.rows || found.sum() != c.Digest {
		return c, tocsin.Errorf(tocsin.Internal, "%d rows were read, %d written, %d found; digest of what was read %s, of what was found %s: nothing was kept",
			read.rows, written, found.rows, c.Digest, found.sum())
	}
	return c, nil
}

// A digest is that of rows, one after another.
type digest struct {
	hash hash.Hash
	rows int64
	buf  []byte
}

func newDigest() *digest { return &digest{hash: sha256.New()} }

// over passes rows on and takes them in.
func (d *digest) over(rows iter.Seq2[[]any, error]) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range rows {
			if err == nil {
				d.add(row)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func (d *digest) add(row []any) {
	d.rows++
	b := d.buf[:0]
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 0)
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 1), uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 2), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 3), uint64(len(v))), v...)
		default:
			panic(fmt.Sprintf("a value of type %T in a table", v))
		}
	}
	d.buf = b
	d.hash.Write(b)
}

func (d *digest) sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// NotEmpty is the error of an engine that is asked to load into a store that has
// something in it.
func NotEmpty(table string) error {
	return tocsin.Errorf(tocsin.Conflict, "there is a store already (its table %q has rows); give an empty one", table)
}
