package vocab

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"tocsin"
	"tocsin/indicator"
)

// Limits of what is taken for a list.
const (
	MaxOctets  = 64 << 20 // of a list, unpacked
	maxEntries = 2_000_000
	maxEntry   = 1024
	maxRegexes = 1000
	minPart    = 3 // octets of a substring: shorter ones are in everything
)

// A Bad entry is one that was left out, and why.
type Bad struct {
	Number int    `json:"number"` // of the entry, or of the line, from 1
	Text   string `json:"text"`
	Why    string `json:"why"`
}

// A format is what a list looks like on the outside.
type format struct {
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Version     json.RawMessage `json:"version"`
	Types       []string        `json:"matching_attributes"`
	List        listed          `json:"list"`
}

// listed are entries, or an object of entries with remarks, as MISP takes both.
type listed struct {
	entries []string
	notes   []string
}

func (l *listed) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return json.Unmarshal(b, &l.entries)
	}
	return members(b, func(entry string, value json.RawMessage) error {
		var note texts
		if err := json.Unmarshal(value, &note); err != nil {
			return err
		}
		l.entries, l.notes = append(l.entries, entry), append(l.notes, strings.Join(note, " "))
		return nil
	})
}

// matches are the types of MISP's warninglists.
var matches = map[string]string{"string": Exact, "hostname": Beneath, "cidr": Range, "substring": Substring, "regex": Regex}

// Read reads a guard list, packed with gzip or not: a MISP warninglist, or plain
// text with one entry a line, where "#" begins a comment and the rank that top
// lists put before a name ("1,example.org") is left out. from is the file or
// address that it came from; the list is named after it.
//
// Entries that make no sense are left out and returned. A list with more of them
// than sound ones is no list, and neither is a web page.
func Read(from string, r io.Reader) (*List, []Bad, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, nil, refused(from, err)
	}
	l, bad, err := parse(from, text)
	if err != nil {
		return nil, nil, refused(from, err)
	}
	if l.Name = listName(from); l.Name == "" {
		if l.Name = Word(l.Title); l.Name == "" {
			return nil, nil, tocsin.Errorf(tocsin.Invalid, "the list needs a name")
		}
	}
	l.settle()
	return l, bad, nil
}

func refused(from string, err error) error {
	return tocsin.Errorf(tocsin.Invalid, "the list %s can't be taken: %w", from, err)
}

// listName is what a list is called by where it comes from: its folder, if its
// file is called as all of them are.
func listName(from string) string {
	if u, _, ok := strings.Cut(from, "?"); ok && strings.Contains(u, "://") {
		from = u
	}
	dir, file := path.Split(strings.ReplaceAll(from, `\`, "/"))
	if file == "list.json" { // as each of MISP's is called
		if strings.Trim(dir, "/.") == "" {
			return ""
		}
		return Word(path.Base(dir))
	}
	file = strings.TrimSuffix(file, ".gz")
	for _, ext := range []string{".json", ".txt", ".csv", ".list", ".lst"} {
		file = strings.TrimSuffix(file, ext)
	}
	return Word(file)
}

var errTooLarge = fmt.Errorf("it is larger than %d MB", MaxOctets>>20)

func readAll(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("its packing is damaged: %w", err)
		}
		in = bufio.NewReader(z)
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxOctets+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it can't be read to its end: %w", err)
	case len(text) > MaxOctets:
		return nil, errTooLarge
	}
	return bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))), nil
}

func parse(from string, text []byte) (*List, []Bad, error) {
	switch {
	case len(text) == 0:
		return nil, nil, errors.New("it is empty")
	case isMarkup(text):
		return nil, nil, errors.New("it is a web page (HTML or XML), not a list; the address may want a login, or the list lies elsewhere: look at it in a browser")
	case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
		return nil, nil, errors.New("it is no text in UTF-8")
	case text[0] == '{' || text[0] == '[':
		return parseJSON(text)
	}
	return parsePlain(text)
}

// isMarkup looks at how a text begins. No entry begins with "<".
func isMarkup(text []byte) bool { return text[0] == '<' }

func parseJSON(text []byte) (*List, []Bad, error) {
	var f format
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, nil, InJSON(err)
	}
	match, ok := matches[f.Type]
	switch {
	case f.List.entries == nil:
		return nil, nil, errors.New(`it is JSON, but no MISP warninglist: it has no "list" of entries`)
	case len(f.List.entries) == 0:
		return nil, nil, errors.New(`its "list" is empty`)
	case len(f.List.entries) > maxEntries:
		return nil, nil, errTooMany
	case !ok:
		return nil, nil, fmt.Errorf("its type is %q; try one of [string hostname cidr substring regex]", f.Type)
	}
	l := &List{Title: strings.TrimSpace(f.Name), Description: strings.TrimSpace(f.Description), Match: match, Version: version(f.Version)}
	for _, t := range f.Types {
		if _, ok := indicator.TypeByName(t); ok {
			l.Types = append(l.Types, t)
		}
	}
	if len(f.Types) > 0 && len(l.Types) == 0 {
		return nil, nil, fmt.Errorf("no type of its matching_attributes is known: %s", strings.Join(f.Types, ", "))
	}
	var bad []Bad
	for i, e := range f.List.entries {
		n := len(l.Entries)
		if bad = l.take(i+1, e, bad); len(l.Entries) > n && i < len(f.List.notes) {
			l.note(l.Entries[n], f.List.notes[i])
		}
	}
	return l, bad, l.enough(bad)
}

var errTooMany = fmt.Errorf("it has more than %d entries", maxEntries)

// InJSON says what is wrong in the words of someone who reads the file.
func InJSON(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%q is a %s where a MISP warninglist has something else (octet %d)", t.Field, t.Value, t.Offset)
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is damaged JSON: %s (octet %d)", s, s.Offset)
	}
	return err
}

// version reads a number, with quotation marks or not.
func version(raw json.RawMessage) int64 {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func parsePlain(text []byte) (*List, []Bad, error) {
	l := &List{Match: Exact}
	var bad []Bad
	number := 0
	for line := range bytes.Lines(text) {
		number++
		e, _, _ := strings.Cut(string(line), "#")
		if e = strings.TrimSpace(e); e == "" {
			continue
		}
		if rank, name, ok := strings.Cut(e, ","); ok && rank != "" && strings.Trim(rank, "0123456789") == "" {
			e = strings.TrimSpace(name)
		}
		if strings.ContainsAny(e, " \t,;<>\"") {
			bad = append(bad, Bad{number, clip(e), "it is no single name, address or hash"})
			continue
		}
		if bad = l.take(number, e, bad); len(l.Entries) > maxEntries {
			return nil, nil, errTooMany
		}
	}
	return l, bad, l.enough(bad)
}

// enough refuses what is mostly nonsense.
func (l *List) enough(bad []Bad) error {
	if len(l.Entries) == 0 && len(bad) == 0 {
		return errors.New("it has no entries")
	}
	if len(bad) > len(l.Entries) {
		b := bad[0]
		return fmt.Errorf("most of it makes no sense; entry %d is %q: %s", b.Number, b.Text, b.Why)
	}
	return nil
}

// take adds an entry in normal form.
func (l *List) take(number int, text string, bad []Bad) []Bad {
	e, err := normal(l.Match, text)
	if err == nil && l.Match == Regex && len(l.Entries) >= maxRegexes {
		err = fmt.Errorf("a list has at most %d regular expressions", maxRegexes)
	}
	if err != nil {
		return append(bad, Bad{number, clip(text), err.Error()})
	}
	l.Entries = append(l.Entries, e)
	return bad
}

// SetEntries puts entries, each with a remark on it or none, in the place of what was on
// l. One that makes no sense is the error.
func (l *List) SetEntries(entries [][2]string) error {
	l.Entries, l.Notes = nil, nil
	if len(entries) > maxEntries {
		return errTooMany
	}
	for i, e := range entries {
		if bad := l.take(i+1, e[0], nil); len(bad) > 0 {
			return fmt.Errorf("entry %d, %q: %s", i+1, bad[0].Text, bad[0].Why)
		}
		l.note(l.Entries[len(l.Entries)-1], e[1])
	}
	slices.Sort(l.Entries)
	l.Entries = slices.Compact(l.Entries)
	return nil
}

// maxNote is how long a remark on an entry may be, in octets.
const maxNote = 1024

// note keeps a remark on an entry.
func (l *List) note(entry, text string) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if text == "" {
		return
	}
	if len(text) > maxNote {
		text = strings.ToValidUTF8(text[:maxNote], "")
	}
	if l.Notes == nil {
		l.Notes = map[string]string{}
	}
	l.Notes[entry] = text
}

func clip(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// settle sorts the entries, so that equal lists are equal, and says what the
// list is good for if nobody says otherwise.
func (l *List) settle() {
	slices.Sort(l.Entries)
	l.Entries = slices.Compact(l.Entries)
	l.usual()
}

// normal returns an entry as it is compared.
func normal(match, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case len(text) > maxEntry:
		return "", fmt.Errorf("it is longer than %d octets", maxEntry)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("it holds a line break or another control character")
	}
	switch match {
	case Range:
		p, err := readPrefix(text)
		if err != nil {
			return "", errors.New("it is neither an address nor a range in CIDR notation")
		}
		return p.String(), nil
	case Beneath:
		return name(text)
	case Substring:
		if len(text) < minPart {
			return "", fmt.Errorf("a substring of less than %d octets is in everything", minPart)
		}
		return strings.ToLower(text), nil
	case Regex:
		_, err := compile(text)
		return text, err
	}
	if p, err := readPrefix(text); err == nil {
		return p.String(), nil
	}
	if rest, ok := strings.CutPrefix(text, "*"); ok {
		text = rest // "*.example.org"
	}
	dot := ""
	if strings.HasPrefix(text, ".") {
		dot = "."
	}
	if n, err := name(text); err == nil {
		return dot + n, nil
	}
	return strings.ToLower(text), nil
}

// name returns a DNS name in lower-case A-labels without dots around it. One of
// a single label is as good as others: a list of top-level domains has no others.
func name(text string) (string, error) {
	text = strings.Trim(strings.TrimPrefix(text, "*"), ".")
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			a, err := idna.Lookup.ToASCII(text)
			if err != nil {
				return "", errors.New("no resolver could look it up")
			}
			text = a
			break
		}
	}
	text = strings.ToLower(text)
	if text == "" || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || len(text) > 253 {
		return "", errors.New("it is no name")
	}
	return text, nil
}

func readPrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, err
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, errors.New("it is wider than IPv4")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// compile reads a regular expression, also one between slashes, as MISP's are.
func compile(text string) (*regexp.Regexp, error) {
	if len(text) > 1 && text[0] == '/' {
		if end := strings.LastIndexByte(text, '/'); end > 0 {
			flags := text[end+1:]
			if strings.Trim(flags, "imsgu") != "" {
				return nil, fmt.Errorf("it has the flags %q; i, m and s are known", flags)
			}
			text = text[1:end]
			flags = strings.NewReplacer("g", "", "u", "").Replace(flags) // which change nothing here
			if flags != "" {
				text = "(?" + flags + ")" + text
			}
		}
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// Entry returns text as an entry of an exact list.
func Entry(text string) (string, error) { return normal(Exact, text) }
