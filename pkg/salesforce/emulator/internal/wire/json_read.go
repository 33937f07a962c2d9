package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile body cannot exhaust the stack.
const maxDepth = 64

// Number keeps a number as it was written.
type Number string

// Member is one name and value of an object, with its place in the body:
// Salesforce names line and column in JSON_PARSER_ERROR. [R]
type Member struct {
	Name  string
	Value any
	Pos   int
}

// Object keeps members in the order they were sent. Values are nil, bool,
// string, Number, []any or *Object.
type Object struct {
	Members []Member
	Pos     int
}

// Get finds a member by name; the last one wins when a name is repeated.
func (o *Object) Get(name string) (any, bool) {
	for i := len(o.Members) - 1; i >= 0; i-- {
		if strings.EqualFold(o.Members[i].Name, name) {
			return o.Members[i].Value, true
		}
	}
	return nil, false
}

// Text is a member that is a string, else empty.
func (o *Object) Text(name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// Flag is a member that is true.
func (o *Object) Flag(name string) bool {
	v, _ := o.Get(name)
	b, _ := v.(bool)
	return b
}

// reader is a small parser written for speed and for Salesforce's error
// positions; encoding/json offers neither ordered members nor columns.
type reader struct {
	src   []byte
	pos   int
	depth int
}

type syntaxError struct {
	src     []byte
	pos     int
	message string
}

func (e *syntaxError) Error() string {
	return e.message + " at " + Position(e.src, e.pos)
}

// Position renders an offset the way Salesforce does. [R]
func Position(src []byte, pos int) string {
	line, column := 1, 1
	for i := 0; i < pos && i < len(src); i++ {
		column++
		if src[i] == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("[line:%d, column:%d]", line, column)
}

// ReadJSON parses one document.
func ReadJSON(src []byte) (any, error) {
	r := reader{src: src}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	r.space()
	if r.pos < len(r.src) {
		return nil, r.unexpected("expected end of input")
	}
	return v, nil
}

func (r *reader) space() {
	for r.pos < len(r.src) {
		switch r.src[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

func (r *reader) fail(format string, args ...any) *syntaxError {
	return &syntaxError{src: r.src, pos: r.pos, message: fmt.Sprintf(format, args...)}
}

func (r *reader) unexpected(wanted string) error {
	if r.pos >= len(r.src) {
		return r.fail("Unexpected end-of-input: %s", wanted)
	}
	c, _ := utf8.DecodeRune(r.src[r.pos:])
	err := r.fail("Unexpected character ('%c' (code %d)): %s", c, c, wanted)
	err.pos++ // the recorded column is the one after the character [R]
	return err
}

func (r *reader) value() (any, error) {
	r.space()
	if r.pos >= len(r.src) {
		return nil, r.unexpected("was expecting a value")
	}
	switch c := r.src[r.pos]; {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		return r.str()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	default:
		return r.word()
	}
}

func (r *reader) word() (any, error) {
	var null any
	rest := r.src[r.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("true")):
		r.pos += len("true")
		return true, nil
	case bytes.HasPrefix(rest, []byte("false")):
		r.pos += len("false")
		return false, nil
	case bytes.HasPrefix(rest, []byte("null")):
		r.pos += len("null")
		return null, nil
	}
	return nil, r.unexpected("expected a valid value (number, String, array, object, 'true', 'false' or 'null')")
}

func (r *reader) number() (any, error) {
	start := r.pos
	for r.pos < len(r.src) && strings.IndexByte("+-0123456789.eE", r.src[r.pos]) >= 0 {
		r.pos++
	}
	text := string(r.src[start:r.pos])
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return nil, r.fail("Invalid numeric value: Leading zeroes not allowed")
	}
	if !json.Valid(r.src[start:r.pos]) {
		return nil, r.fail("Invalid numeric value: %s", text)
	}
	return Number(text), nil
}

func (r *reader) enter() error {
	r.depth++
	if r.depth > maxDepth {
		return r.fail("Document is nested too deeply")
	}
	r.pos++
	r.space()
	return nil
}

func (r *reader) object() (any, error) {
	obj := &Object{Pos: r.pos}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	if r.pos < len(r.src) && r.src[r.pos] == '}' {
		r.pos++
		return obj, nil
	}
	obj.Members = make([]Member, 0, 20)
	for {
		m, err := r.member()
		if err != nil {
			return nil, err
		}
		obj.Members = append(obj.Members, m)
		more, err := r.comma('}')
		if err != nil || !more {
			return obj, err
		}
	}
}

func (r *reader) member() (Member, error) {
	r.space()
	if r.pos >= len(r.src) || r.src[r.pos] != '"' {
		return Member{}, r.unexpected("was expecting double-quote to start field name")
	}
	name, err := r.str()
	if err != nil {
		return Member{}, err
	}
	r.space()
	if r.pos >= len(r.src) || r.src[r.pos] != ':' {
		return Member{}, r.unexpected("was expecting a colon to separate field name and value")
	}
	r.pos++
	r.space()
	pos := r.pos
	v, err := r.value()
	return Member{Name: name, Value: v, Pos: pos}, err
}

func (r *reader) array() (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	list := []any{}
	if r.pos < len(r.src) && r.src[r.pos] == ']' {
		r.pos++
		return list, nil
	}
	for {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		more, err := r.comma(']')
		if err != nil || !more {
			return list, err
		}
	}
}

// comma reads what stands between members: true for another one, false for the
// end.
func (r *reader) comma(end byte) (bool, error) {
	r.space()
	if r.pos < len(r.src) && (r.src[r.pos] == ',' || r.src[r.pos] == end) {
		r.pos++
		return r.src[r.pos-1] == ',', nil
	}
	return false, r.unexpected("was expecting comma to separate entries")
}

func (r *reader) str() (string, error) {
	r.pos++
	start := r.pos
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			text := string(r.src[start:r.pos])
			r.pos++
			if !utf8.ValidString(text) {
				return "", r.fail("Invalid UTF-8 in a string")
			}
			return text, nil
		case c == '\\':
			return r.escaped(start)
		case c < 0x20:
			return "", r.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		}
		r.pos++
	}
	return "", r.unexpected("was expecting closing quote for a string value")
}

// escaped reads the rest of a string that holds at least one backslash.
func (r *reader) escaped(start int) (string, error) {
	b := append([]byte(nil), r.src[start:r.pos]...)
	for r.pos < len(r.src) {
		c := r.src[r.pos]
		switch {
		case c == '"':
			r.pos++
			if !utf8.Valid(b) {
				return "", r.fail("Invalid UTF-8 in a string")
			}
			return string(b), nil
		case c == '\\':
			var err error
			if b, err = r.escape(b); err != nil {
				return "", err
			}
		case c < 0x20:
			return "", r.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		default:
			b = append(b, c)
			r.pos++
		}
	}
	return "", r.unexpected("was expecting closing quote for a string value")
}

func (r *reader) escape(b []byte) ([]byte, error) {
	if r.pos+1 >= len(r.src) {
		return nil, r.unexpected("was expecting an escape")
	}
	c := r.src[r.pos+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		r.pos += 2
		return append(b, "\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		r.pos++
		return nil, r.fail("Unrecognized character escape '%c' (code %d)", c, c)
	}
	code, ok := Hex4(r.src, r.pos+2)
	if !ok {
		return nil, r.fail("Unexpected character in a unicode escape")
	}
	r.pos += 6
	if utf16.IsSurrogate(code) {
		low, ok := rune(0), false
		if r.pos+1 < len(r.src) && r.src[r.pos] == '\\' && r.src[r.pos+1] == 'u' {
			low, ok = Hex4(r.src, r.pos+2)
		}
		pair := utf16.DecodeRune(code, low)
		if ok && pair != utf8.RuneError {
			r.pos += 6
		}
		return utf8.AppendRune(b, pair), nil
	}
	return utf8.AppendRune(b, code), nil
}

// Hex4 reads four hexadecimal digits.
func Hex4(src []byte, at int) (rune, bool) {
	if at+4 > len(src) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(src[at:at+4]), 16, 32)
	return rune(n), err == nil
}
