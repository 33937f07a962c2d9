package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// Convert turns a JSON value into a stored value: nil, string, bool, int64,
// float64 or instant. The error is about the request, not about the record.
func (f *Field) Convert(v any) (any, *wire.APIError) {
	switch v := v.(type) {
	case nil:
		if f.Kind == KindBoolean { // [U]
			return nil, f.cannot(v)
		}
		return nil, nil
	case string:
		return f.fromText(v)
	case bool:
		if f.Kind == KindBoolean {
			return v, nil
		}
	case wire.Number:
		return f.fromNumber(v)
	}
	return nil, f.cannot(v)
}

func (f *Field) cannot(v any) *wire.APIError { // [R] shape
	token := "VALUE_STRING"
	switch v.(type) {
	case nil:
		token = "VALUE_NULL"
	case bool:
		token = "VALUE_TRUE"
	case wire.Number:
		token = "VALUE_NUMBER_INT"
	case []any:
		token = "START_ARRAY"
	case *wire.Object:
		token = "START_OBJECT"
	}
	return wire.PlatformError(400, "JSON_PARSER_ERROR",
		fmt.Sprintf("Cannot deserialize instance of %s from %s value %s or request may be missing a required field",
			f.Kind, token, wire.Plain(v)))
}

// fromText reads a value sent as a string; JSON and CSV share it.
func (f *Field) fromText(s string) (any, *wire.APIError) {
	if s == "" && f.Kind != KindBoolean {
		return nil, nil // an empty string is null [D]
	}
	switch f.Kind {
	case KindBoolean:
		switch strings.ToLower(s) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, f.cannot(s)
	case KindInt, KindDouble:
		return f.fromNumber(wire.Number(s))
	case KindDatetime:
		if t, ok := wire.ParseInstant(s); ok {
			return t, nil
		}
		return nil, f.cannot(s)
	case KindDate:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, f.cannot(s)
		}
		return s, nil
	}
	return s, nil
}

func (f *Field) fromNumber(n wire.Number) (any, *wire.APIError) {
	switch f.Kind {
	case KindInt:
		if i, err := strconv.ParseInt(strings.TrimSuffix(string(n), ".0"), 10, 64); err == nil {
			return i, nil
		}
	case KindDouble:
		if x, err := strconv.ParseFloat(string(n), 64); err == nil {
			return x, nil
		}
	case KindString, KindPicklist, kindEmail:
		return string(n), nil
	}
	return nil, f.cannot(n)
}

// check applies the rules of the column to a converted value.
func (f *Field) check(d *Data, v any) (any, *wire.APIError) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	switch f.Kind {
	case kindEmail:
		if !IsEmail(s) { // [R]
			return nil, wire.RecordError("INVALID_EMAIL_ADDRESS", f.Label+": invalid email address: "+s, f.Name)
		}
	case KindPicklist:
		if !f.allows(s) {
			return nil, errPicklist(f, s)
		}
		return v, nil
	case KindReference:
		return f.checkReference(d, s)
	}
	if f.Length > 0 && len(s) > f.Length && len([]rune(s)) > f.Length {
		return nil, errTooLong(f, s)
	}
	return v, nil
}

// checkReference gives the canonical 18 character id of an existing row.
func (f *Field) checkReference(d *Data, s string) (any, *wire.APIError) {
	if !IsID(s) {
		return nil, errWrongIDType(f, s)
	}
	right := len(f.ReferenceTo) == 0
	for _, name := range f.ReferenceTo {
		t := d.Table(name)
		if t == nil || !strings.HasPrefix(s, t.Object.Prefix) {
			continue
		}
		right = true
		if r := t.Live(s); r != nil {
			return r.ID, nil
		}
	}
	if !right {
		return nil, errWrongIDType(f, s)
	}
	return nil, wire.ErrCrossReference()
}

// IsEmail is the form check of Username and Email fields: one @, a name, and a
// domain with a dot. [R texts; exact grammar U]
func IsEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " \t\r\n,;<>()[]\"\\") || strings.Contains(domain, "@") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.Contains(s, "..") && !strings.HasPrefix(s, ".")
}
