package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds nesting, so that a hostile body cannot exhaust the stack.
const maxJSONDepth = 64

// jsonNumber keeps a number as it was written.
type jsonNumber string

// jsonMember is one name and value of an object, with its place in the body:
// Salesforce names line and column in JSON_PARSER_ERROR. [R]
type jsonMember struct {
	name  string
	value any
	pos   int
}

// jsonObject keeps members in the order they were sent. Values are nil, bool,
// string, jsonNumber, []any or *jsonObject.
type jsonObject struct {
	members []jsonMember
	pos     int
}

// get finds a member by name; the last one wins when a name is repeated.
func (o *jsonObject) get(name string) (any, bool) {
	for i := len(o.members) - 1; i >= 0; i-- {
		if strings.EqualFold(o.members[i].name, name) {
			return o.members[i].value, true
		}
	}
	return nil, false
}

func (o *jsonObject) text(name string) string {
	v, _ := o.get(name)
	s, _ := v.(string)
	return s
}

func (o *jsonObject) flag(name string) bool {
	v, _ := o.get(name)
	b, _ := v.(bool)
	return b
}

// jsonReader is a small parser written for speed and for Salesforce's error
// positions; encoding/json offers neither ordered members nor columns.
type jsonReader struct {
	src   []byte
	pos   int
	depth int
}

type jsonSyntaxError struct {
	src     []byte
	pos     int
	message string
}

func (e *jsonSyntaxError) Error() string {
	return e.message + " at " + position(e.src, e.pos)
}

// position renders an offset the way Salesforce does. [R]
func position(src []byte, pos int) string {
	line, column := 1, 1
	for i := 0; i < pos && i < len(src); i++ {
		column++
		if src[i] == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("[line:%d, column:%d]", line, column)
}

// readJSON parses one document.
func readJSON(src []byte) (any, error) {
	r := jsonReader{src: src}
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

func (r *jsonReader) space() {
	for r.pos < len(r.src) {
		switch r.src[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

func (r *jsonReader) fail(format string, args ...any) *jsonSyntaxError {
	return &jsonSyntaxError{src: r.src, pos: r.pos, message: fmt.Sprintf(format, args...)}
}

func (r *jsonReader) unexpected(wanted string) error {
	if r.pos >= len(r.src) {
		return r.fail("Unexpected end-of-input: %s", wanted)
	}
	c, _ := utf8.DecodeRune(r.src[r.pos:])
	err := r.fail("Unexpected character ('%c' (code %d)): %s", c, c, wanted)
	err.pos++ // the recorded column is the one after the character [R]
	return err
}

func (r *jsonReader) value() (any, error) {
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

func (r *jsonReader) word() (any, error) {
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

func (r *jsonReader) number() (any, error) {
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
	return jsonNumber(text), nil
}

func (r *jsonReader) enter() error {
	r.depth++
	if r.depth > maxJSONDepth {
		return r.fail("Document is nested too deeply")
	}
	r.pos++
	r.space()
	return nil
}

func (r *jsonReader) object() (any, error) {
	obj := &jsonObject{pos: r.pos}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	if r.pos < len(r.src) && r.src[r.pos] == '}' {
		r.pos++
		return obj, nil
	}
	obj.members = make([]jsonMember, 0, 20)
	for {
		m, err := r.member()
		if err != nil {
			return nil, err
		}
		obj.members = append(obj.members, m)
		more, err := r.comma('}')
		if err != nil || !more {
			return obj, err
		}
	}
}

func (r *jsonReader) member() (jsonMember, error) {
	r.space()
	if r.pos >= len(r.src) || r.src[r.pos] != '"' {
		return jsonMember{}, r.unexpected("was expecting double-quote to start field name")
	}
	name, err := r.str()
	if err != nil {
		return jsonMember{}, err
	}
	r.space()
	if r.pos >= len(r.src) || r.src[r.pos] != ':' {
		return jsonMember{}, r.unexpected("was expecting a colon to separate field name and value")
	}
	r.pos++
	r.space()
	pos := r.pos
	v, err := r.value()
	return jsonMember{name: name, value: v, pos: pos}, err
}

func (r *jsonReader) array() (any, error) {
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
func (r *jsonReader) comma(end byte) (bool, error) {
	r.space()
	if r.pos < len(r.src) && (r.src[r.pos] == ',' || r.src[r.pos] == end) {
		r.pos++
		return r.src[r.pos-1] == ',', nil
	}
	return false, r.unexpected("was expecting comma to separate entries")
}

func (r *jsonReader) str() (string, error) {
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
func (r *jsonReader) escaped(start int) (string, error) {
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

func (r *jsonReader) escape(b []byte) ([]byte, error) {
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
	code, ok := r.hex4(r.pos + 2)
	if !ok {
		return nil, r.fail("Unexpected character in a unicode escape")
	}
	r.pos += 6
	if utf16.IsSurrogate(code) {
		low, ok := rune(0), false
		if r.pos+1 < len(r.src) && r.src[r.pos] == '\\' && r.src[r.pos+1] == 'u' {
			low, ok = r.hex4(r.pos + 2)
		}
		pair := utf16.DecodeRune(code, low)
		if ok && pair != utf8.RuneError {
			r.pos += 6
		}
		return utf8.AppendRune(b, pair), nil
	}
	return utf8.AppendRune(b, code), nil
}

func (r *jsonReader) hex4(at int) (rune, bool) {
	if at+4 > len(r.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.src[at:at+4]), 16, 32)
	return rune(n), err == nil
}
