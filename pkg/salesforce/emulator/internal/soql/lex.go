package soql

import (
	"strings"
	"unicode/utf8"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	nameToken
	stringToken
	numberToken // numbers, dates and datetimes: all begin with a digit or sign
	symbolToken
)

// token is one word of a query. pos is its byte offset.
type token struct {
	kind tokenKind
	text string // strings: what stands between the quotes, escapes untouched
	pos  int
}

// is compares a keyword or symbol without case.
func (t token) is(word string) bool {
	return (t.kind == nameToken || t.kind == symbolToken) && strings.EqualFold(t.text, word)
}

// syntaxError is a MALFORMED_QUERY: the text was not SOQL.
type syntaxError struct{ message string }

func (e *syntaxError) Error() string { return e.message }

func unexpectedToken(t token) error { // [R] "unexpected token: q"
	text := t.text
	if t.kind == endToken {
		text = "<EOF>"
	}
	return &syntaxError{"unexpected token: " + text}
}

// lex cuts a query into tokens, the last of which is endToken.
func lex(q string) ([]token, error) {
	tokens := make([]token, 0, 16+len(q)/8)
	for i := 0; i < len(q); {
		c := q[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case isNameByte(c) && !isDigit(c):
			n := span(q[i:], isPathByte)
			tokens = append(tokens, token{nameToken, q[i : i+n], i})
			i += n
		case isDigit(c) || (c == '-' || c == '+') && i+1 < len(q) && isDigit(q[i+1]):
			n := 1 + span(q[i+1:], isLiteralByte)
			tokens = append(tokens, token{numberToken, q[i : i+n], i})
			i += n
		case c == '\'':
			n, err := stringSpan(q[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, token{stringToken, q[i+1 : i+n-1], i})
			i += n
		default:
			n, err := symbolSpan(q[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, token{symbolToken, q[i : i+n], i})
			i += n
		}
	}
	return append(tokens, token{kind: endToken, pos: len(q)}), nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameByte(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isPathByte also takes the dot of Profile.Name and the colon of LAST_N_DAYS:7.
func isPathByte(c byte) bool { return isNameByte(c) || c == '.' || c == ':' }

func isLiteralByte(c byte) bool {
	return isNameByte(c) || c == '.' || c == ':' || c == '-' || c == '+'
}

func span(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

// stringSpan measures a quoted string with both quotes. A quote inside is
// written with a backslash; doubling it ends the string. [D]
func stringSpan(s string) (int, error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			return i + 1, nil
		case '\n', '\r':
			return 0, &syntaxError{"line breaks not allowed in string literals"} // [U]
		}
	}
	return 0, &syntaxError{"unexpected token: <EOF>"}
}

func symbolSpan(s string) (int, error) {
	for _, two := range [...]string{"!=", "<>", "<=", ">="} {
		if strings.HasPrefix(s, two) {
			return 2, nil
		}
	}
	if strings.IndexByte("=<>(),", s[0]) >= 0 {
		return 1, nil
	}
	r, _ := utf8.DecodeRuneInString(s)
	return 0, &syntaxError{"unexpected token: " + string(r)}
}

// unescape resolves the backslashes of a string literal. With pattern set, \%
// and \_ stay as they are, for LIKE to see.
func unescape(s string, pattern bool) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", &syntaxError{"unexpected token: \\"}
		}
		n, err := unescapeOne(&b, s[i:], pattern)
		if err != nil {
			return "", err
		}
		i += n - 1
	}
	return b.String(), nil
}

// unescapeOne reads what follows a backslash and says how long it was.
func unescapeOne(b *strings.Builder, s string, pattern bool) (int, error) {
	switch c := s[0]; c {
	case 'n', 'N':
		b.WriteByte('\n')
	case 'r', 'R':
		b.WriteByte('\r')
	case 't', 'T':
		b.WriteByte('\t')
	case 'b', 'B':
		b.WriteByte('\b')
	case 'f', 'F':
		b.WriteByte('\f')
	case '"', '\'':
		b.WriteByte(c)
	case '\\', '%', '_':
		if pattern {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	case 'u', 'U':
		code, ok := wire.Hex4([]byte(s), 1)
		if !ok {
			return 0, &syntaxError{"Illegal character sequence '\\" + string(c) + "' in string literal"}
		}
		b.WriteRune(code)
		return 5, nil
	default: // [U] text
		r, _ := utf8.DecodeRuneInString(s)
		return 0, &syntaxError{"Illegal character sequence '\\" + string(r) + "' in string literal"}
	}
	return 1, nil
}
