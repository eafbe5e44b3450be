package codec

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Guess returns the format that a text is most likely in, by the name of its
// file and the first octets of it, unpacked. What the text shows counts more
// than what the name says; an unmarked list is text.
func Guess(name string, head []byte) (Format, error) {
	if len(head) == 0 {
		return Format{}, ErrEmpty
	}
	if err := binary(head); err != nil {
		return Format{}, err
	}
	ext := path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz"))
	first := firstLine(head)
	switch {
	case strings.HasPrefix(first, "{"), strings.HasPrefix(first, "["):
		return Reader(guessJSON(head))
	case looksLikeHosts(first):
		return Reader("hosts")
	case looksLikeCSV(first):
		return Reader("csv")
	}
	for _, f := range Formats() {
		if f.Read != nil && slices.Contains(f.Extensions, ext) {
			return f, nil
		}
	}
	return Reader("text")
}

// firstLine returns the first line that is neither blank nor a comment.
func firstLine(head []byte) string {
	for l := range bytes.Lines(bytes.TrimPrefix(head, byteOrderMark)) {
		if s := strings.TrimSpace(string(l)); s != "" && s[0] != '#' {
			return s
		}
	}
	return ""
}

// guessJSON tells our own lines, which hold "value" and no record around it,
// from MISP's events.
func guessJSON(head []byte) string {
	first := firstLine(head)
	if strings.HasPrefix(first, `{"type":`) && strings.Contains(first, `"value":`) && !strings.Contains(first, `"Attribute"`) {
		return "json"
	}
	return "misp"
}

func looksLikeHosts(first string) bool {
	f := strings.Fields(first)
	return len(f) > 1 && !strings.Contains(f[0], ",") && notNowhere(f) == ""
}

func looksLikeCSV(first string) bool {
	header, err := new(table).begin(line{number: 1, text: first})
	return header && err == nil
}
