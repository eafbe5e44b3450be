package codec

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"strings"
)

func init() {
	register(Format{Name: "text", Media: "text/plain; charset=utf-8", Extensions: []string{".txt", ".list"},
		Describe: "one value a line; # begins a comment", Read: readText, Write: writeText, List: writeTextList})
}

// readText reads one value a line, defanged or not. A comment takes a line of
// its own or follows a blank, so that the fragment of a URL stays.
func readText(r io.Reader, o Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		eachLine(r, yield, func(s *sink) {
			if text := uncommented(s.line.text); text != "" {
				s.draft(Draft{Type: o.Type, Text: text})
			}
		})
	}
}

// uncommented returns a line without its comment and the blanks around it. A
// comment begins with "#", or ";" as in Spamhaus's lists.
func uncommented(s string) string {
	for i := 0; ; i++ {
		n := strings.IndexAny(s[i:], "#;")
		if n < 0 {
			break
		}
		if i += n; i == 0 || s[i-1] == ' ' || s[i-1] == '\t' {
			s = s[:i]
			break
		}
	}
	return strings.TrimSpace(s)
}

// writeText writes one value a line. What would not come back as the same one
// value, such as a rule of several lines, is not for this format and left out.
func writeText(w io.Writer, rows iter.Seq2[Row, error]) error {
	b := bufio.NewWriterSize(w, 64<<10)
	for r, err := range rows {
		if err != nil {
			return err
		}
		v := r.Attribute.Value.String()
		if strings.ContainsAny(v, "\n\r\x00") || uncommented(v) != v || v == "" {
			continue
		}
		b.WriteString(v)
		if err := b.WriteByte('\n'); err != nil {
			return err
		}
	}
	return b.Flush()
}

// writeTextList writes what is named, one a line and nothing else: programs read
// it that know no comments.
func writeTextList(w io.Writer, l List) error {
	return writeList(w, l.Items(anything...), func(out *listWriter, i Item) {
		if !bytes.ContainsAny(i.Text, "\n\r\x00") {
			out.line("", i.Text, "")
		}
	}, nothingMore)
}
