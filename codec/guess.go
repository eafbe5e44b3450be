package codec

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// A head is the beginning of a text, as a format looks at it to recognise itself.
type head struct {
	text []byte // without a byte order mark
	line string // the first that is neither blank nor a comment
}

// Guess returns the format that a text is most likely in, by the name of its
// file and the first octets of it, unpacked. What the text shows counts more
// than what the name says; an unmarked list is text.
func Guess(name string, text []byte) (Format, error) {
	if len(text) == 0 {
		return Format{}, ErrEmpty
	}
	if f := formats["misp-feed"]; f.Looks(head{text: text}) {
		return f, nil
	}
	if err := notText(text); err != nil {
		return Format{}, err
	}
	text = bytes.TrimPrefix(text, byteOrderMark)
	h := head{text, firstLine(text)}
	for _, f := range Formats() {
		// JSON and tables look like much: the others say first whether it is theirs.
		if f.Looks != nil && f.Name != "csv" && f.Name != "json" && f.Looks(h) {
			return f, nil
		}
	}
	for _, name := range []string{"json", "csv"} {
		if f := formats[name]; f.Looks(h) {
			return f, nil
		}
	}
	ext := path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz"))
	for _, f := range Formats() {
		if f.Read != nil && slices.Contains(f.Extensions, ext) {
			return f, nil
		}
	}
	return Reader("text")
}

// commentMarks begin comments in one format or another.
var commentMarks = []string{"#", ";", "!", "//"}

// firstLine returns the first line that is neither blank nor a comment.
func firstLine(text []byte) string {
	for l := range bytes.Lines(text) {
		s := strings.TrimSpace(string(l))
		if s != "" && !slices.ContainsFunc(commentMarks, func(m string) bool { return strings.HasPrefix(s, m) }) {
			return s
		}
	}
	return ""
}
