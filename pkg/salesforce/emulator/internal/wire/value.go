package wire

import (
	"strconv"
	"strings"
)

// Plain is a JSON value as the text of an error shows it.
func Plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Number:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return "null"
	}
	return ""
}

// PlainValue is a value as a text: null is empty, and nothing is quoted.
func PlainValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case Number, bool:
		return Plain(v)
	}
	return strings.Trim(string(AppendValue(nil, v)), `"`)
}

// TextOrNil has null for an empty text.
func TextOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// FromGo maps what encoding/json or a test writes onto the reader's types.
func FromGo(v any) any {
	switch v := v.(type) {
	case nil, bool, string, Number:
		return v
	}
	return Number(Encode(v))
}
