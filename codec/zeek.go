package codec

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tocsin/indicator"
)

func init() {
	register(Format{Name: "zeek", Media: "text/plain; charset=utf-8", Extensions: []string{".intel"},
		Describe: "a file for Zeek's intelligence framework; it alerts on exact names, and blocks nothing",
		Looks:    func(h head) bool { return bytes.Contains(h.text, zeekHead) }, Read: readZeek, List: writeZeek})
}

var zeekHead = []byte("#fields\tindicator\t")

// zeekTypes are what Zeek calls things that are named. It matches a domain as a
// whole name only.
var zeekTypes = map[indicator.Kind]string{
	indicator.Domain: "Intel::DOMAIN", indicator.Host: "Intel::DOMAIN", indicator.URL: "Intel::URL",
	indicator.Email: "Intel::EMAIL", indicator.Hash: "Intel::FILE_HASH", indicator.File: "Intel::FILE_NAME",
	indicator.Certificate: "Intel::CERT_HASH",
}

var zeekKinds = []indicator.Kind{indicator.Domain, indicator.Host, indicator.Prefix, indicator.URL, indicator.Email, indicator.Hash,
	indicator.File, indicator.Certificate}

// writeZeek writes a file for Intel::read_files. What a hit is logged with is the
// source and the number of the event, by which it is found here: no text
// of the claim itself, which Zeek would write into logs that many read.
func writeZeek(w io.Writer, l List) error {
	const header = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n"
	out := &listWriter{Writer: newBuffer(w)}
	out.WriteString(header)
	return out.write(l.Items(zeekKinds...), func(out *listWriter, i Item) {
		text, typ := i.Text, zeekTypes[i.Kind]
		switch i.Kind {
		case indicator.Prefix:
			typ = "Intel::ADDR"
			if !i.Prefix.IsSingleIP() {
				typ = "Intel::SUBNET"
				text = i.Prefix.AppendTo(text[:0])
			}
		case indicator.URL:
			text = schemeless(text)
		}
		if !isZeek(text) {
			return
		}
		out.Write(text)
		out.WriteByte('\t')
		out.WriteString(typ)
		out.WriteByte('\t')
		out.WriteString(zeekSource(l, i))
		if i.Row != nil && i.Row.Event != nil {
			out.WriteString("\tevent ")
			out.WriteString(strconv.FormatInt(i.Row.Event.ID, 10))
		} else {
			out.WriteString("\t-")
		}
		out.WriteByte('\n')
		out.entries++
	}, endComment("#"))
}

// zeekSource is the collection, or whoever reported a claim.
func zeekSource(l List, i Item) string {
	s := l.Name
	if i.Row != nil {
		s = i.Row.Org
	}
	if !isZeek([]byte(s)) {
		return "tocsin"
	}
	return s
}

// schemeless is a URL as Zeek wants it, without "http://".
func schemeless(u []byte) []byte {
	if i := bytes.Index(u, []byte("://")); i >= 0 {
		return u[i+3:]
	}
	return u
}

// isZeek reports whether a text is a field as it stands: no tab, no line end,
// nothing that begins a comment, stands for nothing or needs an escape.
func isZeek(text []byte) bool {
	if len(text) == 0 || !utf8.Valid(text) || text[0] == '#' || len(bytes.TrimSpace(text)) < len(text) || string(text) == "-" || string(text) == "(empty)" {
		return false
	}
	for _, c := range text {
		if c < ' ' || c == 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

// fromZeek are the types of indicators that we have a type for; "": told by the
// value itself.
var fromZeek = map[string]string{
	"Intel::ADDR": "ip-dst", "Intel::SUBNET": "ip-dst", "Intel::URL": "url", "Intel::EMAIL": "email", "Intel::DOMAIN": "",
	"Intel::FILE_HASH": "", "Intel::FILE_NAME": "filename", "Intel::CERT_HASH": "x509",
}

// certificates are the types of a certificate's hash by its length.
var certificates = map[int]string{32: "x509-fingerprint-md5", 40: "x509-fingerprint-sha1", 64: "x509-fingerprint-sha256"}

// readZeek reads such files. What the other columns say, except for what tells
// Zeek what to do, is the comment.
func readZeek(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		var z zeekReader
		eachLine(r, yield, z.line)
	}
}

type zeekReader struct {
	fields     []string
	value, typ int
	cells      []string
}

func (z *zeekReader) line(s *sink) {
	text := s.line.text
	if header, ok := strings.CutPrefix(text, "#fields\t"); ok {
		z.fields = strings.Split(header, "\t")
		z.value, z.typ = slices.Index(z.fields, "indicator"), slices.Index(z.fields, "indicator_type")
		if z.value < 0 || z.typ < 0 {
			s.fail("line %d names no field indicator or none indicator_type", s.line.number)
		}
		return
	}
	if strings.HasPrefix(text, "#") || strings.TrimSpace(text) == "" {
		return
	}
	if z.fields == nil {
		s.fail("there is no line #fields before line %d, as Zeek's files have", s.line.number)
		return
	}
	z.cells = z.cells[:0]
	for c := range strings.SplitSeq(text, "\t") {
		z.cells = append(z.cells, c)
	}
	if len(z.cells) != len(z.fields) {
		s.lose("it has " + strconv.Itoa(len(z.cells)) + " fields where the header has " + strconv.Itoa(len(z.fields)) + "; they are separated by single tabs")
		return
	}
	typ, known := fromZeek[z.cells[z.typ]]
	if !known {
		s.lose("there is no type for " + strconv.Quote(beginning([]byte(z.cells[z.typ]))) + " here")
		return
	}
	value := strings.TrimSpace(zeekText(z.cells[z.value]))
	if value == "" || value == "-" {
		s.lose("it has no indicator")
		return
	}
	if typ == "x509" {
		if typ = certificates[len(value)]; typ == "" {
			s.lose("it is no hash of a certificate")
			return
		}
	}
	s.draft(Draft{Type: typ, Text: value, Comment: z.comment()})
}

func (z *zeekReader) comment() string {
	var said []string
	for i, c := range z.cells {
		name := z.fields[i]
		if i == z.value || i == z.typ || name == "meta.do_notice" || name == "meta.if_in" || c == "-" || c == "" {
			continue
		}
		said = append(said, zeekText(c))
	}
	return strings.Join(said, "; ")
}

// zeekText undoes \x09 and the like, in which Zeek writes what would end a field.
func zeekText(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil && n != 0 {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}
