package store

import (
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// JSONInput reads a record from a parsed JSON object.
type JSONInput struct {
	Object *wire.Object
	Src    []byte
}

// Each goes through the members in the order sent.
func (in JSONInput) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	for i := range in.Object.Members {
		m := &in.Object.Members[i]
		if m.Name == "attributes" {
			continue
		}
		if err := fn(m.Name, m.Value); err != nil {
			if err.Code == "JSON_PARSER_ERROR" {
				err.Message += " at " + wire.Position(in.Src, m.Pos)
			}
			return err
		}
	}
	return nil
}

// Value finds a member in any case.
func (in JSONInput) Value(name string) (any, bool) { return in.Object.Get(name) }

// MapInput reads a record from a Go map, for planting.
type MapInput map[string]any

// Each goes through the values in no order.
func (in MapInput) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	for name, v := range in {
		if err := fn(name, wire.FromGo(v)); err != nil {
			return err
		}
	}
	return nil
}

// Value finds a value by its name in any case.
func (in MapInput) Value(name string) (any, bool) {
	for n, v := range in {
		if strings.EqualFold(n, name) {
			return wire.FromGo(v), true
		}
	}
	return nil, false
}

// draftInput lets a fault match on the sent value or, for an update, on what
// the record already holds.
type draftInput struct {
	draft *Draft
	sent  Input
}

func (in draftInput) Each(fn func(string, any) *wire.APIError) *wire.APIError {
	return in.sent.Each(fn)
}

func (in draftInput) Value(name string) (any, bool) {
	if v, ok := in.sent.Value(name); ok {
		return v, true
	}
	f := in.draft.Object.Field(name)
	if f == nil {
		return nil, false
	}
	if in.draft.Row != nil && f.Kind == KindID {
		return in.draft.Row.ID, true
	}
	v := CellAt(in.draft.Cells, f.Pos)
	return v, v != nil
}

// rowInput is a stored row seen as input, for faults on deletes.
type rowInput struct {
	data   *Data
	object *Object
	row    *Record
}

func (in rowInput) Each(func(string, any) *wire.APIError) *wire.APIError { return nil }

func (in rowInput) Value(name string) (any, bool) {
	f := in.object.Field(name)
	if f == nil {
		return nil, false
	}
	v := in.data.Value(in.row, f)
	return v, v != nil
}

// Texts reads a list of strings.
func (in JSONInput) Texts(name string) []string {
	list, _ := in.Object.Get(name)
	items, _ := list.([]any)
	out := make([]string, 0, len(items))
	for _, v := range items {
		out = append(out, wire.PlainValue(v))
	}
	return out
}

// Input reads the values sent for one record, from JSON or from CSV.
type Input interface {
	Each(func(name string, value any) *wire.APIError) *wire.APIError
	Value(name string) (any, bool)
}
