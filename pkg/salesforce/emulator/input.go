package emulator

import "strings"

// jsonInput reads a record from a parsed JSON object.
type jsonInput struct {
	object *jsonObject
	src    []byte
}

func (in jsonInput) each(fn func(string, any) *APIError) *APIError {
	for i := range in.object.members {
		m := &in.object.members[i]
		if m.name == "attributes" {
			continue
		}
		if err := fn(m.name, m.value); err != nil {
			if err.Code == "JSON_PARSER_ERROR" {
				err.Message += " at " + position(in.src, m.pos)
			}
			return err
		}
	}
	return nil
}

func (in jsonInput) value(name string) (any, bool) { return in.object.get(name) }

// mapInput reads a record from a Go map, for planting.
type mapInput map[string]any

func (in mapInput) each(fn func(string, any) *APIError) *APIError {
	for name, v := range in {
		if err := fn(name, fromGo(v)); err != nil {
			return err
		}
	}
	return nil
}

func (in mapInput) value(name string) (any, bool) {
	for n, v := range in {
		if strings.EqualFold(n, name) {
			return fromGo(v), true
		}
	}
	return nil, false
}

// fromGo maps what encoding/json or a test writes onto the reader's types.
func fromGo(v any) any {
	switch v := v.(type) {
	case nil, bool, string, jsonNumber:
		return v
	}
	return jsonNumber(encode(v))
}

// draftInput lets a fault match on the sent value or, for an update, on what
// the record already holds.
type draftInput struct {
	draft *draft
	sent  input
}

func (in draftInput) each(fn func(string, any) *APIError) *APIError { return in.sent.each(fn) }

func (in draftInput) value(name string) (any, bool) {
	if v, ok := in.sent.value(name); ok {
		return v, true
	}
	f := in.draft.object.field(name)
	if f == nil {
		return nil, false
	}
	if in.draft.row != nil && f.kind == kindID {
		return in.draft.row.id, true
	}
	v := cellAt(in.draft.cells, f.pos)
	return v, v != nil
}

// rowInput is a stored row seen as input, for faults on deletes.
type rowInput struct {
	org    *Org
	object *object
	row    *record
}

func (in rowInput) each(func(string, any) *APIError) *APIError { return nil }

func (in rowInput) value(name string) (any, bool) {
	f := in.object.field(name)
	if f == nil {
		return nil, false
	}
	v := in.org.value(in.row, f)
	return v, v != nil
}
