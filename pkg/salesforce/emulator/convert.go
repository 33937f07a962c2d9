package emulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// convert turns a JSON value into a stored value: nil, string, bool, int64,
// float64 or instant. The error is about the request, not about the record.
func (f *field) convert(v any) (any, *wire.APIError) {
	switch v := v.(type) {
	case nil:
		if f.kind == kindBoolean { // [U]
			return nil, f.cannot(v)
		}
		return nil, nil
	case string:
		return f.fromText(v)
	case bool:
		if f.kind == kindBoolean {
			return v, nil
		}
	case wire.Number:
		return f.fromNumber(v)
	}
	return nil, f.cannot(v)
}

func (f *field) cannot(v any) *wire.APIError { // [R] shape
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
			f.kind, token, wire.Plain(v)))
}

// fromText reads a value sent as a string; JSON and CSV share it.
func (f *field) fromText(s string) (any, *wire.APIError) {
	if s == "" && f.kind != kindBoolean {
		return nil, nil // an empty string is null [D]
	}
	switch f.kind {
	case kindBoolean:
		switch strings.ToLower(s) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, f.cannot(s)
	case kindInt, kindDouble:
		return f.fromNumber(wire.Number(s))
	case kindDatetime:
		if t, ok := wire.ParseInstant(s); ok {
			return t, nil
		}
		return nil, f.cannot(s)
	case kindDate:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, f.cannot(s)
		}
		return s, nil
	}
	return s, nil
}

func (f *field) fromNumber(n wire.Number) (any, *wire.APIError) {
	switch f.kind {
	case kindInt:
		if i, err := strconv.ParseInt(strings.TrimSuffix(string(n), ".0"), 10, 64); err == nil {
			return i, nil
		}
	case kindDouble:
		if x, err := strconv.ParseFloat(string(n), 64); err == nil {
			return x, nil
		}
	case kindString, kindPicklist, kindEmail:
		return string(n), nil
	}
	return nil, f.cannot(n)
}

// check applies the rules of the column to a converted value.
func (f *field) check(o *Org, v any) (any, *wire.APIError) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	switch f.kind {
	case kindEmail:
		if !isEmail(s) { // [R]
			return nil, wire.RecordError("INVALID_EMAIL_ADDRESS", f.label+": invalid email address: "+s, f.name)
		}
	case kindPicklist:
		if !f.allows(s) {
			return nil, errPicklist(f, s)
		}
		return v, nil
	case kindReference:
		return f.checkReference(o, s)
	}
	if f.length > 0 && len(s) > f.length && len([]rune(s)) > f.length {
		return nil, errTooLong(f, s)
	}
	return v, nil
}

// checkReference gives the canonical 18 character id of an existing row.
func (f *field) checkReference(o *Org, s string) (any, *wire.APIError) {
	if !isID(s) {
		return nil, errWrongIDType(f, s)
	}
	right := len(f.referenceTo) == 0
	for _, name := range f.referenceTo {
		t := o.table(name)
		if t == nil || !strings.HasPrefix(s, t.object.prefix) {
			continue
		}
		right = true
		if r := t.live(s); r != nil {
			return r.id, nil
		}
	}
	if !right {
		return nil, errWrongIDType(f, s)
	}
	return nil, wire.ErrCrossReference()
}

// isEmail is the form check of Username and Email fields: one @, a name, and a
// domain with a dot. [R texts; exact grammar U]
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " \t\r\n,;<>()[]\"\\") || strings.Contains(domain, "@") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.Contains(s, "..") && !strings.HasPrefix(s, ".")
}
