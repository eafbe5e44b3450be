package vocab

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strings"

	"tocsin"
)

// How the entries of a list are compared with an indicator.
const (
	// Exact entries guard themselves: a name, an address or range, a hash. What
	// lies beneath a popular name may well be hostile, so evil.example.org is not
	// guarded by example.org. An entry that begins with a dot guards what is
	// beneath it as well.
	Exact = "exact"
	// Beneath entries are names that guard themselves and all beneath them.
	Beneath = "beneath"
	// Range entries are addresses and ranges. They guard what lies inside of them.
	Range = "range"
	// Substring entries guard what they are part of.
	Substring = "substring"
	// Regex entries guard what they match somewhere.
	Regex = "regex"
	// Suffix lists have no entries of their own. They guard the names beneath
	// which a provider lets anybody have one, by the private section of the Public
	// Suffix List.
	Suffix = "suffix"
)

// A List is a guard list as it was read.
type List struct {
	Name        string // a word that stands for it
	Title       string
	Description string
	Match       string
	Declared    string   // what was said, where Match is something else
	Types       []string // the MISP types that it is about; empty: all
	Version     int64
	Class       tocsin.GuardClass // unless somebody says otherwise
	Entries     []string
	Notes       map[string]string // remarks on entries, if any
}

// Packed is what is kept of l beside its record.
func (l *List) Packed() []byte { return PackNoted(l.Entries, l.Notes) }

// Record returns what is kept of l beside its entries.
func (l *List) Record() *tocsin.GuardList {
	return &tocsin.GuardList{Name: l.Name, Title: l.Title, Description: l.Description, Class: l.Class, Match: l.Match, Declared: l.Declared,
		Types: l.Types, Version: l.Version, Entries: len(l.Entries), Digest: Digest(l.Entries)}
}

// Digest tells lists of different entries apart.
func Digest(entries []string) string {
	h := sha256.New()
	for _, e := range entries {
		io.WriteString(h, e)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Pack makes entries small, to be kept.
func Pack(entries []string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := bufio.NewWriter(z)
	for _, e := range entries {
		w.WriteString(e)
		w.WriteByte('\n')
	}
	w.Flush() // into memory, so neither can fail
	z.Close()
	return b.Bytes()
}

// PackNoted is Pack with remarks on some entries.
func PackNoted(entries []string, notes map[string]string) []byte {
	lines := make([]string, len(entries))
	for i, e := range entries {
		if lines[i] = e; notes[e] != "" {
			lines[i] += "\t" + notes[e] // which no entry holds
		}
	}
	return Pack(lines)
}

// Unpack iterates over what was packed, without the remarks.
func Unpack(packed []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for line, err := range unpack(packed) {
			e, _, _ := strings.Cut(line, "\t")
			if !yield(e, err) {
				return
			}
		}
	}
}

// UnpackNoted iterates over what was packed, entries with their remarks.
func UnpackNoted(packed []byte) iter.Seq2[[2]string, error] {
	return func(yield func([2]string, error) bool) {
		for line, err := range unpack(packed) {
			e, note, _ := strings.Cut(line, "\t")
			if !yield([2]string{e, note}, err) {
				return
			}
		}
	}
}

func unpack(packed []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(packed) == 0 {
			return
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			yield("", fmt.Errorf("unpack a guard list: %w", err))
			return
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 4*maxEntry)
		for lines.Scan() {
			if !yield(lines.Text(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("unpack a guard list: %w", err))
		}
	}
}

// maxName is how long a list's name may be.
const maxName = 64

// Word makes a name for a list of whatever text names it.
func Word(text string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) && b.Len() > 0:
			if gap {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
		default:
			gap = b.Len() > 0
		}
		if b.Len() >= maxName {
			break
		}
	}
	return strings.Trim(b.String(), "._-")
}
