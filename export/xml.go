package export

import (
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// An XML turns JSON that is written to it into XML as MISP writes it: a member is
// an element of its name, a list is one element after the other, nothing is an
// empty element, and a switch is 1 or 0. It goes on piece by piece, so it takes
// the same memory for a document of any size.
//
// The JSON has to be well formed: it comes from encoders of ours.
type XML struct {
	w     *Writer
	stack []node
	state func(*XML, byte)
	key   []byte // the member that is being read
	text  bool   // the element at hand has text already
	mute  bool   // what is read is not written
	depth int    // of what is mute
	units []byte
	high  rune // first half of a surrogate pair
	last  [2]byte
	word  []byte
}

// A node is an object or a list that is open.
type node struct {
	name string // of its element, or of those of its parts; "": it has none of its own
	list bool
	any  bool // it holds something
}

// unsaid are members that MISP 2.5 leaves out where it writes XML, unsaidEmpty those
// that it leaves out where they are empty.
var (
	unsaid = map[string]bool{"Event.attribute_count": true, "Event.locked": true, "Event.proposal_email_lock": true,
		"Attribute.Event": true, "Attribute.Sighting": true}
	unsaidEmpty = map[string]bool{"Event.Galaxy": true, "Event.EventReport": true, "Event.CryptographicKey": true}
)

// NewXML returns an XML that writes to w.
func NewXML(w io.Writer) *XML {
	x := &XML{w: NewWriter(w), state: (*XML).value}
	x.w.add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>")
	return x
}

func (x *XML) add(parts ...string) {
	if !x.mute {
		x.w.add(parts...)
	}
}

// within is the name of the element in which an open object stands.
func (x *XML) within() string {
	if n := len(x.stack); n > 0 {
		return x.stack[n-1].name
	}
	return ""
}

// Write takes the next piece of JSON.
func (x *XML) Write(p []byte) (int, error) {
	for _, c := range p {
		x.state(x, c)
		if len(x.w.B) >= piece {
			if err := x.w.End(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// Close ends the document. What was written without it is not well formed, so an
// answer that broke off does not look like a whole one.
func (x *XML) Close() error {
	if len(x.word) > 0 {
		x.scalar(string(x.word))
	}
	x.w.add("</response>\n")
	return x.w.End()
}

// element is the name of the element that the value at hand stands in.
func (x *XML) element() string {
	if len(x.stack) == 0 {
		return ""
	}
	top := &x.stack[len(x.stack)-1]
	if top.list {
		return top.name
	}
	return xmlName(x.key, len(x.stack) == 1)
}

// xmlName is a member's name as an element's. The member "response" of the whole is
// the root element itself.
func xmlName(key []byte, top bool) string {
	if top && string(key) == "response" {
		return ""
	}
	name := make([]byte, 0, len(key)+1)
	for i, c := range key {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		digit := c >= '0' && c <= '9' || c == '-' || c == '.'
		switch {
		case letter || digit && i > 0:
			name = append(name, c)
		case digit:
			name = append(name, '_', c)
		default:
			name = append(name, '_')
		}
	}
	if len(name) == 0 {
		return "_"
	}
	return string(name)
}

// fill notes that the open node holds something, and opens its element.
func (x *XML) fill() {
	if len(x.stack) == 0 || x.mute {
		return
	}
	top := &x.stack[len(x.stack)-1]
	if !top.any {
		top.any = true
		if !top.list && top.name != "" {
			x.add("<", top.name, ">")
		}
	}
}

// hush passes over the value of a member that is left out.
func (x *XML) hush() {
	if n := len(x.stack); !x.mute && n > 0 && !x.stack[n-1].list && unsaid[x.within()+"."+string(x.key)] {
		x.mute, x.depth = true, n
	}
}

func (x *XML) value(c byte) {
	switch c {
	case ' ', '\n', '\t', '\r', ',':
	case '{', '[':
		x.hush()
		x.fill()
		x.stack = append(x.stack, node{name: x.element(), list: c == '['})
		if c == '{' {
			x.state = (*XML).member
		}
	case ']':
		x.pop()
	case '"':
		x.hush()
		x.fill()
		x.text, x.state = false, (*XML).inText
	default:
		x.hush()
		x.fill()
		x.word, x.state = append(x.word[:0], c), (*XML).inWord
	}
}

func (x *XML) member(c byte) {
	switch c {
	case '"':
		x.key, x.state = x.key[:0], (*XML).inKey
	case ':':
		x.state = (*XML).value
	case '}':
		x.pop()
	}
}

func (x *XML) pop() {
	top := x.stack[len(x.stack)-1]
	x.stack = x.stack[:len(x.stack)-1]
	switch {
	case top.name == "":
	case !top.any && unsaidEmpty[x.within()+"."+top.name]:
	case !top.any:
		x.add("<", top.name, "/>")
	case !top.list:
		x.add("</", top.name, ">")
	}
	x.after()
}

// after goes on behind a value.
func (x *XML) after() {
	if x.mute && len(x.stack) <= x.depth {
		x.mute = false
	}
	if x.state = (*XML).value; len(x.stack) > 0 && !x.stack[len(x.stack)-1].list {
		x.state = (*XML).member
	}
}

func (x *XML) inKey(c byte) {
	if c == '"' {
		x.state = (*XML).member
		return
	}
	x.key = append(x.key, c)
}

func (x *XML) inWord(c byte) {
	switch c {
	case ',', '}', ']', ' ', '\n':
		x.scalar(string(x.word))
		x.word = x.word[:0]
		x.after()
		x.state(x, c)
	default:
		x.word = append(x.word, c)
	}
}

func (x *XML) scalar(word string) {
	name := x.element()
	switch word {
	case "null":
		x.empty(name)
		return
	case "true":
		word = "1"
	case "false":
		word = "0"
	}
	x.open(name)
	x.add(word)
	x.shut(name)
}

func (x *XML) open(name string) {
	if name != "" {
		x.add("<", name, ">")
	}
}

func (x *XML) shut(name string) {
	if name != "" {
		x.add("</", name, ">")
	}
}

func (x *XML) empty(name string) {
	if name != "" {
		x.add("<", name, "/>")
	}
}

func (x *XML) inText(c byte) {
	switch c {
	case '"':
		name := x.element()
		if x.text {
			x.shut(name)
		} else {
			x.empty(name)
		}
		x.after()
	case '\\':
		x.state = (*XML).escaped
	default:
		x.put(c)
	}
}

// put appends an octet of a text. U+FFFE and U+FFFF, which XML can't hold, end in
// another octet than U+FFFD.
func (x *XML) put(c byte) {
	if !x.text {
		x.text = true
		x.open(x.element())
	}
	if (c == 0xBE || c == 0xBF) && x.last == [2]byte{0xEF, 0xBF} {
		c = 0xBD
	}
	x.last = [2]byte{x.last[1], c}
	switch {
	case x.mute:
	case c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' || c == '\r' || c < ' ' && c != '\t' && c != '\n':
		x.w.B = appendXML(x.w.B, string(rune(c)))
	default:
		x.w.B = append(x.w.B, c)
	}
}

func (x *XML) escaped(c byte) {
	x.state = (*XML).inText
	switch c {
	case 'n':
		c = '\n'
	case 't':
		c = '\t'
	case 'r':
		c = '\r'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'u':
		x.units, x.state = x.units[:0], (*XML).unit
		return
	}
	x.put(c)
}

// unit reads four hexadecimal digits.
func (x *XML) unit(c byte) {
	if x.units = append(x.units, c); len(x.units) < 4 {
		return
	}
	x.state = (*XML).inText
	var r rune
	for _, d := range x.units {
		switch {
		case d >= '0' && d <= '9':
			r = r<<4 | rune(d-'0')
		default:
			r = r<<4 | rune(d|0x20-'a'+10)
		}
	}
	if utf16.IsSurrogate(r) && x.high == 0 {
		x.high = r
		return
	}
	if x.high != 0 {
		r, x.high = utf16.DecodeRune(x.high, r), 0
	}
	for _, b := range utf8.AppendRune(nil, r) {
		x.put(b)
	}
}
