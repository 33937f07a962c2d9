package emulator

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// salesforceTime is the layout of every datetime in an answer. [R]
const salesforceTime = "2006-01-02T15:04:05.000-0700"

// instant is a datetime value: milliseconds since the epoch.
type instant int64

func instantOf(t time.Time) instant { return instant(t.UnixMilli()) }

func (i instant) time() time.Time { return time.UnixMilli(int64(i)).UTC() }

func (i instant) String() string { return i.time().Format(salesforceTime) }

// appendString writes a JSON string. Unlike encoding/json it leaves <, > and &
// alone: the recorded DUPLICATE_USERNAME text holds a bare <br>. [R]
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscape(b, c)
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// appendValue writes a stored field value.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case instant:
		return appendString(b, v.String())
	case raw:
		return append(b, v...)
	default:
		return append(b, encode(v)...)
	}
}

// raw is JSON that is already written.
type raw []byte

// MarshalJSON gives the bytes back unchanged.
func (r raw) MarshalJSON() ([]byte, error) { return r, nil }

// encode writes any Go value without HTML escaping.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only the emulator's own structs come here; one that cannot be
		// encoded is a bug that a test must see.
		panic("emulator: encode: " + err.Error())
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}
