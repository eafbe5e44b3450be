package stix

import (
	"strings"
	"unicode/utf8"

	"tocsin/misp"
)

// A node is a piece of STIX 1: an element in XML, a member in JSON. Both are written
// from the same tree, so that they say the same.
type node struct {
	tag   string // of the element, with its prefix
	name  string // of the member; "": it is in XML only
	xsi   string // the element's type
	attrs []attr
	text  string
	bare  bool   // in JSON the text is a number or a switch
	cond  string // how the text is to be compared; "": it is not
	kids  []*node
	list  bool // in JSON the kids are a list
}

// An attr is an attribute in XML, a member in JSON.
type attr struct {
	name, value string
	bare        bool
}

func el(tag, name string, kids ...*node) *node { return &node{tag: tag, name: name, kids: kids} }

// leaf is an element that holds a text, to be compared.
func leaf(tag, name, text string) *node {
	return &node{tag: tag, name: name, text: text, cond: "Equals"}
}

// words is an element that holds a text.
func words(tag, name, text string) *node { return &node{tag: tag, name: name, text: text} }

func (n *node) typed(xsi string) *node { n.xsi = xsi; return n }

func (n *node) with(name, value string) *node {
	n.attrs = append(n.attrs, attr{name: name, value: value})
	return n
}

func (n *node) flagged(name string, v bool) *node {
	value := "false"
	if v {
		value = "true"
	}
	n.attrs = append(n.attrs, attr{name, value, true})
	return n
}

// appendXML appends the element.
func (n *node) appendXML(b []byte) []byte {
	if n.tag == "" {
		for _, k := range n.kids {
			b = k.appendXML(b)
		}
		return b
	}
	b = append(append(b, '<'), n.tag...)
	if n.xsi != "" {
		b = appendAttr(b, "xsi:type", n.xsi)
	}
	for _, a := range n.attrs {
		b = appendAttr(b, a.name, a.value)
	}
	if n.cond != "" {
		b = appendAttr(b, "condition", n.cond)
	}
	if n.text == "" && len(n.kids) == 0 {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	b = appendXMLText(b, n.text)
	for _, k := range n.kids {
		b = k.appendXML(b)
	}
	return append(append(append(b, '<', '/'), n.tag...), '>')
}

func appendAttr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), '=', '"')
	return append(appendXMLText(b, value), '"')
}

// appendXMLText appends a text as it can stand in an element or an attribute (XML 1.0,
// sections 2.2 and 2.4).
func appendXMLText(b []byte, s string) []byte {
	for _, c := range s {
		switch {
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c == '"':
			b = append(b, "&quot;"...)
		case c == '\r':
			b = append(b, "&#13;"...)
		case c < ' ' && c != '\t' && c != '\n' || c == 0xFFFE || c == 0xFFFF:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// appendJSON appends the value of the member.
func (n *node) appendJSON(b []byte) []byte {
	if n.list {
		b = append(b, '[')
		for i, k := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = k.appendJSON(b)
		}
		return append(b, ']')
	}
	if len(n.kids) == 0 && len(n.attrs) == 0 && n.cond == "" && n.xsi == "" && n.text != "" {
		return n.appendText(b)
	}
	b = append(b, '{')
	first := len(b)
	member := func(name string) {
		if len(b) > first {
			b = append(b, ',')
		}
		b = append(misp.AppendText(b, name), ':')
	}
	if n.text != "" {
		member("value")
		b = n.appendText(b)
	}
	for _, a := range n.attrs {
		member(a.name)
		if a.bare {
			b = append(b, a.value...)
		} else {
			b = misp.AppendText(b, a.value)
		}
	}
	if n.cond != "" {
		member("condition")
		b = misp.AppendText(b, n.cond)
	}
	for _, k := range n.members() {
		member(k.name)
		b = k.appendJSON(b)
	}
	if n.xsi != "" {
		member("xsi:type")
		xsi := n.xsi
		if before, after, _ := strings.Cut(xsi, ":"); strings.HasSuffix(before, "Obj") {
			xsi = after
		}
		b = misp.AppendText(b, xsi)
	}
	return append(b, '}')
}

// members are the kids as JSON has them: one that has no name is its own kids.
func (n *node) members() (ms []*node) {
	for _, k := range n.kids {
		if k.name != "" {
			ms = append(ms, k)
		} else {
			ms = append(ms, k.members()...)
		}
	}
	return ms
}

func (n *node) appendText(b []byte) []byte {
	if n.bare {
		return append(b, n.text...)
	}
	return misp.AppendText(b, n.text)
}
