// Package indicator defines the values that parties exchange: an address, a
// domain, a hash. A [Value] is always in normal form, so two parties who saw
// the same thing hold equal values.
//
// Everything that depends on what sort of value it is stands in one row of one
// table (table.go): how text is read, its normal form, what it names, the keys
// it is found under, its MISP categories. Other packages ask a value for its
// facets and keys, never for its type, so a new row works everywhere at once.
//
// The package knows nothing of who claims a value or who may see the claim.
package indicator

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Value is an indicator in normal form. Values are comparable: two are equal
// if type and normal form are. The zero Value is no value.
//
// Text that is in normal form already is kept, not copied, so a Value parsed
// from a line of a large buffer keeps that buffer alive; whoever keeps it for
// long passes strings.Clone(line).
type Value struct {
	typ  *Type
	text string
}

// maxText is the longest value in octets. It is what a MISP column holds, so
// no peer can send more or could take it.
const maxText = 1<<16 - 1

// Parse reads text as a value of the named type. It accepts the spellings that
// people paste ("hxxp://evil[.]example") and yields the form that MISP stores.
// Every error is a [*ParseError].
func Parse(typ, text string) (Value, error) {
	t, ok := TypeByName(typ)
	if !ok {
		return Value{}, &ParseError{typ, text, "no such indicator type"}
	}
	return t.Parse(text)
}

// Parse reads text as a value of type t; see the function [Parse].
func (t *Type) Parse(text string) (Value, error) {
	if t.plain != nil && t.plain(text) {
		return Value{t, text}, nil
	}
	norm, err := clean(text)
	if err == nil {
		norm, err = t.parse(norm)
	}
	if err == nil && len(norm) > maxText {
		err = errLong
	}
	if err != nil {
		return Value{}, &ParseError{t.Name, text, err.Error()}
	}
	return Value{t, norm}, nil
}

// Stored rebuilds a value from storage. It trusts text to be the normal form
// that [Value.String] gave and checks nothing but the type.
func Stored(typeID uint16, text string) (Value, error) {
	t, ok := TypeByID(typeID)
	if !ok {
		return Value{}, &ParseError{fmt.Sprintf("type %d", typeID), text, "no such indicator type"}
	}
	return Value{t, text}, nil
}

// Type returns the row of v's type, nil for the zero Value.
func (v Value) Type() *Type { return v.typ }

// TypeName returns the MISP name of v's type, "" for the zero Value.
func (v Value) TypeName() string {
	if v.typ == nil {
		return ""
	}
	return v.typ.Name
}

// String returns the normal form.
func (v Value) String() string { return v.text }

// IsZero reports whether v is no value.
func (v Value) IsZero() bool { return v.typ == nil }

// Parts returns what MISP calls value1 and value2: both sides of a composite
// such as domain|ip, or the whole value and "".
func (v Value) Parts() (value1, value2 string) {
	if v.typ == nil || v.typ.cut == nil {
		return v.text, ""
	}
	return v.typ.cut(v.text)
}

// A ParseError says which value was refused and why, in words for an analyst.
type ParseError struct{ Type, Text, Why string }

// Error quotes no more than the beginning of a long text.
func (e *ParseError) Error() string {
	text, more := e.Text, ""
	if len(text) > 120 {
		text, more = strings.ToValidUTF8(text[:120], ""), "…"
	}
	if e.Type == "" {
		return fmt.Sprintf("%q%s: %s", text, more, e.Why)
	}
	return fmt.Sprintf("%s %q%s: %s", e.Type, text, more, e.Why)
}

// why is the reason in a ParseError: a constant, so that refusing costs nothing.
type why string

func (w why) Error() string { return string(w) }

const (
	errEmpty   = why("it is empty")
	errLong    = why("it is longer than 65,535 octets")
	errUTF8    = why("it is not valid UTF-8: convert the text first")
	errNUL     = why("it holds a NUL character")
	errControl = why("it holds a control character")
	errNewline = why("it holds a line break: is it several values?")
	errSpace   = why("it holds a space: is it several values?")
)

// clean is what every type wants of text: valid, not empty, without the byte
// order mark and the blanks around it.
func clean(text string) (string, error) {
	switch {
	case len(text) > 4*maxText:
		return "", errLong
	case !utf8.ValidString(text):
		return "", errUTF8
	}
	for {
		s := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
		if s == text {
			break
		}
		text = s
	}
	switch {
	case text == "":
		return "", errEmpty
	case strings.IndexByte(text, 0) >= 0:
		return "", errNUL
	}
	return text, nil
}
